//! Streams through the gateway: what a method streams comes to the client as it is made, ends as the method ends, and stops when the client
//! leaves. In which form items stand in a body is not looked at here.

use callgate_tests::{Backend, Gateway, Raw, Setup, binary, eventually};
use std::process::Command;

struct Feeds {
    setup: Setup,
    gateway: Gateway,
    backend: Backend,
}

impl Feeds {
    /// A gateway with a backend whose method streams as the path says. Those lines of its route.
    async fn start(route: &str) -> Feeds {
        let setup = Setup::new();
        let backend = setup.backend("feeds");
        setup.write_routes(
            "feeds.toml",
            &format!(
                "[backends.feeds]\nendpoints = [\"{}\"]\n\
                 [[routes]]\nmatch = \"GET /feed/{{to}}/{{then}}\"\ncall = \"feeds.feed\"\n{route}\n\
                 [[routes]]\nmatch = \"GET /running\"\ncall = \"feeds.running\"\n\
                 [[routes]]\nmatch = \"POST /sum/{{from}}\"\ncall = \"feeds.sum\"\nbody = {{ stream = true }}\n",
                backend.endpoint()
            ),
        );
        let gateway = setup.gateway().await;
        gateway.connected(&backend).await;
        Feeds { setup, gateway, backend }
    }

    /// A client that has sent its request.
    async fn ask(&self, path: &str) -> Raw {
        let mut raw = Raw::connect(self.gateway.addr).await;
        raw.write(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        raw
    }

    /// Waits until so many calls of the method are running.
    async fn running(&self, expected: u64) {
        eventually(&format!("{expected} calls that run"), async || {
            let running = self.gateway.client.get("/running").await.json();
            (running == expected).then_some(())
        })
        .await;
    }

    /// Waits until so many streams have ended so.
    async fn ended(&self, outcome: &str, n: f64) {
        eventually(&format!("{n} streams that are {outcome}"), async || {
            let label = format!("outcome=\"{outcome}\"");
            (self.gateway.metric("callgate_stream_ends_total", &[&label]).await == n).then_some(())
        })
        .await;
    }
}

/// The numbers in a body, whatever stands between them. The last may not all be there yet.
fn numbers(body: &str) -> Vec<u32> {
    let whole = |rest: &str| rest.split_once('}').map(|(n, _)| n.parse().expect("a number"));
    body.split("{\"n\":").skip(1).filter_map(whole).collect()
}

/// Whether a body in chunks has come to its end.
fn is_whole(text: &str) -> bool {
    text.ends_with("\r\n0\r\n\r\n")
}

#[tokio::test]
async fn all_items_come_and_are_counted() {
    let feeds = Feeds::start("").await;
    for to in [0, 1, 1000] {
        let answer = feeds.gateway.client.get(&format!("/feed/{to}/end")).await;
        assert_eq!(answer.status, 200);
        assert_eq!(numbers(&answer.text()), (1..=to).collect::<Vec<_>>());
    }
    feeds.ended("ok", 3.0).await;
    let reply = ["direction=\"reply\""];
    assert_eq!(feeds.gateway.metric("callgate_stream_items_total", &reply).await, 1001.0);
    assert_eq!(feeds.gateway.metric("callgate_streams_open", &[]).await, 0.0);
    assert_eq!(feeds.gateway.metric("callgate_stream_first_item_seconds_count", &[]).await, 2.0);
}

#[tokio::test]
async fn a_failure_before_the_first_item_is_a_problem_and_one_behind_it_breaks_the_reply_off() {
    let feeds = Feeds::start("").await;
    let answer = feeds.gateway.client.get("/feed/0/fail").await;
    assert_eq!((answer.status, answer.json()["detail"].as_str()), (404, Some("there are no more numbers")));
    let mut raw = feeds.ask("/feed/3/fail").await;
    let text = raw.read_until(|_| false).await;
    assert!(text.starts_with("HTTP/1.1 200 "), "{text}");
    assert_eq!((numbers(&text), is_whole(&text)), (vec![1, 2, 3], false), "{text}");
    feeds.ended("failed", 2.0).await;
}

#[tokio::test]
async fn a_client_that_leaves_cancels_the_method() {
    let feeds = Feeds::start("").await;
    for (path, numbers_before) in [("/feed/2/hang", 2), ("/feed/0/hang", 0), ("/feed/4000000000/end", 1)] {
        let mut raw = feeds.ask(path).await;
        let enough = |text: &str| text.contains("\r\n\r\n") && numbers(text).len() >= numbers_before;
        let text = raw.read_until(enough).await;
        assert!(enough(&text), "the head comes without an item, too: {text}");
        feeds.running(1).await;
        assert_eq!(feeds.gateway.metric("callgate_streams_open", &[]).await, 1.0);
        drop(raw);
        feeds.running(0).await;
    }
    feeds.ended("left", 3.0).await;
}

#[tokio::test]
async fn an_instance_that_is_killed_breaks_its_streams_off() {
    let mut feeds = Feeds::start("").await;
    let mut raw = feeds.ask("/feed/2/hang").await;
    raw.read_until(|text| numbers(text).len() == 2).await;
    feeds.backend.kill();
    let text = raw.read_until(|_| false).await;
    assert!(!is_whole(&text), "{text}");
    feeds.ended("lost", 1.0).await;
}

#[tokio::test]
async fn the_time_of_the_route_is_that_of_the_first_item() {
    let feeds = Feeds::start("timeout = \"300ms\"").await;
    let answer = feeds.gateway.client.get("/feed/0/hang").await;
    assert_eq!(answer.status, 504);
    // The first item is there, so that nothing ends it.
    let mut raw = feeds.ask("/feed/1/hang").await;
    raw.read_until(|text| numbers(text).len() == 1).await;
    let other = feeds.gateway.client.get("/feed/0/hang").await;
    assert_eq!(other.status, 504);
    feeds.running(1).await;
    drop(raw);
    feeds.running(0).await;
}

#[tokio::test]
async fn a_body_that_is_empty_has_no_items() {
    let feeds = Feeds::start("").await;
    let answer = feeds.gateway.client.post("/sum/7", "").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, "7"));
}

#[tokio::test]
async fn what_streams_is_said_of_routes_and_methods() {
    let feeds = Feeds::start("").await;
    let routes = feeds.gateway.admin.get("/routes").await.json();
    let routes = routes["routes"].as_array().expect("a list").clone();
    let of = |call: &str| {
        routes.iter().find(|route| route["call"] == call).expect("it is there")["streams"].clone()
    };
    assert_eq!(of("feeds.feed"), "reply");
    assert_eq!(of("feeds.sum"), "request");
    assert!(of("feeds.running").is_null());
    let backends = feeds.gateway.admin.get("/backends").await.json().to_string();
    assert!(backends.contains("\"request_items\":\"Number\""), "{backends}");
    let config = feeds.setup.file("check.toml");
    std::fs::write(&config, "[tables]\nwatch = [\"routes\"]\n").expect("it can be written");
    let mut check = Command::new(binary("callgate"));
    check.args(["check", "--against", &feeds.backend.endpoint(), "--config"]).arg(&config);
    let ran = tokio::task::spawn_blocking(move || check.output());
    let said = ran.await.expect("it ends").expect("callgate runs").stdout;
    let said = String::from_utf8_lossy(&said).into_owned();
    let streams = "; `feeds.feed` streams its reply; `feeds.sum` streams its request\n";
    assert!(said.starts_with("ok: 3 routes of `feeds` fit ") && said.ends_with(streams), "{said}");
}
