//! How connections of HTTP/2 end: what clients hear of it, when they ask at the same moment, and that it comes about whatever they do.

use callgate_tests::tls::{Ca, TlsClient};
use callgate_tests::{Backend, Gateway, Http2, PATIENCE, Setup, eventually, free_port};
use nix::sys::signal::Signal;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const GOAWAY: u8 = 7;
const REFUSED_STREAM: u32 = 7;

struct Net {
    gateway: Gateway,
    _backend: Backend,
    /// Where HTTP/2 is spoken.
    addr: SocketAddr,
}

impl Net {
    /// In the clear. `server` is of `[server]`.
    async fn start(server: &str) -> Net {
        Net::of(Setup::new().server(server), "http2 = \"prior_knowledge\"").await
    }

    async fn of(setup: Setup, keys: &str) -> Net {
        let addr = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let setup = setup.section(&format!("[[listeners]]\naddress = \"{addr}\"\n{keys}\n"));
        let backend = setup.backend("shop");
        setup.write_shop(&[&backend]);
        let gateway = setup.gateway().await;
        gateway.connected(&backend).await;
        Net { gateway, _backend: backend, addr }
    }

    /// Waits until so many GOAWAY were sent for no error.
    async fn sent_goaways(&self, n: f64) {
        eventually("GOAWAY", || async {
            let labels = ["by=\"gateway\"", "code=\"no_error\""];
            (self.gateway.metric("callgate_http2_goaways_total", &labels).await == n).then_some(())
        })
        .await;
    }
}

/// A client that sends what it is told to, and reads when it is told to.
struct Client(TcpStream);

impl Client {
    async fn connect(addr: SocketAddr) -> Client {
        let mut socket = TcpStream::connect(addr).await.expect("the gateway listens");
        socket.write_all(PREFACE).await.expect("it is read");
        Client(socket)
    }

    /// GET on a stream.
    async fn get(&mut self, stream: u32, path: &str) -> std::io::Result<()> {
        let path = [&[0, 5][..], b":path", &[path.len() as u8], path.as_bytes()].concat();
        let head = [&[0x82, 0x86][..], &path, &[0x41, 1, b'a']].concat();
        let length = (head.len() as u32).to_be_bytes();
        let frame = [&length[1..], &[HEADERS, 5], &stream.to_be_bytes(), &head].concat();
        self.0.write_all(&frame).await
    }

    /// Has something come from the other side that ends the connection at once? What was not read of it may be lost by that, not here but
    /// with other systems' clients.
    fn was_reset(&self) -> bool {
        self.0.take_error().expect("it can be asked").is_some()
    }

    /// All frames up to the connection's end, which is no reset.
    async fn hears(&mut self) -> Vec<Frame> {
        let mut heard = Vec::new();
        let read = timeout(PATIENCE, self.0.read_to_end(&mut heard)).await.expect("it ends");
        read.expect("it is not reset");
        frames(&heard)
    }
}

/// A frame that was heard: its kind, its stream and its payload.
struct Frame {
    kind: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Frame {
    fn number(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.payload[at..at + 4].try_into().expect("four bytes"))
    }
}

fn frames(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let [a, b, c, kind, _, s, t, u, v, rest @ ..] = bytes {
        let length = u32::from_be_bytes([0, *a, *b, *c]) as usize;
        let Some((payload, behind)) = rest.split_at_checked(length) else { break };
        let stream = u32::from_be_bytes([*s, *t, *u, *v]);
        frames.push(Frame { kind: *kind, stream, payload: payload.to_vec() });
        bytes = behind;
    }
    frames
}

/// The last stream and the code of each GOAWAY.
fn goaways(frames: &[Frame]) -> Vec<(u32, u32)> {
    let told = frames.iter().filter(|frame| frame.kind == GOAWAY);
    told.map(|frame| (frame.number(0), frame.number(4))).collect()
}

/// Time in which whatever the kernel sends by itself has come.
const MOMENT: Duration = Duration::from_millis(100);

#[tokio::test]
async fn a_request_that_meets_a_goaway_does_not_destroy_it() {
    let net = Net::start("idle_timeout = \"500ms\"").await;
    let mut client = Client::connect(net.addr).await;
    net.sent_goaways(1.0).await;
    // It has not read it yet.
    sleep(MOMENT).await;
    client.get(1, "/v1/calc/add?a=1&b=2").await.expect("it can be written");
    sleep(MOMENT).await;
    assert!(!client.was_reset());
    let heard = client.hears().await;
    assert_eq!(goaways(&heard), [(0, 0)], "it may be sent elsewhere");
    assert!(heard.iter().all(|frame| frame.kind != HEADERS));
}

