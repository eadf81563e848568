//! How long a call may take: `timeout` of a route or of a file.

use super::keys;
use super::reader::{Reader, Section};
use super::shape::Shape;
use std::time::Duration;

/// How long a call may take, unless route or file say otherwise.
pub(super) const USUAL: Duration = Duration::from_secs(10);
/// What `timeout` may be.
pub(super) const SHAPE: Shape = Shape::Duration(Duration::from_millis(1)..=Duration::from_secs(24 * 3600));

/// Reads `timeout`.
pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Duration> {
    section.get(keys::TIMEOUT.name).and_then(|item| reader.duration(&item))
}
