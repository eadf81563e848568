//! Messages by which agents are answered: JSON-RPC 2.0 as the Model Context Protocol has it, in both of its eras.
//!
//! Since 2026-07-28 each request says by itself which revision it is of, and its result that it is whole. Before that a client began with
//! `initialize`. What a tool gives is the same in both.

use serde_json::{Value, json};
use std::fmt::Write;

/// The revision in which each request stands for itself.
pub(super) const MODERN: &str = "2026-07-28";
/// Those in which clients begin with `initialize`, the latest first.
pub(super) const LEGACY: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// The request is no JSON.
pub(super) const PARSE: i32 = -32700;
/// It is JSON, and no request.
pub(super) const INVALID_REQUEST: i32 = -32600;
/// Nobody has that method.
pub(super) const NO_METHOD: i32 = -32601;
/// The method has no such parameters.
pub(super) const INVALID_PARAMS: i32 = -32602;
/// Nothing is wrong with the request.
pub(super) const INTERNAL: i32 = -32603;
/// The headers do not say what the body says.
pub(super) const HEADER_MISMATCH: i32 = -32020;
/// The revision is not spoken.
pub(super) const UNSUPPORTED_VERSION: i32 = -32022;

/// The most bytes of a tool's result: agents read all of it.
pub(super) const MAX_RESULT: usize = 1 << 20;

/// What of a request its answer needs.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// Its id, as JSON.
    pub(super) id: Box<str>,
    /// It is of the revision in which requests stand for themselves.
    pub(super) is_modern: bool,
    /// By what its client knows what it is told meanwhile, as JSON; nothing where it wants to know nothing.
    pub(super) progress: Option<Box<str>>,
}

