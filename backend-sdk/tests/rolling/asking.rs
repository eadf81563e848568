//! How a caller learns what an instance takes: against an instance made by hand from the protocol's halves.

use crate::earlier::{self, Ledger as _};
use crate::later;
use crate::support::soon;
use callgate_protocol::schema::Fingerprint;
use callgate_protocol::{
    CallId, Event, Hello, Inbound, Limits, MethodOffer, Outbound, Role, ServiceOffer, Streaming,
};
use callgate_sdk::service::{Dispatch, Schema};
use callgate_sdk::{Client, Code, Status};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// What the instance says when it is asked for a schema.
#[derive(Clone, Copy)]
enum Tells {
    Schema,
    Nothing,
    /// The same again and again.
    Often,
}

/// An instance that offers `documented` and `argument` of the later version, and fails each call.
struct Instance {
    address: String,
    counts: Arc<Counts>,
    _task: JoinSet<()>,
}

#[derive(Default)]
struct Counts {
    /// How often it was asked for a schema.
    asked: AtomicUsize,
    called: AtomicUsize,
}

impl Counts {
    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }

    fn called(&self) -> usize {
        self.called.load(Ordering::Relaxed)
    }
}

/// The later version's schema of a method.
fn schema_of(name: &str) -> &'static Schema {
    let server = later::LedgerServer::new(later::Book);
    let method = server.methods().iter().find(|method| method.name == name).expect("it has the method");
    method.schema().expect("its types can be described")
}

fn hello() -> Hello {
    let offer = |name: &str| {
        let schema = schema_of(name);
        MethodOffer {
            name: name.to_owned(),
            call_id: CallId::of("ledger", name),
            schema: schema.fingerprint,
            wire: schema.wire,
            idempotent: false,
            streams: Streaming::default(),
        }
    };
    let methods = vec![offer("argument"), offer("grown")];
    let service = ServiceOffer { name: "ledger".into(), version: String::new(), methods };
    Hello::new("by hand", Limits::default(), vec![service])
}

fn encoded(fingerprint: Fingerprint) -> &'static [u8] {
    let schemas = ["argument", "grown"].map(schema_of);
    let found = schemas.into_iter().find(|schema| schema.fingerprint == fingerprint);
    &found.expect("it has told the fingerprint").encoded
}

impl Instance {
    async fn run(tells: Tells) -> Instance {
        Instance::run_after(std::future::ready(()), tells).await
    }

    /// One that says nothing before that.
    async fn run_after(begin: impl Future<Output = ()> + Send + 'static, tells: Tells) -> Instance {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("is bound").to_string();
        let counts = Arc::new(Counts::default());
        let mut task = JoinSet::new();
        let counted = counts.clone();
        task.spawn(async move {
            begin.await;
            loop {
                let (stream, _) = listener.accept().await.expect("accepts");
                serve(stream, tells, &counted).await;
            }
        });
        Instance { address, counts, _task: task }
    }

    fn client(&self) -> Client {
        Client::builder().endpoint(&self.address).build().expect("the address is well-formed")
    }
}

/// Serves one connection until its peer goes.
async fn serve(mut stream: TcpStream, tells: Tells, counts: &Counts) {
    let mut outbound = Outbound::new(&hello());
    let mut inbound = Inbound::new(Role::Acceptor, Limits::default());
    let mut buffer = Vec::new();
    loop {
        stream.write_all(&outbound.chunk().to_vec()).await.expect("the peer reads");
        let written = outbound.chunk().len();
        outbound.advance(written);
        let (taken, event) = inbound.next(&buffer).expect("the caller keeps the protocol");
        match event {
            Some(Event::SchemaRequest(fingerprint)) => {
                counts.asked.fetch_add(1, Ordering::Relaxed);
                match tells {
                    Tells::Schema => outbound.schema(fingerprint, encoded(fingerprint)),
                    Tells::Nothing => outbound.schema(fingerprint, &[]),
                    Tells::Often => (0..100).for_each(|_| outbound.schema(fingerprint, encoded(fingerprint))),
                }
            }
            Some(Event::Call { number, .. }) => {
                counts.called.fetch_add(1, Ordering::Relaxed);
                outbound.failure(number, &callgate_protocol::Status::aborted("as it always does"));
            }
            Some(_) => {}
            None if taken > 0 || !outbound.is_empty() => {}
            None => match stream.read_buf(&mut buffer).await {
                Ok(read) if read > 0 => {}
                _ => return,
            },
        }
        buffer.drain(..taken);
    }
}

async fn fails(client: &Client, n: u64) -> Status {
    let ledger = earlier::LedgerClient::new(client.clone());
    soon(ledger.argument(n)).await.expect_err("it always fails")
}

#[tokio::test]
async fn a_schema_is_asked_for_once_however_many_calls_wait_for_it() {
    for tells in [Tells::Schema, Tells::Often] {
        let instance = Instance::run(tells).await;
        let client = instance.client();
        let mut calls = JoinSet::new();
        for n in 0..50 {
            let client = client.clone();
            calls.spawn(async move { fails(&client, n).await.code });
        }
        while let Some(code) = calls.join_next().await {
            assert_eq!(code.expect("no panic"), Code::Aborted);
        }
        assert_eq!(fails(&client, 50).await.code, Code::Aborted);
        assert_eq!(instance.counts.asked(), 1);
    }
}

#[tokio::test]
async fn an_instance_that_does_not_tell_its_schema_gets_no_calls() {
    let instance = Instance::run(Tells::Nothing).await;
    let client = instance.client();
    for n in 0..3 {
        let status = fails(&client, n).await;
        assert_eq!((status.code, status.not_executed), (Code::FailedPrecondition, true));
        assert!(status.message.ends_with("the endpoint does not tell its schema"), "{}", status.message);
    }
    assert_eq!(instance.counts.asked(), 1);
}

#[tokio::test]
async fn a_schema_that_one_connection_has_brought_is_known_to_the_others() {
    let (begin, begun) = oneshot::channel();
    let first = Instance::run(Tells::Schema).await;
    let wait = async move { begun.await.expect("it is told") };
    let second = Instance::run_after(wait, Tells::Schema).await;
    let builder = Client::builder().endpoint(&first.address).endpoint(&second.address);
    let client = builder.build().expect("the addresses are well-formed");
    assert_eq!(fails(&client, 0).await.code, Code::Aborted);
    assert_eq!((first.counts.asked(), second.counts.called()), (1, 0));
    begin.send(()).expect("it waits");
    while second.counts.called() == 0 {
        assert_eq!(fails(&client, 1).await.code, Code::Aborted);
    }
    assert_eq!(second.counts.asked(), 0);
}

#[tokio::test]
async fn types_that_are_the_same_are_not_asked_for() {
    let instance = Instance::run(Tells::Schema).await;
    let ledger = later::LedgerClient::new(instance.client());
    let call = later::Ledger::argument(&ledger, None, 7);
    assert_eq!(soon(call).await.map_err(|status| status.code), Err(Code::Aborted));
    assert_eq!(instance.counts.asked(), 0);
}
