//! The tokens that a worker has verified lately: whoever shows one again is known without a signature to check. Each worker has its own,
//! and takes no lock.
//!
//! A token counts as known only as long as it is valid, by what the files of its authenticator said when it was verified: after a change of
//! keys, or of the list of revoked tokens, each is verified again. It is compared as a whole, and never by a hash alone.

use callgate_auth::{Identity, UnixSeconds};
use std::cell::RefCell;
use std::collections::HashMap;
use std::mem;
use std::sync::Arc;

/// So many bytes of tokens a worker keeps at most, and twice that for a moment. With what belongs to them it is several times as much.
const MOST: usize = 1024 * 1024;
/// What a token counts beside its own bytes.
const EACH: usize = 512;

/// The tokens that a worker has verified.
#[derive(Default)]
pub struct Verified(RefCell<Kept>);

/// Those that were asked for lately, and those before them, which are forgotten next unless they are asked for again.
#[derive(Default)]
struct Kept {
    young: HashMap<Box<[u8]>, Entry>,
    old: HashMap<Box<[u8]>, Entry>,
    /// How much the young ones count.
    size: usize,
}

/// A token that is known.
#[derive(Clone)]
struct Entry {
    by: By,
    identity: Arc<Identity>,
}

/// Who has verified a token: an authenticator, by what its files said then.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct By {
    /// The authenticator's id.
    pub(super) id: u64,
    /// What tells what its files said from what they say at another time.
    pub(super) files: u64,
}

impl Verified {
    /// Whose token it is, if it was verified by them and is valid still.
    pub(super) fn find(&self, by: By, token: &[u8], now: UnixSeconds) -> Option<Arc<Identity>> {
        let mut kept = self.0.borrow_mut();
        let valid = |entry: &Entry| entry.by == by && entry.identity.expires().is_none_or(|end| now < end);
        if let Some(entry) = kept.young.get(token) {
            return valid(entry).then(|| entry.identity.clone());
        }
        let (token, entry) = kept.old.remove_entry(token)?;
        let identity = valid(&entry).then(|| entry.identity.clone())?;
        kept.put(token, entry);
        Some(identity)
    }

    /// It was verified by them.
    pub(super) fn put(&self, by: By, token: &[u8], identity: Arc<Identity>) {
        self.0.borrow_mut().put(token.into(), Entry { by, identity });
    }
}

impl Kept {
    fn put(&mut self, token: Box<[u8]>, entry: Entry) {
        let size = token.len() + EACH;
        if self.size + size > MOST / 2 {
            self.old = mem::take(&mut self.young);
            self.size = 0;
        }
        if self.young.insert(token, entry).is_none() {
            self.size += size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BY: By = By { id: 1, files: 7 };

    fn ada() -> Arc<Identity> {
        Arc::new(Identity::new("ada").until(100))
    }

    #[test]
    fn a_token_is_known_to_whom_has_verified_it_until_it_ends() {
        let verified = Verified::default();
        assert_eq!(verified.find(BY, b"t", 0), None);
        verified.put(BY, b"t", ada());
        assert_eq!(verified.find(BY, b"t", 99), Some(ada()));
        assert_eq!(verified.find(BY, b"t", 100), None);
        assert_eq!(verified.find(By { files: 8, ..BY }, b"t", 0), None, "its files have changed");
        assert_eq!(verified.find(By { id: 2, ..BY }, b"t", 0), None, "another authenticator");
        assert_eq!(verified.find(BY, b"tt", 0), None);
    }

    #[test]
    fn what_is_asked_for_stays_and_there_is_never_more_than_there_may_be() {
        let verified = Verified::default();
        verified.put(BY, b"often", ada());
        for at in 0..100_000_u32 {
            verified.put(BY, &at.to_le_bytes(), ada());
            assert!(verified.find(BY, b"often", 0).is_some(), "{at}");
        }
        assert_eq!(verified.find(BY, &1_u32.to_le_bytes(), 0), None);
        let kept = verified.0.borrow();
        assert!((kept.young.len() + kept.old.len()) * (EACH + 4) <= MOST);
    }
}
