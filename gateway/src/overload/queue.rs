//! Calls that wait for room: the most important first, and of those the newest, because whoever has waited for long is the
//! first to give up. Short, and bounded: one that comes to a full queue takes the place of the one that would be served last.
//!
//! A call waits as long as the backend's `queue` says, while that is now and then empty. A queue that never is smooths nothing
//! and only makes everybody late: then each waits a tenth of that, but for critical ones.

use super::admitted::Admitted;
use crate::config::{Priority, QueueSpec};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::Instant;

/// One worker's queue for one backend.
pub(super) struct Queue {
    /// In the order in which they are served, the last one first.
    waiting: RefCell<Vec<Waiting>>,
    next: Cell<u64>,
    /// When it was empty last.
    empty: Cell<Instant>,
}

struct Waiting {
    rank: Rank,
    turn: Rc<Turn>,
}

/// A call's place in the order: who is greater goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    pub(super) priority: Priority,
    /// The newer the greater.
    number: u64,
}

/// What a call that waits is told.
#[derive(Default)]
pub(super) struct Turn {
    word: RefCell<Option<Word>>,
    waker: RefCell<Option<Waker>>,
}

/// See [`Turn`].
pub(super) enum Word {
    /// There is room for it, and it is counted.
    Granted(Admitted),
    /// A call of more importance has its place.
    Displaced,
}

