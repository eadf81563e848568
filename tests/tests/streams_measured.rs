//! Figures of streams, which are shown and not judged, since machines differ: how much memory a long one takes whose reader pauses, and how soon a
//! method is cancelled when its client leaves.
//!
//! `cargo test -p callgate-tests --test streams_measured -- --ignored --nocapture --test-threads=1`

use callgate_tests::websocket::{Frame, WebSocket};
use callgate_tests::{Backend, Gateway, Http2, PATIENCE, Raw, Sent, Setup, eventually, free_port};
use http::Request;
use std::any::Any;
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

struct Feeds {
    gateway: Gateway,
    backend: Backend,
    /// Where it speaks HTTP/2.
    http2: SocketAddr,
    _setup: Setup,
}

impl Feeds {
    /// A gateway with one worker, so that all calls share a connection.
    async fn start() -> Feeds {
        let http2 = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let listener = format!("[[listeners]]\naddress = \"{http2}\"\nhttp2 = \"prior_knowledge\"\n");
        let setup = Setup::new().workers(1).section(&listener);
        let backend = setup.backend("feeds");
        let route = |(head, call, more): &(&str, &str, &str)| {
            format!("[[routes]]\nmatch = \"{head}\"\ncall = \"feeds.{call}\"\n{more}\n")
        };
        let routes: String = [
            ("GET /feed/{to}/{then}", "feed", ""),
            ("GET /talk", "talk", "websocket = true"),
            ("POST /sum/{from}", "sum", "body = { stream = true }"),
            ("GET /running", "running", ""),
            ("GET /made", "made", ""),
            ("GET /ended", "ended", ""),
        ]
        .iter()
        .map(route)
        .collect();
        let table = format!("[backends.feeds]\nendpoints = [\"{}\"]\n{routes}", backend.endpoint());
        setup.write_routes("feeds.toml", &table);
        let gateway = setup.gateway().await;
        eventually("an instance", async || {
            (gateway.client.get("/running").await.status == 200).then_some(())
        })
        .await;
        Feeds { gateway, backend, http2, _setup: setup }
    }

    async fn number(&self, path: &str) -> u64 {
        self.gateway.client.get(path).await.json().as_u64().expect("a number")
    }

    async fn running(&self, expected: u64) {
        eventually(&format!("{expected} calls that run"), async || {
            (self.number("/running").await == expected).then_some(())
        })
        .await;
    }

    /// The most memory that gateway and instance have had, in KiB.
    fn peaks(&self) -> [u64; 2] {
        [self.gateway.pid(), self.backend.pid()].map(|pid| {
            let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("it runs");
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux says so");
            line.trim().trim_end_matches(" kB").parse().expect("a number")
        })
    }

    /// How long short calls take, beside whatever else there is.
    async fn latency(&self) -> Spread {
        let mut took = Vec::new();
        for _ in 0..1000 {
            let begun = Instant::now();
            self.number("/running").await;
            took.push(begun.elapsed());
        }
        Spread::of(took)
    }

    /// A client of that form whose call runs. It leaves when what is returned is dropped.
    async fn client(&self, form: &str, http2: &mut Http2) -> Box<dyn Any> {
        let get = |accept: &str, to: &str| {
            format!("GET /feed/{to} HTTP/1.1\r\nhost: x\r\naccept: {accept}\r\n\r\n")
        };
        let post = "POST /sum/1 HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-ndjson\r\n\
                    transfer-encoding: chunked\r\n\r\n8\r\n{\"n\":1}\n\r\n";
        match form {
            "events" => self.raw(get("text/event-stream", "2/hang"), "\"n\":2").await,
            "lines" => self.raw(get("application/x-ndjson", "2/hang"), "\"n\":2").await,
            "an array" => self.raw(get("application/json", "2/hang"), "\"n\":2").await,
            "lines, nobody reads" => self.raw(get("application/x-ndjson", "4000000000/end"), "\"n\":2").await,
            "a request" => self.raw(post.to_owned(), "").await,
            "a WebSocket" => {
                let mut socket = WebSocket::connect(self.gateway.addr, "/talk").await;
                socket.say("{\"n\":1}").await;
                assert_eq!(socket.next().await, Some(Frame::text("{\"n\":1}")));
                Box::new(socket)
            }
            "HTTP/2: a reply" => Box::new(
                http2.begin(Http2::request("GET", "/feed/2/hang"), false).await.head().await.expect("a head"),
            ),
            "HTTP/2: a request" => Box::new(sum(http2).await),
            "HTTP/2: the connection" => {
                let mut own = Http2::connect(self.http2).await;
                let sent = own.begin(Http2::request("GET", "/feed/2/hang"), false).await;
                let head = sent.head().await.expect("a head");
                Box::new((Cut(Some(own)), head))
            }
            other => panic!("no form: {other}"),
        }
    }

