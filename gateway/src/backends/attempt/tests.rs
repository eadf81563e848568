//! How an attempt is counted and judged, whichever way it ends.

use super::*;
use crate::backends::testing::{attempt, connected, instance, link};
use crate::config::{BackendSpec, HealthSpec, OverloadSpec};
use crate::transport::MAX_STREAM;
use crate::transport::callgate::testing::long_reply;
use crate::transport::memory::reply;
use callgate_protocol::Status;
use callgate_protocol::schema::Type;

const SECOND: Duration = Duration::from_secs(1);

/// Sends a call that may take an hour.
fn send(at: &Rc<LocalEndpoint>) -> Attempt {
    let now = Instant::now();
    let link = at.link().expect("it is connected");
    attempt(at, &link, Times { now, deadline: now + 3600 * SECOND, stream: MAX_STREAM })
}

/// What was counted of an instance: calls by how they ended, calls in flight, failures among its last calls and how many
/// these are.
fn counted(at: &LocalEndpoint) -> (Vec<(&'static str, u64)>, u64, (u32, u32)) {
    let failures = at.monitor.health().failures();
    (at.endpoint.stats.outcomes().collect(), at.counters().in_flight.get(), failures)
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_in_flight_until_it_has_ended_and_then_counted_once() {
    let at = instance(HealthSpec::default());
    let mut one = send(&at);
    assert_eq!(counted(&at), (vec![], 1, (0, 0)));
    link(&at).breaks(|| Outcome::Failed(Status::unavailable("").into()));
    let Heard::Progress(Progress::Ended(ended)) = one.heard().await else { panic!("it has ended") };
    assert!(matches!(ended.outcome, Outcome::Failed(_)));
    let expected = (vec![("unavailable", 1)], 0, (1, 1));
    assert_eq!(counted(&at), expected);
    drop(one);
    assert_eq!(counted(&at), expected);
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_soon_says_nothing_of_the_instance_and_takes_the_call_back() {
    let at = instance(HealthSpec::default());
    drop(send(&at));
    assert_eq!((counted(&at), link(&at).cancelled()), ((vec![("cancelled", 1)], 0, (0, 0)), 1));
}

#[tokio::test(start_paused = true)]
async fn an_end_that_has_come_counts_though_nobody_hears_of_it() {
    let at = instance(HealthSpec::default());
    link(&at).answers(reply("{}"));
    drop(send(&at));
    assert_eq!((counted(&at), link(&at).cancelled()), ((vec![("ok", 1)], 0, (0, 1)), 0));
}

#[tokio::test(start_paused = true)]
async fn a_long_reply_is_judged_when_it_was_read() {
    for (read, counts) in [
        (Some(Outcome::BadReply(String::new())), (vec![("internal", 1)], 0, (1, 1))),
        // What is lacking is not the instance's fault.
        (Some(Outcome::NoRoom), (vec![("ok", 1)], 0, (0, 1))),
        (Some(Outcome::TooLong(1)), (vec![("ok", 1)], 0, (0, 1))),
        (Some(Outcome::Late), (vec![("ok", 1)], 0, (0, 1))),
        (Some(reply("{}")), (vec![("ok", 1)], 0, (0, 1))),
        (None, (vec![("ok", 1)], 0, (0, 1))),
    ] {
        let at = instance(HealthSpec::default());
        link(&at).answers(Outcome::Long(Box::new(long_reply(Type::Unit, Vec::new()))));
        let mut one = send(&at);
        assert!(matches!(one.heard().await, Heard::Progress(_)));
        assert_eq!(counted(&at), (vec![], 0, (0, 0)), "{read:?}");
        read.iter().for_each(|outcome| one.was_read(outcome));
        drop(one);
        assert_eq!(counted(&at), counts, "{read:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_an_instance_takes_is_learned_but_not_from_calls_in_which_the_worker_was_away() {
    for (away, expected) in [(false, Some(1.0)), (true, None)] {
        let at = instance(HealthSpec::default());
        let link = link(&at);
        link.disturbed.set(away);
        link.answers_after(SECOND, reply("{}"));
        let one = send(&at);
        tokio::time::advance(SECOND).await;
        link.pass_time(Instant::now());
        let ended = one.await;
        assert_eq!((ended.took, ended.disturbed), (SECOND, away));
        assert_eq!(at.monitor.latency(), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn an_instances_bound_is_kept_and_a_place_is_given_back_however_the_attempt_ends() {
    let overload = OverloadSpec { max_per_instance: Some(1), ..OverloadSpec::default() };
    let spec = BackendSpec { overload, ..BackendSpec::new("b", Vec::new()) };
    let at = connected(&spec, 1, |link| link.offers_only(&["a"]));
    for _ in 0..3 {
        assert!(at.open_link().is_some());
        let one = send(&at);
        assert!(at.open_link().is_none() && matches!(at.take(), Err(Unsent::Full)));
        drop(one);
    }
    link(&at).answers(reply("{}"));
    let one = send(&at);
    one.await;
    assert!(at.open_link().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_not_sent_is_counted_nowhere() {
    let overload = OverloadSpec { max_per_instance: Some(1), ..OverloadSpec::default() };
    let spec = BackendSpec { overload, ..BackendSpec::new("b", Vec::new()) };
    let at = connected(&spec, 1, |link| link.offers_only(&[]));
    let open = at.open_link().expect("it is connected");
    let sent = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| send(&at)));
    assert!(sent.is_err(), "it does not offer the method");
    drop(open);
    assert_eq!((counted(&at), at.open_link().is_some()), ((vec![], 0, (0, 0)), true));
}

#[tokio::test(start_paused = true)]
async fn a_silent_instance_is_heard_of_and_asked_once_until_it_gives_a_sign() {
    let at = instance(HealthSpec::default());
    let (mut one, link, sign) = (send(&at), link(&at), Duration::from_millis(50));
    for round in 1..3 {
        tokio::time::advance(sign).await;
        link.falls_silent();
        assert!(matches!(one.heard().await, Heard::Silent) && one.is_silent(), "round {round}");
        let asked = one.ask();
        assert_eq!((one.ask(), link.asked.get()), (asked, round));
        assert!(!one.has_no_sign(asked, sign));
        tokio::time::advance(sign).await;
        assert!(one.has_no_sign(asked, sign));
        link.gives_a_sign();
        assert!(!one.has_no_sign(asked, sign) && !one.is_silent());
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_reply_in_items_takes_is_the_time_until_it_begins() {
    for (away, expected) in [(false, Some(1.0)), (true, None)] {
        let at = instance(HealthSpec::default());
        let (mut one, link) = (send(&at), link(&at));
        tokio::time::advance(SECOND).await;
        link.disturbed.set(away);
        let sending = link.begins(100);
        assert!(matches!(one.heard().await, Heard::Progress(Progress::Begun(_))));
        // Its items take as long as whoever reads them.
        link.disturbed.set(!away);
        tokio::time::advance(10 * SECOND).await;
        sending.ends(Outcome::Complete);
        one.await;
        assert_eq!(at.monitor.latency(), expected, "away: {away}");
    }
}
