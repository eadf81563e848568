//! TLS on listeners, by a client that a test can tell what to do. What other programs make of it is in `tls_programs.rs`.

use callgate_tests::tls::{Ca, Issued, TlsClient};
use callgate_tests::{Backend, Gateway, PATIENCE, Raw, Setup, eventually, free_port, header};
use nix::sys::signal::Signal;
use rustls::HandshakeKind;
use rustls::version::{TLS12, TLS13};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

const SUM: &str = r#"{"result":3}"#;

fn add(host: &str) -> String {
    format!("GET /v1/calc/add?a=1&b=2 HTTP/1.1\r\nhost: {host}\r\n\r\n")
}

/// A gateway with a listener `tls`, beside the plain one of every test, and two certificates.
struct Served {
    setup: Setup,
    gateway: Gateway,
    ca: Ca,
    tls: SocketAddr,
    _backend: Backend,
}

impl Served {
    /// `keys` are further keys of the listener; `true` or a table is what `tls` says.
    async fn start(setup: Setup, tls: &str, keys: &str) -> Served {
        let ca = Ca::new("a test's CA");
        Served::start_with(setup, ca, tls, keys).await
    }

    async fn start_with(setup: Setup, ca: Ca, tls: &str, keys: &str) -> Served {
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let section = format!("[[listeners]]\nid = \"tls\"\naddress = \"{addr}\"\ntls = {tls}\n{keys}");
        let setup = setup.section(&section);
        write_certificate(&setup, "a", &ca.server(&["a.example", "b.example"]), &["a.example", "b.example"]);
        write_certificate(&setup, "wild", &ca.server(&["*.wild.example"]), &["*.wild.example"]);
        let (backend, gateway) = setup.shop().await;
        Served { setup, gateway, ca, tls: addr, _backend: backend }
    }

    fn client(&self) -> TlsClient {
        TlsClient::new(&self.ca)
    }

    /// Waits until a handshake has ended so, and its connections are counted so often.
    async fn ended(&self, result: &str, times: f64) {
        let label = format!("result=\"{result}\"");
        eventually(&format!("{times} handshakes that end with {result}"), || async {
            let n = self.gateway.metric("callgate_tls_handshakes_total", &["listener=\"tls\"", &label]).await;
            assert!(n <= times, "{result}: {n}");
            (n == times).then_some(())
        })
        .await;
    }
}

/// Puts a certificate into the tables.
fn write_certificate(setup: &Setup, name: &str, issued: &Issued, names: &[&str]) {
    let (cert, key) = issued.write(setup.folder(), name);
    let text = format!("[[certificates]]\nnames = {names:?}\ncert = {cert:?}\nkey = {key:?}\n");
    setup.write_routes(&format!("{name}.toml"), &text);
}

async fn asks(raw: &mut Raw, host: &str) -> (String, String) {
    raw.write(add(host)).await;
    raw.answer().await.expect("an answer")
}

/// The alert in what a server has sent in the clear.
fn alert(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [21, _, _, 0, 2, 2, alert] => Some(*alert),
        _ => None,
    }
}

#[tokio::test]
async fn each_client_gets_the_certificate_of_the_name_that_it_asks_for() {
    let served = Served::start(Setup::new(), "true", "").await;
    for versions in [&[&TLS13][..], &[&TLS12]] {
        let client = TlsClient::with(&served.ca, None, versions);
        for name in ["a.example", "b.example", "x.wild.example"] {
            let mut raw = client.raw(served.tls, name).await;
            for _ in 0..2 {
                assert_eq!(asks(&mut raw, name).await.1, SUM, "{name}");
            }
        }
        let refused = client.connect(served.tls, "c.example").await.expect_err("nobody has it");
        assert!(refused.to_string().contains("UnrecognisedName"), "{refused}");
    }
    served.ended("ok", 6.0).await;
    served.ended("unknown_name", 2.0).await;
    let why = served.gateway.told("a TLS handshake has failed", "why").await;
    assert_eq!(why[0], "no certificate covers the name that the client asks for");
    let by = async |labels: &[&str]| served.gateway.metric("callgate_tls_connections_total", labels).await;
    assert_eq!(by(&["version=\"1.2\"", "resumed=\"false\""]).await, 3.0);
    assert_eq!(by(&["version=\"1.3\"", "group=\"X25519MLKEM768\"", "resumed=\"false\""]).await, 3.0);
}

