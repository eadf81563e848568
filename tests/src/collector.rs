//! A collector of spans as OpenTelemetry has them: an HTTP server in the test's process that reads what it is sent by a decoder of others.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// It takes everything.
    Well,
    /// It answers with that status.
    Status(u16),
    /// It reads, and never answers.
    Silent,
    /// It accepts, and never reads.
    Deaf,
}

/// A span as it was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// What its process is called.
    pub service: String,
    /// The span.
    pub span: Span,
}

/// The collector. Its server ends with it.
pub struct Collector {
    /// Where it is.
    pub url: String,
    state: Arc<Mutex<State>>,
    _serves: JoinSet<()>,
}

struct State {
    mood: Mood,
    requests: Vec<String>,
    sent: Vec<Sent>,
}

impl Collector {
    /// Starts one, on a port of its own.
    pub async fn start(mood: Mood) -> Collector {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/v1/traces", listener.local_addr().expect("an address"));
        let state = Arc::new(Mutex::new(State { mood, requests: Vec::new(), sent: Vec::new() }));
        let mut serves = JoinSet::new();
        let shared = state.clone();
        serves.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, shared.clone()));
            }
        });
        Collector { url, state, _serves: serves }
    }

    /// From now on it answers so.
    pub fn be(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// The heads of the requests that it was sent.
    pub fn requests(&self) -> Vec<String> {
        self.state().requests.clone()
    }

    /// The spans that it has taken.
    pub fn sent(&self) -> Vec<Sent> {
        self.state().sent.clone()
    }

    /// The spans of a trace, by its id.
    pub fn of_trace(&self, trace: &str) -> Vec<Sent> {
        self.sent().into_iter().filter(|sent| sent.trace() == trace).collect()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no test holds it")
    }
}

impl Sent {
    /// The id of its trace.
    pub fn trace(&self) -> String {
        hex(&self.span.trace_id)
    }

    /// Its id.
    pub fn id(&self) -> String {
        hex(&self.span.span_id)
    }

    /// The id of its parent, empty where it has none.
    pub fn parent(&self) -> String {
        hex(&self.span.parent_span_id)
    }

    /// An attribute, as text.
    pub fn attribute(&self, key: &str) -> Option<String> {
        text(&self.span.attributes, key)
    }
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|one| one.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        Value::IntValue(number) => Some(number.to_string()),
        other => Some(format!("{other:?}")),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>) {
    let mood = || state.lock().map_or(Mood::Deaf, |state| state.mood);
    if mood() == Mood::Deaf {
        return std::future::pending().await;
    }
    while let Some((head, body)) = request(&mut stream).await {
        let mood = mood();
        if let Ok(mut state) = state.lock() {
            state.requests.push(head);
            if mood == Mood::Well {
                state.sent.extend(spans(&body));
            }
        }
        let answer = match mood {
            Mood::Well => "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(),
            Mood::Status(status) => format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n"),
            Mood::Silent | Mood::Deaf => return std::future::pending().await,
        };
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The next request: its head, and its body.
async fn request(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut come = Vec::new();
    let end = loop {
        if let Some(end) = come.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        more(stream, &mut come).await?;
    };
    let head = String::from_utf8_lossy(&come[..end]).to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let length: usize = length.expect("a request says how long it is");
    while come.len() < end + length {
        more(stream, &mut come).await?;
    }
    Some((head, come[end..end + length].to_vec()))
}

async fn more(stream: &mut TcpStream, come: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 16 * 1024];
    let n = stream.read(&mut buffer).await.ok().filter(|n| *n > 0)?;
    come.extend_from_slice(&buffer[..n]);
    Some(())
}

/// The spans of a request, which must be one.
fn spans(body: &[u8]) -> Vec<Sent> {
    let request = ExportTraceServiceRequest::decode(body).expect("what is sent is protobuf");
    let of_resource = request.resource_spans.into_iter().flat_map(|all| {
        let attributes = all.resource.map(|resource| resource.attributes).unwrap_or_default();
        let service = text(&attributes, "service.name").expect("a process has a name");
        let spans = all.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.map(move |span| Sent { service: service.clone(), span }).collect::<Vec<_>>()
    });
    of_resource.collect()
}
