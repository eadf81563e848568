//! Calls that one instance does not settle: what is sent again, how often, and what the client is told; calls that wait
//! for an instance; and the caller's own deadline.

use callgate_tests::{Answer, Backend, Client, Gateway, Setup, eventually};
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};

/// So many calls that one of them at least begins at each of two instances.
const CALLS: u32 = 40;

/// A budget that no test uses up unless it wants to, though its tries are in vain.
const RICH: &str = "retry_budget = \"100%\"";

/// Any instance is asked, whatever calls before have come to. Three routes: `POST /safe` (the method says that it is idempotent), `POST /once` (it is not), `GET /remaining`.
fn table(backends: &[&Backend], backend_lines: &str, route_lines: &str) -> String {
    let endpoints: Vec<String> = backends.iter().map(|backend| backend.endpoint()).collect();
    let mut text =
        format!("[backends.unruly]\nendpoints = {endpoints:?}\nbalance = \"random\"\n{backend_lines}\n");
    for (matched, call) in
        [("POST /safe", "unruly.safe"), ("POST /once", "unruly.once"), ("GET /remaining", "unruly.remaining")]
    {
        text.push_str(&format!("[[routes]]\nmatch = \"{matched}\"\ncall = \"{call}\"\n{route_lines}\n"));
    }
    text
}

async fn gateway(setup: &Setup, backends: &[&Backend], backend_lines: &str, route_lines: &str) -> Gateway {
    setup.write_routes("unruly.toml", &table(backends, backend_lines, route_lines));
    let gateway = setup.gateway().await;
    for backend in backends {
        gateway.connected(backend).await;
    }
    gateway
}

/// Calls a route: what goes wrong at that endpoint, or at all of them by `*`.
async fn call(client: &Client, route: &str, how: &str, at: &str) -> Answer {
    client.post(route, format!("{{\"how\": {how:?}, \"at\": {at:?}}}")).await
}

async fn retries(gateway: &Gateway, reason: &str) -> f64 {
    gateway.metric("callgate_retries_total", &[&format!("reason=\"{reason}\"")]).await
}

/// Calls that were sent to instances and have ended.
async fn sent(gateway: &Gateway, labels: &[&str]) -> f64 {
    gateway.metric("callgate_calls_total", labels).await
}

#[tokio::test]
async fn an_idempotent_call_goes_to_another_instance_after_whatever_failure_a_retry_may_help_against() {
    // A gateway for each: in the end it leaves an instance that only fails.
    for (how, reason) in [("fail", "unavailable"), ("refuse-100", "refused"), ("hang", "timeout")] {
        let setup = Setup::new();
        let (bad, good) = (setup.backend("unruly"), setup.backend("unruly"));
        let lines = "retry = { per_try_timeout = \"200ms\" }";
        let gateway = gateway(&setup, &[&bad, &good], "", lines).await;
        for _ in 0..CALLS {
            let answer = call(&gateway.client, "/safe", how, &bad.endpoint()).await;
            assert_eq!((answer.status, answer.json()), (200, good.endpoint().into()), "{how}");
        }
        assert!(retries(&gateway, reason).await > 0.0, "{how}");
        let page = gateway.admin.get("/backends").await.json();
        assert!(page["backends"][0]["retries"][reason].as_u64() > Some(0), "{page}");
        let first = sent(&gateway, &[]).await;
        let answer = call(&gateway.client, "/safe", "missing", "*").await;
        assert_eq!((answer.status, sent(&gateway, &[]).await), (404, first + 1.0), "an answer is an answer");
    }
}

#[tokio::test]
async fn a_call_that_may_have_run_is_sent_once_unless_it_is_idempotent() {
    let setup = Setup::new();
    let (bad, good) = (setup.backend("unruly"), setup.backend("unruly"));
    let gateway = gateway(&setup, &[&bad, &good], RICH, "").await;
    let mut failed = 0;
    for n in 1..=CALLS {
        let answer = call(&gateway.client, "/once", "fail", &bad.endpoint()).await;
        assert!([200, 503].contains(&answer.status), "{}", answer.text());
        failed += u32::from(answer.status == 503);
        assert_eq!(sent(&gateway, &[]).await, f64::from(n), "sent once");
    }
    assert!(failed > 0);
    assert_eq!(retries(&gateway, "unavailable").await, 0.0);
}

