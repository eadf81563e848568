//! The credentials that a worker has verified lately: whoever shows one again is known without a signature to check, or a password to hash.
//! Each worker has its own, and takes no lock.
//!
//! A credential counts as known only as long as it is valid, by what the files of its authenticator said when it was verified: after a change
//! of keys, or of the list of revoked tokens, each is verified again.

use super::shared_questions::SharedQuestions;
use callgate_auth::{Cache, Identity, UnixSeconds};
use std::cell::RefCell;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// So many credentials of one authenticator are known at most.
const MOST: usize = 4096;
/// For so many authenticators, before all is forgotten: after changes of tables most of them are gone.
const AUTHENTICATORS: usize = 64;

/// The credentials that a worker has verified.
pub struct Verified {
    /// By the ids of authenticators. A worker has few.
    caches: RefCell<Vec<(u64, Cache)>>,
    secret: [u8; 32],
    /// What is being asked about others.
    pub(super) asked: SharedQuestions,
}

/// Who has verified a credential: an authenticator, by what its files said then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct By {
    /// The authenticator's id.
    pub(super) id: u64,
    /// What tells what its files said from what they say at another time.
    pub(super) files: u64,
}

impl Default for Verified {
    fn default() -> Verified {
        // Each is random, and known to nobody.
        let random = RandomState::new();
        let mut secret = [0; 32];
        for (at, part) in secret.chunks_exact_mut(8).enumerate() {
            part.copy_from_slice(&random.hash_one(at).to_le_bytes());
        }
        Verified { caches: RefCell::default(), secret, asked: SharedQuestions::default() }
    }
}

impl Verified {
    /// Whose credential it is, if it was verified by them and is valid still.
    pub(super) fn find(&self, by: By, credential: &[u8], now: UnixSeconds) -> Option<Arc<Identity>> {
        let mut caches = self.caches.borrow_mut();
        let (_, cache) = caches.iter_mut().find(|(id, _)| *id == by.id)?;
        cache.find(credential, by.files, now)
    }

    /// It was verified by them, and is known up to that moment, or to the identity's own end.
    pub(super) fn put(&self, by: By, credential: &[u8], identity: Arc<Identity>, until: UnixSeconds) {
        let mut caches = self.caches.borrow_mut();
        let known = caches.iter().position(|(id, _)| *id == by.id);
        let at = known.unwrap_or_else(|| {
            if caches.len() >= AUTHENTICATORS {
                caches.clear();
            }
            caches.push((by.id, Cache::new(MOST, &self.secret)));
            caches.len() - 1
        });
        caches[at].1.keep(credential, by.files, identity, until);
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
    fn a_credential_is_known_to_whom_has_verified_it_until_it_ends() {
        let verified = Verified::default();
        assert_eq!(verified.find(BY, b"t", 0), None);
        verified.put(BY, b"t", ada(), UnixSeconds::MAX);
        assert_eq!(verified.find(BY, b"t", 99), Some(ada()));
        assert_eq!(verified.find(BY, b"t", 100), None);
        assert_eq!(verified.find(By { id: 2, ..BY }, b"t", 0), None, "another authenticator");
        assert_eq!(verified.find(By { files: 8, ..BY }, b"t", 0), None, "its files have changed");
    }

    #[test]
    fn authenticators_that_come_and_go_leave_nothing_for_ever() {
        let verified = Verified::default();
        for id in 0..1_000 {
            verified.put(By { id, files: 0 }, b"t", ada(), UnixSeconds::MAX);
            assert!(verified.caches.borrow().len() <= AUTHENTICATORS);
        }
        assert!(verified.find(By { id: 999, files: 0 }, b"t", 0).is_some());
    }
}
