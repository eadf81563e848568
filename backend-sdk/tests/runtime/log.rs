//! What the log says of calls: each thing that befalls a caller once and in words, and always which call it belongs to.
//!
//! All tests of this program share one log. Each looks for its own lines, by an address or a name that no other has.

use crate::around::{Desk, DeskClient};
use crate::peer::{Heard, Peer};
use crate::support::*;
use callgate_protocol::{CallId, Hello, Limits, MetadataBuf, MethodOffer, Outbound, ServiceOffer, Streaming};
use callgate_sdk::layer::Tracing;
use callgate_sdk::{Client, Code, Context, Server, Status, service};
use std::io;
use std::sync::OnceLock;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Everything that was logged so far.
struct Log(watch::Sender<String>);

impl io::Write for &Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send_modify(|text| text.push_str(&String::from_utf8_lossy(bytes)));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn log() -> &'static Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    LOG.get_or_init(|| {
        let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(|| log());
        subscriber.init();
        Log(watch::Sender::new(String::new()))
    })
}

impl Log {
    /// The lines that have all of these words.
    fn lines(&self, words: &[&str]) -> Vec<String> {
        let text = self.0.borrow();
        let has_all = |line: &&str| words.iter().all(|word| line.contains(word));
        text.lines().filter(has_all).map(str::to_owned).collect()
    }

    /// Waits for such lines.
    async fn has(&self, count: usize, words: &[&str]) -> Vec<String> {
        let mut text = self.0.subscribe();
        let has_all = |line: &&str| words.iter().all(|word| line.contains(word));
        let there = text.wait_for(|text| text.lines().filter(has_all).count() >= count);
        let _ = tokio::time::timeout(PATIENCE, there)
            .await
            .unwrap_or_else(|_| panic!("no line has {words:?} in\n{}", *self.0.borrow()));
        self.lines(words)
    }
}

fn hasty(address: &String) -> Client {
    client([address]).with_timeout(Duration::from_millis(100))
}

#[tokio::test]
async fn a_caller_is_told_once_that_its_last_endpoint_is_gone_and_once_that_it_is_back() {
    let log = log();
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let address = running.address.clone();
    let client = hasty(&address);
    echo(&client.with_timeout(PATIENCE), b"there").await.expect("the server is there");
    // Dropped, not drained: its connections are closed without a word.
    running.task.abort();
    let gone = log.has(1, &["WARN", "the last endpoint is gone", &address]).await;
    assert!(gone[0].contains("the connection was lost"), "{gone:?}");
    for _ in 0..3 {
        let status = echo(&client, b"gone").await.expect_err("nobody is there");
        assert_eq!((status.code, status.not_executed), (Code::Unavailable, true));
        assert!(status.message.contains(&address), "{status}");
    }
    let again = run_at(server(&stage), &address).await;
    log.has(1, &["WARN", "an endpoint is there again", &address]).await;
    echo(&client.with_timeout(PATIENCE), b"back").await.expect("the server is back");
    for once in ["the last endpoint is gone", "an endpoint is gone", "an endpoint is connected"] {
        assert_eq!(log.lines(&[once, &address]).len(), 1, "{once}");
    }
    again.finish().await;
    let left = log.has(2, &["the last endpoint is gone", &address]).await;
    assert!(left[1].contains("the server is going down"), "{left:?}");
}

#[tokio::test]
async fn a_caller_is_told_once_that_no_endpoint_can_be_reached() {
    let log = log();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let nobody = listener.local_addr().expect("is bound").to_string();
    drop(listener);
    let client = hasty(&nobody);
    for _ in 0..3 {
        let status = echo(&client, b"x").await.expect_err("nobody is there");
        assert!(status.message.contains(&nobody) && status.message.contains("refused"), "{status}");
    }
    let told = log.has(1, &["WARN", "no endpoint can be reached", &nobody]).await;
    assert!(told[0].contains("refused"), "{told:?}");
    assert_eq!(log.lines(&["no endpoint can be reached", &nobody]).len(), 1);
}

