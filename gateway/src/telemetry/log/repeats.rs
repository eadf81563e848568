//! How many lines of a kind may pass. A kind is a place in the source that logs.
//!
//! Each kind has a bucket of [`BURST`] lines that fills by [`RATE`] a second. The buckets are atomic numbers in a table of
//! fixed size, so that whoever logs takes no lock. A line that passes carries how many were left out before it.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU64, AtomicUsize};

/// How many lines of a kind may come at once: as many as a start or a reload with some hundred instances brings.
pub(super) const BURST: u64 = 500;

/// How many lines of a kind pass in a second from then on.
pub(super) const RATE: u64 = 10;

/// The milliseconds in which a bucket gains a line.
const INTERVAL: u64 = 1000 / RATE;

/// Kinds that are kept apart. The gateway and its libraries have a few hundred places that log.
const KINDS: usize = 1024;

/// How many cells are looked at for a kind.
const PROBES: usize = 32;

/// The kinds of lines, with what has come of them.
pub(super) struct Repeats {
    kinds: Box<[Kind]>,
}

#[derive(Default)]
struct Kind {
    /// The place that logs, as its address; 0 for a cell that nobody uses.
    place: AtomicUsize,
    /// When the bucket will be full again, in milliseconds.
    full_at: AtomicU64,
    left_out: AtomicU64,
}

impl Repeats {
    pub(super) fn new() -> Repeats {
        Repeats { kinds: (0..KINDS).map(|_| Kind::default()).collect() }
    }

    /// Whether a line of that place passes at `now` (milliseconds of a clock that does not go back): then how many were left
    /// out since the last one. A kind for which the table has no room is not limited.
    pub(super) fn pass(&self, place: usize, now: u64) -> Option<u64> {
        let Some(kind) = self.kind(place) else { return Some(0) };
        let line = |full_at: u64| {
            let full_at = full_at.max(now) + INTERVAL;
            (full_at <= now + BURST * INTERVAL).then_some(full_at)
        };
        if kind.full_at.fetch_update(Relaxed, Relaxed, line).is_err() {
            kind.left_out.fetch_add(1, Relaxed);
            return None;
        }
        // Read first: a healthy log does not write to this.
        Some(if kind.left_out.load(Relaxed) == 0 { 0 } else { kind.left_out.swap(0, Relaxed) })
    }

    fn kind(&self, place: usize) -> Option<&Kind> {
        // Addresses differ in their middle bits.
        let first = (place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
        let cells = (0..PROBES).map(|probe| &self.kinds[(first as usize + probe) % KINDS]);
        cells.into_iter().find(|kind| match kind.place.load(Relaxed) {
            0 => match kind.place.compare_exchange(0, place, Relaxed, Relaxed) {
                Ok(_) => true,
                Err(taken) => taken == place,
            },
            taken => taken == place,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of `lines` at that time pass.
    fn passed(repeats: &Repeats, place: usize, now: u64, lines: usize) -> usize {
        (0..lines).filter(|_| repeats.pass(place, now).is_some()).count()
    }

    #[test]
    fn a_burst_passes_and_then_some_a_second() {
        let repeats = Repeats::new();
        assert_eq!(passed(&repeats, 8, 0, 10_000), BURST as usize);
        assert_eq!(passed(&repeats, 8, 1000, 10_000), RATE as usize);
        assert_eq!(passed(&repeats, 8, 1000 + INTERVAL, 10_000), 1);
        assert_eq!(passed(&repeats, 8, 1_000_000, 10_000), BURST as usize, "after a long silence");
    }

    #[test]
    fn the_next_line_says_how_many_were_left_out() {
        let repeats = Repeats::new();
        passed(&repeats, 8, 0, BURST as usize + 3);
        assert_eq!(repeats.pass(8, INTERVAL), Some(3));
        assert_eq!(repeats.pass(8, INTERVAL), None);
        assert_eq!(repeats.pass(8, 2 * INTERVAL), Some(1));
    }

    #[test]
    fn kinds_do_not_share_a_bucket() {
        let repeats = Repeats::new();
        for place in 1..=KINDS / 2 {
            assert_eq!(passed(&repeats, place * 8, 0, 1000), BURST as usize, "place {place}");
        }
    }

    #[test]
    fn a_full_table_lets_lines_pass() {
        let repeats = Repeats::new();
        (1..=4 * KINDS).for_each(|place| assert_eq!(repeats.pass(place * 8, 0), Some(0)));
        assert_eq!(passed(&repeats, 8 * 5 * KINDS, 0, 1000), 1000);
    }
}