#[tokio::test]
async fn a_call_that_may_have_run_is_sent_again_if_its_request_has_a_key() {
    let setup = Setup::new();
    let (bad, good) = (setup.backend("unruly"), setup.backend("unruly"));
    let gateway = gateway(&setup, &[&bad, &good], RICH, "idempotency_key = true\nidempotent = false").await;
    let body = format!("{{\"how\": \"fail\", \"at\": {:?}}}", bad.endpoint());
    let headers = [("content-type", "application/json"), ("idempotency-key", "\"k1\"")];
    for _ in 0..CALLS {
        let answer = gateway.client.send("POST", "/once", &headers, body.clone()).await;
        assert_eq!((answer.status, answer.json()), (200, good.endpoint().into()));
    }
    let again = retries(&gateway, "unavailable").await;
    assert!(again > 0.0);
    for _ in 0..CALLS {
        call(&gateway.client, "/once", "fail", &bad.endpoint()).await;
    }
    assert_eq!(retries(&gateway, "unavailable").await, again, "without a key it is sent once");
}

#[tokio::test]
async fn a_call_that_was_refused_has_not_run_and_is_sent_again_whatever_its_method() {
    let setup = Setup::new();
    let (bad, good) = (setup.backend("unruly"), setup.backend("unruly"));
    let gateway = gateway(&setup, &[&bad, &good], RICH, "").await;
    for _ in 0..CALLS {
        let answer = call(&gateway.client, "/once", "refuse-100", &bad.endpoint()).await;
        assert_eq!(answer.status, 200, "it has not run: {}", answer.text());
    }
    assert!(retries(&gateway, "refused").await > 0.0);
}

#[tokio::test]
async fn the_route_has_the_last_word_on_what_is_idempotent_and_on_what_is_retried() {
    for (lines, route, how, retried) in [
        ("idempotent = true", "/once", "fail", true),
        ("idempotent = false", "/safe", "fail", false),
        ("retry = false", "/safe", "fail", false),
        ("retry = { on = [\"lost\"] }", "/safe", "fail", false),
        ("retry = { on = [\"lost\"] }", "/once", "refuse-1", false),
        ("retry = { on = [\"refused\"] }", "/once", "refuse-1", true),
    ] {
        let setup = Setup::new();
        let (bad, good) = (setup.backend("unruly"), setup.backend("unruly"));
        let gateway = gateway(&setup, &[&bad, &good], RICH, lines).await;
        let mut failed = 0;
        for _ in 0..CALLS {
            failed += u32::from(call(&gateway.client, route, how, &bad.endpoint()).await.status == 503);
        }
        assert_eq!(failed == 0, retried, "{lines}, {route}, {how}: {failed} failed");
    }
}

#[tokio::test]
async fn an_idempotent_call_outlives_the_instance_that_dies_of_it() {
    let setup = Setup::new();
    let (mut bad, good) = (setup.backend("unruly"), setup.backend("unruly"));
    let gateway = gateway(&setup, &[&bad, &good], RICH, "").await;
    for (route, survives) in [("/safe", true), ("/once", false)] {
        eventually("a call that its instance dies of", async || {
            let answer = call(&gateway.client, route, "die", &bad.endpoint()).await;
            let lost = sent(&gateway, &["outcome=\"lost\""]).await;
            if survives || answer.status == 200 {
                assert_eq!(answer.status, 200, "{}", answer.text());
            } else {
                assert!(answer.status == 503 && answer.text().contains("lost"), "{}", answer.text());
            }
            let died = if survives { 1.0 } else { 2.0 };
            (lost == died).then_some(())
        })
        .await;
        bad.kill();
        bad.start();
        gateway.connected(&bad).await;
    }
    assert_eq!(retries(&gateway, "lost").await, 1.0);
}

