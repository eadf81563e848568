//! HTTP/2 within TLS: what changes under load loses no request and has none run twice; and what a listener and a route ask of a client
//! holds for it as for HTTP/1.1.

use callgate_tests::gate::{Gate as _, GateClient, beside};
use callgate_tests::tls::{Ca, Issued, TlsClient};
use callgate_tests::{Backend, Gateway, Http2, Setup, eventually, free_port};
use h2::Reason;
use h2::client::Builder;
use rustls::HandshakeKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::client::TlsStream;

const NAMES: [&str; 2] = ["a.example", "b.example"];

/// A gateway with TLS in front of a backend that keeps the names of all its calls.
struct Net {
    setup: Setup,
    gateway: Gateway,
    ca: Ca,
    addr: SocketAddr,
    gate: GateClient,
    _backend: Backend,
}

impl Net {
    /// `keys` are what the listener says beside `tls`.
    async fn start(setup: Setup, tls: &str, routes: &str) -> Net {
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let setup = setup.section(&format!("[[listeners]]\naddress = \"{addr}\"\ntls = {tls}\n"));
        let ca = Ca::new("a test's CA");
        write_certificate(&setup, &ca);
        let backend = setup.backend("gate");
        let table = format!(
            "[backends.gate]\nendpoints = [{:?}]\n[[routes]]\nmatch = \"POST /enter/{{name}}\"\n\
             call = \"gate.enter\"\nresponse = {{ wrap = \"pid\" }}\n{routes}",
            backend.endpoint()
        );
        setup.write_routes("gate.toml", &table);
        let gateway = setup.gateway().await;
        gateway.connected(&backend).await;
        let gate = beside(&backend.endpoint());
        gate.open(1_000_000).await.expect("it is there");
        Net { setup, gateway, ca, addr, gate, _backend: backend }
    }

    fn client(&self) -> TlsClient {
        TlsClient::new(&self.ca).offering(&["h2"])
    }
}

/// Puts a new certificate into the tables, or in the place of the one before.
fn write_certificate(setup: &Setup, ca: &Ca) -> Issued {
    let issued = ca.server(&NAMES);
    let (cert, key) = issued.write(setup.folder(), "a");
    let text = format!("[[certificates]]\nnames = {NAMES:?}\ncert = {cert:?}\nkey = {key:?}\n");
    setup.write_routes("a.toml", &text);
    issued
}

async fn shake(client: &TlsClient, addr: SocketAddr) -> TlsStream<TcpStream> {
    let stream = client.connect(addr, NAMES[0]).await.expect("it shakes hands");
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    stream
}

async fn connect(client: &TlsClient, addr: SocketAddr) -> Http2 {
    Http2::over(shake(client, addr).await, &Builder::new()).await
}

fn request(method: &str, host: &str, path: &str) -> http::Request<()> {
    let uri = format!("https://{host}{path}");
    http::Request::builder().method(method).uri(uri).body(()).expect("a request")
}

/// Clients that ask side by side, each on a connection of its own for as long as that is taken. Each call has a name of its own.
struct Load {
    over: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    clients: JoinSet<()>,
}

/// Streams at a time on a connection.
const SIDE_BY_SIDE: usize = 4;

impl Load {
    /// Every second client resumes its sessions.
    fn begin(net: &Net) -> Load {
        let mut load = Load { over: Arc::default(), answered: Arc::default(), clients: JoinSet::new() };
        let names = Arc::<AtomicU64>::default();
        for n in 0..4 {
            let client = if n % 2 == 0 { net.client() } else { net.client().forgetful() };
            let (over, answered, names, addr) =
                (load.over.clone(), load.answered.clone(), names.clone(), net.addr);
            load.clients.spawn(async move {
                let mut calls = Vec::new();
                while !over.load(SeqCst) || !calls.is_empty() {
                    let http2 = connect(&client, addr).await;
                    // Until the connection says that it has not taken a request: that goes over the next one.
                    loop {
                        if !over.load(SeqCst) {
                            calls.resize_with(SIDE_BY_SIDE, || names.fetch_add(1, SeqCst));
                        }
                        let asked = calls.len();
                        calls = ask(&http2, calls).await;
                        answered.fetch_add((asked - calls.len()) as u64, SeqCst);
                        if !calls.is_empty() || over.load(SeqCst) {
                            break;
                        }
                    }
                }
            });
        }
        load
    }

    /// Waits for so many answers more.
    async fn goes_on(&self, answers: u64) {
        let before = self.answered.load(SeqCst);
        eventually("further answers", || {
            std::future::ready((self.answered.load(SeqCst) >= before + answers).then_some(()))
        })
        .await;
    }

    /// Ends it. Each call has had its answer, and was made once.
    async fn end(mut self, net: &Net) {
        self.over.store(true, SeqCst);
        while let Some(ended) = self.clients.join_next().await {
            ended.expect("each request had its answer");
        }
        let mut entered = net.gate.entered().await.expect("it is there");
        entered.sort_by_key(|name| name.parse::<u64>().expect("a number"));
        let asked: Vec<String> = (0..self.answered.load(SeqCst)).map(|name| name.to_string()).collect();
        assert!(entered == asked, "{} calls for {} answers", entered.len(), asked.len());
    }
}

