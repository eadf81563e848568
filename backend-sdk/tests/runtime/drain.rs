//! Going down, and coming back, without losing a call.

use crate::support::*;
use callgate_sdk::Code;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

#[tokio::test]
async fn a_draining_server_finishes_its_calls_ignores_later_ones_and_answers_pings() {
    let (stage, mut events) = stage();
    let running = run(server(&stage)).await;
    let mut peer = Peer::connect(&running.address).await;
    let payload = encode(&b"x".as_slice()).expect("encodes");
    peer.call(1, WAIT.call_id, None, &payload);
    peer.flush().await;
    soon(events.recv()).await;
    running.handle.drain();
    assert!(matches!(peer.hear().await, Heard::GoAway(1, _)));
    peer.call(2, ECHO.call_id, None, &payload);
    peer.outbound.ping(*b"12345678");
    peer.flush().await;
    assert_eq!(peer.hear().await, Heard::Pong(*b"12345678"));
    stage.gate.add_permits(1);
    assert!(matches!(peer.hear().await, Heard::Reply(1, _)));
    assert_eq!(peer.hear().await, Heard::Closed);
    soon(running.task).await.expect("no panic");
}

#[tokio::test]
async fn a_server_says_whether_it_is_ready_on_every_connection_and_serves_all_the_same() {
    let (stage, _events) = stage();
    let bound = server(&stage).listen("127.0.0.1:0").bind().await.expect("the address is free");
    let (address, handle) = (bound.addresses()[0].to_string(), bound.handle());
    handle.set_ready(false);
    let task = tokio::spawn(bound.serve());
    let mut first = Peer::connect(&address).await;
    assert_eq!(first.hear().await, Heard::Ready(false), "said right behind HELLO");
    handle.set_ready(true);
    assert_eq!(first.hear().await, Heard::Ready(true));
    let mut second = Peer::connect(&address).await;
    handle.set_ready(true);
    handle.set_ready(false);
    for peer in [&mut first, &mut second] {
        assert_eq!(peer.hear().await, Heard::Ready(false), "and nothing before, as it was ready");
        peer.call(1, ECHO.call_id, None, &encode(&b"x".as_slice()).expect("encodes"));
        peer.flush().await;
        assert!(matches!(peer.hear().await, Heard::Reply(1, _)));
    }
    handle.drain();
    for mut peer in [first, second] {
        assert!(matches!(peer.hear().await, Heard::GoAway(1, _)));
    }
    soon(task).await.expect("no panic");
}

#[tokio::test]
async fn a_client_waits_for_a_server_that_wants_no_calls() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let client = client([&running.address]);
    assert_eq!(echo(&client, b"1").await, Ok(b"1".to_vec()));
    running.handle.set_ready(false);
    let hasty = client.with_timeout(Duration::from_millis(20));
    // Until the client has heard it, calls are answered.
    let refused = soon(async {
        loop {
            if let Err(status) = echo(&hasty, b"2").await {
                break status;
            }
        }
    });
    let refused = refused.await;
    assert_eq!((refused.code, refused.not_executed), (Code::Unavailable, true));
    assert!(refused.message.contains("wants no calls"), "{}", refused.message);
    let waiting = tokio::spawn(async move { echo(&client, b"3").await });
    running.handle.set_ready(true);
    assert_eq!(soon(waiting).await.expect("no panic"), Ok(b"3".to_vec()));
    running.finish().await;
}

#[tokio::test]
async fn after_the_grace_calls_are_dropped_and_their_callers_told() {
    let (stage, mut events) = stage();
    let running = run(server(&stage).grace(Duration::from_millis(10))).await;
    let mut peer = Peer::connect(&running.address).await;
    peer.call(1, WAIT.call_id, None, &encode(&b"x".as_slice()).expect("encodes"));
    peer.flush().await;
    soon(events.recv()).await;
    running.handle.drain();
    assert!(matches!(peer.hear().await, Heard::GoAway(1, _)));
    let Heard::Failure(1, status) = peer.hear().await else { panic!("the call is dropped") };
    assert_eq!((status.code, status.not_executed), (Code::Unavailable, false));
    drop(peer);
    soon(running.task).await.expect("no panic");
    let mut seen = [soon(events.recv()).await, soon(events.recv()).await];
    seen.sort_by_key(|happened| matches!(happened, Some(Happened::Cancelled(_))));
    assert_eq!(seen[0], Some(Happened::Dropped(b"x".to_vec())));
}

