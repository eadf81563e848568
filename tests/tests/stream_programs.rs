//! Streams, as the programs that people use read and send them: Python's httpx and requests, Node's fetch and an EventSource of npm, and Chromium.
//! Each of them is shown whole streams, and some that are cut. `make clients` installs what they need.

use callgate_tests::{Backend, Gateway, Setup, chromium};
use std::path::Path;
use std::process::Stdio;
use tokio::process::Command;

const ROUTES: &str = r#"
[[routes]]
match = "GET /feed/{to}/{then}"
call = "feeds.feed"
backend = "feeds"

[[routes]]
match = "GET /events"
call = "feeds.events"
backend = "feeds"
bind = { after = { header = "last-event-id" } }
response = { stream = "sse", events = { event = "kind", id = "seq", retry = "pause" } }

[[routes]]
match = "GET /page"
[routes.respond]
content_type = "text/html"
body = '''
PAGE'''
"#;

/// The demo's streams, and some that end as they are told to.
async fn start(setup: &Setup) -> ([Backend; 2], Gateway) {
    let feeds = setup.backend("feeds");
    let routes = ROUTES.replace("PAGE", include_str!("../clients/streams.html"));
    let table = format!("[backends.feeds]\nendpoints = [{:?}]\n", feeds.endpoint());
    setup.write_routes("feeds.toml", &format!("{table}{routes}"));
    let (shop, gateway) = setup.shop().await;
    gateway.connected(&feeds).await;
    ([feeds, shop], gateway)
}

/// Runs a script of tests/clients with where the gateway is.
async fn script(program: &str, name: &str) {
    let setup = Setup::new();
    let (_backends, gateway) = start(&setup).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(name);
    let mut command = Command::new(program);
    command.arg(script).arg(format!("http://{}", gateway.addr)).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(callgate_tests::PATIENCE, command.output()).await.expect("it ends");
    let output = output.expect("the program runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.ends_with("well\n"), "{said}");
}

#[tokio::test]
#[ignore = "needs httpx and requests, which `make clients` installs"]
async fn httpx_and_requests_read_lines_and_events() {
    let python = std::env::var("CALLGATE_TEST_PYTHON").expect("a Python that has them");
    script(&python, "streams_libraries.py").await;
}

#[tokio::test]
#[ignore = "needs node and eventsource, which `make clients` installs"]
async fn node_streams_both_ways_and_comes_again_for_events() {
    script("node", "streams.js").await;
}

#[tokio::test]
#[ignore = "needs Chromium, which `make clients` installs where Debian has it"]
async fn chromium_reads_events_and_bodies_and_talks_by_websocket() {
    let setup = Setup::new();
    let (_backends, gateway) = start(&setup).await;
    let told = chromium(&setup.file("home"), "", &format!("http://{}/page", gateway.addr)).await;
    let expected =
        ">1 2 3; a  a 7; not_found; \"one\" \"ü\" \"three\" 1000 clean; 5 lines; TypeError; the end<";
    assert!(told.contains(expected), "{told}");
}
