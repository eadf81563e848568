//! Instances that fail, hesitate, are cut off or want no calls: they are left, tried again, and taken back.

use callgate_tests::gate::{self, Gate as _};
use callgate_tests::moody::{Mood, Moody, beside};
use callgate_tests::{Backend, Gateway, Setup, eventually};
use nix::sys::signal::Signal;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Two instances, or as many, and the gateway with those lines for their backend. Its calls are not spread by latency: an
/// instance gets what its health allows.
async fn start(setup: &Setup, n: usize, lines: &str) -> (Vec<Backend>, Gateway) {
    let backends: Vec<Backend> = (0..n).map(|_| setup.backend("moody")).collect();
    let endpoints: Vec<String> = backends.iter().map(Backend::endpoint).collect();
    setup.write_routes(
        "moody.toml",
        &format!(
            "[backends.moody]\nendpoints = {endpoints:?}\nbalance = \"least_request\"\n{lines}\n\
             [[routes]]\nmatch = \"GET /ask\"\ncall = \"moody.ask\"\nresponse = {{ wrap = \"pid\" }}\n"
        ),
    );
    let gateway = setup.gateway().await;
    for backend in &backends {
        gateway.connected(backend).await;
    }
    (backends, gateway)
}

/// Ejections and slow starts that a test need not wait for.
const QUICK: &str = "health = { ejection = \"300ms\", max_ejection = \"300ms\", slow_start = \"1ms\" }";

async fn ask(gateway: &Gateway) -> u16 {
    gateway.client.get("/ask").await.status
}

/// Asks from many connections, so that both workers have their share; how many of the answers were good.
async fn ask_many(gateway: &Gateway, n: usize) -> usize {
    let mut good = 0;
    for _ in 0..n.div_ceil(16) {
        let sixteen = (0..16).map(|_| {
            let client = gateway.client.clone();
            tokio::spawn(async move { client.get("/ask").await.status })
        });
        for asking in sixteen.collect::<Vec<_>>() {
            good += usize::from(asking.await.expect("no panic") == 200);
        }
    }
    good
}

/// What `/backends` has of an instance.
async fn page(gateway: &Gateway, backend: &Backend) -> Value {
    let page = gateway.admin.get("/backends").await.json();
    let endpoints = page["backends"][0]["endpoints"].as_array().expect("a list").iter();
    endpoints.clone().find(|one| one["address"] == backend.endpoint()).expect("it is in the table").clone()
}

