//! Bounds, and what is refused at start.

use crate::support::*;
use callgate_protocol::frame::{flag, kind};
use callgate_sdk::{Code, Server, ServerError};

#[tokio::test]
async fn a_call_beyond_the_bound_is_refused_as_not_run_and_says_when_to_come_again() {
    let (stage, mut events) = stage();
    let running = run(server(&stage).max_calls(2)).await;
    let mut peer = Peer::connect(&running.address).await;
    let payload = encode(&b"x".as_slice()).expect("encodes");
    for number in 1..=3 {
        peer.call(number, WAIT.call_id, None, &payload);
    }
    peer.flush().await;
    let Heard::Failure(3, status) = peer.hear().await else { panic!("the third call is refused") };
    assert_eq!((status.code, status.not_executed), (Code::Unavailable, true));
    assert!(status.retry_after_ms.is_some());
    // The bound is the server's, too: another connection finds no room either.
    let mut other = Peer::connect(&running.address).await;
    other.call(1, WAIT.call_id, None, &payload);
    other.flush().await;
    assert!(matches!(other.hear().await, Heard::Failure(1, status) if status.not_executed));
    soon(events.recv()).await;
    stage.gate.add_permits(2);
    assert!(matches!(peer.hear().await, Heard::Reply(..)));
    assert!(matches!(peer.hear().await, Heard::Reply(..)));
    running.finish().await;
}

