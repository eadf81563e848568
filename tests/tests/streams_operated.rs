//! Streams while operators do what they do: tables are reloaded, an instance is drained, and the gateway is upgraded in place. All that streams
//! goes on, until `stream_drain` has passed in the old process; and then each client is told to come again.

use callgate_tests::websocket::{Frame, WebSocket};
use callgate_tests::{Backend, Client, Gateway, PATIENCE, Setup, free_port};
use http_body_util::BodyExt;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

const EVENTS: &str = "text/event-stream";
const LINES: &str = "application/x-ndjson";
const STREAM_DRAIN: Duration = Duration::from_secs(4);

/// What a client has got of a stream without an end, which says 1, 2, 3…
struct Stream {
    form: &'static str,
    come: watch::Receiver<u64>,
    reads: JoinHandle<End>,
}

/// How it has ended.
struct End {
    at: Instant,
    /// What its last words were.
    words: String,
    /// Whether the body was cut.
    cut: bool,
}

impl Stream {
    /// One over HTTP, by that client, in that form.
    fn http(client: Client, form: &'static str) -> Stream {
        let (seen, come) = watch::channel(0);
        let reads = tokio::spawn(async move {
            let response = client.open("/count", &[("accept", form)]).await;
            assert_eq!(response.headers()["content-type"], form, "{response:?}");
            let (mut body, mut text, mut cut) = (response.into_body(), String::new(), false);
            while let Some(frame) = timeout(PATIENCE, body.frame()).await.expect("more in time") {
                let Ok(frame) = frame else {
                    cut = true;
                    break;
                };
                text.push_str(std::str::from_utf8(frame.data_ref().expect("data")).expect("whole items"));
                while let Some(item) = next_item(form, &mut text) {
                    is_next(&seen, &item);
                }
            }
            End { at: Instant::now(), words: text, cut }
        });
        Stream { form, come, reads }
    }

    /// One over a WebSocket.
    fn websocket(addr: SocketAddr) -> Stream {
        let (seen, come) = watch::channel(0);
        let reads = tokio::spawn(async move {
            let mut socket = WebSocket::connect(addr, "/watch").await;
            let close = loop {
                match socket.next().await.expect("a close before the end") {
                    Frame(0x81, text) => is_next(&seen, &String::from_utf8(text).expect("text")),
                    Frame(0x89, ping) => socket.send(Frame(0x8a, ping)).await,
                    close => break close,
                }
            };
            End { at: Instant::now(), words: format!("{:?} {}", close.code(), close.reason()), cut: false }
        });
        Stream { form: "WebSocket", come, reads }
    }

    /// Waits for an item beyond those.
    async fn goes_on(&mut self, before: u64) {
        let more = timeout(PATIENCE, self.come.wait_for(|come| *come > before)).await;
        assert!(more.expect("an item in time").is_ok(), "a stream has ended: {}", self.form);
    }

    /// It ends no sooner than that, and in its form it says that its client is to come again.
    async fn hears_to_come_again(self, at_least: Instant) {
        let End { at, words, cut } = timeout(PATIENCE, self.reads).await.expect("it ends").expect("no panic");
        assert!(at >= at_least, "{} was cut {:?} too early", self.form, at_least - at);
        match self.form {
            EVENTS => assert!(
                words.starts_with("event: reconnect\nretry: ")
                    && words.contains("\"code\":\"unavailable\"")
                    && !cut,
                "{words}"
            ),
            LINES => assert!(
                words.starts_with("error: {") && words.contains("\"code\":\"unavailable\"") && cut,
                "{words}"
            ),
            _ => assert_eq!(words, "Some(1012) the gateway ends; come again"),
        }
    }
}

/// Takes the next item out of the text, if it is there. Last words stay.
fn next_item(form: &str, text: &mut String) -> Option<String> {
    let (begin, end) = if form == EVENTS { ("data: ", "\n\n") } else { ("", "\n") };
    let item = text.strip_prefix(begin)?.split_once(end)?.0.to_owned();
    if item.starts_with("error: ") {
        return None;
    }
    text.drain(..begin.len() + item.len() + end.len());
    Some(item)
}

