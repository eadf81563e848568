//! `callgate why`: asks a running gateway what would become of a request, without sending it, or what has become of one.
//!
//! Its words for a request are curl's. What is told is the gateway's own answer, in lines or as JSON.

use super::admin::AdminPort;
use super::failure::Failure;
use super::json::{self, Output};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use serde_json::{Value, json};
use std::fmt::Write;
use std::net::IpAddr;

pub(super) const EXAMPLES: &str = "\
Examples:
  callgate why GET /v1/orders/7
  callgate why POST /v1/orders/7/quote -d @body.json -H 'authorization: Bearer ...'
  callgate why --client 192.0.2.7 --listener public GET /v1/orders/7
  callgate why 9e588077266fd68ce8a0308a485aae61";

/// The longest body that is read, in bytes.
const MOST_READ: u64 = 1024 * 1024;

/// What is asked.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// The method of a request; or the id of one that has failed
    #[arg(value_name = "METHOD|ID")]
    pub what: String,
    /// Its path and query, or its URL
    #[arg(value_name = "PATH")]
    pub target: Option<String>,
    /// A header, such as 'authorization: Bearer ...'; may be given several times
    #[arg(short = 'H', long = "header", value_name = "LINE", requires = "target")]
    pub headers: Vec<String>,
    /// The body; @FILE is what is in that file, @- standard input. It is JSON where no header says otherwise
    #[arg(short = 'd', long = "data", value_name = "BODY", requires = "target", allow_hyphen_values = true)]
    pub data: Option<String>,
    /// A name and a password
    #[arg(short = 'u', long = "user", value_name = "NAME:PASSWORD", requires = "target")]
    pub user: Option<String>,
    /// Which listener it comes by; the first one without
    #[arg(long, value_name = "NAME", requires = "target")]
    pub listener: Option<String>,
    /// The address of its client
    #[arg(long, value_name = "ADDRESS", requires = "target")]
    pub client: Option<IpAddr>,
    /// Whom to ask
    #[command(flatten)]
    pub admin: AdminPort,
    /// How it is said: as JSON it is the gateway's answer
    #[command(flatten)]
    pub output: Output,
}

/// What is printed, and whether the request would be sent.
pub(super) fn run(why: &Why) -> Result<(String, bool), Failure> {
    let answer = why.admin.ask("/-/why", &question(why).map_err(Failure::NotAsked)?)?;
    let verdict = answer["verdict"].as_str().unwrap_or_default();
    if verdict == "not_asked" && !why.output.json {
        return Err(Failure::NotAsked(format!("not known without asking somebody\n{}", shown(&answer))));
    }
    let text = if why.output.json { json::text(&answer) } else { shown(&answer) };
    Ok((text, matches!(verdict, "sent" | "answered")))
}

