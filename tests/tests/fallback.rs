//! What becomes of calls when the first backend has no instance: another one, or a fixed answer.

use callgate_tests::moody::{Mood, Moody, beside};
use callgate_tests::{Answer, Backend, Gateway, Setup, eventually};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

const OTHER: &str = "fallback = { backend = \"other\" }";
const ANSWER: &str =
    "fallback = { status = 203, json = { pid = 0 }, content_type = \"application/vnd.none+json\" }";

/// Two backends of one instance each, and `GET /ask` of the first with those lines.
async fn start(setup: &Setup, lines: &str) -> (Backend, Backend, Gateway) {
    let (first, other) = (setup.backend("moody"), setup.backend("moody"));
    // Who waited for an instance would wait for a minute.
    let text = format!(
        "[backends.first]\nendpoints = [{:?}]\nhold = \"1m\"\n[backends.other]\nendpoints = [{:?}]\nhold = \"0s\"\n\
         [[routes]]\nmatch = \"GET /ask\"\ncall = \"moody.ask\"\nresponse = {{ wrap = \"pid\" }}\nbackend = \"first\"\n\
         timeout = \"5m\"\n{lines}\n",
        first.endpoint(),
        other.endpoint(),
    );
    setup.write_routes("ask.toml", &text);
    let gateway = setup.gateway().await;
    for backend in [&first, &other] {
        gateway.connected(backend).await;
    }
    (first, other, gateway)
}

async fn ask(gateway: &Gateway) -> Answer {
    gateway.client.get("/ask").await
}

async fn pid(gateway: &Gateway) -> Value {
    let answer = ask(gateway).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["pid"].take()
}

async fn taken(gateway: &Gateway) -> f64 {
    gateway.metric("callgate_fallbacks_total", &["route=\"/ask\""]).await
}

async fn held(gateway: &Gateway) -> f64 {
    let waiting = gateway.metric("callgate_calls_held", &[]).await;
    waiting + gateway.metric("callgate_held_calls_total", &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_backend_answers_while_the_first_is_away_and_no_call_is_lost_or_held() {
    let setup = Setup::new();
    let (mut first, mut other, gateway) = start(&setup, OTHER).await;
    let ours = pid(&gateway).await;
    assert_eq!(taken(&gateway).await, 0.0);
    // Calls go on while the first dies, stays away and comes back.
    let done = Arc::new(AtomicBool::new(false));
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let (client, done) = (gateway.client.clone(), done.clone());
            tokio::spawn(async move {
                while !done.load(Relaxed) {
                    let answer = client.get("/ask").await;
                    assert_eq!(answer.status, 200, "{}", answer.text());
                }
            })
        })
        .collect();
    first.kill();
    eventually("the fallback", async || (taken(&gateway).await > 100.0).then_some(())).await;
    assert_ne!(pid(&gateway).await, ours);
    first.start();
    gateway.connected(&first).await;
    let before = taken(&gateway).await;
    let (again, theirs) = (pid(&gateway).await, beside(&other.endpoint()).asked().await);
    done.store(true, Relaxed);
    for asking in asking {
        asking.await.expect("a good answer each time");
    }
    assert_ne!(again, ours, "a new process");
    assert!(theirs.expect("it is there") as f64 >= before);
    assert_eq!(taken(&gateway).await, before, "the first alone once it is back");
    assert_eq!(held(&gateway).await, 0.0);
    // When neither is there, that is what is told.
    first.kill();
    other.kill();
    eventually("neither", async || (ask(&gateway).await.status == 503).then_some(())).await;
}

#[tokio::test]
async fn a_fixed_answer_is_given_while_the_first_is_away() {
    let setup = Setup::new();
    let (mut first, _other, gateway) = start(&setup, ANSWER).await;
    pid(&gateway).await;
    first.kill();
    let answer =
        eventually("the answer", async || Some(ask(&gateway).await).filter(|one| one.status != 200)).await;
    assert_eq!((answer.status, answer.json()), (203, json!({"pid": 0})));
    assert_eq!(answer.header("content-type"), "application/vnd.none+json");
    assert!(!answer.header("x-request-id").is_empty());
    let routes = gateway.admin.get("/routes").await.json();
    let shown = &routes["routes"][0]["fallback"];
    assert_eq!(
        (&shown["respond"]["status"], shown["taken"].as_f64()),
        (&json!(203), Some(taken(&gateway).await)),
        "{routes}"
    );
    first.start();
    gateway.connected(&first).await;
    pid(&gateway).await;
    assert_eq!(held(&gateway).await, 0.0);
}

#[tokio::test]
async fn an_instance_that_fails_or_is_drained_or_lacks_the_method() {
    let setup = Setup::new();
    let (first, _other, gateway) = start(&setup, ANSWER).await;
    // A failure is an answer: what another backend would say is not known to be better.
    let moody = beside(&first.endpoint());
    moody.be(Mood::Failing).await.expect("it obeys");
    for _ in 0..3 {
        assert_eq!(ask(&gateway).await.status, 503);
    }
    assert_eq!(taken(&gateway).await, 0.0);
    moody.be(Mood::Well).await.expect("it obeys");
    // Drained: nobody is there for new calls.
    let drain = format!("/-/drain?endpoint={}", first.endpoint());
    assert_eq!(gateway.admin.send("POST", &drain, &[], "").await.status, 200);
    assert_eq!(ask(&gateway).await.status, 203);
    let undrain = drain.replace("drain?", "undrain?");
    assert_eq!(gateway.admin.send("POST", &undrain, &[], "").await.status, 200);
    gateway.connected(&first).await;
    pid(&gateway).await;
    // Not offered by any instance.
    let text = std::fs::read_to_string(setup.routes().join("ask.toml")).expect("it is there");
    setup.write_routes("ask.toml", &text.replace("moody.ask", "moody.unknown"));
    gateway.takes_its_tables().await;
    assert_eq!(ask(&gateway).await.status, 203);
}
