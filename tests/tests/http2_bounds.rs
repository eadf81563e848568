//! What an HTTP/2 connection may cost: replies that nobody takes, streams that are given up, and what the log says of it; and that a good
//! connection which many clients share is not taken for a bad one.

use callgate_tests::{Backend, Client, Gateway, PATIENCE, Setup, eventually, free_port};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const MIB: u64 = 1 << 20;

/// Nothing may pass because a time limit has ended it.
const PATIENT: &str = "header_timeout = \"1h\"\nbody_timeout = \"1h\"\nidle_timeout = \"1h\"\nmin_body_rate = 0\nmin_send_rate = 0\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A gateway before a backend whose replies are as long as one likes.
struct Net {
    gateway: Gateway,
    /// Where HTTP/2 is spoken in the clear.
    addr: SocketAddr,
    _backend: Backend,
    _setup: Setup,
}

impl Net {
    async fn start(server: &str) -> Net {
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let listener = format!("[[listeners]]\naddress = \"{addr}\"\nhttp2 = \"prior_knowledge\"\n");
        let setup = Setup::new().server(&format!("{PATIENT}{server}")).section(&listener);
        let backend = setup.backend("lavish");
        let routes = format!(
            "[backends.lavish]\nendpoints = [{:?}]\n\
             [[routes]]\nmatch = \"GET /text/{{bytes}}\"\ncall = \"lavish.text\"\ntimeout = \"60s\"\n\
             [[routes]]\nmatch = \"GET /up\"\nrespond = {{ body = \"up\" }}\n",
            backend.endpoint()
        );
        setup.write_routes("lavish.toml", &routes);
        let gateway = setup.gateway().await;
        gateway.connected(&backend).await;
        Net { gateway, addr, _backend: backend, _setup: setup }
    }

    async fn connect(&self) -> Frames {
        Frames::connect(self.addr, &[]).await
    }

    /// Waits until a metric has that value.
    async fn counts(&self, name: &str, labels: &[&str], expected: f64) {
        eventually(name, || async { (self.gateway.metric(name, labels).await == expected).then_some(()) })
            .await;
    }
}

/// A connection as its frames. Nothing is answered by itself.
struct Frames {
    socket: TcpStream,
    unread: Vec<u8>,
    ended: bool,
}

/// The kind of a frame, its stream, and its payload.
type Come = (u8, u32, Vec<u8>);

impl Frames {
    async fn connect(addr: SocketAddr, settings: &[u8]) -> Frames {
        let mut socket = TcpStream::connect(addr).await.expect("the gateway listens");
        // What is taken of replies counts by their streams alone.
        let open = frame(WINDOW_UPDATE, 0, 0, &(1u32 << 30).to_be_bytes());
        let hello =
            [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", &frame(SETTINGS, 0, 0, settings)[..], &open].concat();
        socket.write_all(&hello).await.expect("it is read");
        Frames { socket, unread: Vec::new(), ended: false }
    }

    async fn send(&mut self, frames: &[u8]) {
        self.socket.write_all(frames).await.expect("it is read");
    }

    /// The next frame; `None` at the end.
    async fn next(&mut self) -> Option<Come> {
        loop {
            if let [a, b, c, kind, _, stream @ ..] = &self.unread[..]
                && let Some((stream, rest)) = stream.split_first_chunk()
                && let Some(payload) = rest.get(..u32::from_be_bytes([0, *a, *b, *c]) as usize)
            {
                let come = (*kind, u32::from_be_bytes(*stream), payload.to_vec());
                self.unread.drain(..9 + come.2.len());
                return Some(come);
            }
            let read = timeout(PATIENCE, self.socket.read_buf(&mut self.unread)).await;
            if !read.expect("something comes").is_ok_and(|read| read > 0) {
                self.ended = true;
                return None;
            }
        }
    }

    /// Reads frames until that many of a kind have come, or the connection has ended; their payloads.
    async fn all(&mut self, wanted: u8, count: usize) -> Vec<Vec<u8>> {
        let mut all = Vec::new();
        while all.len() < count {
            match self.next().await {
                Some((kind, _, payload)) if kind == wanted => all.push(payload),
                Some((GOAWAY, _, payload)) => assert_eq!(payload[4..8], [0; 4], "the connection is ended"),
                Some(_) => {}
                None => break,
            }
        }
        all
    }

    /// Sends that over and over until the connection ends; the code of the last GOAWAY.
    async fn flood(mut self, frames: impl Fn(u32) -> Vec<u8>) -> Option<u32> {
        let mut code = None;
        let mut note = |come: &Come| {
            if come.0 == GOAWAY {
                code = Some(u32::from_be_bytes([come.2[4], come.2[5], come.2[6], come.2[7]]));
            }
        };
        for round in 0..1000 {
            if self.socket.write_all(&frames(round)).await.is_err() {
                break;
            }
            while let Ok(Some(come)) = timeout(std::time::Duration::ZERO, self.next()).await {
                note(&come);
            }
            if self.ended {
                break;
            }
        }
        while let Some(come) = self.next().await {
            note(&come);
        }
        code
    }
}

/// A frame.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// HEADERS of a request. Its fields are neither from the table nor put into it.
fn request(method: &str, path: &str, stream: u32, flags: u8, fields: &[(&str, &str)]) -> Vec<u8> {
    let field = |(name, value): (&str, &str)| {
        [&[0, name.len() as u8], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat()
    };
    let pseudo = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "a")];
    let block: Vec<u8> = pseudo.iter().chain(fields).copied().flat_map(field).collect();
    frame(HEADERS, flags | END_HEADERS, stream, &block)
}

