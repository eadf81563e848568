//! Long answers: that they are whole, what they may become, what all of them take together, and who keeps one.

use callgate_tests::{Backend, Gateway, Raw, Setup, eventually, header};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const MIB: usize = 1 << 20;

async fn start(settings: &str) -> (Setup, Backend, Gateway) {
    let setup = Setup::new().server(settings);
    let backend = setup.backend("lavish");
    let routes = ["text", "items"].map(|method| {
        let parameter = if method == "text" { "bytes" } else { "count" };
        format!("[[routes]]\nmatch = \"GET /{method}/{{{parameter}}}\"\ncall = \"lavish.{method}\"\ntimeout = \"60s\"\n")
    });
    let backends = format!("[backends.lavish]\nendpoints = [{:?}]\n", backend.endpoint());
    setup.write_routes("lavish.toml", &format!("{backends}{}", routes.concat()));
    let gateway = setup.gateway().await;
    gateway.connected(&backend).await;
    (setup, backend, gateway)
}

/// A client whose kernel takes little, and that has sent a request and reads nothing of the answer.
async fn asks(gateway: &Gateway, path: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(64 * 1024).expect("a small buffer");
    let mut stream = socket.connect(gateway.addr).await.expect("the gateway listens");
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("the gateway reads");
    stream
}

/// Reads so many bytes, which must come.
async fn read(stream: &mut TcpStream, bytes: usize) {
    let mut space = vec![0; bytes];
    let read = tokio::time::timeout(callgate_tests::PATIENCE, stream.read_exact(&mut space)).await;
    read.expect("some of the answer").expect("the connection stays");
}

async fn held(gateway: &Gateway) -> f64 {
    gateway.metric("callgate_answer_memory_bytes", &[]).await
}

#[tokio::test]
async fn a_long_answer_is_whole_and_its_head_says_how_long_it_is() {
    let (_setup, _backend, gateway) = start("").await;
    for (path, length) in [("/text/3000000", 3_000_002), ("/items/50000", 1_600_001), ("/items/3000", 96_001)]
    {
        let answer = gateway.client.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.body.len(), length, "{path}");
        assert_eq!(answer.header("content-length"), length.to_string(), "{path}");
        answer.json();
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(format!("HEAD {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")).await;
        let (head, body) = raw.head().await.expect("an answer");
        assert_eq!((header(&head, "content-length"), body), (Some(length.to_string().as_str()), 0), "{path}");
    }
    eventually("the room comes back", || async { (held(&gateway).await == 0.0).then_some(()) }).await;
}

#[tokio::test]
async fn an_answer_that_becomes_too_long_is_a_500_and_a_line_in_the_log() {
    let (_setup, backend, gateway) = start("max_answer = \"4MiB\"").await;
    let before = gateway.resident_bytes();
    for path in ["/items/2000000", "/text/5000000"] {
        let answer = gateway.client.get(path).await;
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (500, "application/problem+json"),
            "{path}"
        );
        assert_eq!(answer.json()["code"], "internal", "{path}");
        assert!(answer.body.len() < 1000 && !answer.text().contains("too long"), "{}", answer.text());
    }
    let grown = gateway.resident_bytes().saturating_sub(before);
    assert!(grown < 48 * MIB as u64, "{grown} bytes for answers of 4 MiB");
    let line = |field| gateway.logged("an answer is too long", field);
    eventually("both lines", || async { (line("route").len() == 2).then_some(()) }).await;
    assert_eq!(line("route"), ["/items/{count}", "/text/{bytes}"]);
    assert_eq!(line("call"), ["lavish.items", "lavish.text"]);
    assert_eq!(line("instance"), [backend.endpoint(), backend.endpoint()]);
    assert_eq!(line("max_answer"), [4 * MIB, 4 * MIB]);
    assert!(line("request_id").iter().all(|id| id.is_string()));
    assert_eq!(gateway.client.get("/text/4000000").await.status, 200, "one that is not too long");
    eventually("the room comes back", || async { (held(&gateway).await == 0.0).then_some(()) }).await;
}

#[tokio::test]
async fn clients_that_do_not_read_share_a_bounded_memory() {
    const BOUND: usize = 8 * MIB;
    let (_setup, _backend, gateway) = start("max_answer = \"4MiB\"\nmax_answer_memory = \"8MiB\"").await;
    assert_eq!(gateway.client.get("/text/2000000").await.status, 200);
    let before = gateway.resident_bytes();
    let mut clients = Vec::new();
    for _ in 0..24 {
        clients.push(asks(&gateway, "/text/2000000").await);
    }
    let shed = async || gateway.metric("callgate_shed_total", &["reason=\"answer_memory\""]).await;
    let answered = async || gateway.metric("callgate_requests_total", &["route=\"/text/{bytes}\""]).await;
    eventually("all answers", || async { (answered().await == 25.0).then_some(()) }).await;
    let (shed, held_now) = (shed().await, held(&gateway).await);
    assert!(shed >= 18.0, "{shed} were turned away");
    assert!(held_now > 0.0 && held_now <= BOUND as f64, "{held_now}");
    let grown = gateway.resident_bytes().saturating_sub(before);
    assert!(grown < (BOUND + 24 * MIB) as u64, "{grown} bytes for {BOUND}");
    // Short answers need no room, and what is left behind is given back.
    assert_eq!(gateway.client.get("/text/1000").await.status, 200);
    drop(clients);
    eventually("the room comes back", || async { (held(&gateway).await == 0.0).then_some(()) }).await;
    assert_eq!(gateway.client.get("/text/2000000").await.status, 200);
}

