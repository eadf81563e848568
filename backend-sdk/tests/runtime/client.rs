//! The client's choices: which endpoint, whether again, and what it says when nothing helps.

use crate::support::*;
use callgate_protocol::{CallId, Hello, Limits, MethodOffer, Outbound, ServiceOffer, Streaming};
use callgate_sdk::{Client, ClientError, Code, Context};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

#[tokio::test]
async fn an_endpoint_of_which_the_schema_is_not_known_is_not_called() {
    let (stage, _events) = stage();
    // Offers the method with other types, and answers nothing.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let other = listener.local_addr().expect("is bound").to_string();
    let impostor = tokio::spawn(async move {
        let method = MethodOffer {
            name: "echo".into(),
            call_id: CallId::of("stage", "echo"),
            schema: known(TREE).fingerprint,
            wire: known(TREE).wire,
            idempotent: true,
            streams: Streaming::default(),
        };
        let service = ServiceOffer { name: "stage".into(), version: "2".into(), methods: vec![method] };
        let mut open = Vec::new();
        loop {
            let (mut stream, _) = listener.accept().await.expect("accepts");
            let mut hello = Outbound::new(&Hello::new("other", Limits::default(), vec![service.clone()]));
            stream.write_all(&hello.chunk().to_vec()).await.expect("writes");
            open.push(stream);
        }
    });
    let alone = client([&other]).with_timeout(Duration::from_millis(200));
    let refused = echo(&alone, b"x").await.expect_err("what it takes is not known");
    assert_eq!((refused.code, refused.not_executed), (Code::Unavailable, true));
    assert!(refused.message.contains("it was asked for its schema"), "{}", refused.message);
    let running = run(server(&stage)).await;
    let both = client([&other, &running.address]);
    for _ in 0..20 {
        assert_eq!(echo(&both, b"x").await, Ok(b"x".to_vec()));
    }
    impostor.abort();
    running.finish().await;
}

#[tokio::test]
async fn a_call_that_one_server_refuses_unrun_is_sent_to_another() {
    let (full, mut events) = stage();
    let (free, _events) = stage();
    let a = run(server(&full).max_calls(1)).await;
    let b = run(server(&free)).await;
    let mut peer = Peer::connect(&a.address).await;
    peer.call(1, WAIT.call_id, None, &encode(&b"x".as_slice()).expect("encodes"));
    peer.flush().await;
    soon(events.recv()).await;
    let client = client([&a.address, &b.address]);
    for _ in 0..50 {
        assert_eq!(echo(&client, b"y").await, Ok(b"y".to_vec()));
    }
    full.gate.add_permits(1);
    a.finish().await;
    b.finish().await;
}

#[tokio::test]
async fn a_lost_connection_is_unavailable_and_the_call_is_not_repeated() {
    let (stage, mut events) = stage();
    let running = run(server(&stage)).await;
    let client = client([&running.address]);
    let call = tokio::spawn(async move { client.call::<_, Vec<u8>>(WAIT, None, &b"x".as_slice()).await });
    assert_eq!(soon(events.recv()).await, Some(Happened::Started(b"x".to_vec())));
    // Dropped, not drained: the connection is reset without a word.
    running.task.abort();
    let lost = soon(call).await.expect("no panic").expect_err("the connection is lost");
    assert_eq!((lost.code, lost.not_executed), (Code::Unavailable, false));
}

#[tokio::test]
async fn without_a_reachable_endpoint_a_call_is_unavailable_at_its_deadline_and_says_why() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let nobody = listener.local_addr().expect("is bound").to_string();
    drop(listener);
    let client = client([&nobody]).with_timeout(Duration::from_millis(200));
    let failed = echo(&client, b"x").await.expect_err("nobody is there");
    assert_eq!((failed.code, failed.not_executed), (Code::Unavailable, true));
    assert!(failed.message.contains(&nobody), "{}", failed.message);
}

#[tokio::test]
async fn a_call_whose_time_is_up_while_it_waits_for_a_place_has_not_run() {
    let (full, mut events) = stage();
    let running = run(server(&full).max_calls(1)).await;
    let client = client([&running.address]);
    let first = tokio::spawn({
        let client = client.clone();
        async move { client.call::<_, Vec<u8>>(WAIT, None, &b"first".as_slice()).await }
    });
    assert_eq!(soon(events.recv()).await, Some(Happened::Started(b"first".to_vec())));
    let hasty = client.with_timeout(Duration::from_millis(100));
    let late = echo(&hasty, b"second").await.expect_err("there is no place for it");
    assert_eq!((late.code, late.not_executed), (Code::Unavailable, true));
    assert!(late.message.contains("all the calls that it accepts"), "{}", late.message);
    full.gate.add_permits(1);
    assert_eq!(soon(first).await.expect("no panic"), Ok(b"first".to_vec()));
    running.finish().await;
}

