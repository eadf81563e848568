//! A reply in items on its stream, as they come. A client that resets the stream ends its call. A reply that is cut resets the stream, so that
//! nobody takes it for whole; but not before its client has heard what was said until then.

use super::piece::{Held, Piece};
use super::send::Sent;
use crate::buffers::{Buffers, ReplyBuffer};
use crate::failure::Failure;
use crate::front::connection::Stream;
use crate::front::reply::{End, Gathered, Streamed};
use callgate_protocol::Budget;
use h2::{Reason, SendStream, server::SendResponse};
use http::Response;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::timeout;

/// How long a client has to say that it has heard the last words.
const MOMENT: Duration = Duration::from_secs(1);

/// Sends such a reply. `cut` tells the log why it is cut, if it is, and gives the problem.
pub(super) async fn send_begun(
    respond: &mut SendResponse<Piece>,
    stream: &Rc<Stream>,
    head: Response<()>,
    mut reply: Box<Streamed>,
    budget: &Arc<Budget>,
    cut: &dyn Fn(&Failure) -> Vec<u8>,
) -> Sent {
    let Ok(mut out) = respond.send_response(head, false) else { return Sent::Over };
    // Its client may pause.
    let _free = (stream.pace.set_free(), stream.connection.pace.set_free());
    let buffers = &stream.connection.open.buffers;
    loop {
        let gathered = poll_fn(|cx| gather(cx, stream, &mut out, &mut reply, buffers)).await;
        let Some((mut buffer, gathered)) = gathered else { return Sent::Over };
        let end = match gathered {
            Gathered::Some => None,
            Gathered::Last => Some(End::Whole),
            // What has come before goes to the client, too.
            Gathered::Cut(failure) => {
                let problem = cut(&failure);
                Some(buffer.append(|out| reply.put_cut(&failure, &problem, out)))
            }
        };
        if end == Some(End::Torn) && buffer.body().is_empty() {
            break;
        }
        let Some(piece) = Piece::new(Held::Begun(buffer), stream, budget) else {
            out.send_reset(Reason::ENHANCE_YOUR_CALM);
            return Sent::NoRoom;
        };
        let is_last = matches!(end, Some(End::Whole | End::ComeAgain));
        if out.send_data(piece, is_last).is_err() {
            // The client has gone. What its call still brings is of no use.
            return Sent::Over;
        }
        // What is not taken holds back what is to come.
        if let Err(failure) = poll_fn(|cx| taken(cx, stream, &mut reply)).await {
            failure.iter().for_each(|failure| drop(cut(failure)));
            out.send_reset(Reason::CANCEL);
            return Sent::Over;
        }
        match end {
            None => {}
            Some(End::Whole | End::ComeAgain) => return Sent::Over,
            Some(End::Torn) => break,
        }
    }
    is_heard(stream, &mut out).await;
    out.send_reset(Reason::INTERNAL_ERROR);
    Sent::Over
}

/// Gathers what has come; waits when there is nothing to send. While nothing comes there is no buffer for it. `None`: the client has gone.
fn gather(
    cx: &mut Context<'_>,
    stream: &Stream,
    out: &mut SendStream<Piece>,
    reply: &mut Streamed,
    buffers: &Rc<Buffers>,
) -> Poll<Option<(ReplyBuffer, Gathered)>> {
    stream.remember(cx.waker());
    let mut buffer = buffers.for_reply(0);
    let leaves = stream.connection.open.streams_over.get();
    match buffer.append(|out| reply.poll_gather(cx, leaves, out)) {
        Poll::Ready(gathered) => Poll::Ready(Some((buffer, gathered))),
        Poll::Pending => out.poll_reset(cx).map(|_| None),
    }
}

/// Waits until the client has taken what was sent, or has gone; or fails when it has had its time.
fn taken(cx: &mut Context<'_>, stream: &Stream, reply: &mut Streamed) -> Poll<Result<(), Option<Failure>>> {
    stream.remember(cx.waker());
    if stream.pieces() == 0 {
        return Poll::Ready(Ok(()));
    }
    reply.poll_blocked(cx).map(Err)
}

/// Waits until the client has heard what was sent, or has gone.
async fn is_heard(stream: &Stream, out: &mut SendStream<Piece>) {
    let echo = &stream.connection.http2().echo;
    let question = echo.ask();
    stream.connection.wake();
    let heard = poll_fn(|cx| match out.poll_reset(cx) {
        Poll::Ready(_) => Poll::Ready(()),
        Poll::Pending => echo.poll_heard(cx, question),
    });
    // A client that says nothing has had its time.
    let _ = timeout(MOMENT, heard).await;
}