#[tokio::test]
async fn calls_to_an_instance_that_went_silent_are_answered_by_another_while_it_is_only_doubted() {
    let setup = Setup::new();
    let (silent, good) = (setup.backend("unruly"), setup.backend("unruly"));
    // Nobody is left or too late while this test lasts: what is answered is answered because of the doubt.
    let lines = format!("{RICH}\nping_interval = \"100ms\"\nping_timeout = \"1m\"");
    let gateway = gateway(&setup, &[&silent, &good], &lines, "timeout = \"1h\"").await;
    silent.signal(Signal::SIGSTOP);
    let mut fragile = tokio::task::JoinSet::new();
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..CALLS {
        let client = gateway.client.clone();
        fragile.spawn(async move { call(&client, "/once", "well", "*").await });
        let client = gateway.client.clone();
        calls.spawn(async move { call(&client, "/safe", "well", "*").await });
    }
    for answer in calls.join_all().await {
        assert_eq!((answer.status, answer.json()), (200, good.endpoint().into()));
    }
    assert!(retries(&gateway, "silent").await > 0.0);
    let page = gateway.admin.get("/backends").await.json();
    let endpoints = page["backends"][0]["endpoints"].as_array().expect("a list");
    let stopped = endpoints.iter().find(|one| one["address"] == silent.endpoint()).expect("it is there");
    assert_eq!(stopped["state"], "silent", "{page}");
    for metric in ["callgate_backend_disconnects_total", "callgate_ejections_total"] {
        assert_eq!(gateway.metric(metric, &[]).await, 0.0, "{metric}");
    }
    // The other calls may have run: they wait for the instance that has them.
    silent.signal(Signal::SIGCONT);
    for answer in fragile.join_all().await {
        assert_eq!(answer.status, 200);
    }
    let sent = sent(&gateway, &[]).await - retries(&gateway, "silent").await;
    assert_eq!(sent, f64::from(2 * CALLS), "each of them was sent once");
}

#[tokio::test]
async fn a_call_goes_on_from_one_silent_instance_to_the_next_and_stays_where_there_is_no_other() {
    let setup = Setup::new();
    let backends = [setup.backend("unruly"), setup.backend("unruly"), setup.backend("unruly")];
    let lines = format!("{RICH}\nping_interval = \"100ms\"\nping_timeout = \"1m\"");
    let [first, second, third] = &backends;
    let gateway = gateway(&setup, &[first, second, third], &lines, "timeout = \"1h\"").await;
    for silent in [first, second] {
        silent.signal(Signal::SIGSTOP);
    }
    let ask = || {
        let mut calls = tokio::task::JoinSet::new();
        for _ in 0..CALLS {
            let client = gateway.client.clone();
            calls.spawn(async move { call(&client, "/safe", "well", "*").await });
        }
        calls
    };
    for answer in ask().join_all().await {
        assert_eq!((answer.status, answer.json()), (200, third.endpoint().into()));
    }
    let before = retries(&gateway, "silent").await;
    third.signal(Signal::SIGSTOP);
    let calls = ask();
    eventually("all to be silent", async || {
        let page = gateway.admin.get("/backends").await.json();
        let endpoints = page["backends"][0]["endpoints"].as_array().expect("a list");
        endpoints.iter().all(|one| one["state"] == "silent").then_some(())
    })
    .await;
    assert_eq!(retries(&gateway, "silent").await, before, "there is nobody else to ask");
    for silent in &backends {
        silent.signal(Signal::SIGCONT);
    }
    for answer in calls.join_all().await {
        assert_eq!(answer.status, 200);
    }
}

#[tokio::test]
async fn a_try_is_cut_short_only_where_another_may_follow() {
    let setup = Setup::new();
    let backend = setup.backend("unruly");
    let lines = "timeout = \"2s\"\nretry = { attempts = 2, per_try_timeout = \"100ms\" }";
    let gateway = gateway(&setup, &[&backend], RICH, lines).await;
    // The first try is too short for it; the second has the rest of the time.
    let answer = call(&gateway.client, "/safe", "wait-500", "*").await;
    assert_eq!((answer.status, retries(&gateway, "timeout").await), (200, 1.0), "{}", answer.text());
    let answer = call(&gateway.client, "/once", "wait-500", "*").await;
    assert_eq!((answer.status, retries(&gateway, "timeout").await), (200, 1.0), "{}", answer.text());
}

