//! HTTP/1.1 on a connection of the gateway: when a reply is sent, what a connection is good for after it, what is refused and how that
//! is seen.

use callgate_tests::{Backend, Gateway, PATIENCE, Raw, Setup, eventually, header};
use serde_json::{Value, json};

const ADD: &str = "GET /v1/calc/add?a=1&b=2 HTTP/1.1\r\nhost: x\r\n\r\n";
const HANG: &str = "GET /hang/3600000 HTTP/1.1\r\nhost: x\r\n\r\n";
const UP: &str = "GET /up HTTP/1.1\r\nhost: x\r\n\r\n";
const SUM: &str = r#"{"result":3}"#;

/// Beside the shop's: a fixed reply, a call that hangs, and one that is limited to one request.
const ROUTES: &str = r#"
[[routes]]
match = "GET /up"
respond = { body = "up" }

[[routes]]
match = "DELETE /up"
respond = { status = 204 }

[[routes]]
match = "GET /hang/{ms}"
call = "echo.delay"
backend = "shop"
timeout = "1h"

[[routes]]
match = "POST /once"
call = "echo.json"
body = "doc"
backend = "shop"
rate_limit = { rate = "1/h" }
"#;

/// Nothing may pass here because a time limit has ended it.
const PATIENT: &str =
    "header_timeout = \"1h\"\nbody_timeout = \"1h\"\nidle_timeout = \"1h\"\nmin_body_rate = 0";

async fn start(setup: &Setup) -> (Backend, Gateway) {
    setup.write_routes("more.toml", ROUTES);
    setup.shop().await
}

async fn patient() -> (Setup, Backend, Gateway) {
    let setup = Setup::new().server(PATIENT);
    let (backend, gateway) = start(&setup).await;
    (setup, backend, gateway)
}

fn post(path: &str, fields: &str, length: usize) -> String {
    let json = "content-type: application/json\r\n";
    format!("POST {path} HTTP/1.1\r\nhost: x\r\n{json}{fields}content-length: {length}\r\n\r\n")
}

/// The reply to a request on a connection of its own.
async fn ask(gateway: &Gateway, request: &str) -> (String, String) {
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write(request).await;
    raw.answer().await.unwrap_or_else(|| panic!("no reply to {request}"))
}

fn status(head: &str) -> &str {
    &head[9..12]
}

#[tokio::test]
async fn a_reply_does_not_wait_for_a_body_that_it_does_not_need() {
    let (_setup, _backend, gateway) = patient().await;
    assert_eq!(status(&ask(&gateway, &format!("{}1", post("/once", "", 1))).await.0), "200");
    let chunked = "POST /nowhere HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12";
    for (expected, request) in [
        ("404", format!("{}[1", post("/nowhere", "", 1_000_000))),
        ("404", chunked.to_owned()),
        ("405", format!("{}[1", post("/up", "", 1_000_000))),
        ("413", format!("{}[1", post("/v1/echo", "", 100_000_000))),
        ("415", format!("{}[1", post("/v1/echo", "content-encoding: compress\r\n", 1_000_000))),
        ("429", format!("{}[1", post("/once", "", 1_000_000))),
        ("204", format!("DELETE{}", &post("/up", "", 1_000_000)[4..])),
    ] {
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(&request).await;
        let (head, _) = raw.answer().await.expect("a reply before the body");
        assert_eq!((status(&head), header(&head, "connection")), (expected, Some("close")), "{request}");
        // What it goes on to send is read past, and none of it is a request.
        for _ in 0..20 {
            raw.write(ADD.repeat(100)).await;
        }
        raw.end().await;
        assert!(raw.ended_without_reset().await, "{request}");
    }
    let requests = gateway.metric("callgate_requests_total", &[]).await;
    assert_eq!(requests, 8.0, "nothing else was a request");
}

#[tokio::test]
async fn after_the_little_rest_of_a_body_that_nobody_needs_the_connection_goes_on() {
    let (_setup, _backend, gateway) = patient().await;
    let mut raw = Raw::connect(gateway.addr).await;
    for (expected, request) in
        [("404", post("/nowhere", "", 10)), ("204", post("/up", "", 60_000).replacen("POST", "DELETE", 1))]
    {
        let length: usize =
            header(&request, "content-length").and_then(|text| text.parse().ok()).expect("one");
        raw.write(format!("{request}[1,")).await;
        let (head, _) = raw.answer().await.expect("a reply before the body");
        assert_eq!((status(&head), header(&head, "connection")), (expected, None));
        raw.write(format!("{}{ADD}", "x".repeat(length - 3))).await;
        assert_eq!(raw.answer().await.expect("the next reply").1, SUM);
    }
}

