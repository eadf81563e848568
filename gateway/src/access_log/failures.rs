//! The last failures: their records, for whoever asks for them while the gateway runs.
//!
//! A thread of their own puts records here, from a queue as that of the log, so that neither a reader nor a log that hangs holds up a
//! worker. What is older than the bounds admit is gone.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The most records that are kept, and what they may take together, in bytes.
const MOST: usize = 1000;
const MAX_HELD: usize = 1024 * 1024;

/// The records of the last failures.
#[derive(Debug, Default)]
pub struct Failures(Mutex<Ring>);

#[derive(Debug, Default)]
struct Ring {
    /// The newest last. Each is a line of JSON with its end.
    records: VecDeque<Box<[u8]>>,
    held: usize,
    /// How many were kept since the start.
    kept: u64,
}

impl Failures {
    /// Has each of them looked at, the newest first: a line of JSON. Whoever looks keeps records waiting, and nobody else.
    pub fn look<R>(&self, look: impl FnOnce(&mut dyn Iterator<Item = &[u8]>) -> R) -> R {
        let ring = self.lock();
        look(&mut ring.records.iter().rev().map(|record| record.trim_ascii_end()))
    }

    /// How many were kept since the start: whoever has looked then has seen all.
    pub fn kept(&self) -> u64 {
        self.lock().kept
    }

    fn keep(&self, record: &[u8]) {
        let mut ring = self.lock();
        ring.kept += 1;
        ring.held += record.len();
        ring.records.push_back(record.into());
        while ring.records.len() > MOST || ring.held > MAX_HELD {
            let oldest = ring.records.pop_front();
            ring.held -= oldest.map_or(ring.held, |oldest| oldest.len());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where records are written: one with each call.
#[derive(Debug)]
pub struct Keep(pub Arc<Failures>);

impl Write for Keep {
    fn write(&mut self, record: &[u8]) -> io::Result<usize> {
        self.0.keep(record);
        Ok(record.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(failures: &Failures) -> Vec<String> {
        failures.look(|all| all.map(|one| String::from_utf8_lossy(one).into_owned()).collect())
    }

    #[test]
    fn the_newest_is_first_and_the_oldest_go() {
        let failures = Failures::default();
        for n in 0..MOST + 2 {
            failures.keep(format!("{n}\n").as_bytes());
        }
        let kept = kept(&failures);
        assert_eq!((kept.len(), kept[0].as_str(), kept[MOST - 1].as_str()), (MOST, "1001", "2"));
        assert_eq!(failures.kept(), MOST as u64 + 2);
    }

    #[test]
    fn long_records_take_no_more_than_the_bound() {
        let failures = Failures::default();
        let long = vec![b'x'; MAX_HELD / 4];
        for _ in 0..10 {
            failures.keep(&long);
        }
        assert_eq!((kept(&failures).len(), failures.lock().held), (4, MAX_HELD));
        failures.keep(&vec![b'x'; MAX_HELD + 1]);
        assert_eq!((kept(&failures).len(), failures.lock().held), (0, 0));
    }
}