fn get(path: &str, stream: u32) -> Vec<u8> {
    request("GET", path, stream, END_STREAM, &[])
}

/// The id of the n-th stream.
fn id(number: u32) -> u32 {
    2 * number + 1
}

/// INITIAL_WINDOW_SIZE is 0.
const NO_WINDOW: &[u8] = &[0, 4, 0, 0, 0, 0];

#[tokio::test]
async fn requests_that_are_given_up_with_trailers_are_a_flood_like_any() {
    let net = Net::start("").await;
    let mut client = net.connect().await;
    let rapid = |number| {
        let stream = id(number);
        let trailers = frame(HEADERS, END_STREAM | END_HEADERS, stream, &[0, 1, b'x', 1, b'y']);
        let reset = frame(RST_STREAM, 0, stream, &8u32.to_be_bytes());
        [request("GET", "/text/9", stream, 0, &[]), trailers, reset].concat()
    };
    // So few at a time that the library has looked at each before it is given up for good.
    let mut code = None;
    for round in 0..100 {
        let some: Vec<u8> = (0..20).flat_map(|number| rapid(20 * round + number)).collect();
        client.send(&[some, frame(PING, 0, 0, b"are you?")].concat()).await;
        while code.is_none() {
            match client.next().await.expect("the connection goes on") {
                (GOAWAY, _, payload) => code = Some(payload[7]),
                (PING, ..) => break,
                _ => {}
            }
        }
        if code.is_some() {
            break;
        }
    }
    assert_eq!(code, Some(11));
    net.counts("callgate_http2_floods_total", &["rst_stream"], 1.0).await;
    net.counts("callgate_http2_streams_open", &[], 0.0).await;
}

#[tokio::test]
async fn nobody_floods_the_log() {
    let net = Net::start("").await;
    let answers = |_| frame(PING, 1, 0, b"unasked!").repeat(50);
    assert_eq!(net.connect().await.flood(answers).await, Some(11));
    net.counts("callgate_http2_floods_total", &["ping"], 1.0).await;
    let mut client = net.connect().await;
    let refused = |number| request("GET", "/up", id(number), END_STREAM, &[("host", "another")]);
    for number in 0..50 {
        client.send(&refused(number)).await;
        assert_eq!(client.all(HEADERS, 1).await.len(), 1);
    }
    // They are not free.
    let many = |round| (0..50).flat_map(|number| refused(50 * round + number)).collect();
    assert_eq!(net.connect().await.flood(many).await, Some(11));
    // A gateway that falls behind has the library refuse streams, which finds too many of these first.
    eventually("a flood that is counted", || async {
        let floods = async |reason| net.gateway.metric("callgate_http2_floods_total", &[reason]).await;
        (floods("refused_head").await + floods("malformed").await == 1.0).then_some(())
    })
    .await;
    // The first of each connection is told.
    let log = net.gateway.log();
    let told = |text: &str| log.lines().filter(|line| line.contains(text)).count();
    assert_eq!((told("host_mismatch"), told("PING ack")), (2, 0), "{log}");
}