#[tokio::test]
async fn a_client_is_told_to_send_its_body_only_when_it_will_be_read() {
    let (_setup, _backend, gateway) = patient().await;
    let expect = "expect: 100-continue\r\n";
    for (expected, request) in [
        ("404", post("/nowhere", expect, 10)),
        ("413", post("/v1/echo", expect, 100_000_000)),
        ("415", post("/v1/echo", &format!("{expect}content-encoding: compress\r\n"), 10)),
    ] {
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(&request).await;
        let (head, _) = raw.answer().await.expect("a reply");
        assert_eq!((status(&head), header(&head, "connection")), (expected, Some("close")), "{request}");
        raw.end().await;
        assert!(raw.ended_without_reset().await);
    }
    let chunked = format!("POST /v1/echo HTTP/1.1\r\nhost: x\r\n{expect}transfer-encoding: chunked\r\n\r\n");
    for (head, body) in
        [(post("/v1/echo", expect, 5), "[1,2]"), (chunked, "2\r\n[1\r\n3;a=b\r\n,2]\r\n0\r\n\r\n")]
    {
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(head).await;
        assert_eq!(raw.status().await, 100);
        raw.write(body).await;
        assert_eq!(raw.answer().await.expect("a reply").1, "[1,2]");
        // A body that came with its head needs no word.
        raw.write(format!("{}[1]", post("/v1/echo", expect, 3))).await;
        assert_eq!(raw.answer().await.expect("a reply").1, "[1]");
    }
}

#[tokio::test]
async fn whoever_ends_its_side_gets_what_is_there_and_loses_its_call() {
    let (_setup, _backend, gateway) = patient().await;
    for _ in 0..60 {
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(UP.repeat(3)).await;
        raw.end().await;
        for _ in 0..3 {
            assert_eq!(raw.answer().await.expect("a reply that is there").1, "up");
        }
        assert!(raw.ended_without_reset().await);
    }
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write(format!("{UP}{HANG}")).await;
    assert_eq!(raw.status().await, 200);
    raw.end().await;
    assert!(raw.ended().await);
    eventually("the call's end", || async {
        (gateway.metric("callgate_calls_in_flight", &[]).await == 0.0).then_some(())
    })
    .await;
    let labels = ["route=\"/hang/{ms}\"", "status=\"499\""];
    assert_eq!(gateway.metric("callgate_requests_total", &labels).await, 1.0);
}

#[tokio::test]
async fn a_listener_may_answer_clients_that_have_ended_their_side() {
    let setup = Setup::new().server(PATIENT);
    let socket = setup.file("http.sock");
    let setup = setup
        .section("[[listeners]]\nid = \"local\"\naddress = \"unix:http.sock\"\nhalf_close = \"answer\"\n");
    let (_backend, gateway) = start(&setup).await;
    let mut raw = Raw::connect_unix(&socket).await;
    raw.write(format!(
        "GET /hang/200 HTTP/1.1\r\nhost: x\r\n\r\n{ADD}GET /hang/1 HTTP/1.1\r\nhost: x\r\n\r\n"
    ))
    .await;
    raw.end().await;
    for (result, connection) in [("200", None), (SUM, None), ("1", Some("close"))] {
        let (head, body) = raw.answer().await.expect("a reply");
        assert_eq!((body.as_str(), header(&head, "connection")), (result, connection));
    }
    assert!(raw.ended().await);
    assert_eq!(gateway.metric("callgate_requests_total", &["status=\"499\""]).await, 0.0);
}

#[tokio::test]
async fn nothing_behind_the_last_request_is_one() {
    let (_setup, _backend, gateway) = patient().await;
    let close = ADD.replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
    let chunks = "POST /v1/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n1\r\n1x0\r\n\r\n";
    for (request, expected) in [
        (close.as_str(), "200"),
        ("GARBAGE\r\n\r\n", "400"),
        ("GET / HTTP/2.0\r\nhost: x\r\n\r\n", "505"),
        ("GET / HTTP/1.1\r\n\r\n", "400"),
        ("GET / HTTP/1.1\nhost: x\n\n", "400"),
        (chunks, "400"),
    ] {
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(format!("{ADD}{request}{}", ADD.repeat(3))).await;
        assert_eq!(raw.status().await, 200, "the one before");
        let (head, _) = raw.answer().await.expect("a reply");
        assert_eq!((status(&head), header(&head, "connection")), (expected, Some("close")), "{request}");
        raw.write(ADD.repeat(1000)).await;
        raw.end().await;
        assert!(raw.ended_without_reset().await, "{request}");
    }
}

