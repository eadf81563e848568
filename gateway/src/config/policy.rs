//! What a route says of its calls beyond which they are: where they go, how many there may be, what else is done with them.
//!
//! Each part has a file of its own and reads its own keys; here they are put together.

use super::overload::RouteLimit;
use super::reader::{Reader, Section};

/// A route's traffic policy. By default it changes nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RoutePolicy {
    /// How many of its calls there may be, and how much they matter.
    pub limit: RouteLimit,
}

impl RoutePolicy {
    /// Reads the parts of a route's section.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> RoutePolicy {
        RoutePolicy { limit: RouteLimit::read(reader, section) }
    }
}
