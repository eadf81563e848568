//! What holds for all authenticators that ask a service of the operator's own, in whatever way: how long they wait, and how long an answer
//! is believed.

use crate::config::reader::{Reader, Section};
use crate::config::shape::{Entry, Shape};
use std::ops::RangeInclusive;
use std::time::Duration;

/// The keys that all of them have.
pub(super) const TIMEOUT: Entry =
    Entry::new("timeout", Shape::Duration(TIMEOUTS), "how long the answer may take, retries included");
pub(super) const CACHE: Entry =
    Entry::new("cache", Shape::Duration(CACHES), "for how long an answer that names a caller is kept");

/// How long an answer may take, where the table does not say it.
const USUAL: Duration = Duration::from_secs(1);
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(30);
const CACHES: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3600);

/// How a service is asked who calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ExternalSpec {
    /// How long its answer may take; 1 ms to 30 s, by default 1 s.
    pub timeout: Duration,
    /// How long it is believed, 1 s to 1 h; not at all where the table does not say it.
    pub cache: Option<Duration>,
}

impl ExternalSpec {
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> ExternalSpec {
        let timeout = section.get(TIMEOUT.key).and_then(|item| reader.duration(&item));
        let cache = section.get(CACHE.key).and_then(|item| reader.duration(&item));
        ExternalSpec { timeout: timeout.unwrap_or(USUAL), cache }
    }
}
