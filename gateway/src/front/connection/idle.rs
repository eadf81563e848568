//! A worker's idle connections in the order in which they became idle.
//!
//! A list through a table of places: a connection is put last when it becomes idle and taken out when it is no longer, by
//! its key, in a few steps however many there are. Both happen with every request.

/// No connection.
const NONE: u32 = u32::MAX;

/// Keys in order. Keys are small numbers, as a slab gives them.
#[derive(Debug)]
pub(super) struct IdleList {
    /// The neighbours of each key, in both directions; the key's own number where it is not in the list.
    links: Vec<Link>,
    first: u32,
    last: u32,
}

#[derive(Clone, Copy, Debug)]
struct Link {
    before: u32,
    after: u32,
    listed: bool,
}

const UNLISTED: Link = Link { before: NONE, after: NONE, listed: false };

impl Default for IdleList {
    fn default() -> IdleList {
        IdleList { links: Vec::new(), first: NONE, last: NONE }
    }
}

impl IdleList {
    /// The key that has been in the list for the longest time.
    pub(super) fn first(&self) -> Option<usize> {
        (self.first != NONE).then_some(self.first as usize)
    }

    /// Puts a key last, whether it is in the list or not.
    pub(super) fn put_last(&mut self, key: usize) {
        // More connections than that cannot be open: each is a file descriptor.
        let Some(at) = u32::try_from(key).ok().filter(|at| *at != NONE) else { return };
        if self.last == at {
            return;
        }
        self.remove(key);
        if key >= self.links.len() {
            self.links.resize(key + 1, UNLISTED);
        }
        self.links[key] = Link { before: self.last, after: NONE, listed: true };
        match self.last {
            NONE => self.first = at,
            last => self.links[last as usize].after = at,
        }
        self.last = at;
    }

    /// Takes a key out, if it is in the list.
    pub(super) fn remove(&mut self, key: usize) {
        let Some(link) = self.links.get_mut(key).filter(|link| link.listed) else { return };
        let Link { before, after, .. } = std::mem::replace(link, UNLISTED);
        match before {
            NONE => self.first = after,
            before => self.links[before as usize].after = after,
        }
        match after {
            NONE => self.last = before,
            after => self.links[after as usize].before = before,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// Takes all out, in order.
    fn drain(list: &mut IdleList) -> Vec<usize> {
        let keys = std::iter::from_fn(|| {
            let first = list.first()?;
            list.remove(first);
            Some(first)
        });
        keys.collect()
    }

    #[test]
    fn keys_come_out_in_the_order_in_which_they_were_put_last() {
        let mut list = IdleList::default();
        for key in [3, 0, 7, 3, 1, 7, 7] {
            list.put_last(key);
        }
        list.remove(0);
        list.remove(5);
        list.remove(5000);
        assert_eq!(drain(&mut list), [3, 1, 7]);
        assert_eq!(list.first(), None);
    }

    #[test]
    fn it_does_what_a_queue_does_that_is_searched() {
        let mut rng = fastrand::Rng::with_seed(7);
        let (mut list, mut queue) = (IdleList::default(), VecDeque::new());
        for _ in 0..10_000 {
            let key = rng.usize(..20);
            queue.retain(|other| *other != key);
            if rng.bool() {
                list.put_last(key);
                queue.push_back(key);
            } else {
                list.remove(key);
            }
            assert_eq!(list.first(), queue.front().copied());
        }
        assert_eq!(drain(&mut list), Vec::from(queue));
    }
}
