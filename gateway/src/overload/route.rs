//! A route's bound: how many of its requests may be open at once.

use super::Count;
use crate::failure::ShedReason;
use crate::routes::Route;
use std::sync::Arc;

/// A request within its route's bound, while it is open.
#[derive(Debug)]
pub struct InRoute(Option<Arc<Count>>);

impl InRoute {
    /// Lets a request in, unless there are as many as may be.
    #[inline]
    pub fn enter(route: &Route) -> Result<InRoute, ShedReason> {
        let Some(most) = route.spec.policy.limit.max_in_flight else {
            return Ok(InRoute(None));
        };
        match route.in_flight.take(most) {
            true => Ok(InRoute(Some(route.in_flight.clone()))),
            false => Err(ShedReason::Route),
        }
    }
}

impl Drop for InRoute {
    fn drop(&mut self) {
        if let Some(count) = &self.0 {
            count.give_back();
        }
    }
}
