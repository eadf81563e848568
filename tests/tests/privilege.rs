//! What the gateway needs no rights for, or gives up: sockets that are passed to it, and ports below 1024.

use callgate_tests::{Raw, Setup, binary};
use nix::sys::signal::Signal;
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_setfd};
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::process::Command;

const ADD: &str = "GET /v1/calc/add?a=1&b=2 HTTP/1.1\r\nhost: x\r\n\r\n";
const SUM: &str = r#"{"result":3}"#;

/// The bit of CAP_NET_BIND_SERVICE.
const NET_BIND_SERVICE: u64 = 1 << 10;

/// A duplicate that a child inherits, under a number that nobody else has there.
fn inherited(socket: &impl AsFd) -> OwnedFd {
    let socket = fcntl_dupfd_cloexec(socket, 100).expect("there are descriptors");
    fcntl_setfd(&socket, FdFlags::empty()).expect("it is open");
    socket
}

/// Has the shell pass sockets as systemd does.
fn passing(sockets: &[(&str, &OwnedFd)]) -> String {
    let names: Vec<&str> = sockets.iter().map(|(name, _)| *name).collect();
    let moves = sockets.iter().enumerate().map(|(at, (_, socket))| {
        let number = socket.as_raw_fd();
        format!("{}<&{number} {number}<&-", 3 + at)
    });
    format!(
        "exec {}; export LISTEN_PID=$$ LISTEN_FDS={} LISTEN_FDNAMES={}",
        moves.collect::<Vec<_>>().join(" "),
        sockets.len(),
        names.join(":")
    )
}

async fn asks(mut raw: Raw) {
    raw.write(ADD).await;
    assert_eq!(raw.answer().await.expect("an answer").1, SUM);
}

#[tokio::test]
async fn passed_sockets_are_served_outlive_restarts_and_upgrades_and_stay_their_owners() {
    let web = TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
    let addr = web.local_addr().expect("it is bound");
    let setup = Setup::new();
    let path = setup.file("passed.sock");
    let unix = UnixListener::bind(&path).expect("the folder is there");
    let (web_passed, unix_passed) = (inherited(&web), inherited(&unix));
    // The one is found by its name, for its address is another; the other by its address.
    let port = addr.port();
    let setup = setup
        .section(&format!("[[listeners]]\nid = \"web\"\naddress = \"0.0.0.0:{port}\"\n"))
        .section("[[listeners]]\nid = \"local\"\naddress = \"unix:passed.sock\"\n")
        .script(&passing(&[("web", &web_passed), ("callgate.socket", &unix_passed)]));

    // Who comes before the gateway waits in the kernel's queue.
    let early = Raw::connect(addr).await;
    let (_backend, mut gateway) = setup.shop().await;
    asks(early).await;
    asks(Raw::connect_unix(&path).await).await;
    let accepted = gateway.metric("callgate_listener_connections_total", &["listener=\"web\""]).await;
    assert_eq!(accepted, 1.0);

    let mut old = gateway.upgrade().await;
    asks(Raw::connect(addr).await).await;
    asks(Raw::connect_unix(&path).await).await;
    assert!(old.ended().await);

    gateway.signal(Signal::SIGTERM);
    assert!(gateway.ended().await);
    assert!(path.exists(), "the file is not the gateway's");
    let (early, early_local) = (Raw::connect(addr).await, Raw::connect_unix(&path).await);
    let again = setup.gateway().await;
    asks(early).await;
    asks(early_local).await;
    drop(again);
}

/// What a gateway says that is started with these sockets and ends by itself.
fn refused(setup: &Setup, sockets: &[(&str, &OwnedFd)]) -> String {
    let config = setup.file("gateway.toml");
    fs::write(&config, "[server]\nlisten = [\"127.0.0.1:0\"]\n[admin]\nlisten = \"127.0.0.1:0\"\n[tables]\nwatch = [\"routes\"]\n")
        .expect("it is ours");
    let mut command = Command::new("bash");
    command.args(["-c", &format!("{}; exec \"$0\" \"$@\"", passing(sockets))]).arg(binary("callgate"));
    let output = command.args(["run", "--config"]).arg(config).output().expect("it runs");
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_passed_socket_that_nobody_serves_is_an_error_that_says_what_to_do() {
    let setup = Setup::new();
    let web = TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
    let addr = web.local_addr().expect("it is bound");
    let said = refused(&setup, &[("web", &inherited(&web))]);
    assert!(
        said.contains(&format!(
            "the socket at {addr} (`web`) is passed to the gateway, and no listener serves it"
        )),
        "{said}"
    );

    let connection = std::net::TcpStream::connect(addr).expect("it listens");
    let said = refused(&setup, &[("web", &inherited(&connection))]);
    assert!(said.contains("descriptor 3 (`web`)") && said.contains("it does not listen"), "{said}");

    let file = fs::File::open("/dev/null").expect("it is there");
    let said = refused(&setup, &[("web", &inherited(&web)), ("", &inherited(&file))]);
    assert!(said.contains("descriptor 4 (``)") && said.contains("Accept=no"), "{said}");
}

/// A port below 1024 that is free, where this user may bind one.
fn low_port() -> Option<SocketAddr> {
    (700..1000)
        .map(|port| SocketAddr::from(([127, 0, 0, 1], port)))
        .find(|addr| TcpListener::bind(addr).is_ok())
}

/// A field of each thread's status.
fn of_threads(pid: u32, field: &str) -> Vec<(String, u64)> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("the process runs");
    let statuses =
        threads.map(|thread| fs::read_to_string(thread.expect("it is listed").path().join("status")));
    let of = |status: &str, field: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.expect("the kernel tells it").trim().to_owned()
    };
    // One may have ended since.
    let statuses = statuses.flatten();
    statuses
        .map(|status| (of(&status, "Name"), u64::from_str_radix(&of(&status, field), 16).expect("a number")))
        .collect()
}

#[tokio::test]
async fn ports_below_1024_are_bound_and_then_no_thread_may_bind_another() {
    let low = low_port();
    let keys =
        low.map(|addr| format!("[[listeners]]\nid = \"low\"\naddress = \"{addr}\"\n")).unwrap_or_default();
    let setup = Setup::new().section(&keys);
    let (_backend, mut gateway) = setup.shop().await;
    for upgraded in [false, true] {
        if upgraded {
            let mut old = gateway.upgrade().await;
            assert!(old.ended().await);
        }
        if let Some(addr) = low {
            asks(Raw::connect(addr).await).await;
        }
        for field in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
            let threads = of_threads(gateway.pid(), field);
            assert!(threads.len() > 3);
            let having: Vec<_> = threads.iter().filter(|(_, set)| set & NET_BIND_SERVICE != 0).collect();
            assert!(having.is_empty(), "{field}: {having:?}");
        }
        let threads = of_threads(gateway.pid(), "NoNewPrivs");
        assert!(threads.iter().all(|(_, set)| *set == 1), "{threads:?}");
    }
    let own = of_threads(std::process::id(), "CapEff");
    let may = own.iter().any(|(_, set)| set & NET_BIND_SERVICE != 0);
    assert_eq!(gateway.log().contains("CAP_NET_BIND_SERVICE is given up"), may);
}
