//! A call through a gateway: the route of the tables that calls the method says what its request is. Fields that the path names go
//! there; the others into the body, or, where the route's method has none, into the query.

use super::session::within;
use super::{Call, Input, output};
use crate::call::Piece;
use crate::cli::Failure;
use crate::config::{CallRef, CallSpec, HttpTarget, HttpUrl, RouteSpec, Tables};
use crate::http_client::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use crate::http_client::{Begun, HeaderMap, Method, Request, begin};
use crate::routes::{Argument, Arguments};
use bytes::Bytes;
use callgate_transcode::Violation;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// Items, one on each line.
const LINES: &str = "application/x-ndjson";

/// What the items of a caller may have together, in bytes: they are sent once all are there.
const MAX_ITEMS: usize = 64 << 20;

/// Makes the call, and prints what comes of it.
pub(super) fn run(url: &str, name: &CallRef, input: &Input, call: &Call) -> Result<(), Failure> {
    let tables = crate::cli::load(&call.config.file)?;
    let (route, spec) = route(&tables, name)?;
    let mut fields = fields(input)?;
    let target = fields.take_path(&route.matcher.path).map_err(unfit)?;
    let method = route.matcher.method.to_string();
    let method: Method =
        method.parse().map_err(|_| Failure::NotAsked(format!("no request is a {method}")))?;
    let has_body = !matches!(method, Method::GET | Method::HEAD | Method::DELETE | Method::OPTIONS);
    let (body, query) = if spec.body.stream() {
        (items(input, call)?, fields.query(spec).map_err(unfit)?)
    } else if has_body {
        body(spec, fields)?
    } else {
        (Bytes::new(), fields.query(spec).map_err(unfit)?)
    };
    let stream = spec.body.stream();
    let target = if query.is_empty() { target } else { format!("{target}?{query}") };
    let request = Request { fields: headers(input, stream, !body.is_empty())?, method, body };
    let base = url.trim_end_matches('/');
    let url = HttpUrl::parse(&format!("{base}{target}"))
        .map_err(|why| Failure::NotAsked(format!("{base}: {why}")))?;
    let tls = HttpTarget { url: url.clone(), ca: call.ways.ca.clone() }.tls().map_err(Failure::NotAsked)?;
    if call.verbose {
        output::aside('>', &format!("{} {url}", request.method));
        request.fields.iter().for_each(|(name, value)| {
            output::aside('>', &format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
        });
    }
    within(async {
        let began = tokio::time::Instant::now();
        let reply = begin(&url, tls, request, call.timeout).await;
        let mut reply = reply.map_err(|failed| Failure::NotAsked(format!("{base}: {failed}")))?;
        if call.verbose {
            output::aside('<', &format!("{}, after {:.1?}", reply.status, began.elapsed()));
            reply.fields.iter().for_each(|(name, value)| {
                output::aside('<', &format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())));
            });
        }
        print(&mut reply, call).await
    })
}

/// Prints the reply as it comes, a problem where it is one.
async fn print(reply: &mut Begun, call: &Call) -> Result<(), Failure> {
    let has_failed = reply.status >= 400;
    let (mut problem, mut last) = (Vec::new(), b'\n');
    loop {
        let bytes = reply.bytes().await.map_err(|failed| Failure::Failed(failed.to_string()))?;
        let Some(bytes) = bytes else { break };
        last = bytes.last().copied().unwrap_or(last);
        if has_failed {
            problem.extend_from_slice(&bytes);
        } else if !output::raw(&bytes) {
            return Ok(());
        }
    }
    if !has_failed {
        if last != b'\n' {
            output::raw(b"\n");
        }
        return Ok(());
    }
    let text = String::from_utf8_lossy(&problem).into_owned();
    if call.output.json {
        return Err(Failure::Problem(text));
    }
    Err(Failure::Failed(output::told(reply.status, &text)))
}

/// The first route that calls the method.
fn route<'t>(tables: &'t Tables, name: &CallRef) -> Result<(&'t RouteSpec, &'t CallSpec), Failure> {
    let calls = tables.routes.iter().filter_map(|route| Some((route, &**route.action.call()?)));
    let found = calls.into_iter().find(|(_, spec)| spec.call.call_id() == name.call_id());
    found.ok_or_else(|| Failure::NotAsked(format!("no route of the tables calls `{name}`")))
}

/// The fields that are given as JSON, and those that are given one by one.
fn fields(input: &Input) -> Result<Arguments<'_>, Failure> {
    let mut all = Arguments::default();
    if !input.json.is_empty() {
        let object: BTreeMap<String, &RawValue> = serde_json::from_slice(&input.json)
            .map_err(|error| Failure::Failed(format!("the arguments are no JSON object: {error}")))?;
        object.into_iter().for_each(|(name, value)| all.put(name, Argument::Json(value)));
    }
    input.fields.iter().for_each(|(name, value)| all.put(name.clone(), Argument::Text(value)));
    Ok(all)
}

/// The fields as a body, and what stands in the query.
fn body(spec: &CallSpec, fields: Arguments<'_>) -> Result<(Bytes, String), Failure> {
    let asked = fields.body_and_query(spec).map_err(unfit)?;
    let (body, query) = asked.ok_or_else(|| {
        let why = "the route's body is bytes as they are: send it with curl --data-binary";
        Failure::NotAsked(why.to_owned())
    })?;
    Ok((body.into(), query))
}

fn unfit(violation: Violation) -> Failure {
    Failure::Failed(violation.to_string())
}

/// All items of the caller, one on each line.
fn items(input: &Input, call: &Call) -> Result<Bytes, Failure> {
    let mut receiver = input.items(&call.items)?;
    let mut lines = Vec::new();
    loop {
        match receiver.blocking_recv().map(Piece::from) {
            Some(Piece::Item(item)) => {
                lines.extend_from_slice(&item);
                lines.push(b'\n');
            }
            Some(Piece::End) => return Ok(lines.into()),
            Some(Piece::Failed(failure)) => return Err(output::failure(&failure, call.output.json)),
            None => return Err(Failure::NotAsked("the items have broken off".to_owned())),
        }
        if lines.len() > MAX_ITEMS {
            let why = format!(
                "through a gateway, items have {MAX_ITEMS} bytes at most: call the instance, or use curl -T -"
            );
            return Err(Failure::NotAsked(why));
        }
    }
}

fn headers(input: &Input, stream: bool, has_body: bool) -> Result<HeaderMap, Failure> {
    let mut fields = HeaderMap::new();
    fields
        .insert(ACCEPT, HeaderValue::from_static("application/x-ndjson, application/json;q=0.9, */*;q=0.1"));
    if has_body || stream {
        let kind = if stream { LINES } else { "application/json" };
        fields.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    for (name, value) in &input.headers {
        let wrong = |why: String| Failure::NotAsked(format!("`{name}` is no header: {why}"));
        let name: HeaderName = name.parse().map_err(|_| wrong("its name cannot be one".to_owned()))?;
        let value = HeaderValue::from_str(value).map_err(|error| wrong(error.to_string()))?;
        fields.insert(name, value);
    }
    Ok(fields)
}
