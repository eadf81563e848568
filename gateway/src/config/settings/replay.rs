//! `[replay]`: how many of the last requests are kept, as far as they may be known, for `callgate plan`.

use crate::config::reader::{Reader, Section, set};
use crate::config::shape::{Entry, Shape};

pub(super) const KEYS: &[Entry] =
    &[Entry::new("keep", Shape::Integer(0..=MOST), "how many of the last requests are kept")];

/// The most that are kept.
const MOST: u64 = 1_000_000;

/// `[replay]`
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ReplaySettings {
    /// How many requests are kept; 0 for none.
    pub keep: u64,
}

impl ReplaySettings {
    /// Replaces the defaults by what the section says.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>, section: &Section<'_>) {
        set(&mut self.keep, section.get("keep").and_then(|item| reader.integer(&item)));
    }
}
