//! What the metrics say: of clients that give up, of heads that are no requests, and in names that OpenMetrics can tell.

use callgate_tests::{Backend, Gateway, Raw, Setup, eventually, openmetrics};
use std::collections::BTreeSet;
use std::path::Path;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const ADD: &str = "GET /v1/calc/add?a=1&b=2 HTTP/1.1\r\nhost: x\r\n\r\n";
const HANG: &str = "GET /v1/hang/3600000 HTTP/1.1\r\nhost: x\r\n\r\n";
const JSON: &str = "POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";

async fn start(setup: &Setup) -> (Backend, Gateway) {
    // Until the client has gone, however long that takes to be seen.
    let hang = "[[routes]]\nmatch = \"GET /v1/hang/{ms}\"\ncall = \"echo.delay\"\nbackend = \"shop\"\ntimeout = \"1h\"\n";
    setup.write_routes("hang.toml", hang);
    setup.shop().await
}

async fn requests(gateway: &Gateway, route: &str, status: &str) -> f64 {
    let labels = [format!("route=\"{route}\""), format!("status=\"{status}\"")];
    gateway.metric("callgate_requests_total", &[&labels[0], &labels[1]]).await
}

/// Waits until a route has counted so many with that status, and asserts that it has not counted more.
async fn counted(gateway: &Gateway, route: &str, status: &str, n: f64) {
    eventually(&format!("{n} requests of {route} with {status}"), || async {
        (requests(gateway, route, status).await >= n).then_some(())
    })
    .await;
    assert_eq!(requests(gateway, route, status).await, n, "{route} {status}");
}

async fn in_flight(gateway: &Gateway, n: f64) {
    eventually(&format!("{n} requests in flight"), || async {
        (gateway.metric("callgate_requests_in_flight", &[]).await == n).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_client_that_gives_up_is_counted_once_as_499_with_its_time() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup).await;
    let delay = "/v1/hang/{ms}";
    // While its call runs; after requests that were answered, whose counts stay.
    for (round, before) in ["", ADD, &format!("{ADD}{ADD}")].into_iter().enumerate() {
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(format!("{before}{HANG}")).await;
        for _ in before.matches("GET") {
            assert_eq!(raw.status().await, 200);
        }
        in_flight(&gateway, 1.0).await;
        drop(raw);
        counted(&gateway, delay, "499", round as f64 + 1.0).await;
    }
    // Whoever ends its side is taken to have gone.
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write(HANG).await;
    in_flight(&gateway, 1.0).await;
    raw.end().await;
    counted(&gateway, delay, "499", 4.0).await;
    // One that leaves between two requests has not given up.
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write(ADD).await;
    assert_eq!(raw.status().await, 200);
    drop(raw);
    in_flight(&gateway, 0.0).await;
    counted(&gateway, "/v1/calc/add", "200", 4.0).await;
    assert_eq!(gateway.metric("callgate_requests_total", &[]).await, 8.0, "nothing else was counted");
    let labels = ["route=\"/v1/hang/{ms}\""];
    assert_eq!(gateway.metric("callgate_request_duration_seconds_count", &labels).await, 4.0);
    assert!(gateway.metric("callgate_request_duration_seconds_sum", &labels).await > 0.0);
    assert_eq!(gateway.metric("callgate_request_duration_seconds_count", &[]).await, 8.0);
}

#[tokio::test]
async fn a_request_that_comes_together_with_its_clients_end_is_counted_once() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup).await;
    for _ in 0..20 {
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(HANG).await;
        raw.end().await;
        assert!(raw.ended().await);
    }
    // Its route is known if it was looked up before the end was seen.
    eventually("all of them", || async {
        (gateway.metric("callgate_requests_total", &["status=\"499\""]).await == 20.0).then_some(())
    })
    .await;
    assert_eq!(gateway.metric("callgate_requests_total", &[]).await, 20.0);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_499_and_one_that_is_wrong_400() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup).await;
    let length = format!("{JSON}content-length: 100\r\n\r\n[1,2");
    let chunked = format!("{JSON}transfer-encoding: chunked\r\n\r\n");
    let mut gone = 0.0;
    for request in [
        length.clone(),
        format!("{chunked}5\r\n[1,"),
        format!("{chunked}3\r\n[1,\r\n"),
        format!("{chunked}5"),
    ] {
        // One that only stops sending can still hear the answer.
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(&request).await;
        raw.end().await;
        let (head, body) = raw.answer().await.expect("an answer");
        assert!(
            head.starts_with("HTTP/1.1 499 ") && body.contains("\"cancelled\""),
            "{request}: {head}{body}"
        );
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(&request).await;
        in_flight(&gateway, 1.0).await;
        drop(raw);
        gone += 2.0;
        counted(&gateway, "/v1/echo", "499", gone).await;
    }
    let mut socket = TcpStream::connect(gateway.addr).await.expect("the gateway listens");
    socket.write_all(length.as_bytes()).await.expect("it reads");
    in_flight(&gateway, 1.0).await;
    socket.set_zero_linger().expect("the socket is open");
    // A reset, which says even less.
    drop(socket);
    counted(&gateway, "/v1/echo", "499", gone + 1.0).await;
    for (n, chunks) in ["x\r\n[1]\r\n0\r\n\r\n", "3\r\n[1]xx0\r\n\r\n"].into_iter().enumerate() {
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(format!("{chunked}{chunks}")).await;
        assert_eq!(raw.status().await, 400, "{chunks}");
        counted(&gateway, "/v1/echo", "400", n as f64 + 1.0).await;
    }
    let all = gateway.metric("callgate_requests_total", &[]).await;
    assert_eq!(all, gone + 3.0, "each was counted once");
    assert_eq!(
        gateway.metric("callgate_transcoding_errors_total", &[]).await,
        0.0,
        "it is not the schema's fault"
    );
}

