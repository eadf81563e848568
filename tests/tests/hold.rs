//! Calls that wait for an instance: how many may.

use callgate_tests::{Raw, Setup, eventually};

/// Calls that one worker lets wait for a backend; gateways of tests have two workers.
const MAX_HELD: usize = 1024;

async fn ask(gateway: &callgate_tests::Gateway) -> Raw {
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write("GET /v1/calc/add?a=1&b=2 HTTP/1.1\r\nhost: x\r\n\r\n").await;
    raw
}

#[tokio::test]
async fn only_so_many_calls_wait_and_those_that_do_are_served() {
    let setup = Setup::new();
    let mut backend = setup.backend("shop");
    backend.kill();
    setup.write_routes(
        "shop.toml",
        &format!(
            "[backends.shop]\nendpoints = [{:?}]\nhold = \"60s\"\n\
             [[routes]]\nmatch = \"GET /v1/calc/add\"\ncall = \"calc.add\"\ntimeout = \"1h\"\n",
            backend.endpoint()
        ),
    );
    let gateway = setup.gateway().await;
    let held = async || gateway.metric("callgate_calls_held", &[]).await;
    let ended = async |outcome: &str| gateway.metric("callgate_held_calls_total", &[outcome]).await;
    let mut waiting = Vec::new();
    // New connections go to the worker with fewer, so that half of them wait in each.
    for _ in 0..2 * MAX_HELD {
        waiting.push(ask(&gateway).await);
    }
    let all = (2 * MAX_HELD) as f64;
    eventually("all wait", || async { (held().await == all).then_some(()) }).await;
    assert_eq!(ended("outcome=\"refused\"").await, 0.0);
    let mut refused = Vec::new();
    for _ in 0..10 {
        refused.push(ask(&gateway).await);
    }
    for raw in &mut refused {
        let (head, body) = raw.answer().await.expect("an answer");
        assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("retry-after: "), "{head}{body}");
    }
    assert_eq!((held().await, ended("outcome=\"refused\"").await), (all, 10.0));
    backend.start();
    for raw in &mut waiting {
        assert_ne!(raw.status().await, 0, "everyone is answered");
    }
    assert_eq!((held().await, ended("outcome=\"served\"").await), (0.0, all));
}
