//! A call of a tool by an agent: while it runs, a request of the tool's own route stands in the place of the agent's, and passes all that such
//! requests pass. Here are kept what the agent's request was, and what its answer becomes.
//!
//! There is no second way to decide: whatever a route asks of its requests, it asks of those that are made here.

use super::reply::{Content, Reply};
use super::rpc::{self, Ask, Given, MAX_RESULT};
use crate::steps::Passed;
use crate::worker::RouteRef;
use callgate_http1::Request;
use serde_json::Value;
use serde_json::value::RawValue;
use std::str::from_utf8;

/// The line of what is JSON.
const JSON: &[u8] = b"content-type: application/json\r\n";

/// A tool that an agent has called.
pub(super) struct Called {
    /// The agent's own request, while that of the tool's route is in its place.
    pub(super) head: Option<Box<Request>>,
    /// The route that shows the tool.
    pub(super) route: RouteRef,
    /// What the agent's request has passed there.
    #[expect(dead_code, reason = "its places are held until the answer was sent")]
    pub(super) passed: Passed,
    /// The tool's name.
    pub(super) tool: Box<str>,
    /// Its results are members of an object. `None`: where they are none.
    pub(super) wraps: Option<bool>,
    /// What of the request its answer needs.
    pub(super) ask: Ask,
}

impl Called {
    /// Whether a route is the tool's.
    pub(super) fn is(&self, route: &RouteRef) -> bool {
        let tool = route.action.call().and_then(|call| call.spec.tool.as_ref());
        tool.is_some_and(|tool| *tool.name == *self.tool)
    }

    /// The answer to the agent, of the reply of the tool's route. `has_failed`: it is a problem.
    pub(super) fn answer(&self, reply: Reply, has_failed: bool) -> Reply {
        let Reply { status, lines, content, guards, .. } = reply;
        // A client that has to show who it is learns that by HTTP.
        if matches!(status, 401 | 403) && has_challenge(&lines) {
            let problem: Value = serde_json::from_slice(content.whole()).unwrap_or_default();
            let message = rpc::told(content.whole());
            let body = rpc::error(Some(&self.ask.id), status.into(), &message, Some(problem));
            return Reply { lines, ..answered(status, body) };
        }
        match content {
            Content::Begun(mut begun) => {
                begun.answers(self.ask.clone());
                let mut reply = Reply { content: Content::Begun(begun), ..Reply::empty(200) };
                for (name, value) in [
                    ("content-type", "text/event-stream"),
                    ("cache-control", "no-cache"),
                    ("x-accel-buffering", "no"),
                ] {
                    reply.field(name, value);
                }
                reply
            }
            content => {
                let reply = answered(200, self.whole(&content, (status, has_failed)));
                Reply { guards, ..reply }
            }
        }
    }

    /// The answer, of a reply that is whole.
    fn whole(&self, content: &Content, (status, has_failed): (u16, bool)) -> Vec<u8> {
        let length = content.length().unwrap_or(u64::MAX);
        if length > MAX_RESULT as u64 {
            let text = format!(
                "Result too long: it has {length} bytes, and a tool's result has {MAX_RESULT} at most. Ask for less."
            );
            return self.ask.tool(&Given::Error { text: &text, before: None, problem: None });
        }
        let bytes = content.gathered();
        let Ok(text) = from_utf8(&bytes) else {
            let text = "The result is no text.";
            return self.ask.tool(&Given::Error { text, before: None, problem: None });
        };
        if has_failed {
            let told = rpc::told(text.as_bytes());
            return self.ask.tool(&Given::Error { text: &told, before: None, problem: Some(text) });
        }
        if status >= 400 {
            let told = format!("{}: {text}", callgate_http1::phrase(status));
            return self.ask.tool(&Given::Error { text: &told, before: None, problem: None });
        }
        if serde_json::from_str::<&RawValue>(text).is_err() {
            return self.ask.tool(&Given::Text(text));
        }
        let is_object = text.trim_start().starts_with('{');
        if self.wraps.unwrap_or(!is_object) {
            return self.ask.tool(&Given::Object(&format!("{{\"result\":{text}}}")));
        }
        self.ask.tool(&Given::Object(text))
    }
}

/// Whether the lines of a head say how a client can show who it is.
fn has_challenge(lines: &[u8]) -> bool {
    let mut has = false;
    super::reply::each_field(lines, |name, _| has |= name == b"www-authenticate");
    has
}

/// A message as a reply of that status.
pub(super) fn answered(status: u16, message: Vec<u8>) -> Reply {
    Reply { prepared: JSON, content: Content::Full(message), ..Reply::empty(status) }
}
