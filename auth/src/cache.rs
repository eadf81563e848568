//! Credentials that were verified lately, so that the same ones need not be verified again: found by a keyed fingerprint, until they
//! expire or what they were verified by changes.
//!
//! The fingerprint is the 16-byte tag of AES-GCM over the credential, under a random key and one nonce. That would be wrong for
//! encryption. Here nothing is encrypted and nobody ever sees a tag: without the key, two credentials of 8 KiB have one tag with a
//! chance of 2^-119, whoever chooses them. It costs half of what SHA-256 does (docs/decisions). Credentials themselves are not kept.

use crate::{Identity, UnixSeconds};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::mem;
use std::sync::Arc;

/// Who was verified by which credential: of one authenticator, in one worker. There are never more entries than it was made for.
///
/// A change of what verifies (keys, what is expected, the list of revoked ones) is another generation: nothing of the one before
/// is found any more. Which generation it is, the caller says; each has a number of its own.
pub struct Cache {
    key: LessSafeKey,
    /// How many entries either half may have.
    half: usize,
    generation: u64,
    /// What came lately or was found lately.
    young: Entries,
    /// What was young before. It is forgotten when the young ones are too many.
    old: Entries,
}

type Entries = HashMap<Fingerprint, Entry, BuildHasherDefault<Tag>>;
type Fingerprint = u128;

/// A fingerprint is as good as random to whoever lacks the key, so half of it is a hash.
#[derive(Default)]
struct Tag(u64);

impl Hasher for Tag {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }

    fn write_u128(&mut self, fingerprint: u128) {
        self.0 = fingerprint as u64;
    }
}

struct Entry {
    identity: Arc<Identity>,
    until: UnixSeconds,
}

impl Cache {
    /// One of at most so many entries. The secret is random, and known to nobody.
    pub fn new(entries: usize, secret: &[u8; 32]) -> Cache {
        let key = UnboundKey::new(&AES_256_GCM, secret).expect("AES-256 has keys of 32 bytes");
        Cache {
            key: LessSafeKey::new(key),
            half: (entries / 2).max(1),
            generation: 0,
            young: Entries::default(),
            old: Entries::default(),
        }
    }

    /// Who was verified by that credential, in that generation and not too long ago.
    pub fn find(&mut self, credential: &[u8], generation: u64, now: UnixSeconds) -> Option<Arc<Identity>> {
        if generation != self.generation {
            self.forget(generation);
            return None;
        }
        let fingerprint = self.fingerprint(credential)?;
        if let Some(entry) = self.young.get(&fingerprint) {
            return entry.at(now);
        }
        let entry = self.old.remove(&fingerprint)?;
        let identity = entry.at(now)?;
        self.put(fingerprint, entry);
        Some(identity)
    }

    /// Keeps who was verified by that credential, up to that moment, or to the identity's own end.
    pub fn keep(&mut self, credential: &[u8], generation: u64, identity: Arc<Identity>, until: UnixSeconds) {
        if generation != self.generation {
            self.forget(generation);
        }
        let until = identity.expires().map_or(until, |expires| expires.min(until));
        if let Some(fingerprint) = self.fingerprint(credential) {
            self.put(fingerprint, Entry { identity, until });
        }
    }

    /// How many entries there are, with those that nobody finds any more.
    pub fn len(&self) -> usize {
        self.young.len() + self.old.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn put(&mut self, fingerprint: Fingerprint, entry: Entry) {
        if self.young.len() >= self.half {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(fingerprint, entry);
    }

    fn forget(&mut self, generation: u64) {
        self.generation = generation;
        self.young = Entries::default();
        self.old = Entries::default();
    }

    fn fingerprint(&self, credential: &[u8]) -> Option<Fingerprint> {
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let tag = self.key.seal_in_place_separate_tag(nonce, Aad::from(credential), &mut []).ok()?;
        tag.as_ref().try_into().ok().map(u128::from_le_bytes)
    }
}

impl Entry {
    fn at(&self, now: UnixSeconds) -> Option<Arc<Identity>> {
        (now < self.until).then(|| Arc::clone(&self.identity))
    }
}

/// How many there are; never by what.
impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cache({} of {})", self.len(), 2 * self.half)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::hint::black_box;
    use std::time::Instant;

    fn ada() -> Arc<Identity> {
        Arc::new(Identity::new("ada").until(100))
    }

    fn cache(entries: usize) -> Cache {
        Cache::new(entries, &[7; 32])
    }

    #[test]
    fn a_credential_is_found_until_it_expires_and_by_its_own_bytes_only() {
        let mut cache = cache(8);
        cache.keep(b"token", 1, ada(), 1_000);
        cache.keep(b"short", 1, ada(), 50);
        assert_eq!(cache.find(b"token", 1, 99).as_deref().map(Identity::name), Some("ada"));
        assert_eq!(cache.find(b"token", 1, 100), None);
        assert_eq!((cache.find(b"short", 1, 49).is_some(), cache.find(b"short", 1, 50)), (true, None));
        for other in [&b"Token"[..], b"token\0", b"toke", b"", b"ntoke"] {
            assert_eq!(cache.find(other, 1, 0), None);
        }
    }

    #[test]
    fn nothing_of_another_generation_is_found() {
        let mut cache = cache(8);
        cache.keep(b"token", 1, ada(), 1_000);
        assert_eq!(cache.find(b"token", 2, 0), None);
        assert_eq!(cache.find(b"token", 1, 0), None, "what was verified before the change is gone");
        cache.keep(b"token", 3, ada(), 1_000);
        cache.keep(b"other", 4, ada(), 1_000);
        assert_eq!(cache.find(b"token", 4, 0), None);
        assert!(cache.find(b"other", 4, 0).is_some());
    }

    #[test]
    fn there_are_never_more_than_there_may_be_and_who_comes_again_and_again_stays() {
        let mut cache = cache(100);
        cache.keep(b"often", 1, ada(), 1_000);
        for at in 0..10_000 {
            cache.keep(format!("token {at}").as_bytes(), 1, ada(), 1_000);
            assert!(cache.len() <= 100, "{cache:?}");
            assert!(cache.find(b"often", 1, 0).is_some(), "after {at}");
        }
        assert_eq!(cache.find(b"token 0", 1, 0), None);
    }

    /// Shows what a lookup costs. Run it alone, in release: `cargo test --release -p callgate-auth -- --ignored --nocapture lookup`.
    #[test]
    #[ignore = "shows a figure, and judges no time"]
    fn what_a_lookup_costs() {
        for length in [40, 700, 2_000] {
            let (mut cache, token) = (cache(10_000), vec![b'x'; length]);
            (0..9_000).for_each(|at| cache.keep(format!("token {at}").as_bytes(), 1, ada(), 1_000));
            cache.keep(&token, 1, ada(), 1_000);
            let round = |cache: &mut Cache| {
                let start = Instant::now();
                (0..1_000).for_each(|_| drop(black_box(cache.find(black_box(&token), 1, 0))));
                start.elapsed()
            };
            let best = (0..100).map(|_| round(&mut cache)).min().expect("some rounds");
            println!("a token of {length} bytes: {} ns", best.as_nanos() / 1_000);
        }
    }
}
