//! Has a client's members reviewed side by side: at once when the end of a call asks for it, and ten times a second while calls
//! are made or time alone changes something. A client that makes no calls does not wake up.

use super::members::{Member, Members};
use super::trial::Judged;
use callgate_health::{FULL, Finding, HealthSpec, review};
use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// From one review to the next, when none is asked for.
const PACE: Duration = Duration::from_millis(100);

/// From one review to the next at least, when calls that fail ask for them all the time.
const BREATH: Duration = Duration::from_millis(1);

/// When a review comes so much too late, this process was away: stopped, or without a processor.
const LATE: Duration = Duration::from_millis(50);

/// After so long without a call that can be repeated a member is probed with any.
const IMPATIENT_AFTER: Duration = Duration::from_secs(1);

/// Never returns; ends when it is aborted.
pub(crate) async fn review_always(members: Arc<Members>) {
    let signals = members.signals.clone();
    loop {
        sleep(BREATH).await;
        let rests = review_once(&members);
        let slept = Instant::now();
        tokio::select! {
            () = signals.due.notified() => {}
            () = sleep(PACE), if !rests => {}
        }
        if !rests && slept.elapsed() > PACE + LATE {
            *signals.back.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }
}

/// What a review came to for a member.
struct Reviewed {
    id: u64,
    weight: u8,
    impatient: bool,
    probing: bool,
}

/// Reviews all members. Says whether nothing will change until a call ends, or something is told.
fn review_once(members: &Members) -> bool {
    let now = Instant::now().into_std();
    let all: Vec<(Arc<Member>, bool)> = {
        let table = members.read();
        table.seats.iter().map(|seat| (seat.member.clone(), seat.answers())).collect()
    };
    let spec = HealthSpec::default();
    // Nobody else holds two of these locks.
    let mut judged: Vec<MutexGuard<'_, Judged>> = all.iter().map(|(member, _)| member.judged()).collect();
    let mut findings: Vec<Finding<'_>> = judged
        .iter_mut()
        .zip(&all)
        .map(|(judged, (_, reachable))| Finding::new(&mut judged.health, *reachable, false))
        .collect();
    review(&mut findings, &spec, now);
    let changes: Vec<(bool, bool)> = findings.iter().map(|one| (one.ejected, one.recovered)).collect();
    let results: Vec<Reviewed> = judged
        .iter()
        .zip(&all)
        .map(|(judged, (member, _))| {
            let since = judged.health.probing_since();
            let waited = since.map(|since| now.saturating_duration_since(since));
            Reviewed {
                id: member.id,
                weight: judged.health.weight(&spec, now),
                impatient: waited.is_some_and(|waited| waited >= IMPATIENT_AFTER),
                probing: since.is_some(),
            }
        })
        .collect();
    let settled = |(judged, result): (&MutexGuard<'_, Judged>, &Reviewed)| {
        result.weight == FULL && judged.health.rests() && !judged.called
    };
    let rests = judged.iter().zip(&results).all(settled);
    for (judged, ((member, _), (ejected, recovered))) in judged.iter_mut().zip(all.iter().zip(changes)) {
        judged.called = false;
        judged.unwatched = rests;
        if ejected {
            let reason = judged.health.reason().name();
            tracing::warn!(endpoint = %member, reason, "an endpoint is ejected");
        }
        if recovered {
            tracing::info!(endpoint = %member, "an endpoint is well again");
        }
    }
    drop(judged);
    write_down(members, &results);
    rests
}

fn write_down(members: &Members, results: &[Reviewed]) {
    let mut table = members.write();
    table.probing = results.iter().any(|result| result.probing);
    // Members may have come and gone meanwhile.
    let by_id: HashMap<u64, &Reviewed> = results.iter().map(|result| (result.id, result)).collect();
    for seat in &mut table.seats {
        if let Some(result) = by_id.get(&seat.member.id) {
            (seat.weight, seat.impatient) = (result.weight, result.impatient);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::trial::Trial;
    use tokio::time::advance;

    #[tokio::test(start_paused = true)]
    async fn the_reviewer_rests_when_nothing_can_change_and_is_woken_by_the_next_call() {
        let members = Members::new();
        let member = members.make("127.0.0.1:1".parse().expect("an address"), None);
        members.exchange([member.clone()], &[]);
        assert!(!review_once(&members), "it is eased in");
        advance(HealthSpec::default().slow_start).await;
        assert!(review_once(&members));
        let due = members.signals.due.notified();
        tokio::pin!(due);
        assert!(due.as_mut().enable(), "the exchange was told");
        let due = members.signals.due.notified();
        tokio::pin!(due);
        assert!(!due.as_mut().enable());
        drop(Trial::new(member.clone()));
        due.await;
        assert!(!review_once(&members), "a call has ended");
        drop(Trial::new(member));
        assert!(!review_once(&members));
        assert!(review_once(&members));
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_was_away_is_noticed_when_it_is_back() {
        let members = Arc::new(Members::new());
        members.exchange([members.make("127.0.0.1:1".parse().expect("an address"), None)], &[]);
        let mut reviewer = Box::pin(review_always(members.clone()));
        let back = || *members.signals.back.lock().expect("no panic");
        // It is polled whenever time passes; then for a while it is not.
        tokio::select! { () = &mut reviewer => {} () = sleep(PACE * 5) => {} }
        assert_eq!(back(), None);
        advance(PACE * 2).await;
        tokio::select! { () = &mut reviewer => {} () = sleep(BREATH) => {} }
        assert!(back().is_some());
    }
}
