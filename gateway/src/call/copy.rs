//! A copy of a call, for instances whose reply nobody hears. It is sent once, and at once or not at all: it waits for no
//! instance, is not sent again, takes nothing from the retry budget, and nothing is held for it.

use super::{Request, Trail};
use crate::backends::{Attempt, Pick, Tried};
use crate::telemetry::ShadowOutcome;
use crate::transport::{Times, Unsent};
use crate::worker::Worker;
use tokio::time::Instant;

/// A copy that was sent.
pub struct SentCopy {
    attempt: Attempt,
    /// Its number in its trail.
    number: usize,
}

impl SentCopy {
    /// What becomes of it, which its trail is told.
    pub async fn ended(self, trail: Option<&Trail>) -> ShadowOutcome {
        let ended = self.attempt.await;
        if let Some(trail) = trail {
            trail.ends(self.number, ended.took, ended.outcome.label().name());
        }
        ended.outcome.of_copy()
    }
}

/// Sends it, if an instance has room for it now. Otherwise what became of it.
///
/// # Errors
/// Why it was not sent.
pub fn send_copy(worker: &Worker, request: &Request<'_>) -> Result<SentCopy, ShadowOutcome> {
    let times = Times { now: Instant::now(), ..request.times };
    if times.now >= times.deadline {
        return Err(ShadowOutcome::Late);
    }
    // It is its call's.
    if !request.body.is_whole() {
        return Err(ShadowOutcome::Unfit);
    }
    let backend = worker.pool.backend(request.backend).ok_or(ShadowOutcome::NoInstance)?;
    let mut tried = Tried { fragile: false, ..request.untried() };
    let along = request.trail.and_then(|trail| trail.along(request.metadata));
    let mut call = request.for_links();
    if let Some(along) = &along {
        call.metadata = along.as_metadata();
    }
    loop {
        let Pick::Ready(chosen) = backend.pick(&tried) else {
            let lacks = !tried.lacking.is_empty() || !backend.lacking(&tried).is_empty();
            return Err(if lacks { ShadowOutcome::Unfit } else { ShadowOutcome::NoInstance });
        };
        return match chosen.send(&call, |_| times) {
            Err(Unsent::NotOffered) => {
                tried.lacking.push(chosen.endpoint().id);
                continue;
            }
            Err(Unsent::Full) => Err(ShadowOutcome::NoInstance),
            Err(Unsent::Spent | Unsent::Invalid(_) | Unsent::Denied(_) | Unsent::TooLarge(_)) => {
                Err(ShadowOutcome::Unfit)
            }
            Ok(attempt) => {
                let number = request.trail.map_or(0, |trail| trail.sends(&attempt, Some(&backend)));
                Ok(SentCopy { attempt, number })
            }
        };
    }
}
