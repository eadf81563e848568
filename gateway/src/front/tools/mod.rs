//! What agents ask of a route with `tools`, by the Model Context Protocol: which revision is spoken, which tools there are, and a tool to be
//! called. Each request stands for itself, there are no sessions, and no message leads to another one.
//!
//! ```text
//! message   a request as it is read; revision, whether it is of a revision that is spoken, and says so in its headers
//! request   the request of a tool's route that its arguments make
//! ```
//! Requests of other methods than POST no route takes, which is what the protocol wants.

mod message;
mod request;
mod revision;

use super::called::{Called, answered};
use super::exchange::Exchange;
use super::origin;
use super::reply::Reply;
use super::rpc::{self, Ask, MODERN};
use crate::config::{BodyTypes, StreamLimits, ToolsSpec};
use crate::dry_run::Verdict;
use crate::failure::Failure;
use crate::routes::{Route, Tools};
use crate::steps::Passed;
use crate::worker::RouteRef;
use callgate_http1::Request;
use message::{Call, Initialize, List, Message, Refused};
use serde_json::{Value, json};
use std::str::from_utf8;

/// For how long clients may think that the tools are those that they know, in milliseconds.
const FRESH: u64 = 10_000;

/// Answers an agent; `None` where a request of the tool's route now stands in the place of its own.
pub(super) async fn answer(
    exchange: &mut Exchange,
    route: &RouteRef,
    tools: &Tools,
) -> Result<Option<Reply>, Failure> {
    let known = !route.matcher.hosts.listed().is_empty();
    origin::admit_strictly(&exchange.head, tools.spec.origins.as_ref(), known)?;
    let limits = StreamLimits::default();
    exchange.body.read(&exchange.head, &exchange.worker.shared, (&BodyTypes::Json, &limits)).await?;
    let asked = match asked(exchange, route, tools) {
        Ok(Asked::Call(asked)) => asked,
        Ok(Asked::Reply(reply)) => return Ok(Some(reply)),
        Err(refused) => return Ok(Some(answered(refused.status(), refused.body()))),
    };
    begin(exchange, route, asked).map(|()| None)
}

/// What is asked.
enum Asked {
    /// Something that has an answer already.
    Reply(Reply),
    /// A tool.
    Call(AskedCall),
}

/// A tool that is to be called.
struct AskedCall {
    ask: Ask,
    name: String,
    wraps: Option<bool>,
    /// The place of its route.
    at: usize,
    /// The request that its arguments make, or why they make none.
    made: Result<request::Made, Failure>,
}

fn asked(exchange: &Exchange, route: &RouteRef, tools: &Tools) -> Result<Asked, Refused> {
    let (head, spec) = (&exchange.head, &tools.spec);
    let message = Message::read(exchange.body.bytes(head))?;
    let Some(id) = message.id else {
        revision::of_notification(head, &message)?;
        return Ok(Asked::Reply(Reply::empty(202)));
    };
    let is_modern = revision::of(head, &message)?;
    let ask = Ask { id: id.into(), is_modern, progress: message.progress.map(Into::into) };
    let result = |members: String| Ok(Asked::Reply(answered(200, ask.result(&members))));
    match (message.method.as_str(), is_modern) {
        ("server/discover", true) => result(discovered(spec)),
        ("initialize", false) => {
            let version = message.params::<Initialize>()?.version;
            result(members(&json!({
                "protocolVersion": revision::agreed(&version), "capabilities": { "tools": {} },
                "serverInfo": server(spec), "instructions": spec.instructions,
            })))
        }
        ("ping", false) => result(String::new()),
        ("tools/list", _) => {
            if message.params::<List>()?.cursor.is_some() {
                return Err(message
                    .refuse(rpc::INVALID_PARAMS, "There is no such cursor: all tools are on one page."));
            }
            let Some(published) = tools.published.load_full() else {
                return Err(message.refuse(rpc::INTERNAL, "The tools are not known yet. Try again."));
            };
            // It was made of JSON.
            let list = from_utf8(&published.list).unwrap_or("[]");
            let fresh = if is_modern { cached() } else { String::new() };
            result(format!("{fresh}\"tools\":{list}"))
        }
        ("tools/call", _) => {
            let call = message.params::<Call<'_>>()?;
            let table = route.table();
            let at = table.tool(&call.name).filter(|at| route.shows(&table.routes[*at], spec.all));
            let Some(at) = at else {
                let shown: String = call.name.chars().take(64).collect();
                return Err(message.refuse(rpc::INVALID_PARAMS, &format!("Unknown tool: {shown}")));
            };
            let arguments = message.arguments(call.arguments)?;
            let made = request::made(head, &table.routes[at], arguments);
            let published = tools.published.load();
            let wraps = published.as_ref().and_then(|list| list.wraps.get(&call.name).copied());
            Ok(Asked::Call(AskedCall { ask, name: call.name, wraps, at, made }))
        }
        (method, _) => {
            let shown: String = method.chars().take(64).collect();
            Err(message.refuse(rpc::NO_METHOD, &format!("Method not found: {shown}")))
        }
    }
}

