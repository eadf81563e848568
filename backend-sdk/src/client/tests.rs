//! Who a client's endpoints are, with real servers: age, names, health.

use super::testing::*;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

const FOR_EVER: Duration = Duration::from_secs(3600);
const NAME: &str = "orders.internal:7101";

fn nobody() -> Script {
    Script::of(Err("nobody asks"))
}

fn by_name(script: &Script) -> super::Client {
    client(&[NAME.into()], FOR_EVER, script.clone())
}

#[tokio::test]
async fn behind_a_virtual_address_a_client_comes_to_the_instance_that_is_there_now() {
    let (old, new) = (run("old").await, run("new").await);
    let address = Virtual::of(old.address).await;
    let client = client(&[address.address.to_string()], Duration::from_millis(50), nobody());
    reaches(&client, "old").await;
    let waiting = tokio::spawn({
        let orders = WhichClient::new(client.clone());
        async move { orders.wait().await }
    });
    soon(old.instance.waiting.acquire()).await.expect("is open").forget();
    address.leads_to.send_replace(new.address);
    // Not one call fails meanwhile.
    soon(async { while who(&client).await.expect("both are well") != "new" {} }).await;
    old.instance.gate.add_permits(1);
    assert_eq!(soon(waiting).await.expect("no panic"), Ok("old".into()), "it was under way");
    for _ in 0..100 {
        assert_eq!(who(&client).await.as_deref(), Ok("new"));
    }
}

#[tokio::test]
async fn an_old_connection_serves_while_no_new_one_can_be_made() {
    let server = run("a").await;
    let address = Virtual::of(server.address).await;
    let client = client(&[address.address.to_string()], Duration::from_millis(20), nobody());
    reaches(&client, "a").await;
    // A port where nobody listens: the address is taken, and leads nowhere.
    let nowhere = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    address.leads_to.send_replace(nowhere.local_addr().expect("is bound"));
    drop(nowhere);
    let made = *address.accepted.borrow();
    while *address.accepted.borrow() < made + 3 {
        assert_eq!(who(&client).await.as_deref(), Ok("a"));
    }
}

#[tokio::test]
async fn a_name_stands_for_all_its_addresses() {
    let (a, b, c) = (run("a").await, run("b").await, run("c").await);
    let client = by_name(&Script::of(Ok(vec![a.address, b.address, c.address])));
    for name in ["a", "b", "c"] {
        reaches(&client, name).await;
    }
}

#[tokio::test]
async fn addresses_that_vanish_get_no_new_calls_and_finish_those_that_they_have() {
    let (a, b, c) = (run("a").await, run("b").await, run("c").await);
    let script = Script::of(Ok(vec![a.address, b.address]));
    let client = by_name(&script);
    reaches(&client, "b").await;
    reaches(&client, "a").await;
    let stub = WhichClient::new(client.clone());
    // Calls under way, until both have one.
    let mut waiting = tokio::task::JoinSet::new();
    while a.instance.waiting.available_permits() == 0 || b.instance.waiting.available_permits() == 0 {
        let stub = WhichClient::new(client.clone());
        waiting.spawn(async move { stub.wait().await });
        tokio::task::yield_now().await;
    }
    script.say(Ok(vec![b.address, c.address]));
    reaches(&client, "c").await;
    let before = a.instance.calls.load(Ordering::Relaxed);
    let mut seen = BTreeSet::new();
    for _ in 0..200 {
        seen.insert(soon(stub.who()).await.expect("all are well"));
    }
    assert_eq!(seen, ["b", "c"].map(String::from).into());
    assert_eq!(a.instance.calls.load(Ordering::Relaxed), before);
    [&a, &b].iter().for_each(|server| server.instance.gate.add_permits(10_000));
    let ended: BTreeSet<String> =
        soon(waiting.join_all()).await.into_iter().map(|end| end.expect("none is lost")).collect();
    assert_eq!(ended, ["a", "b"].map(String::from).into());
    // Its connection is closed then: the server has nothing to wait for.
    a.handle.drain();
    soon(a.task).await.expect("no panic");
}