/// What a tool gives.
pub(super) enum Given<'a> {
    /// A result, as JSON: an object.
    Object(&'a str),
    /// A text, if it says something.
    Text(&'a str),
    /// An error that whoever has called can act on: what is to be read, what came before it, and the problem as JSON.
    Error { text: &'a str, before: Option<&'a str>, problem: Option<&'a str> },
}

impl Ask {
    /// A result, whose members these are: JSON between the braces of an object.
    pub(super) fn result(&self, members: &str) -> Vec<u8> {
        let own = if self.is_modern { "\"resultType\":\"complete\"" } else { "" };
        let comma = if own.is_empty() || members.is_empty() { "" } else { "," };
        format!("{{\"jsonrpc\":\"2.0\",\"id\":{},\"result\":{{{own}{comma}{members}}}}}", self.id)
            .into_bytes()
    }

    /// What a tool has given.
    pub(super) fn tool(&self, given: &Given<'_>) -> Vec<u8> {
        let mut members = String::new();
        // Writing to memory does not fail.
        let _ = match given {
            Given::Object(json) => write!(
                members,
                "\"content\":[{}],\"structuredContent\":{json},\"isError\":false",
                content(json)
            ),
            Given::Text("") => write!(members, "\"content\":[],\"isError\":false"),
            Given::Text(text) => write!(members, "\"content\":[{}],\"isError\":false", content(text)),
            Given::Error { text, before, problem } => {
                let before = before.map(|before| format!("{},", content(before))).unwrap_or_default();
                let problem = problem
                    .map(|json| format!(",\"_meta\":{{\"callgate/problem\":{json}}}"))
                    .unwrap_or_default();
                write!(members, "\"content\":[{before}{}],\"isError\":true{problem}", content(text))
            }
        };
        self.result(&members)
    }

    /// Puts the news that another item has come, the `count`th, as an event. Nothing where nobody wants to know.
    pub(super) fn put_progress(&self, count: u64, item: &str, out: &mut Vec<u8>) {
        let Some(token) = &self.progress else { return };
        let message = Value::from(item);
        let event = format!(
            "event: message\ndata: {{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":\
             {{\"progressToken\":{token},\"progress\":{count},\"message\":{message}}}}}\n\n"
        );
        out.extend_from_slice(event.as_bytes());
    }
}

/// Puts an answer as an event.
pub(super) fn put_event(answer: &[u8], out: &mut Vec<u8>) {
    for part in [b"event: message\ndata: ", answer, b"\n\n"] {
        out.extend_from_slice(part);
    }
}

/// An error, of a request of that id if it has one that could be read.
pub(super) fn error(id: Option<&str>, code: i32, message: &str, data: Option<Value>) -> Vec<u8> {
    let mut error = json!({ "code": code, "message": message });
    if let Some(data) = data {
        error["data"] = data;
    }
    let id = id.unwrap_or("null");
    format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{error}}}").into_bytes()
}

/// A text as an item of content.
fn content(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}

/// A problem as a sentence for whoever has called, with each place that is wrong on a line of its own.
pub(super) fn told(problem: &[u8]) -> String {
    let problem: Value = serde_json::from_slice(problem).unwrap_or_default();
    let text = |name: &str| problem[name].as_str().unwrap_or_default();
    let mut told = format!("{}: {}", text("title"), text("detail"));
    for entry in problem["errors"].as_array().into_iter().flatten() {
        let (pointer, detail) = (entry["pointer"].as_str(), entry["detail"].as_str());
        let pointer = pointer.filter(|pointer| !pointer.is_empty()).unwrap_or("the arguments");
        let _ = write!(told, "\n`{pointer}`: {}", detail.unwrap_or_default());
    }
    if let Some(details) = problem.get("details") {
        let _ = write!(told, "\n{details}");
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(is_modern: bool, progress: Option<&str>) -> Ask {
        Ask { id: "\"a\"".into(), is_modern, progress: progress.map(Into::into) }
    }

    fn json(bytes: &[u8]) -> Value {
        serde_json::from_slice(bytes).expect("it is JSON")
    }

    #[test]
    fn what_a_tool_gives_is_there_for_programs_and_for_readers() {
        let object = r#"{"a":"\"\n"}"#;
        for (given, expected) in [
            (
                Given::Object(object),
                json!({ "content": [{ "type": "text", "text": object }], "structuredContent": { "a": "\"\n" }, "isError": false }),
            ),
            (Given::Text(""), json!({ "content": [], "isError": false })),
            (
                Given::Text("a\"b"),
                json!({ "content": [{ "type": "text", "text": "a\"b" }], "isError": false }),
            ),
            (
                Given::Error { text: "no", before: Some("[1]"), problem: Some("{\"status\":400}") },
                json!({
                    "content": [{ "type": "text", "text": "[1]" }, { "type": "text", "text": "no" }],
                    "isError": true, "_meta": { "callgate/problem": { "status": 400 } },
                }),
            ),
        ] {
            let mut modern = expected.clone();
            modern["resultType"] = "complete".into();
            for (is_modern, result) in [(false, expected), (true, modern)] {
                let answer = json(&ask(is_modern, None).tool(&given));
                assert_eq!(answer, json!({ "jsonrpc": "2.0", "id": "a", "result": result }));
            }
        }
        assert_eq!(
            ask(true, None).result(""),
            br#"{"jsonrpc":"2.0","id":"a","result":{"resultType":"complete"}}"#
        );
        assert_eq!(ask(false, None).result(""), br#"{"jsonrpc":"2.0","id":"a","result":{}}"#);
    }

    #[test]
    fn progress_is_told_to_whoever_wants_to_know_it() {
        let mut out = Vec::new();
        ask(true, None).put_progress(1, "1", &mut out);
        assert!(out.is_empty());
        ask(true, Some("7")).put_progress(2, "{\"a\":1}", &mut out);
        let text = String::from_utf8(out).expect("text");
        let data = text.strip_prefix("event: message\ndata: ").and_then(|rest| rest.strip_suffix("\n\n"));
        let told = json(data.expect("an event").as_bytes());
        assert_eq!(told["params"], json!({ "progressToken": 7, "progress": 2, "message": "{\"a\":1}" }));
    }

    #[test]
    fn a_problem_is_told_with_each_place_that_is_wrong() {
        let problem = json!({
            "title": "Bad Request", "detail": "the request has 2 errors", "details": { "left": 1 },
            "errors": [{ "pointer": "/a", "detail": "missing" }, { "pointer": "", "detail": "no object" }],
        });
        assert_eq!(
            told(problem.to_string().as_bytes()),
            "Bad Request: the request has 2 errors\n`/a`: missing\n`the arguments`: no object\n{\"left\":1}"
        );
    }

    #[test]
    fn an_error_has_an_id_or_says_that_it_has_none() {
        let no_method = error(Some("7"), NO_METHOD, "no", Some(json!([1])));
        assert_eq!(json(&no_method)["error"], json!({ "code": -32601, "message": "no", "data": [1] }));
        assert_eq!(json(&error(None, PARSE, "no", None))["id"], Value::Null);
    }
}
