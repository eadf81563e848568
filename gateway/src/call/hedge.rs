//! A second try beside a slow first one: when the first takes longer than nearly all calls of the route do, another
//! instance is asked as well, in a [`race`].
//!
//! It cuts the tail that one slow instance makes, and costs calls: so it is for idempotent calls of routes that ask for
//! it, and comes out of the retry budget.

use super::{Call, Try, race};
use crate::transport::callgate::Answer;

/// Awaits a try, and sends a second one when it takes longer than that percentile. `sent` is then the one that has
/// answered.
pub(super) async fn answer(call: &mut Call<'_>, sent: &mut Try, percent: u8) -> Answer {
    let latency = call.backend.as_ref().map(|backend| backend.calls.latency(call.request.call));
    let began = call.times.now;
    let delay = latency.as_ref().and_then(|latency| latency.percentile(percent));
    let answer = race::answer(call, sent, delay.map(|delay| began + delay)).await;
    // Counted from the first try also where the second was faster: otherwise what is slow would look ever faster, and
    // hedges would breed hedges.
    if let (Some(latency), Answer::Json(_) | Answer::Long(_)) = (latency, &answer)
        && !sent.in_flight.is_disturbed()
    {
        latency.observe(began.elapsed());
    }
    answer
}