#[tokio::test]
async fn floods_that_the_library_stops_are_counted_and_told() {
    let net = Net::start("").await;
    // DATA without anything in it, of which a good client has no need.
    let mut client = net.connect().await;
    client.send(&request("POST", "/text/1", 1, 0, &[])).await;
    let empty = |_| frame(DATA, 0, 1, b"").repeat(150);
    assert_eq!(client.flood(empty).await, Some(11));
    // Malformed requests: each is reset.
    let malformed = |round| {
        let one = |number| frame(HEADERS, END_STREAM | END_HEADERS, id(500 * round + number), &[0x82]);
        (0..500).flat_map(one).collect()
    };
    assert_eq!(net.connect().await.flood(malformed).await, Some(11));
    // A head far above what there may be.
    let large = |number| {
        // A field that is put into the table, and then named by a byte over and over.
        let field = [&[0x40, 1, b'x', 100][..], &[b'y'; 100]].concat();
        let sound = &request("GET", "/up", id(number), END_STREAM, &[])[9..];
        let block = [sound, &field, &[0xbe; 3000]].concat();
        frame(HEADERS, END_STREAM | END_HEADERS, id(number), &block)
    };
    let code = net.connect().await.flood(large).await;
    assert_eq!(code, Some(11));
    for reason in ["data", "malformed", "headers"] {
        net.counts("callgate_http2_floods_total", &[reason], 1.0).await;
    }
    let told = net.gateway.log().lines().filter(|line| line.contains("too many HTTP/2 frames")).count();
    assert_eq!(told, 3, "{}", net.gateway.log());
    assert_eq!(Client::new(net.gateway.addr).get("/up").await.text(), "up");
}

#[tokio::test]
async fn a_connection_leaves_in_peace_before_the_library_ends_it() {
    let net = Net::start("").await;
    let mut client = net.connect().await;
    client.send(&request("POST", "/nowhere", 1, 0, &[])).await;
    assert_eq!(client.all(DATA, 1).await.len(), 1);
    client.send(&frame(DATA, 0, 1, b"").repeat(60)).await;
    let goaway = loop {
        if let (GOAWAY, _, payload) = client.next().await.expect("the connection goes on") {
            break payload;
        }
    };
    assert_eq!(goaway[4..8], [0; 4]);
    // What comes before the client has heard that is taken.
    client.send(&get("/up", 3)).await;
    assert_eq!(client.all(DATA, 1).await, [b"up"]);
}

#[tokio::test]
async fn data_behind_early_replies_does_not_end_a_connection() {
    let net = Net::start("").await;
    let mut client = net.connect().await;
    for round in 0..6 {
        let streams = || (0..100).map(|number| id(100 * round + number));
        let heads: Vec<u8> =
            streams().flat_map(|stream| request("POST", "/nowhere", stream, 0, &[])).collect();
        client.send(&heads).await;
        assert_eq!(client.all(RST_STREAM, 100).await, vec![vec![0; 4]; 100], "in round {round}");
        let late: Vec<u8> = streams().flat_map(|stream| frame(DATA, END_STREAM, stream, b"late")).collect();
        client.send(&late).await;
    }
    client.send(&get("/up", id(600))).await;
    assert_eq!(client.all(DATA, 1).await, [b"up"]);
}

