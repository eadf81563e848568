//! Copies of calls: they come, they say what they are, and whatever becomes of them the calls themselves do not notice.

use callgate_tests::moody::{Mood, Moody, beside};
use callgate_tests::{Backend, Gateway, Setup, eventually};
use nix::sys::signal::Signal;
use serde_json::json;

/// Far more than may be under way in both workers.
const MANY: u32 = 640;

/// A route with a deadline that no test lives to see, so that nothing ends by the clock.
async fn start(setup: &Setup, share: &str, lines: &str) -> (Backend, Backend, Gateway) {
    let (first, shadow) = (setup.backend("moody"), setup.backend("moody"));
    let text = format!(
        "[backends.first]\nendpoints = [{:?}]\n[backends.copies]\nendpoints = [{:?}]\n{lines}\n\
         [[routes]]\nmatch = \"GET /ask\"\ncall = \"moody.ask\"\nresponse = {{ wrap = \"pid\" }}\nbackend = \"first\"\n\
         timeout = \"1h\"\nshadow = {{ backend = \"copies\", share = {share:?} }}\n",
        first.endpoint(),
        shadow.endpoint(),
    );
    setup.write_routes("ask.toml", &text);
    let gateway = setup.gateway().await;
    for backend in [&first, &shadow] {
        gateway.connected(backend).await;
    }
    (first, shadow, gateway)
}

/// So many requests from 16 clients at once, each of which must be answered well and by one process.
async fn ask(gateway: &Gateway, n: u32) {
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let client = gateway.client.clone();
        tasks.spawn(async move {
            let mut pids = Vec::new();
            for _ in 0..n / 16 {
                let answer = client.get("/ask").await;
                assert_eq!(answer.status, 200, "{}", answer.text());
                pids.push(answer.json()["pid"].clone());
            }
            pids
        });
    }
    let mut all = Vec::new();
    while let Some(pids) = tasks.join_next().await {
        all.extend(pids.expect("a good answer each time"));
    }
    all.dedup();
    assert_eq!(all.len(), 1, "the answers are the first's");
}

