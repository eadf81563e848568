//! A call that calls further: gateway → service → next service. Deadline, request id, trace and cancellation go all the way.

use callgate_tests::{Backend, Gateway, Raw, Setup, eventually, free_port};
use std::fs;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A chain of two services behind a gateway. `timeout` is the route's.
struct Chained {
    setup: Setup,
    gateway: Gateway,
    _first: Backend,
    next: Backend,
}

impl Chained {
    async fn start(timeout: &str) -> Chained {
        Chained::start_with(timeout, &[]).await
    }

    /// The same where the first service is told more.
    async fn start_with(timeout: &str, arguments: &[&str]) -> Chained {
        let setup = Setup::new();
        let folder = setup.file("").display().to_string();
        let at = || format!("127.0.0.1:{}", free_port());
        let next = setup.backend_told("chain", at(), &["--folder", &folder]);
        let to_next = ["--folder", &folder, "--next", &next.endpoint()];
        let first = setup.backend_told("chain", at(), &[&to_next, arguments].concat());
        let table = format!(
            "[backends.first]\nendpoints = [\"{}\"]\n\
             [[routes]]\nmatch = \"POST /pass/{{ms}}/{{until}}\"\ncall = \"chain.pass\"\n\
             response = {{ wrap = \"left\" }}\ntimeout = \"{timeout}\"\n",
            first.endpoint()
        );
        setup.write_routes("chain.toml", &table);
        let gateway = setup.gateway().await;
        gateway.connected(&first).await;
        Chained { setup, gateway, _first: first, next }
    }

    fn notes(&self) -> Vec<String> {
        let text = fs::read_to_string(self.setup.file("notes")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// Waits for the note that begins so.
    async fn noted(&self, beginning: &str) -> String {
        eventually(beginning, async || self.notes().into_iter().find(|note| note.starts_with(beginning)))
            .await
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_cancels_the_call_that_its_call_has_made() {
    let chained = Chained::start("1h").await;
    let mut raw = Raw::connect(chained.gateway.addr).await;
    raw.write(format!(
        "POST /pass/0/never HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nx-request-id: r1\r\ntraceparent: {TRACE}\r\n\r\n"
    ))
    .await;
    let hold = chained.noted("hold r1 ").await;
    assert!(hold.ends_with(TRACE), "the trace goes along: {hold}");
    assert!(!chained.notes().iter().any(|note| note.starts_with("cancelled") || note.starts_with("dropped")));
    drop(raw);
    // An hour is left: it is the hanging up that they hear of.
    chained.noted("cancelled r1").await;
    chained.noted("dropped r1").await;
    let in_flight = async || chained.gateway.metric("callgate_calls_in_flight", &[]).await;
    eventually("the call's end", async || (in_flight().await == 0.0).then_some(())).await;
}

#[tokio::test]
async fn a_deadline_goes_along_shortened_by_the_time_that_was_spent() {
    let chained = Chained::start("60s").await;
    fs::write(chained.setup.file("open"), "").expect("a file can be written");
    let answer = chained.gateway.client.post("/pass/700/open", "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let left = answer.json()["left"].as_u64().expect("a number");
    assert!(left > 0 && left <= 60_000 - 700, "{left}");
}

#[tokio::test]
async fn at_the_deadline_every_service_of_the_chain_stops() {
    let chained = Chained::start("3s").await;
    let answer = chained.gateway.client.send("POST", "/pass/0/never", &[("x-request-id", "r2")], "").await;
    assert_eq!(answer.status, 504, "{}", answer.text());
    chained.noted("hold r2").await;
    chained.noted("cancelled r2").await;
    chained.noted("dropped r2").await;
}

#[tokio::test]
async fn that_the_next_call_has_not_run_is_not_said_of_the_call_that_made_it() {
    let mut chained = Chained::start_with("60s", &["--next-timeout", "300"]).await;
    chained.next.kill();
    let answer = chained.gateway.client.send("POST", "/pass/0/open", &[("x-request-id", "r3")], "").await;
    assert_eq!(answer.status, 503, "{}", answer.text());
    let passed = chained.notes().iter().filter(|note| *note == "pass r3").count();
    assert_eq!(passed, 1, "it has run, and is not sent again: {:?}", chained.notes());
}