#[tokio::test]
async fn a_caller_is_told_once_that_an_endpoint_is_full() {
    let log = log();
    let (full, mut events) = stage();
    let running = run(server(&full).max_calls(1)).await;
    let address = running.address.clone();
    // One has the only place of the server, another one the only place of its own connection.
    let other = client([&address]);
    let first = tokio::spawn({
        let other = other.clone();
        async move { other.call::<_, Vec<u8>>(WAIT, None, &b"first".as_slice()).await }
    });
    soon(events.recv()).await;
    let client = client([&address]);
    for _ in 0..3 {
        let status = echo(&client, b"x").await.expect_err("the server is full");
        assert_eq!((status.code, status.not_executed), (Code::Unavailable, true));
        assert!(status.message.contains("limit of calls"), "{status}");
    }
    let words = ["WARN", "an endpoint has no room for calls", &address];
    let told = log.has(1, &words).await;
    assert!(told[0].contains("limit of calls") && told[0].contains("stage.echo"), "{told:?}");
    assert_eq!(log.lines(&words).len(), 1);
    for _ in 0..3 {
        let status = echo(&other.with_timeout(Duration::from_millis(50)), b"y").await.expect_err("no place");
        assert!(status.message.contains("all the calls that it accepts"), "{status}");
    }
    let told = log.has(2, &words).await;
    assert!(told[1].contains("all the calls that it accepts"), "{told:?}");
    assert_eq!(log.lines(&words).len(), 2, "once for each client");
    full.gate.add_permits(1);
    assert_eq!(soon(first).await.expect("no panic"), Ok(b"first".to_vec()));
    running.finish().await;
}

#[tokio::test]
async fn a_caller_is_told_once_that_an_endpoint_hangs() {
    let log = log();
    // It says HELLO and then nothing more.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("is bound").to_string();
    let hangs = tokio::spawn(async move {
        let schema = known(ECHO);
        let method = MethodOffer {
            name: "echo".into(),
            call_id: CallId::of("stage", "echo"),
            schema: schema.fingerprint,
            wire: schema.wire,
            idempotent: true,
            streams: Streaming::default(),
        };
        let service = ServiceOffer { name: "stage".into(), version: "1".into(), methods: vec![method] };
        let (mut stream, _) = listener.accept().await.expect("accepts");
        let mut hello = Outbound::new(&Hello::new("hangs", Limits::default(), vec![service]));
        stream.write_all(&hello.chunk().to_vec()).await.expect("writes");
        std::future::pending::<()>().await;
    });
    let client = hasty(&address);
    let cx = Context::background().with_metadata("request-id", "r-hangs").expect("fits");
    for _ in 0..3 {
        let status = soon(client.call::<_, Vec<u8>>(ECHO, Some(&cx), &b"x".as_slice())).await;
        let status = status.expect_err("it hangs");
        assert_eq!((status.code, status.not_executed), (Code::DeadlineExceeded, false));
        assert!(status.message.contains(&address) && status.message.contains("stage.echo"), "{status}");
    }
    let words = ["WARN", "an endpoint has not answered a call in time", &address];
    let told = log.has(1, &words).await;
    assert!(told[0].contains("stage.echo") && told[0].contains("r-hangs"), "{told:?}");
    assert_eq!(log.lines(&words).len(), 1);
    // It answers no PING either, as a call that waits for longer finds out.
    let patient = client.with_timeout(Duration::from_secs(60));
    let waits = tokio::spawn(async move { echo(&patient, b"x").await });
    log.has(1, &["WARN", "an endpoint does not answer", &address]).await;
    waits.abort();
    hangs.abort();
}

mod earlier {
    use super::*;

    #[service]
    pub(super) trait Ledger {
        async fn sum(&self, account: String) -> Result<u32, Status>;
    }

    pub(super) struct Zero;

    impl Ledger for Zero {
        async fn sum(&self, _account: String) -> Result<u32, Status> {
            Ok(0)
        }
    }
}

mod later {
    use super::*;

    #[service]
    pub(super) trait Ledger {
        async fn sum(&self, account: u64, currency: String) -> Result<u32, Status>;
    }

    pub(super) struct Zero;

    impl Ledger for Zero {
        async fn sum(&self, _account: u64, _currency: String) -> Result<u32, Status> {
            Ok(0)
        }
    }
}

#[tokio::test]
async fn a_caller_is_told_once_that_an_endpoint_has_changed_its_schema() {
    use earlier::Ledger;
    let log = log();
    let before = run(Server::new().service(earlier::LedgerServer::new(earlier::Zero))).await;
    let address = before.address.clone();
    let ledger = earlier::LedgerClient::new(client([&address]));
    assert_eq!(soon(ledger.sum("a".into())).await, Ok(0));
    before.finish().await;
    let after = run_at(Server::new().service(later::LedgerServer::new(later::Zero)), &address).await;
    for _ in 0..3 {
        let status = soon(ledger.sum("a".into())).await.expect_err("the types do not fit");
        assert_eq!((status.code, status.not_executed), (Code::FailedPrecondition, true));
        assert!(status.message.contains(&address) && status.message.contains("/currency"), "{status}");
    }
    let words = ["WARN", "types do not fit", "ledger.sum", &address];
    let told = log.has(1, &words).await;
    assert!(told[0].contains("/currency"), "{told:?}");
    assert_eq!(log.lines(&words).len(), 1);
    after.finish().await;
}