#[tokio::test]
async fn an_error_and_an_answer_without_addresses_leave_the_last_good_list() {
    let a = run("a").await;
    let script = Script::of(Ok(vec![a.address]));
    let client = by_name(&script);
    reaches(&client, "a").await;
    for bad in [Err("the servers are away"), Ok(Vec::new())] {
        script.say(bad);
        script.is_asked(2).await;
        assert_eq!(who(&client).await.as_deref(), Ok("a"));
    }
}

#[tokio::test]
async fn calls_wait_for_a_name_that_was_not_answered_yet_and_say_why_in_the_end() {
    let a = run("a").await;
    let script = Script::of(Err("the servers are away"));
    let client = by_name(&script);
    let failed = soon(WhichClient::new(client.with_timeout(Duration::from_millis(50))).who()).await;
    let message = failed.expect_err("nobody is known").message;
    assert!(message.contains(NAME) && message.contains("the servers are away"), "{message}");
    let waiting = tokio::spawn({
        let client = client.clone();
        async move { who(&client).await }
    });
    script.is_asked(1).await;
    script.say(Ok(vec![a.address]));
    assert_eq!(soon(waiting).await.expect("no panic").as_deref(), Ok("a"));
}

#[tokio::test]
async fn a_lost_connection_has_its_name_looked_up_again() {
    let (a, b) = (run("a").await, run("b").await);
    let script = Script::of(Ok(vec![a.address]));
    let mut settings = settings(script.clone());
    settings.look_again = Duration::from_secs(3600);
    let client = client_with(&[NAME.into()], &settings);
    reaches(&client, "a").await;
    script.say(Ok(vec![b.address]));
    a.task.abort();
    reaches(&client, "b").await;
}

#[tokio::test]
async fn of_three_instances_the_one_that_fails_every_call_is_left_and_found_again() {
    let servers = [run("a").await, run("b").await, run("c").await];
    let addresses: Vec<SocketAddr> = servers.iter().map(|server| server.address).collect();
    let client = by_name(&Script::of(Ok(addresses)));
    for name in ["a", "b", "c"] {
        reaches(&client, name).await;
    }
    let bad = &servers[1].instance;
    bad.fails.store(true, Ordering::Relaxed);
    // It is ejected for a second: far longer than it takes to make these calls.
    let mut in_a_row = 0;
    soon(async {
        while in_a_row < 200 {
            in_a_row = if who(&client).await.is_ok() { in_a_row + 1 } else { 0 };
        }
    })
    .await;
    bad.fails.store(false, Ordering::Relaxed);
    reaches(&client, "b").await;
}

#[tokio::test]
async fn when_all_fail_all_are_called() {
    let servers = [run("a").await, run("b").await];
    let addresses: Vec<SocketAddr> = servers.iter().map(|server| server.address).collect();
    let client = by_name(&Script::of(Ok(addresses)));
    reaches(&client, "a").await;
    reaches(&client, "b").await;
    servers.iter().for_each(|server| server.instance.fails.store(true, Ordering::Relaxed));
    for _ in 0..200 {
        assert!(who(&client).await.is_err());
    }
    // Each gets many of them, even where one was ejected before the other failed as well.
    for server in &servers {
        assert!(server.instance.calls.load(Ordering::Relaxed) > 20, "{}", server.instance.name);
    }
    servers[0].instance.fails.store(false, Ordering::Relaxed);
    reaches(&client, "a").await;
}

#[tokio::test]
async fn all_tasks_end_with_the_last_client() {
    let a = run("a").await;
    let metrics = tokio::runtime::Handle::current().metrics();
    let before = metrics.num_alive_tasks();
    let client = client(&[NAME.into(), a.address.to_string()], FOR_EVER, Script::of(Ok(vec![a.address])));
    reaches(&client, "a").await;
    assert!(metrics.num_alive_tasks() > before + 4, "a follower, a reviewer, two supervisors, a connection");
    drop(client);
    soon(async {
        while metrics.num_alive_tasks() > before {
            tokio::task::yield_now().await
        }
    })
    .await;
}