#[tokio::test]
async fn a_call_with_no_time_left_is_not_sent() {
    let (stage, mut events) = stage();
    let running = run(server(&stage)).await;
    let client = client([&running.address]);
    echo(&client, b"connected").await.expect("the server is there");
    let passed = Context::background().with_timeout(Duration::ZERO);
    let late = soon(client.call::<_, Vec<u8>>(WAIT, Some(&passed), &b"late".as_slice())).await;
    let late = late.expect_err("its time is up");
    assert_eq!((late.code, late.not_executed), (Code::DeadlineExceeded, true));
    // On one connection calls begin in their order: were the first sent, it would be the first to begin.
    let other =
        tokio::spawn(async move { client.call::<_, Vec<u8>>(WAIT, None, &b"other".as_slice()).await });
    assert_eq!(soon(events.recv()).await, Some(Happened::Started(b"other".to_vec())));
    stage.gate.add_permits(1);
    assert_eq!(soon(other).await.expect("no panic"), Ok(b"other".to_vec()));
    running.finish().await;
}

#[tokio::test]
async fn dropping_the_last_client_closes_its_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("is bound").to_string();
    let client = client([&address]);
    let clone = client.clone();
    let (mut stream, _) = soon(listener.accept()).await.expect("the client connects");
    let mut magic = [0; 8];
    soon(stream.read_exact(&mut magic)).await.expect("the client speaks");
    drop(client);
    drop(clone);
    soon(stream.read_to_end(&mut Vec::new())).await.expect("is closed");
}

/// An address that leads to one server after the other, as a virtual one does. Those who are connected stay where they are.
#[tokio::test]
async fn behind_a_virtual_address_a_client_comes_to_the_server_that_has_replaced_another() {
    let (old, _events) = stage();
    let (new, mut events) = stage();
    let (old, new_one) = (run(server(&old)).await, run(server(&new)).await);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("is bound").to_string();
    let (leads_to, target) = tokio::sync::watch::channel(old.address.clone());
    let way = tokio::spawn(async move {
        let mut connections = tokio::task::JoinSet::new();
        while let Ok((mut from, _)) = listener.accept().await {
            let to = target.borrow().clone();
            connections.spawn(async move {
                let mut to = tokio::net::TcpStream::connect(to).await?;
                tokio::io::copy_bidirectional(&mut from, &mut to).await
            });
        }
    });
    let client = Client::builder().endpoint(&address).max_age(Duration::from_secs(1)).build();
    let client = client.expect("the address is well-formed");
    assert_eq!(echo(&client, b"old").await, Ok(b"old".to_vec()));
    leads_to.send_replace(new_one.address.clone());
    // Opened as often as it is needed: a call that comes to the old server waits for no one.
    new.gate.add_permits(1);
    let called = async {
        loop {
            let short = client.with_timeout(Duration::from_millis(100));
            let _ = short.call::<_, Vec<u8>>(WAIT, None, &b"new".as_slice()).await;
        }
    };
    tokio::select! {
        () = called => {}
        happened = soon(events.recv()) => assert_eq!(happened, Some(Happened::Started(b"new".to_vec()))),
    }
    way.abort();
}

#[tokio::test]
async fn a_name_is_looked_up_by_the_system() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let by_name = running.address.replace("127.0.0.1", "localhost");
    assert_ne!(by_name, running.address);
    let client = client([&by_name]);
    assert_eq!(echo(&client, b"x").await, Ok(b"x".to_vec()));
    drop(client);
    running.finish().await;
}

#[test]
fn what_cannot_work_is_an_error_when_the_client_is_built() {
    assert!(matches!(Client::builder().build(), Err(ClientError::NoEndpoint)));
    let bad = Client::builder().endpoint("nowhere").build();
    assert!(matches!(bad, Err(ClientError::BadAddress(_))));
    let outside = Client::builder().endpoint("127.0.0.1:1").build();
    assert!(matches!(outside, Err(ClientError::NoRuntime(_))));
}
