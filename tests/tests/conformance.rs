//! The SDK's server, its client and the gateway keep the promises of docs/protocol.md for which `tests/conformance` has a case.

use callgate_tests::{binary, eventually, free_port};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// A child process, ended when it is dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Plays the cases; what the program says must end in a line that counts nothing broken.
fn keeps_every_promise(arguments: &[&str]) {
    let mut program = Command::new(binary("conformance"));
    let output = program.args(arguments).stdin(Stdio::null()).output().expect("the program can be started");
    let said = String::from_utf8_lossy(&output.stdout);
    let last = said.lines().last().unwrap_or_default();
    assert!(last.contains(" kept, 0 broken"), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

fn path(program: &str) -> String {
    let path: PathBuf = binary(program);
    path.to_str().expect("the target folder has a name in UTF-8").to_owned()
}

#[tokio::test]
async fn the_sdks_server_keeps_every_promise_of_an_acceptor() {
    let address = format!("127.0.0.1:{}", free_port());
    let mut server = Command::new(binary("conformance-server"));
    let server = server.args(["--listen", &address]).stdin(Stdio::null()).spawn();
    let _server = Process(server.expect("the server can be started"));
    eventually("a server that listens", || std::future::ready(TcpStream::connect(&address).ok())).await;
    keeps_every_promise(&["--connect", &address]);
}

/// So many of a tested connector, each for its part of the cases: most of the time goes by while one waits until it connects again.
const DRIVERS: &str = "6";

fn keeps_every_promise_of_a_connector(program: &str) {
    keeps_promises_of_a_connector(&["--drivers", DRIVERS], program);
}

fn keeps_promises_of_a_connector(which: &[&str], program: &str) {
    let program = path(program);
    keeps_every_promise(
        &[&["--listen", "127.0.0.1:0"], which, &["--", &program, "--connect", "{}"]].concat(),
    );
}

/// A connector that knows nothing yet asks for the schema first: the case must hear that while it waits for the call's end.
#[test]
fn the_case_of_a_message_that_is_too_long_needs_no_other_before_it() {
    keeps_promises_of_a_connector(&["--only", "limit-max-message"], "conformance-gateway");
}

#[test]
fn the_sdks_client_keeps_every_promise_of_a_connector() {
    keeps_every_promise_of_a_connector("conformance-client");
}

#[test]
fn the_gateway_keeps_every_promise_of_a_connector() {
    keeps_every_promise_of_a_connector("conformance-gateway");
}