/// The request that a message of an agent makes of a tool whose route is that: its head and its body. This is for those who try what messages
/// may do.
pub fn request_of(agent: &Request, route: &Route, message: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let message = Message::read(message).ok()?;
    let call = message.params::<Call<'_>>().ok()?;
    let arguments = message.arguments(call.arguments).ok()?;
    let made = request::made(agent, route, arguments).ok()?;
    Some((made.head, made.body))
}

/// Puts the request of a tool's route into the place of the agent's.
fn begin(exchange: &mut Exchange, route: &RouteRef, asked: AskedCall) -> Result<(), Failure> {
    let AskedCall { ask, name, wraps, at, made } = asked;
    let told = exchange.told().cloned();
    let passed = match &told {
        None => Passed::default(),
        Some(told) => {
            told.note("tool", Verdict::Passed, name.clone());
            Passed::dry_run(told.clone())
        }
    };
    let passed = std::mem::replace(&mut exchange.guards.passed, passed);
    let called = Called { head: None, route: route.clone(), passed, tool: name.into(), wraps, ask };
    exchange.guards.called = Some(Box::new(called));
    exchange.tally.counts_for(Some(route.other(at)));
    let request::Made { head: text, body } = made?;
    let open = &exchange.on_connection.connection().open;
    let mut head = open.pool.empty_request();
    head.buffer().extend_from_slice(&text);
    if !head.parse(&open.limits).map_err(Failure::Refused)? {
        return Err(Failure::Internal("the request of a tool's route has no end".to_owned()));
    }
    let own = std::mem::replace(&mut exchange.head, head);
    exchange.body.replace(body);
    if let Some(called) = &mut exchange.guards.called {
        called.head = Some(own);
    }
    exchange.tally.counts_for(None);
    Ok(())
}

/// What the server is, for clients of the revision in which there is no beginning.
fn discovered(spec: &ToolsSpec) -> String {
    let all: Vec<&str> = [MODERN].into_iter().chain(rpc::LEGACY).collect();
    let said = json!({
        "supportedVersions": all, "capabilities": { "tools": {} }, "serverInfo": server(spec),
        "_meta": { "io.modelcontextprotocol/serverInfo": server(spec) }, "instructions": spec.instructions,
    });
    format!("{}{}", cached(), members(&said))
}

/// What is said of how long an answer holds. What one caller sees is not shown to another, who may not come.
fn cached() -> String {
    format!("\"ttlMs\":{FRESH},\"cacheScope\":\"private\",")
}

fn server(spec: &ToolsSpec) -> Value {
    json!({ "name": spec.name, "version": env!("CARGO_PKG_VERSION") })
}

/// What stands between the braces of an object, without members that are null.
fn members(object: &Value) -> String {
    let mut object = object.as_object().cloned().unwrap_or_default();
    object.retain(|_, value| !value.is_null());
    let text = Value::Object(object).to_string();
    text[1..text.len() - 1].to_owned()
}