#[tokio::test]
async fn a_session_goes_on_with_the_next_connection() {
    let served = Served::start(Setup::new(), "true", "").await;
    for (versions, version) in [(&[&TLS13], "1.3"), (&[&TLS12], "1.2")] {
        let client = TlsClient::with(&served.ca, None, versions);
        for _ in 0..3 {
            let mut raw = client.raw(served.tls, "a.example").await;
            assert_eq!(asks(&mut raw, "a.example").await.1, SUM);
        }
        let labels = [format!("version=\"{version}\""), "resumed=\"true\"".to_owned()];
        let resumed =
            served.gateway.metric("callgate_tls_connections_total", &[&labels[0], &labels[1]]).await;
        assert_eq!(resumed, 2.0, "{version}");
    }
}

#[tokio::test]
async fn a_request_for_a_host_that_the_certificate_does_not_cover_is_misdirected() {
    let served = Served::start(Setup::new(), "true", "").await;
    let mut raw = served.client().raw(served.tls, "a.example").await;
    for (host, status) in [
        ("a.example", "200"),
        ("A.Example:8443", "200"),
        ("b.example", "200"),
        ("c.example", "421"),
        ("x.wild.example", "421"),
        ("127.0.0.1", "421"),
        ("a.example", "200"),
    ] {
        let (head, body) = asks(&mut raw, host).await;
        assert_eq!(&head[9..12], status, "{host}: {body}");
        if status == "421" {
            assert!(body.contains(&format!("not one for {host}")), "{body}");
        }
    }
    assert_eq!(served.gateway.metric("callgate_failures_total", &["reason=\"misdirected\""]).await, 3.0);
    // Without TLS a client may ask for any host.
    assert_eq!(served.gateway.client.get("/v1/calc/add?a=1&b=2").await.text(), SUM);
}

#[tokio::test]
async fn plain_http_where_tls_is_spoken_is_told_so_and_the_other_way_round_the_log_is() {
    let served = Served::start(Setup::new(), "true", "hsts = { max_age = \"1y\" }").await;
    let mut raw = Raw::connect(served.tls).await;
    let (head, body) = asks(&mut raw, "a.example").await;
    assert_eq!((&head[9..12], header(&head, "connection")), ("400", Some("close")));
    assert!(body.contains("this port speaks TLS") && body.contains("use https"), "{body}");
    assert_eq!(header(&head, "strict-transport-security"), None, "it means nothing in the clear");
    assert!(raw.ended().await);
    served.ended("plain_http", 1.0).await;
    assert_eq!(served.gateway.metric("callgate_failures_total", &["reason=\"plain_http\""]).await, 1.0);

    let refused = served.client().connect(served.gateway.addr, "a.example").await;
    assert!(refused.is_err());
    let listeners = served
        .gateway
        .told("a client speaks TLS, and the listener does not: it has no `tls`", "listener")
        .await;
    assert_eq!(listeners, [served.gateway.addr.to_string()]);
    assert_eq!(served.gateway.metric("callgate_http_refused_total", &["reason=\"tls\""]).await, 1.0);
}

