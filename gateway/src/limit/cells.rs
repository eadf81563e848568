//! A table of so many cells and no more, in which each key has at most one: what it is by its hash, and one time.
//!
//! The cells lie in sets of [`WAYS`], two cache lines each; a key's hash says which set. A cell is one atomic number of 128
//! bits, so that whose it is and what it holds change together, in one step and without a lock. Where a set is full, the
//! cell with the earliest time goes to the new key. Of a token bucket that is the fullest one: what is forgotten is what
//! matters least, and a key that is limited stays so.
//!
//! A key gets no second cell while others come and go: two workers that look for it at once find the same earliest cell,
//! because times only rise, and one of them is told that it has changed. (They fall where a new key takes the cell of one
//! that has used up more. Should that happen in between, twice, a key might have two cells for a while, and so a burst
//! too many.)

use portable_atomic::AtomicU128;
use std::sync::atomic::Ordering::Relaxed;

/// Cells of a set.
const WAYS: usize = 8;

/// Sets that are looked at to estimate how many keys are there.
const SAMPLE: usize = 16_384;

/// The cells of some keys: the time in the upper half, the key's hash in the lower one; 0 while it is nobody's.
///
/// No other memory depends on them, so all accesses are relaxed.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Set([AtomicU128; WAYS]);

/// A fixed number of cells.
#[derive(Debug)]
pub(super) struct Cells(Box<[Set]>);

/// What a change came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Changed {
    /// The key's cell has another time, or it has one now.
    Done,
    /// As well, at the price of another key's, whose time was not over.
    Evicted,
}

impl Cells {
    /// Room for so many keys, at least one: half as many cells again, because keys do not fall evenly into sets.
    /// 24 bytes a key.
    pub(super) fn new(keys: usize) -> Cells {
        let sets = (keys + keys / 2).div_ceil(WAYS).max(1);
        Cells((0..sets).map(|_| Set::default()).collect())
    }

    /// The memory that it takes, whatever the keys.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }

    /// Changes the time of a key. `change` is given the time, if the key has a cell and it is later than `now`, and says
    /// the next one, which is later too; it is asked again when another worker was quicker. Its error changes nothing.
    pub(super) fn change<T, E>(
        &self,
        hash: u64,
        now: u64,
        mut change: impl FnMut(Option<u64>) -> Result<(T, u64), E>,
    ) -> Result<(T, Changed), E> {
        let set = self.set(hash);
        loop {
            let (cell, seen, own) = find(set, hash);
            let time = time_of(seen);
            let (value, next) = change(Some(time).filter(|time| own && *time > now))?;
            if cell.compare_exchange_weak(seen, together(next, hash), Relaxed, Relaxed).is_ok() {
                let changed = if own || time <= now { Changed::Done } else { Changed::Evicted };
                return Ok((value, changed));
            }
        }
    }

    /// The time of a key, if it has a cell and that is later than `now`.
    pub(super) fn look(&self, hash: u64, now: u64) -> Option<u64> {
        let (_, seen, own) = find(self.set(hash), hash);
        Some(time_of(seen)).filter(|time| own && *time > now)
    }

    /// Takes so much off the time of a key, where that is later than `now`.
    pub(super) fn take_off(&self, hash: u64, now: u64, nanos: u64) {
        loop {
            let (cell, seen, own) = find(self.set(hash), hash);
            let time = time_of(seen);
            if !own || time <= now {
                return;
            }
            let less = together(time.saturating_sub(nanos).max(1), hash);
            if cell.compare_exchange_weak(seen, less, Relaxed, Relaxed).is_ok() {
                return;
            }
        }
    }

    /// How many cells have a time later than `now`: exactly in a small table, by a sample in a large one.
    pub(super) fn count(&self, now: u64) -> u64 {
        let step = self.0.len().div_ceil(SAMPLE);
        let looked_at = self.0.len().div_ceil(step);
        let later = |set: &Set| set.0.iter().filter(|cell| time_of(cell.load(Relaxed)) > now).count() as u64;
        let found: u64 = self.0.iter().step_by(step).map(later).sum();
        found * self.0.len() as u64 / looked_at as u64
    }

    fn set(&self, hash: u64) -> &[AtomicU128; WAYS] {
        let at = (u128::from(hash) * self.0.len() as u128) >> 64;
        &self.0[at as usize].0
    }
}

/// The cell of a key, or else the one that it may have, and what was in it; whether it is its own.
fn find(set: &[AtomicU128; WAYS], hash: u64) -> (&AtomicU128, u128, bool) {
    let mut first = (&set[0], u128::MAX);
    for cell in set {
        let seen = cell.load(Relaxed);
        if seen as u64 == hash && time_of(seen) > 0 {
            return (cell, seen, true);
        }
        // Of two with the same time the first one, for everybody.
        if time_of(seen) < time_of(first.1) {
            first = (cell, seen);
        }
    }
    (first.0, first.1, false)
}

fn time_of(cell: u128) -> u64 {
    (cell >> 64) as u64
}

fn together(time: u64, hash: u64) -> u128 {
    u128::from(time) << 64 | u128::from(hash)
}
