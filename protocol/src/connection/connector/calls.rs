//! The calls in flight by their numbers, and when the first of them is late.

use super::Ended;
use crate::connection::number_map::NumberMap;
use crate::connection::streams::Stream;

/// The calls in flight.
#[derive(Debug)]
pub(super) struct Calls<T, I> {
    by_number: NumberMap<u32, InFlight<T, I>>,
    /// No call in flight has its deadline before this. So the owner needs one timer, instead of one a call.
    first_deadline: Option<I>,
}

/// A call in flight.
#[derive(Debug)]
pub(super) struct InFlight<T, I> {
    pub(super) value: T,
    /// Where in the stream of bytes the call begins: while no more than that has left, it was not sent.
    pub(super) position: u64,
    pub(super) deadline: I,
    /// Of a call that streams.
    pub(super) stream: Option<Box<Stream>>,
}

impl<T, I> InFlight<T, I> {
    #[inline]
    pub(super) fn end(self, number: u32) -> Ended<T, I> {
        let streamed = self.stream.is_some_and(|stream| stream.has_begun());
        Ended { number, value: self.value, deadline: self.deadline, streamed }
    }
}

impl<T, I: Copy + Ord> Calls<T, I> {
    pub(super) fn new() -> Calls<T, I> {
        Calls { by_number: NumberMap::default(), first_deadline: None }
    }

    #[inline]
    pub(super) fn insert(&mut self, number: u32, call: InFlight<T, I>) {
        if self.first_deadline.is_none_or(|first| call.deadline < first) {
            self.first_deadline = Some(call.deadline);
        }
        self.by_number.insert(number, call);
    }

    #[inline]
    pub(super) fn remove(&mut self, number: u32) -> Option<InFlight<T, I>> {
        self.by_number.remove(&number)
    }

    #[inline]
    pub(super) fn take(&mut self, number: u32) -> Option<Ended<T, I>> {
        Some(self.remove(number)?.end(number))
    }

    pub(super) fn take_where(&mut self, is_so: impl Fn(u32, &InFlight<T, I>) -> bool) -> Vec<Ended<T, I>> {
        let taken = self.by_number.extract_if(|number, call| is_so(*number, call));
        taken.map(|(number, call)| call.end(number)).collect()
    }

    #[inline]
    pub(super) fn get(&self, number: u32) -> Option<&InFlight<T, I>> {
        self.by_number.get(&number)
    }

    pub(super) fn get_mut(&mut self, number: u32) -> Option<&mut InFlight<T, I>> {
        self.by_number.get_mut(&number)
    }

    /// The streams of a call that streams.
    #[inline]
    pub(super) fn stream(&mut self, number: u32) -> Option<&mut Stream> {
        self.by_number.get_mut(&number)?.stream.as_deref_mut()
    }

    /// Gives a call another deadline. Says whether it is in flight.
    pub(super) fn set_deadline(&mut self, number: u32, deadline: I) -> bool {
        let Some(call) = self.by_number.get_mut(&number) else { return false };
        call.deadline = deadline;
        if self.first_deadline.is_none_or(|first| deadline < first) {
            self.first_deadline = Some(deadline);
        }
        true
    }

    /// Takes those whose time is up, and finds the next deadline.
    pub(super) fn take_late(&mut self, now: I) -> Vec<Ended<T, I>> {
        let late = self.take_where(|_, call| call.deadline <= now);
        self.first_deadline = self.by_number.values().map(|call| call.deadline).min();
        late
    }

    /// No call in flight has its deadline before this.
    #[inline]
    pub(super) fn first_deadline(&self) -> Option<I> {
        self.first_deadline
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.by_number.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_number.is_empty()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = &InFlight<T, I>> {
        self.by_number.values()
    }
}
