//! `POST /-/why`: what would become of a request, without sending anything; or what has become of one, by the id that its client was
//! told.
//!
//! It says whether a credential is good. So it asks for the token that may change something.

use super::access_log;
use crate::config::names_help;
use crate::failure::Reason;
use crate::front::Question;
use crate::worker::Shared;
use crate::workers::Command;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// How long a question may be, in bytes: a body of a mebibyte, in base64, and a head.
pub(super) const MAX_QUESTION: usize = 1536 * 1024;

/// How long a worker may take.
const LIMIT: Duration = Duration::from_secs(15);

/// What is asked.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The id of a request that has failed.
    request_id: Option<String>,
    method: Option<String>,
    /// Path and query.
    target: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: Option<String>,
    body_base64: Option<String>,
    /// The name of the listener; the first one without.
    listener: Option<String>,
    /// The client's address.
    client: Option<IpAddr>,
}

/// The answer to a question, or why it is none.
pub(super) async fn answer(
    question: &[u8],
    shared: &Shared,
    workers: &[mpsc::Sender<Command>],
) -> Result<Value, String> {
    let asked: Asked = serde_json::from_slice(question).map_err(|error| format!("{error}\n"))?;
    if let Some(id) = &asked.request_id {
        let record = access_log::record(&shared.access_log, id);
        let none = || format!("no failure of that id is kept: `{id}` was a success, or is too long ago\n");
        return record.map(failed).ok_or_else(none);
    }
    let listener = match &asked.listener {
        None => shared.listeners.first(),
        Some(name) => shared.listeners.iter().find(|one| one.id == *name),
    };
    let Some(listener) = listener.cloned() else {
        let name = asked.listener.unwrap_or_default();
        let help = names_help(&name, shared.listeners.iter().map(|one| one.id.as_str())).unwrap_or_default();
        return Err(format!("there is no listener `{name}`; {help}\n"));
    };
    let question = Question { listener, client: asked.client, request: request(&asked)? };
    let (tell, told) = oneshot::channel();
    let Some(worker) = workers.first() else { return Err("there is no worker\n".to_owned()) };
    if worker.send(Command::Explain(question, tell)).await.is_err() {
        return Err("the gateway is about to end\n".to_owned());
    }
    match timeout(LIMIT, told).await {
        Ok(Ok(answer)) => match answer.get("error").and_then(Value::as_str) {
            Some(error) => Err(format!("{error}\n")),
            None => Ok(answer),
        },
        Ok(Err(_)) => Err("it failed inside; see the log\n".to_owned()),
        Err(_) => Err(format!("no worker has answered within {LIMIT:?}\n")),
    }
}

/// A failure, with what its reason means.
fn failed(record: Value) -> Value {
    let of_name = |name: &str| Reason::ALL.iter().find(|reason| reason.name() == name);
    let means = record["reason"].as_str().and_then(of_name).map(|reason| reason.means());
    json!({ "verdict": "failed", "record": record, "means": means })
}

/// The bytes of a request, as a client would send it by HTTP/1.1.
fn request(asked: &Asked) -> Result<Vec<u8>, String> {
    let missing = |what: &str| format!("`{what}` is missing\n");
    let method = asked.method.as_deref().ok_or_else(|| missing("method"))?;
    let target = asked.target.as_deref().ok_or_else(|| missing("target"))?;
    let body = match (&asked.body, &asked.body_base64) {
        (Some(_), Some(_)) => return Err("`body` and `body_base64` are both there\n".to_owned()),
        (Some(text), None) => text.clone().into_bytes(),
        (None, Some(text)) => STANDARD.decode(text).map_err(|error| format!("`body_base64`: {error}\n"))?,
        (None, None) => Vec::new(),
    };
    let headers = asked.headers.iter().map(|(name, value)| format!("{name}: {value}"));
    let mut lines: Vec<String> = vec![format!("{method} {target} HTTP/1.1")];
    lines.extend(headers);
    let has = |name: &str| asked.headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name));
    if !has("host") {
        lines.push("host: localhost".to_owned());
    }
    if !has("content-length") && !has("transfer-encoding") && !body.is_empty() {
        lines.push(format!("content-length: {}", body.len()));
    }
    if let Some(line) = lines.iter().find(|line| line.contains(['\r', '\n', '\0'])) {
        return Err(format!("{line:?} has the end of a line in it\n"));
    }
    Ok([format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes(), body].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(question: &str) -> Result<String, String> {
        let asked = serde_json::from_str(question).map_err(|error| error.to_string())?;
        request(&asked).map(|bytes| String::from_utf8(bytes).expect("text"))
    }

    #[test]
    fn a_question_is_a_request_as_a_client_would_send_it() {
        for (question, expected) in [
            (r#"{"method":"GET","target":"/a?b"}"#, "GET /a?b HTTP/1.1\r\nhost: localhost\r\n\r\n"),
            (
                r#"{"method":"POST","target":"/","headers":[["Host","x"],["a","b"]],"body":"{}"}"#,
                "POST / HTTP/1.1\r\nHost: x\r\na: b\r\ncontent-length: 2\r\n\r\n{}",
            ),
            (
                r#"{"method":"PUT","target":"/","headers":[["host","x"],["content-length","9"]],"body_base64":"aGk="}"#,
                "PUT / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nhi",
            ),
        ] {
            assert_eq!(made(question).as_deref(), Ok(expected));
        }
    }

    #[test]
    fn what_is_no_question_is_told_so() {
        for (question, told) in [
            (r#"{"target":"/"}"#, "`method` is missing"),
            (r#"{"method":"GET"}"#, "`target` is missing"),
            (r#"{"method":"GET","target":"/","body":"a","body_base64":"YQ=="}"#, "both"),
            (r#"{"method":"GET","target":"/","body_base64":"?"}"#, "`body_base64`"),
            (r#"{"method":"GET","target":"/","headers":[["a","b\r\nhost: c"]]}"#, "the end of a line"),
            (r#"{"method":"GET","target":"/ HTTP/1.1\r\n"}"#, "the end of a line"),
            (r#"{"metod":"GET"}"#, "unknown field"),
        ] {
            let error = made(question).expect_err(question);
            assert!(error.contains(told), "{error}");
        }
    }
}
