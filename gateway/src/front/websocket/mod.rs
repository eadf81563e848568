//! WebSockets (RFC 6455) on connections of HTTP/1.1: each text of the client is an item of its call, and each item of the method's reply a
//! text for the client.
//!
//! ```text
//! handshake  whether a request may begin one, and what is said to it
//! calling    its call, which owns what it is made of
//! serve      it is open, from 101 to the end of its connection
//! session    what is said in it: the two directions, until one of them ends it; clock, what happens in it by time
//! incoming   what the client sends: frames, and the queue of the call's items
//! quota      how many bytes messages may have together
//! method     the call, and what it says
//! messages   what a message is as an item, and an item as a message
//! outgoing   what it is sent, as its socket takes it
//! farewell   the codes with which it ends
//! ```
//!
//! The client is told 101 as soon as its call was sent to an instance. What fails before is a problem as any: the route's steps, a
//! handshake that is none, an instance that is not there, an argument that does not fit. The method may then wait for the client's first
//! message as long as it likes.
//!
//! Both directions slow down whoever is too fast, and nobody else. The socket is read while the call's queue has room. An item of the
//! method is taken when the socket has taken the one before.

mod calling;
mod clock;
mod farewell;
mod handshake;
mod incoming;
mod messages;
mod method;
mod outgoing;
mod quota;
mod serve;
mod session;

pub(super) use serve::serve;

use super::exchange::Exchange;
use super::hash_key::hash_key;
use super::opened::{Called, Calling, Opened};
use super::outside;
use super::reply::{Content, Reply};
use crate::config::{CallSpec, WebSocketSpec};
use crate::failure::Failure;
use crate::front::deadline::{Clocks, deadline};
use crate::front::origin;
use crate::routes::{CallAction, PathParams, query_pairs};
use crate::transport::{BodyStream, Times};
use crate::worker::RouteRef;
use callgate_protocol::MetadataBuf;
use calling::OwnedRequest;
use std::borrow::Cow;
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use tokio::sync::mpsc::channel;
use tokio::time::Instant;

/// How many items of a client wait for their turn to be sent to the instance.
const QUEUE: usize = 4;

/// Begins a WebSocket, if the request may: the reply says so.
pub(super) async fn open(
    exchange: &Exchange,
    (route, action): (&RouteRef, &CallAction),
    path: PathParams<'_>,
    (metadata, has_key): (MetadataBuf, bool),
) -> Result<Reply, Failure> {
    let (spec, accept) = admit(exchange, action)?;
    let (items, pieces) = channel(QUEUE);
    let sent = Rc::new(Cell::new(false));
    let request = owned(exchange, (route, action), path, metadata, BodyStream::optional(pieces))?;
    let request = OwnedRequest { has_key, ..request };
    let traced = exchange.traced_call(route, "websocket");
    let mut call: Calling = Box::pin(calling::run(request, sent.clone()));
    let begun = poll_fn(|cx| match call.as_mut().poll(cx) {
        Poll::Ready(called) => Poll::Ready(Some(called)),
        Poll::Pending if sent.get() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    });
    // It may have all been done by then.
    if let Some(Called { result, reads }) = begun.await {
        let result = Ok(result?);
        call = Box::pin(std::future::ready(Called { result, reads }));
    }
    let mut reply = Reply::empty(101);
    reply.field("connection", "upgrade");
    reply.field("upgrade", "websocket");
    reply.field("sec-websocket-accept", &accept);
    let (messages, limits) = (spec.messages, action.spec.stream);
    reply.content = Content::WebSocket(Box::new(Opened {
        call,
        items,
        messages,
        limits,
        counted: Rc::default(),
        traced,
    }));
    Ok(reply)
}

/// Lets a request begin a WebSocket: what is said of that, and how it is accepted.
pub(super) fn admit<'a>(
    exchange: &Exchange,
    action: &'a CallAction,
) -> Result<(&'a WebSocketSpec, String), Failure> {
    let CallSpec { websocket: Some(spec), .. } = &*action.spec else {
        return Err(Failure::Internal("the route has no WebSocket".to_owned()));
    };
    let head = &exchange.head;
    let accept = handshake::read(head, exchange.connection().http2.get().is_some())?;
    origin::admit(head, spec.origins.as_ref())?;
    Ok((spec, accept))
}

/// What its call is made of.
fn owned(
    exchange: &Exchange,
    (route, action): (&RouteRef, &CallAction),
    path: PathParams<'_>,
    metadata: MetadataBuf,
    items: BodyStream,
) -> Result<OwnedRequest, Failure> {
    let Exchange { worker, context, head, .. } = exchange;
    let (fields, began) = (head.fields(), context.began);
    let mut query = query_pairs(head.query().unwrap_or_default()).map_err(|_| Failure::query_not_utf8())?;
    action.spec.leave_out_ignored(&mut query);
    let bound = outside::of(&action.spec.outside, head, exchange.who())?;
    let now = Instant::now();
    let came = if exchange.guards.passed.has_waited() { now } else { began };
    let deadline = deadline(fields, Clocks { began, came, now }, action.spec.timeout)?;
    let key = hash_key(&action.backend, route, &path, fields, exchange.who())?;
    Ok(OwnedRequest {
        worker: worker.clone(),
        route: route.clone(),
        key,
        has_key: false,
        path: path.into_iter().map(own).collect(),
        query: query.into_iter().map(|(name, value)| (own(name), own(value))).collect(),
        bound: bound.into_iter().map(|text| text.map(own)).collect(),
        metadata,
        identity: exchange.guards.passed.identified().map(|caller| caller.identity.clone()),
        times: Times { now, deadline, stream: action.spec.stream.time },
        items,
        trail: exchange.trail.beside(),
    })
}

fn own(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}