impl Turn {
    fn give(&self, word: Word) {
        *self.word.borrow_mut() = Some(word);
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    pub(super) fn poll(&self, cx: &mut Context<'_>) -> Poll<Word> {
        if let Some(word) = self.take() {
            return Poll::Ready(word);
        }
        *self.waker.borrow_mut() = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(super) fn take(&self) -> Option<Word> {
        self.word.borrow_mut().take()
    }
}

impl Queue {
    pub(super) fn new(now: Instant) -> Queue {
        Queue { waiting: RefCell::default(), next: Cell::new(0), empty: Cell::new(now) }
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting.borrow().len()
    }

    /// A place for a call that comes now.
    pub(super) fn rank(&self, priority: Priority) -> Rank {
        let number = self.next.get();
        self.next.set(number + 1);
        Rank { priority, number }
    }

    /// Whether a call of that priority that comes now could wait.
    pub(super) fn takes(&self, priority: Priority, spec: &QueueSpec) -> bool {
        if priority == Priority::Sheddable || spec.size == 0 {
            return false;
        }
        let waiting = self.waiting.borrow();
        waiting.len() < spec.size || waiting.first().is_some_and(|last| last.rank.priority <= priority)
    }

    /// How long a call may wait that comes now.
    pub(super) fn patience(&self, priority: Priority, spec: &QueueSpec, now: Instant) -> Duration {
        if self.waiting.borrow().is_empty() {
            self.empty.set(now);
        }
        let standing = now.saturating_duration_since(self.empty.get()) > spec.timeout;
        // It stands because of the others: whoever goes first has no reason to give up.
        let standing = standing && priority < Priority::Critical;
        if standing { (spec.timeout / 10).max(Duration::from_millis(1)) } else { spec.timeout }
    }

    /// Puts a call into the queue; `None` where that is full of more important ones. Who is last may have to leave for it.
    pub(super) fn enter(&self, rank: Rank, spec: &QueueSpec) -> Option<Rc<Turn>> {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.len() >= spec.size.max(1) {
            if waiting.first().is_some_and(|last| last.rank > rank) {
                return None;
            }
            waiting.remove(0).turn.give(Word::Displaced);
        }
        let turn = Rc::new(Turn::default());
        let place = waiting.partition_point(|other| other.rank < rank);
        waiting.insert(place, Waiting { rank, turn: turn.clone() });
        Some(turn)
    }

    /// Who is next.
    pub(super) fn first(&self) -> Option<Rank> {
        self.waiting.borrow().last().map(|next| next.rank)
    }

    /// Lets the next one go.
    pub(super) fn grant(&self, admitted: Admitted) {
        if let Some(next) = self.waiting.borrow_mut().pop() {
            next.turn.give(Word::Granted(admitted));
        }
    }

    /// Takes a call out that does not wait any longer.
    pub(super) fn leave(&self, turn: &Rc<Turn>) {
        self.waiting.borrow_mut().retain(|other| !Rc::ptr_eq(&other.turn, turn));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::OverloadSpec;
    use crate::overload::admission::testing;

    const SPEC: QueueSpec = QueueSpec { size: 3, timeout: Duration::from_millis(100) };

    /// Enters one after the other; then serves all, with the place in `order` of each.
    fn served(order: &[Priority]) -> (Vec<usize>, Vec<usize>) {
        let (queue, admission) = (Queue::new(Instant::now()), testing::admission(OverloadSpec::default(), 1));
        let turns: Vec<_> = order.iter().map(|one| queue.enter(queue.rank(*one), &SPEC)).collect();
        let mut served = Vec::new();
        let displaced = |turns: &[Option<Rc<Turn>>]| {
            let outcomes = turns.iter().map(|turn| turn.as_ref().map(|turn| turn.take()));
            outcomes.map(|one| matches!(one, None | Some(Some(Word::Displaced)))).collect::<Vec<_>>()
        };
        let gone = displaced(&turns);
        while queue.first().is_some() {
            queue.grant(admission.take(Priority::Critical).expect("there is no bound"));
            let granted = |turn: &Option<Rc<Turn>>| {
                turn.as_ref().is_some_and(|turn| matches!(turn.take(), Some(Word::Granted(_))))
            };
            served.push(turns.iter().position(granted).expect("one of them"));
        }
        (served, (0..order.len()).filter(|at| gone[*at]).collect())
    }

    #[test]
    fn the_newest_of_the_most_important_goes_first_and_the_oldest_of_the_least_has_to_leave() {
        use Priority::{Critical, Default};
        for (order, expected, gone) in [
            (&[Default, Default, Default][..], &[2, 1, 0][..], &[][..]),
            (&[Default, Critical, Default], &[1, 2, 0], &[]),
            (&[Default, Default, Default, Default], &[3, 2, 1], &[0]),
            (&[Default, Default, Critical, Critical], &[3, 2, 1], &[0]),
            (&[Critical, Critical, Critical, Default], &[2, 1, 0], &[3]),
            (&[Critical, Critical, Critical, Critical], &[3, 2, 1], &[0]),
        ] {
            assert_eq!(served(order), (expected.to_vec(), gone.to_vec()), "{order:?}");
        }
    }

    #[test]
    fn a_queue_that_is_never_empty_gives_little_time() {
        let begin = Instant::now();
        let after = |ms| begin + Duration::from_millis(ms);
        let queue = Queue::new(begin);
        assert_eq!(queue.patience(Priority::Default, &SPEC, after(500)), SPEC.timeout, "it was empty");
        let turn = queue.enter(queue.rank(Priority::Default), &SPEC).expect("there is room");
        assert_eq!(queue.patience(Priority::Default, &SPEC, after(600)), SPEC.timeout);
        assert_eq!(queue.patience(Priority::Default, &SPEC, after(601)), SPEC.timeout / 10);
        assert_eq!(queue.patience(Priority::Critical, &SPEC, after(601)), SPEC.timeout);
        queue.leave(&turn);
        assert_eq!(queue.patience(Priority::Default, &SPEC, after(602)), SPEC.timeout);
    }

    #[test]
    fn what_is_dispensable_never_waits() {
        let queue = Queue::new(Instant::now());
        assert!(!queue.takes(Priority::Sheddable, &SPEC));
        assert!(queue.takes(Priority::Default, &SPEC));
        assert!(!queue.takes(Priority::Critical, &QueueSpec { size: 0, ..SPEC }));
        for _ in 0..3 {
            queue.enter(queue.rank(Priority::Critical), &SPEC);
        }
        assert!(!queue.takes(Priority::Default, &SPEC) && queue.takes(Priority::Critical, &SPEC));
    }
}
