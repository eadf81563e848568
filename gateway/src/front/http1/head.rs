//! Waiting for the next request of a connection, and reading its head.

use crate::front::connection::Phase;
use crate::front::pool::READ;
use crate::front::wire::Wire;
use callgate_http1::{Refusal, Request};
use std::future::{Future, poll_fn};
use std::task::{Context, Poll, ready};

/// What comes next on a connection.
pub(super) enum Next {
    /// A request, whose head is there.
    Request(Box<Request>),
    /// What is no request; and whether its method is HEAD, as far as can be told.
    Refused(Refusal, bool),
    /// Nothing for a while.
    Rest,
    /// Nothing more.
    End,
}

/// An empty line, which may stand before a request (RFC 9112, 2.2).
const EMPTY_LINE: &[u8] = b"\r\n";

/// Waits until a resting connection has something to read; `false` when there is no more time for that.
pub(super) fn wakes(wire: &Wire) -> impl Future<Output = bool> {
    poll_fn(|cx| {
        loop {
            match ready!(poll_idle(wire, cx)) {
                // It rests already.
                Some(true) => {}
                found => return Poll::Ready(found.is_some()),
            }
        }
    })
}

/// Waits until something can be read: `Some(false)`; or until it shall rest: `Some(true)`; or until there is no more time.
fn poll_idle(wire: &Wire, cx: &mut Context<'_>) -> Poll<Option<bool>> {
    let connection = &wire.connection;
    // What has come before the word to end is replied to.
    if wire.poll_readable(cx).is_ready() || (connection.is_asked() && wire.has_come()) {
        connection.stay();
        return Poll::Ready(Some(false));
    }
    if connection.expired.get() || connection.open.stopping.get() || connection.is_asked() {
        return Poll::Ready(None);
    }
    if connection.resting.replace(false) { Poll::Ready(Some(true)) } else { Poll::Pending }
}

/// The next request, of which the beginning may have come with the one before.
pub(super) async fn next(wire: &Wire, behind: Option<Box<Request>>) -> Next {
    let connection = &wire.connection;
    let mut begun = behind;
    loop {
        let mut request = match begun.take() {
            Some(request) => request,
            None => match begin(wire).await {
                Ok(request) => request,
                Err(other) => return other,
            },
        };
        let ends_line = request.buffer().last() == Some(&b'\n');
        match request.parse(&connection.open.limits) {
            Ok(true) => {
                wire.had_line.set(false);
                return Next::Request(request);
            }
            Ok(false) => {}
            Err(refusal) => return Next::Refused(refusal, request.method() == "HEAD"),
        }
        // An empty line alone is no reason to hold a buffer.
        if ends_line && !request.has_begun() {
            wire.had_line.set(true);
            connection.open.pool.take_request(request);
            connection.enter(Phase::Idle);
            continue;
        }
        if connection.phase.get() == Phase::Idle {
            connection.enter(Phase::Head);
        }
        if !poll_fn(|cx| read_more(cx, wire, &mut request)).await {
            return Next::End;
        }
        begun = Some(request);
    }
}

/// Waits for the beginning of the next request.
async fn begin(wire: &Wire) -> Result<Box<Request>, Next> {
    let pool = &wire.connection.open.pool;
    loop {
        match poll_fn(|cx| poll_idle(wire, cx)).await {
            Some(false) => {}
            Some(true) => return Err(Next::Rest),
            None => return Err(Next::End),
        }
        let mut request = pool.request();
        if wire.had_line.get() {
            request.buffer().extend_from_slice(EMPTY_LINE);
        }
        // Nothing may be there after all: then it goes on waiting without a buffer.
        let read = poll_fn(|cx| Poll::Ready(read_more(cx, wire, &mut request))).await;
        match read {
            Poll::Ready(true) => return Ok(request),
            Poll::Ready(false) => return Err(Next::End),
            Poll::Pending => {
                pool.take_request(request);
            }
        }
    }
}

/// Reads more of a request's head; `false` when there is no more, or no more time for it.
fn read_more(cx: &mut Context<'_>, wire: &Wire, request: &mut Request) -> Poll<bool> {
    match wire.poll_read(cx, request.buffer(), READ) {
        Poll::Ready(read) => Poll::Ready(matches!(read, Ok(1..))),
        Poll::Pending if wire.connection.expired.get() => Poll::Ready(false),
        Poll::Pending => Poll::Pending,
    }
}
