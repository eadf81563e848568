//! Calls between client and server: concurrency, size, panics, deadlines, cancellation.

use crate::support::*;
use callgate_protocol::CallId;
use callgate_sdk::{Code, Context, Status};
use std::time::Duration;

#[tokio::test]
async fn a_slow_call_does_not_block_a_fast_one() {
    let (stage, mut events) = stage();
    let running = run(server(&stage)).await;
    let client = client([&running.address]);
    let slow = tokio::spawn({
        let client = client.clone();
        async move { client.call::<_, Vec<u8>>(WAIT, None, &b"slow".as_slice()).await }
    });
    assert_eq!(soon(events.recv()).await, Some(Happened::Started(b"slow".to_vec())));
    assert_eq!(echo(&client, b"fast").await, Ok(b"fast".to_vec()));
    stage.gate.add_permits(1);
    assert_eq!(soon(slow).await.expect("no panic"), Ok(b"slow".to_vec()));
    running.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_many_concurrent_calls_gets_its_own_answer() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let client = client([&running.address]);
    let calls = (0..5000u32).map(|i| {
        let client = client.clone();
        tokio::spawn(async move { (i, echo(&client, &i.to_le_bytes()).await) })
    });
    for call in calls.collect::<Vec<_>>() {
        let (i, answer) = call.await.expect("no panic");
        assert_eq!(answer, Ok(i.to_le_bytes().to_vec()));
    }
    running.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_messages_pass_in_both_directions_together_with_short_ones() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let client = client([&running.address]);
    let calls = (0..60u32).map(|i| {
        let client = client.clone();
        let size = if i % 10 == 0 { 1_000_000 } else { 100 };
        tokio::spawn(async move {
            let sent: Vec<u8> = (0..size).map(|at: u32| (at.wrapping_mul(31) + i) as u8).collect();
            assert_eq!(echo(&client, &sent).await, Ok(sent));
        })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.expect("no panic");
    }
    running.finish().await;
}

#[tokio::test]
async fn a_panic_is_internal_to_its_caller_without_details_and_harms_nobody_else() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let client = client([&running.address]);
    let panicked = soon(client.call::<_, Vec<u8>>(PANIC, None, &b"".as_slice())).await;
    assert_eq!(panicked, Err(Status::internal("the method failed unexpectedly")));
    assert_eq!(echo(&client, b"still there").await, Ok(b"still there".to_vec()));
    running.finish().await;
}

#[tokio::test]
async fn a_handler_is_dropped_at_its_deadline_and_the_caller_is_told() {
    let (stage, mut events) = stage();
    let running = run(server(&stage)).await;
    let mut peer = Peer::connect(&running.address).await;
    let payload = |name: &[u8]| encode(&name).expect("encodes");
    // The later deadline is known first: the earlier one must move the alarm forward.
    peer.call(1, WAIT.call_id, Some(3_600_000), &payload(b"later"));
    peer.call(2, WAIT.call_id, Some(5), &payload(b"sooner"));
    peer.flush().await;
    let Heard::Failure(2, status) = peer.hear().await else { panic!("the call fails") };
    assert_eq!((status.code, status.not_executed), (Code::DeadlineExceeded, false));
    let mut seen = Vec::new();
    while seen.len() < 4 {
        seen.push(soon(events.recv()).await.expect("the stage is there"));
    }
    for happened in [Happened::Dropped(b"sooner".to_vec()), Happened::Cancelled(b"sooner".to_vec())] {
        assert!(seen.contains(&happened), "{seen:?}");
    }
    stage.gate.add_permits(1);
    assert_eq!(peer.hear().await, Heard::Reply(1, payload(b"later")));
    running.finish().await;
}

#[tokio::test]
async fn dropping_a_calls_future_drops_its_handler_and_tells_what_it_has_spawned() {
    let (stage, mut events) = stage();
    let running = run(server(&stage)).await;
    let client = client([&running.address]);
    {
        let x = b"x".as_slice();
        let call = client.call::<_, Vec<u8>>(WAIT, None, &x);
        tokio::select! {
            _ = call => panic!("the gate is closed"),
            started = soon(events.recv()) => assert_eq!(started, Some(Happened::Started(b"x".to_vec()))),
        }
    }
    let mut seen = [soon(events.recv()).await, soon(events.recv()).await];
    seen.sort_by_key(|happened| matches!(happened, Some(Happened::Cancelled(_))));
    assert_eq!(seen, [Some(Happened::Dropped(b"x".to_vec())), Some(Happened::Cancelled(b"x".to_vec()))]);
    assert_eq!(echo(&client, b"y").await, Ok(b"y".to_vec()));
    running.finish().await;
}

#[tokio::test]
async fn a_lost_connection_drops_its_handlers() {
    let (stage, mut events) = stage();
    let running = run(server(&stage)).await;
    let mut peer = Peer::connect(&running.address).await;
    peer.call(1, WAIT.call_id, None, &encode(&b"x".as_slice()).expect("encodes"));
    peer.flush().await;
    assert_eq!(soon(events.recv()).await, Some(Happened::Started(b"x".to_vec())));
    drop(peer);
    let mut seen = [soon(events.recv()).await, soon(events.recv()).await];
    seen.sort_by_key(|happened| matches!(happened, Some(Happened::Cancelled(_))));
    assert_eq!(seen[0], Some(Happened::Dropped(b"x".to_vec())));
    running.finish().await;
}