#[tokio::test]
async fn one_whose_place_is_needed_hears_it_and_the_place_is_free_at_once() {
    let net = Net::start("max_connections = 2\nidle_timeout = \"1h\"").await;
    let mut idle = Client::connect(net.addr).await;
    eventually("the first one", || async {
        (net.gateway.metric("callgate_http2_connections_total", &[]).await == 1.0).then_some(())
    })
    .await;
    let (_second, _third) = (Http2::connect(net.addr).await, Http2::connect(net.addr).await);
    net.sent_goaways(1.0).await;
    idle.get(1, "/v1/calc/add?a=1&b=2").await.expect("it can be written");
    sleep(MOMENT).await;
    assert!(!idle.was_reset());
    assert_eq!(goaways(&idle.hears().await), [(0, 0)]);
    // None of these ends its side when it is told to go.
    let (began, mut gone) = (Instant::now(), Vec::new());
    for n in 0..8 {
        gone.push(Client::connect(net.addr).await);
        let mut next = Http2::connect(net.addr).await;
        assert_eq!(next.get("/v1/calc/add?a=1&b=2").await.status, 200, "{n}");
        gone.push(Client::connect(net.addr).await);
    }
    assert!(began.elapsed() < Duration::from_secs(4), "nobody waits for them: {:?}", began.elapsed());
}

#[tokio::test]
async fn one_that_does_not_answer_is_served_no_further() {
    let net = Net::start("max_requests_per_connection = 1").await;
    let mut client = Client::connect(net.addr).await;
    let (mut read, mut asked) = (Vec::new(), 0);
    // There is always a stream open, and the PING behind the first GOAWAY has no answer.
    let ended = async {
        while client.get(2 * asked + 1, "/v1/delay/900").await.is_ok() {
            asked += 1;
            if let Ok(Ok(0) | Err(_)) =
                timeout(Duration::from_millis(300), client.0.read_buf(&mut read)).await
            {
                break;
            }
        }
    };
    timeout(PATIENCE, ended).await.expect("it ends whatever its client does");
    let heard = frames(&read);
    let of = |kind: u8| heard.iter().filter(move |frame| frame.kind == kind);
    let (served, refused) = (of(HEADERS).count(), of(RESET).count());
    assert!(served >= 5, "what comes within two seconds is served: {served}");
    assert!(of(RESET).all(|frame| frame.number(0) == REFUSED_STREAM) && refused > 0, "{refused}");
    assert!(of(HEADERS).all(|frame| frame.stream < 2 * served as u32), "nothing is served behind that");
    let goaways = goaways(&heard);
    assert!(goaways.iter().all(|(_, code)| *code == 0), "{goaways:?}");
    let (last, _) = *goaways.last().expect("it is told");
    assert_eq!(served + refused, last.div_ceil(2) as usize, "each that was taken has its reply");
}

#[tokio::test]
async fn a_drain_tells_those_that_have_not_spoken_yet() {
    let setup = Setup::new();
    let ca = Ca::new("a test's CA");
    let (cert, key) = ca.server(&["shop.example"]).write(setup.folder(), "shop");
    let text = format!("[[certificates]]\nnames = [\"shop.example\"]\ncert = {cert:?}\nkey = {key:?}\n");
    setup.write_routes("certificate.toml", &text);
    let mut net = Net::of(setup, "tls = true").await;
    let client = TlsClient::new(&ca).offering(&["h2"]);
    let mut stream = client.connect(net.addr, "shop.example").await.expect("it shakes hands");
    eventually("the connection", || async {
        (net.gateway.metric("callgate_http2_connections_open", &[]).await == 1.0).then_some(())
    })
    .await;
    net.gateway.signal(Signal::SIGTERM);
    let mut heard = Vec::new();
    // Its request is on its way meanwhile.
    while goaways(&frames(&heard)).is_empty() {
        let read = timeout(PATIENCE, stream.read_buf(&mut heard)).await.expect("it comes");
        assert!(read.expect("it is not cut") > 0, "it hears of it");
    }
    assert_eq!(goaways(&frames(&heard)), [(0, 0)]);
    let read = timeout(PATIENCE, stream.read_to_end(&mut heard)).await.expect("it ends");
    read.expect("it is not cut");
    drop(stream);
    assert!(net.gateway.ended().await);
}
