//! One stream: its request is an exchange, like any other.

use super::begun::send_begun;
use super::head;
use super::io::Watch;
use super::piece::Piece;
use super::send::{Sent, send};
use crate::failure::Failure;
use crate::front::access;
use crate::front::body::{RequestBody, StreamBody};
use crate::front::connection::{Connection, OpenStream};
use crate::front::exchange::Exchange;
use crate::front::handler::handle;
use crate::front::problem;
use crate::front::reply::Content;
use crate::front::request_id::RequestId;
use crate::front::tally;
use crate::telemetry::Http2Counters;
use crate::worker::Worker;
use callgate_http1::Refusal;
use h2::{RecvStream, server::SendResponse};
use http::{Method, Request, Response, StatusCode};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

/// Reads the head of a request: its exchange is open when this returns. What is given replies to it.
pub(super) fn begin(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    watch: &Watch,
    request: Request<RecvStream>,
    respond: SendResponse<Piece>,
) -> impl Future<Output = ()> + use<> {
    let (parts, incoming) = request.into_parts();
    let open = connection.begin_stream();
    let mut head = connection.open.pool.empty_request();
    let read = match head::read(&mut head, &parts, &connection.open.limits) {
        Ok(()) => {
            let stream = open.stream.clone();
            let body = |head: &_| RequestBody::of_stream(StreamBody::new(incoming, stream, head));
            Ok(Exchange::begin(worker, connection, head, body))
        }
        Err(refusal) => {
            connection.open.pool.take_request(head);
            watch.refused();
            Err((refusal, connection.begin_exchange()))
        }
    };
    let is_head = parts.method == Method::HEAD;
    let mut replying = Replying { counted: Counted::new(worker.clone()), open, respond, is_head };
    async move {
        match read {
            Ok(exchange) => replying.reply(exchange).await,
            Err((refusal, on_connection)) => {
                replying.refuse(refusal).await;
                drop(on_connection);
            }
        }
    }
}

/// A stream whose request has come.
struct Replying {
    counted: Counted,
    open: OpenStream,
    respond: SendResponse<Piece>,
    is_head: bool,
}

impl Replying {
    /// Replies to a request, unless its client resets the stream before: then nothing is replied, and its call is cancelled.
    async fn reply(&mut self, mut exchange: Exchange) {
        // On the heap, so that a stream whose client does not take its reply keeps no place for it.
        let handled = Box::pin(handle(&mut exchange));
        let Some(mut reply) = self.unless_reset(handled).await else {
            exchange.left();
            return;
        };
        exchange.guards.call = reply.guards.take();
        let (stream, budget) = (&self.open.stream, &self.counted.0.shared.answers);
        let head = head::of_exchange(&exchange, &reply);
        let content = if self.is_head { Content::Empty } else { reply.content };
        match content {
            Content::Begun(begun) => {
                let cut = |failure: &Failure| exchange.cut(failure);
                // On the heap, as all that is rare.
                let sent = Box::pin(send_begun(&mut self.respond, stream, head, begun, budget, &cut));
                // Its request may still come, as a stream.
                let sent = exchange.body.beside(&exchange.head, sent).await;
                self.count(sent);
            }
            content => {
                // Whoever hears the end of the reply finds the places free; and one whose client does not take it holds nothing else.
                let guards = exchange.guards.take();
                let (_on_connection, rest) = exchange.release();
                let sent = send(&mut self.respond, stream, head, content, budget, guards).await;
                if let (Sent::Over, Some(rest)) = (sent, rest) {
                    // A stream that ends while its client sends is reset: of what is little the end is waited for.
                    rest.discard().await;
                }
                self.count(sent);
            }
        }
    }

    /// Says why a head is no request.
    async fn refuse(&mut self, refusal: Refusal) {
        let worker = self.counted.0.clone();
        let (failure, id) = (Failure::Refused(refusal), RequestId::make(&worker.ids));
        self.open.stream.connection.http2().log_refused(refusal, id.as_str(), "none");
        tally::refused(&worker, refusal);
        access::refused(&worker, &self.open.stream.connection, (&id, "HTTP/2"), &failure);
        let reply = problem::reply(&failure, &worker.shared.settings.server.error_types, id.as_str());
        let stream = &self.open.stream;
        let head = head::of_refusal(&stream.connection, id.as_str(), &reply);
        let content = if self.is_head { Content::Empty } else { reply.content };
        let sent = send(&mut self.respond, stream, head, content, &worker.shared.answers, ()).await;
        self.count(sent);
    }

    async fn unless_reset<F: Future>(&mut self, reply: F) -> Option<F::Output> {
        let mut reply = pin!(reply);
        poll_fn(|cx| {
            if let Poll::Ready(reply) = reply.as_mut().poll(cx) {
                return Poll::Ready(Some(reply));
            }
            if self.open.stream.wants_continue.take() {
                let mut told = Response::new(());
                *told.status_mut() = StatusCode::CONTINUE;
                // A client that has gone is found by the next line.
                let _ = self.respond.send_informational(told);
            }
            self.respond.poll_reset(cx).map(|_| None)
        })
        .await
    }

    fn count(&self, sent: Sent) {
        let connection = &self.open.stream.connection;
        let (client, listener) = (connection.client.get(), &connection.listener.id);
        match sent {
            Sent::Over => {}
            Sent::Stalled => {
                tracing::debug!(
                    ?client,
                    listener,
                    "a stream's client takes its answer more slowly than min_send_rate"
                );
                self.counted.counters().stalled.increment();
            }
            Sent::NoRoom => {
                tracing::debug!(?client, listener, "a stream's answer has no room in max_answer_memory");
            }
        }
    }
}

/// Counts a stream while it is open, however it ends.
struct Counted(Rc<Worker>);

impl Counted {
    fn new(worker: Rc<Worker>) -> Counted {
        let counted = Counted(worker);
        counted.counters().streams.increment();
        counted.counters().begun.increment();
        counted
    }

    fn counters(&self) -> &Http2Counters {
        &self.0.shared.front.workers.of(self.0.id).http2
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.counters().streams.decrement();
    }
}
