//! The gateway's own questions over HTTP: what it fetches, and whom it asks about a request. Each is one request and one reply, whole,
//! within a deadline and bounds, by HTTP/1.1, where the URL says so inside TLS.
//!
//! ```text
//! request  what is asked, and what comes back
//! connect  the way to a server
//! begun    a reply whose body is taken as it comes
//! pool     connections that are kept between questions
//! ```
//! No redirect is followed: who may answer is what the URL says, and nobody else. A reply that is longer than it may be is none.

mod begun;
mod connect;
mod pool;
mod request;

pub use begun::{Begun, begin};
pub use hyper::header;
pub use hyper::{HeaderMap, Method};
pub use pool::Pool;
pub use request::{Bounds, Failed, Reply, Request};

use crate::config::HttpUrl;
use callgate_tls::rustls::ClientConfig;
use connect::Connection;
use std::sync::Arc;
use tokio::time::timeout;

/// Asks on a connection of its own.
///
/// # Errors
///
/// There is no reply, or none within the bounds.
pub async fn ask(
    url: &HttpUrl,
    tls: Option<Arc<ClientConfig>>,
    request: Request,
    bounds: &Bounds,
) -> Result<Reply, Failed> {
    let asked = async {
        let Connection { mut send, drive } = connect::connect(url, tls).await?;
        let reply = request::exchange(&mut send, url, request, bounds);
        let mut drive = std::pin::pin!(drive);
        let mut reply = std::pin::pin!(reply);
        tokio::select! {
            reply = &mut reply => reply,
            // What has gone wrong with it, the reply says; all of it may be here already.
            _ = &mut drive => reply.await,
        }
    };
    timeout(bounds.time, asked).await.unwrap_or(Err(Failed::TimedOut))
}

#[cfg(test)]
mod tests;
