//! A reply on its stream: its head, and its body as its client's windows allow.
//!
//! A body is handed to the library whole, which sends it as it can. Whoever waits for that is the stream's task, so that a stream whose
//! client takes nothing is ended, and its reply is gone with it. A reply in items is sent by `begun.rs`.

use super::piece::{Held, Piece};
use crate::front::connection::Stream;
use crate::front::reply::Content;
use callgate_protocol::Budget;
use h2::{Reason, SendStream, server::SendResponse};
use http::Response;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

/// How sending has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// All was sent, or its client wants no more of it.
    Over,
    /// Its client has taken too little of it for too long: the stream was reset.
    Stalled,
    /// Clients have taken so little of so many others that there is no room for it: the stream was reset.
    NoRoom,
}

/// Sends a reply whose body is there. What its exchange holds is dropped when its last piece is all that is left to send.
pub(super) async fn send<G>(
    respond: &mut SendResponse<Piece>,
    stream: &Rc<Stream>,
    head: Response<()>,
    content: Content,
    budget: &Arc<Budget>,
    holds: G,
) -> Sent {
    if content.length() == Some(0) {
        drop(holds);
        // One that has gone needs no reply.
        let _ = respond.send_response(head, true);
        return Sent::Over;
    }
    let Some(mut pieces) = pieces(content, stream, budget) else {
        respond.send_reset(Reason::ENHANCE_YOUR_CALM);
        return Sent::NoRoom;
    };
    let Ok(mut out) = respond.send_response(head, false) else { return Sent::Over };
    let last = pieces.pop();
    for piece in pieces {
        if out.send_data(piece, false).is_err() {
            return Sent::Over;
        }
    }
    if last.is_some_and(|last| out.send_data(last, true).is_err()) {
        return Sent::Over;
    }
    let sent = taken(stream, &mut out, 1).await;
    drop(holds);
    match sent {
        Sent::Over => taken(stream, &mut out, 0).await,
        Sent::Stalled | Sent::NoRoom => sent,
    }
}

/// A body as its pieces, if there is room for them.
fn pieces(content: Content, stream: &Rc<Stream>, budget: &Arc<Budget>) -> Option<Vec<Piece>> {
    match content {
        Content::Pieces(parts) => {
            parts.into_iter().map(|part| Piece::new(Held::Part(part), stream, budget)).collect()
        }
        content => Some(vec![Piece::new(Held::Content(content), stream, budget)?]),
    }
}

/// Waits until the client has taken what was sent but for so many pieces, as long as there is time.
async fn taken(stream: &Stream, out: &mut SendStream<Piece>, but: usize) -> Sent {
    let sent = poll_fn(|cx| {
        stream.remember(cx.waker());
        match (stream.pieces() <= but, stream.expired.get()) {
            (true, _) => Poll::Ready(Sent::Over),
            (false, true) => Poll::Ready(Sent::Stalled),
            (false, false) => Poll::Pending,
        }
    });
    let sent = sent.await;
    if sent == Sent::Stalled {
        out.send_reset(Reason::CANCEL);
    }
    sent
}
