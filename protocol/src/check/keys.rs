//! The keys of one map in a message, or the items of a set, noted as they come, so that one which is there twice is found.
//!
//! Few keys are compared with each other and take no memory. Many are sorted at the map's end, which costs n log n and not
//! n². A map that repeats a key without end is found out on the way: otherwise a message of one-byte keys would take eight
//! times its length. So what is noted stays below twice the message.

use std::ops::Range;

/// Up to so many keys are compared with each other.
const FEW: usize = 8;

/// When there are so many they are looked through for the first time, and again whenever there are [`GROWTH`] times as many.
const MANY: usize = 1024;
const GROWTH: usize = 8;

/// Where a key stands in the message. No message is so long that 32 bits are too few.
#[derive(Clone, Copy, Default)]
struct Place {
    start: u32,
    end: u32,
}

/// The keys of a map, by where they stand in a message.
pub struct Keys {
    few: [Place; FEW],
    /// All of them, once there are more than a few.
    many: Vec<Place>,
    count: usize,
    /// How many there are when they are looked through the next time.
    next: usize,
}

impl Default for Keys {
    fn default() -> Keys {
        Keys::new()
    }
}

impl Keys {
    /// None yet.
    pub fn new() -> Keys {
        Keys { few: [Place::default(); FEW], many: Vec::new(), count: 0, next: MANY }
    }

    /// Notes the next key, which stands there in the message. `false` if a key is found to be there twice.
    pub fn add(&mut self, message: &[u8], key: Range<usize>) -> bool {
        let place = Place::new(key);
        self.count += 1;
        if let Some(free) = self.few.get_mut(self.count - 1) {
            *free = place;
            let earlier = &self.few[..self.count - 1];
            return earlier.iter().all(|other| other.of(message) != place.of(message));
        }
        if self.many.is_empty() {
            self.many.extend_from_slice(&self.few);
        }
        self.many.push(place);
        if self.count < self.next {
            return true;
        }
        self.next *= GROWTH;
        self.are_distinct(message)
    }

    /// Whether all keys are different, as far as they have not been compared yet. To be asked at the end.
    pub fn are_distinct(&mut self, message: &[u8]) -> bool {
        self.many.sort_unstable_by(|one, other| one.of(message).cmp(other.of(message)));
        self.many.windows(2).all(|pair| pair[0].of(message) != pair[1].of(message))
    }
}

impl Place {
    fn new(key: Range<usize>) -> Place {
        let narrow = |offset| u32::try_from(offset).unwrap_or(u32::MAX);
        Place { start: narrow(key.start), end: narrow(key.end) }
    }

    fn of(self, message: &[u8]) -> &[u8] {
        message.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of these keys of two bytes each are taken before one is found to be there twice; `None` if none is.
    fn taken(keys: &[u16]) -> Option<usize> {
        let message: Vec<u8> = keys.iter().flat_map(|key| key.to_be_bytes()).collect();
        let mut all = Keys::new();
        let refused = (0..keys.len()).find(|at| !all.add(&message, 2 * at..2 * at + 2));
        refused.map(|at| at + 1).or_else(|| (!all.are_distinct(&message)).then_some(keys.len()))
    }

    #[test]
    fn a_key_that_is_there_twice_is_found_wherever_it_stands() {
        for count in [1, 2, FEW, FEW + 1, 100, MANY - 1, MANY, MANY + 1, 9000] {
            // In no order.
            let keys: Vec<u16> = (0..count as u16).map(|n| n.wrapping_mul(40_503)).collect();
            assert_eq!(taken(&keys), None, "{count} keys that differ");
            for (first, second) in [(0, count), (count - 1, count), (count / 2, 0), (0, count / 2)] {
                let mut twice = keys.clone();
                twice.insert(second, keys[first]);
                assert!(taken(&twice).is_some(), "{count} keys: {first} and {second}");
            }
        }
    }

    #[test]
    fn few_keys_take_no_memory_and_a_key_without_end_not_much() {
        let message = vec![7; 100_000];
        let mut all = Keys::new();
        for at in 0..FEW {
            all.add(&message, at..at + 1);
        }
        assert_eq!(all.many.capacity(), 0);
        let mut keys: Vec<u16> = (0..FEW as u16).collect();
        keys.resize(100_000, 0);
        assert_eq!(taken(&keys), Some(MANY));
        let mut keys: Vec<u16> = (0..MANY as u16).collect();
        keys.resize(100_000, 0);
        assert_eq!(taken(&keys), Some(MANY * GROWTH));
    }
}