#[tokio::test]
async fn a_client_keeps_to_its_servers_bound_and_all_its_calls_succeed() {
    let (stage, _events) = stage();
    let running = run(server(&stage).max_calls(3)).await;
    let client = client([&running.address]);
    let calls = (0..200u32).map(|i| {
        let client = client.clone();
        tokio::spawn(async move { echo(&client, &i.to_le_bytes()).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert!(call.await.expect("no panic").is_ok());
    }
    running.finish().await;
}

#[tokio::test]
async fn messages_beyond_the_limit_are_resource_exhausted_and_have_not_run() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let mut peer = Peer::connect(&running.address).await;
    let payload = encode(&vec![0u8; 17 << 20]).expect("encodes");
    peer.call(1, ECHO.call_id, None, &payload);
    peer.call(2, ECHO.call_id, None, &encode(&b"x".as_slice()).expect("encodes"));
    peer.flush().await;
    assert!(matches!(peer.hear().await, Heard::Reply(2, _)));
    let Heard::Failure(1, status) = peer.hear().await else { panic!("the call is refused") };
    assert_eq!((status.code, status.not_executed), (Code::ResourceExhausted, true));
    peer.call(3, PRODUCE.call_id, None, &encode(&(17u64 << 20)).expect("encodes"));
    peer.flush().await;
    let Heard::Failure(3, status) = peer.hear().await else { panic!("the result is refused") };
    assert_eq!((status.code, status.not_executed), (Code::ResourceExhausted, false));
    let client = client([&running.address]);
    let refused = soon(client.call::<_, Vec<u8>>(ECHO, None, &vec![0u8; 17 << 20])).await;
    assert_eq!(refused.map_err(|status| status.code), Err(Code::ResourceExhausted));
    running.finish().await;
}

#[tokio::test]
async fn long_messages_of_all_connections_share_one_bound_and_short_ones_do_not_feel_it() {
    let (stage, mut events) = stage();
    let running = run(server(&stage).max_buffered(1_000_000)).await;
    let client = client([&running.address]);
    let long = vec![7u8; 300_000];
    assert_eq!(echo(&client, &long).await.as_ref(), Ok(&long), "arriving, at work, and waiting to be read");

    // Arrived, and at work.
    let mut working = Peer::connect(&running.address).await;
    working.call(1, WAIT.call_id, None, &encode(&long).expect("encodes"));
    working.flush().await;
    assert_eq!(soon(events.recv()).await, Some(Happened::Started(long.clone())));

    // Arriving, without an end: each connection within its own bounds.
    let mut pinning = Vec::new();
    for _ in 0..10 {
        let mut peer = Peer::connect(&running.address).await;
        let call = [&ECHO.call_id.get().to_le_bytes()[..], &[0; 60_000]].concat();
        peer.frame(kind::CALL, flag::MORE, 1, &call).await;
        peer.frame(kind::DATA, flag::MORE, 1, &call).await;
        peer.outbound.ping(*b"12345678");
        peer.flush().await;
        match peer.hear().await {
            Heard::Pong(_) => pinning.push(peer),
            Heard::Failure(1, status) => {
                assert_eq!((status.code, status.not_executed), (Code::ResourceExhausted, true));
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(pinning.len(), 5, "700 000 bytes were left");
    let refused = echo(&client, &long).await.expect_err("there is no room");
    assert_eq!(refused.code, Code::ResourceExhausted);
    assert_eq!(echo(&client, b"short").await, Ok(b"short".to_vec()));
    let result = soon(client.call::<_, Vec<u8>>(PRODUCE, None, &300_000u64)).await;
    assert_eq!(result.map_err(|status| status.code), Err(Code::ResourceExhausted));

    // All of it comes back: what was cut short with its connection, the rest with its answer.
    for peer in pinning {
        peer.end().await;
    }
    stage.gate.add_permits(1);
    assert!(matches!(working.hear().await, Heard::Reply(1, _)));
    assert_eq!(echo(&client, &long).await.as_ref(), Ok(&long));
    running.finish().await;
}

#[tokio::test]
async fn what_cannot_work_is_an_error_at_start_that_names_both() {
    let (stage, _events) = stage();
    let twice = server(&stage).service(StageServer(stage.clone())).listen("127.0.0.1:0");
    let error = twice.bind().await.map(|_| ()).expect_err("two services of one name");
    assert!(matches!(error, ServerError::ServiceTwice { name: "stage", .. }));

    let clash = server(&stage).service(Clash).listen("127.0.0.1:0");
    let error = clash.bind().await.map(|_| ()).expect_err("two methods of one number");
    let text = error.to_string();
    assert!(text.contains("stage.echo") && text.contains("clash.echo"), "{text}");

    let foreign = server(&stage).service(Foreign).listen("127.0.0.1:0").bind().await.map(|_| ());
    let error = foreign.expect_err("a name that not every language can write");
    assert!(error.to_string().contains("größe"), "{error}");

    assert!(matches!(server(&stage).bind().await.map(|_| ()), Err(ServerError::NoAddress)));
    let bad = Server::new().listen("nowhere").bind().await.map(|_| ());
    assert!(matches!(bad, Err(ServerError::BadAddress(_))));
    // What a `main` that returns the error prints.
    let shown = format!("{:?}", bad.expect_err("no address"));
    assert!(shown.contains("host:port") && !shown.contains("BadAddress"), "{shown}");
}

/// Has a name that is none.
struct Foreign;

impl callgate_sdk::service::Dispatch for Foreign {
    fn name(&self) -> &'static str {
        "größe"
    }
    fn version(&self) -> &'static str {
        ""
    }
    fn methods(&self) -> &'static [callgate_sdk::service::Method] {
        &[]
    }
    fn call(
        self: std::sync::Arc<Self>,
        _: usize,
        _: callgate_sdk::Context,
        _: &[u8],
        _: Option<callgate_sdk::service::Items>,
    ) -> Result<callgate_sdk::service::Answer, callgate_sdk::Status> {
        Err(callgate_sdk::Status::unimplemented("never called"))
    }
}

/// Pins a number that is another service's.
struct Clash;

static CLASHING: [callgate_sdk::service::Method; 1] = [callgate_sdk::service::Method {
    service: "clash",
    name: "echo",
    call_id: callgate_protocol::CallId::of("stage", "echo"),
    idempotent: false,
    streams: callgate_sdk::service::Directions { caller: false, service: false },
    describe: bytes_to_bytes,
    cache: std::sync::OnceLock::new(),
}];

impl callgate_sdk::service::Dispatch for Clash {
    fn name(&self) -> &'static str {
        "clash"
    }
    fn version(&self) -> &'static str {
        ""
    }
    fn methods(&self) -> &'static [callgate_sdk::service::Method] {
        &CLASHING
    }
    fn call(
        self: std::sync::Arc<Self>,
        _: usize,
        _: callgate_sdk::Context,
        _: &[u8],
        _: Option<callgate_sdk::service::Items>,
    ) -> Result<callgate_sdk::service::Answer, callgate_sdk::Status> {
        Err(callgate_sdk::Status::unimplemented("never called"))
    }
}
