//! Spans of calls, sent to a collector of OpenTelemetry by OTLP over HTTP.
//!
//! How spans are written and when they are sent, the crate `callgate-otlp` says, as for the gateway. Here is what a call's span says, and the
//! task that sends them.

mod post;

use super::{Call, Outcome, Side, dropped};
use callgate_otlp::{Course, Kind, Resource, Span, Spans, export};
use callgate_protocol::{Code, Traceparent};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

/// How long [`Otlp::finish`] waits for the last spans.
const LAST: Duration = Duration::from_secs(3);

/// Where spans of calls are sent; for [`Tracing::otlp`](super::Tracing::otlp).
///
/// Spans go into a queue that is bounded, and from there to the collector by a task. A collector that is away or takes nothing costs spans,
/// and never time. A trace that came sampled is sampled, one that did not is not; of those that begin here
/// [`sample`](OtlpBuilder::sample) says how many are.
///
/// ```no_run
/// use callgate_sdk::layer::{Otlp, Tracing};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let otlp = Otlp::to("http://127.0.0.1:4318/v1/traces").service("checkout").start()?;
/// let server = callgate_sdk::Server::new().layer(Tracing::new().otlp(&otlp));
/// let client = callgate_sdk::Client::builder().layer(Tracing::new().otlp(&otlp));
/// // … serve, and then:
/// otlp.finish().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Otlp(Arc<Shared>);

struct Shared {
    spans: Arc<Spans>,
    sample: f64,
    ends: watch::Sender<bool>,
    task: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

/// Settings of an [`Otlp`].
#[derive(Clone)]
pub struct OtlpBuilder {
    endpoint: String,
    service: String,
    sample: f64,
    headers: Vec<(String, String)>,
}

/// Why spans cannot be sent there. The words are for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadCollector(String);

impl Otlp {
    /// They are sent to that URL of a collector, such as `http://127.0.0.1:4318/v1/traces`. TLS is not spoken: a collector stands beside
    /// the service, and sends them on.
    pub fn to(endpoint: &str) -> OtlpBuilder {
        OtlpBuilder {
            endpoint: endpoint.to_owned(),
            service: "unknown_service".to_owned(),
            sample: 1.0,
            headers: Vec::new(),
        }
    }

    /// Has what is left sent, and waits for that, at most three seconds. Later spans are not sent.
    pub async fn finish(&self) {
        self.0.ends.send_replace(true);
        if let Some(task) = self.0.task.lock().await.take() {
            // What is not sent then is lost.
            let _ = timeout(LAST, task).await;
        }
    }

    /// Whether a trace that begins is sampled.
    pub(super) fn samples(&self) -> bool {
        fastrand::f64() < self.0.sample
    }
}

impl OtlpBuilder {
    /// What the program is called (`service.name`).
    #[must_use]
    pub fn service(mut self, name: &str) -> OtlpBuilder {
        self.service = name.to_owned();
        self
    }

    /// Which part of the traces that begin here is sampled, from 0 to 1. By default all are.
    #[must_use]
    pub fn sample(mut self, part: f64) -> OtlpBuilder {
        self.sample = part;
        self
    }

    /// A header of the requests to the collector.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> OtlpBuilder {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Starts the task that sends. Must be called on a runtime of tokio.
    ///
    /// # Errors
    /// The URL is none of HTTP in the clear, or a header cannot be sent.
    pub fn start(self) -> Result<Otlp, BadCollector> {
        let bad = |why: &dyn fmt::Display| BadCollector(format!("`{}`: {why}", self.endpoint));
        let uri: Uri = self.endpoint.parse().map_err(|error| bad(&error))?;
        if uri.scheme_str() != Some("http") || uri.host().is_none() {
            return Err(bad(&"a URL that begins with http:// is expected"));
        }
        let mut fields = HeaderMap::new();
        for (name, value) in &self.headers {
            let name: HeaderName = name.parse().map_err(|error| bad(&error))?;
            fields.insert(name, HeaderValue::from_str(value).map_err(|error| bad(&error))?);
        }
        let (spans, rings) = Spans::new();
        let spans = Arc::new(spans);
        let (ends, told) = watch::channel(false);
        let attributes = [("service.name", self.service.as_str())];
        let resource = Resource::new(attributes, ("callgate-sdk", env!("CARGO_PKG_VERSION")));
        let collector = Arc::new(post::Collector { uri, fields });
        let (sent, mut course) = (spans.clone(), Course::new(rings, told));
        let task = tokio::spawn(async move {
            let post = |body| {
                let collector = collector.clone();
                async move { collector.post(body).await }
            };
            export(&sent, &resource, &mut course, post).await;
        });
        let task = tokio::sync::Mutex::new(Some(task));
        Ok(Otlp(Arc::new(Shared { spans, sample: self.sample, ends, task })))
    }
}

impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Otlp").field("stats", self.0.spans.stats()).finish_non_exhaustive()
    }
}

