//! The folder that the gateway may write: whose it is.

use callgate_tests::{Setup, binary};
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
