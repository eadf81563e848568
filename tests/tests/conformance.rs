//! The SDK's server, its client and the gateway keep the promises of docs/protocol.md for which `tests/conformance` has a case. What
//! they break still is listed here by name.

use callgate_tests::{binary, eventually, free_port};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// What the gateway breaks still: it ends a connection without GO_AWAY where the peer breaks the protocol in the first bytes that are
/// read with its HELLO, and it refuses an instance of which one method has no schema, or a broken one.
const NOT_YET_THE_GATEWAY: &[&str] = &[
    "hello-first",
    "hello-twice",
    "hello-no-version",
    "hello-lacks-versions",
    "hello-cut",
    "hello-not-utf8",
    "hello-long",
    "stream-unannounced",
    "frame-unknown-kind",
    "frame-wrong-way",
    "frame-unknown-flag",
    "frame-compressed",
    "frame-too-long",
    "frame-too-short",
    "frame-number-0",
    "offer-among-others",
    "offer-twice",
    "offer-incomplete",
    "offer-names",
    "schema-wrong-bytes",
    "schema-none",
    "schema-broken",
];

/// What the SDK's client can be asked while it compares document fingerprints: it calls nobody whose documentation is another.
const THE_CLIENT_SO_FAR: &[&str] = &[
    "hello-wrong-magic",
    "hello-twice",
    "hello-nothing-else",
    "stream-unannounced",
    "frame-unknown-kind",
    "frame-wrong-way",
    "frame-unknown-flag",
    "frame-compressed",
    "frame-too-long",
    "frame-too-short",
    "frame-number-ignored",
    "frame-number-0",
    "ping-answered",
    "offer-by-name",
    "offer-unknown-flag",
    "offer-streaming",
];

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

#[test]
fn the_sdks_client_keeps_what_it_can_be_asked_for_so_far() {
    let mut arguments = vec!["--listen", "127.0.0.1:0"];
    arguments.extend(THE_CLIENT_SO_FAR.iter().flat_map(|name| ["--only", name]));
    let client = path("conformance-client");
    arguments.extend(["--", &client, "--connect", "{}"]);
    keeps_every_promise(&arguments);
}

#[test]
fn the_gateway_keeps_every_promise_of_a_connector_but_those_that_are_listed() {
    let mut arguments = vec!["--listen", "127.0.0.1:0"];
    arguments.extend(NOT_YET_THE_GATEWAY.iter().flat_map(|name| ["--except", name]));
    let gateway = path("conformance-gateway");
    arguments.extend(["--", &gateway, "--connect", "{}"]);
    keeps_every_promise(&arguments);
}