#[tokio::test]
async fn a_listener_may_send_its_clients_to_https_and_tell_them_to_stay() {
    let plain = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let section = format!("[[listeners]]\naddress = \"{plain}\"\nhttps_redirect = 8443\n");
    let hsts = "hsts = { max_age = \"1y\", include_subdomains = true }";
    let served = Served::start(Setup::new().section(&section), "true", hsts).await;
    let mut raw = Raw::connect(plain).await;
    for target in ["/v1/calc/add?a=1&b=2", "/nowhere"] {
        raw.write(format!("POST {target} HTTP/1.1\r\nhost: a.example:80\r\ncontent-length: 2\r\n\r\n{{}}"))
            .await;
        let (head, _) = raw.answer().await.expect("an answer");
        assert_eq!(&head[9..12], "308");
        assert_eq!(header(&head, "location"), Some(&*format!("https://a.example:8443{target}")));
        assert_eq!(header(&head, "strict-transport-security"), None);
    }
    let said = Some("max-age=31536000; includeSubDomains");
    let mut raw = served.client().raw(served.tls, "a.example").await;
    let replies = [
        (add("a.example"), "200"),
        (add("c.example"), "421"),
        ("GET /n HTTP/1.1\r\nhost: a.example\r\n\r\n".to_owned(), "404"),
        ("nonsense\r\n\r\n".to_owned(), "400"),
    ];
    for (request, status) in replies {
        raw.write(&request).await;
        let (head, _) = raw.answer().await.expect("an answer");
        assert_eq!((&head[9..12], header(&head, "strict-transport-security")), (status, said), "{request}");
    }
}

#[tokio::test]
async fn a_listener_that_requires_certificates_lets_in_those_with_a_good_one() {
    let (clients, others) = (Ca::new("clients"), Ca::new("others"));
    let setup = Setup::new();
    let (good, revoked) = (clients.client("good"), clients.client("revoked"));
    std::fs::write(setup.file("clients.pem"), clients.pem()).expect("it can be written");
    std::fs::write(setup.file("clients.crl"), clients.revoked(&[&revoked])).expect("it can be written");
    let tls = "{ client_certificates = \"required\", ca = \"clients.pem\", crl = [\"clients.crl\"] }";
    let served = Served::start(setup, tls, "").await;
    let (expired, foreign) = (clients.expired_client("late"), others.client("other"));
    for versions in [&[&TLS13][..], &[&TLS12]] {
        for (own, result) in [
            (None, "client_certificate_missing"),
            (Some(&foreign), "client_certificate_unknown"),
            (Some(&expired), "client_certificate_expired"),
            (Some(&revoked), "client_certificate_revoked"),
        ] {
            let before = served.gateway.metric("callgate_tls_handshakes_total", &[result]).await;
            let client = TlsClient::with(&served.ca, own, versions);
            // With TLS 1.3 the client has ended its handshake when it is refused.
            if let Ok(mut stream) = client.connect(served.tls, "a.example").await {
                let read = timeout(PATIENCE, stream.read(&mut [0; 1])).await.expect("it ends");
                assert!(read.is_err(), "{result}: {read:?}");
            }
            served.ended(result, before + 1.0).await;
        }
        let client = TlsClient::with(&served.ca, Some(&good), versions);
        for _ in 0..2 {
            let mut raw = client.raw(served.tls, "a.example").await;
            assert_eq!(asks(&mut raw, "a.example").await.1, SUM);
        }
    }
    // From now on it is revoked, which its session does not outlive.
    let client = TlsClient::with(&served.ca, Some(&good), &[&TLS13]);
    assert_eq!(asks(&mut client.raw(served.tls, "a.example").await, "a.example").await.1, SUM);
    std::fs::write(served.setup.file("clients.crl"), clients.revoked(&[&revoked, &good]))
        .expect("it can be written");
    assert_eq!(served.gateway.reload().await, "unchanged");
    let mut stream = client.connect(served.tls, "a.example").await.expect("the client's part is over");
    let read = timeout(PATIENCE, stream.read(&mut [0; 1])).await.expect("it ends");
    assert!(read.is_err(), "{read:?}");
    served.ended("client_certificate_revoked", 3.0).await;

    // A file that is gone lets nobody in who was not let in before.
    std::fs::remove_file(served.setup.file("clients.pem")).expect("it is there");
    served.gateway.reload().await;
    served.gateway.told("the certificates of clients are judged by the files of before", "error").await;
    let mut stream = client.connect(served.tls, "a.example").await.expect("the client's part is over");
    assert!(timeout(PATIENCE, stream.read(&mut [0; 1])).await.expect("it ends").is_err());
}