#[tokio::test]
async fn a_request_that_is_none_is_seen_by_everybody() {
    let (_setup, _backend, gateway) = patient().await;
    let get = "GET /v1/calc/add?a=1&b=2 HTTP/1.1\r\nhost: x\r\n";
    let cases = [
        ("400", "bare_lf", "malformed_head", format!("{get}a: b\n\r\n")),
        ("400", "obs_fold", "malformed_head", format!("{get}a: b\r\n c\r\n\r\n")),
        (
            "400",
            "both_lengths",
            "malformed_head",
            format!("{get}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n"),
        ),
        ("400", "host_mismatch", "bad_host", "GET http://a/ HTTP/1.1\r\nhost: b\r\n\r\n".to_owned()),
        ("417", "expect", "unknown_expectation", format!("{get}expect: more\r\n\r\n")),
        ("431", "too_many_fields", "head_too_large", format!("{get}{}\r\n", "a: b\r\n".repeat(100))),
        (
            "501",
            "transfer_coding",
            "not_implemented",
            format!("{get}transfer-encoding: gzip, chunked\r\n\r\n"),
        ),
        ("505", "http_two", "unsupported_version", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
    ];
    for (expected, refusal, reason, request) in &cases {
        let (head, body) = ask(&gateway, request).await;
        let body: Value = serde_json::from_str(&body).expect("JSON");
        assert_eq!(
            (status(&head), &body["status"].to_string()),
            (*expected, &(*expected).to_owned()),
            "{refusal}"
        );
        assert_eq!(header(&head, "content-type"), Some("application/problem+json"), "{refusal}");
        let id = header(&head, "x-request-id").expect("an id");
        assert_eq!(body["request_id"], json!(id), "{refusal}");
        let labels = format!("reason=\"{refusal}\"");
        assert_eq!(gateway.metric("callgate_http_refused_total", &[&labels]).await, 1.0, "{refusal}");
        let labels = ["route=\"none\"".to_owned(), format!("status=\"{expected}\"")];
        assert!(
            gateway.metric("callgate_requests_total", &[&labels[0], &labels[1]]).await >= 1.0,
            "{refusal}"
        );
        assert!(gateway.metric("callgate_failures_total", &[&format!("reason=\"{reason}\"")]).await >= 1.0);
        // The log is written a moment after what it tells.
        eventually(&format!("a line of {refusal}"), || {
            let told = gateway.logged("what a client sent is not HTTP/1.1", "request_id");
            std::future::ready(told.iter().any(|told| told == id).then_some(()))
        })
        .await;
    }
    let all = gateway.metric("callgate_requests_total", &["route=\"none\""]).await;
    assert_eq!(all, cases.len() as f64);
    // Chunks are the route's own trouble.
    let chunks =
        "POST /v1/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n+1\r\n1\r\n0\r\n\r\n";
    assert_eq!(status(&ask(&gateway, chunks).await.0), "400");
    assert_eq!(gateway.metric("callgate_http_refused_total", &["reason=\"chunk_size\""]).await, 1.0);
    let labels = ["route=\"/v1/echo\"", "status=\"400\""];
    assert_eq!(gateway.metric("callgate_requests_total", &labels).await, 1.0);
}

#[tokio::test]
async fn a_head_says_each_thing_once() {
    let (_setup, _backend, gateway) = patient().await;
    let old = |request: &str, fields: &str| {
        request.replace("1.1", "1.0").replace("\r\n\r\n", &format!("\r\n{fields}\r\n"))
    };
    let head_of = |request: &str| request.replacen("GET", "HEAD", 1);
    let up_close = old(UP, "");
    let cases = [
        (UP.to_owned(), None, Some("2")),
        (head_of(UP), None, Some("2")),
        (head_of(ADD), None, Some("12")),
        (ADD.to_owned(), None, Some("12")),
        (UP.replacen("GET", "DELETE", 1), None, None),
        (old(UP, "connection: keep-alive\r\n"), Some("keep-alive"), Some("2")),
        (up_close, Some("close"), Some("2")),
    ];
    for (request, connection, length) in cases {
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(&request).await;
        raw.end().await;
        let (head, body) = raw.head().await.unwrap_or_default();
        if request.contains("calc") && head.is_empty() {
            // A call whose client has ended its side may be cancelled before it has a reply.
            continue;
        }
        let lines: Vec<&str> = head.split("\r\n").collect();
        for name in ["connection", "content-length", "date", "content-type", "x-request-id"] {
            let count = lines
                .iter()
                .filter(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")))
                .count();
            assert!(count <= 1, "{name}: {head}");
        }
        assert_eq!(
            (header(&head, "connection"), header(&head, "content-length")),
            (connection, length),
            "{head}"
        );
        let date = header(&head, "date").expect("a date");
        assert!(date.len() == 29 && date.ends_with(" GMT"), "{date}");
        let sent = if request.starts_with("HEAD") { None } else { length };
        assert_eq!(body.to_string(), sent.unwrap_or("0"), "{request}");
    }
}

#[tokio::test]
async fn requests_are_understood_however_they_are_cut() {
    let (_setup, _backend, gateway) = patient().await;
    let chunked = "POST /v1/echo HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\n[1,\r\n3;x=\"y\"\r\n22]\r\n0\r\na: b\r\n\r\n";
    let known = format!("{}[1,22]", post("/v1/echo", "", 6));
    // Some clients send a line end behind a body.
    let all = format!("{chunked}{known}\r\n{ADD}\r\n{chunked}{UP}");
    let mut whole = Raw::connect(gateway.addr).await;
    whole.write(&all).await;
    let mut cut = Raw::connect(gateway.addr).await;
    for byte in all.as_bytes().chunks(1) {
        cut.write(byte).await;
    }
    let mut rng = fastrand::Rng::with_seed(11);
    let mut random = Raw::connect(gateway.addr).await;
    let mut rest = all.as_bytes();
    while !rest.is_empty() {
        let (now, later) = rest.split_at(rng.usize(1..=rest.len().min(40)));
        random.write(now).await;
        tokio::task::yield_now().await;
        rest = later;
    }
    for mut raw in [whole, cut, random] {
        for expected in ["[1,22]", "[1,22]", SUM, "[1,22]", "up"] {
            assert_eq!(raw.answer().await.expect("a reply").1, expected);
        }
    }
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_a_408() {
    let settings = "body_timeout = \"1h\"\nmin_body_rate = \"1KiB/s\"\nmin_body_rate_window = \"250ms\"";
    let setup = Setup::new().server(settings);
    let (_backend, gateway) = start(&setup).await;
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write(format!("{}[1,", post("/v1/echo", "", 100_000))).await;
    let (head, _) = raw.answer().await.expect("a reply");
    assert_eq!((status(&head), header(&head, "connection")), ("408", Some("close")));
    raw.end().await;
    assert!(raw.ended().await);
    assert_eq!(gateway.metric("callgate_failures_total", &["reason=\"body_timeout\""]).await, 1.0);
    // One that is waited for only by us is not slow.
    assert_eq!(status(&ask(&gateway, &HANG.replace("3600000", "1500")).await.0), "200");
}

#[tokio::test]
async fn a_client_that_sends_on_while_its_call_runs_is_heard_when_it_leaves() {
    let (_setup, _backend, gateway) = patient().await;
    // Less than what is read ahead, so that its end is seen behind it.
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write(format!("{HANG}{}", ADD.repeat(100))).await;
    eventually("the call", || async {
        (gateway.metric("callgate_calls_in_flight", &[]).await == 1.0).then_some(())
    })
    .await;
    drop(raw);
    let gone = async || {
        eventually("the call's end", || async {
            (gateway.metric("callgate_calls_in_flight", &[]).await == 0.0).then_some(())
        })
        .await;
    };
    tokio::time::timeout(PATIENCE, gone()).await.expect("it is cancelled");
    // Those behind it were never looked at.
    assert_eq!(gateway.metric("callgate_requests_total", &["route=\"/v1/calc/add\""]).await, 0.0);
    // All of many are answered, each when its time has come.
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write(format!("{}{}", HANG.replace("3600000", "100"), ADD.repeat(2000))).await;
    assert_eq!(raw.answer().await.expect("a reply").1, "100");
    for _ in 0..2000 {
        assert_eq!(raw.answer().await.expect("a reply").1, SUM);
    }
}

#[tokio::test]
async fn a_refused_head_request_gets_no_body() {
    let (_setup, _backend, gateway) = patient().await;
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write("HEAD /v1/calc HTTP/1.1\r\nhost: a\r\nhost: a\r\n\r\n").await;
    raw.end().await;
    let (head, followed) = raw.head().await.expect("a reply");
    assert_eq!((status(&head), header(&head, "connection")), ("400", Some("close")));
    assert!(header(&head, "content-length").is_some_and(|length| length != "0"), "it is that of GET: {head}");
    assert_eq!(followed, 0, "bytes behind the head");
}
