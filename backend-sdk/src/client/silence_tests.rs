//! Endpoints that give no sign of life, and those that do not answer a call: a relay before a real server is frozen.

use super::Client;
use super::connection::{Call, Calls, Connection};
use super::queue::Queue;
use super::testing::*;
use crate::{Server, Status};
use callgate_protocol::{CallId, Event, Hello, Limits, MetadataBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake};
use std::time::Duration;
use tokio::time::Instant;

/// Waits until the client doubts one of its endpoints.
async fn doubts(client: &Client) {
    until(|| {
        let table = client.pool.members.read();
        table.seats.iter().filter_map(|seat| seat.connection()).any(|connection| connection.is_silent())
    })
    .await;
}

fn wait(client: &Client) -> tokio::task::JoinHandle<Result<String, Status>> {
    let orders = WhichClient::new(client.clone());
    tokio::spawn(async move { orders.wait().await })
}

/// Somebody who is woken at once, and looks.
struct Looks(Arc<Connection>, AtomicBool);

impl Wake for Looks {
    fn wake(self: Arc<Self>) {
        self.1.store(self.0.is_silent(), Ordering::Relaxed);
    }
}

#[test]
fn who_is_told_that_a_peer_has_fallen_silent_finds_it_so() {
    let hello = Hello::new("a peer", Limits::default(), Vec::new());
    let queue = Arc::new(Queue::new(Calls::new(&hello)));
    queue.with(|calls| calls.on_event(Event::Hello(hello.clone())).map(drop)).expect("its first word");
    let peer = Arc::new(Connection::new(queue, hello, "a peer".into()));
    let deadline = Instant::now() + Duration::from_secs(60);
    let metadata = MetadataBuf::default();
    let (call_id, streams) = (CallId::of("which", "who"), Default::default());
    let call = Call { call_id, streams, metadata: &metadata, payload: b"", deadline };
    let sent = peer.clone().place_now(call).expect("it has a place");
    let looks = Arc::new(Looks(peer.clone(), AtomicBool::new(false)));
    assert!(sent.poll_heard(&Context::from_waker(&looks.clone().into())).is_pending());
    peer.falls_silent();
    assert!(looks.1.load(Ordering::Relaxed), "it was to choose another endpoint");
}

#[tokio::test]
async fn idempotent_calls_of_an_endpoint_that_falls_silent_are_answered_by_another() {
    let (a, b) = (run("a").await, run("b").await);
    let relay = Virtual::of(a.address).await;
    let client = of(&[relay.address, b.address]);
    reaches(&client, "a").await;
    reaches(&client, "b").await;
    relay.frozen.send_replace(true);
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let client = client.clone();
        calls.spawn(async move { who(&client).await });
    }
    let answers = soon(calls.join_all()).await;
    assert!(answers.iter().all(|answer| answer.as_deref() == Ok("b")), "{answers:?}");
    // From then on it gets none.
    doubts(&client).await;
    let before = b.instance.calls.load(Ordering::Relaxed);
    for _ in 0..50 {
        assert_eq!(who(&client).await.as_deref(), Ok("b"));
    }
    assert_eq!(b.instance.calls.load(Ordering::Relaxed), before + 50);
    relay.frozen.send_replace(false);
    reaches(&client, "a").await;
}

#[tokio::test]
async fn a_call_that_must_not_run_twice_stays_where_it_is() {
    let (a, b) = (run("a").await, run("b").await);
    let relay = Virtual::of(a.address).await;
    let script = Script::of(Ok(vec![relay.address]));
    let client = client_with(&["orders.internal:7101".into()], &settings(script.clone()));
    reaches(&client, "a").await;
    let waiting = wait(&client);
    soon(a.instance.waiting.acquire()).await.expect("is open").forget();
    script.say(Ok(vec![relay.address, b.address]));
    reaches(&client, "b").await;
    relay.frozen.send_replace(true);
    doubts(&client).await;
    a.instance.gate.add_permits(1);
    relay.frozen.send_replace(false);
    assert_eq!(soon(waiting).await.expect("no panic").as_deref(), Ok("a"));
    assert_eq!(b.instance.waiting.available_permits(), 0, "it was not sent there");
}

#[tokio::test]
async fn where_no_other_endpoint_is_there_calls_stay_with_the_silent_one() {
    let a = run("a").await;
    let relay = Virtual::of(a.address).await;
    let client = of(&[relay.address]);
    reaches(&client, "a").await;
    relay.frozen.send_replace(true);
    let calls = [(); 2].map(|()| {
        let client = client.clone();
        tokio::spawn(async move { who(&client).await })
    });
    doubts(&client).await;
    let later = tokio::spawn({
        let client = client.clone();
        async move { who(&client).await }
    });
    tokio::task::yield_now().await;
    relay.frozen.send_replace(false);
    for call in calls.into_iter().chain([later]) {
        assert_eq!(soon(call).await.expect("no panic").as_deref(), Ok("a"));
    }
}

#[tokio::test]
async fn a_call_that_waits_for_a_place_at_a_silent_endpoint_goes_to_another() {
    let (a, b) = (run_with("a", Server::new().max_calls(1)).await, run("b").await);
    let relay = Virtual::of(a.address).await;
    let script = Script::of(Ok(vec![relay.address]));
    let client = client_with(&["orders.internal:7101".into()], &settings(script.clone()));
    reaches(&client, "a").await;
    let first = wait(&client);
    soon(a.instance.waiting.acquire()).await.expect("is open").forget();
    // It waits for the only place that this endpoint has, and nobody knows of another yet.
    let second = wait(&client);
    tokio::task::yield_now().await;
    script.say(Ok(vec![relay.address, b.address]));
    is_connected(&client, 2).await;
    assert_eq!(b.instance.waiting.available_permits(), 0, "it waits still");
    relay.frozen.send_replace(true);
    soon(b.instance.waiting.acquire()).await.expect("is open").forget();
    b.instance.gate.add_permits(1);
    assert_eq!(soon(second).await.expect("no panic").as_deref(), Ok("b"));
    relay.frozen.send_replace(false);
    a.instance.gate.add_permits(1);
    assert_eq!(soon(first).await.expect("no panic").as_deref(), Ok("a"));
}

#[tokio::test]
async fn a_hedge_is_sent_where_an_endpoint_does_not_answer_a_call() {
    let (a, b) = (run("a").await, run("b").await);
    let endpoints = [a.address.to_string(), b.address.to_string()];
    let hedged = |after| {
        let script = Script::of(Err("nobody asks"));
        client_with(&endpoints, &super::pool::Settings { hedge_after: Some(after), ..settings(script) })
    };
    let client = hedged(Duration::from_millis(20));
    reaches(&client, "a").await;
    reaches(&client, "b").await;
    a.instance.hangs.store(true, Ordering::Relaxed);
    for _ in 0..20 {
        assert_eq!(who(&client).await.as_deref(), Ok("b"));
    }
    // Before its time nothing is sent twice.
    let (patient, before) = (hedged(Duration::from_secs(600)), b.instance.calls.load(Ordering::Relaxed));
    a.instance.hangs.store(false, Ordering::Relaxed);
    let calls_of_a = a.instance.calls.load(Ordering::Relaxed);
    for _ in 0..20 {
        who(&patient).await.expect("both are well");
    }
    let made = a.instance.calls.load(Ordering::Relaxed) - calls_of_a;
    assert_eq!(made + b.instance.calls.load(Ordering::Relaxed) - before, 20);
}
