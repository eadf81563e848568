//! HTTP/1.1 on a client connection: one request after the other, each with its reply, until one of the two sides ends it.
//!
//! ```text
//! head   waits for the next request, and reads its head
//! send   a reply on the wire; stream, one that has only begun
//! ```
//! What is idle is a socket and a few hundred bytes: buffers come from the worker's pool when something can be read, and go back with the
//! reply.

mod head;
mod send;
mod stream;

use super::access;
use super::body::{RequestBody, Unread};
use super::connection::Phase;
use super::end::{Linger, end};
use super::exchange::Exchange;
use super::handler::handle;
use super::problem;
use super::reply::{Content, End, Reply};
use super::request_id::RequestId;
use super::tally;
use super::websocket;
use super::wire::Wire;
use crate::failure::Failure;
use crate::worker::Worker;
use callgate_http1::{Refusal, Request, Version};
use head::{Next, next};
use send::{Going, send, send_problem};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;

/// Serves a connection until it ends; `begun` has what was read of it already.
pub(super) async fn serve(worker: &Rc<Worker>, wire: &Rc<Wire>, mut begun: Option<Box<Request>>) {
    poll_fn(|cx| {
        wire.connection.remember(cx.waker());
        Poll::Ready(())
    })
    .await;
    while begun.is_some() || head::wakes(wire).await {
        // On the heap, so that a resting connection's task does not keep the place.
        if !Box::pin(serve_until_rest(worker, wire, begun.take())).await {
            return;
        }
    }
    wire.say_the_end();
}

/// Serves a connection that has something to read. Says whether it rests now, or has ended.
async fn serve_until_rest(worker: &Rc<Worker>, wire: &Rc<Wire>, begun: Option<Box<Request>>) -> bool {
    let mut behind = begun;
    loop {
        behind = match next(wire, behind).await {
            Next::Request(request) => match exchange(worker, wire, request).await {
                Some(behind) => behind,
                None => return false,
            },
            Next::Refused(refusal, is_head) => {
                refuse(worker, wire, refusal, is_head).await;
                return false;
            }
            Next::Rest => return true,
            Next::End => {
                wire.say_the_end();
                return false;
            }
        };
    }
}

/// Serves one request. Gives what has come behind it, if anything, or `None` where nothing more is read as a request.
async fn exchange(
    worker: &Rc<Worker>,
    wire: &Rc<Wire>,
    request: Box<Request>,
) -> Option<Option<Box<Request>>> {
    let connection = &wire.connection;
    let body = |head: &Request| RequestBody::of_wire(wire.clone(), head, &connection.open.limits);
    let mut exchange = Exchange::begin(worker, connection, request, body);
    // Pinned here, because it is large: handed on, it would be copied for each request.
    let handled = unless_left(wire, pin!(handle(&mut exchange))).await;
    let Some(mut reply) = handled else {
        exchange.left();
        return None;
    };
    exchange.guards.call = reply.guards.take();
    if let Content::WebSocket(opened) = reply.content {
        reply.content = Content::Empty;
        if send(wire, &mut exchange, reply, Going::On, false).await.is_ok() {
            Box::pin(websocket::serve(worker, wire, exchange, *opened)).await;
        }
        return None;
    }
    // A body that goes on beside its reply is read on. The connection ends after both.
    let is_beside = reply.content.length().is_none() && exchange.body.is_streaming();
    if !is_beside {
        exchange.body.stop_streaming();
    }
    let mut unread = if is_beside { Unread::Nothing } else { exchange.body.unread(&exchange.head) };
    let going = going(worker, wire, &exchange, &reply, unread);
    let Ok(ended) = send(wire, &mut exchange, reply, going, unread != Unread::Little).await else {
        return None;
    };
    if is_beside {
        exchange.body.stop_streaming();
        unread = exchange.body.unread(&exchange.head);
    }
    if going == Going::Ends || ended != End::Whole || unread == Unread::Much {
        // Whatever has come behind it is no request.
        wire.connection.open.pool.take_request(exchange.finish());
        end(wire, if unread == Unread::Nothing { Linger::IfMore } else { Linger::Body }).await;
        return None;
    }
    if unread == Unread::Little && !exchange.body.discard().await {
        return None;
    }
    exchange.ends();
    let Exchange { head: mut request, .. } = exchange;
    wire.take_ahead(request.buffer());
    if !request.buffer().is_empty() {
        return Some(Some(request));
    }
    wire.connection.open.pool.take_request(request);
    Some(None)
}

/// Waits for a request's reply, unless its client leaves before: then nothing is replied, and its call is cancelled.
async fn unless_left<F: Future>(wire: &Wire, mut reply: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| {
        if let Poll::Ready(reply) = reply.as_mut().poll(cx) {
            return Poll::Ready(Some(reply));
        }
        // Whoever reads the body sees by itself that it breaks off.
        let reads = wire.connection.phase.get() == Phase::Body;
        if !reads && wire.poll_left(cx) { Poll::Ready(None) } else { Poll::Pending }
    })
    .await
}

