//! The calls of one connection that have no answer yet.
//!
//! Most calls are answered before the next one is looked at. So the latest call lies beside the others, and costs no entry. A peer
//! chooses the numbers of its calls, so the others are found by order and not by a hash.

use crate::connection::streams::Stream;
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
    /// Of a call that streams.
    stream: Option<Box<Stream>>,
}

/// A call that was open.
#[derive(Debug)]
pub(super) struct Closed<T> {
    pub(super) number: u32,
    /// What was kept for it, if it was running.
    pub(super) value: Option<T>,
    pub(super) stream: Option<Box<Stream>>,
}

impl<T> Closed<T> {
    fn of<I>(number: u32, running: Option<Running<T, I>>) -> Closed<T> {
        match running {
            None => Closed { number, value: None, stream: None },
            Some(Running { value, stream, .. }) => Closed { number, value: Some(value), stream },
        }
    }
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
    pub(super) fn run(
        &mut self,
        number: u32,
        deadline: Option<I>,
        value: T,
        stream: Option<Box<Stream>>,
    ) -> Option<T> {
        let running = Running { value, deadline, stream };
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

    /// Closes a call, if it is open.
    #[inline]
    pub(super) fn remove(&mut self, number: u32) -> Option<Closed<T>> {
        if self.latest == Some(number) {
            self.latest = None;
            return Some(Closed { number, value: None, stream: None });
        }
        self.others.remove(&number).map(|running| Closed::of(number, running))
    }

    /// Whether a call is open.
    pub(super) fn contains(&self, number: u32) -> bool {
        self.latest == Some(number) || self.others.contains_key(&number)
    }

    /// What is kept for a call that is running.
    pub(super) fn value(&self, number: u32) -> Option<&T> {
        self.others.get(&number)?.as_ref().map(|running| &running.value)
    }

    /// The streams of a call that is running and streams.
    #[inline]
    pub(super) fn stream(&mut self, number: u32) -> Option<&mut Stream> {
        self.others.get_mut(&number)?.as_mut()?.stream.as_deref_mut()
    }

    /// Closes the calls whose time is up.
    pub(super) fn remove_late(&mut self, now: I) -> Vec<Closed<T>> {
        let is_late = |deadline: &I| *deadline <= now;
        let late: Vec<u32> = self
            .running()
            .filter_map(|(number, deadline)| deadline.filter(is_late).map(|_| number))
            .collect();
        let removed = late.into_iter().filter_map(|number| self.remove(number)).collect();
        self.first_deadline = self.running().filter_map(|(_, deadline)| deadline).min();
        removed
    }

    /// Closes all calls.
    pub(super) fn remove_all(&mut self) -> Vec<Closed<T>> {
        self.first_deadline = None;
        let latest = self.latest.take().map(|number| (number, None));
        let others = std::mem::take(&mut self.others).into_iter();
        others.chain(latest).map(|(number, running)| Closed::of(number, running)).collect()
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