#[tokio::test]
async fn when_everything_fails_the_budget_bounds_the_tries_and_the_last_failure_is_told() {
    for (budget, share) in [("20%", 0.2), ("0%", 0.0)] {
        let setup = Setup::new();
        let backends = [setup.backend("unruly"), setup.backend("unruly")];
        let lines = format!("retry_budget = {budget:?}");
        let gateway = gateway(&setup, &[&backends[0], &backends[1]], &lines, "").await;
        let began = Instant::now();
        let mut tasks = tokio::task::JoinSet::new();
        for _ in 0..10 {
            let client = gateway.client.clone();
            tasks.spawn(async move {
                for _ in 0..100 {
                    let answer = call(&client, "/safe", "fail", "*").await;
                    assert!(answer.status == 503 && answer.text().contains("as told"), "{}", answer.text());
                }
            });
        }
        tasks.join_all().await;
        let (calls, tries) = (1000.0, sent(&gateway, &[]).await);
        // Ten tries a second and worker are free, here of two workers, unless there is no budget at all.
        let floor = if share > 0.0 { 20.0 * (began.elapsed().as_secs_f64() + 1.0) } else { 0.0 };
        assert!(tries >= calls && tries <= calls * (1.0 + share) + floor, "{budget}: {tries} tries");
        assert_eq!(retries(&gateway, "unavailable").await, tries - calls);
        assert!(gateway.metric("callgate_retry_budget_exhausted_total", &["unruly"]).await > 0.0);
    }
}

#[tokio::test]
async fn an_instance_that_is_full_is_asked_again_when_it_says_and_not_at_once() {
    let setup = Setup::new();
    let backend = setup.backend("unruly");
    let gateway = gateway(&setup, &[&backend], RICH, "retry = { attempts = 2 }").await;
    let began = Instant::now();
    let answer = call(&gateway.client, "/once", "refuse-300", "*").await;
    assert!(answer.status == 503 && answer.text().contains("as told"), "{}", answer.text());
    assert!(began.elapsed() >= Duration::from_millis(300), "{:?}", began.elapsed());
    assert_eq!(sent(&gateway, &[]).await, 2.0);
    let answer = call(&gateway.client, "/once", "refuse-5000", "*").await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "5"), "for the client to wait");
    assert_eq!(sent(&gateway, &[]).await, 3.0);
}

