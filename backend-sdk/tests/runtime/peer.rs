//! A caller made by hand from the protocol's two halves: it can break every rule that a client keeps.

use crate::support::soon;
use callgate_protocol::call::{CallHead, MetadataBuf};
use callgate_protocol::frame::Header;
use callgate_protocol::{CallId, Event, Hello, Inbound, Limits, Outbound, Role};
use callgate_sdk::Status;
use std::convert::Infallible;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// What a raw peer hears.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    Hello(Hello),
    Reply(u32, Vec<u8>),
    Failure(u32, Status),
    Ready(bool),
    GoAway(u32, String),
    Schema(Vec<u8>),
    Ping([u8; 8]),
    Pong([u8; 8]),
    Closed,
}

/// A caller that speaks the protocol by hand.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    pub(crate) outbound: Outbound,
    inbound: Inbound,
    buffer: Vec<u8>,
}

impl Peer {
    /// Connects and shakes hands.
    pub(crate) async fn connect(address: &str) -> Peer {
        Peer::over(TcpStream::connect(address).await.expect("the server listens")).await
    }

    /// Connects with the smallest buffer for what the server sends, which so cannot send far ahead.
    pub(crate) async fn connect_with_little_room(address: &str) -> Peer {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(4096).expect("a small buffer is allowed");
        let address = address.parse().expect("an IP address and a port");
        Peer::over(socket.connect(address).await.expect("the server listens")).await
    }

    async fn over(stream: TcpStream) -> Peer {
        stream.set_nodelay(true).expect("is TCP");
        let hello = Hello::new("raw", Limits::default(), Vec::new());
        let mut peer = Peer {
            stream,
            outbound: Outbound::new(&hello),
            inbound: Inbound::new(Role::Connector, Limits::default()),
            buffer: Vec::new(),
        };
        peer.flush().await;
        let Heard::Hello(hello) = peer.hear().await else { panic!("HELLO comes first") };
        peer.outbound.set_limits(&hello.limits);
        peer
    }

    pub(crate) fn call(&mut self, number: u32, call_id: CallId, timeout_ms: Option<u32>, payload: &[u8]) {
        self.call_with(number, call_id, timeout_ms, &MetadataBuf::default(), payload);
    }

    /// The same with metadata.
    pub(crate) fn call_with(
        &mut self,
        number: u32,
        call_id: CallId,
        timeout_ms: Option<u32>,
        metadata: &MetadataBuf,
        payload: &[u8],
    ) {
        let head = CallHead { call_id, timeout_ms, metadata: metadata.as_metadata() };
        let Ok(_) = self.outbound.call(number, &head, |out| {
            out.extend_from_slice(payload);
            Ok::<_, Infallible>(None)
        });
    }

    pub(crate) async fn flush(&mut self) {
        while !self.outbound.is_empty() {
            let chunk = self.outbound.chunk().to_vec();
            // The server may have closed; what it said before that is what counts.
            let written = self.stream.write_all(&chunk).await;
            let n = chunk.len();
            self.outbound.advance(n);
            if written.is_err() {
                return;
            }
        }
    }

    /// Sends a frame as it is, whether or not an honest caller would.
    pub(crate) async fn frame(&mut self, kind: u8, flags: u8, call: u32, body: &[u8]) {
        let header = Header { length: body.len() as u32, kind, flags, call };
        self.stream.write_all(&[&header.encode(), body].concat()).await.expect("the server reads");
    }

    /// Goes, and waits until the server has noticed.
    pub(crate) async fn end(mut self) {
        self.stream.shutdown().await.expect("the server is there");
        while self.hear().await != Heard::Closed {}
    }

    /// The next thing that the server says.
    pub(crate) async fn hear(&mut self) -> Heard {
        loop {
            let (taken, heard) = {
                let (taken, event) = self.inbound.next(&self.buffer).expect("the server keeps the protocol");
                (taken, event.map(heard))
            };
            self.buffer.drain(..taken);
            if let Some(heard) = heard {
                return heard;
            }
            if taken == 0 && soon(self.stream.read_buf(&mut self.buffer)).await.unwrap_or(0) == 0 {
                return Heard::Closed;
            }
        }
    }
}

fn heard(event: Event<'_>) -> Heard {
    match event {
        Event::Hello(hello) => Heard::Hello(hello),
        Event::Reply { number, payload, .. } => Heard::Reply(number, payload.to_vec()),
        Event::Failure { number, status } => Heard::Failure(number, status.into()),
        Event::Ready(ready) => Heard::Ready(ready),
        Event::GoAway { last_call, reason } => Heard::GoAway(last_call, reason.into()),
        Event::Schema(_, schema) => Heard::Schema(schema.to_vec()),
        Event::Ping(token) => Heard::Ping(token),
        Event::Pong(token) => Heard::Pong(token),
        other => panic!("a caller does not hear {other:?}"),
    }
}
