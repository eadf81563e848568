//! The gateway's own upgrade in place: a new process takes the listening sockets over, and no client notices.

use callgate_tests::{
    Backend, Gateway, Old, PATIENCE, Raw, Setup, binary, eventually, free_port, header, is_alive,
};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::BufRead;
use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::task::JoinSet;

const ADD: &str = "GET /v1/calc/add?a=1&b=2 HTTP/1.1\r\nhost: x\r\n\r\n";
const SUM: &str = r#"{"result":3}"#;

/// A connection that has had an answer and keeps itself alive.
async fn used(addr: SocketAddr) -> Raw {
    let mut raw = Raw::connect(addr).await;
    raw.write(ADD).await;
    let (head, body) = raw.answer().await.expect("an answer");
    assert_eq!((header(&head, "connection"), body.as_str()), (None, SUM));
    raw
}

/// Asks for the last answer on a connection.
async fn last_answer(mut raw: Raw) {
    raw.write(ADD).await;
    let (head, body) = raw.answer().await.expect("an answer");
    assert_eq!((header(&head, "connection"), body.as_str()), (Some("close"), SUM));
    assert!(raw.ended_without_reset().await);
}

async fn upgrades(gateway: &Gateway, outcome: &str) -> f64 {
    gateway.metric("callgate_upgrades_total", &[outcome]).await
}

/// Rewrites a part of gateway.toml.
fn change(config: &Path, from: &str, to: &str) {
    let text = std::fs::read_to_string(config).expect("the settings are there");
    assert!(text.contains(from), "{text}");
    std::fs::write(config, text.replace(from, to)).expect("the settings can be written");
}

/// What a load has sent, and what came back.
#[derive(Default)]
struct Load {
    over: AtomicBool,
    sent: AtomicU64,
    answered: AtomicU64,
    goodbyes: AtomicU64,
}

impl Load {
    /// One request on that connection; whether the connection goes on.
    async fn ask(&self, raw: &mut Raw) -> bool {
        self.sent.fetch_add(1, SeqCst);
        raw.write(ADD).await;
        let (head, body) = raw.answer().await.expect("the answer to a request");
        assert!(head.starts_with("HTTP/1.1 200 ") && body == SUM, "{head}{body}");
        self.answered.fetch_add(1, SeqCst);
        let goes_on = header(&head, "connection") != Some("close");
        self.goodbyes.fetch_add(u64::from(!goes_on), SeqCst);
        goes_on
    }

    /// Request after request, on one connection as long as the gateway keeps it.
    async fn keep_alive(self: Arc<Self>, addr: SocketAddr) {
        while !self.over.load(SeqCst) {
            let mut raw = Raw::connect(addr).await;
            loop {
                let goes_on = self.ask(&mut raw).await;
                if !goes_on || self.over.load(SeqCst) {
                    break;
                }
            }
        }
    }

    /// A new connection for each request.
    async fn connect(self: Arc<Self>, addr: SocketAddr) {
        while !self.over.load(SeqCst) {
            self.ask(&mut Raw::connect(addr).await).await;
        }
    }

    /// As an ordinary HTTP client with a pool does it.
    async fn pooled(self: Arc<Self>, client: callgate_tests::Client) {
        while !self.over.load(SeqCst) {
            self.sent.fetch_add(1, SeqCst);
            let answer = client.get("/v1/calc/add?a=1&b=2").await;
            assert_eq!((answer.status, answer.text().as_str()), (200, SUM));
            self.answered.fetch_add(1, SeqCst);
        }
    }

