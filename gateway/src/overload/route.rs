//! A route's bound: how many of its requests may be open at once.

use super::Count;
use crate::telemetry::ShedReason;
use std::sync::Arc;

/// A request within its route's bound, while it is open.
#[derive(Debug)]
pub struct InRoute(Option<Arc<Count>>);

impl InRoute {
    /// Lets a request in, unless there are `most` of its route already.
    #[inline]
    pub fn enter(most: Option<usize>, in_flight: &Arc<Count>) -> Result<InRoute, ShedReason> {
        let Some(most) = most else {
            return Ok(InRoute(None));
        };
        if in_flight.take(most) { Ok(InRoute(Some(in_flight.clone()))) } else { Err(ShedReason::Route) }
    }
}

impl Drop for InRoute {
    fn drop(&mut self) {
        if let Some(count) = &self.0 {
            count.give_back();
        }
    }
}