impl fmt::Display for BadCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "spans cannot be sent to {}", self.0)
    }
}

impl std::error::Error for BadCollector {}

/// The span of a call that is under way. It ends with the call, also where that is dropped.
pub(super) struct Open {
    otlp: Otlp,
    span: Option<Span>,
    side: Side,
    began: (SystemTime, Instant),
    deadline: Option<std::time::Instant>,
}

impl Open {
    pub(super) fn begin(otlp: &Otlp, call: &Call, own: Traceparent, parent: Option<Traceparent>) -> Open {
        let (side, method) = (call.side(), format!("{}/{}", call.service(), call.method()));
        let kind = if side == Side::Server { Kind::Server } else { Kind::Client };
        let parent = parent.map_or(0, |parent| parent.span);
        let mut span = Span::new(own.trace, own.span, parent, kind, &method);
        let began = (SystemTime::now(), Instant::now());
        span.began(began.0).flags(parent != 0 && side == Side::Server);
        span.state(call.context().metadata("tracestate").unwrap_or_default());
        span.text("rpc.system.name", "callgate").text("rpc.method", &method);
        span.maybe("callgate.request_id", call.context().metadata("request-id"));
        if side == Side::Server {
            span.maybe("client.address", call.context().peer().map(|peer| peer.address()));
        }
        Open { otlp: otlp.clone(), span: Some(span), side, began, deadline: call.context().deadline() }
    }

    pub(super) fn end(mut self, outcome: &Outcome) {
        self.ends(outcome.as_ref().err().map(|status| status.code));
    }

    fn ends(&mut self, code: Option<Code>) {
        let Some(mut span) = self.span.take() else { return };
        let name = code.map_or("ok", |code| code.name());
        span.text("rpc.response.status_code", name);
        if code.is_some_and(|code| is_failure(self.side, code)) {
            span.text("error.type", name).failed("");
        }
        let mut written = Vec::with_capacity(512);
        span.end(self.began.0 + self.began.1.elapsed(), &mut written);
        self.otlp.0.spans.put(written, 1);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.ends(Some(dropped(self.deadline)));
    }
}

/// Whether a code is a failure of that side: what its caller has done wrong is none of a server's.
fn is_failure(side: Side, code: Code) -> bool {
    let of_server = matches!(
        code,
        Code::Unknown
            | Code::DeadlineExceeded
            | Code::Unimplemented
            | Code::Internal
            | Code::Unavailable
            | Code::DataLoss
    );
    side == Side::Client || of_server
}

#[cfg(test)]
mod tests {
    use super::super::Tracing;
    use super::super::testing::{QUOTE, next, of};
    use super::*;
    use crate::Context;
    use std::future::{Future, pending};
    use std::task::{Context as TaskContext, Waker};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// What a collector is sent, which takes one request.
    async fn sent(listener: TcpListener) -> String {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let (mut come, mut buffer) = (Vec::new(), [0; 4096]);
        while !String::from_utf8_lossy(&come).contains("rpc.response.status_code") {
            let n = stream.read(&mut buffer).await.expect("it sends");
            come.extend_from_slice(&buffer[..n]);
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await.expect("it reads");
        String::from_utf8_lossy(&come).into_owned()
    }

    #[tokio::test]
    async fn the_span_of_a_call_that_is_dropped_says_whether_its_time_was_up() {
        let late = Context::background().with_timeout(Duration::ZERO);
        for (context, code, is_failure) in
            [(Context::background(), "cancelled", false), (late, "deadline_exceeded", true)]
        {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let url = format!("http://{}/v1/traces", listener.local_addr().expect("an address"));
            let otlp = Otlp::to(&url).start().expect("a URL");
            let layer = Tracing::new().otlp(&otlp);
            let mut call = Box::pin(next(layer, |_| pending()).run(of(&QUOTE, Side::Server, context)));
            assert!(call.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())).is_pending());
            drop(call);
            let (text, ()) = tokio::join!(sent(listener), otlp.finish());
            assert!(text.contains(code), "{code}");
            assert_eq!(text.contains("error.type"), is_failure, "{code}");
        }
    }
}
