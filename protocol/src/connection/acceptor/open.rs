//! The calls of one connection that have no answer yet.
//!
//! Most calls are answered before the next one is looked at. So the latest call lies beside the others, and costs no entry. A peer
//! chooses the numbers of its calls, so the others are found by order and not by a hash.

use std::collections::BTreeMap;

/// Calls without an answer. `T` and `I` are those of the [`Acceptor`](super::Acceptor).
#[derive(Debug)]
pub(super) struct OpenCalls<T, I> {
    /// The one that has come last, until it is known what becomes of it.
    latest: Option<u32>,
    /// All others; those that are running have what their owner keeps for them.
    others: BTreeMap<u32, Option<Running<T, I>>>,
    /// No call has its deadline before this.
    first_deadline: Option<I>,
}

#[derive(Debug)]
struct Running<T, I> {
    value: T,
    deadline: Option<I>,
}

impl<T, I: Copy + Ord> OpenCalls<T, I> {
    pub(super) fn new() -> OpenCalls<T, I> {
        OpenCalls { latest: None, others: BTreeMap::new(), first_deadline: None }
    }

    pub(super) fn len(&self) -> usize {
        self.others.len() + usize::from(self.latest.is_some())
    }

    /// A call has come.
    #[inline]
    pub(super) fn insert(&mut self, number: u32) {
        if let Some(before) = self.latest.replace(number) {
            self.others.insert(before, None);
        }
    }

    /// A call is running. Gives `value` back when it is not open any more.
    pub(super) fn run(&mut self, number: u32, deadline: Option<I>, value: T) -> Option<T> {
        let running = Running { value, deadline };
        if self.latest == Some(number) {
            self.latest = None;
            self.others.insert(number, Some(running));
        } else if let Some(open) = self.others.get_mut(&number) {
            *open = Some(running);
        } else {
            return Some(running.value);
        }
        if let Some(deadline) = deadline
            && self.first_deadline.is_none_or(|first| deadline < first)
        {
            self.first_deadline = Some(deadline);
        }
        None
    }

    /// Closes a call: says whether it was open, and gives what was kept for it.
    #[inline]
    pub(super) fn remove(&mut self, number: u32) -> (bool, Option<T>) {
        if self.latest == Some(number) {
            self.latest = None;
            return (true, None);
        }
        match self.others.remove(&number) {
            Some(call) => (true, call.map(|running| running.value)),
            None => (false, None),
        }
    }

    /// Closes the calls whose time is up. Gives their numbers, and what was kept for them.
    pub(super) fn remove_late(&mut self, now: I) -> Vec<(u32, T)> {
        let is_late = |deadline: &I| *deadline <= now;
        let late: Vec<u32> = self
            .running()
            .filter_map(|(number, deadline)| deadline.filter(is_late).map(|_| number))
            .collect();
        let removed = late.into_iter().filter_map(|number| Some((number, self.remove(number).1?))).collect();
        self.first_deadline = self.running().filter_map(|(_, deadline)| deadline).min();
        removed
    }

    /// Closes all calls. Gives their numbers, and what was kept for those that are running.
    pub(super) fn remove_all(&mut self) -> Vec<(u32, Option<T>)> {
        self.first_deadline = None;
        let latest = self.latest.take().map(|number| (number, None));
        let others = std::mem::take(&mut self.others).into_iter();
        others.map(|(number, call)| (number, call.map(|running| running.value))).chain(latest).collect()
    }

    /// No call has its deadline before this.
    #[inline]
    pub(super) fn first_deadline(&self) -> Option<I> {
        self.first_deadline
    }

    /// The numbers and deadlines of the calls that are running.
    fn running(&self) -> impl Iterator<Item = (u32, Option<I>)> {
        self.others.iter().filter_map(|(number, call)| Some((*number, call.as_ref()?.deadline)))
    }
}