#[tokio::test]
async fn a_route_may_require_a_certificate_where_the_listener_does_not() {
    let clients = Ca::new("clients");
    let setup = Setup::new();
    std::fs::write(setup.file("clients.pem"), clients.pem()).expect("it can be written");
    let tls = "{ client_certificates = \"optional\", ca = \"clients.pem\" }";
    let served = Served::start(setup, tls, "").await;
    let route = "[[routes]]\nmatch = \"GET /inner\"\nrespond = {}\nclient_certificate = \"required\"\n\
                 [[routes]]\nmatch = \"GET /outer\"\nrespond = {}\n";
    served.setup.write_routes("inner.toml", route);
    served.gateway.takes_its_tables().await;
    let known = clients.client("known");
    for (own, status) in [(None, "403"), (Some(&known), "200")] {
        for versions in [&[&TLS13][..], &[&TLS12]] {
            let client = TlsClient::with(&served.ca, own, versions);
            // Resumed the second time.
            for _ in 0..2 {
                let mut raw = client.raw(served.tls, "a.example").await;
                for (path, status) in [("/inner", status), ("/outer", "200")] {
                    raw.write(format!("GET {path} HTTP/1.1\r\nhost: a.example\r\n\r\n")).await;
                    let (head, body) = raw.answer().await.expect("an answer");
                    assert_eq!(&head[9..12], status, "{path}: {body}");
                }
            }
        }
    }
    assert_eq!(served.gateway.client.get("/inner").await.status, 403, "without TLS there is none");
    assert_eq!(
        served.gateway.metric("callgate_failures_total", &["reason=\"no_client_certificate\""]).await,
        5.0
    );
    let shown = served.gateway.admin.get("/routes").await.text();
    assert!(shown.contains("client_certificate required"), "{shown}");
    let foreign = Ca::new("others").client("other");
    let client = TlsClient::with(&served.ca, Some(&foreign), &[&TLS12]);
    client.connect(served.tls, "a.example").await.expect_err("one that is shown has to be good");
}

#[tokio::test]
async fn what_a_client_sends_in_pieces_or_at_once_is_read_and_long_bodies_pass_both_ways() {
    let served = Served::start(Setup::new(), "true", "").await;
    let mut raw = served.client().raw(served.tls, "a.example").await;
    // Three requests in one record.
    raw.write(add("a.example").repeat(3)).await;
    for _ in 0..3 {
        assert_eq!(raw.answer().await.expect("an answer").1, SUM);
    }
    for piece in add("a.example").as_bytes().chunks(9) {
        raw.write(piece).await;
    }
    assert_eq!(raw.answer().await.expect("an answer").1, SUM);
    let body = format!("\"{}\"", "long".repeat(500_000));
    let head = format!(
        "POST /v1/echo HTTP/1.1\r\nhost: a.example\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    for _ in 0..2 {
        raw.write(&head).await;
        raw.write(&body).await;
        assert!(raw.answer().await.expect("an answer").1 == body, "it comes back as it was");
    }
}

#[tokio::test]
async fn an_idle_connection_ends_with_a_word_and_so_does_one_whose_client_says_it() {
    for (by_client, idle_timeout) in [(false, "1s"), (true, "1h")] {
        let setup = Setup::new().server(&format!("idle_timeout = \"{idle_timeout}\""));
        let served = Served::start(setup, "true", "").await;
        // Where little time is, it may be over before the request is sent.
        let (mut stream, mut all) = eventually("an answer", || async {
            let mut stream = served.client().connect(served.tls, "a.example").await.ok()?;
            stream.write_all(add("a.example").as_bytes()).await.ok()?;
            let mut all = vec![0; 15];
            stream.read_exact(&mut all).await.ok()?;
            Some((stream, all))
        })
        .await;
        assert_eq!(all, b"HTTP/1.1 200 OK");
        if by_client {
            stream.shutdown().await.expect("it is open");
        }
        let read = timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("it ends");
        read.expect("an end that was not said is an error");
    }
}

