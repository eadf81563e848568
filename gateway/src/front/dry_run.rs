//! A request of an operator who asks what would become of it: it goes the way of all requests, from the bytes of its head on, as a
//! [dry run](crate::dry_run), and ends before its call is sent.
//!
//! It comes by a connection of its own to one of the listeners, which nobody has made: over a socket without another end, whose bytes
//! are all there.

use super::body::RequestBody;
use super::connection::{Connection, OpenConnections};
use super::exchange::Exchange;
use super::handler::decide;
use super::peer::TlsPeer;
use super::problem;
use super::reply::Reply;
use super::wire::Wire;
use crate::dry_run::{DryRun, Verdict};
use crate::failure::Failure;
use crate::host::without_port;
use crate::stream::AsyncStream;
use crate::worker::{Listener, Worker};
use callgate_http1::Request;
use serde_json::{Map, Value, json};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// How long it may take to decide.
const TIME: Duration = Duration::from_secs(10);

/// What is asked.
pub struct Question {
    /// By which listener it comes.
    pub listener: Arc<Listener>,
    /// From where, if that is said.
    pub client: Option<IpAddr>,
    /// All of it: head and body, as by HTTP/1.1.
    pub request: Vec<u8>,
}

/// What would become of a request, for programs.
pub(super) async fn explain(worker: &Rc<Worker>, open: &Rc<OpenConnections>, question: Question) -> Value {
    let Question { listener, client, request } = question;
    let told = Rc::new(DryRun::default());
    let found = format!("`{}` ({})", listener.id, listener.address);
    let speaks_tls = listener.tls.is_some();
    told.note("listener", Verdict::Passed, if speaks_tls { format!("{found}, as by TLS") } else { found });
    // The other end stays until the answer is there.
    let (near, _far) = match UnixStream::pair() {
        Ok(pair) => pair,
        Err(error) => return json!({ "error": format!("no socket for it: {error}") }),
    };
    let connection = Listed(Connection::register(open, listener, client, None));
    let decided = decided(worker, &connection.0, near, &request, &told);
    let mut answer = match timeout(TIME, decided).await {
        Ok(answer) => answer,
        Err(_) => return json!({ "error": format!("not decided within {TIME:?}") }),
    };
    answer.insert("steps".to_owned(), told.steps());
    answer.insert("instances".to_owned(), told.instances());
    answer.insert("worker".to_owned(), worker.id.into());
    Value::Object(answer)
}

/// A connection on the books, until this is dropped.
struct Listed(Rc<Connection>);

impl Drop for Listed {
    fn drop(&mut self) {
        self.0.strike();
    }
}

async fn decided(
    worker: &Rc<Worker>,
    connection: &Rc<Connection>,
    socket: UnixStream,
    request: &[u8],
    told: &Rc<DryRun>,
) -> Map<String, Value> {
    let mut head = connection.open.pool.empty_request();
    head.buffer().extend_from_slice(request);
    let parsed = match head.parse(&connection.open.limits) {
        Ok(true) => Ok(()),
        Ok(false) => return object(json!({ "error": "its head has no end" })),
        Err(refusal) => Err(Failure::Refused(refusal)),
    };
    told.note_result("head", parsed.as_ref().copied(), "");
    if let Err(failure) = parsed {
        let types = &worker.shared.settings.server.error_types;
        let reply = problem::with_status(&failure, failure.status(), types, "");
        return refused("refused", &failure, &reply);
    }
    let _ = speak_tls(worker, connection, &head);
    let wire = Rc::new(Wire::new(AsyncStream::Unix(socket), connection.clone()));
    let body = RequestBody::of_wire(wire, &head, &connection.open.limits);
    let mut exchange = Exchange::dry_run(worker, connection, (head, body), told.clone());
    let result = decide(&mut exchange).await;
    let mut answer = verdict(&exchange, result, told);
    if let Some(route) = exchange.tally.met() {
        let call = route.action.call().map(|action| action.spec.call.to_string());
        let found = json!({
            "match": route.matcher.to_string(), "name": route.matcher.name(),
            "defined": route.place.to_string(), "call": call,
        });
        answer.insert("route".to_owned(), found);
    }
    exchange.finish();
    answer
}

/// What it comes to.
fn verdict(exchange: &Exchange, result: Result<Reply, Failure>, told: &DryRun) -> Map<String, Value> {
    let problem = |failure: &Failure| exchange.problem(failure, exchange.tally.status(failure));
    match result {
        Err(failure) => refused("refused", &failure, &problem(&failure)),
        Ok(_) if told.ends_open() => object(json!({ "verdict": "not_asked" })),
        Ok(reply) => match (told.sent_to(), told.take_or_else()) {
            (Some(to), None) => object(json!({ "verdict": "sent", "sent_to": to })),
            (Some(to), Some(failure)) => {
                let mut answer = refused("may_be_refused", &failure, &problem(&failure));
                answer.insert("sent_to".to_owned(), to.into());
                answer
            }
            (None, _) => object(json!({ "verdict": "answered", "status": reply.status })),
        },
    }
}

fn refused(verdict: &str, failure: &Failure, reply: &Reply) -> Map<String, Value> {
    let lines = String::from_utf8_lossy(&reply.lines).into_owned();
    let headers: Map<String, Value> = lines
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    let problem: Value = serde_json::from_slice(reply.content.whole()).unwrap_or_default();
    object(json!({
        "verdict": verdict,
        "status": reply.status,
        "reason": failure.reason().name(),
        "why": failure.why(),
        "headers": headers,
        "problem": problem,
    }))
}

/// On a listener with TLS it comes as from a client that has asked for the host that it names, and has shown no certificate.
fn speak_tls(worker: &Worker, connection: &Connection, head: &Request) -> Option<()> {
    connection.listener.tls.as_ref()?;
    let name = without_port(head.host()?);
    let certificate = worker.shared.certificates.find(Some(name))?;
    let peer = TlsPeer::new(Some(name.to_owned()), certificate, None, "1.3");
    // It is new: there is nothing there yet.
    connection.tls.set(Box::new(peer)).ok()
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        _ => Map::new(),
    }
}
