//! WebSockets through the gateway, by a client that writes frames itself: each text is an item, whoever is too fast waits, and each end has
//! its code. What frames there may be, http1/tests/websocket.rs says; here is what becomes of them on a socket.

use callgate_tests::tls::{Ca, TlsClient};
use callgate_tests::websocket::{Frame, UPGRADE, WebSocket, frame};
use callgate_tests::{Backend, Gateway, Raw, Setup, eventually, free_port};
use nix::sys::signal::Signal;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::SeqCst;

struct Feeds {
    gateway: Gateway,
    backend: Backend,
    _setup: Setup,
}

const ROUTES: &[(&str, &str)] =
    &[("/feed/{to}/{then}", "feeds.feed"), ("/sum/{from}", "feeds.sum"), ("/talk", "feeds.talk")];

impl Feeds {
    async fn start(setup: Setup) -> Feeds {
        let backend = setup.backend("feeds");
        let route = |(path, call): &(&str, &str)| {
            let origins = "origins = [\"https://a.example\", \"https://*.b.example\"]";
            format!("[[routes]]\nmatch = \"GET {path}\"\ncall = \"{call}\"\nwebsocket = {{ {origins} }}\n")
        };
        let own: String = ROUTES.iter().map(route).collect();
        setup.write_routes(
            "feeds.toml",
            &format!(
                "[backends.feeds]\nendpoints = [\"{}\"]\n{own}\
                 [[routes]]\nmatch = \"GET /limited\"\ncall = \"feeds.talk\"\nwebsocket = true\nmax_in_flight = 1\n\
                 [[routes]]\nmatch = \"GET /short/feed/{{to}}/{{then}}\"\ncall = \"feeds.feed\"\nwebsocket = true\nmax_stream.bytes = 21\n\
                 [[routes]]\nmatch = \"GET /short/talk\"\ncall = \"feeds.talk\"\nwebsocket = true\nmax_stream.bytes = 21\n\
                 [[routes]]\nmatch = \"GET /idle/{{to}}/{{then}}\"\ncall = \"feeds.feed\"\nwebsocket = true\nstream_idle = \"200ms\"\n\
                 [[routes]]\nmatch = \"GET /text\"\ncall = \"feeds.text\"\nwebsocket = {{ messages = \"text\" }}\n\
                 [[routes]]\nmatch = \"GET /bytes\"\ncall = \"feeds.bytes\"\nwebsocket = {{ messages = \"binary\" }}\n\
                 [[routes]]\nmatch = \"GET /running\"\ncall = \"feeds.running\"\n",
                backend.endpoint()
            ),
        );
        let gateway = setup.gateway().await;
        gateway.connected(&backend).await;
        Feeds { gateway, backend, _setup: setup }
    }

    async fn connect(&self, path: &str) -> WebSocket {
        WebSocket::connect(self.gateway.addr, path).await
    }

    /// Waits until so many calls of the method are running.
    async fn running(&self, expected: u64) {
        eventually(&format!("{expected} calls that run"), async || {
            let running = self.gateway.client.get("/running").await.json();
            (running == expected).then_some(())
        })
        .await;
    }

    /// Waits until so many have ended so, and none is open.
    async fn ended(&self, end: &str, n: f64) {
        eventually(&format!("{n} that have ended as {end}"), async || {
            let label = format!("end=\"{end}\"");
            let ends = self.gateway.metric("callgate_websocket_ends_total", &[&label]).await;
            let open = self.gateway.metric("callgate_websockets_open", &[]).await;
            (ends == n && open == 0.0).then_some(())
        })
        .await;
    }
}

/// The next frame is this one.
async fn hears(socket: &mut WebSocket, expected: Frame) {
    assert_eq!(socket.next().await, Some(expected));
}

/// It ends with that frame, which is answered, and then the connection ends.
async fn closes(socket: &mut WebSocket, expected: Frame) {
    let (_, close) = socket.rest().await;
    let close = close.expect("a close before the connection's end");
    assert_eq!(close, expected, "{:?}", close.reason());
    socket.send(Frame(0x88, close.1[..2].to_owned())).await;
    assert!(socket.ended().await);
}

fn number(n: u32) -> Frame {
    Frame::text(&format!("{{\"n\":{n}}}"))
}

