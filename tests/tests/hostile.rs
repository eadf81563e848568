//! Bytes that nobody should send, at the gateway's port and from a backend: the gateway refuses them and lives.

use callgate_protocol::schema::{Definition, Field, Fingerprint, MethodSchema, StructDef, Type};
use callgate_protocol::{
    CallId, Event, Hello, Inbound, Limits, MethodOffer, Outbound, Role, ServiceOffer, Streaming,
};
use callgate_tests::{Gateway, Setup, eventually, free_port};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

/// Memory that may be taken meanwhile, in bytes: buffers and the allocator's habits, not what an attack asks for.
const ALLOWED_GROWTH: u64 = 64 << 20;

/// Sends bytes, closes the sending side, and reads what comes until the end. A gateway that keeps waiting for more is
/// left after a moment: it is free to, within its time limits.
async fn send(gateway: &Gateway, bytes: &[u8]) -> String {
    let mut socket = TcpStream::connect(gateway.addr).await.expect("the gateway listens");
    // It may close before it has read all of it.
    let _ = socket.write_all(bytes).await;
    let _ = socket.shutdown().await;
    let mut answer = Vec::new();
    let _ = timeout(Duration::from_secs(10), socket.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

async fn still_well(gateway: &mut Gateway) {
    assert!(gateway.is_running(), "the gateway died: {}", gateway.log());
    assert!(!gateway.log().contains("panicked"), "{}", gateway.log());
    let answer = gateway.client.get("/v1/calc/add?a=1&b=2").await;
    assert_eq!((answer.status, answer.text().as_str()), (200, r#"{"result":3}"#));
}

#[tokio::test]
async fn hostile_http_is_refused_and_the_gateway_serves_on() {
    let setup = Setup::new().server("header_timeout = \"2s\"\nbody_timeout = \"2s\"");
    let (_backend, mut gateway) = setup.shop().await;
    still_well(&mut gateway).await;
    let before = gateway.resident_bytes();

    let head = "POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    let refused = [
        format!("{head}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}"),
        format!("{head}content-length: \r\n\r\n"),
        format!("{head}content-length: -1\r\n\r\n"),
        format!("{head}content-length: +2\r\n\r\n{{}}"),
        format!("{head}content-length: 0x2\r\n\r\n{{}}"),
        format!("{head}content-length: 99999999999999999999\r\n\r\n{{}}"),
        format!("{head}transfer-encoding: xchunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"),
        format!("{head}transfer-encoding: chunked\r\n\r\n-2\r\n{{}}\r\n0\r\n\r\n"),
        format!("{head}transfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n{{}}\r\n0\r\n\r\n"),
        format!("{head}x y: z\r\ncontent-length: 2\r\n\r\n{{}}"),
        format!("{head}host : y\r\ncontent-length: 2\r\n\r\n{{}}"),
        "GET /v1/calc/add?a=1&b=2 HTTP/1.1\r\nhost: x\u{0}\r\n\r\n".to_owned(),
        "GET /\u{0} HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
        "GARBAGE\r\n\r\n".to_owned(),
        format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(1 << 20)),
        format!("GET / HTTP/1.1\r\nhost: x\r\nlong: {}\r\n\r\n", "x".repeat(1 << 20)),
        format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "a: b\r\n".repeat(10_000)),
    ];
    for request in &refused {
        let answer = send(&gateway, request.as_bytes()).await;
        let start: String = request.chars().take(120).collect();
        let is_refused = answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 501 ");
        assert!(answer.is_empty() || is_refused, "{start:?}: {answer}");
    }
    // With both lengths given (RFC 9112, 6.1) nobody knows where the next request begins.
    let both = format!("{head}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n");
    let smuggled =
        send(&gateway, format!("{both}GET /v1/calc/add?a=1&b=2 HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes())
            .await;
    assert!(smuggled.starts_with("HTTP/1.1 400 "), "{smuggled}");
    assert_eq!(smuggled.matches("HTTP/1.1 ").count(), 1, "{smuggled}");

    let mut rng = fastrand::Rng::with_seed(7);
    let valid = format!("{head}content-length: 2\r\n\r\n{{}}").into_bytes();
    for _ in 0..150 {
        let length = rng.usize(..2000);
        let random: Vec<u8> = (0..length).map(|_| rng.u8(..)).collect();
        send(&gateway, &random).await;
        let mut mutated = valid.clone();
        for _ in 0..=rng.usize(..3) {
            let at = rng.usize(..mutated.len());
            mutated[at] = rng.u8(..);
        }
        mutated.truncate(rng.usize(..=mutated.len()));
        send(&gateway, &mutated).await;
    }
    still_well(&mut gateway).await;
    let grown = gateway.resident_bytes().saturating_sub(before);
    assert!(grown < ALLOWED_GROWTH, "{grown} bytes more");
}

#[tokio::test]
async fn a_request_that_is_none_is_answered_before_the_connection_closes() {
    let gateway = Setup::new().gateway().await;
    let get = "GET /nowhere HTTP/1.1\r\nhost: x\r\n";
    for (request, expected) in [
        ("GARBAGE\r\n\r\n".to_owned(), "HTTP/1.1 400 "),
        ("GET / HTTP/9.9\r\n\r\n".to_owned(), "HTTP/1.1 505 "),
        (format!("{get}x y: z\r\n\r\n"), "HTTP/1.1 400 "),
        (format!("{get}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}"), "HTTP/1.1 400 "),
        (format!("{get}long: {}\r\n\r\n", "x".repeat(17 << 10)), "HTTP/1.1 431 "),
    ] {
        let answer = send(&gateway, request.as_bytes()).await;
        let start: String = request.chars().take(80).collect();
        assert!(answer.starts_with(expected), "{start:?}: {answer:?}");
    }
}

#[tokio::test]
async fn an_answer_does_not_wait_for_what_follows_its_request() {
    let gateway = Setup::new().gateway().await;
    // An empty line, as some clients send it (RFC 9112, 2.2), and the beginning of the next request.
    for next in ["\r\n", "GET /nowhere HT"] {
        let mut socket = TcpStream::connect(gateway.addr).await.expect("the gateway listens");
        let request = format!("GET /nowhere HTTP/1.1\r\nhost: x\r\n\r\n{next}");
        socket.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = [0; 12];
        let read = timeout(Duration::from_secs(5), socket.read_exact(&mut answer)).await;
        assert!(matches!(read, Ok(Ok(_))), "nothing was answered before {next:?}");
        assert_eq!(&answer, b"HTTP/1.1 404");
    }
}

#[tokio::test]
async fn slow_clients_are_left_when_their_time_is_up() {
    let setup = Setup::new().server("header_timeout = \"1s\"\nbody_timeout = \"1s\"\nidle_timeout = \"1s\"");
    let (_backend, mut gateway) = setup.shop().await;
    let head = "POST /v1/echo HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n[1,";
    for (request, expected) in [("", ""), ("GET /v1/ca", ""), (head, "HTTP/1.1 408 ")] {
        let mut socket = TcpStream::connect(gateway.addr).await.expect("the gateway listens");
        socket.write_all(request.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        // Closed by the gateway: that the read ends at all is the point.
        let read = timeout(callgate_tests::PATIENCE, socket.read_to_string(&mut answer)).await;
        assert!(read.is_ok(), "{request:?} was never left");
        assert!(answer.starts_with(expected), "{request:?}: {answer}");
    }
    // One of them had begun a request.
    let told = gateway.told("the head of a request has not come within header_timeout", "client").await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(gateway.metric("callgate_late_heads_total", &[]).await, 1.0);
    still_well(&mut gateway).await;
}

/// Sends a request on a raw connection and reads its answer, which carries a length.
async fn exchange(socket: &mut TcpStream, request: &[u8]) -> String {
    socket.write_all(request).await.expect("it reads");
    let mut answer = Vec::new();
    loop {
        let read = timeout(callgate_tests::PATIENCE, socket.read_buf(&mut answer)).await;
        let read = read.expect("an answer in time").expect("an answer");
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert!(read > 0, "closed after {text:?}");
        if text.ends_with(r#"{"result":3}"#) {
            return text;
        }
    }
}

#[tokio::test]
async fn a_connection_that_rested_serves_on_and_what_it_had_begun_to_send_is_kept() {
    let setup = Setup::new();
    let (_backend, gateway) = setup.shop().await;
    let request = b"GET /v1/calc/add?a=1&b=2 HTTP/1.1\r\nhost: x\r\n\r\n";
    let mut sockets = Vec::new();
    for _ in 0..20 {
        let mut socket = TcpStream::connect(gateway.addr).await.expect("the gateway listens");
        exchange(&mut socket, request).await;
        sockets.push(socket);
    }
    // Half of them send the beginning of their next request together with the one before.
    for socket in &mut sockets[..10] {
        exchange(socket, &[&request[..], &request[..9]].concat()).await;
    }
    // Long enough that all of them rest; whether they do is not for a client to see.
    tokio::time::sleep(Duration::from_millis(1600)).await;
    for (at, socket) in sockets.iter_mut().enumerate() {
        let rest = if at < 10 { &request[9..] } else { &request[..] };
        assert!(exchange(socket, rest).await.starts_with("HTTP/1.1 200 OK"));
        assert!(exchange(socket, request).await.starts_with("HTTP/1.1 200 OK"));
    }
    assert_eq!(gateway.metric("callgate_connections_open", &[]).await, 20.0);
}

#[tokio::test]
async fn deep_long_and_repetitive_json_costs_no_more_than_its_length() {
    let setup = Setup::new();
    let (mut backend, mut gateway) = setup.shop().await;
    still_well(&mut gateway).await;
    let (ours, theirs) = (gateway.resident_bytes(), backend.resident_bytes());
    let keys: String = (0..100_000).map(|n| format!("\"k{n}\":{n},")).collect();
    let bodies = [
        "[".repeat(4 << 20),
        "{\"a\":".repeat(700_000),
        format!("[{}]", "0,".repeat(2_000_000).trim_end_matches(',')),
        format!("\"{}\"", "\\u0041".repeat(600_000)),
        format!("{{{}}}", keys.trim_end_matches(',')),
        format!("{{{}\"k7\":0}}", keys),
        "9".repeat(1 << 20),
        format!("1e{}", "9".repeat(1 << 20)),
    ];
    for body in bodies {
        let start: String = body.chars().take(20).collect();
        for path in ["/v1/echo", "/v1/orders/1/quote", "/v1/echo/types"] {
            let status = gateway.client.post(path, body.clone()).await.status;
            assert!(matches!(status, 200 | 400), "{start} at {path}: {status}");
        }
    }
    still_well(&mut gateway).await;
    assert!(backend.is_running());
    let limit = ALLOWED_GROWTH * 2;
    assert!(gateway.resident_bytes().saturating_sub(ours) < limit, "the gateway's memory");
    assert!(backend.resident_bytes().saturating_sub(theirs) < limit, "the backend's memory");
}

/// A schema of a method without arguments that gives a list of strings.
fn schema() -> MethodSchema {
    let empty = StructDef::new("Nothing", Vec::<Field>::new());
    MethodSchema::new(Type::Ref(0), Type::List(Box::new(Type::String)), vec![Definition::Struct(empty)])
}

/// What is written in answer to a call of that number.
type Lie = fn(&mut Vec<u8>, u32);

/// A backend that shakes hands as it should and then answers every call with what `answer` writes.
async fn lying_backend(listener: TcpListener, answer: Lie) {
    loop {
        let Ok((mut socket, _)) = listener.accept().await else {
            return;
        };
        tokio::spawn(async move {
            let schema = schema();
            let encoded = schema.encode();
            let method = MethodOffer {
                name: "list".to_owned(),
                call_id: CallId::of("liar", "list"),
                schema: Fingerprint::of(&encoded),
                wire: schema.wire_fingerprint(),
                idempotent: false,
                streams: Streaming::default(),
            };
            let service =
                ServiceOffer { name: "liar".to_owned(), version: String::new(), methods: vec![method] };
            let mut outbound = Outbound::new(&Hello::new("liar", Limits::default(), vec![service]));
            let mut inbound = Inbound::new(Role::Acceptor, Limits::default());
            let (mut unread, mut raw) = (Vec::new(), Vec::new());
            loop {
                let chunk = outbound.chunk().to_vec();
                outbound.advance(chunk.len());
                if socket.write_all(&chunk).await.is_err() || socket.write_all(&raw).await.is_err() {
                    return;
                }
                raw.clear();
                if chunk.is_empty() && socket.read_buf(&mut unread).await.unwrap_or(0) == 0 {
                    return;
                }
                let mut at = 0;
                while let Ok((taken, event)) = inbound.next(&unread[at..]) {
                    if taken == 0 {
                        break;
                    }
                    at += taken;
                    match event {
                        Some(Event::SchemaRequest(fingerprint)) => outbound.schema(fingerprint, &encoded),
                        Some(Event::Call { number, .. }) => answer(&mut raw, number),
                        _ => {}
                    }
                }
                unread.drain(..at);
            }
        });
    }
}

/// A frame of that kind and length, with a body.
fn frame(out: &mut Vec<u8>, length: u32, kind: u8, call: u32, body: &[u8]) {
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(&[kind, 0]);
    out.extend_from_slice(&call.to_le_bytes());
    out.extend_from_slice(body);
}

#[tokio::test]
async fn a_lying_backend_costs_its_own_calls_only() {
    const REPLY: u8 = callgate_protocol::frame::kind::REPLY;
    let answers: [(&str, Lie, &[u16]); 6] = [
        ("no value of the schema", |out, call| frame(out, 3, REPLY, call, &[2, 9, b'x']), &[500]),
        (
            "a length that claims too much",
            |out, call| frame(out, 9, REPLY, call, &[253, 255, 255, 255, 255, 255, 255, 255, 127]),
            &[500],
        ),
        ("not UTF-8", |out, call| frame(out, 3, REPLY, call, &[1, 1, 0xff]), &[500]),
        ("a frame that is too large", |out, call| frame(out, u32::MAX, REPLY, call, &[]), &[503]),
        ("an answer to nobody", |out, call| frame(out, 1, REPLY, call + 1000, &[0]), &[503]),
        ("a frame of the other side", |out, call| frame(out, 8, 0x10, call, &[1; 8]), &[503]),
    ];
    let setup = Setup::new();
    let shop = setup.backend("shop");
    setup.write_shop(&[&shop]);
    let mut tables = String::new();
    for (n, (_, answer, _)) in answers.iter().enumerate() {
        let port = free_port();
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
        tokio::spawn(lying_backend(listener, *answer));
        tables.push_str(&format!("[backends.liar{n}]\nendpoints = [\"127.0.0.1:{port}\"]\n"));
        tables.push_str(&format!(
            "[[routes]]\nmatch = \"GET /liar/{n}\"\ncall = \"liar.list\"\nbackend = \"liar{n}\"\n"
        ));
    }
    setup.write_routes("liars.toml", &tables);
    let mut gateway = setup.gateway().await;
    gateway.connected(&shop).await;
    for (n, (lie, _, statuses)) in answers.iter().enumerate() {
        let path = format!("/liar/{n}");
        let (client, path) = (&gateway.client, &path);
        // Until the first connection is there, a call may wait in vain: then it is 503 without having been sent.
        let answer = eventually(lie, || async {
            let answer = client.get(path).await;
            statuses.contains(&answer.status).then_some(answer)
        });
        let answer = answer.await;
        assert_eq!(answer.header("content-type"), "application/problem+json", "{lie}");
    }
    still_well(&mut gateway).await;
}

#[tokio::test]
async fn a_peer_that_does_not_speak_the_protocol_is_reported_and_left() {
    let port = free_port();
    let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port is free");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        }
    });
    let setup = Setup::new();
    setup.write_routes(
        "web.toml",
        &format!("[backends.web]\nendpoints = [\"127.0.0.1:{port}\"]\n[[routes]]\nmatch = \"GET /\"\ncall = \"a.b\"\n"),
    );
    let gateway = setup.gateway().await;
    assert_eq!(gateway.client.get("/").await.status, 503);
    let page = gateway.admin.get("/backends").await.json();
    let error = page["backends"][0]["endpoints"][0]["error"].as_str().unwrap_or_default().to_owned();
    assert!(error.contains("does not speak") && error.contains("HTTP/1.1"), "{error}");
}
