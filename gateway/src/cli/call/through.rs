//! A call through a gateway: the route of the tables that calls the method says what its request is. Fields that the path names go
//! there; the others into the body, or, where the route's method has none, into the query.

use super::session::within;
use super::{Call, Input, output};
use crate::call::Piece;
use crate::cli::Failure;
use crate::config::{CallRef, CallSpec, HttpTarget, HttpUrl, RouteSpec, Tables};
use crate::http_client::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use crate::http_client::{Begun, HeaderMap, Method, Request, begin};
use bytes::Bytes;
use callgate_transcode::Body;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt::Write;

/// Items, one on each line.
const LINES: &str = "application/x-ndjson";

/// What the items of a caller may have together, in bytes: they are sent once all are there.
const MAX_ITEMS: usize = 64 << 20;

/// The fields of a call, each as it was given.
type Fields<'a> = BTreeMap<String, Field<'a>>;

/// The value of a field.
#[derive(Clone, Copy)]
enum Field<'a> {
    Json(&'a RawValue),
    Text(&'a str),
}

/// Makes the call, and prints what comes of it.
pub(super) fn run(url: &str, name: &CallRef, input: &Input, call: &Call) -> Result<(), Failure> {
    let tables = crate::cli::load(&call.config.file)?;
    let (route, spec) = route(&tables, name)?;
    let mut fields = fields(input)?;
    let target = path(route, &mut fields)?;
    let method = route.matcher.method.to_string();
    let method: Method =
        method.parse().map_err(|_| Failure::NotAsked(format!("no request is a {method}")))?;
    let has_body = !matches!(method, Method::GET | Method::HEAD | Method::DELETE | Method::OPTIONS);
    let (body, query) = if spec.body.stream() {
        (items(input, call)?, query(&fields)?)
    } else if has_body {
        body(spec, fields)?
    } else {
        (Bytes::new(), query(&fields)?)
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
fn fields(input: &Input) -> Result<Fields<'_>, Failure> {
    let mut all = Fields::new();
    if !input.json.is_empty() {
        let object: BTreeMap<String, &RawValue> = serde_json::from_slice(&input.json)
            .map_err(|error| Failure::Failed(format!("the arguments are no JSON object: {error}")))?;
        all.extend(object.into_iter().map(|(name, value)| (name, Field::Json(value))));
    }
    all.extend(input.fields.iter().map(|(name, value)| (name.clone(), Field::Text(value))));
    Ok(all)
}

/// The path with what its parameters are, which are no fields of the rest then.
fn path(route: &RouteSpec, fields: &mut Fields<'_>) -> Result<String, Failure> {
    let template = &route.matcher.path;
    let mut path = template.as_str().to_owned();
    for name in template.params() {
        let Some(value) = fields.remove(name) else {
            return Err(Failure::Failed(format!(
                "`/{name}`: missing, and the path {} names it",
                template.as_str()
            )));
        };
        let keeps = if template.has_tail() { "/" } else { "" };
        let value = encoded(&text(name, value)?, keeps);
        for form in [format!("{{{name}}}"), format!("{{*{name}}}")] {
            path = path.replace(&form, &value);
        }
    }
    Ok(path)
}

/// The fields as a query.
fn query(fields: &Fields<'_>) -> Result<String, Failure> {
    let mut pairs = Vec::new();
    for (name, value) in fields {
        let list = match value {
            Field::Json(raw) if raw.get().starts_with('[') => {
                let items: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
                items.into_iter().map(|item| text(name, Field::Json(item))).collect::<Result<_, _>>()?
            }
            Field::Json(raw) if raw.get() == "null" => Vec::new(),
            value => vec![text(name, *value)?],
        };
        pairs.extend(list.iter().map(|value| format!("{}={}", encoded(name, ""), encoded(value, ""))));
    }
    Ok(pairs.join("&"))
}

/// The fields as a body, and those given one by one as a query.
fn body(spec: &CallSpec, fields: Fields<'_>) -> Result<(Bytes, String), Failure> {
    let (texts, mut json): (Fields<'_>, Fields<'_>) =
        fields.into_iter().partition(|(_, value)| matches!(value, Field::Text(_)));
    let raw = match &spec.request.body {
        Body::Whole | Body::None => {
            let object: BTreeMap<&str, &RawValue> = json
                .iter()
                .filter_map(|(name, value)| match value {
                    Field::Json(raw) => Some((name.as_str(), *raw)),
                    Field::Text(_) => None,
                })
                .collect();
            if object.is_empty() { String::new() } else { serde_json::to_string(&object).unwrap_or_default() }
        }
        Body::Field(name) => {
            let body = json.remove(name);
            let rest = query(&json)?;
            let texts = query(&texts)?;
            let joined: Vec<String> = [rest, texts].into_iter().filter(|part| !part.is_empty()).collect();
            let body = match body {
                Some(Field::Json(raw)) => raw.get().to_owned(),
                _ => String::new(),
            };
            return Ok((body.into(), joined.join("&")));
        }
        Body::Raw(_) | Body::RawItems => {
            let why = "the route's body is bytes as they are: send it with curl --data-binary".to_owned();
            return Err(Failure::NotAsked(why));
        }
    };
    Ok((raw.into(), query(&texts)?))
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

/// A value as the text of a path or a query.
fn text(name: &str, value: Field<'_>) -> Result<String, Failure> {
    match value {
        Field::Text(text) => Ok(text.to_owned()),
        Field::Json(raw) if raw.get().starts_with('"') => {
            serde_json::from_str(raw.get()).map_err(|error| Failure::Failed(format!("`/{name}`: {error}")))
        }
        Field::Json(raw) if raw.get().starts_with(['{', '[']) => Err(Failure::Failed(format!(
            "`/{name}`: the route takes it in the path or the query, which hold no objects and lists of lists"
        ))),
        Field::Json(raw) => Ok(raw.get().to_owned()),
    }
}

/// Percent-encoded, but for what may stand as it is, and those of `keeps`.
fn encoded(text: &str, keeps: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        let c = char::from(byte);
        if byte.is_ascii_alphanumeric() || "-._~".contains(c) || (byte.is_ascii() && keeps.contains(c)) {
            out.push(c);
        } else {
            // Writing to memory does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Source;

    fn asked(table: &str, arguments: &[&str]) -> (String, Bytes, String) {
        let text = format!("[backends.a]\nendpoints = ['x:1']\n[[routes]]\ncall = 'a.b'\n{table}");
        let tables = Tables::parse(vec![Source::new("t.toml", text)]).unwrap();
        let (route, spec) = route(&tables, &"a.b".parse().unwrap()).unwrap();
        let arguments: Vec<String> = arguments.iter().map(|&text| text.to_owned()).collect();
        let input = Input::new(&arguments, &[]).unwrap();
        let mut fields = fields(&input).unwrap();
        let path = path(route, &mut fields).unwrap();
        let (body, query) = match route.matcher.method.to_string().as_str() {
            "GET" => (Bytes::new(), query(&fields).unwrap()),
            _ => body(spec, fields).unwrap(),
        };
        (path, body, query)
    }

    #[test]
    fn fields_go_where_the_route_has_them() {
        let all = "{\"id\":\"a/b\",\"n\":18446744073709551615,\"list\":[1,2],\"none\":null}";
        let (path, body, query) = asked("match = 'GET /x/{id}'", &[all, "more=ü"]);
        assert_eq!((&*path, &*body), ("/x/a%2Fb", &b""[..]));
        assert_eq!(query, "list=1&list=2&more=%C3%BC&n=18446744073709551615");
        let (path, body, query) = asked("match = 'POST /x/{id}'", &[all, "more=1"]);
        assert_eq!((&*path, &*query), ("/x/a%2Fb", "more=1"));
        assert_eq!(body, "{\"list\":[1,2],\"n\":18446744073709551615,\"none\":null}");
        let (_, body, query) = asked("match = 'POST /x'\nbody = 'list'", &["{\"list\":[1,2],\"n\":7}"]);
        assert_eq!((&*body, &*query), (&b"[1,2]"[..], "n=7"));
    }
}
