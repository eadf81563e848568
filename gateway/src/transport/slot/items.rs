//! The queue of a reply that has begun, between the link that puts its items in and the reader that takes them out.
//!
//! It is bounded in bytes, and an item without bytes takes some as well. A link puts one in as long as the bound is not reached, so
//! that an item may be larger than the bound: there is never more in the queue than that and one item.

use super::{Begun, Ended, Item};
use bytes::Bytes;
use std::collections::VecDeque;
use std::task::Waker;

/// What an item takes beside its bytes.
const EACH: usize = size_of::<Bytes>();

/// A reply that has begun, until its reader has heard its end.
pub(super) struct Items {
    /// Nobody has heard yet that it has begun.
    head: Option<Begun>,
    queue: VecDeque<Bytes>,
    /// What the queue takes, in bytes.
    held: usize,
    /// From here on there is no room, in bytes.
    most: usize,
    /// How it has ended, once it has.
    end: Option<Ended>,
    /// Woken when there is room.
    link: Option<Waker>,
}

impl Items {
    /// That it has begun, for whoever asks first.
    pub(super) fn take_head(&mut self) -> Option<Begun> {
        self.head.take()
    }

    /// The next item, or the end behind the last one; `None` until the link has put something in.
    pub(super) fn take(&mut self) -> Option<Item> {
        let Some(data) = self.queue.pop_front() else {
            return self.end.take().map(Item::End);
        };
        self.held -= data.len() + EACH;
        if self.has_room()
            && let Some(link) = self.link.take()
        {
            link.wake();
        }
        Some(Item::Data(data))
    }

    /// It has ended so. What is in the queue comes before that.
    pub(super) fn end(&mut self, ended: Ended) {
        self.end = Some(ended);
    }

    /// The reader goes. How it has ended, if it has.
    pub(super) fn into_end(mut self) -> Option<Ended> {
        if let Some(link) = self.link.take() {
            link.wake();
        }
        self.end
    }

    fn has_room(&self) -> bool {
        self.held < self.most
    }
}

/// The link's side: see [`Slot`](super::Slot).
#[cfg(test)]
impl Items {
    pub(super) fn new(begun: Begun, most: usize) -> Items {
        Items { head: Some(begun), queue: VecDeque::new(), held: 0, most, end: None, link: None }
    }

    pub(super) fn put(&mut self, data: Bytes) {
        self.held += data.len() + EACH;
        self.queue.push_back(data);
    }

    pub(super) fn poll_room(&mut self, cx: &mut std::task::Context<'_>) -> std::task::Poll<()> {
        if self.has_room() {
            return std::task::Poll::Ready(());
        }
        self.link = Some(cx.waker().clone());
        std::task::Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Outcome;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
    use std::task::{Context, Wake};
    use std::time::Duration;

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl Wake for Woken {
        fn wake(self: Arc<Woken>) {
            self.0.fetch_add(1, Relaxed);
        }
    }

    fn begun() -> Begun {
        Begun { took: Duration::ZERO, disturbed: false }
    }

    fn end() -> Ended {
        Ended { outcome: Outcome::Lost, took: Duration::ZERO, disturbed: false }
    }

    #[test]
    fn items_come_in_order_behind_the_head_and_before_the_end() {
        let mut items = Items::new(begun(), 1000);
        assert!(items.take().is_none());
        ["a", "", "b"].iter().for_each(|text| items.put(Bytes::from_static(text.as_bytes())));
        items.end(end());
        assert!(items.take_head().is_some() && items.take_head().is_none());
        for text in ["a", "", "b"] {
            assert!(matches!(items.take(), Some(Item::Data(data)) if data == text));
        }
        assert!(matches!(items.take(), Some(Item::End(_))) && items.take().is_none());
    }

    /// Whether there is room for items of that length after so many of them, within a bound of 100 bytes.
    #[test]
    fn there_is_room_until_the_bound_is_reached() {
        for (length, items, room) in
            [(0, 3, true), (0, 4, false), (67, 1, true), (68, 1, false), (500, 1, false)]
        {
            let mut queue = Items::new(begun(), 100);
            (0..items).for_each(|_| queue.put(Bytes::from(vec![0; length])));
            assert_eq!(queue.has_room(), room, "{items} of {length}");
            while queue.take().is_some() {}
            assert_eq!(queue.held, 0);
        }
    }

    #[test]
    fn a_link_without_room_is_woken_once_when_there_is_some_or_the_reader_has_gone() {
        let woken = Arc::<Woken>::default();
        let waker = woken.clone().into();
        let mut cx = Context::from_waker(&waker);
        let mut items = Items::new(begun(), 100);
        assert!(items.poll_room(&mut cx).is_ready());
        (0..3).for_each(|_| items.put(Bytes::from(vec![0; 68])));
        assert!(items.poll_room(&mut cx).is_pending());
        // Of three that take 100 bytes each, the first two make no room.
        for expected in [0, 0, 1] {
            items.take();
            assert_eq!(woken.0.load(Relaxed), expected);
        }
        items.put(Bytes::from(vec![0; 68]));
        assert!(items.poll_room(&mut cx).is_pending());
        assert!(items.into_end().is_none());
        assert_eq!(woken.0.load(Relaxed), 2);
    }

    #[test]
    fn an_end_that_nobody_has_heard_is_known_to_whoever_goes() {
        let mut items = Items::new(begun(), 100);
        items.put(Bytes::new());
        items.end(end());
        assert!(items.into_end().is_some());
    }
}