#[tokio::test]
async fn a_head_that_is_no_request_is_counted_by_the_status_of_its_answer() {
    let setup = Setup::new().server("max_head = \"128KiB\"\nheader_timeout = \"1s\"");
    let (_backend, gateway) = start(&setup).await;
    let long = |length: usize| "x".repeat(length << 10);
    for (status, request) in [
        ("400", "GARBAGE\r\n\r\n".to_owned()),
        ("505", "GET / HTTP/9.9\r\n\r\n".to_owned()),
        ("400", format!("{JSON}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}")),
        ("400", format!("{ADD}GARBAGE\r\n\r\n")),
        ("414", format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", long(65))),
        ("431", format!("GET / HTTP/1.1\r\nhost: x\r\nlong: {}\r\n\r\n", long(130))),
        ("431", format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(200))),
        // The answer comes long before the end of what is sent, which is read past until the client has no more time.
        ("431", format!("GET / HTTP/1.1\r\nhost: x\r\nlong: {}", long(400))),
    ] {
        let before = requests(&gateway, "none", status).await;
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(&request).await;
        let start: String = request.chars().take(60).collect();
        if request.starts_with(ADD) {
            assert_eq!(raw.status().await, 200);
        }
        assert_eq!(raw.status().await.to_string(), status, "{start}");
        counted(&gateway, "none", status, before + 1.0).await;
    }
    // Half a head is no request, and has no answer.
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write("GET /v1/ca").await;
    raw.end().await;
    assert!(raw.ended().await);
    assert_eq!(gateway.metric("callgate_requests_total", &["route=\"none\""]).await, 8.0);
    let durations = gateway.metric("callgate_request_duration_seconds_count", &["route=\"none\""]).await;
    assert_eq!(durations, 0.0, "without a head there is no time from it to the answer");
}

