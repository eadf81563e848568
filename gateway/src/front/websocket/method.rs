//! The other side of a WebSocket: its call, and what that says, a thing at a time.

use crate::call::{self, Replied, ReplyStream};
use crate::failure::Failure;
use crate::front::opened::{Called, Calling};
use crate::transport::Stop;
use bytes::Bytes;
use std::task::{Context, Poll};

/// The call.
pub(super) enum Method {
    /// Its reply has not begun.
    Running(Calling),
    /// Its items come.
    Begun(Box<ReplyStream>),
    /// It has ended. What it holds is held until its result was sent.
    Over(#[expect(dead_code, reason = "it is held")] Option<call::Guards>),
}

/// What it says.
pub(super) enum Said {
    /// Its reply begins: items come. `reads`: it takes items of its caller.
    Begins { reads: bool },
    /// The next item.
    Item(Bytes),
    /// All that it says.
    Result(Replied),
    /// There was an item before, and no other one comes.
    Ends,
    /// It has failed.
    Fails(Failure),
}

impl Method {
    /// What it says next; nothing any more when it has ended.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Said> {
        match self {
            Method::Running(call) => call.as_mut().poll(cx).map(|called| self.begin(called)),
            Method::Begun(reply) => reply.poll_next(cx).map(|next| match next {
                Some(Ok(item)) => Said::Item(item),
                Some(Err(failure)) => Said::Fails(failure),
                None => Said::Ends,
            }),
            Method::Over(_) => Poll::Pending,
        }
    }

    fn begin(&mut self, Called { result, reads }: Called) -> Said {
        match result {
            Err(failure) => Said::Fails(failure),
            Ok(call::Reply::Whole { replied, guards }) => {
                *self = Method::Over(Some(guards));
                Said::Result(replied)
            }
            Ok(call::Reply::Begun(reply)) => {
                *self = Method::Begun(reply);
                Said::Begins { reads }
            }
        }
    }

    /// Cancels it, unless it has ended.
    pub(super) fn end(&mut self) {
        if !matches!(self, Method::Over(_)) {
            *self = Method::Over(None);
        }
    }

    /// Ends items that come, for that reason: what is said of that.
    pub(super) fn stop(&mut self, stop: Stop) -> Option<Failure> {
        match self {
            Method::Begun(reply) => reply.stop(stop),
            Method::Running(_) | Method::Over(_) => None,
        }
    }
}
