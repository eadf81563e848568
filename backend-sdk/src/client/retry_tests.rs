//! Calls that are sent again: where, and what that costs.

use super::Client;
use super::pool::Settings;
use super::testing::*;
use crate::Code;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Retries that are left, which are taken by this.
fn left(client: &Client) -> usize {
    (0..10_000).filter(|_| client.pool.budget.spend()).count()
}

#[tokio::test]
async fn who_has_failed_a_call_is_not_asked_again_while_another_one_has_it_and_is_named() {
    let (hangs, away) = (run("hangs").await, run("away").await);
    // A relay, so that it does not say either that the call's time is up.
    let relay = Virtual::of(hangs.address).await;
    away.instance.is_away.store(true, Ordering::Relaxed);
    let endpoints = [relay.address.to_string(), away.address.to_string()];
    let hedge_after = Some(Duration::from_millis(20));
    let settings = Settings { hedge_after, ..settings(Script::of(Err("nobody asks"))) };
    let client = client_with(&endpoints, &settings);
    is_connected(&client, 2).await;
    relay.frozen.send_replace(true);
    let status = who(&client.with_timeout(Duration::from_millis(300))).await.expect_err("nobody answers");
    assert_eq!(status.code, Code::DeadlineExceeded);
    assert_eq!(away.instance.calls.load(Ordering::Relaxed), 1);
    let says = |words: &str| assert!(status.message.contains(words), "{status}");
    says(&format!("{} has failed it: unavailable: away, as it was told", away.address));
}

#[tokio::test]
async fn a_call_goes_to_each_endpoint_once_before_it_comes_to_one_again() {
    let (a, b, c, well) = (run("a").await, run("b").await, run("c").await, run("well").await);
    for away in [&a, &b, &c] {
        away.instance.is_away.store(true, Ordering::Relaxed);
    }
    for _ in 0..30 {
        // Each knows nothing of them yet.
        let client = of(&[a.address, b.address, c.address, well.address]);
        is_connected(&client, 4).await;
        assert_eq!(who(&client).await.as_deref(), Ok("well"));
    }
}

#[tokio::test]
async fn retries_that_bring_a_result_take_nothing_from_the_budget() {
    let (away, well) = (run("away").await, run("well").await);
    away.instance.is_away.store(true, Ordering::Relaxed);
    let client = of(&[away.address, well.address]);
    is_connected(&client, 2).await;
    while away.instance.calls.load(Ordering::Relaxed) == 0 {
        assert_eq!(who(&client).await.as_deref(), Ok("well"));
    }
    assert_eq!(left(&client), 500);
}

#[tokio::test]
async fn a_call_without_an_answer_goes_to_one_that_is_ejected_where_no_other_is_left() {
    let (hangs, ejected) = (run("hangs").await, run("ejected").await);
    let endpoints = [hangs.address.to_string(), ejected.address.to_string()];
    let hedge_after = Some(Duration::from_millis(20));
    let settings = Settings { hedge_after, ..settings(Script::of(Err("nobody asks"))) };
    let client = client_with(&endpoints, &settings);
    is_connected(&client, 2).await;
    ejected.instance.fails.store(true, Ordering::Relaxed);
    soon(async {
        while client.pool.members.read().seats.iter().all(|seat| seat.weight > 0) {
            let _ = who(&client).await;
        }
    })
    .await;
    ejected.instance.fails.store(false, Ordering::Relaxed);
    hangs.instance.hangs.store(true, Ordering::Relaxed);
    // Its ejection lasts for a second.
    let hasty = client.with_timeout(Duration::from_millis(500));
    assert_eq!(who(&hasty).await.as_deref(), Ok("ejected"));
}