#[tokio::test]
async fn cancelling_a_long_reply_frees_its_place_at_the_caller() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    // The reply is certainly under way when CANCEL arrives: its end does not fit between server and peer.
    let mut peer = Peer::connect_with_little_room(&running.address).await;
    let payload = encode(&15_000_000u64).expect("encodes");
    peer.call(1, PRODUCE.call_id, None, &payload);
    peer.flush().await;
    let mut first = [0; 1];
    soon(peer.stream.peek(&mut first)).await.expect("the reply has begun");
    peer.outbound.cancel(1);
    peer.call(2, ECHO.call_id, None, &encode(&b"next".as_slice()).expect("encodes"));
    peer.flush().await;
    let mut heard = [peer.hear().await, peer.hear().await];
    heard.sort_by_key(|heard| matches!(heard, Heard::Reply(2, _)));
    assert!(matches!(&heard[0], Heard::Failure(1, status) if status.code == Code::Cancelled));
    assert!(matches!(heard[1], Heard::Reply(2, _)));
    running.finish().await;
}

#[tokio::test]
async fn the_clients_deadline_holds_even_if_the_server_never_answers() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let client = client([&running.address]);
    echo(&client, b"connected").await.expect("the server is there");
    let client = client.with_timeout(Duration::from_millis(50));
    let late = soon(client.call::<_, Vec<u8>>(WAIT, None, &b"x".as_slice())).await;
    assert_eq!(late.map_err(|status| status.code), Err(Code::DeadlineExceeded));
    running.finish().await;
}

#[tokio::test]
async fn deadline_and_metadata_are_passed_on() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let client = callgate_sdk::Client::builder()
        .endpoint(&running.address)
        .caller("billing")
        .build()
        .expect("a good address");
    let who = async |context: Option<&Context>| {
        let who: Vec<u8> = soon(client.call(WHO, context, &b"".as_slice())).await.expect("succeeds");
        String::from_utf8(who).expect("is text")
    };
    let context =
        Context::background().with_timeout(Duration::from_secs(3)).with_metadata("request-id", "r1");
    let context = context.expect("it fits");
    assert_eq!(who(Some(&context)).await, "Some(3.0) Some(\"r1\") Some(\"billing\")");
    assert_eq!(who(None).await, "Some(10.0) None Some(\"billing\")");
    running.finish().await;
}

/// The worse for a handler that blocks: nobody else on this thread has a turn, and it may be the thread that waits for
/// all sockets.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_handler_that_blocks_its_thread_keeps_nobody_else_waiting() {
    let (stage, mut events) = stage();
    let running = run(server(&stage)).await;
    let mut peer = Peer::connect(&running.address).await;
    for (number, how) in (1..).zip([b"first", b"later"].into_iter().cycle().take(20)) {
        peer.call(number, BLOCK.call_id, None, &encode(&how.as_slice()).expect("encodes"));
        peer.flush().await;
        assert_eq!(soon(events.recv()).await, Some(Happened::Started(how.to_vec())));
        peer.outbound.ping(*b"12345678");
        peer.flush().await;
        assert_eq!(peer.hear().await, Heard::Pong(*b"12345678"));
        let mut other = Peer::connect(&running.address).await;
        other.call(1, ECHO.call_id, None, &encode(&how.as_slice()).expect("encodes"));
        other.flush().await;
        assert!(matches!(other.hear().await, Heard::Reply(1, _)));
        stage.gate.add_permits(1);
        assert!(matches!(peer.hear().await, Heard::Reply(..)));
    }
    running.finish().await;
}

#[tokio::test]
async fn the_server_tells_the_schemas_of_its_methods() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let mut peer = Peer::connect(&running.address).await;
    peer.outbound.schema_request(known(TREE).fingerprint);
    peer.outbound.schema_request(callgate_protocol::schema::Fingerprint([0; 16]));
    peer.flush().await;
    assert_eq!(peer.hear().await, Heard::Schema(known(TREE).encoded.clone()));
    assert_eq!(peer.hear().await, Heard::Schema(Vec::new()));
    running.finish().await;
}

#[tokio::test]
async fn an_unknown_call_id_has_not_run() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let mut peer = Peer::connect(&running.address).await;
    peer.call(1, CallId::of("no", "such"), None, b"");
    peer.flush().await;
    let Heard::Failure(1, status) = peer.hear().await else { panic!("the call fails") };
    assert_eq!((status.code, status.not_executed), (Code::Unimplemented, true));
    running.finish().await;
}

#[tokio::test]
async fn what_bincode_would_choke_on_is_refused_before_it() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let mut peer = Peer::connect(&running.address).await;
    // A megabyte of nested variants aborts a process by its stack; five bytes claim 268 million units.
    peer.call(1, TREE.call_id, None, &vec![1; 1_000_000]);
    peer.call(2, UNITS.call_id, None, &[252, 0, 0, 0, 16]);
    peer.flush().await;
    let mut numbers = Vec::new();
    for _ in 0..2 {
        let Heard::Failure(number, status) = peer.hear().await else { panic!("the calls fail") };
        assert_eq!(status.code, Code::InvalidArgument);
        numbers.push(number);
    }
    numbers.sort();
    assert_eq!(numbers, [1, 2]);
    running.finish().await;
}

#[tokio::test]
async fn unix_sockets_work_a_stale_file_is_replaced_and_nothing_stays_behind() {
    let (stage, _events) = stage();
    let path = std::env::temp_dir().join(format!("callgate-test-{}.sock", std::process::id()));
    let address = format!("unix:{}", path.display());
    // A listener that is closed without removing its file is what a killed process leaves.
    drop(std::os::unix::net::UnixListener::bind(&path).expect("the path is free"));
    let running = run_at(server(&stage), &address).await;
    let second = server(&stage).listen(&address).bind().await.map(|_| ());
    assert!(second.is_err(), "somebody listens there");
    let client = client([&running.address]);
    assert_eq!(echo(&client, b"x").await, Ok(b"x".to_vec()));
    running.finish().await;
    assert!(!path.exists());
}
