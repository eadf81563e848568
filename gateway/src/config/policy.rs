//! What a route says of its requests whatever it does with them: what the gateway's steps ask for before the action.
//!
//! Each part has a file of its own and reads its own keys; here they are put together.

use super::overload;
use super::reader::{Reader, Section};
use super::route_limits::RateLimits;

/// A route's policy. By default every request passes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct RoutePolicy {
    /// How many requests it takes in a time; by default all.
    pub rate_limits: RateLimits,
    /// Requests in flight over all workers; 1 to 10000000, by default no bound.
    pub max_in_flight: Option<usize>,
}

impl RoutePolicy {
    /// Reads the parts of a route's section.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> RoutePolicy {
        RoutePolicy {
            rate_limits: RateLimits::read(reader, section),
            max_in_flight: overload::read_bound(reader, section),
        }
    }
}
