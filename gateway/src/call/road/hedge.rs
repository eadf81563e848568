//! A second attempt beside a slow first one: when the first takes longer than nearly all calls of the route do, another
//! instance is asked as well, in a [`race`].
//!
//! It cuts the tail that one slow instance makes, and costs calls: so it is for idempotent calls of routes that ask for
//! it, and comes out of the retry budget.

use super::race;
use super::{Road, Sent};
use crate::transport::{Ended, Outcome};

/// Awaits an attempt, and sends a second one when it takes longer than that percentile. `sent` is then the one that has ended.
pub(super) async fn ended(road: &mut Road<'_>, sent: &mut Sent, percent: u8) -> Ended {
    let call = road.request.call;
    let latency = road.backend.as_ref().map(|backend| backend.calls.latency(call.route, call.slot));
    let began = road.times.now;
    let delay = latency.as_ref().and_then(|latency| latency.percentile(percent));
    let ended = race::ended(road, sent, delay.map(|delay| began + delay)).await;
    // Counted from the first attempt also where the second was faster: otherwise what is slow would look ever faster, and
    // hedges would breed hedges.
    if let (Some(latency), Outcome::Reply(_) | Outcome::Long(_)) = (latency, &ended.outcome)
        && !ended.disturbed
    {
        latency.observe(began.elapsed());
    }
    ended
}