/// Makes calls side by side; gives those that the connection has not taken.
async fn ask(http2: &Http2, calls: Vec<u64>) -> Vec<u64> {
    let mut asked = JoinSet::new();
    for call in calls {
        let answer = http2.ask(request("POST", NAMES[0], &format!("/enter/{call}")));
        asked.spawn(async move { (call, answer.await) });
    }
    let mut left = Vec::new();
    while let Some(ended) = asked.join_next().await {
        match ended.expect("no panic") {
            (_, Ok(answer)) => assert_eq!(answer.status, 200, "{}", answer.text()),
            (call, Err(error)) => {
                let is_refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
                let is_told = error.is_go_away() && error.reason() == Some(Reason::NO_ERROR);
                assert!(is_refused || is_told, "{error}");
                left.push(call);
            }
        }
    }
    left
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_swaps_of_a_certificate_and_a_hundred_reloads_lose_no_request() {
    let net = Net::start(Setup::new(), "true", "").await;
    let load = Load::begin(&net);
    let kept = connect(&net.client(), net.addr).await;
    for n in 0..100 {
        let issued = write_certificate(&net.setup, &net.ca);
        net.gateway.reload().await;
        let stream = shake(&net.client(), net.addr).await;
        assert_eq!(
            stream.get_ref().1.peer_certificates().expect("a chain")[0],
            issued.der(),
            "it is in force"
        );
        load.goes_on(5).await;
        let route = format!("[[routes]]\nmatch = \"GET /n/{n}\"\nrespond = {{}}\n");
        net.setup.write_routes("other.toml", &route);
        net.gateway.takes_its_tables().await;
        load.goes_on(5).await;
    }
    let answer = kept.ask(request("GET", NAMES[1], "/n/99")).await.expect("it has its connection still");
    assert_eq!(answer.status, 200);
    load.end(&net).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_upgrades_in_place_lose_no_request_and_sessions_go_on() {
    let mut net = Net::start(Setup::new(), "true", "").await;
    let load = Load::begin(&net);
    let (client, mut old) = (net.client(), Vec::new());
    for n in 0..=20 {
        // The ticket is of the process before, which may have ended.
        let stream = shake(&client, net.addr).await;
        let is_resumed = stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Resumed);
        assert_eq!(is_resumed, n > 0, "{n}");
        let http2 = Http2::over(stream, &Builder::new()).await;
        let answer = http2.ask(request("GET", NAMES[0], "/nowhere")).await.expect("an answer");
        assert_eq!(answer.status, 404);
        load.goes_on(20).await;
        if n < 20 {
            old.push(net.gateway.upgrade().await);
        }
    }
    for old in &mut old {
        assert!(old.ended().await, "it ends by itself, and well");
    }
    load.end(&net).await;
}

const OWN: &str = r#"
[[routes]]
match = "GET /inner"
respond = {}
client_certificate = "required"

[[routes]]
match = "GET /here"
respond = {}
clients = { allow = ["127.0.0.1"] }

[[routes]]
match = "GET /elsewhere"
respond = {}
clients = { allow = ["192.0.2.0/24"] }

[[routes]]
match = "GET /denied"
respond = {}
clients = { deny = ["127.0.0.0/8"] }
"#;

#[tokio::test]
async fn what_a_route_asks_of_a_client_holds_and_the_connection_goes_on() {
    let clients = Ca::new("clients");
    let setup = Setup::new();
    std::fs::write(setup.file("clients.pem"), clients.pem()).expect("it can be written");
    let tls = "{ client_certificates = \"optional\", ca = \"clients.pem\" }";
    let net = Net::start(setup, tls, OWN).await;
    let known = clients.client("known");
    for (own, inner) in [(None, 403), (Some(&known), 200)] {
        let client = TlsClient::with(&net.ca, own, rustls::ALL_VERSIONS).offering(&["h2"]);
        // Resumed the second time.
        for _ in 0..2 {
            let http2 = connect(&client, net.addr).await;
            for (host, path, status) in [
                ("a.example", "/inner", inner),
                ("c.example", "/here", 421),
                ("b.example", "/here", 200),
                ("a.example", "/elsewhere", 403),
                ("a.example", "/denied", 403),
                ("127.0.0.1", "/here", 421),
                ("a.example", "/inner", inner),
            ] {
                let answer = http2.ask(request("GET", host, path)).await.expect("the connection goes on");
                assert_eq!(answer.status, status, "{host}{path}: {}", answer.text());
            }
        }
    }
    let of = async |reason: &str| net.gateway.metric("callgate_failures_total", &[reason]).await;
    assert_eq!(of("reason=\"no_client_certificate\"").await, 4.0);
    assert_eq!(of("reason=\"misdirected\"").await, 8.0);
    assert_eq!(of("reason=\"client_not_allowed\"").await, 8.0);
}

#[tokio::test]
async fn a_listener_in_the_clear_sends_its_clients_to_https() {
    let plain = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let keys = "https_redirect = 8443\nhttp2 = \"prior_knowledge\"";
    let setup = Setup::new().section(&format!("[[listeners]]\naddress = \"{plain}\"\n{keys}\n"));
    let _net = Net::start(setup, "true", OWN).await;
    let http2 = Http2::connect(plain).await;
    for target in ["/here?a=1&b=2", "/nowhere"] {
        let uri = format!("http://a.example:80{target}");
        let request = http::Request::builder().uri(uri).body(()).expect("a request");
        let answer = http2.ask(request).await.expect("an answer");
        let location = format!("https://a.example:8443{target}");
        assert_eq!((answer.status, answer.header("location")), (308, location.as_str()));
    }
}