/// Waits until every worker sees the instance in one of these states, while calls go on.
async fn stands(gateway: &Gateway, backend: &Backend, states: &[&str]) {
    eventually(&format!("{states:?}"), || async {
        ask_many(gateway, 16).await;
        let page = page(gateway, backend).await;
        let workers = page["health"].as_array().expect("a list").iter();
        workers.clone().all(|one| states.contains(&one["state"].as_str().unwrap_or_default())).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_instance_that_fails_is_left_but_for_probes_and_taken_back_when_it_is_well() {
    let setup = Setup::new();
    let (backends, gateway) = start(&setup, 2, QUICK).await;
    let moody = beside(&backends[0].endpoint());
    moody.be(Mood::Failing).await.expect("it does as it is told");
    stands(&gateway, &backends[0], &["ejected", "probing"]).await;
    let endpoint = backends[0].endpoint();
    let ejections = gateway.metric("callgate_ejections_total", &[&endpoint]).await;
    assert!(ejections >= 2.0, "once in each worker: {ejections}");
    let before = moody.asked().await.expect("an answer");
    let good = ask_many(&gateway, 320).await;
    let probes = moody.asked().await.expect("an answer") - before;
    assert!(good as u64 + probes >= 320, "only probes failed: {good} and {probes}");
    assert!(probes < 32, "{probes} of 320");
    let page = page(&gateway, &backends[0]).await;
    assert!(page["health"][0]["failures"].as_u64() > Some(0), "{page:#}");
    moody.be(Mood::Well).await.expect("it does as it is told");
    stands(&gateway, &backends[0], &["ok"]).await;
    let before = moody.asked().await.expect("an answer");
    assert_eq!(ask_many(&gateway, 160).await, 160);
    assert!(moody.asked().await.expect("an answer") > before + 16);
    assert!(gateway.metric("callgate_recoveries_total", &[&endpoint]).await >= 2.0);
}

#[tokio::test]
async fn when_all_fail_all_are_used_and_the_first_that_recovers_takes_the_calls() {
    let setup = Setup::new();
    let (backends, gateway) = start(&setup, 4, "").await;
    for backend in &backends {
        beside(&backend.endpoint()).be(Mood::Failing).await.expect("it does as it is told");
    }
    eventually("nothing but failures", || async { (ask_many(&gateway, 64).await == 0).then_some(()) }).await;
    let moody = beside(&backends[3].endpoint());
    moody.be(Mood::Well).await.expect("it does as it is told");
    // Those past the share that may be ejected get a trickle.
    eventually("hardly a failure", || async { (ask_many(&gateway, 160).await > 128).then_some(()) }).await;
}

#[tokio::test]
async fn an_instance_that_is_far_slower_than_others_is_left() {
    let setup = Setup::new();
    let (backends, gateway) = start(&setup, 3, "").await;
    ask_many(&gateway, 160).await;
    beside(&backends[1].endpoint()).be(Mood::Slow(200)).await.expect("it does as it is told");
    stands(&gateway, &backends[1], &["ejected", "probing"]).await;
    let labels = [&*backends[1].endpoint(), "reason=\"slow\""];
    assert!(gateway.metric("callgate_ejections_total", &labels).await >= 2.0);
}

#[tokio::test]
async fn an_instance_that_hangs_is_left_whether_calls_wait_for_it_or_not_and_found_again() {
    let setup = Setup::new();
    let lines = "ping_interval = \"500ms\"\nping_timeout = \"500ms\"";
    let (backends, gateway) = start(&setup, 2, lines).await;
    for calls in [false, true] {
        backends[0].signal(Signal::SIGSTOP);
        let labels = [&*backends[0].endpoint(), "reason=\"silent\""];
        let before = gateway.metric("callgate_backend_disconnects_total", &labels).await;
        eventually("the connections to be given up", || async {
            if calls {
                ask(&gateway).await;
            }
            let ended = gateway.metric("callgate_backend_disconnects_total", &labels).await - before;
            (ended >= 2.0).then_some(())
        })
        .await;
        for _ in 0..50 {
            assert_eq!(ask(&gateway).await, 200, "the other one answers");
        }
        backends[0].signal(Signal::SIGCONT);
        gateway.connected(&backends[0]).await;
    }
    let other = [&*backends[1].endpoint(), "reason=\"silent\""];
    assert_eq!(gateway.metric("callgate_backend_disconnects_total", &other).await, 0.0);
}

#[tokio::test]
async fn a_gateway_that_was_away_blames_no_instance_and_delivers_the_answers_that_have_come() {
    const EACH: usize = 24;
    let setup = Setup::new();
    let backends = [setup.backend("gate"), setup.backend("gate")];
    let endpoints: Vec<String> = backends.iter().map(Backend::endpoint).collect();
    let (timeout, lines) = (Duration::from_secs(3), "ping_interval = \"200ms\"\nping_timeout = \"500ms\"");
    setup.write_routes(
        "gate.toml",
        &format!(
            "[backends.gate]\nendpoints = {endpoints:?}\n{lines}\nmax_in_flight_per_instance = {EACH}\n\
             [[routes]]\nmatch = \"POST /enter/{{name}}\"\ncall = \"gate.enter\"\ntimeout = \"{timeout:?}\"\n\
             idempotent = true\nresponse = {{ wrap = \"pid\" }}\n"
        ),
    );
    let gateway = setup.gateway().await;
    for backend in &backends {
        gateway.connected(backend).await;
    }
    let calls = (0..2 * EACH).map(|name| {
        let client = gateway.client.clone();
        tokio::spawn(async move { client.post(&format!("/enter/{name}"), "").await })
    });
    let calls: Vec<_> = calls.collect();
    let gates = endpoints.iter().map(|endpoint| gate::beside(endpoint)).collect::<Vec<_>>();
    for gate in &gates {
        let entered = async || gate.entered().await.expect("an answer").len();
        eventually("the calls", async || (entered().await == EACH).then_some(())).await;
    }
    gateway.signal(Signal::SIGSTOP);
    let stopped = Instant::now();
    for gate in &gates {
        gate.open(EACH as u32).await.expect("it opens");
    }
    // For longer than an answer to a ping, a connection and a call may take.
    eventually("all deadlines to be over", async || (stopped.elapsed() > timeout * 5 / 4).then_some(()))
        .await;
    gateway.signal(Signal::SIGCONT);
    for call in calls {
        let answer = call.await.expect("no panic");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for metric in ["callgate_ejections_total", "callgate_backend_disconnects_total", "callgate_retries_total"]
    {
        assert_eq!(gateway.metric(metric, &[]).await, 0.0, "{metric}");
    }
}

#[tokio::test]
async fn a_handler_that_blocks_its_thread_for_longer_than_a_ping_may_take_is_no_silence() {
    let setup = Setup::new();
    let (backends, gateway) = start(&setup, 1, "ping_timeout = \"500ms\"").await;
    beside(&backends[0].endpoint()).be(Mood::Blocking(3000)).await.expect("it does as it is told");
    assert_eq!(ask(&gateway).await, 200);
    assert_eq!(gateway.metric("callgate_backend_disconnects_total", &[]).await, 0.0);
}

#[tokio::test]
async fn an_instance_that_is_not_ready_gets_no_calls_and_none_is_no_instance() {
    let setup = Setup::new();
    let (backends, gateway) = start(&setup, 2, QUICK).await;
    let moodies = [0, 1].map(|at: usize| beside(&backends[at].endpoint()));
    moodies[0].set_ready(false).await.expect("it does as it is told");
    stands(&gateway, &backends[0], &["not_ready"]).await;
    let before = moodies[0].asked().await.expect("an answer");
    assert_eq!(ask_many(&gateway, 160).await, 160);
    assert_eq!(moodies[0].asked().await.expect("an answer"), before);
    moodies[1].set_ready(false).await.expect("it does as it is told");
    stands(&gateway, &backends[1], &["not_ready"]).await;
    assert_eq!(ask_many(&gateway, 16).await, 0);
    assert_eq!(moodies[0].asked().await.expect("an answer"), before);

    // A gateway that comes later is told at once.
    let later = setup.gateway().await;
    for backend in &backends {
        later.connected(backend).await;
        stands(&later, backend, &["not_ready"]).await;
    }
    moodies[0].set_ready(true).await.expect("it does as it is told");
    for gateway in [&gateway, &later] {
        stands(gateway, &backends[0], &["ok"]).await;
        assert_eq!(ask_many(gateway, 160).await, 160);
    }
}

#[tokio::test]
async fn connections_that_are_old_are_replaced_and_no_call_notices() {
    let setup = Setup::new();
    let (backends, gateway) = start(&setup, 1, "max_age = \"1s\"").await;
    let endpoint = backends[0].endpoint();
    let drained = [&*endpoint, "reason=\"drained\""];
    eventually("some replacements", || async {
        assert_eq!(ask_many(&gateway, 16).await, 16);
        let ended = gateway.metric("callgate_backend_disconnects_total", &drained).await;
        (ended >= 4.0).then_some(())
    })
    .await;
    let all = gateway.metric("callgate_backend_disconnects_total", &[&endpoint]).await;
    assert_eq!(all, gateway.metric("callgate_backend_disconnects_total", &drained).await);
}

#[tokio::test]
async fn other_rules_of_health_keep_the_connections() {
    let setup = Setup::new();
    let (backends, gateway) = start(&setup, 1, "").await;
    let connects = gateway.metric("callgate_backend_connects_total", &[]).await;
    let text = std::fs::read_to_string(setup.routes().join("moody.toml")).expect("it was written");
    setup.write_routes("moody.toml", &text.replace("[[routes]]", "health = { failures = 7 }\n[[routes]]"));
    gateway.takes_its_tables().await;
    assert_eq!(ask_many(&gateway, 32).await, 32);
    assert_eq!(gateway.metric("callgate_backend_connects_total", &[&backends[0].endpoint()]).await, connects);
}
