//! The streams of an HTTP/2 connection, as the sweep sees them: what each waits for its client to do, and since when.
//!
//! A connection of HTTP/1.1 waits for one thing at a time, and so do its marks. Here each stream has its own, so that one that its
//! client does not let end is ended alone.

use super::Connection;
use super::echo::Echo;
use super::unsent::Unsent;
use crate::front::pace::Pace;
use callgate_http1::Refusal;
use slab::Slab;
use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::task::{Poll, Waker};

/// A client that was told to go elsewhere has so many sweeps to do so.
pub(in crate::front) const LEAVES_WITHIN: u64 = 8;

/// What a connection has because it is one of HTTP/2.
pub(in crate::front) struct Http2 {
    pub(in crate::front) streams: RefCell<Slab<Rc<Stream>>>,
    /// What they hold of replies that were not sent.
    pub(in crate::front) unsent: Unsent,
    /// What asks its client whether it has heard all that was said.
    pub(in crate::front) echo: Echo,
    /// The sweep at which it began.
    born: u64,
    /// How much of the age that connections may have is its own, in thousandths: those that began together do not end together.
    share_of_age: u64,
    /// It is to take no more requests.
    pub(in crate::front) leaves: Cell<bool>,
    /// The sweep at which it was to leave.
    pub(in crate::front) leaves_since: Cell<u64>,
    /// The sweep at which a head began of which not all has come.
    pub(in crate::front) head_since: Cell<Option<u64>>,
    /// The log was told that something of its client's was refused.
    has_told: Cell<bool>,
    /// Why it is to end, if nothing else has come meanwhile.
    pub(in crate::front) due: Cell<Option<Due>>,
}

/// Why a connection is to end, while it can be written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::front) enum Due {
    /// It has been idle for too long.
    Idle,
    /// Its client was told to go elsewhere, and does not.
    Left,
    /// The head of a request does not come to its end.
    Head,
}

impl Http2 {
    /// Has it take no more requests.
    pub(in crate::front) fn leave(&self, now: u64) {
        if !self.leaves.replace(true) {
            self.leaves_since.set(now);
        }
    }

    /// Tells the log of a refused request: of the first one of a connection, which goes on and may have as many as it likes. Of all others
    /// it says so at level debug.
    pub(in crate::front) fn log_refused(&self, refusal: Refusal, request_id: &str, route: &str) {
        let (refusal, section) = (refusal.name(), refusal.section());
        if self.has_told.replace(true) {
            tracing::debug!(request_id, route, refusal, section, "a request by HTTP/2 was refused");
        } else {
            tracing::info!(request_id, route, refusal, section, "a request by HTTP/2 was refused");
        }
    }

    /// Has it end, unless that is no longer so when its task runs. The first reason counts.
    pub(in crate::front) fn fall_due(&self, why: Due) {
        self.due.set(self.due.get().or(Some(why)));
    }

    /// Wakes whoever waits for one of its streams.
    pub(in crate::front) fn wake_streams(&self) {
        self.streams.borrow().iter().for_each(|(_, stream)| stream.wake());
    }

    /// Whether it is older than a connection may become.
    pub(in crate::front) fn is_old(&self, now: u64, limit: u64) -> bool {
        now - self.born > limit * self.share_of_age / 1000
    }

    /// Whether its client has had time to hear that.
    pub(in crate::front) fn has_left(&self, now: u64) -> bool {
        self.leaves.get() && now - self.leaves_since.get() > LEAVES_WITHIN
    }
}

/// What a stream waits for its client to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::front) enum Awaited {
    /// Nothing.
    Nothing,
    /// To send more of its body.
    Body,
    /// To take more of its reply.
    Window,
}

/// One stream.
pub(in crate::front) struct Stream {
    pub(in crate::front) connection: Rc<Connection>,
    pub(in crate::front) awaited: Cell<Awaited>,
    /// The sweep at which it began to wait; or at which its client has last taken something.
    pub(in crate::front) since: Cell<u64>,
    /// How fast bytes go over it.
    pub(in crate::front) pace: Pace,
    /// It has waited too long.
    pub(in crate::front) expired: Cell<bool>,
    /// Its client waits to be told to send its body.
    pub(in crate::front) wants_continue: Cell<bool>,
    /// Pieces of its reply that were not sent yet.
    pieces: Cell<usize>,
    waker: RefCell<Option<Waker>>,
}

