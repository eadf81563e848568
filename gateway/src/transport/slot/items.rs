//! The queue of a reply that has begun, between the link that puts its items in and the reader that takes them out.
//!
//! An item lies here as the instance has sent it, and becomes JSON when it is taken. So a reader that is slow costs what the link lets the
//! instance send ahead, and no more.

use super::{Begun, Ended, Next, Raw};
use std::collections::VecDeque;

/// A reply that has begun, until its reader has heard its end.
pub(super) struct Items {
    /// Nobody has heard yet that it has begun.
    head: Option<Begun>,
    queue: VecDeque<Raw>,
    /// How it has ended, once it has.
    end: Option<Ended>,
}

impl Items {
    pub(super) fn new(begun: Begun) -> Items {
        Items { head: Some(begun), ..Items::heard() }
    }

    /// Those of a reply whose reader knows already that it has begun.
    pub(super) fn heard() -> Items {
        Items { head: None, queue: VecDeque::new(), end: None }
    }

    /// That it has begun, for whoever asks first.
    pub(super) fn take_head(&mut self) -> Option<Begun> {
        self.head.take()
    }

    /// The next item, or the end behind the last one; `None` until the link has put something in.
    pub(super) fn take(&mut self) -> Option<Next> {
        let item = self.queue.pop_front().map(Next::Item);
        item.or_else(|| self.end.take().map(Next::End))
    }

    /// The next one has come.
    pub(super) fn put(&mut self, item: Raw) {
        self.queue.push_back(item);
    }

    /// It has ended so. What is in the queue comes before that.
    pub(super) fn end(&mut self, ended: Ended) {
        self.end = Some(ended);
    }

    /// The reader goes. How it has ended, if it has.
    pub(super) fn into_end(self) -> Option<Ended> {
        self.end
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Outcome;
    use std::time::Duration;

    fn begun() -> Begun {
        Begun { took: Duration::ZERO, disturbed: false }
    }

    fn end() -> Ended {
        Ended { outcome: Outcome::Lost, took: Duration::ZERO, disturbed: false }
    }

    fn raw(text: &str) -> Raw {
        Raw { bytes: text.into(), room: None }
    }

    #[test]
    fn items_come_in_order_behind_the_head_and_before_the_end() {
        let mut items = Items::new(begun());
        assert!(items.take().is_none());
        ["a", "", "b"].iter().for_each(|text| items.put(raw(text)));
        items.end(end());
        assert!(items.take_head().is_some() && items.take_head().is_none());
        for text in ["a", "", "b"] {
            assert!(matches!(items.take(), Some(Next::Item(item)) if item.bytes == text.as_bytes()));
        }
        assert!(matches!(items.take(), Some(Next::End(_))) && items.take().is_none());
    }

    #[test]
    fn an_end_that_nobody_has_heard_is_known_to_whoever_goes() {
        let mut items = Items::new(begun());
        items.put(raw(""));
        items.end(end());
        assert!(items.into_end().is_some());
        assert!(Items::heard().into_end().is_none());
    }
}
