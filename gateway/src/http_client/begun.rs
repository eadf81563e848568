//! A reply whose body is taken as it comes.

use super::connect::{self, Connection};
use super::request::{self, Failed, Request};
use crate::config::HttpUrl;
use callgate_tls::rustls::ClientConfig;
use http_body_util::BodyExt;
use hyper::HeaderMap;
use hyper::body::{Bytes, Incoming};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// A reply that has begun. Its connection is its own, and ends with it.
pub struct Begun {
    /// Its status.
    pub status: u16,
    /// Its header fields.
    pub fields: HeaderMap,
    body: Incoming,
    /// What drives its connection; none once that has ended.
    drive: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

/// Asks on a connection of its own. The head of the reply is to be there within that time.
///
/// # Errors
///
/// There is no reply by then.
pub async fn begin(
    url: &HttpUrl,
    tls: Option<Arc<ClientConfig>>,
    request: Request,
    within: Duration,
) -> Result<Begun, Failed> {
    let asked = async {
        let Connection { mut send, drive } = connect::connect(url, tls).await?;
        let mut drive = Some(Box::pin(async { drop(drive.await) }) as Pin<Box<dyn Future<Output = ()>>>);
        let reply = driven(&mut drive, request::head(&mut send, url, request)).await?;
        let (head, body) = reply.into_parts();
        Ok(Begun { status: head.status.as_u16(), fields: head.headers, body, drive })
    };
    timeout(within, asked).await.unwrap_or(Err(Failed::TimedOut))
}

impl Begun {
    /// The next bytes of its body; none behind the last.
    ///
    /// # Errors
    ///
    /// It was cut.
    pub async fn bytes(&mut self) -> Result<Option<Bytes>, Failed> {
        loop {
            let frame = driven(&mut self.drive, self.body.frame()).await;
            match frame.transpose().map_err(|error| Failed::Broken(error.to_string()))? {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(bytes) = frame.into_data() {
                        return Ok(Some(bytes));
                    }
                }
            }
        }
    }
}

/// Awaits something while its connection is driven. What has gone wrong with that, the work says.
async fn driven<T>(
    drive: &mut Option<Pin<Box<dyn Future<Output = ()>>>>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = std::pin::pin!(work);
    if let Some(driver) = drive {
        tokio::select! {
            done = &mut work => return done,
            () = driver => {}
        }
        *drive = None;
    }
    work.await
}
