//! Where clients connect: listeners over TCP and Unix sockets, their files, and what an upgrade in place does with them.

use callgate_tests::{Backend, Gateway, Old, Raw, Setup, binary, eventually, header};
use nix::sys::signal::Signal;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use tokio::task::JoinSet;

const ADD: &str = "GET /v1/calc/add?a=1&b=2 HTTP/1.1\r\nhost: x\r\n\r\n";
const SUM: &str = r#"{"result":3}"#;

/// A gateway with a further listener at a Unix socket, which `keys` say more of, and the socket's path.
async fn start(setup: Setup, keys: &str) -> (Setup, Backend, Gateway, PathBuf) {
    let socket = setup.file("http.sock");
    let setup =
        setup.section(&format!("[[listeners]]\nid = \"local\"\naddress = \"unix:http.sock\"\n{keys}"));
    let (backend, gateway) = setup.shop().await;
    (setup, backend, gateway, socket)
}

/// Rewrites a part of gateway.toml.
fn change(config: &Path, from: &str, to: &str) {
    let text = fs::read_to_string(config).expect("the settings are there");
    assert!(text.contains(from), "{text}");
    fs::write(config, text.replace(from, to)).expect("the settings can be written");
}

/// What the program says with these words before `--config FILE`, and whether it ended well.
fn callgate(words: &[&str], config: &Path) -> (bool, String) {
    let output = Command::new(binary("callgate")).args(words).arg("--config").arg(config).output();
    let output = output.expect("it runs");
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&said).into_owned())
}

async fn asks(raw: &mut Raw) -> (String, String) {
    raw.write(ADD).await;
    raw.answer().await.expect("an answer")
}

#[tokio::test]
async fn a_unix_socket_is_a_listener_with_its_mode_and_is_gone_at_the_end() {
    let group = nix::unistd::getgid().as_raw();
    let keys = format!("mode = \"0640\"\ngroup = \"{group}\"\nprotocol = \"http1\"\n");
    let (_setup, _backend, mut gateway, socket) = start(Setup::new(), &keys).await;
    let file = fs::symlink_metadata(&socket).expect("the file is there");
    assert!(file.file_type().is_socket());
    assert_eq!((file.mode() & 0o777, file.gid()), (0o640, group));
    let mut raw = Raw::connect_unix(&socket).await;
    for _ in 0..2 {
        assert_eq!(asks(&mut raw).await.1, SUM);
    }
    assert_eq!(gateway.client.get("/v1/calc/add?a=1&b=2").await.text(), SUM);
    let by = |id: &str| format!("listener=\"{id}\"");
    let accepted = "callgate_listener_connections_total";
    assert_eq!(gateway.metric(accepted, &[&by("local")]).await, 1.0);
    assert_eq!(gateway.metric(accepted, &[&by(&gateway.addr.to_string())]).await, 1.0);
    let page = gateway.admin.get("/config").await.json();
    let shown = &page["settings"]["listeners"][1];
    assert_eq!(
        (&shown["id"], &shown["mode"], &shown["protocol"]),
        (&"local".into(), &"0640".into(), &"http1".into())
    );

    gateway.signal(Signal::SIGTERM);
    assert!(raw.ended_without_reset().await);
    assert!(gateway.ended().await);
    assert!(!socket.exists());
}

#[tokio::test]
async fn clients_at_unix_sockets_are_one_client_to_a_limit_by_address() {
    let (setup, _backend, gateway, socket) = start(Setup::new(), "").await;
    let route = "[[routes]]\nmatch = \"GET /limited\"\ncall = \"calc.add\"\nbackend = \"shop\"\n\
                 rate_limit = { rate = \"1/h\", by = \"client\" }\n";
    setup.write_routes("limited.toml", route);
    eventually("the route", || async { (gateway.reload().await == "unchanged").then_some(()) }).await;
    let limited = ADD.replace("/v1/calc/add", "/limited");
    for expected in [200, 429] {
        let mut raw = Raw::connect_unix(&socket).await;
        raw.write(&limited).await;
        assert_eq!(raw.status().await, expected);
    }
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write(&limited).await;
    assert_eq!(raw.status().await, 200, "it has an address, and a bucket of its own");
}

#[tokio::test]
async fn a_stale_socket_is_replaced_and_what_is_in_use_or_no_socket_is_an_error() {
    let (setup, _backend, mut gateway, socket) = start(Setup::new(), "").await;
    gateway.signal(Signal::SIGKILL);
    assert!(!gateway.ended().await);
    assert!(socket.exists(), "nobody was there to remove it");
    let mut gateway = setup.gateway().await;
    assert_eq!(asks(&mut Raw::connect_unix(&socket).await).await.1, SUM);

    // Another one with the same socket and no other address in common.
    let other = setup.file("other.toml");
    let section = "[server]\nlisten = []\n[[listeners]]\naddress = \"unix:http.sock\"\n\
                   [admin]\nlisten = \"127.0.0.1:0\"\n[tables]\nwatch = [\"routes\"]\n";
    fs::write(&other, section).expect("it can be written");
    let (well, said) = callgate(&["run"], &other);
    assert!(!well && said.contains(&format!("cannot listen on unix:{}", socket.display())), "{said}");
    assert_eq!(asks(&mut Raw::connect_unix(&socket).await).await.1, SUM, "it has not been harmed");

    gateway.signal(Signal::SIGTERM);
    assert!(gateway.ended().await);
    fs::write(&socket, "dear diary").expect("it can be written");
    let (well, said) = callgate(&["run"], &other);
    assert!(!well && said.contains("a file that is no socket is there"), "{said}");
    assert_eq!(fs::read_to_string(&socket).expect("it is there"), "dear diary");
    fs::remove_file(&socket).expect("it is there");
    change(&other, "http.sock\"", "http.sock\"\ngroup = \"no-such-group\"");
    let (well, said) = callgate(&["run"], &other);
    assert!(!well && said.contains("there is no group `no-such-group`"), "{said}");
    assert!(!socket.exists());
}

