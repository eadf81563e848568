//! Connections that are kept between questions, of one worker. Each has a task that drives it, which ends with it, and at the latest when it
//! is old; so a server that nobody asks any more has none.

use super::connect::{Connection, connect};
use super::request::exchange;
use super::{Bounds, Failed, Reply, Request};
use crate::config::HttpUrl;
use callgate_tls::rustls::ClientConfig;
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::client::conn::http1::SendRequest;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

/// So many connections to a server are kept that nobody uses.
const MOST: usize = 16;
/// A connection of that age takes no more questions.
const MAX_AGE: Duration = Duration::from_secs(60);
/// And ends so much later: no question takes longer.
const GRACE: Duration = Duration::from_secs(60);

/// Whom a connection leads to: an authenticator, by what its files said.
type Key = (u64, u64);

/// The connections.
#[derive(Default)]
pub struct Pool(RefCell<HashMap<Key, Vec<Kept>>>);

struct Kept {
    send: SendRequest<Full<Bytes>>,
    since: Instant,
    /// What drives it. It ends when this is dropped.
    _drive: JoinSet<()>,
}

impl Pool {
    /// Asks, on a connection that is there, or on a new one. A question may be sent twice, where a server hangs up while it comes.
    ///
    /// # Errors
    ///
    /// There is no reply, or none within the bounds.
    pub async fn ask(
        &self,
        key: (u64, u64),
        url: &HttpUrl,
        tls: Option<Arc<ClientConfig>>,
        request: Request,
        bounds: &Bounds,
    ) -> Result<Reply, Failed> {
        let asked = async {
            while let Some(mut kept) = self.take(key) {
                if kept.send.ready().await.is_err() {
                    continue;
                }
                match exchange(&mut kept.send, url, request.clone(), bounds).await {
                    Ok(reply) => {
                        self.put(key, kept);
                        return Ok(reply);
                    }
                    // The server may have hung up before it has read the question. A new connection tells.
                    Err(Failed::Broken(_)) => break,
                    Err(failed) => return Err(failed),
                }
            }
            let Connection { send, drive } = connect(url, tls).await?;
            let mut task = JoinSet::new();
            task.spawn(async move {
                // What goes wrong with it, whoever asks hears.
                let _ = timeout(MAX_AGE + GRACE, drive).await;
            });
            let mut kept = Kept { send, since: Instant::now(), _drive: task };
            let reply = exchange(&mut kept.send, url, request, bounds).await?;
            self.put(key, kept);
            Ok(reply)
        };
        timeout(bounds.time, asked).await.unwrap_or(Err(Failed::TimedOut))
    }

    /// One that could be used: the one that was used last.
    fn take(&self, key: Key) -> Option<Kept> {
        let mut all = self.0.borrow_mut();
        let kept = all.get_mut(&key)?;
        kept.retain(Kept::is_usable);
        let one = kept.pop();
        if kept.is_empty() {
            all.remove(&key);
        }
        one
    }

    fn put(&self, key: Key, kept: Kept) {
        let mut all = self.0.borrow_mut();
        // Those of authenticators that are gone.
        all.retain(|other, kept| *other == key || kept.iter().any(Kept::is_usable));
        let of_key = all.entry(key).or_default();
        if of_key.len() < MOST && kept.is_usable() {
            of_key.push(kept);
        }
    }
}

impl Kept {
    fn is_usable(&self) -> bool {
        !self.send.is_closed() && self.since.elapsed() < MAX_AGE
    }
}