/// A stream on its connection's list, until this is dropped.
pub(in crate::front) struct OpenStream {
    pub(in crate::front) stream: Rc<Stream>,
    key: usize,
}

impl Connection {
    /// What it has as one of HTTP/2.
    pub(in crate::front) fn http2(&self) -> &Http2 {
        let begin = || Http2 {
            streams: RefCell::default(),
            unsent: Unsent::default(),
            echo: Echo::default(),
            born: self.open.sweeps.get(),
            share_of_age: fastrand::u64(900..=1000),
            leaves: Cell::new(false),
            leaves_since: Cell::new(0),
            head_since: Cell::new(None),
            has_told: Cell::new(false),
            due: Cell::new(None),
        };
        self.http2.get_or_init(|| Box::new(begin()))
    }

    /// A stream has begun.
    pub(in crate::front) fn begin_stream(self: &Rc<Self>) -> OpenStream {
        let stream = Rc::new(Stream {
            connection: self.clone(),
            awaited: Cell::new(Awaited::Nothing),
            since: Cell::new(self.open.sweeps.get()),
            pace: Pace::default(),
            expired: Cell::new(false),
            wants_continue: Cell::new(false),
            pieces: Cell::new(0),
            waker: RefCell::new(None),
        });
        let key = self.http2().streams.borrow_mut().insert(stream.clone());
        OpenStream { stream, key }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.stream.connection.http2().streams.borrow_mut().remove(self.key);
    }
}

impl Stream {
    /// From now on it waits for something else.
    pub(in crate::front) fn awaits(&self, what: Awaited) {
        self.awaited.set(what);
        self.since.set(self.connection.open.sweeps.get());
        self.expired.set(false);
        self.pace.rest();
    }

    /// So many bytes have come, or were taken.
    pub(in crate::front) fn moved(&self, bytes: usize) {
        self.pace.moved(&Poll::Ready(Ok(bytes)));
        if self.awaited.get() == Awaited::Window {
            self.pace.moved(&Poll::<io::Result<usize>>::Pending);
            self.since.set(self.connection.open.sweeps.get());
        }
    }

    /// One more piece of its reply is to be sent.
    pub(in crate::front) fn add_piece(&self) {
        self.pieces.set(self.pieces.get() + 1);
        if self.awaited.get() != Awaited::Window {
            self.awaits(Awaited::Window);
        }
        self.pace.moved(&Poll::<io::Result<usize>>::Pending);
    }

    /// One piece less: it was sent, or will never be.
    pub(in crate::front) fn drop_piece(&self) {
        self.pieces.set(self.pieces.get() - 1);
        if self.pieces.get() == 0 {
            self.awaits(Awaited::Nothing);
        }
        // Somebody waits for the last piece to be alone, and for its end.
        if self.pieces.get() <= 1 {
            self.wake();
        }
    }

    /// How many pieces have not gone.
    pub(in crate::front) fn pieces(&self) -> usize {
        self.pieces.get()
    }

    /// Notes whom to wake.
    pub(in crate::front) fn remember(&self, waker: &Waker) {
        let mut place = self.waker.borrow_mut();
        match place.as_mut() {
            Some(known) => known.clone_from(waker),
            None => *place = Some(waker.clone()),
        }
    }

    /// It has waited too long.
    pub(in crate::front) fn expire(&self) {
        self.expired.set(true);
        self.wake();
    }

    fn wake(&self) {
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::HalfClose;
    use crate::front::connection::testing;

    #[test]
    fn connections_that_began_together_do_not_grow_old_together() {
        let open = testing::open();
        let all: Vec<_> = (0..200).map(|_| testing::register(&open, HalfClose::Cancel)).collect();
        let old_at = |now| all.iter().filter(|connection| connection.http2().is_old(now, 10_000)).count();
        assert_eq!((old_at(9_000), old_at(10_001)), (0, 200));
        // A mistake once in many billions of times.
        let half = old_at(9_500);
        assert!((20..180).contains(&half), "{half}");
    }
}