#[tokio::test]
async fn a_client_that_reads_a_byte_now_and_then_is_left() {
    let settings = "min_send_rate = \"1KiB/s\"\nmin_send_rate_window = \"500ms\"\nidle_timeout = \"1h\"";
    let (_setup, _backend, gateway) = start(settings).await;
    let mut client = asks(&gateway, "/text/8000000").await;
    let slow = async || gateway.metric("callgate_slow_clients_total", &[]).await;
    eventually("the end of the connection", || {
        let reads = client.try_read(&mut [0]);
        assert!(reads.is_ok() || slow_or_waiting(&reads), "{reads:?}");
        async { (slow().await == 1.0).then_some(()) }
    })
    .await;
    eventually("the room comes back", || async { (held(&gateway).await == 0.0).then_some(()) }).await;
    // What the kernel had is gone too: the connection was reset.
    let mut rest = Vec::new();
    let end = tokio::time::timeout(callgate_tests::PATIENCE, client.read_to_end(&mut rest)).await;
    assert!(end.expect("an end").is_err() && rest.len() < 4 * MIB, "{} bytes more", rest.len());
}

fn slow_or_waiting(read: &std::io::Result<usize>) -> bool {
    use std::io::ErrorKind::{ConnectionReset, WouldBlock};
    read.as_ref().is_err_and(|error| matches!(error.kind(), ConnectionReset | WouldBlock))
}

#[tokio::test]
async fn a_client_that_reads_steadily_is_not_left_however_long_it_takes() {
    // More slowly than a large send buffer makes room within the idle limit, and far faster than it must, so that a machine that
    // stands still for a while changes nothing. It reads more than kernels would hold of an answer that was cut.
    let (_setup, _backend, gateway) = start("idle_timeout = \"250ms\"").await;
    let mut client = asks(&gateway, "/text/8000000").await;
    let mut pace = tokio::time::interval(Duration::from_millis(60));
    for _ in 0..100 {
        pace.tick().await;
        read(&mut client, 64 * 1024).await;
    }
    assert_eq!(gateway.metric("callgate_slow_clients_total", &[]).await, 0.0);
}

#[tokio::test]
async fn a_request_is_open_and_has_its_place_until_its_whole_answer_was_taken() {
    let (setup, _backend, gateway) = start("").await;
    setup.write_routes(
        "one.toml",
        "[[routes]]\nmatch = \"GET /one/{bytes}\"\ncall = \"lavish.text\"\nbackend = \"lavish\"\nmax_in_flight = 1\n",
    );
    let in_flight = || gateway.metric("callgate_requests_in_flight", &[]);
    eventually("the route", || async { (gateway.client.get("/one/1").await.status == 200).then_some(()) })
        .await;
    // More than both kernels take.
    let mut slow = asks(&gateway, "/one/12000000").await;
    read(&mut slow, 1).await;
    assert_eq!(in_flight().await, 1.0);
    assert_eq!(gateway.client.get("/one/1").await.status, 503, "it has the route's only place");
    // The head was there long ago, and is what is counted.
    assert_eq!(gateway.metric("callgate_requests_total", &["/one/{bytes}", "status=\"200\""]).await, 2.0);
    drop(slow);
    eventually("its place", || async { (gateway.client.get("/one/1").await.status == 200).then_some(()) })
        .await;
    assert_eq!(in_flight().await, 0.0);
    assert_eq!(gateway.metric("callgate_failures_total", &["reason=\"client_gone\""]).await, 0.0);
    let mut whole = asks(&gateway, "/one/12000000").await;
    read(&mut whole, 12_000_000).await;
    eventually("its place", || async { (gateway.client.get("/one/1").await.status == 200).then_some(()) })
        .await;
}

#[tokio::test]
async fn a_client_that_no_rate_asks_to_read_and_that_does_not_is_left_as_an_idle_one() {
    let (_setup, _backend, gateway) = start("min_send_rate = 0\nidle_timeout = \"1s\"").await;
    let client = asks(&gateway, "/text/12000000").await;
    eventually("the answer", || async { (held(&gateway).await > 0.0).then_some(()) }).await;
    eventually("the room comes back", || async { (held(&gateway).await == 0.0).then_some(()) }).await;
    assert_eq!(gateway.metric("callgate_requests_in_flight", &[]).await, 0.0);
    assert_eq!(gateway.metric("callgate_slow_clients_total", &[]).await, 0.0);
    drop(client);
}