#[tokio::test]
async fn a_call_in_flight_survives_the_drain_and_later_ones_go_elsewhere() {
    let (stage_a, mut events) = stage();
    let (stage_b, _events) = stage();
    let a = run(server(&stage_a)).await;
    let b = run(server(&stage_b)).await;
    let client = client([&a.address]);
    let both = crate::support::client([&a.address, &b.address]);
    let slow = tokio::spawn(async move { client.call::<_, Vec<u8>>(WAIT, None, &b"x".as_slice()).await });
    soon(events.recv()).await;
    a.handle.drain();
    for _ in 0..50 {
        assert_eq!(echo(&both, b"y").await, Ok(b"y".to_vec()));
    }
    stage_a.gate.add_permits(1);
    assert_eq!(soon(slow).await.expect("no panic"), Ok(b"x".to_vec()));
    soon(a.task).await.expect("no panic");
    b.finish().await;
}

#[tokio::test]
async fn a_client_comes_back_after_a_restart_on_the_same_port() {
    let (stage, _events) = stage();
    let first = run(server(&stage)).await;
    let address = first.address.clone();
    let client = client([&address]);
    assert_eq!(echo(&client, b"1").await, Ok(b"1".to_vec()));
    first.finish().await;
    let waiting = tokio::spawn(async move { echo(&client, b"2").await });
    let second = run_at(server(&stage), &address).await;
    assert_eq!(waiting.await.expect("no panic"), Ok(b"2".to_vec()));
    second.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_restarts_under_load_lose_no_call() {
    let (stage, _events) = stage();
    let mut servers = [run(server(&stage)).await, run(server(&stage)).await];
    let client = client(servers.iter().map(|s| &s.address));
    let done = Arc::new(AtomicBool::new(false));
    let calls = Arc::new(AtomicU32::new(0));
    let callers = (0..16u32).map(|caller| {
        let (client, done, calls) = (client.clone(), done.clone(), calls.clone());
        tokio::spawn(async move {
            while !done.load(Ordering::Relaxed) {
                let size = if caller == 0 { 200_000u64 } else { 300 };
                let got: Vec<u8> = soon(client.call(PRODUCE, None, &size)).await.expect("no call is lost");
                assert_eq!(got.len() as u64, size);
                calls.fetch_add(1, Ordering::Relaxed);
            }
        })
    });
    let callers: Vec<_> = callers.collect();
    for restart in 0..10 {
        let before = calls.load(Ordering::Relaxed);
        while calls.load(Ordering::Relaxed) < before + 200 {
            tokio::task::yield_now().await;
        }
        let place = restart % 2;
        let address = servers[place].address.clone();
        servers[place].handle.drain();
        soon(&mut servers[place].task).await.expect("no panic");
        servers[place] = run_at(server(&stage), &address).await;
    }
    done.store(true, Ordering::Relaxed);
    for caller in callers {
        soon(caller).await.expect("no call is lost");
    }
    for server in servers {
        server.finish().await;
    }
}

#[tokio::test]
async fn a_server_that_runs_drains_at_sigterm_and_returns() {
    let (stage, mut events) = stage();
    let path = std::env::temp_dir().join(format!("callgate-signal-{}.sock", std::process::id()));
    let address = format!("unix:{}", path.display());
    let task = tokio::spawn(server(&stage).listen(&address).run());
    let client = client([&address]);
    let call = tokio::spawn(async move { client.call::<_, Vec<u8>>(WAIT, None, &b"x".as_slice()).await });
    assert_eq!(soon(events.recv()).await, Some(Happened::Started(b"x".to_vec())));
    let this = std::process::id().to_string();
    let kill = std::process::Command::new("kill").args(["-TERM", &this]).status();
    assert!(kill.is_ok_and(|status| status.success()));
    stage.gate.add_permits(1);
    assert_eq!(soon(call).await.expect("no panic"), Ok(b"x".to_vec()));
    assert!(soon(task).await.expect("no panic").is_ok());
    assert!(!path.exists());
}