#[tokio::test]
async fn each_text_is_an_item_both_ways_until_the_client_says_its_last() {
    let feeds = Feeds::start(Setup::new()).await;
    let mut socket = feeds.connect("/talk").await;
    feeds.running(1).await;
    assert_eq!(feeds.gateway.metric("callgate_websockets_open", &[]).await, 1.0);
    for n in 1..=3 {
        socket.send(number(n)).await;
        hears(&mut socket, number(n)).await;
    }
    // In fragments, and with whitespace.
    socket.send(Frame(0x01, b" {\n\"n\": ".to_vec())).await;
    socket.send(Frame(0x89, b"between".to_vec())).await;
    hears(&mut socket, Frame(0x8a, b"between".to_vec())).await;
    socket.send(Frame(0x80, b"4} ".to_vec())).await;
    hears(&mut socket, number(4)).await;
    // What it says last is answered before the end.
    socket.write([frame(0x81, b"{\"n\":5}"), frame(0x88, b"\x0f\xa0bye")].concat()).await;
    hears(&mut socket, number(5)).await;
    hears(&mut socket, Frame::close(4000, "")).await;
    assert!(socket.ended().await);
    feeds.running(0).await;
    feeds.ended("client", 1.0).await;
    assert_eq!(feeds.gateway.metric("callgate_stream_items_total", &["direction=\"request\""]).await, 5.0);
    assert_eq!(feeds.gateway.metric("callgate_stream_ends_total", &["outcome=\"ok\""]).await, 1.0);
}

#[tokio::test]
async fn a_method_that_only_sends_ends_it_and_takes_no_messages() {
    let feeds = Feeds::start(Setup::new()).await;
    let mut socket = feeds.connect("/feed/3/end").await;
    let (texts, close) = socket.rest().await;
    assert_eq!(texts, ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]);
    assert_eq!(close, Some(Frame::close(1000, "")));
    socket.send(Frame::close(1000, "")).await;
    assert!(socket.ended().await);
    feeds.ended("1000", 1.0).await;
    let mut socket = feeds.connect("/feed/1/hang").await;
    hears(&mut socket, number(1)).await;
    socket.send(number(7)).await;
    closes(&mut socket, Frame::close(1003, "this takes no messages; it only sends some")).await;
    // The client's last word is the end of it.
    let mut socket = feeds.connect("/feed/1/hang").await;
    hears(&mut socket, number(1)).await;
    socket.send(Frame(0x88, Vec::new())).await;
    hears(&mut socket, Frame(0x88, Vec::new())).await;
    assert!(socket.ended().await);
    feeds.running(0).await;
    feeds.ended("client", 1.0).await;
}

#[tokio::test]
async fn a_method_that_only_reads_sends_its_result() {
    let feeds = Feeds::start(Setup::new()).await;
    let mut socket = feeds.connect("/sum/10").await;
    for n in 1..=4 {
        socket.send(number(n)).await;
    }
    socket.send(Frame::close(1000, "")).await;
    hears(&mut socket, Frame::text("20")).await;
    hears(&mut socket, Frame::close(1000, "")).await;
    assert!(socket.ended().await);
}

#[tokio::test]
async fn each_failure_has_its_code() {
    let feeds = Feeds::start(Setup::new().server("max_body = 1000\n")).await;
    let long = vec![b'x'; 1001];
    for (path, send, expected) in [
        ("/talk", Frame(0x81, b"\xff".to_vec()), Frame::close(1007, "a text is not UTF-8")),
        ("/talk", Frame(0x81, long), Frame::close(1009, "a message is too long")),
        ("/talk", Frame(0x83, vec![]), Frame::close(1002, "a frame has an opcode that does not exist")),
        ("/talk", Frame(0x82, vec![0]), Frame::close(1003, "messages are JSON in text; this one is binary")),
        (
            "/talk",
            Frame::text("{\"n\":\"a\"}"),
            Frame::close(1008, "/0/n: expected an integer, got a string"),
        ),
        ("/talk", number(0), Frame::close(1008, "0 is no number")),
        ("/feed/1/fail", number(0), Frame::close(1008, "there are no more numbers")),
    ] {
        let mut socket = feeds.connect(path).await;
        if path == "/talk" {
            socket.send(send).await;
        }
        closes(&mut socket, expected).await;
        feeds.running(0).await;
    }
    feeds.ended("1008", 3.0).await;
    feeds.ended("1002", 1.0).await;
    feeds.ended("1009", 1.0).await;
}

