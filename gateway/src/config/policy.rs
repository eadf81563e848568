//! What a route says of its calls beyond which they are: where they go, how many there may be, what else is done with them.
//!
//! Each part has a file of its own and reads its own keys; here they are put together.

use super::defaults::Defaults;
use super::metadata::MetadataSpec;
use super::overload::RouteLimit;
use super::reader::{Reader, Section};
use super::route_limits::RateLimits;

/// A route's traffic policy. By default it changes nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RoutePolicy {
    /// How many requests it takes in a time; by default all.
    pub rate_limits: RateLimits,
    /// The headers that go along with its calls.
    pub metadata: MetadataSpec,
    /// How many of its calls there may be, and how much they matter.
    pub limit: RouteLimit,
}

impl RoutePolicy {
    /// Reads the parts of a route's section.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> RoutePolicy {
        RoutePolicy {
            rate_limits: RateLimits::read(reader, section),
            metadata: MetadataSpec::read(reader, section),
            limit: RouteLimit::read(reader, section),
        }
    }

    /// The same in a file that says something for all of its routes.
    pub(super) fn within(self, file: &Defaults) -> RoutePolicy {
        RoutePolicy { metadata: self.metadata.or(&file.metadata), ..self }
    }
}
