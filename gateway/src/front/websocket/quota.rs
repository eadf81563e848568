//! How many bytes the messages of a WebSocket may have, in each direction: `max_stream` of its route.

use crate::front::opened::MessageBytes;
use std::cell::Cell;
use std::rc::Rc;

/// How many there may be, and how many there were.
#[derive(Debug)]
pub(super) struct Quota {
    most: Option<u64>,
    counted: Rc<MessageBytes>,
}

/// There are more than so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany(pub(super) u64);

impl Quota {
    /// All of them, which are counted there; none is any number.
    pub(super) fn new(most: Option<u64>, counted: Rc<MessageBytes>) -> Quota {
        Quota { most, counted }
    }

    /// A message has come from the client.
    pub(super) fn came(&self, bytes: usize) -> Result<(), TooMany> {
        count(&self.counted.came, bytes, self.most)
    }

    /// The result goes to the client, whatever its length.
    pub(super) fn result(&self, bytes: usize) {
        let _ = count(&self.counted.went, bytes, None);
    }

    /// A message is to go to the client.
    pub(super) fn goes(&self, bytes: usize) -> Result<(), TooMany> {
        count(&self.counted.went, bytes, self.most)
    }
}

fn count(counted: &Cell<u64>, bytes: usize, most: Option<u64>) -> Result<(), TooMany> {
    let all = counted.get().saturating_add(bytes as u64);
    counted.set(all);
    match most {
        Some(most) if all > most => Err(TooMany(most)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_direction_has_all_of_it() {
        let quota = Quota::new(Some(10), Rc::default());
        assert_eq!((quota.came(10), quota.goes(4), quota.goes(6)), (Ok(()), Ok(()), Ok(())));
        assert_eq!((quota.came(1), quota.goes(1)), (Err(TooMany(10)), Err(TooMany(10))));
        assert_eq!(quota.came(0), Err(TooMany(10)), "and it stays so");
        let all = Quota::new(None, Rc::default());
        assert_eq!((all.came(usize::MAX), all.came(usize::MAX)), (Ok(()), Ok(())));
    }
}
