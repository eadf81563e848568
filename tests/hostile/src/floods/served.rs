//! Good clients, by HTTP/1.1 and by HTTP/2, that want to be served during a flood.

use crate::client::Client;
use crate::frame::{Frame, flag};
use crate::hpack;
use crate::target::Target;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;

/// So many requests at least, each by both protocols.
const LEAST: usize = 20;

/// What became of their requests.
#[derive(Debug, Default)]
pub(super) struct Served {
    /// How many were served.
    pub(super) count: usize,
    /// How the first failed that did.
    pub(super) failure: Option<String>,
}

/// Has the gateway serve what it has not served yet.
pub(super) async fn warm(target: &Target) {
    let (_, served) = meanwhile(target, std::future::ready(())).await;
    assert!(served.failure.is_none(), "the gateway does not serve before the flood: {served:?}");
}

/// Asks for something over and over until `flood` has ended, and [`LEAST`] times in any case.
pub(super) async fn meanwhile<T>(target: &Target, flood: impl Future<Output = T>) -> (T, Served) {
    let mut served = Served::default();
    let mut flood = pin!(flood);
    let mut ended = None;
    while ended.is_none() || served.count < LEAST {
        let one = one(target);
        if ended.is_some() {
            served.note(one.await);
            continue;
        }
        // Both go on at once, and neither is given up for the other.
        let mut one = pin!(one);
        tokio::select! {
            outcome = &mut flood => {
                ended = Some(outcome);
                served.note(one.await);
            }
            asked = &mut one => served.note(asked),
        }
        if served.failure.is_some() && ended.is_none() {
            ended = Some((&mut flood).await);
        }
        if served.failure.is_some() {
            break;
        }
    }
    let Some(outcome) = ended else { unreachable!("the loop ends behind the flood") };
    (outcome, served)
}

impl Served {
    fn note(&mut self, asked: Result<(), String>) {
        match asked {
            Ok(()) => self.count += 1,
            Err(failure) => self.failure = self.failure.take().or(Some(failure)),
        }
    }
}

/// A request by each protocol.
async fn one(target: &Target) -> Result<(), String> {
    let answer = target.gateway.client.try_send("GET", "/v1/calc/add?a=1&b=2", &[], "").await?;
    if answer.status != 200 {
        return Err(format!("{} by HTTP/1.1", answer.status));
    }
    by_http2(target.http2).await
}

/// A request on a connection of its own: a good client may come at any time.
async fn by_http2(server: SocketAddr) -> Result<(), String> {
    let mut client = Client::open(server, &[]).await.map_err(|error| error.to_string())?;
    let path = "/v1/calc/add?a=1&b=2";
    let block =
        hpack::block(&[(":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", path)]);
    client.send(&Frame::headers(1, block).with(flag::END_STREAM).bytes()).await;
    client.wait(|heard| heard.stream(1).is_over()).await;
    match client.heard.stream(1) {
        stream if stream.status == Some(200) && stream.ended => Ok(()),
        stream => Err(format!("{stream:?} by HTTP/2")),
    }
}
