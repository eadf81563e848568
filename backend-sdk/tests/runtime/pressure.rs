//! Much to write in both directions at once, peers that do not read, and handlers that keep a thread for themselves.

use crate::support::*;
use callgate_protocol::frame::kind;
use callgate_protocol::{
    CallId, Event, Hello, Inbound, Limits, MethodOffer, Outbound, Role, ServiceOffer, Streaming,
};
use callgate_sdk::Code;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;

const LONG: usize = 15 << 20;

/// A network that holds little, between a client and a server. What the server sends waits while it is shut.
struct Network {
    address: String,
    shut: watch::Sender<bool>,
}

impl Network {
    async fn before(server: &str) -> Network {
        let socket = TcpSocket::new_v4().expect("a socket");
        little(&socket);
        socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
        let listener = socket.listen(8).expect("it is bound");
        let address = listener.local_addr().expect("it is bound").to_string();
        let (shut, is_shut) = watch::channel(false);
        let server = server.parse().expect("an IP address and a port");
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let socket = TcpSocket::new_v4().expect("a socket");
                little(&socket);
                let (from_server, to_server) = socket.connect(server).await.expect("it listens").into_split();
                let (from_client, to_client) = client.into_split();
                tokio::spawn(pass(from_client, to_server, None));
                tokio::spawn(pass(from_server, to_client, Some(is_shut.clone())));
            }
        });
        Network { address, shut }
    }
}

fn little(socket: &TcpSocket) {
    socket.set_recv_buffer_size(32 * 1024).expect("a small buffer is allowed");
    socket.set_send_buffer_size(32 * 1024).expect("a small buffer is allowed");
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut shut: Option<watch::Receiver<bool>>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(n @ 1..) = from.read(&mut buffer).await {
        if let Some(shut) = &mut shut {
            let _ = shut.wait_for(|shut| !*shut).await;
        }
        if to.write_all(&buffer[..n]).await.is_err() {
            return;
        }
    }
}

/// On this runtime of one thread, tasks run in the order in which they were spawned.
#[tokio::test]
async fn client_and_server_that_have_much_to_write_to_each_other_both_go_on() {
    let (stage, mut events) = stage();
    let running = run(server(&stage)).await;
    let network = Network::before(&running.address).await;
    let client = client([&network.address]);
    echo(&client, b"connected").await.expect("the server is there");
    network.shut.send_replace(true);
    let mut downloads = Vec::new();
    for _ in 0..3 {
        let client = client.clone();
        downloads.push(tokio::spawn(async move {
            client.call::<_, Vec<u8>>(PRODUCE, None, &(LONG as u64)).await.map(|result| result.len())
        }));
    }
    let marker = tokio::spawn({
        let client = client.clone();
        async move { client.call::<_, Vec<u8>>(WAIT, None, &b"marker".as_slice()).await }
    });
    // The results before it wait to be written.
    assert_eq!(soon(events.recv()).await, Some(Happened::Started(b"marker".to_vec())));
    let mut uploads = Vec::new();
    for _ in 0..4 {
        let client = client.clone();
        uploads.push(tokio::spawn(async move {
            client.call::<_, Vec<u8>>(WHO, None, &vec![7u8; LONG]).await.map(|who| who.len())
        }));
    }
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    network.shut.send_replace(false);
    stage.gate.add_permits(1);
    for download in downloads {
        assert_eq!(soon(download).await.expect("no panic"), Ok(LONG));
    }
    for upload in uploads {
        assert!(soon(upload).await.expect("no panic").is_ok_and(|size| size > 0));
    }
    assert_eq!(soon(marker).await.expect("no panic"), Ok(b"marker".to_vec()));
    running.finish().await;
}

#[tokio::test]
async fn long_calls_wait_for_each_other_and_none_is_refused() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let client = client([&running.address]);
    echo(&client, b"connected").await.expect("the server is there");
    let calls = (0..6).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.call::<_, Vec<u8>>(WHO, None, &vec![7u8; LONG]).await })
    });
    for call in calls.collect::<Vec<_>>() {
        let answer = soon(call).await.expect("no panic");
        assert!(answer.is_ok(), "{answer:?}");
    }
    running.finish().await;
}

#[tokio::test]
async fn a_call_that_was_refused_is_not_sent_further() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("is bound").to_string();
    let client = client([&address]);
    // The connection stays when the call has ended.
    let call = tokio::spawn({
        let client = client.clone();
        async move { client.call::<_, Vec<u8>>(ECHO, None, &vec![7u8; LONG]).await }
    });
    let (mut stream, _) = soon(listener.accept()).await.expect("the client connects");
    let received = soon(refuse(&mut stream)).await;
    assert!(received < LONG / 2, "{received} bytes were sent");
    let refused = soon(call).await.expect("no panic").expect_err("it is refused");
    assert_eq!(refused.code, Code::PermissionDenied);
    drop(client);
}