    /// Waits for so many answers more.
    async fn goes_on(&self, answers: u64) {
        let before = self.answered.load(SeqCst);
        eventually("further answers", || async {
            (self.answered.load(SeqCst) >= before + answers).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_upgrades_under_load_lose_no_request_and_refuse_no_connection() {
    const UPGRADES: usize = 20;
    let setup = Setup::new();
    let (_backend, mut gateway) = setup.shop().await;
    let load = Arc::new(Load::default());
    let mut clients = JoinSet::new();
    for _ in 0..6 {
        clients.spawn(load.clone().keep_alive(gateway.addr));
    }
    for _ in 0..2 {
        clients.spawn(load.clone().connect(gateway.addr));
        clients.spawn(load.clone().pooled(gateway.client.clone()));
    }
    let mut old: Vec<Old> = Vec::new();
    for _ in 0..UPGRADES {
        load.goes_on(20).await;
        old.push(gateway.upgrade().await);
    }
    load.goes_on(100).await;
    for old in &mut old {
        assert!(old.ended().await, "it ends by itself, and well");
    }
    load.over.store(true, SeqCst);
    while let Some(client) = clients.join_next().await {
        client.expect("no connection refused, no answer missing");
    }
    assert_eq!(load.sent.load(SeqCst), load.answered.load(SeqCst));
    assert!(load.goodbyes.load(SeqCst) >= UPGRADES as u64, "connections were told to go elsewhere");
    assert_eq!(upgrades(&gateway, "\"ok\"").await, UPGRADES as f64);
    assert_eq!(upgrades(&gateway, "\"failed\"").await, 0.0);
    assert!(gateway.is_running());
    println!("{} requests over {UPGRADES} upgrades, none lost", load.sent.load(SeqCst));
}

#[tokio::test]
async fn a_successor_that_finds_mistakes_leaves_the_gateway_serving() {
    let setup = Setup::new();
    let (_backend, mut gateway) = setup.shop().await;
    let config = gateway.config.clone();
    let raw = used(gateway.addr).await;

    change(&config, "workers = 2", "workers = \"two\"");
    assert!(gateway.refused("--upgrade").await.contains("`workers` must be a whole number"));
    change(&config, "workers = \"two\"", "workers = 2");
    setup.write_routes("broken.toml", "[[routes]]\nmatch = \"GET /x\"\n");
    assert!(gateway.refused("--upgrade").await.contains("broken.toml"));
    std::fs::remove_file(setup.routes().join("broken.toml")).expect("it is there");
    // So far the gateway has heard of nobody.
    assert_eq!(upgrades(&gateway, "\"failed\"").await, 0.0);

    let taken = TcpListener::bind("127.0.0.1:0").await.expect("loopback has free ports");
    let taken = taken.local_addr().map(|addr| (addr, taken)).expect("it is bound");
    let own = format!("\"{}\"", gateway.addr);
    change(&config, &own, &format!("{own}, \"{}\"", taken.0));
    assert!(gateway.refused("--upgrade").await.contains(&format!("cannot listen on {}", taken.0)));
    eventually("the failure", || async { (upgrades(&gateway, "\"failed\"").await == 1.0).then_some(()) })
        .await;

    let mut raw = raw;
    raw.write(ADD).await;
    let (head, _) = raw.answer().await.expect("an answer");
    assert_eq!(header(&head, "connection"), None, "nobody is sent away");

    change(&config, &format!(", \"{}\"", taken.0), "");
    let mut old = gateway.upgrade().await;
    last_answer(raw).await;
    assert!(old.ended().await);
    eventually("the numbers", || async { (upgrades(&gateway, "\"ok\"").await == 1.0).then_some(()) }).await;
    assert_eq!(upgrades(&gateway, "\"failed\"").await, 1.0, "the successor knows of it");
}

#[tokio::test]
async fn requests_in_flight_are_answered_by_the_old_process_with_a_goodbye() {
    for sigterm in [false, true] {
        let setup = Setup::new();
        let (_backend, mut gateway) = setup.shop().await;
        let body = r#"{"a":7,"b":2}"#;
        let mut raw = Raw::connect(gateway.addr).await;
        let head = "POST /v1/calc/divide HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 13";
        raw.write(format!("{head}\r\n\r\n{}", &body[..5])).await;
        eventually("the request", || async {
            (gateway.metric("callgate_requests_in_flight", &[]).await == 1.0).then_some(())
        })
        .await;
        let mut old = None;
        if sigterm {
            gateway.signal(Signal::SIGTERM);
            eventually("the drain", || async { gateway.log().contains("\"draining\"").then_some(()) }).await;
        } else {
            let before = gateway.upgrade().await;
            // The new process serves, and has not heard of the request.
            assert_eq!(gateway.client.get("/v1/calc/add?a=1&b=2").await.text(), SUM);
            old = Some(before);
        }
        raw.write(&body[5..]).await;
        let (head, body) = raw.answer().await.expect("an answer");
        assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
        assert_eq!((header(&head, "connection"), body.as_str()), (Some("close"), r#"{"result":3.5}"#));
        assert!(raw.ended_without_reset().await);
        assert!(match &mut old {
            Some(old) => old.ended().await,
            None => gateway.ended().await,
        });
    }
}

#[tokio::test]
async fn idle_connections_of_several_generations_are_answered_once_more() {
    let setup = Setup::new();
    let (_backend, mut gateway) = setup.shop().await;
    let mut generations = Vec::new();
    for _ in 0..3 {
        let connections = [used(gateway.addr).await, Raw::connect(gateway.addr).await];
        // Accepted by this process, not by the next.
        eventually("the connections", || async {
            (gateway.metric("callgate_connections_open", &[]).await >= 2.0).then_some(())
        })
        .await;
        generations.push((connections, gateway.upgrade().await));
    }
    // All at once, and each old process waits for its own.
    for (_, old) in &mut generations {
        assert!(old.is_running());
    }
    for (connections, mut old) in generations {
        for raw in connections {
            last_answer(raw).await;
        }
        assert!(old.ended().await, "it ends when its last connection is closed");
    }
    assert_eq!(upgrades(&gateway, "\"ok\"").await, 3.0);
}

#[tokio::test]
async fn what_is_pipelined_behind_the_last_answer_does_not_reset_it() {
    let setup = Setup::new();
    let (_backend, mut gateway) = setup.shop().await;
    let mut raw = used(gateway.addr).await;
    let mut old = gateway.upgrade().await;
    raw.write(ADD.repeat(3)).await;
    let (head, body) = raw.answer().await.expect("an answer");
    assert_eq!((header(&head, "connection"), body.as_str()), (Some("close"), SUM));
    assert!(
        raw.ended_without_reset().await,
        "the others are the client's to send again, on a new connection"
    );
    assert!(old.ended().await);
}

#[tokio::test]
async fn a_client_of_http_1_0_that_asked_for_more_is_told_the_same() {
    let setup = Setup::new();
    let (_backend, mut gateway) = setup.shop().await;
    let add = ADD.replace("1.1", "1.0").replace("\r\n\r\n", "\r\nconnection: keep-alive\r\n\r\n");
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write(&add).await;
    let (head, _) = raw.answer().await.expect("an answer");
    assert_eq!(header(&head, "connection"), Some("keep-alive"));
    let mut old = gateway.upgrade().await;
    raw.write(&add).await;
    let (head, body) = raw.answer().await.expect("an answer");
    assert_eq!((header(&head, "connection"), body.as_str()), (Some("close"), SUM));
    assert!(!head.contains("keep-alive"), "{head}");
    assert!(raw.ended_without_reset().await && old.ended().await);
}

#[tokio::test]
async fn the_drain_of_an_upgrade_has_an_end() {
    let setup = Setup::new().section("[upgrade]\ndrain_timeout = \"1ms\"");
    let (_backend, mut gateway) = setup.shop().await;
    let mut idle = used(gateway.addr).await;
    let mut old = gateway.upgrade().await;
    assert!(idle.ended_without_reset().await);
    assert!(old.ended().await);
}

#[tokio::test]
async fn sigterm_ends_an_old_process_that_waits_for_its_connections() {
    let setup = Setup::new();
    let (_backend, mut gateway) = setup.shop().await;
    let mut idle = used(gateway.addr).await;
    let mut old = gateway.upgrade().await;
    assert!(old.is_running());
    old.signal(Signal::SIGTERM);
    assert!(idle.ended_without_reset().await);
    assert!(old.ended().await);
    assert_eq!(gateway.client.get("/v1/calc/add?a=1&b=2").await.text(), SUM);
}

#[tokio::test]
async fn a_gateway_told_by_a_signal_starts_its_successor_and_that_its_own() {
    let setup = Setup::new();
    let (_backend, mut gateway) = setup.shop().await;
    let config = gateway.config.clone();
    let mut raw = used(gateway.addr).await;

    change(&config, "workers = 2", "workers = \"two\"");
    gateway.signal(Signal::SIGUSR2);
    let failed = "the upgrade failed, this process goes on";
    eventually("the failure", || async { (!gateway.logged(failed, "why").is_empty()).then_some(()) }).await;
    assert!(gateway.logged(failed, "why")[0].as_str().is_some_and(|why| why.contains("exit status: 1")));
    assert!(gateway.log().contains("`workers` must be a whole number"), "the successor's own words");
    let failure = &gateway.logged(failed, "process")[0];
    assert!(!Path::new(&format!("/proc/{failure}")).exists(), "no zombie is left");
    assert_eq!(upgrades(&gateway, "\"failed\"").await, 1.0);
    raw.write(ADD).await;
    assert_eq!(raw.status().await, 200);

    // Not even a new admin port hides the gateway from a successor that it starts itself.
    let admin = free_port();
    let text = std::fs::read_to_string(&config).expect("the settings are there");
    let listen =
        text.split("[admin]\nlisten = ").nth(1).and_then(|rest| rest.lines().next()).expect("a line");
    change(&config, "workers = \"two\"", "workers = 1");
    change(&config, listen, &format!("\"127.0.0.1:{admin}\""));
    let second = gateway.upgrade_itself(gateway.pid()).await;
    last_answer(raw).await;
    assert!(gateway.ended().await);
    gateway.admin = callgate_tests::Client::new(SocketAddr::from(([127, 0, 0, 1], admin)));
    assert_eq!(gateway.admin.get("/config").await.json()["settings"]["server"]["workers"], 1);
    let third = gateway.upgrade_itself(second).await;
    assert_eq!(gateway.client.get("/v1/calc/add?a=1&b=2").await.text(), SUM);
    eventually("the end of the second", || async { (!is_alive(second)).then_some(()) }).await;
    assert_eq!(upgrades(&gateway, "\"ok\"").await, 2.0);
    kill(Pid::from_raw(third as i32), Signal::SIGTERM).expect("it runs");
    eventually("the end of the third", || async { (!is_alive(third)).then_some(()) }).await;
}

#[tokio::test]
async fn addresses_may_come_and_go_with_an_upgrade() {
    let setup = Setup::new();
    let (_backend, mut gateway) = setup.shop().await;
    let first = gateway.addr;
    let second = SocketAddr::from(([127, 0, 0, 1], free_port()));
    change(&gateway.config, &first.to_string(), &second.to_string());
    let mut old = gateway.upgrade().await;
    assert!(old.ended().await);
    used(second).await;
    let gone = TcpStream::connect(first).await;
    assert!(gone.is_err_and(|error| error.kind() == std::io::ErrorKind::ConnectionRefused));
}

#[tokio::test]
async fn one_successor_at_a_time() {
    let setup = Setup::new();
    let socket = setup.folder().join("upgrade.sock");
    let setup = setup.section(&format!("[upgrade]\nsocket = {socket:?}"));
    let (_backend, mut gateway) = setup.shop().await;
    // A successor that asks and then takes its time.
    let mut slow = ask(&socket);
    assert_eq!(slow.next(), Some(format!("callgate 1 {}", gateway.pid())));
    assert!(gateway.refused("--upgrade").await.contains("another successor is being waited for"));
    drop(slow);
    let failed = "the upgrade failed, this process goes on";
    eventually("the failure", || async { (!gateway.logged(failed, "why").is_empty()).then_some(()) }).await;
    assert_eq!(gateway.logged(failed, "why")[0], "it ended before it was ready");
    let mut old = gateway.upgrade().await;
    assert!(old.ended().await);
}

#[tokio::test]
async fn a_gateway_told_to_stop_says_so_to_its_successor() {
    let setup = Setup::new();
    let socket = setup.folder().join("upgrade.sock");
    let setup = setup.section(&format!("[upgrade]\nsocket = {socket:?}"));
    let (_backend, mut gateway) = setup.shop().await;
    let mut slow = ask(&socket);
    assert!(slow.any(|line| line == "all"));
    gateway.signal(Signal::SIGTERM);
    assert_eq!(slow.next().as_deref(), Some("no this process is told to stop"));
    assert!(gateway.ended().await);
}

/// Asks for the gateway's sockets, and gives what it says. Not by tokio, which takes a read that brings less than it
/// could for the last, while the system ends each at a descriptor.
fn ask(socket: &Path) -> impl Iterator<Item = String> {
    let stream = std::os::unix::net::UnixStream::connect(socket).expect("the gateway listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a socket takes a limit");
    std::io::BufReader::new(stream).lines().map(|line| line.expect("a line in time"))
}

/// A gateway on the other side of the upgrade socket, played by the test, which gives no sockets; up to `ready`.
async fn play(listener: &UnixListener) -> BufReader<UnixStream> {
    let (mut stream, _) = listener.accept().await.expect("a successor");
    stream.write_all(b"callgate 1 7\nupgrades 4 1\nnews of a later version\nall\n").await.expect("it reads");
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await.expect("it says something");
    assert_eq!(line, "ready\n");
    stream
}

#[tokio::test]
async fn a_successor_goes_when_it_is_called_off() {
    let (_setup, _backend, gateway, other) = dead().await;
    let listener = UnixListener::bind(&other).expect("the name is free");
    let upgrade = format!("--upgrade={}", other.display());
    let call_off = async {
        let mut stream = play(&listener).await;
        stream.write_all(b"no not today\n").await.expect("it reads");
        let mut rest = String::new();
        stream.read_line(&mut rest).await.expect("it ends");
        assert_eq!(rest, "");
    };
    let (said, ()) = tokio::join!(gateway.refused(&upgrade), call_off);
    assert!(said.contains("the running gateway goes on: not today"), "{said}");
}

#[tokio::test]
async fn a_successor_goes_on_alone_when_the_gateway_before_it_crashes() {
    let (_setup, backend, mut gateway, other) = dead().await;
    let listener = UnixListener::bind(&other).expect("the name is free");
    gateway.successor(&format!("--upgrade={}", other.display()));
    drop(play(&listener).await);
    gateway.ready().await;
    gateway.connected(&backend).await;
    assert_eq!(gateway.client.get("/v1/calc/add?a=1&b=2").await.text(), SUM);
    assert_eq!((upgrades(&gateway, "\"ok\"").await, upgrades(&gateway, "\"failed\"").await), (5.0, 1.0));
    // It took the place of the dead one's socket file, too.
    gateway.upgrade().await;
}

/// A gateway that was killed, whose upgrade socket's file is left, and the path of another.
async fn dead() -> (Setup, Backend, Gateway, PathBuf) {
    let setup = Setup::new();
    let socket = setup.folder().join("upgrade.sock");
    let setup = setup.section(&format!("[upgrade]\nsocket = {socket:?}"));
    let (backend, mut gateway) = setup.shop().await;
    gateway.signal(Signal::SIGKILL);
    gateway.ended().await;
    assert!(socket.exists());
    let other = setup.folder().join("other.sock");
    (setup, backend, gateway, other)
}

#[tokio::test]
async fn without_a_running_gateway_there_is_nothing_to_upgrade() {
    let setup = Setup::new();
    let (_backend, mut gateway) = setup.shop().await;
    gateway.signal(Signal::SIGTERM);
    assert!(gateway.ended().await);
    let said = gateway.refused("--upgrade").await;
    assert!(said.contains("cannot take over") && said.contains("start it with `callgate run`"), "{said}");
}

#[tokio::test]
async fn the_service_manager_is_told_who_serves() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let address = folder.path().join("notify");
    let manager = UnixDatagram::bind(&address).expect("a socket can be bound");
    manager.set_read_timeout(Some(PATIENCE)).expect("a socket takes a limit");
    let told = || {
        let mut buffer = [0; 256];
        let length = manager.recv(&mut buffer).expect("a message in time");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let setup = Setup::new().env("NOTIFY_SOCKET", &address.display().to_string());
    let (_backend, mut gateway) = setup.shop().await;
    assert_eq!(told(), "READY=1");

    setup.write_routes("broken.toml", "nonsense");
    gateway.signal(Signal::SIGUSR2);
    let reloading = told();
    let now = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").expect("it is being upgraded");
    assert!(now.parse::<u64>().is_ok_and(|now| now > 0));
    assert_eq!(told(), "READY=1", "it failed, and the service goes on as it is");

    std::fs::remove_file(setup.routes().join("broken.toml")).expect("it is there");
    let second = gateway.upgrade_itself(gateway.pid()).await;
    assert!(told().starts_with("RELOADING=1\n"));
    assert_eq!(told(), format!("READY=1\nMAINPID={second}"));
    // The old process ends without a word: it is not the service any more.
    assert!(gateway.ended().await);
    kill(Pid::from_raw(second as i32), Signal::SIGTERM).expect("it runs");
    assert_eq!(told(), "STOPPING=1");
    eventually("the end", || async { (!is_alive(second)).then_some(()) }).await;
    manager.set_nonblocking(true).expect("a socket can be asked");
    assert!(manager.recv(&mut [0; 256]).is_err(), "nothing else was said");
}

#[test]
fn the_programs_help_names_the_upgrade() {
    let output =
        std::process::Command::new(binary("callgate")).args(["run", "--help"]).output().expect("it runs");
    assert!(String::from_utf8_lossy(&output.stdout).contains("--upgrade[=<SOCKET>]"));
}
