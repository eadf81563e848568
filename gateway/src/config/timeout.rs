//! How long a call may take: `timeout` of a route or of a file.

use super::reader::{Reader, Section};
use std::ops::RangeInclusive;
use std::time::Duration;

/// How long a call may take, unless route or file say otherwise.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(24 * 3600);

/// Reads `timeout`.
pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Duration> {
    section.get("timeout").and_then(|item| reader.duration(&item, TIMEOUTS))
}
