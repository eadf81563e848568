//! The calls of one connection that wait for their answer. Lies under the lock of the connection's queue.
//!
//! It also knows which calls have never left this process: the queue's bytes are taken to be written in the order of
//! the calls' numbers, so one number divides those that may have run from those that cannot have.

use crate::Status;
use std::collections::HashMap;
use tokio::sync::oneshot;

/// The last call number that is used; then the connection is replaced.
const LAST_NUMBER: u32 = u32::MAX - 1;

/// How an attempt ends: with the encoded result, or with a failure.
pub(crate) type Outcome = Result<Vec<u8>, Failed>;

/// Why an attempt failed.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) status: Status,
    pub(crate) origin: Origin,
}

/// Where a failure comes from; that decides what a retry costs and whether it is safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The endpoint answered with it.
    Endpoint,
    /// The endpoint has never seen the call, or has said that it ignored it.
    Unsent,
    /// The connection was lost, and the call may have run.
    Lost,
    /// There was no time left to send it.
    Late,
}

/// The calls under way.
#[derive(Debug)]
pub(crate) struct Table {
    /// `None` once the connection accepts no more calls.
    next: Option<u32>,
    /// The last call whose bytes were taken to be written.
    taken: u32,
    waiting: HashMap<u32, oneshot::Sender<Outcome>>,
}

impl Table {
    pub(crate) fn new() -> Table {
        Table { next: Some(1), taken: 0, waiting: HashMap::new() }
    }

    /// The number for a new call, or `None` when the connection accepts no more.
    pub(crate) fn next_number(&self) -> Option<u32> {
        self.next
    }

    /// Enters the call that was queued under [`next_number`](Self::next_number).
    pub(crate) fn enter(&mut self, number: u32) -> oneshot::Receiver<Outcome> {
        let (answer, wait) = oneshot::channel();
        self.waiting.insert(number, answer);
        self.next = (number < LAST_NUMBER).then_some(number + 1);
        wait
    }

    /// Whether new calls are accepted.
    pub(crate) fn is_open(&self) -> bool {
        self.next.is_some()
    }

    /// Whether no call waits.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Takes out a call that is to be answered, if anybody waits for it.
    pub(crate) fn settle(&mut self, number: u32) -> Option<oneshot::Sender<Outcome>> {
        self.waiting.remove(&number)
    }

    /// Accepts no more calls.
    pub(crate) fn close(&mut self) {
        self.next = None;
    }

    /// Accepts no more calls, and takes out those above `last_call`, which have not run; gives their numbers.
    pub(crate) fn go_away(&mut self, last_call: u32, reason: &str) -> Vec<u32> {
        self.close();
        let unsent: Vec<u32> = self.waiting.keys().copied().filter(|&number| number > last_call).collect();
        for &number in &unsent {
            if let Some(answer) = self.settle(number) {
                let _ = answer.send(Err(unavailable(Origin::Unsent, reason)));
            }
        }
        unsent
    }

    /// Everything that was queued is being written from now on.
    pub(crate) fn mark_taken(&mut self) {
        self.taken = self.next.map_or(u32::MAX, |next| next - 1);
    }

    /// The connection is lost: ends all calls.
    pub(crate) fn lose(&mut self, reason: &str) {
        self.close();
        for (number, answer) in self.waiting.drain() {
            // The caller's future may be dropped in this moment; then nobody wants the outcome.
            let origin = if number > self.taken { Origin::Unsent } else { Origin::Lost };
            let _ = answer.send(Err(unavailable(origin, reason)));
        }
    }
}

pub(crate) fn unavailable(origin: Origin, reason: &str) -> Failed {
    let mut status = Status::unavailable(reason);
    status.not_executed = origin == Origin::Unsent;
    Failed { status, origin }
}

/// What becomes of a call for which there is no time left: it is not sent.
pub(crate) fn late() -> Status {
    Status::deadline_exceeded("no time was left for the call").not_executed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(mut wait: oneshot::Receiver<Outcome>) -> Option<Origin> {
        wait.try_recv().ok()?.err().map(|failed| failed.origin)
    }

    #[test]
    fn only_calls_that_never_left_are_unsent_when_the_connection_is_lost() {
        let mut table = Table::new();
        let written = table.enter(1);
        table.mark_taken();
        let queued = table.enter(2);
        table.lose("gone");
        assert_eq!(origin(written), Some(Origin::Lost));
        assert_eq!(origin(queued), Some(Origin::Unsent));
        assert!(!table.is_open());
    }

    #[test]
    fn go_away_ends_the_calls_above_the_last_accepted_and_leaves_the_others() {
        let mut table = Table::new();
        let (accepted, refused) = (table.enter(1), table.enter(2));
        table.mark_taken();
        assert_eq!(table.go_away(1, "going down"), [2]);
        assert_eq!(origin(refused), Some(Origin::Unsent));
        assert!(!table.is_open() && !table.is_empty());
        assert!(table.settle(1).is_some_and(|answer| answer.send(Ok(Vec::new())).is_ok()));
        assert_eq!(origin(accepted), None);
    }

    #[test]
    fn a_connection_whose_numbers_are_used_up_accepts_no_more_calls() {
        let mut table = Table::new();
        table.next = Some(LAST_NUMBER);
        let last = table.enter(LAST_NUMBER);
        assert!(!table.is_open());
        table.mark_taken();
        table.lose("gone");
        assert_eq!(origin(last), Some(Origin::Lost));
    }
}