fn question(why: &Why) -> Result<Value, String> {
    let Some(target) = &why.target else { return Ok(json!({ "request_id": why.what })) };
    let header = |line: &String| {
        let (name, value) =
            line.split_once(':').ok_or_else(|| format!("`{line}` is no header: expected `name: value`"))?;
        Ok::<_, String>((name.trim().to_owned(), value.trim().to_owned()))
    };
    let mut headers = why.headers.iter().map(header).collect::<Result<Vec<_>, _>>()?;
    let has = |headers: &[(String, String)], name: &str| {
        headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
    };
    let (host, target) = match target.split_once("://") {
        Some((_, rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (Some(host), if path.is_empty() { "/" } else { path })
        }
        None => (None, target.as_str()),
    };
    if let Some(host) = host
        && !has(&headers, "host")
    {
        headers.push(("host".to_owned(), host.to_owned()));
    }
    if let Some(user) = &why.user {
        headers.push(("authorization".to_owned(), format!("Basic {}", STANDARD.encode(user))));
    }
    let body = why.data.as_deref().map(body).transpose()?;
    if body.is_some() && !has(&headers, "content-type") {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    Ok(json!({
        "method": why.what,
        "target": target,
        "headers": headers,
        "body_base64": body.map(|body| STANDARD.encode(body)),
        "listener": why.listener,
        "client": why.client,
    }))
}

fn body(data: &str) -> Result<Vec<u8>, String> {
    use std::io::Read;
    let Some(file) = data.strip_prefix('@') else { return Ok(data.as_bytes().to_vec()) };
    let mut bytes = Vec::new();
    let most = MOST_READ + 1;
    let read = match file {
        "-" => std::io::stdin().lock().take(most).read_to_end(&mut bytes),
        file => std::fs::File::open(file).and_then(|open| open.take(most).read_to_end(&mut bytes)),
    };
    read.map_err(|error| format!("{file}: {error}"))?;
    if bytes.len() as u64 > MOST_READ {
        return Err(format!("{file}: it has more than {MOST_READ} bytes"));
    }
    Ok(bytes)
}

/// An answer, for people: what it comes to first, and then what each thing has said.
fn shown(answer: &Value) -> String {
    let mut out = String::new();
    let text = |of: &Value| of.as_str().map_or_else(|| of.to_string(), str::to_owned);
    let refusal = || format!("{} {}", answer["status"], text(&answer["reason"]));
    // Writing to memory does not fail.
    let _ = match answer["verdict"].as_str().unwrap_or_default() {
        "sent" => write!(out, "would be sent to {}", text(&answer["sent_to"])),
        "answered" => write!(out, "would be answered by the gateway itself: {}", answer["status"]),
        "refused" => write!(out, "would be refused: {}", refusal()),
        "may_be_refused" => {
            write!(out, "may be refused: {}; or sent to {}", refusal(), text(&answer["sent_to"]))
        }
        "failed" => return failed(&answer["record"], &answer["means"]),
        other => write!(out, "{other}"),
    };
    let problem = &answer["problem"];
    if let Some(detail) = problem["detail"].as_str() {
        let _ = write!(out, "\n  {detail}");
    }
    for error in problem["errors"].as_array().into_iter().flatten() {
        let _ = write!(out, "\n  {}: {}", text(&error["pointer"]), text(&error["detail"]));
    }
    if let Some(route) = answer["route"].as_object() {
        let _ = write!(out, "\nroute: {} ({})", text(&route["match"]), text(&route["defined"]));
        if let Some(call) = route["call"].as_str() {
            let _ = write!(out, ", calls {call}");
        }
    }
    for step in answer["steps"].as_array().into_iter().flatten().filter(|step| step["step"] != "route") {
        let (name, verdict, detail) = (text(&step["step"]), text(&step["verdict"]), text(&step["detail"]));
        let colon = if detail.is_empty() { "" } else { ": " };
        let _ = write!(out, "\n  {name} {}{colon}{detail}", verdict.replace('_', " "));
    }
    for one in answer["instances"].as_array().into_iter().flatten() {
        let version = one["version"].as_str().map(|version| format!(" {version}")).unwrap_or_default();
        let _ =
            write!(out, "\n  instance {}{version} of {}: ", text(&one["endpoint"]), text(&one["backend"]));
        let _ = match one["why_not"].as_str() {
            None => write!(out, "could take it"),
            Some(why) => write!(out, "{why}"),
        };
        if let Some(misfit) = one["request_misfits"].as_str() {
            let _ = write!(out, ", but the request does not fit: {misfit}");
        }
    }
    out
}

/// What has become of a request.
fn failed(record: &Value, means: &Value) -> String {
    let text = |name: &str| record[name].as_str().map(str::to_owned);
    let mut out = format!("failed: {}", record["status"]);
    if let Some(reason) = text("reason") {
        let _ = write!(out, " {reason}");
    }
    if let Some(means) = means.as_str() {
        let _ = write!(out, "\n  {means} See docs/errors.md#reasons.");
    }
    if let Some(why) = text("why") {
        let _ = write!(out, "\n  why: {why}");
    }
    let asked = [text("method"), text("path")].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let _ = write!(out, "\nasked: {asked} at {}", text("time").unwrap_or_default());
    if let Some(client) = text("client") {
        let _ = write!(out, ", by {client}");
    }
    if let Some(identity) = text("identity") {
        let _ = write!(out, ", who is `{identity}` of `{}`", text("auth").unwrap_or_default());
    }
    if let Some(route) = text("route") {
        let _ = write!(out, "\nroute: {route}");
    }
    if let Some(call) = text("call") {
        let backend = text("backend").map(|backend| format!(" of {backend}")).unwrap_or_default();
        let _ = write!(out, ", calls {call}{backend}");
    }
    if let Some(target) = text("target") {
        let _ = write!(out, ", by target {target} ({})", text("target_by").unwrap_or_default());
    }
    for (name, what) in
        [("limits", "limits"), ("would_limit", "limits that only count"), ("waited_for", "waited for")]
    {
        if let Some(text) = text(name) {
            let _ = write!(out, "\n{what}: {text}");
        }
    }
    let _ = write!(
        out,
        "\ntook: {} ms, to the head of the answer {} ms",
        record["duration_ms"], record["head_ms"]
    );
    for (n, one) in record["tries"].as_array().into_iter().flatten().enumerate() {
        let end = one["end"].as_str().unwrap_or_default();
        let took = one["ms"].as_f64().map(|ms| format!(" within {ms} ms")).unwrap_or_default();
        let at = one["endpoint"].as_str().unwrap_or_default();
        let _ = write!(
            out,
            "\n  attempt {}: sent to {at} after {} ms, ended as {end}{took}",
            n + 1,
            one["at_ms"]
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        why: Why,
    }

    fn asked(arguments: &[&str]) -> Result<Value, String> {
        let line = Line::try_parse_from([&["why"], arguments].concat()).map_err(|error| error.to_string())?;
        question(&line.why)
    }

    #[test]
    fn a_request_is_said_in_the_words_of_curl() {
        let question =
            asked(&["POST", "http://shop.example/a?b=1", "-H", "X-A: 1:2", "-d", "{}", "-u", "ada:x"]);
        let expected = json!({
            "method": "POST", "target": "/a?b=1",
            "headers": [["X-A", "1:2"], ["host", "shop.example"], ["authorization", "Basic YWRhOng="], ["content-type", "application/json"]],
            "body_base64": "e30=", "listener": null, "client": null,
        });
        assert_eq!(question, Ok(expected));
        assert_eq!(asked(&["9e588077"]), Ok(json!({ "request_id": "9e588077" })));
        assert!(asked(&["GET", "/", "-H", "no header"]).is_err_and(|error| error.contains("no header")));
        assert!(asked(&["9e588077", "-d", "x"]).is_err(), "a body of what is no request");
        assert!(
            asked(&["POST", "/", "-d", "@/nowhere/body"]).is_err_and(|error| error.contains("/nowhere/body"))
        );
    }

    #[test]
    fn what_would_happen_is_the_first_line() {
        let refused = json!({
            "verdict": "refused", "status": 400, "reason": "wrong_type",
            "problem": { "detail": "the request does not fit", "errors": [{ "pointer": "/a", "detail": "no number" }] },
            "route": { "match": "POST /a", "defined": "t.toml:1:1", "call": "s.m" },
            "steps": [{ "step": "rate_limits", "verdict": "passed", "detail": "" }],
            "instances": [{ "backend": "b", "endpoint": "h:1", "version": "2", "why_not": "it is being drained", "request_misfits": null }],
        });
        let expected = "would be refused: 400 wrong_type\n  the request does not fit\n  /a: no number\n\
                        route: POST /a (t.toml:1:1), calls s.m\n  rate_limits passed\n  instance h:1 2 of b: it is being drained";
        assert_eq!(shown(&refused), expected);
        let sent = json!({ "verdict": "sent", "sent_to": "`s.m` of b: h:1" });
        assert_eq!(shown(&sent), "would be sent to `s.m` of b: h:1");
    }

    #[test]
    fn a_failure_is_told_with_its_attempts() {
        let record = json!({
            "time": "2026-11-30T09:25:07.184Z", "method": "GET", "path": "/a", "route": "/{x}", "status": 503,
            "reason": "lost", "call": "s.m", "backend": "b", "head_ms": 2.5, "duration_ms": 3.0,
            "tries": [{ "endpoint": "h:1", "at_ms": 0.1, "ms": 2.0, "end": "lost" }],
        });
        let told =
            shown(&json!({ "verdict": "failed", "record": record, "means": "The connection was lost." }));
        assert!(told.starts_with("failed: 503 lost\n  The connection was lost."), "{told}");
        assert!(told.ends_with("attempt 1: sent to h:1 after 0.1 ms, ended as lost within 2 ms"), "{told}");
    }
}