/// Logs, and calls on.
struct Talks {
    next: Option<DeskClient>,
}

#[service]
trait Talk {
    async fn talk(&self, cx: &Context) -> Result<Option<String>, Status>;

    async fn shout(&self, cx: &Context) -> Result<(), Status>;
}

impl Talk for Talks {
    async fn talk(&self, cx: &Context) -> Result<Option<String>, Status> {
        tokio::task::yield_now().await;
        tracing::info!("the handler's own line");
        match &self.next {
            Some(next) => next.metadata(cx, "traceparent".into()).await,
            None => Ok(None),
        }
    }

    async fn shout(&self, _cx: &Context) -> Result<(), Status> {
        tokio::task::yield_now().await;
        panic!("as it was told")
    }
}

/// The value of a field in a line.
fn field(line: &str, name: &str) -> String {
    let mut fields = line.split([' ', '{', '}']).filter_map(|field| field.split_once('='));
    let (_, value) =
        fields.find(|(found, _)| *found == name).unwrap_or_else(|| panic!("no {name} in {line}"));
    value.trim_matches('"').to_owned()
}

#[tokio::test]
async fn every_line_of_a_call_says_which_request_it_belongs_to_and_traces_go_through() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let log = log();
    let last = run(crate::around::server()).await;
    let next = Client::builder().endpoint(&last.address).layer(Tracing::new()).build().expect("good");
    let talks = Talks { next: Some(DeskClient::new(next)) };
    let first = run(Server::new().service(TalkServer::new(talks)).layer(Tracing::new())).await;
    let talk = TalkClient::new(client([&first.address]));
    let cx = Context::background().with_metadata("request-id", "r-talks").expect("fits");
    let cx = cx.with_metadata("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01")).expect("fits");
    let sent = soon(talk.talk(&cx)).await.expect("succeeds").expect("a trace came");
    let own = &log.has(1, &["the handler's own line", "r-talks"]).await[0];
    assert_eq!((field(own, "method"), field(own, "trace_id")), ("talk.talk".into(), TRACE.into()));
    assert_eq!(field(own, "parent_id"), "00f067aa0ba902b7");
    assert!(field(own, "peer").starts_with("127.0.0.1:"), "{own}");
    // What the next one is sent is a child of the handler's span.
    let (trace, span) = (&sent[3..35], &sent[36..52]);
    assert_eq!(trace, TRACE);
    assert!(span != field(own, "span_id") && span != "00f067aa0ba902b7", "{sent}");
    soon(talk.shout(&cx)).await.expect_err("it panics");
    let told = log.has(1, &["ERROR", "a method panicked", "talk.shout", "r-talks"]).await;
    assert!(told[0].contains("as it was told"), "{told:?}");
    first.finish().await;
    last.finish().await;
}

#[tokio::test]
async fn a_panic_is_logged_with_its_request_without_any_layer() {
    let log = log();
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let client = client([&running.address]);
    let cx = Context::background().with_metadata("request-id", "r-panics").expect("fits");
    let failed = soon(client.call::<_, Vec<u8>>(PANIC, Some(&cx), &b"x".as_slice())).await;
    assert_eq!(failed.expect_err("it panics").code, Code::Internal);
    let told = log.has(1, &["ERROR", "a method panicked", "stage.panic", "r-panics"]).await;
    assert_eq!(told.len(), 1);
    running.finish().await;
}

#[tokio::test]
async fn a_method_that_is_late_is_logged_with_its_request() {
    let log = log();
    let (stage, _events) = stage();
    let running = run(server(&stage)).await;
    let mut peer = Peer::connect(&running.address).await;
    let mut metadata = MetadataBuf::default();
    assert!(metadata.push_named("request-id", b"r-late"));
    let payload = encode(&b"late".as_slice()).expect("encodes");
    peer.call_with(1, WAIT.call_id, Some(5), &metadata, &payload);
    peer.flush().await;
    let Heard::Failure(1, status) = peer.hear().await else { panic!("it is late") };
    assert_eq!(status.code, Code::DeadlineExceeded);
    let told = log.has(1, &["INFO", "not ready at its call's deadline", "stage.wait", "r-late"]).await;
    assert_eq!(told.len(), 1);
    peer.end().await;
    running.finish().await;
}
