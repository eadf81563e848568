//! The demo's tools by the clients that agents are made with: the Python SDK of the Model Context Protocol, and the one in Rust. `make clients` installs
//! what they need.

use callgate_tests::{Setup, demo, eventually};
use std::env;
use std::path::Path;
use std::process::Command;

/// Runs a client to its end, which is well, and waits until the calls that it has given up are cancelled.
async fn serves(mut command: Command) {
    let setup = Setup::new();
    let (_backend, gateway) = demo(&setup).await;
    command.arg(format!("http://{}/mcp", gateway.addr));
    let shown = format!("{command:?}");
    let ran = tokio::task::spawn_blocking(move || command.output());
    let output = ran.await.expect("it ends").expect("the program runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.contains("spoke "), "{shown}: {said}");
    eventually("two cancelled streams", async || {
        let left = gateway.metric("callgate_stream_ends_total", &["outcome=\"left\""]).await;
        (left == 2.0).then_some(())
    })
    .await;
}

#[tokio::test]
#[ignore = "needs PyPI's mcp, which `make clients` installs"]
async fn the_python_sdk_lists_calls_streams_and_cancels() {
    let python = env::var("CALLGATE_TEST_PYTHON").expect("a Python that has mcp");
    let mut command = Command::new(python);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/tools.py"));
    serves(command).await;
}

#[tokio::test]
#[ignore = "needs tests/agents, which `make clients` builds"]
async fn the_rust_sdk_lists_calls_streams_and_cancels() {
    let agent = env::var("CALLGATE_TEST_AGENT").expect("the program of tests/agents");
    serves(Command::new(agent)).await;
}
