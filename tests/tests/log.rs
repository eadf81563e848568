//! The log never stops, slows or ends what serves. With a standard error that is closed, full or never read the gateway
//! behaves as with a healthy one, and says how much of its log it has lost.

use callgate_tests::{Gateway, PATIENCE, Raw, Setup, binary, eventually};
use nix::sys::signal::Signal;
use std::fs::File;
use std::io::{PipeWriter, Write, pipe};
use std::os::fd::OwnedFd;
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Each of them logs a line.
const FAILURES: usize = 10_000;
const CLIENTS: usize = 8;

const ADD: &str = "GET /v1/calc/add?a=1&b=2 HTTP/1.1\r\nhost: x\r\n\r\n";
const MORE: &str = "GET /more HTTP/1.1\r\nhost: x\r\n\r\n";
const SLOW: &str = "GET /v1/delay/3000 HTTP/1.1\r\nhost: x\r\n\r\n";

/// What the log has lost, as `/metrics` says it.
#[derive(Debug)]
struct Lost {
    full: f64,
    repeated: f64,
    failed_writes: f64,
}

impl Lost {
    async fn by(gateway: &Gateway) -> Lost {
        Lost {
            full: gateway.metric("callgate_log_dropped_total", &["reason=\"full\""]).await,
            repeated: gateway.metric("callgate_log_dropped_total", &["reason=\"repeated\""]).await,
            failed_writes: gateway.metric("callgate_log_write_failures_total", &[]).await,
        }
    }
}

/// A path that fails with that code. The log names the route, so that its lines are long.
fn failing(code: &str) -> String {
    format!("/{}/{code}", "long".repeat(800))
}

/// Has requests fail; each must be answered.
async fn fail(gateway: &Gateway) {
    let request = format!("GET {} HTTP/1.1\r\nhost: x\r\n\r\n", failing("internal"));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (addr, request) = (gateway.addr, request.clone());
        clients.spawn(async move {
            let mut raw = Raw::connect(addr).await;
            for n in 0..FAILURES / CLIENTS {
                raw.write(&request).await;
                assert_eq!(raw.status().await, 500, "request {n}");
            }
        });
    }
    while let Some(client) = clients.join_next().await {
        client.expect("all of them are answered");
    }
}

/// The status of one request on a connection of its own.
async fn status(gateway: &Gateway, request: &str) -> u16 {
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write(request).await;
    raw.status().await
}

/// Goes through a gateway's life with that standard error; what its log has lost after the failures.
async fn live(setup: Setup) -> Lost {
    let setup = setup.server("idle_timeout = \"1s\"");
    let path = failing("{code}");
    setup.write_routes(
        "long.toml",
        &format!("[[routes]]\nmatch = \"GET {path}\"\nbackend = \"shop\"\ncall = \"echo.fail\"\n"),
    );
    let (mut backend, mut gateway) = setup.shop().await;
    fail(&gateway).await;
    let lost = Lost::by(&gateway).await;

    setup.write_routes("more.toml", "[[routes]]\nmatch = \"GET /more\"\nrespond = { status = 204 }\n");
    let more = || async { (status(&gateway, MORE).await == 204).then_some(()) };
    eventually("the new table", more).await;
    assert_eq!(gateway.reload().await, "unchanged");

    backend.kill();
    backend.start();
    eventually("a call to the new instance", || async { (status(&gateway, ADD).await == 200).then_some(()) })
        .await;

    upgrade_itself(&mut gateway).await;
    upgrade_and_stop(gateway).await;
    lost
}

/// SIGUSR2.
async fn upgrade_itself(gateway: &mut Gateway) {
    let first = gateway.pid();
    gateway.signal(Signal::SIGUSR2);
    assert!(gateway.ended().await, "it ends well, and only when its successor serves");
    let others = gateway.processes();
    assert!(matches!(others[..], [second] if second != first), "{others:?}");
    assert_eq!(status(gateway, ADD).await, 200);
    assert_eq!(gateway.metric("callgate_upgrades_total", &["\"ok\""]).await, 1.0);
}

/// A successor that is a child of this test, which can wait for it; then SIGTERM.
async fn upgrade_and_stop(mut gateway: Gateway) {
    let _first = gateway.successor("--upgrade");
    let own = gateway.pid();
    eventually("the third process alone", || async { (gateway.processes() == [own]).then_some(()) }).await;
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write(SLOW).await;
    let in_flight = || async { (gateway.metric("callgate_calls_in_flight", &[]).await == 1.0).then_some(()) };
    eventually("the call in flight", in_flight).await;
    gateway.signal(Signal::SIGTERM);
    assert_eq!(raw.status().await, 200, "what is in flight is answered");
    assert!(gateway.ended().await, "it ends well");
}

#[tokio::test]
async fn with_a_healthy_log_repeated_lines_are_left_out_and_nothing_else() {
    let lost = live(Setup::new()).await;
    assert!(lost.repeated > FAILURES as f64 / 2.0, "{lost:?}");
    assert!(lost.full == 0.0 && lost.failed_writes == 0.0, "{lost:?}");
}

#[tokio::test]
async fn a_reader_that_is_gone_changes_nothing() {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    let lost = live(Setup::new().stderr(writer)).await;
    assert!(lost.failed_writes > 0.0 && lost.full > 0.0, "{lost:?}");
    assert!(lost.repeated > FAILURES as f64 / 2.0, "{lost:?}");
}

#[tokio::test]
async fn a_full_disk_changes_nothing() {
    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    let lost = live(Setup::new().stderr(full)).await;
    assert!(lost.failed_writes > 0.0 && lost.full > 0.0, "{lost:?}");
}

#[tokio::test]
async fn a_reader_that_never_reads_changes_nothing() {
    let (_reader, writer) = pipe().expect("a pipe");
    let lost = live(Setup::new().stderr(writer)).await;
    assert!(lost.full > 0.0 && lost.failed_writes == 0.0, "{lost:?}");
}

/// A start that fails has a status above 0 and an end, whoever reads what it says.
#[tokio::test]
async fn a_start_that_fails_ends_whoever_reads() {
    let (_reader, mut writer) = pipe().expect("a pipe");
    fill(&mut writer);
    let full = File::options().write(true).open("/dev/full").expect("Linux has it");
    for stderr in [OwnedFd::from(writer), full.into()] {
        let mut command = tokio::process::Command::new(binary("callgate"));
        command.args(["run", "--config", "/nowhere/gateway.toml"]).stderr(stderr).kill_on_drop(true);
        let status = timeout(PATIENCE, command.status()).await.expect("it ends by itself").expect("it runs");
        assert_eq!(status.code(), Some(1));
    }
}

/// Writes until nothing more fits.
fn fill(pipe: &mut PipeWriter) {
    // Linux's pipes are of that size.
    pipe.write_all(&vec![b'x'; 64 * 1024]).expect("a pipe holds so much");
}