#[tokio::test]
async fn a_short_body_behind_an_early_reply_is_read_past() {
    let net = Net::start("").await;
    let mut client = net.connect().await;
    client.send(&request("POST", "/nowhere", 1, 0, &[("content-length", "10000")])).await;
    assert_eq!(client.all(HEADERS, 1).await.len(), 1);
    client.send(&frame(DATA, 0, 1, &[b'x'; 4000])).await;
    client.send(&frame(DATA, END_STREAM, 1, &[b'x'; 6000])).await;
    net.counts("callgate_http2_streams_open", &[], 0.0).await;
    let resets = net.gateway.metric("callgate_http2_resets_total", &["gateway"]).await;
    assert_eq!(resets, 0.0);
    // Of one that is long nobody waits for the end.
    client.send(&request("POST", "/nowhere", 3, 0, &[("content-length", "70000")])).await;
    assert_eq!(client.all(RST_STREAM, 1).await, [[0; 4]]);
}

#[tokio::test]
async fn a_long_answer_is_in_flight_until_its_last_piece_is_on_its_way() {
    let net = Net::start("").await;
    let mut client = Frames::connect(net.addr, NO_WINDOW).await;
    client.send(&get("/text/300000", 1)).await;
    assert_eq!(client.all(HEADERS, 1).await.len(), 1);
    assert_eq!(net.gateway.metric("callgate_requests_in_flight", &[]).await, 1.0);
    // All but a part of the last piece.
    client.send(&frame(WINDOW_UPDATE, 0, 1, &299_000u32.to_be_bytes())).await;
    let mut taken = 0;
    while taken < 299_000 {
        taken += client.all(DATA, 1).await.concat().len();
    }
    net.counts("callgate_requests_in_flight", &[], 0.0).await;
    net.counts("callgate_http2_streams_open", &[], 1.0).await;
}

#[tokio::test]
async fn replies_that_nobody_takes_share_a_bounded_memory() {
    let net = Net::start("max_answer = \"16MiB\"\nmax_answer_memory = \"32MiB\"").await;
    let before = net.gateway.resident_bytes();
    let mut deaf = Vec::new();
    for _ in 0..20 {
        let mut client = Frames::connect(net.addr, NO_WINDOW).await;
        // A reply of 60 KB each: all would be 120 MB.
        let all: Vec<u8> = (0..100).flat_map(|number| get("/text/60000", id(number))).collect();
        client.send(&all).await;
        // Each is replied to, or refused.
        let mut heard = 0;
        while heard < 100 {
            let (kind, _, payload) = client.next().await.expect("the connection goes on");
            heard += usize::from(kind == HEADERS || kind == RST_STREAM);
            if kind == RST_STREAM {
                assert!(matches!(payload[3], 7 | 11), "REFUSED_STREAM or ENHANCE_YOUR_CALM: {payload:?}");
            }
        }
        deaf.push(client);
    }
    let held = net.gateway.metric("callgate_answer_memory_bytes", &[]).await;
    assert!(held <= (32 * MIB) as f64, "{held}");
    let grown = net.gateway.resident_bytes().saturating_sub(before);
    assert!(grown < 64 * MIB, "{grown} bytes");
    // Whoever takes its reply is served.
    let mut good = net.connect().await;
    good.send(&get("/text/60000", 1)).await;
    let taken: usize = good.all(DATA, 4).await.iter().map(Vec::len).sum();
    assert_eq!(taken, 60_002);
    drop(deaf);
    net.counts("callgate_answer_memory_bytes", &[], 0.0).await;
}

#[tokio::test]
async fn one_connection_may_have_many_replies_on_their_way() {
    let net = Net::start("").await;
    let mut client = Frames::connect(net.addr, NO_WINDOW).await;
    let all: Vec<u8> = (0..100).flat_map(|number| get("/text/60000", id(number))).collect();
    client.send(&all).await;
    assert_eq!(client.all(HEADERS, 100).await.len(), 100);
    let open: Vec<u8> =
        (0..100).flat_map(|number| frame(WINDOW_UPDATE, 0, id(number), &100_000u32.to_be_bytes())).collect();
    client.send(&open).await;
    let mut bytes = 0;
    while bytes < 100 * 60_002 {
        match client.next().await.expect("the connection goes on") {
            (DATA, _, payload) => bytes += payload.len(),
            (kind, ..) => assert_ne!(kind, RST_STREAM),
        }
    }
    net.counts("callgate_answer_memory_bytes", &[], 0.0).await;
}
