//! HTTP/2 on a connection of the gateway: requests side by side, by the same rules as HTTP/1.1; what ends a stream and what ends the
//! connection; and what a client cannot hold.

use callgate_tests::tls::{Ca, TlsClient};
use callgate_tests::{Backend, Client, Gateway, Http2, PATIENCE, Raw, Setup, eventually, free_port};
use h2::Reason;
use h2::client::Builder;
use hyper::body::Bytes;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

const ADD: &str = "/v1/calc/add?a=1&b=2";
const SUM: &str = r#"{"result":3}"#;
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// Beside the shop's: a fixed reply, a call that hangs, and one that takes all kinds of JSON.
const ROUTES: &str = r#"
[[routes]]
match = "GET /up"
respond = { body = "up", headers = { "X-Own" = "yes" } }

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

struct Net {
    setup: Setup,
    _backend: Backend,
    gateway: Gateway,
    /// Where HTTP/2 is spoken in the clear.
    addr: SocketAddr,
}

impl Net {
    async fn start(server: &str) -> Net {
        Net::with(Setup::new().server(server)).await
    }

    async fn with(setup: Setup) -> Net {
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let listener = format!("[[listeners]]\naddress = \"{addr}\"\nhttp2 = \"prior_knowledge\"\n");
        Net::at(setup.section(&listener), addr).await
    }

    async fn at(setup: Setup, addr: SocketAddr) -> Net {
        setup.write_routes("more.toml", ROUTES);
        let (backend, gateway) = setup.shop().await;
        Net { setup, _backend: backend, gateway, addr }
    }

    async fn connect(&self) -> Http2 {
        Http2::connect(self.addr).await
    }

    /// The same behind TLS. `keys` are further keys of the listener.
    async fn with_tls(keys: &str) -> (Net, TlsClient) {
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let setup =
            Setup::new().section(&format!("[[listeners]]\naddress = \"{addr}\"\ntls = true\n{keys}\n"));
        let ca = Ca::new("a test's CA");
        let (cert, key) = ca.server(&["shop.example"]).write(setup.folder(), "shop");
        let text = format!("[[certificates]]\nnames = [\"shop.example\"]\ncert = {cert:?}\nkey = {key:?}\n");
        setup.write_routes("certificate.toml", &text);
        (Net::at(setup, addr).await, TlsClient::new(&ca).offering(&["h2", "http/1.1"]))
    }

    /// Waits until a metric has that value.
    async fn counts(&self, name: &str, labels: &[&str], expected: f64) {
        eventually(name, || async { (self.gateway.metric(name, labels).await == expected).then_some(()) })
            .await;
    }
}

/// Nothing may pass because a time limit has ended it.
const PATIENT: &str = "header_timeout = \"1h\"\nbody_timeout = \"1h\"\nidle_timeout = \"1h\"\nmin_body_rate = 0\nmin_send_rate = 0";

fn header<'h>(answer: &'h callgate_tests::Answer, name: &str) -> Vec<&'h str> {
    answer.headers.get_all(name).iter().map(|value| value.to_str().expect("ASCII")).collect()
}