/// A server that refuses each call at its first frame. Says how many bytes have come until the CANCEL.
async fn refuse(stream: &mut TcpStream) -> usize {
    let method = MethodOffer {
        name: "echo".into(),
        call_id: ECHO.call_id,
        schema: known(ECHO).fingerprint,
        wire: known(ECHO).wire,
        idempotent: true,
        streams: Streaming::default(),
    };
    let service = ServiceOffer { name: "stage".into(), version: "1".into(), methods: vec![method] };
    let mut outbound = Outbound::new(&Hello::new("strict", Limits::default(), vec![service]));
    let mut inbound = Inbound::new(Role::Acceptor, Limits::default());
    let (mut buffer, mut received, mut refused) = (Vec::new(), 0, false);
    loop {
        stream.write_all(&outbound.chunk().to_vec()).await.expect("the client reads");
        outbound.advance(usize::MAX);
        let read = stream.read_buf(&mut buffer).await.expect("the client writes");
        assert!(read > 0, "the client has closed the connection");
        received += read;
        loop {
            let (taken, event) = inbound.next(&buffer).expect("the client keeps the protocol");
            if matches!(event, Some(Event::Cancel { .. } | Event::Call { .. })) {
                return received;
            }
            buffer.drain(..taken);
            if taken == 0 {
                break;
            }
        }
        if inbound.last_call() > 0 && !std::mem::replace(&mut refused, true) {
            outbound.failure(inbound.last_call(), &callgate_protocol::Status::permission_denied("no"));
        }
    }
}

#[tokio::test]
async fn answers_are_written_between_handlers_that_keep_the_only_thread() {
    let (stage, mut events) = stage();
    let (address, addresses) = std::sync::mpsc::channel();
    let (done, until_done) = tokio::sync::oneshot::channel::<()>();
    let thread = std::thread::spawn({
        let stage = stage.clone();
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(async move {
                let running = run(server(&stage)).await;
                address.send(running.address.clone()).expect("the test waits");
                let _ = until_done.await;
                running.finish().await;
            });
        }
    });
    let address = addresses.recv_timeout(PATIENCE).expect("the server listens");
    let mut peer = Peer::connect(&address).await;
    let payload = encode(&b"x".as_slice()).expect("encodes");
    for number in 1..=5 {
        peer.call(number, BLOCK.call_id, None, &payload);
    }
    peer.outbound.ping(*b"12345678");
    peer.flush().await;
    for number in 1..=5 {
        assert_eq!(soon(events.recv()).await, Some(Happened::Started(b"x".to_vec())));
        // That makes the handler a long one.
        std::thread::sleep(Duration::from_millis(20));
        stage.gate.add_permits(1);
        // The next handler, which has the thread by then, is not at its end.
        assert!(matches!(peer.hear().await, Heard::Reply(answered, _) if answered == number));
    }
    assert_eq!(peer.hear().await, Heard::Pong(*b"12345678"));
    let _ = done.send(());
    thread.join().expect("no panic");
}

#[tokio::test]
async fn a_peer_that_asks_on_and_on_and_does_not_read_is_left() {
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    type Ask = fn(&mut Peer, u32);
    // What each asks for would fill any memory.
    let asks: [(&str, Ask); 3] = [
        ("PING", |peer, _| peer.outbound.ping([0; 8])),
        ("schemas", |peer, _| peer.outbound.schema_request(known(TREE).fingerprint)),
        ("calls that are refused", |peer, number| peer.call(number, CallId::of("no", "such"), None, b"")),
    ];
    for (what, ask) in asks {
        let mut peer = Peer::connect_with_little_room(&running.address).await;
        let (mut asked, mut number) = (0_usize, 0);
        while asked < 64 << 20 {
            for _ in 0..1000 {
                number += 1;
                ask(&mut peer, number);
            }
            let chunk = peer.outbound.chunk().to_vec();
            peer.outbound.advance(chunk.len());
            asked += chunk.len();
            if soon(peer.stream.write_all(&chunk)).await.is_err() {
                break;
            }
        }
        assert!(asked < 64 << 20, "the server has read 64 MiB and goes on: {what}");
    }
    let client = client([&running.address]);
    assert_eq!(echo(&client, b"x").await, Ok(b"x".to_vec()));
    running.finish().await;
}

#[tokio::test]
async fn nothing_but_hello_is_said_before_the_peers_hello_was_read() {
    let (stage, _events) = stage();
    let bound = server(&stage).listen("127.0.0.1:0").bind().await.expect("the address is free");
    let (address, handle) = (bound.addresses()[0].to_string(), bound.handle());
    handle.set_ready(false);
    let task = tokio::spawn(bound.serve());
    let mut stream = TcpStream::connect(&address).await.expect("the server listens");
    let (mut said, mut hello) =
        (Vec::with_capacity(4096), Outbound::new(&Hello::new("", Limits::default(), Vec::new())));
    let frames = |said: &[u8]| {
        let (mut kinds, mut rest) = (Vec::new(), said.get(8..).unwrap_or_default());
        while let Some(header) = callgate_protocol::Header::decode(rest)
            && let Some(next) = rest.get(10 + header.length as usize..)
        {
            kinds.push(header.kind);
            rest = next;
        }
        kinds
    };
    while frames(&said).is_empty() {
        soon(stream.read_buf(&mut said)).await.expect("the server speaks");
    }
    assert_eq!(frames(&said), [kind::HELLO]);
    stream.write_all(&hello.chunk().to_vec()).await.expect("the server reads");
    while frames(&said).len() < 2 {
        soon(stream.read_buf(&mut said)).await.expect("the server speaks");
    }
    assert_eq!(frames(&said), [kind::HELLO, kind::READY]);
    drop(stream);
    handle.drain();
    soon(task).await.expect("no panic");
}