#[tokio::test]
async fn half_handshakes_make_room_for_good_clients() {
    let setup = Setup::new().server("handshake_timeout = \"10m\"\nmax_handshakes = 8");
    let served = Served::start(setup, "true", "").await;
    // The head of a record that does not come, and nothing at all.
    let mut half = Vec::new();
    for n in 1..=40 {
        let mut stream = TcpStream::connect(served.tls).await.expect("it listens");
        if n % 2 == 0 {
            stream.write_all(&[22, 3, 1, 2, 0, 1]).await.expect("it is read");
        }
        half.push(stream);
        if n % 10 == 0 {
            let mut raw = served.client().raw(served.tls, "a.example").await;
            assert_eq!(asks(&mut raw, "a.example").await.1, SUM);
        }
    }
    eventually("the end of those that are too many", || async {
        let in_progress = served.gateway.metric("callgate_tls_handshakes_in_progress", &[]).await;
        let crowded_out = ["result=\"too_many\""];
        let ended = served.gateway.metric("callgate_tls_handshakes_total", &crowded_out).await;
        (in_progress <= 8.0 && in_progress + ended == 40.0).then_some(())
    })
    .await;
    served.ended("ok", 4.0).await;
    drop(half);
    eventually("the end of the rest", || async {
        (served.gateway.metric("callgate_tls_handshakes_in_progress", &[]).await == 0.0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_ended() {
    let served = Served::start(Setup::new().server("handshake_timeout = \"1s\""), "true", "").await;
    for begin in [&b""[..], &[22, 3, 1, 2, 0, 1]] {
        let mut stream = TcpStream::connect(served.tls).await.expect("it listens");
        stream.write_all(begin).await.expect("it is read");
        let read = timeout(PATIENCE, stream.read(&mut [0; 1])).await.expect("it ends");
        assert_eq!(read.unwrap_or(0), 0);
    }
    served.ended("timeout", 2.0).await;
}

#[tokio::test]
async fn the_end_of_a_gateway_does_not_wait_for_half_handshakes() {
    let setup = Setup::new().server("handshake_timeout = \"10m\"\ndrain_timeout = \"10m\"");
    let mut served = Served::start(setup, "true", "").await;
    let mut half = Vec::new();
    for begin in [&b""[..], &[22, 3, 1, 2, 0, 1]] {
        let mut stream = TcpStream::connect(served.tls).await.expect("it listens");
        stream.write_all(begin).await.expect("it is read");
        half.push(stream);
    }
    eventually("two handshakes in progress", || async {
        (served.gateway.metric("callgate_tls_handshakes_in_progress", &[]).await == 2.0).then_some(())
    })
    .await;
    served.gateway.signal(Signal::SIGTERM);
    assert!(served.gateway.ended().await);
    let results = served.gateway.logged("a TLS handshake has failed", "result");
    assert_eq!(results, ["stopping", "stopping"]);
}

#[tokio::test]
async fn what_is_no_tls_is_told_by_an_alert_and_counted() {
    let served = Served::start(Setup::new(), "true", "").await;
    for nonsense in [
        &b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00"[..],
        b"\x80\x2e\x01\x00\x02\x00\x15",
        b"\0\0\0\0\0\0\0\0",
    ] {
        let mut stream = TcpStream::connect(served.tls).await.expect("it listens");
        stream.write_all(nonsense).await.expect("it is read");
        let mut all = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("it ends");
        assert!(alert(&all).is_some(), "{all:?}");
    }
    served.ended("protocol_error", 3.0).await;
    // Who only looks whether somebody listens is no line of the log.
    drop(TcpStream::connect(served.tls).await.expect("it listens"));
    served.ended("gone", 1.0).await;
    let results = served.gateway.logged("a TLS handshake has failed", "result");
    assert!(!results.contains(&"gone".into()), "{results:?}");
    let client = served.client().offering(&["h3"]);
    client.connect(served.tls, "a.example").await.expect_err("nothing in common");
    served.ended("incompatible", 1.0).await;
}

/// Clients that connect, ask a few times and connect again, until they are told to stop.
struct Load {
    over: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    clients: JoinSet<()>,
}

impl Load {
    /// Every second client resumes its sessions.
    fn start(served: &Served, clients: usize) -> Load {
        let mut load = Load { over: Arc::default(), answered: Arc::default(), clients: JoinSet::new() };
        for n in 0..clients {
            let client = if n % 2 == 0 { served.client() } else { served.client().forgetful() };
            let (over, answered, addr) = (load.over.clone(), load.answered.clone(), served.tls);
            load.clients.spawn(async move {
                while !over.load(SeqCst) {
                    let mut raw = client.raw(addr, "a.example").await;
                    for _ in 0..5 {
                        let (head, body) = asks(&mut raw, "a.example").await;
                        assert_eq!(body, SUM, "{head}");
                        answered.fetch_add(1, SeqCst);
                        if header(&head, "connection") == Some("close") {
                            break;
                        }
                    }
                }
            });
        }
        load
    }

    /// Waits until so many more requests have had their answer.
    async fn goes_on(&self, requests: u64) {
        let before = self.answered.load(SeqCst);
        eventually("answers", || {
            std::future::ready((self.answered.load(SeqCst) >= before + requests).then_some(()))
        })
        .await;
    }

    /// Ends it; panics if a request has had no answer.
    async fn end(mut self) {
        self.over.store(true, SeqCst);
        while let Some(ended) = self.clients.join_next().await {
            ended.expect("every request has its answer");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_swaps_of_a_certificate_under_load_lose_no_request() {
    let served = Served::start(Setup::new(), "true", "").await;
    let load = Load::start(&served, 4);
    let kept = served.client().connect(served.tls, "a.example").await.expect("a handshake");
    let mut kept = Raw::over(kept);
    for _ in 0..100 {
        let next = served.ca.server(&["a.example", "b.example"]);
        next.write(served.setup.folder(), "a");
        served.gateway.reload().await;
        load.goes_on(10).await;
        let stream = served.client().connect(served.tls, "a.example").await.expect("a handshake");
        let shown = stream.get_ref().1.peer_certificates().expect("a chain");
        assert_eq!(shown[0], next.der(), "it is in force");
    }
    assert_eq!(asks(&mut kept, "a.example").await.1, SUM, "it has its connection still");
    load.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_upgrades_under_load_lose_no_request_and_sessions_go_on() {
    let mut served = Served::start(Setup::new(), "true", "").await;
    let load = Load::start(&served, 4);
    let client = served.client();
    drop(client.raw(served.tls, "a.example").await);
    for _ in 0..20 {
        let mut raw = client.raw(served.tls, "a.example").await;
        assert_eq!(asks(&mut raw, "a.example").await.1, SUM);
        let mut old = served.gateway.upgrade().await;
        load.goes_on(20).await;
        // The ticket is of the process before, which may have ended.
        let mut stream = client.connect(served.tls, "a.example").await.expect("a handshake");
        stream.write_all(add("a.example").as_bytes()).await.expect("it is open");
        assert!(stream.read_u8().await.is_ok());
        assert_eq!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Resumed));
        assert_eq!(asks(&mut raw, "a.example").await.1, SUM, "and is its connection's last answer");
        drop(raw);
        assert!(old.ended().await);
    }
    load.end().await;
}