/// Copies with that outcome, or all that have ended.
async fn copies(gateway: &Gateway, outcome: &str) -> f64 {
    gateway.metric("callgate_shadow_calls_total", &[outcome]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_copied_and_only_the_copies_say_that_they_are() {
    let setup = Setup::new();
    let (first, shadow, gateway) = start(&setup, "100%", "").await;
    // So few at once that none is dropped.
    ask(&gateway, 320).await;
    eventually("all copies", async || (copies(&gateway, "\"ok\"").await == 320.0).then_some(())).await;
    let (original, copy) = (beside(&first.endpoint()), beside(&shadow.endpoint()));
    assert_eq!((original.asked().await, original.copied().await), (Ok(320), Ok(0)));
    assert_eq!((copy.asked().await, copy.copied().await), (Ok(320), Ok(320)));
    let routes = gateway.admin.get("/routes").await.json();
    let shown = &routes["routes"][0]["shadow"];
    assert_eq!((&shown["share_percent"], &shown["calls"]["ok"]), (&json!(100.0), &json!(320)), "{routes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_is_copied() {
    let setup = Setup::new();
    let (_first, shadow, gateway) = start(&setup, "10%", "").await;
    const N: u32 = 4000;
    ask(&gateway, N).await;
    // Ten standard deviations.
    let sent = copies(&gateway, "").await;
    assert!((210.0..=590.0).contains(&sent), "{sent} of {N}");
    eventually("all copies", async || {
        (beside(&shadow.endpoint()).copied().await == Ok(copies(&gateway, "\"ok\"").await as u64))
            .then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_do_not_wait_for_copies_that_hang_and_of_those_there_is_a_bounded_number() {
    let setup = Setup::new();
    let (_first, mut shadow, gateway) = start(&setup, "100%", "").await;
    beside(&shadow.endpoint()).be(Mood::Slow(3_600_000)).await.expect("it obeys");
    ask(&gateway, MANY).await;
    let in_flight = gateway.metric("callgate_calls_in_flight", &["\"copies\""]).await;
    let dropped = copies(&gateway, "\"dropped\"").await;
    assert!(in_flight > 0.0 && in_flight <= 256.0, "{in_flight} in flight");
    assert_eq!(in_flight + dropped, f64::from(MANY), "each is either under way or dropped");
    assert_eq!(copies(&gateway, "\"ok\"").await + copies(&gateway, "\"late\"").await, 0.0, "none has ended");
    // It dies: those under way are lost, and there is room again, but nobody to send to.
    shadow.kill();
    eventually("the loss", async || (copies(&gateway, "\"lost\"").await == in_flight).then_some(())).await;
    ask(&gateway, 160).await;
    assert_eq!(copies(&gateway, "\"no_instance\"").await, 160.0);
    shadow.start();
    gateway.connected(&shadow).await;
    ask(&gateway, 160).await;
    eventually("copies again", async || (copies(&gateway, "\"ok\"").await == 160.0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_do_not_notice_a_shadow_that_is_full_fails_or_is_stopped() {
    let setup = Setup::new();
    let (_first, shadow, gateway) = start(&setup, "100%", "max_calls = 1").await;
    let moody = beside(&shadow.endpoint());
    moody.be(Mood::Failing).await.expect("it obeys");
    ask(&gateway, 160).await;
    eventually("failures", async || (copies(&gateway, "\"failed\"").await > 0.0).then_some(())).await;
    moody.be(Mood::Slow(3_600_000)).await.expect("it obeys");
    ask(&gateway, 160).await;
    assert!(copies(&gateway, "\"no_instance\"").await > 0.0, "there is room for one");
    shadow.signal(Signal::SIGSTOP);
    ask(&gateway, 160).await;
    shadow.signal(Signal::SIGCONT);
    assert_eq!(gateway.metric("callgate_retries_total", &[]).await, 0.0, "nothing is sent twice");
    assert_eq!(gateway.metric("callgate_held_calls_total", &[]).await, 0.0, "nothing is held");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_turned_away_is_not_copied() {
    // By its backend's bound before it is let in, and by its instance's after.
    for bound in ["max_in_flight = 1", "max_in_flight_per_instance = 1"] {
        let setup = Setup::new();
        let (first, shadow) = (setup.backend("moody"), setup.backend("moody"));
        let text = format!(
            "[backends.first]\nendpoints = [{:?}]\n{bound}\nqueue = false\n\
             [backends.copies]\nendpoints = [{:?}]\n\
             [[routes]]\nmatch = \"GET /ask\"\ncall = \"moody.ask\"\nresponse = {{ wrap = \"pid\" }}\n\
             backend = \"first\"\ntimeout = \"1h\"\nshadow = {{ backend = \"copies\", share = \"100%\" }}\n",
            first.endpoint(),
            shadow.endpoint(),
        );
        setup.write_routes("ask.toml", &text);
        let gateway = setup.gateway().await;
        for backend in [&first, &shadow] {
            gateway.connected(backend).await;
        }
        beside(&first.endpoint()).be(Mood::Slow(3_600_000)).await.expect("it obeys");
        let client = gateway.client.clone();
        let waiting = tokio::spawn(async move { client.get("/ask").await.status });
        eventually("the copy", async || (copies(&gateway, "\"ok\"").await == 1.0).then_some(())).await;
        for _ in 0..32 {
            assert_eq!(gateway.client.get("/ask").await.status, 503, "{bound}");
        }
        // A copy would have been counted or sent before its call was answered, or soon after: so one that is copied
        // comes last.
        beside(&first.endpoint()).be(Mood::Well).await.expect("it obeys");
        waiting.abort();
        eventually("room", async || (gateway.client.get("/ask").await.status == 200).then_some(())).await;
        eventually("the second copy", async || (copies(&gateway, "\"ok\"").await >= 2.0).then_some(())).await;
        assert_eq!(copies(&gateway, "").await, 2.0, "{bound}");
    }
}
