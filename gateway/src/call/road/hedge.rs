//! A second attempt beside a slow first one: when the first takes longer than nearly all calls of the route do, another
//! instance is asked as well, in a [`race`].
//!
//! It cuts the tail that one slow instance makes, and costs calls: so it is for idempotent calls of routes that ask for
//! it, and comes out of the retry budget.

use super::race;
use super::{Road, Sent};
use crate::transport::{Ended, Outcome, Progress};

/// Awaits an attempt, and sends a second one when it takes longer than that percentile. `sent` is then the one that something has come
/// of.
pub(super) async fn progress(road: &mut Road<'_>, sent: &mut Sent, percent: u8) -> Progress {
    let call = road.request.call;
    let latency = road.backend.as_ref().map(|backend| backend.calls.latency(call.route, call.slot));
    let began = road.times.now;
    let delay = latency.as_ref().and_then(|latency| latency.percentile(percent));
    let progress = race::progress(road, sent, delay.map(|delay| began + delay)).await;
    // Counted from the first attempt also where the second was faster: otherwise what is slow would look ever faster, and
    // hedges would breed hedges.
    let counts = match &progress {
        Progress::Begun(begun) => !begun.disturbed,
        Progress::Ended(Ended { outcome: Outcome::Reply(_) | Outcome::Long(_), disturbed, .. }) => !disturbed,
        Progress::Ended(_) => false,
    };
    if let Some(latency) = latency.filter(|_| counts) {
        latency.observe(began.elapsed());
    }
    progress
}
