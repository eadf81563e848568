//! The end of a gateway: whoever sent a request before gets an answer, and nobody is waited for too long.

use callgate_tests::{Gateway, PATIENCE, Raw, Setup, binary, eventually, header};
use nix::sys::signal::Signal;
use std::time::{Duration, Instant};
use tokio::time::timeout;

const ADD: &str = "GET /v1/calc/add?a=1&b=2 HTTP/1.1\r\nhost: x\r\n\r\n";

fn slow(ms: u32) -> String {
    format!("GET /v1/delay/{ms} HTTP/1.1\r\nhost: x\r\n\r\n")
}

async fn in_flight(gateway: &Gateway, calls: f64) {
    eventually("the calls in flight", || async {
        (gateway.metric("callgate_calls_in_flight", &[]).await == calls).then_some(())
    })
    .await;
}

#[tokio::test]
async fn requests_that_came_before_the_signal_are_answered_wherever_they_wait() {
    let setup = Setup::new();
    let (_backend, mut gateway) = setup.shop().await;
    let mut idle = Vec::new();
    for _ in 0..200 {
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(ADD).await;
        assert_eq!(raw.status().await, 200);
        idle.push(raw);
    }
    // The gateway sees the signal first and the requests after, though they came before.
    gateway.signal(Signal::SIGSTOP);
    for raw in &mut idle {
        raw.write(ADD).await;
    }
    let mut new = Vec::new();
    for _ in 0..100 {
        let mut raw = Raw::connect(gateway.addr).await;
        raw.write(ADD).await;
        new.push(raw);
    }
    gateway.signal(Signal::SIGTERM);
    gateway.signal(Signal::SIGCONT);
    for (kind, sockets) in [("on an idle connection", idle), ("on a new connection", new)] {
        for mut raw in sockets {
            let (_, body) = raw.answer().await.unwrap_or_else(|| panic!("no answer {kind}"));
            assert_eq!(body, r#"{"result":3}"#);
            assert!(raw.ended().await);
        }
    }
    assert!(gateway.ended().await);
}

#[tokio::test]
async fn a_second_interrupt_does_not_wait_for_what_is_in_flight() {
    let setup = Setup::new();
    let (_backend, mut gateway) = setup.shop().await;
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write(slow(60_000)).await;
    in_flight(&gateway, 1.0).await;
    gateway.signal(Signal::SIGINT);
    eventually("the drain", || async { gateway.log().contains("draining").then_some(()) }).await;
    gateway.signal(Signal::SIGINT);
    gateway.ended().await;
    assert_eq!(raw.status().await, 0);
}

#[tokio::test]
async fn the_drain_ends_when_its_time_is_up() {
    let setup = Setup::new().server("drain_timeout = \"1s\"");
    let (_backend, mut gateway) = setup.shop().await;
    let mut raw = Raw::connect(gateway.addr).await;
    raw.write(slow(60_000)).await;
    in_flight(&gateway, 1.0).await;
    let began = Instant::now();
    gateway.signal(Signal::SIGTERM);
    assert!(gateway.ended().await);
    assert!(began.elapsed() >= Duration::from_secs(1), "it waited for the call");
    assert_eq!(raw.status().await, 0);
    assert!(gateway.log().contains("still busy at the end of the drain time"));
}

#[tokio::test]
async fn connections_without_a_request_do_not_hold_up_the_end() {
    let setup = Setup::new();
    let (_backend, mut gateway) = setup.shop().await;
    let mut silent = Raw::connect(gateway.addr).await;
    let mut used = Raw::connect(gateway.addr).await;
    used.write(ADD).await;
    assert_eq!(used.status().await, 200);
    gateway.signal(Signal::SIGTERM);
    assert!(silent.ended().await && used.ended().await);
    assert!(gateway.ended().await);
}

#[tokio::test]
async fn a_gateway_whose_workers_cannot_run_ends_and_says_so() {
    let setup = Setup::new();
    let (_backend, gateway) = setup.shop().await;
    let config = gateway.config.clone();
    drop(gateway);
    // Far more workers than file descriptors.
    let text = std::fs::read_to_string(&config).expect("the settings are there");
    std::fs::write(&config, text.replace("workers = 2", "workers = 100")).expect("they can be written");
    let mut command = tokio::process::Command::new("sh");
    command.args(["-c", "ulimit -n 64; exec \"$0\" run --config \"$1\""]).arg(binary("callgate")).arg(config);
    let output = timeout(PATIENCE, command.kill_on_drop(true).output()).await.expect("it ends by itself");
    let output = output.expect("a shell runs");
    let log = String::from_utf8_lossy(&output.stderr);
    // The workers take the descriptors, and whoever finds none left first says so: a worker, or the runtime that serves.
    assert!(!output.status.success() && log.contains("Too many open files"), "{log}");
}

/// Waits until the gateway says that it is no longer ready.
async fn not_ready(gateway: &Gateway) {
    eventually("the lame duck", || async {
        (gateway.admin.get("/readyz").await.status == 503).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_lame_duck_goes_on_accepting_and_says_that_it_goes() {
    let setup = Setup::new().server("lame_duck = \"1h\"");
    let (_backend, mut gateway) = setup.shop().await;
    let mut idle = Raw::connect(gateway.addr).await;
    let mut silent = Raw::connect(gateway.addr).await;
    idle.write(ADD).await;
    let (head, _) = idle.answer().await.expect("an answer");
    assert_eq!(header(&head, "connection"), None);
    gateway.signal(Signal::SIGTERM);
    not_ready(&gateway).await;
    // A second one, and word to upgrade, change nothing.
    gateway.signal(Signal::SIGTERM);
    gateway.signal(Signal::SIGUSR2);
    let mut new = Raw::connect(gateway.addr).await;
    for client in [&mut idle, &mut new, &mut silent] {
        client.write(ADD).await;
        let (head, body) = client.answer().await.expect("an answer");
        assert_eq!((header(&head, "connection"), body.as_str()), (Some("close"), r#"{"result":3}"#));
        assert!(client.ended_without_reset().await);
    }
    assert!(gateway.is_running() && !gateway.log().contains("draining"));
    // Whoever does not want to wait says so, and what is in flight is still answered.
    let mut last = Raw::connect(gateway.addr).await;
    last.write(slow(3000)).await;
    in_flight(&gateway, 1.0).await;
    gateway.signal(Signal::SIGINT);
    assert_eq!(last.status().await, 200);
    assert!(gateway.ended().await);
}

#[tokio::test]
async fn the_lame_ducks_time_ends_by_itself_and_an_interrupt_leaves_it_out() {
    for (lame_duck, signal) in [("100ms", Signal::SIGTERM), ("1h", Signal::SIGINT)] {
        let setup = Setup::new().server(&format!("lame_duck = \"{lame_duck}\""));
        let (_backend, mut gateway) = setup.shop().await;
        gateway.signal(signal);
        assert!(gateway.ended().await, "{lame_duck} {signal}");
    }
}