/// Whether the connection goes on after the reply.
fn going(worker: &Worker, wire: &Wire, exchange: &Exchange, reply: &Reply, unread: Unread) -> Going {
    let Exchange { head, body, .. } = exchange;
    let has_ended = wire.has_ended() && !wire.has_ahead() && !body.has_behind(head);
    // Its end is the connection's.
    let has_no_end = reply.content.length().is_none() && head.version() == Version::Http10;
    let is_spent = wire.connection.is_stray() || wire.connection.is_used_up();
    if !head.keeps_alive() || unread == Unread::Much || has_ended || has_no_end || is_spent || is_last(worker)
    {
        return Going::Ends;
    }
    Going::of(head.version())
}

/// Whether a connection is to close with the reply that is being made: when the process ends, and when room is short.
fn is_last(worker: &Worker) -> bool {
    let shared = &worker.shared;
    if shared.draining.load(Relaxed) {
        return true;
    }
    let short = shared.room.is_short();
    if short {
        shared.front.workers.of(worker.id).told_to_close.increment();
    }
    short
}

/// Says why a head is no request, and ends the connection: nobody knows where the next one would begin.
async fn refuse(worker: &Worker, wire: &Wire, refusal: Refusal, is_head: bool) {
    let (failure, id) = (Failure::Refused(refusal), RequestId::make(&worker.ids));
    if refusal == Refusal::Tls {
        let (client, listener) = (wire.connection.client.get(), &wire.connection.listener.id);
        tracing::info!(?client, listener, "a client speaks TLS, and the listener does not: it has no `tls`");
    } else {
        failure.log(id.as_str(), "none");
    }
    tally::refused(worker, refusal);
    access::refused(worker, &wire.connection, (&id, "HTTP/1.1"), &failure);
    wire.connection.enter(Phase::Lingering);
    let reply = problem::reply(&failure, &worker.shared.settings.server.error_types, id.as_str());
    if send_problem(wire, reply, &id, is_head).await.is_ok() {
        end(wire, Linger::Head).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{HalfClose, Settings, Source};
    use crate::fields::NAMES;
    use crate::front::connection::testing;
    use crate::stream::AsyncStream;
    use crate::worker::Shared;
    use std::sync::Arc;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixStream;

    /// A request of which only the head has come.
    fn head(fields: &str, wire: &Wire) -> Request {
        let mut request = Request::new(&NAMES);
        let text = format!("POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\n{fields}\r\n");
        request.buffer().extend_from_slice(text.as_bytes());
        assert_eq!(request.parse(&wire.connection.open.limits), Ok(true));
        request
    }

    #[tokio::test]
    async fn a_body_that_comes_before_its_client_could_be_told_to_send_is_no_next_request() {
        let settings = Settings::parse(Source::new("gateway.toml", ""), None).expect("defaults");
        let shared = Shared::new(settings, Arc::default(), None);
        for (fields, body) in
            [("content-length: 3\r\n", "abc"), ("transfer-encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")]
        {
            let (mut client, stream) = UnixStream::pair().expect("two sockets");
            let connection = testing::register(&testing::open(), HalfClose::Cancel);
            let wire = Rc::new(Wire::new(AsyncStream::Unix(stream), connection.clone()));
            let _busy = connection.begin_exchange();
            // The client reads nothing, so that no more can be written.
            poll_fn(|cx| {
                while wire.poll_write(cx, &[b'x'; 4096], &[]).is_ready() {}
                Poll::Ready(())
            })
            .await;
            client.write_all(body.as_bytes()).await.expect("the socket takes it");
            let head = head(fields, &wire);
            let mut request_body = RequestBody::of_wire(wire.clone(), &head, &connection.open.limits);
            let limits = crate::config::StreamLimits::default();
            let types = (&crate::config::BodyTypes::Json, &limits);
            let mut reading = Box::pin(request_body.read(&head, &shared, types));
            let mut read = Box::pin(unless_left(&wire, reading.as_mut()));
            poll_fn(|cx| {
                assert!(read.as_mut().poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
            assert!(!wire.has_ahead(), "nobody else reads it");
            let hear = async {
                let mut heard = vec![0; 64 * 1024];
                while client.read(&mut heard).await.is_ok_and(|read| !heard[..read].ends_with(CONTINUED)) {}
            };
            let (told, ()) = tokio::join!(&mut read, hear);
            told.expect("the client is there").expect("it can be read");
            drop(read);
            drop(reading);
            assert_eq!(request_body.bytes(&head), b"abc");
            assert!(!wire.has_ahead());
        }
    }

    const CONTINUED: &[u8] = b"100 Continue\r\n\r\n";
}
