//! The folder that the gateway may write: whose it is, and what a start finds there.

use callgate_tests::dns::{Dns, Mood};
use callgate_tests::{Setup, binary, eventually, free_port};
use nix::sys::signal::Signal;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

/// What `callgate run` with that file says, and whether it ended well.
fn run(config: &Path) -> (bool, String) {
    let output =
        Command::new(binary("callgate")).args(["run", "--config"]).arg(config).output().expect("it runs");
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[tokio::test]
async fn a_folder_for_state_is_one_gateways_and_its_successors() {
    let setup = Setup::new().server("state = \"state\"");
    let mut gateway = setup.gateway().await;
    let state = setup.file("state");
    assert_eq!(fs::metadata(&state).expect("it is made").mode() & 0o777, 0o700);
    let other = setup.file("other.toml");
    let text = "[server]\nlisten = [\"127.0.0.1:0\"]\nstate = \"state\"\n[admin]\nlisten = \"127.0.0.1:0\"\n\
                [tables]\nwatch = [\"routes\"]\n";
    fs::write(&other, text).expect("it can be written");
    let (well, said) = run(&other);
    assert!(!well && said.contains("another gateway uses it"), "{said}");
    let mut old = gateway.upgrade().await;
    assert!(old.ended().await);
    let (well, said) = run(&other);
    assert!(!well && said.contains("another gateway uses it"), "the successor has the lock: {said}");
    gateway.signal(Signal::SIGTERM);
    assert!(gateway.ended().await);
    let _next = setup.gateway().await;
}

#[tokio::test]
async fn a_gateway_that_starts_while_the_servers_fail_begins_with_what_names_listed_last() {
    let dns = Dns::start().await;
    dns.set("moody.test", &["127.0.0.1"]);
    let section = format!("[dns]\nservers = [\"{}\"]\ntimeout = \"300ms\"\n", dns.addr());
    let setup = Setup::new().server("state = \"state\"").section(&section);
    let port = free_port();
    let _backend = setup.backend_at("moody", format!("127.0.0.1:{port}"));
    let table = format!(
        "[backends.moody]\nendpoints = [\"dns:moody.test:{port}\"]\n[[routes]]\nmatch = \"POST /ask\"\nbackend = \"moody\"\n\
         call = \"moody.ask\"\nresponse = {{ wrap = \"pid\" }}\n"
    );
    setup.write_routes("moody.toml", &table);
    let mut gateway = setup.gateway().await;
    let names = setup.file("state/names");
    let line = "moody.test 127.0.0.1\n";
    eventually("the file", || async { fs::read_to_string(&names).ok().filter(|text| text.contains(line)) })
        .await;
    assert_eq!(fs::metadata(&names).expect("it is there").mode() & 0o777, 0o600);
    gateway.signal(Signal::SIGTERM);
    assert!(gateway.ended().await);

    dns.be(Mood::Silent);
    let gateway = setup.gateway().await;
    let answer = gateway.client.post("/ask", "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(gateway.metric("callgate_dns_resolutions_total", &["outcome=\"ok\""]).await, 0.0);
    assert!(fs::read_to_string(&names).expect("it is there").contains(line), "and it stays for the next one");
}
