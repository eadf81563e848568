//! Whether the client of a connection of HTTP/2 has heard all that was said so far: it answers a PING that was sent behind that.
//!
//! A reset of a stream overtakes what was sent on it: clients throw away what they have not read yet when one comes (curl 7.88 does). So
//! whoever has last words for a stream that is to be reset waits until they were heard.
//!
//! There is one PING on its way at a time, as the library wants it. It answers for all who have asked before it was sent; who asks later
//! waits for the next one.

use std::cell::{Cell, RefCell};
use std::task::{Context, Poll, Waker};

/// The questions of a connection, by their numbers.
#[derive(Default)]
pub(in crate::front) struct Echo {
    /// The last that was asked.
    asked: Cell<u64>,
    /// The last that was sent.
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

    /// Whether a question is on its way.
    pub(in crate::front) fn is_on_its_way(&self) -> bool {
        self.sent.get() > self.heard.get()
    }

    /// Whether there is one to be sent.
    pub(in crate::front) fn is_to_be_sent(&self) -> bool {
        self.asked.get() > self.sent.get() && !self.is_on_its_way()
    }

    /// All that was asked is on its way.
    pub(in crate::front) fn is_sent(&self) {
        self.sent.set(self.asked.get());
    }

    /// What was on its way is answered.
    pub(in crate::front) fn is_answered(&self) {
        self.heard.set(self.sent.get());
        self.waiting.take().into_iter().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_while_a_question_is_on_its_way_waits_for_the_next_one() {
        let (echo, mut cx) = (Echo::default(), Context::from_waker(Waker::noop()));
        let mut is_heard = |question| echo.poll_heard(&mut cx, question).is_ready();
        assert!(!echo.is_to_be_sent());
        let (first, second) = (echo.ask(), echo.ask());
        assert!(echo.is_to_be_sent());
        echo.is_sent();
        let third = echo.ask();
        assert!(echo.is_on_its_way() && !echo.is_to_be_sent());
        assert!(!is_heard(first));
        echo.is_answered();
        assert!(is_heard(first) && is_heard(second) && !is_heard(third));
        assert!(echo.is_to_be_sent());
    }
}