/// Three messages of seven bytes are 21.
#[tokio::test]
async fn the_bytes_of_each_direction_are_bounded_and_so_is_the_wait_for_an_item() {
    const TOO_LONG: &str = "the stream has more than 21 bytes";
    let feeds = Feeds::start(Setup::new()).await;
    let mut socket = feeds.connect("/short/feed/3/end").await;
    assert_eq!(socket.rest().await.1, Some(Frame::close(1000, "")));
    let mut socket = feeds.connect("/short/feed/4/hang").await;
    for n in 1..=3 {
        hears(&mut socket, number(n)).await;
    }
    closes(&mut socket, Frame::close(1013, TOO_LONG)).await;
    let mut socket = feeds.connect("/short/talk").await;
    for n in 1..=3 {
        socket.send(number(n)).await;
        hears(&mut socket, number(n)).await;
    }
    socket.send(number(4)).await;
    closes(&mut socket, Frame::close(1013, TOO_LONG)).await;
    // Two items have come, and then none: its method is cancelled.
    let mut socket = feeds.connect("/idle/2/hang").await;
    for n in 1..=2 {
        hears(&mut socket, number(n)).await;
    }
    let (_, close) = socket.rest().await;
    assert_eq!(close.expect("a close").reason(), "no item of the stream has come in time");
    feeds.running(0).await;
    let ends = async |outcome: &str| {
        let label = format!("outcome=\"{outcome}\"");
        feeds.gateway.metric("callgate_stream_ends_total", &[&label]).await
    };
    assert_eq!((ends("too_long").await, ends("idle").await, ends("ok").await), (2.0, 1.0, 1.0));
}

