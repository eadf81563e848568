//! How many bytes the messages of a WebSocket may have, in each direction: `max_stream` of its route.

/// What is left of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota {
    most: Option<u64>,
    /// The bytes of the client's messages, and of those for it.
    came: u64,
    went: u64,
}

/// There are more than so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany(pub(super) u64);

impl Quota {
    /// All of them; none is any number.
    pub(super) fn new(most: Option<u64>) -> Quota {
        Quota { most, came: 0, went: 0 }
    }

    /// A message has come from the client.
    pub(super) fn came(&mut self, bytes: usize) -> Result<(), TooMany> {
        count(&mut self.came, bytes, self.most)
    }

    /// A message is to go to the client.
    pub(super) fn goes(&mut self, bytes: usize) -> Result<(), TooMany> {
        count(&mut self.went, bytes, self.most)
    }
}

fn count(all: &mut u64, bytes: usize, most: Option<u64>) -> Result<(), TooMany> {
    *all = all.saturating_add(bytes as u64);
    match most {
        Some(most) if *all > most => Err(TooMany(most)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_direction_has_all_of_it() {
        let mut quota = Quota::new(Some(10));
        assert_eq!((quota.came(10), quota.goes(4), quota.goes(6)), (Ok(()), Ok(()), Ok(())));
        assert_eq!((quota.came(1), quota.goes(1)), (Err(TooMany(10)), Err(TooMany(10))));
        assert_eq!(quota.came(0), Err(TooMany(10)), "and it stays so");
        let mut all = Quota::new(None);
        assert_eq!((all.came(usize::MAX), all.came(usize::MAX)), (Ok(()), Ok(())));
    }
}