/// Requests over new and old connections to a Unix socket, each of which must be answered.
async fn load(socket: PathBuf, keep_alive: bool, over: Arc<AtomicBool>, answers: Arc<AtomicU64>) {
    while !over.load(SeqCst) {
        let mut raw = Raw::connect_unix(&socket).await;
        loop {
            let (head, body) = asks(&mut raw).await;
            assert!(head.starts_with("HTTP/1.1 200 ") && body == SUM, "{head}{body}");
            answers.fetch_add(1, SeqCst);
            if !keep_alive || header(&head, "connection") == Some("close") || over.load(SeqCst) {
                break;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upgrades_under_load_lose_no_request_at_a_unix_socket() {
    let (_setup, _backend, mut gateway, socket) = start(Setup::new(), "").await;
    let (over, answers) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
    let mut clients = JoinSet::new();
    for keep_alive in [true, true, true, false, false] {
        clients.spawn(load(socket.clone(), keep_alive, over.clone(), answers.clone()));
    }
    let mut old: Vec<Old> = Vec::new();
    for _ in 0..5 {
        let before = answers.load(SeqCst);
        eventually("further answers", || async { (answers.load(SeqCst) >= before + 50).then_some(()) }).await;
        old.push(gateway.upgrade().await);
    }
    for old in &mut old {
        assert!(old.ended().await);
    }
    over.store(true, SeqCst);
    while let Some(client) = clients.join_next().await {
        client.expect("no connection refused, no answer missing");
    }
    assert_eq!(asks(&mut Raw::connect_unix(&socket).await).await.1, SUM, "those before have left the file");
}

#[tokio::test]
async fn a_successor_closes_what_is_no_longer_declared_and_binds_what_is_new() {
    let (setup, _backend, mut gateway, first) = start(Setup::new(), "mode = \"0600\"\n").await;
    let second = setup.file("second.sock");
    // Not taken over: it fails at the last of its listeners.
    let config = gateway.config.clone();
    let declared = "address = \"unix:http.sock\"\n";
    let more = format!("{declared}mode = \"0600\"\n[[listeners]]\naddress = \"unix:second.sock\"\n");
    change(
        &config,
        &format!("{declared}mode = \"0600\"\n"),
        &format!("{more}[[listeners]]\naddress = \"unix:no/x.sock\"\n"),
    );
    let said = gateway.refused("--upgrade").await;
    assert!(said.contains("cannot listen on unix:") && said.contains("no/x.sock"), "{said}");
    assert!(!second.exists(), "what it has bound goes with it");
    assert_eq!(asks(&mut Raw::connect_unix(&first).await).await.1, SUM);

    change(&config, "[[listeners]]\naddress = \"unix:no/x.sock\"\n", "");
    change(&config, &format!("{declared}mode = \"0600\"\n"), &format!("{declared}mode = \"0666\"\n"));
    let mut old = gateway.upgrade().await;
    assert!(old.ended().await);
    for socket in [&first, &second] {
        assert_eq!(asks(&mut Raw::connect_unix(socket).await).await.1, SUM);
    }
    let mode = |path: &Path| fs::metadata(path).expect("the file is there").mode() & 0o777;
    assert_eq!((mode(&first), mode(&second)), (0o666, 0o660));

    change(&config, &format!("[[listeners]]\nid = \"local\"\n{declared}mode = \"0666\"\n"), "");
    let mut old = gateway.upgrade().await;
    assert!(old.ended().await);
    assert!(!first.exists());
    assert_eq!(asks(&mut Raw::connect_unix(&second).await).await.1, SUM);
    gateway.signal(Signal::SIGTERM);
    assert!(gateway.ended().await);
    assert!(!second.exists());
}

#[tokio::test]
async fn mistakes_are_found_by_check() {
    let setup = Setup::new();
    let config = setup.file("gateway.toml");
    let text = "[server]\nlisten = [\"127.0.0.1:1\"]\n[[listeners]]\naddress = \"127.0.0.1:1\"\nprotocol = \"h2\"\n\
                [tables]\nwatch = [\"routes\"]\n";
    fs::write(&config, text).expect("it can be written");
    let (well, said) = callgate(&["check"], &config);
    assert!(!well, "{said}");
    for mistake in ["address `127.0.0.1:1` is listed twice", "`protocol` cannot be `h2`", "expected `http1`"]
    {
        assert!(said.contains(mistake), "{mistake}: {said}");
    }
    fs::write(&config, text.replace("127.0.0.1:1\"\n", "unix:x.sock\"\n").replace("h2", "http1"))
        .expect("as before");
    let (well, said) = callgate(&["check"], &config);
    assert!(well, "{said}");
}