#[tokio::test]
async fn requests_go_side_by_side_on_one_connection() {
    let net = Net::start(PATIENT).await;
    let mut client = net.connect().await;
    let slow = client.begin(Http2::request("GET", "/hang/3600000"), false).await;
    let fast = client.get(ADD).await;
    assert_eq!((fast.status, fast.text().as_str()), (200, SUM));
    assert_eq!(header(&fast, "content-type"), ["application/json"]);
    assert_eq!(header(&fast, "content-length"), ["12"]);
    assert_eq!((header(&fast, "date").len(), header(&fast, "x-request-id").len()), (1, 1));
    assert!(header(&fast, "connection").is_empty());
    let posted = client.post("/v1/echo", r#"{"a": [1, 2]}"#).await;
    assert_eq!((posted.status, posted.json()), (200, json!({"a": [1, 2]})));
    let fixed = client.get("/up").await;
    assert_eq!((fixed.status, fixed.text().as_str(), header(&fixed, "x-own")), (200, "up", vec!["yes"]));
    let head = client.begin(Http2::request("HEAD", ADD), false).await.answer().await.expect("a reply");
    assert_eq!((head.status, header(&head, "content-length"), head.body.len()), (200, vec!["12"], 0));
    let missing = client.get("/nowhere").await;
    assert_eq!((missing.status, missing.json()["code"].clone()), (404, json!("not_found")));
    net.counts("callgate_http2_streams_total", &[], 6.0).await;
    net.counts("callgate_http_requests_total", &["protocol=\"HTTP/2\""], 6.0).await;
    net.counts("callgate_http2_streams_open", &[], 1.0).await;
    net.counts("callgate_http2_connections_open", &[], 1.0).await;
    drop(slow);
}

#[tokio::test]
async fn one_listener_speaks_both_and_another_one_only_http_1() {
    let net = Net::start(PATIENT).await;
    let mut raw = Raw::connect(net.addr).await;
    for _ in 0..2 {
        raw.write(format!("GET {ADD} HTTP/1.1\r\nhost: x\r\n\r\n")).await;
        assert_eq!(raw.answer().await.expect("a reply").1, SUM);
    }
    // Bytes that begin as the preface does, one by one.
    let mut raw = Raw::connect(net.addr).await;
    for byte in b"PRI * HTTP/1.1\r\n" {
        raw.write([*byte]).await;
    }
    assert_eq!(raw.status().await, 501);
    let mut raw = Raw::connect(net.addr).await;
    raw.write(format!("OPTIONS {ADD} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n"))
        .await;
    assert_eq!(raw.status().await, 204, "an upgrade is never made");
    net.counts("callgate_http_requests_total", &["protocol=\"HTTP/1.1\""], 3.0).await;
    net.counts("callgate_http_requests_total", &["protocol=\"HTTP/2\""], 0.0).await;
    let mut raw = Raw::connect(net.gateway.addr).await;
    raw.write(PREFACE).await;
    assert_eq!(raw.status().await, 505);
}

#[tokio::test]
async fn a_body_comes_in_frames_and_is_held_to_its_length() {
    let net = Net::start(PATIENT).await;
    let mut client = net.connect().await;
    let mut sent = client.begin(Http2::request("POST", "/v1/echo"), true).await;
    for piece in ["[1,", "", "2", "]"] {
        sent.send.send_data(Bytes::from(piece), false).expect("it is open");
        // Each is read before the next comes.
        client.get("/up").await;
    }
    let mut trailers = http::HeaderMap::new();
    trailers.insert("x-sum", http::HeaderValue::from_static("3"));
    sent.send.send_trailers(trailers).expect("it is open");
    assert_eq!(sent.answer().await.expect("a reply").json(), json!([1, 2]));
    // Larger than a stream's window.
    let long = Value::from("x".repeat(300_000)).to_string();
    let mut sent = client.begin(Http2::request("POST", "/v1/echo"), true).await;
    sent.send.send_data(Bytes::from(long.clone()), true).expect("it is open");
    assert_eq!(sent.answer().await.expect("a reply").text(), long);
    for (length, body) in [("2", "[1]"), ("4", "[1]")] {
        let mut request = Http2::request("POST", "/v1/echo");
        request.headers_mut().insert("content-length", http::HeaderValue::from_static(length));
        let mut sent = client.begin(request, true).await;
        sent.send.send_data(Bytes::from(body), true).expect("it is open");
        assert_eq!(sent.reset().await, Some(Reason::PROTOCOL_ERROR), "{length}");
    }
    let mut large = Http2::request("POST", "/v1/echo");
    large.headers_mut().insert("content-length", http::HeaderValue::from_static("99999999"));
    let sent = client.begin(large, true).await;
    let (_send, response) = sent.head().await.expect("a reply before the body");
    assert_eq!(response.status(), 413);
    assert_eq!(client.get(ADD).await.text(), SUM, "the connection goes on");
}

#[tokio::test]
async fn a_client_that_waits_to_be_told_sends_its_body_then() {
    let net = Net::start(PATIENT).await;
    let mut client = net.connect().await;
    let mut request = Http2::request("POST", "/v1/echo");
    let fields = request.headers_mut();
    fields.insert("content-length", http::HeaderValue::from_static("3"));
    fields.insert("expect", http::HeaderValue::from_static("100-continue"));
    let mut sent = client.begin(request, true).await;
    let told = sent.informed().await.expect("a head before the reply").expect("it is open");
    assert_eq!(told.status(), 100);
    sent.send.send_data(Bytes::from("[1]"), true).expect("it is open");
    assert_eq!(sent.answer().await.expect("a reply").text(), "[1]");
}

#[tokio::test]
async fn heads_are_held_to_the_rules_of_http_1() {
    let net = Net::start(&format!("{PATIENT}\nmax_headers = 20\nmax_head = \"8KiB\"")).await;
    let mut client = net.connect().await;
    let with = |fields: &[(&'static str, String)]| {
        let mut request = Http2::request("GET", ADD);
        for (name, value) in fields {
            let value = http::HeaderValue::from_str(value).expect("a value");
            request.headers_mut().append(*name, value);
        }
        request
    };
    let many: Vec<_> = (0..30).map(|n| ("x-many", n.to_string())).collect();
    let own = |name, value: &str| vec![(name, value.to_owned())];
    for (fields, status) in [
        (own("host", "shop.example"), 200),
        (own("host", "SHOP.example:80"), 200),
        (own("host", "other.example"), 400),
        (own("host", "a b"), 400),
        (own("x-a", " b"), 400),
        (own("expect", "tea"), 417),
        (many, 431),
        (own("x-large", &"x".repeat(9000)), 431),
        (own("te", "trailers"), 200),
    ] {
        let sent = client.begin(with(&fields), false).await;
        let answer = sent.answer().await.expect("a reply");
        assert_eq!(answer.status, status, "{fields:?}: {}", answer.text());
        if status != 200 {
            assert_eq!(header(&answer, "content-type"), ["application/problem+json"], "{fields:?}");
            assert_eq!(answer.json()["request_id"], json!(answer.header("x-request-id")));
        }
    }
    // Many more bytes than may be: the library answers, and keeps none of it.
    let sent = client.begin(with(&own("x-large", &"x".repeat(15_000))), false).await;
    assert_eq!(sent.answer().await.expect("a reply").status, 431);
    assert_eq!(client.get(ADD).await.text(), SUM, "the connection goes on");
    for reason in ["too_many_fields", "head_too_large", "host_mismatch", "field_value"] {
        net.counts("callgate_http_refused_total", &[&format!("\"{reason}\"")], 1.0).await;
    }
}

#[tokio::test]
async fn a_reset_cancels_the_call_at_once() {
    let net = Net::start(PATIENT).await;
    let mut client = net.connect().await;
    let mut sent = client.begin(Http2::request("GET", "/hang/3600000"), false).await;
    net.counts("callgate_calls_in_flight", &[], 1.0).await;
    sent.send.send_reset(Reason::CANCEL);
    net.counts("callgate_calls_in_flight", &[], 0.0).await;
    net.counts("callgate_failures_total", &["client_gone"], 1.0).await;
    net.counts("callgate_http2_resets_total", &["client", "cancel"], 1.0).await;
    net.counts("callgate_http2_streams_open", &[], 0.0).await;
    assert_eq!(client.get(ADD).await.text(), SUM);
    // The end of the connection is that of its streams.
    let sent = client.begin(Http2::request("GET", "/hang/3600000"), false).await;
    net.counts("callgate_calls_in_flight", &[], 1.0).await;
    client.cut();
    net.counts("callgate_calls_in_flight", &[], 0.0).await;
    drop(sent);
}

#[tokio::test]
async fn a_stream_whose_window_never_opens_is_ended_and_its_reply_with_it() {
    let server = "min_send_rate = \"1KiB/s\"\nmin_send_rate_window = \"250ms\"";
    let net = Net::start(server).await;
    let mut builder = Builder::new();
    builder.initial_window_size(0);
    let mut client = Http2::connect_with(net.addr, &builder).await;
    let mut all = Vec::new();
    for path in [ADD, "/up", "/nowhere"] {
        all.push(client.begin(Http2::request("GET", path), false).await);
    }
    for sent in all {
        assert_eq!(sent.reset().await, Some(Reason::CANCEL));
    }
    net.counts("callgate_http2_stalled_streams_total", &[], 3.0).await;
    net.counts("callgate_http2_streams_open", &[], 0.0).await;
    let head = client.begin(Http2::request("HEAD", ADD), false).await.answer().await;
    assert_eq!(head.expect("what has no body needs no window").status, 200);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_waited_for_on_its_stream_alone() {
    let net = Net::start("body_timeout = \"500ms\"").await;
    let mut client = net.connect().await;
    let mut sent = client.begin(Http2::request("POST", "/v1/echo"), true).await;
    sent.send.send_data(Bytes::from("[1"), false).expect("it is open");
    let other = client.begin(Http2::request("GET", "/hang/3600000"), false).await;
    let (_send, response) = sent.head().await.expect("a reply");
    assert_eq!(response.status(), 408);
    assert_eq!(client.get(ADD).await.text(), SUM);
    drop(other);
}

/// A field of a head, as it is: neither from the table nor put into it.
fn field(name: &str, value: &str) -> Vec<u8> {
    [&[0, name.len() as u8], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat()
}

#[tokio::test]
async fn fields_that_speak_of_a_connection_are_refused() {
    let net = Net::start(PATIENT).await;
    let mut client = net.connect().await;
    let fields = [
        ("connection", "close"),
        ("keep-alive", "timeout=1"),
        ("proxy-connection", "x"),
        ("upgrade", "h2c"),
        ("transfer-encoding", "chunked"),
        ("te", "gzip"),
    ];
    for (name, value) in fields {
        // GET /up
        let head =
            [vec![0x82, 0x86], field(":path", "/up"), field(":authority", "a"), field(name, value)].concat();
        let mut socket = TcpStream::connect(net.addr).await.expect("the gateway listens");
        socket.write_all(&[PREFACE, &frame(1, 5, 1, &head)].concat()).await.expect("it is read");
        let mut heard = Vec::new();
        while codes(&heard, 3).is_empty() {
            let read = timeout(PATIENCE, socket.read_buf(&mut heard)).await.expect("it comes");
            assert!(read.expect("it is not reset") > 0, "{name}");
        }
        assert_eq!(codes(&heard, 3), [1], "{name}");
        assert_eq!(client.get("/up").await.text(), "up");
    }
}

/// Sends frames, and reads to the end of the connection; the code of the last GOAWAY.
async fn flood(addr: SocketAddr, frames: &[u8]) -> Option<u32> {
    let mut socket = TcpStream::connect(addr).await.expect("the gateway listens");
    socket.write_all(PREFACE).await.expect("it is read");
    let (mut read, mut write) = socket.split();
    let send = async {
        // Until the gateway has had enough.
        while write.write_all(frames).await.is_ok() {}
    };
    let hear = async {
        let mut heard = Vec::new();
        while read.read_buf(&mut heard).await.is_ok_and(|read| read > 0) {}
        heard
    };
    let hear = async { timeout(PATIENCE, hear).await.expect("it ends") };
    let heard = tokio::select! {
        heard = hear => heard,
        () = async { send.await; std::future::pending().await } => unreachable!(),
    };
    goaway(&heard)
}

/// The code of the last GOAWAY among frames.
fn goaway(frames: &[u8]) -> Option<u32> {
    codes(frames, 7).pop()
}

/// The codes that the frames of a kind carry, RST_STREAM or GOAWAY.
fn codes(mut frames: &[u8], wanted: u8) -> Vec<u32> {
    let mut codes = Vec::new();
    while let [a, b, c, kind, _, _, _, _, _, rest @ ..] = frames {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let Some((payload, behind)) = rest.split_at_checked(length) else { break };
        let at = if wanted == 7 { 4 } else { 0 };
        if let (true, Some(code)) = (*kind == wanted, payload.get(at..at + 4)) {
            codes.push(code.iter().fold(0, |code, byte| code << 8 | u32::from(*byte)));
        }
        frames = behind;
    }
    codes
}

/// A frame.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

#[tokio::test]
async fn a_client_that_asks_for_nothing_is_told_to_calm_down() {
    let net = Net::start(PATIENT).await;
    let mut good = net.connect().await;
    for (name, frame) in [
        ("ping", frame(6, 0, 0, &[0; 8])),
        ("settings", frame(4, 0, 0, &[])),
        ("priority", frame(2, 0, 3, &[0, 0, 0, 0, 0])),
        ("window_update", frame(8, 0, 0, &1u32.to_be_bytes())),
        ("other", frame(99, 0, 0, &[])),
    ] {
        let code = flood(net.addr, &frame.repeat(500)).await;
        assert_eq!(code, Some(11), "{name}");
        net.counts("callgate_http2_floods_total", &[name], 1.0).await;
        assert_eq!(good.get(ADD).await.text(), SUM);
    }
    // Requests that are given up as soon as they are made: HEADERS of a GET, from the static table.
    let head = [&[0x82, 0x86, 0x84, 0x41, 1][..], b"a"].concat();
    let mut rapid = Vec::new();
    for stream in (1..20_000).step_by(2) {
        rapid.extend(frame(1, 5, stream, &head));
        rapid.extend(frame(3, 0, stream, &8u32.to_be_bytes()));
    }
    assert_eq!(flood(net.addr, &rapid).await, Some(11));
    assert_eq!(good.get(ADD).await.text(), SUM);
    net.counts("callgate_http2_streams_open", &[], 0.0).await;
}

#[tokio::test]
async fn a_connection_that_is_told_to_leave_loses_nothing() {
    let mut net = Net::start(PATIENT).await;
    let mut client = net.connect().await;
    let idle = net.connect().await;
    let open = client.begin(Http2::request("GET", "/v1/delay/500"), false).await;
    net.counts("callgate_calls_in_flight", &[], 1.0).await;
    net.gateway.signal(Signal::SIGTERM);
    assert_eq!(open.answer().await.expect("a reply").status, 200);
    assert_eq!(client.ended().await, None);
    assert_eq!(idle.ended().await, None);
    assert!(net.gateway.ended().await);
}

#[tokio::test]
async fn a_connection_leaves_when_it_is_old_or_idle_or_its_place_is_needed() {
    let net = Net::with(Setup::new().section("[http2]\nmax_connection_age = \"1s\"")).await;
    let mut client = net.connect().await;
    let open = client.begin(Http2::request("GET", "/v1/delay/2000"), false).await;
    assert_eq!(open.answer().await.expect("a reply").status, 200);
    assert_eq!(client.ended().await, None);
    drop(net);
    let net = Net::start("idle_timeout = \"500ms\"").await;
    let mut client = net.connect().await;
    assert_eq!(client.get(ADD).await.text(), SUM);
    assert_eq!(client.ended().await, None);
    net.counts("callgate_http2_goaways_total", &["gateway", "no_error"], 1.0).await;
    // A head that does not come to its end, beside a request that is open.
    drop(net);
    let net = Net::start("header_timeout = \"500ms\"").await;
    let mut socket = TcpStream::connect(net.addr).await.expect("the gateway listens");
    let begun = [PREFACE, &frame(1, 1, 1, &[0x82])].concat();
    socket.write_all(&begun).await.expect("it is read");
    let mut heard = Vec::new();
    timeout(PATIENCE, socket.read_to_end(&mut heard)).await.expect("it ends").expect("it is not reset");
    assert_eq!(goaway(&heard), Some(11));
    net.counts("callgate_late_heads_total", &[], 1.0).await;
    drop(net);
    let net = Net::start("max_requests_per_connection = 3").await;
    let mut client = net.connect().await;
    let mut asked = 0;
    while client.try_get(Http2::request("GET", "/up")).await.is_ok() {
        asked += 1;
    }
    // It has heard of it before the reply to the last one.
    assert_eq!(asked, 3);
    assert_eq!(client.ended().await, None);
    drop(net);
    let net = Net::start("max_connections = 2").await;
    let (one, two) = (net.connect().await, net.connect().await);
    let mut three = net.connect().await;
    assert_eq!(three.get("/up").await.text(), "up");
    let ended = tokio::select! { ended = one.ended() => ended, ended = two.ended() => ended };
    assert_eq!(ended, None, "one of those that were idle has made room");
}

/// Requests by several clients at once, until it is dropped.
struct Load {
    over: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    clients: JoinSet<()>,
}

/// Asks; and again on another connection, if the first one has said that it has not taken the request (RFC 9113, 6.8). Clients do that by
/// themselves; this one leaves it to who uses it.
async fn ask(client: &Client) -> callgate_tests::Answer {
    loop {
        match client.try_send("GET", ADD, &[], "").await {
            Ok(answer) => return answer,
            Err(error) => assert!(error.contains("GoAway(b\"\", NO_ERROR, Remote)"), "{error}"),
        }
    }
}

impl Load {
    fn begin(addr: SocketAddr) -> Load {
        let (over, answered) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let mut clients = JoinSet::new();
        for client in (0..3).map(|_| Client::http2(addr)) {
            for _ in 0..6 {
                let (over, answered, client) = (over.clone(), answered.clone(), client.clone());
                clients.spawn(async move {
                    while !over.load(SeqCst) {
                        let answer = ask(&client).await;
                        assert_eq!((answer.status, answer.text().as_str()), (200, SUM));
                        answered.fetch_add(1, SeqCst);
                    }
                });
            }
        }
        Load { over, answered, clients }
    }

    /// Waits for so many answers more.
    async fn goes_on(&self, answers: u64) {
        let before = self.answered.load(SeqCst);
        eventually("further answers", || async {
            (self.answered.load(SeqCst) >= before + answers).then_some(())
        })
        .await;
    }

    async fn end(mut self) {
        self.over.store(true, SeqCst);
        while let Some(ended) = self.clients.join_next().await {
            ended.expect("each request had its reply");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_upgrades_in_place_lose_no_request() {
    let mut net = Net::start("").await;
    let load = Load::begin(net.addr);
    let mut old = Vec::new();
    for _ in 0..20 {
        load.goes_on(20).await;
        old.push(net.gateway.upgrade().await);
    }
    load.goes_on(100).await;
    // Connections leave at once, and with them the processes.
    for old in &mut old {
        assert!(old.ended().await, "it ends by itself, and well");
    }
    load.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_reloads_lose_no_request() {
    let net = Net::start("").await;
    let load = Load::begin(net.addr);
    for n in 0..100 {
        load.goes_on(5).await;
        net.setup
            .write_routes("other.toml", &format!("[[routes]]\nmatch = \"GET /n/{n}\"\nrespond = {{}}\n"));
        net.gateway.takes_its_tables().await;
    }
    load.end().await;
}

/// A connection within TLS, and what was agreed on to be spoken there.
async fn shake(client: &TlsClient, net_addr: SocketAddr) -> (Option<Vec<u8>>, TlsStream<TcpStream>) {
    let stream = client.connect(net_addr, "shop.example").await.expect("it shakes hands");
    (stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec), stream)
}

#[tokio::test]
async fn within_tls_clients_choose_it_unless_the_listener_says_no() {
    let (net, tls) = Net::with_tls("hsts = { max_age = \"1h\" }").await;
    let (chosen, stream) = shake(&tls, net.addr).await;
    assert_eq!(chosen.as_deref(), Some(&b"h2"[..]));
    let mut client = Http2::over(stream, &Builder::new()).await;
    let answer = client.get(ADD).await;
    assert_eq!((answer.status, answer.text().as_str()), (200, SUM));
    assert_eq!(header(&answer, "strict-transport-security"), ["max-age=3600"]);
    let posted = client.post("/v1/echo", &Value::from("x".repeat(200_000)).to_string()).await;
    assert_eq!((posted.status, posted.body.len()), (200, 200_002));
    let other = http::Request::builder().uri("https://other.example/up").body(()).expect("a request");
    assert_eq!(client.try_get(other).await.expect("a reply").status, 421);
    let (chosen, stream) = shake(&tls.offering(&["http/1.1"]), net.addr).await;
    assert_eq!(chosen.as_deref(), Some(&b"http/1.1"[..]));
    let mut raw = Raw::over(stream);
    raw.write(format!("GET {ADD} HTTP/1.1\r\nhost: shop.example\r\n\r\n")).await;
    assert_eq!(raw.answer().await.expect("a reply").1, SUM);
    let (net, tls) = Net::with_tls("http2 = false").await;
    assert_eq!(shake(&tls, net.addr).await.0.as_deref(), Some(&b"http/1.1"[..]));
}

/// Runs a program, which has to succeed; what it has written.
async fn run(program: &str, arguments: &[&str]) -> String {
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).kill_on_drop(true);
    let output = timeout(PATIENCE, command.output()).await.expect("it ends by itself").expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{program}: {said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[tokio::test]
async fn real_clients_are_served() {
    let net = Net::start("").await;
    let url = |path: &str| format!("http://{}{path}", net.addr);
    let told = ["-sS", "--http2-prior-knowledge", "-w", " %{http_version} %{http_code}"];
    let said = run("curl", &[&told[..], &[&url(ADD)]].concat()).await;
    assert_eq!(said, format!("{SUM} 2 200"));
    let json = ["-H", "content-type: application/json", "-d", r#"{"a":7,"b":2}"#];
    let said = run("curl", &[&told[..], &json, &[&url("/v1/calc/divide")]].concat()).await;
    assert_eq!(said, r#"{"result":3.5} 2 200"#);
    // Many streams on few connections, with and without bodies.
    let said = run("nghttp", &["-nsm", "50", &url(ADD), &url("/up")]).await;
    assert!(said.contains("/up"), "{said}");
    let said = run("h2load", &["-n", "2000", "-c", "4", "-m", "32", &url(ADD)]).await;
    assert!(said.contains("2000 succeeded, 0 failed, 0 errored") && said.contains("2000 2xx"), "{said}");
}