/// None is missing, and none comes twice.
fn is_next(seen: &watch::Sender<u64>, item: &str) {
    seen.send_modify(|n| {
        *n += 1;
        assert_eq!(*n, item.parse::<u64>().expect("a number"));
    });
}

async fn all_go_on(streams: &mut [Stream]) {
    let before: Vec<u64> = streams.iter().map(|stream| *stream.come.borrow()).collect();
    for (stream, before) in streams.iter_mut().zip(before) {
        stream.goes_on(before).await;
    }
}

/// The tables, with a further route whose path has that number.
fn write_routes(setup: &Setup, shops: &[Backend; 2], number: u32) {
    let endpoints = shops.each_ref().map(Backend::endpoint);
    setup.write_routes(
        "shop.toml",
        &format!(
            "[backends.shop]\nendpoints = {endpoints:?}\n\
             [[routes]]\nmatch = \"GET /count\"\ncall = \"echo.count\"\n\
             bind = {{ from = {{ value = 1 }}, to = {{ value = 1000000 }}, pause_ms = {{ value = 200 }} }}\n\
             [[routes]]\nmatch = \"GET /watch\"\ncall = \"echo.count\"\nwebsocket = true\n\
             bind = {{ from = {{ value = 1 }}, to = {{ value = 1000000 }}, pause_ms = {{ value = 200 }} }}\n\
             [[routes]]\nmatch = \"GET /add{number}\"\ncall = \"calc.add\"\n"
        ),
    );
}

/// 200 of them: 90 in each form over HTTP/1.1, 5 in each on one connection of HTTP/2, and 10 WebSockets.
fn two_hundred(gateway: &Gateway, http2: SocketAddr) -> Vec<Stream> {
    let second = Client::http2(http2);
    let forms = [EVENTS, LINES].into_iter();
    let of_http = forms.flat_map(|form| {
        let first = (0..90).map(|_| Client::new(gateway.addr));
        let all: Vec<_> = first.chain((0..5).map(|_| second.clone())).collect();
        all.into_iter().map(move |client| Stream::http(client, form))
    });
    of_http.chain((0..10).map(|_| Stream::websocket(gateway.addr))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reloads_a_drain_and_an_upgrade_cut_no_stream_before_its_time() {
    let http2 = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let setup = Setup::new()
        .server(&format!("stream_drain = \"{}s\"", STREAM_DRAIN.as_secs()))
        .section(&format!("[[listeners]]\naddress = \"{http2}\"\nhttp2 = \"prior_knowledge\"\n"));
    let shops = [setup.backend("shop"), setup.backend("shop")];
    write_routes(&setup, &shops, 0);
    let mut gateway = setup.gateway().await;
    for shop in &shops {
        gateway.connected(shop).await;
    }
    let mut streams = two_hundred(&gateway, http2);
    all_go_on(&mut streams).await;
    assert_eq!(gateway.metric("callgate_streams_open", &[]).await, 200.0);

    for number in 1..=10 {
        write_routes(&setup, &shops, number);
        gateway.takes_its_tables().await;
        assert_eq!(gateway.client.get(&format!("/add{number}?a=1&b=2")).await.text(), "3");
        all_go_on(&mut streams).await;
    }

    let drain = format!("/-/drain?endpoint={}", shops[0].endpoint());
    assert_eq!(gateway.admin.send("POST", &drain, &[], "").await.status, 200);
    all_go_on(&mut streams).await;
    assert_eq!(
        gateway.metric("callgate_streams_open", &[]).await,
        200.0,
        "also those of the drained instance"
    );
    assert_eq!(gateway.metric("callgate_stream_ends_total", &[]).await, 0.0);

    // The old process counts from a moment after this one.
    let upgraded = Instant::now();
    let mut old = gateway.upgrade().await;
    gateway.connected(&shops[1]).await;
    // Beside them there is one by the successor.
    let mut new = Stream::http(Client::new(gateway.addr), EVENTS);
    new.goes_on(0).await;
    for stream in streams {
        stream.hears_to_come_again(upgraded + STREAM_DRAIN).await;
    }
    all_go_on(std::slice::from_mut(&mut new)).await;
    new.reads.abort();
    // The old process waits for the last request by connections that it has kept alive, which end with their client.
    gateway.client = Client::new(gateway.addr);
    assert!(old.ended().await);
}
