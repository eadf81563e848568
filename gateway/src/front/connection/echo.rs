//! Whether the client of a connection of HTTP/2 has heard all that was said so far: it answers a PING that was sent behind that.
//!
//! A reset of a stream overtakes what was sent on it: clients throw away what they have not read yet when one comes (curl 7.88 does). So
//! whoever has last words for a stream that is to be reset waits until they were heard.
//!
//! There is one PING on its way at a time, as the library wants it. It answers for all who have asked before it was sent; who asks later
//! waits for the next one.

use h2::{Ping, PingPong};
use std::cell::{Cell, RefCell};
use std::task::{Context, Poll, Waker};

/// The questions of a connection, by their numbers.
#[derive(Default)]
pub(in crate::front) struct Echo {
    /// The last that was asked.
    asked: Cell<u64>,
    /// The last that is on its way.
    sent: Cell<u64>,
    /// The last that was answered.
    heard: Cell<u64>,
    waiting: RefCell<Vec<Waker>>,
}

impl Echo {
    /// Asks whether what was said so far was heard. Gives the number of the question. The connection is to be woken.
    pub(in crate::front) fn ask(&self) -> u64 {
        self.asked.set(self.asked.get() + 1);
        self.asked.get()
    }

    /// Waits for the answer to a question.
    pub(in crate::front) fn poll_heard(&self, cx: &mut Context<'_>, question: u64) -> Poll<()> {
        if self.heard.get() >= question {
            return Poll::Ready(());
        }
        let mut waiting = self.waiting.borrow_mut();
        if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Sends what was asked, and hears what was answered. Says whether something is to be sent.
    pub(in crate::front) fn poll(&self, cx: &mut Context<'_>, pings: &mut PingPong) -> bool {
        let is_on_its_way = self.sent.get() > self.heard.get();
        // One that cannot be answered any more ends with its connection.
        if is_on_its_way && matches!(pings.poll_pong(cx), Poll::Ready(Ok(_))) {
            self.heard.set(self.sent.get());
            self.waiting.take().into_iter().for_each(Waker::wake);
        }
        let is_asked = self.asked.get() > self.sent.get() && self.sent.get() == self.heard.get();
        if is_asked && pings.send_ping(Ping::opaque()).is_ok() {
            self.sent.set(self.asked.get());
            return true;
        }
        false
    }
}