#[tokio::test]
async fn calls_wait_for_an_instance_while_none_is_there() {
    let setup = Setup::new();
    let mut backend = setup.backend("unruly");
    let gateway = gateway(&setup, &[&backend], "hold = \"60s\"", "timeout = \"60s\"").await;
    let held = async || gateway.metric("callgate_calls_held", &[]).await;
    backend.stop().await;
    let mut waiting = tokio::task::JoinSet::new();
    for route in ["/safe", "/once"] {
        let client = gateway.client.clone();
        waiting.spawn(async move { call(&client, route, "well", "*").await });
    }
    eventually("both wait", || async { (held().await == 2.0).then_some(()) }).await;
    let answer = gateway.client.send("GET", "/remaining", &[("x-request-timeout", "50ms")], "").await;
    assert_eq!(answer.status, 504, "within the deadline: {}", answer.text());
    // One whose client is gone waits no longer.
    let gone = Client::new(gateway.addr);
    let gone = tokio::spawn(async move { call(&gone, "/once", "well", "*").await });
    eventually("a third waits", || async { (held().await == 3.0).then_some(()) }).await;
    gone.abort();
    eventually("two wait", || async { (held().await == 2.0).then_some(()) }).await;
    backend.start();
    for answer in waiting.join_all().await {
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    assert_eq!(held().await, 0.0);
    assert_eq!(gateway.metric("callgate_held_calls_total", &["served"]).await, 2.0);
    assert_eq!(gateway.metric("callgate_held_calls_total", &["given_up"]).await, 1.0);
}

#[tokio::test]
async fn a_held_call_goes_by_a_table_that_comes_meanwhile() {
    let setup = Setup::new();
    let (mut old, new) = (setup.backend("unruly"), setup.backend("unruly"));
    let gateway = gateway(&setup, &[&old], "hold = \"60s\"", "timeout = \"60s\"").await;
    old.kill();
    let client = gateway.client.clone();
    let waiting = tokio::spawn(async move { call(&client, "/once", "well", "*").await });
    let held = async || gateway.metric("callgate_calls_held", &[]).await;
    eventually("it waits", || async { (held().await == 1.0).then_some(()) }).await;
    setup.write_routes("unruly.toml", &table(&[&new], "", ""));
    let answer = waiting.await.expect("the call ends");
    assert_eq!((answer.status, answer.json()), (200, new.endpoint().into()));
}

#[tokio::test]
async fn without_holding_a_call_is_refused_at_once_when_no_instance_is_there() {
    let setup = Setup::new();
    let mut backend = setup.backend("unruly");
    let gateway = gateway(&setup, &[&backend], "hold = \"0s\"", "").await;
    backend.kill();
    eventually("it is seen to be gone", async || {
        let answer = call(&gateway.client, "/once", "well", "*").await;
        (answer.status == 503 && answer.text().contains("no instance")).then_some(())
    })
    .await;
    assert_eq!(gateway.metric("callgate_held_calls_total", &[]).await, 0.0);
}

#[tokio::test]
async fn the_callers_patience_is_the_calls_deadline() {
    let setup = Setup::new();
    let backend = setup.backend("unruly");
    let gateway = gateway(&setup, &[&backend], "", "timeout = \"5s\"").await;
    for (headers, most) in [
        (&[][..], 5000),
        (&[("x-request-timeout", "1500ms")], 1500),
        (&[("x-request-timeout", "2")], 2000),
        (&[("x-request-timeout", "1m")], 5000),
        (&[("grpc-timeout", "1800m")], 1800),
        (&[("grpc-timeout", "1H")], 5000),
        (&[("x-request-timeout", "1s"), ("grpc-timeout", "3S")], 1000),
    ] {
        let answer = gateway.client.send("GET", "/remaining", headers, "").await;
        let remaining = answer.json().as_u64();
        assert!(remaining > Some(most / 2) && remaining <= Some(most), "{headers:?}: {}", answer.text());
    }
    let before = sent(&gateway, &[]).await;
    for (name, value) in [("x-request-timeout", "soon"), ("grpc-timeout", "1s"), ("grpc-timeout", "")] {
        let answer = gateway.client.send("GET", "/remaining", &[(name, value)], "").await;
        assert_eq!(answer.status, 400, "{name}: {value}");
        assert!(answer.text().to_lowercase().contains(name), "{}", answer.text());
    }
    for header in [("x-request-timeout", "0"), ("grpc-timeout", "0m")] {
        assert_eq!(gateway.client.send("GET", "/remaining", &[header], "").await.status, 504);
    }
    assert_eq!(sent(&gateway, &[]).await, before, "none of them was sent");
    let answer =
        gateway.client.send("POST", "/once", &[("x-request-timeout", "100ms")], r#"{"how":"hang","at":"*"}"#);
    assert_eq!(answer.await.status, 504);
}

#[tokio::test]
async fn a_slow_idempotent_call_is_hedged_and_the_slower_try_is_cancelled() {
    let setup = Setup::new();
    let (slow, quick) = (setup.backend("unruly"), setup.backend("unruly"));
    let gateway = gateway(&setup, &[&slow, &quick], RICH, "retry = { hedge = \"p90\" }").await;
    // One connection, and so one worker, which has to know what is usual before it can tell what is slow.
    for _ in 0..100 {
        assert_eq!(call(&gateway.client, "/safe", "well", "*").await.status, 200);
    }
    let second = async || gateway.metric("callgate_hedges_total", &["second"]).await;
    let before = second().await;
    for _ in 0..CALLS {
        let answer = call(&gateway.client, "/safe", "hang", &slow.endpoint()).await;
        assert_eq!((answer.status, answer.json()), (200, quick.endpoint().into()));
    }
    let hedged = second().await - before;
    assert!(hedged > 0.0);
    let endpoint = slow.endpoint();
    eventually("the slow tries are cancelled", || async {
        let open = gateway.metric("callgate_calls_in_flight", &[&endpoint]).await;
        (open == 0.0).then_some(())
    })
    .await;
    let cancelled = sent(&gateway, &[&endpoint, "outcome=\"cancelled\""]).await;
    assert!(cancelled >= hedged, "{cancelled} of {hedged}");
    // What may not run twice is not hedged.
    let all = gateway.metric("callgate_hedges_total", &[]).await;
    for _ in 0..CALLS {
        assert_eq!(call(&gateway.client, "/once", "wait-20", &endpoint).await.status, 200);
    }
    assert_eq!(gateway.metric("callgate_hedges_total", &[]).await, all);
}
