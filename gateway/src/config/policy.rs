//! What a route says of its calls beyond which they are: where they go, how many there may be, what else is done with them.
//!
//! Each part has a file of its own and reads its own keys; here they are put together.

use super::destination::Destination;
use super::fallback::FallbackSpec;
use super::metadata::MetadataSpec;
use super::overload::RouteLimit;
use super::reader::{Reader, Section};
use super::route_limits::RateLimits;
use super::shadow::{self, ShadowSpec};
use super::split::SplitSpec;

/// A route's traffic policy. By default it changes nothing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RoutePolicy {
    /// How many requests it takes in a time; by default all.
    pub rate_limits: RateLimits,
    /// The headers that go along with its calls.
    pub metadata: MetadataSpec,
    /// How many of its calls there may be, and how much they matter.
    pub limit: RouteLimit,
    /// Which instances its calls go to.
    pub split: SplitSpec,
    /// Where a share of its calls is copied to.
    pub shadow: Option<ShadowSpec>,
    /// What is done when no instance is there.
    pub fallback: Option<FallbackSpec>,
}

impl RoutePolicy {
    /// Reads the parts of a route's section.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> RoutePolicy {
        RoutePolicy {
            rate_limits: RateLimits::read(reader, section),
            metadata: MetadataSpec::read(reader, section),
            limit: RouteLimit::read(reader, section),
            split: SplitSpec::read(reader, section),
            shadow: shadow::read(reader, section),
            fallback: FallbackSpec::read(reader, section),
        }
    }

    /// The status with which it may answer beside the gateway's own: that of its fallback.
    pub fn own_status(&self) -> u16 {
        match &self.fallback {
            Some(FallbackSpec::Answer(answer)) => answer.status,
            _ => 500,
        }
    }

    /// All places that its calls may go to beside the route's backend.
    pub(super) fn destinations(&self) -> impl Iterator<Item = &Destination> {
        let arms = self.split.arms.iter().map(|arm| &arm.to);
        let shadow = self.shadow.iter().map(|shadow| &shadow.to);
        let fallback = self.fallback.iter().filter_map(FallbackSpec::destination);
        arms.chain(shadow).chain(fallback)
    }
}
