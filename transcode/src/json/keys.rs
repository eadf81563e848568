//! The keys of one open object, each noted as it comes, so that a second one of the same text is found at once and a long
//! object costs no step at its end. Keys are known by a hash; only where two hashes are the same are the texts compared.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// What a key takes of memory at most, in bytes: tables grow to twice what they hold.
pub(crate) const KEY_SIZE: usize = 64;

/// Up to so many keys are looked through one after another.
const FEW: usize = 8;

/// Many keys lie in so many tables, so that no growth moves all of them in one step.
const TABLES: usize = 16;

/// Hashes of keys, each with where its key is.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    few: Vec<(u64, usize)>,
    many: Option<Box<[HashMap<u64, usize>; TABLES]>>,
    count: usize,
}

impl Keys {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Notes the key of that text, which is found again by `at`. `false` if there is one of the same text; `is_same` says so of
    /// a place.
    pub(crate) fn add(
        &mut self,
        hasher: &RandomState,
        text: &[u8],
        at: usize,
        is_same: impl Fn(usize) -> bool,
    ) -> bool {
        let mut hash = hasher.hash_one(text);
        // Another text of the same hash stands for itself under the next number.
        while let Some(other) = self.find(hash) {
            if is_same(other) {
                return false;
            }
            hash = hash.wrapping_add(1);
        }
        self.insert(hash, at);
        self.count += 1;
        true
    }

    fn find(&self, hash: u64) -> Option<usize> {
        match &self.many {
            Some(many) => many.get(table(hash))?.get(&hash).copied(),
            None => self.few.iter().find(|(other, _)| *other == hash).map(|(_, at)| *at),
        }
    }

    fn insert(&mut self, hash: u64, at: usize) {
        if self.many.is_none() && self.few.len() < FEW {
            return self.few.push((hash, at));
        }
        let many = self.many.get_or_insert_default();
        for (hash, at) in self.few.drain(..).chain([(hash, at)]) {
            if let Some(table) = many.get_mut(table(hash)) {
                table.insert(hash, at);
            }
        }
    }
}

fn table(hash: u64) -> usize {
    (hash >> 32) as usize % TABLES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_however_many_there_are_and_a_place_of_the_same_hash_is_none() {
        let hasher = RandomState::new();
        for count in [1, FEW, FEW + 1, 1000] {
            let mut keys = Keys::default();
            let texts: Vec<String> = (0..count).map(|n| n.to_string()).collect();
            for (at, text) in texts.iter().enumerate() {
                assert!(keys.add(&hasher, text.as_bytes(), at, |other| texts[other] == *text));
            }
            assert_eq!(keys.count(), count);
            assert_eq!(
                keys.many.is_some(),
                count > FEW,
                "many keys are not looked through one after another"
            );
            for table in keys.many.iter().flat_map(|tables| tables.iter()).filter(|_| count == 1000) {
                assert!(!table.is_empty(), "no growth moves all of them");
            }
            assert!(!keys.add(&hasher, b"0", count, |other| texts[other] == "0"));
            // As if another text had the hash of this one.
            assert!(keys.add(&hasher, b"0", count, |_| false));
        }
    }
}