    async fn raw(&self, request: String, until: &str) -> Box<dyn Any> {
        let mut raw = Raw::connect(self.gateway.addr).await;
        raw.write(request).await;
        raw.read_until(|text| text.contains(until)).await;
        Box::new(raw)
    }
}

async fn sum(http2: &mut Http2) -> Sent {
    let request = Request::post("http://shop.example/sum/1").header("content-type", "application/x-ndjson");
    let mut sent = http2.begin(request.body(()).expect("a request"), true).await;
    sent.send.send_data("{\"n\":1}\n".into(), false).expect("it is open");
    sent
}

/// A connection that ends without a word.
struct Cut(Option<Http2>);

impl Drop for Cut {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(Http2::cut);
    }
}

/// The middle, the 99th of a hundred and the worst.
struct Spread([Duration; 3]);

impl Spread {
    fn of(mut took: Vec<Duration>) -> Spread {
        took.sort_unstable();
        Spread([took[took.len() / 2], took[took.len() * 99 / 100], took[took.len() - 1]])
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [median, p99, worst] = self.0;
        write!(out, "median {median:.1?}, p99 {p99:.1?}, worst {worst:.1?}")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it measures"]
async fn how_soon_a_method_is_cancelled_when_its_client_leaves() {
    let feeds = Feeds::start().await;
    let mut http2 = Http2::connect(feeds.http2).await;
    for form in [
        "events",
        "lines",
        "an array",
        "lines, nobody reads",
        "a request",
        "a WebSocket",
        "HTTP/2: a reply",
        "HTTP/2: a request",
        "HTTP/2: the connection",
    ] {
        let mut took = Vec::new();
        for _ in 0..50 {
            let client = feeds.client(form, &mut http2).await;
            feeds.running(1).await;
            let left = SystemTime::UNIX_EPOCH.elapsed().expect("it is later than 1970");
            drop(client);
            feeds.running(0).await;
            let ended = Duration::from_micros(feeds.number("/ended").await);
            took.push(ended.saturating_sub(left));
        }
        println!("{form}: {}", Spread::of(took));
    }
}

/// A client that has asked for lines, and whose socket takes little at a time.
async fn reader(addr: SocketAddr, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(64 << 10).expect("it takes a size");
    let mut socket = socket.connect(addr).await.expect("the gateway listens");
    socket.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes()).await.expect("it reads");
    socket
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it measures"]
async fn how_much_memory_a_million_items_take_whose_reader_pauses() {
    const ALL: usize = 1_000_000;
    let feeds = Feeds::start().await;
    // What short calls take belongs to both sides of the comparison.
    println!("calls before: {}", feeds.latency().await);
    let mut socket = reader(feeds.gateway.addr, &format!("/feed/{ALL}/end")).await;
    let (mut read, mut buffer, mut before, mut pauses) = (0, vec![0; 16 << 10], None, 0);
    while read < ALL {
        let length = socket.read(&mut buffer).await.expect("it goes on");
        assert!(length > 0, "it has ended after {read}");
        read += buffer[..length].iter().filter(|byte| **byte == b'{').count();
        if read < 10_000 || read < pauses * 100_000 {
            continue;
        }
        pauses += 1;
        // Its writer stands still before it goes on.
        let stands_still = async {
            let mut made = 0;
            while std::mem::replace(&mut made, feeds.number("/made").await) != made {}
        };
        tokio::time::timeout(PATIENCE, stands_still).await.expect("a writer that stands still");
        if before.is_none() {
            println!("calls while it pauses: {}", feeds.latency().await);
            before = Some(feeds.peaks());
        }
    }
    let (before, after) = (before.expect("it has paused"), feeds.peaks());
    for (who, at) in [("gateway", 0), ("instance", 1)] {
        println!(
            "{who}: {} KiB at most after 10,000 items, {} more after a million with {pauses} pauses",
            before[at],
            after[at] - before[at]
        );
    }
    // Memory does not depend on the machine as time does.
    assert!(before.iter().zip(after).all(|(before, after)| after - before < 8 << 10), "{before:?} {after:?}");
}