#[tokio::test]
async fn a_failure_is_counted_once_by_its_reason() {
    let setup = Setup::new();
    let (_backend, gateway) = start(&setup).await;
    let get = |path: &str, fields: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n{fields}\r\n");
    let add = "/v1/calc/add?a=1&b=2";
    let text = "POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\n";
    let cases = [
        ("malformed_head", "GARBAGE\r\n\r\n".to_owned()),
        ("bad_host", format!("GET {add} HTTP/1.1\r\n\r\n")),
        ("no_route", get("/nowhere", "")),
        ("wrong_method", get(add, "").replacen("GET", "PUT", 1)),
        ("repeated_header", get(add, "x-request-timeout: 1s\r\nx-request-timeout: 1s\r\n")),
        ("invalid_timeout", get(add, "x-request-timeout: soon\r\n")),
        ("not_utf8", get("/v1/calc/add?a=%ff&b=2", "")),
        ("unknown_field", get("/v1/calc/add?a=1&b=2&c=3", "")),
        ("missing_field", get("/v1/calc/add?a=1", "")),
        ("invalid_value", get("/v1/calc/add?a=x&b=2", "")),
        ("unsupported_media_type", format!("{text}content-length: 2\r\n\r\n{{}}")),
        ("malformed_json", format!("{JSON}content-length: 1\r\n\r\n{{")),
        ("deadline", get("/v1/hang/3600000", "x-request-timeout: 1ms\r\n")),
    ];
    for (n, (reason, request)) in cases.iter().enumerate() {
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(request).await;
        raw.status().await;
        let labels = [format!("reason=\"{reason}\"")];
        eventually(&format!("{reason} is counted"), || async {
            (gateway.metric("callgate_failures_total", &[&labels[0]]).await == 1.0).then_some(())
        })
        .await;
        let all = gateway.metric("callgate_failures_total", &[]).await;
        assert_eq!(all, n as f64 + 1.0, "{reason}, and nothing else");
    }
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write(format!("{ADD}{HANG}")).await;
    assert_eq!(raw.status().await, 200, "what succeeds is no failure");
    in_flight(&gateway, 1.0).await;
    drop(raw);
    counted(&gateway, "/v1/hang/{ms}", "499", 1.0).await;
    assert_eq!(gateway.metric("callgate_failures_total", &["reason=\"client_gone\""]).await, 1.0);
    assert_eq!(gateway.metric("callgate_failures_total", &[]).await, cases.len() as f64 + 1.0);
}

#[tokio::test]
async fn the_page_can_be_told_as_openmetrics() {
    let setup = Setup::new();
    setup.write_routes(
        "more.toml",
        "[[routes]]\nmatch = \"GET /add\"\ncall = \"calc.add\"\nrate_limit = { rate = \"9/s\" }\n\
         shadow = { backend = \"shop\", share = \"100%\" }\nfallback = { status = 200 }\nsplit = [{ weight = 1, backend = \"shop\" }]\n\
         [[routes]]\nmatch = \"GET /plus\"\nrewrite = \"/add\"\n",
    );
    let (_backend, gateway) = setup.shop().await;
    for path in ["/plus?a=1&b=2", "/plus?a=x&b=2", "/nowhere", "/v1/delay/1"] {
        gateway.client.get(path).await;
    }
    let page = gateway.admin.get("/metrics").await.text();
    let families = openmetrics::families(&page).unwrap_or_else(|error| panic!("{error}"));
    for family in
        ["callgate_requests_total", "callgate_request_duration_seconds", "callgate_route_split_total"]
    {
        assert!(families.iter().any(|one| one == family), "{family} is not among {families:?}");
    }
}

/// The texts in quotes of all sources beneath a folder that are names of metrics.
fn names_in(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            names_in(&path, names);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a source can be read");
            let quoted = text.split('"').filter(|text| text.starts_with("callgate_"));
            let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            let is_name = |text: &&str| text.bytes().all(fits);
            names.extend(quoted.filter(is_name).map(str::to_owned));
        }
    }
}

/// Some families show only when there is something to count; their names are in the sources.
#[test]
fn every_metric_is_documented_under_a_name_that_openmetrics_can_tell() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is in the workspace");
    let mut names = BTreeSet::new();
    names_in(&workspace.join("gateway/src/telemetry"), &mut names);
    assert!(names.len() > 30, "{names:?}");
    let page: String = names
        .iter()
        .map(|name| {
            let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
            format!("# HELP {name} Text.\n# TYPE {name} {kind}\n{name} 1\n")
        })
        .collect();
    openmetrics::families(&page).unwrap_or_else(|error| panic!("{error}"));
    let documents = std::fs::read_to_string(workspace.join("docs/operations.md")).expect("it is there");
    let cells = documents
        .lines()
        .filter(|line| line.starts_with("| `callgate_"))
        .filter_map(|line| line.split('|').nth(1));
    let documented: BTreeSet<String> = cells
        .flat_map(|cell| cell.split('`'))
        .filter(|text| text.starts_with("callgate_"))
        .map(str::to_owned)
        .collect();
    assert_eq!(names, documented, "the sources, and the table in docs/operations.md");
}
