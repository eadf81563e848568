//! `rate_limit` by callers: how many requests a route takes of each. They are asked when the caller is known.

use super::rate_limits::{check, next, shown};
use super::{Arrival, Making, Passed, Step};
use crate::config::{LimitBy, RoutePolicy};
use crate::failure::Failure;
use crate::limit::Limits;

/// Those of a route's limits that go by who calls.
pub(super) struct CallerLimits(pub(super) Limits);

impl Step for CallerLimits {
    fn shown(policy: &RoutePolicy) -> Option<String> {
        shown(policy, LimitBy::needs_caller)
    }

    fn next(
        policy: &RoutePolicy,
        before: Option<&CallerLimits>,
        making: &mut Making<'_>,
    ) -> Option<CallerLimits> {
        next(policy, before.map(|before| &before.0), making, LimitBy::needs_caller).map(CallerLimits)
    }

    fn check(&self, arrival: &Arrival<'_>, passed: &mut Passed) -> Result<(), Failure> {
        check(&self.0, arrival, passed)
    }
}