#[tokio::test]
async fn messages_may_be_strings_or_bytes_as_they_are() {
    let feeds = Feeds::start(Setup::new()).await;
    let mut texts = feeds.connect("/text").await;
    for text in ["", "no \"JSON\"\n", "\u{1f600}"] {
        texts.say(text).await;
        hears(&mut texts, Frame::text(text)).await;
    }
    texts.send(Frame(0x82, vec![0])).await;
    closes(&mut texts, Frame::close(1003, "messages are texts; this one is binary")).await;
    let mut bytes = feeds.connect("/bytes").await;
    for data in [vec![], vec![0, 0xff, 0xfe], vec![7; 100_000]] {
        bytes.send(Frame(0x82, data.clone())).await;
        hears(&mut bytes, Frame(0x82, data)).await;
    }
    bytes.say("a").await;
    closes(&mut bytes, Frame::close(1003, "messages are binary; this one is a text")).await;
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_its_method_at_once() {
    let feeds = Feeds::start(Setup::new()).await;
    let socket = feeds.connect("/talk").await;
    feeds.running(1).await;
    drop(socket);
    feeds.running(0).await;
    let mut socket = feeds.connect("/feed/2/hang").await;
    hears(&mut socket, number(1)).await;
    drop(socket);
    feeds.running(0).await;
    let mut socket = feeds.connect("/talk").await;
    feeds.running(1).await;
    socket.send(Frame::close(1001, "")).await;
    hears(&mut socket, Frame::close(1001, "")).await;
    feeds.running(0).await;
    feeds.ended("gone", 2.0).await;
    feeds.ended("client", 1.0).await;
}

#[tokio::test]
async fn an_instance_that_is_killed_closes_it() {
    let mut feeds = Feeds::start(Setup::new()).await;
    let mut socket = feeds.connect("/talk").await;
    socket.send(number(1)).await;
    hears(&mut socket, number(1)).await;
    feeds.backend.kill();
    closes(&mut socket, Frame::close(1011, "the connection to the service was lost while the call ran"))
        .await;
    feeds.ended("1011", 1.0).await;
}

#[tokio::test]
async fn what_fails_before_it_is_open_is_a_problem() {
    let mut feeds = Feeds::start(Setup::new()).await;
    for (path, lines, expected) in [
        ("/none", "", "HTTP/1.1 404 "),
        ("/feed/x/end", "", "HTTP/1.1 400 "),
        ("/talk?n=1", "", "HTTP/1.1 400 "),
        ("/talk", "content-length: 5\r\n", "HTTP/1.1 400 "),
        ("/talk", "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "HTTP/1.1 400 "),
        ("/talk", "origin: https://evil.example\r\n", "HTTP/1.1 403 "),
        ("/talk", "origin: null\r\n", "HTTP/1.1 403 "),
    ] {
        let head = WebSocket::ask(feeds.gateway.addr, path, lines).await.expect_err("no WebSocket");
        assert!(head.starts_with(expected), "{path} {lines}: {head}");
    }
    for origin in ["https://shop.example", "https://a.example", "https://x.b.example"] {
        let lines = format!("origin: {origin}\r\n");
        assert!(WebSocket::ask(feeds.gateway.addr, "/talk", &lines).await.is_ok(), "{origin}");
    }
    let mut one = feeds.connect("/limited").await;
    let head = WebSocket::ask(feeds.gateway.addr, "/limited", "").await.expect_err("there is one");
    assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("retry-after: 1"), "{head}");
    // Its place is free when it has ended, also if the client leaves its end of the connection open.
    one.send(Frame(0x83, Vec::new())).await;
    closes(&mut one, Frame::close(1002, "a frame has an opcode that does not exist")).await;
    let _other = feeds.connect("/limited").await;
    feeds.backend.kill();
    eventually("no instance", async || {
        let head = WebSocket::ask(feeds.gateway.addr, "/talk", "").await.err()?;
        head.starts_with("HTTP/1.1 503 ").then_some(())
    })
    .await;
}

#[tokio::test]
async fn who_asks_otherwise_is_told_to_upgrade() {
    let feeds = Feeds::start(Setup::new()).await;
    for lines in [
        String::new(),
        UPGRADE.replace("version: 13", "version: 8"),
        UPGRADE.replace("connection: Upgrade", "connection: keep-alive"),
    ] {
        let mut raw = Raw::connect(feeds.gateway.addr).await;
        raw.write(format!("GET /talk HTTP/1.1\r\nhost: x\r\n{lines}\r\n")).await;
        let (head, body) = raw.answer().await.expect("an answer");
        assert!(head.starts_with("HTTP/1.1 426 ") && body.contains("\"status\":426"), "{head}{body}");
        for line in ["sec-websocket-version: 13", "upgrade: websocket", "connection: upgrade"] {
            assert!(head.contains(line), "{head}");
        }
    }
    let answer = feeds.gateway.client.post("/talk", "{}").await;
    assert_eq!(answer.status, 405);
}

#[tokio::test]
async fn a_client_that_sends_without_reading_is_slowed_down_and_nothing_is_lost() {
    const ALL: u32 = 30_000;
    let feeds = Feeds::start(Setup::new()).await;
    let mut socket = feeds.connect("/talk").await;
    let before = feeds.gateway.resident_bytes();
    // Some megabytes with what pads them: more than the sockets between take.
    let pad = " ".repeat(1000);
    let sent = Arc::new(AtomicU32::new(0));
    let count = sent.clone();
    let writer = tokio::spawn(async move {
        for n in 1..=ALL {
            socket.write(frame(0x81, format!("{{\"n\":{n}{pad}}}").as_bytes())).await;
            count.store(n, SeqCst);
        }
    });
    // Meanwhile one that reads has all of them, in their order.
    let mut other = feeds.connect("/talk").await;
    for all in (1..=ALL).collect::<Vec<_>>().chunks(100) {
        let frames: Vec<u8> =
            all.iter().flat_map(|n| frame(0x81, format!("{{\"n\":{n}}}").as_bytes())).collect();
        other.write(frames).await;
        for n in all {
            hears(&mut other, number(*n)).await;
        }
    }
    assert!((1..ALL).contains(&sent.load(SeqCst)), "nothing has slowed it down");
    let grown = feeds.gateway.resident_bytes().saturating_sub(before);
    assert!(grown < 24 << 20, "the gateway has grown by {grown} bytes");
    writer.abort();
    drop(other);
    feeds.running(0).await;
}

#[tokio::test]
async fn a_client_that_is_silent_is_asked_and_stays_while_it_answers() {
    let feeds =
        Feeds::start(Setup::new().server("websocket_ping = \"200ms\"\nbody_timeout = \"100ms\"\n")).await;
    let mut socket = feeds.connect("/talk").await;
    for _ in 0..4 {
        hears(&mut socket, Frame(0x89, Vec::new())).await;
        socket.send(Frame(0x8a, Vec::new())).await;
    }
    socket.send(number(1)).await;
    let answered = async {
        loop {
            match socket.next().await {
                Some(Frame(0x89, _)) => socket.send(Frame(0x8a, Vec::new())).await,
                other => break other,
            }
        }
    };
    assert_eq!(answered.await, Some(number(1)));
    // From now on it answers nothing.
    while socket.next().await.is_some() {}
    feeds.running(0).await;
    feeds.ended("silent", 1.0).await;
}

#[tokio::test]
async fn a_gateway_that_ends_tells_its_clients_to_come_again() {
    let mut feeds = Feeds::start(Setup::new().server("drain_timeout = \"2s\"\n")).await;
    let mut socket = feeds.connect("/talk").await;
    socket.send(number(1)).await;
    hears(&mut socket, number(1)).await;
    feeds.gateway.signal(Signal::SIGTERM);
    let (texts, close) = socket.rest().await;
    assert_eq!(
        (texts, close),
        (Vec::<String>::new(), Some(Frame::close(1012, "the gateway ends; come again")))
    );
    socket.send(Frame::close(1012, "")).await;
    assert!(socket.ended().await);
    assert!(feeds.gateway.ended().await);
}

#[tokio::test]
async fn frames_behind_the_request_are_heard_and_tls_changes_nothing() {
    let tls = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let ca = Ca::new("a test's CA");
    let setup =
        Setup::new().section(&format!("[[listeners]]\nid = \"tls\"\naddress = \"{tls}\"\ntls = true\n"));
    let (cert, key) = ca.server(&["shop.example"]).write(setup.folder(), "a");
    let text = format!("[[certificates]]\nnames = [\"shop.example\"]\ncert = {cert:?}\nkey = {key:?}\n");
    setup.write_routes("a.toml", &text);
    let feeds = Feeds::start(setup).await;
    let client = TlsClient::new(&ca).offering(&["http/1.1"]);
    let stream = client.connect(tls, "shop.example").await.expect("a handshake");
    let mut socket =
        WebSocket::over(stream, "/talk", "origin: https://shop.example\r\n").await.expect("it is open");
    for n in 1..100 {
        socket.send(number(n)).await;
        hears(&mut socket, number(n)).await;
    }
    socket.send(Frame::close(1000, "")).await;
    hears(&mut socket, Frame::close(1000, "")).await;
    // All at once, without TLS.
    let mut raw = Raw::connect(feeds.gateway.addr).await;
    let head = format!("GET /talk HTTP/1.1\r\nhost: x\r\n{UPGRADE}\r\n").into_bytes();
    raw.write([head, frame(0x81, b"{\"n\":7}"), frame(0x88, b"")].concat()).await;
    let text = raw.read_until(|text| text.ends_with("\u{fffd}\u{0}")).await;
    assert!(text.starts_with("HTTP/1.1 101 ") && text.contains("{\"n\":7}"), "{text}");
}

#[tokio::test]
async fn routes_say_that_they_are_websockets() {
    let feeds = Feeds::start(Setup::new()).await;
    let routes = feeds.gateway.admin.get("/routes").await.json();
    let routes = routes["routes"].as_array().expect("a list").clone();
    let of = |path: &str| {
        routes.iter().find(|route| route["match"].as_str().is_some_and(|own| own.ends_with(path))).cloned()
    };
    let shown: Vec<_> = routes.iter().map(|route| route["websocket"].to_string()).collect();
    assert!(shown.iter().any(|shown| shown.contains("https://*.b.example")), "{shown:?}");
    assert!(
        shown.iter().any(|shown| shown == "{\"messages\":\"json\",\"origins\":null}"),
        "{shown:?} {:?}",
        of("/limited")
    );
}
