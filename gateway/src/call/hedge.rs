//! A second try beside a slow first one: when the first takes longer than nearly all calls of the route do, another
//! instance is asked as well, and whoever answers first is heard. The other try is cancelled.
//!
//! It cuts the tail that one slow instance makes, and costs calls: so it is for idempotent calls of routes that ask for
//! it, and comes out of the retry budget.

use super::budget::Cost;
use super::{Call, Try};
use crate::backends::{Answer, Pick};
use crate::telemetry::HedgeOutcome;
use std::mem;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// Awaits a try, and sends a second one when it takes longer than that percentile. `sent` is then the one that has
/// answered.
pub(super) async fn answer(call: &mut Call<'_>, sent: &mut Try, percent: u8) -> Answer {
    let Some(latency) = call.backend.as_ref().map(|backend| backend.calls.latency(call.request.route)) else {
        return (&mut sent.in_flight).await;
    };
    let began = call.times.now;
    let answer = match latency.percentile(percent) {
        None => (&mut sent.in_flight).await,
        Some(delay) => race(call, sent, began, delay).await,
    };
    // Counted from the first try also where the second was faster: otherwise what is slow would look ever faster, and
    // hedges would breed hedges.
    if matches!(answer, Answer::Json(_) | Answer::Long(_)) {
        latency.observe(began.elapsed());
    }
    answer
}

async fn race(call: &mut Call<'_>, first: &mut Try, began: Instant, delay: Duration) -> Answer {
    if let Ok(answer) = timeout_at(began + delay, &mut first.in_flight).await {
        return answer;
    }
    let counters = call.counters();
    let Some(mut second) = call.second(first) else {
        counters.hedged(HedgeOutcome::NotSent);
        return (&mut first.in_flight).await;
    };
    let (answer, outcome) = tokio::select! {
        biased;
        answer = &mut first.in_flight => (answer, HedgeOutcome::First),
        answer = &mut second.in_flight => (answer, HedgeOutcome::Second),
    };
    if outcome == HedgeOutcome::Second {
        mem::swap(first, &mut second);
    }
    // A failure after which the call would be sent again is no answer while another try is under way.
    if !call.would_go_on_after(first, &answer) {
        counters.hedged(outcome);
        return answer;
    }
    call.tried.refused.push(first.in_flight.endpoint().id);
    mem::swap(first, &mut second);
    counters.hedged(match outcome {
        HedgeOutcome::First => HedgeOutcome::Second,
        _ => HedgeOutcome::First,
    });
    (&mut first.in_flight).await
}

impl Call<'_> {
    /// A second try at another instance, if there is one and the budget allows it.
    fn second(&mut self, first: &Try) -> Option<Try> {
        let backend = self.backend.clone()?;
        self.times.now = Instant::now();
        self.tried.refused.push(first.in_flight.endpoint().id);
        let conn = match backend.pick(&self.tried) {
            Pick::Ready(conn) if !self.tried.refused.contains(&conn.endpoint.id) => Some(conn),
            _ => None,
        };
        self.tried.refused.pop();
        let conn = conn?;
        // Nothing is given back for it, or nothing would bound how much is hedged.
        if !self.pay(Cost::Hedge) {
            return None;
        }
        // Should the request not fit that instance's schema, the first try still may.
        self.send_to(&conn).ok().flatten()
    }
}
