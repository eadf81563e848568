//! Arguments by name, and the request that a route has for them: what the path names goes there, the others into the body, or, where the
//! route's method has none or says so, into the query. `callgate call` asks a gateway so, and so do agents that call tools.

use crate::config::{CallSpec, PathTemplate};
use callgate_transcode::{Body, FieldSource, Violation, ViolationKind};
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::fmt::Write;

/// The arguments of a call.
#[derive(Default)]
pub struct Arguments<'a>(BTreeMap<String, Argument<'a>>);

/// The value of one, as it was given.
#[derive(Clone, Copy)]
pub enum Argument<'a> {
    /// JSON.
    Json(&'a RawValue),
    /// A text, as it stands in a query.
    Text(&'a str),
}

impl<'a> Arguments<'a> {
    /// Adds one, in the place of one of that name.
    pub fn put(&mut self, name: String, value: Argument<'a>) {
        self.0.insert(name, value);
    }

    /// Whether there is one of that name.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The path with what its parameters are, which are no arguments of the rest then.
    ///
    /// # Errors
    /// One is missing, or no text.
    pub fn take_path(&mut self, template: &PathTemplate) -> Result<String, Violation> {
        let mut path = template.as_str().to_owned();
        for name in template.params() {
            let named = format!("and the path {} names it", template.as_str());
            let Some(value) = self.0.remove(name) else {
                return Err(unfit(name, ViolationKind::MissingField, format!("missing, {named}")));
            };
            let value = text(name, value)?;
            if value.is_empty() {
                return Err(unfit(name, ViolationKind::InvalidValue, format!("empty, {named}")));
            }
            path = path.replace(&format!("{{{name}}}"), &encoded(&value, ""));
            path = path.replace(&format!("{{*{name}}}"), &encoded(&value, "/"));
        }
        Ok(path)
    }

    /// All of them as a query of a request of that route.
    ///
    /// # Errors
    /// One is no text, and no list of texts.
    pub fn query(&self, spec: &CallSpec) -> Result<String, Violation> {
        let mut pairs = Vec::new();
        for (name, value) in &self.0 {
            let mut list = texts(name, *value)?;
            if let Some(split) = split(spec, name) {
                let joined = list.join(split.encode_utf8(&mut [0; 4]));
                list = if list.is_empty() { Vec::new() } else { vec![joined] };
            }
            pairs.extend(list.iter().map(|value| format!("{}={}", encoded(name, ""), encoded(value, ""))));
        }
        Ok(pairs.join("&"))
    }

    /// The body of a request of that route, empty where there is none, and its query: what is given as text, and what the route takes from
    /// there. `None` where the body is bytes as they are.
    ///
    /// # Errors
    /// One that belongs into the query is no text.
    pub fn body_and_query(self, spec: &CallSpec) -> Result<Option<(String, String)>, Violation> {
        let place = &spec.request.body;
        let is_of_body = |name: &str| match place {
            Body::Whole => !spec.binds_query(name),
            Body::Field(field) => field == name,
            Body::None | Body::Raw(_) | Body::RawItems => false,
        };
        let (mut body, mut rest) = (Vec::new(), Arguments::default());
        for (name, value) in self.0 {
            match value {
                Argument::Json(raw) if is_of_body(&name) => body.push((name, raw)),
                value => rest.put(name, value),
            }
        }
        let body = match place {
            Body::Whole if !body.is_empty() => object(&body),
            Body::Field(_) => body.pop().map(|(_, raw)| raw.get().to_owned()).unwrap_or_default(),
            Body::Whole | Body::None => String::new(),
            Body::Raw(_) | Body::RawItems => return Ok(None),
        };
        Ok(Some((body, rest.query(spec)?)))
    }
}

fn object(members: &[(String, &RawValue)]) -> String {
    let members: BTreeMap<&str, &RawValue> =
        members.iter().map(|(name, raw)| (name.as_str(), *raw)).collect();
    // It is text and JSON.
    serde_json::to_string(&members).unwrap_or_default()
}

/// What stands between the items of a list that the query has as one text.
fn split(spec: &CallSpec, name: &str) -> Option<char> {
    let is_it = |source: &FieldSource| matches!(source, FieldSource::Query(own) if own == name);
    spec.request.bound.iter().find(|bound| is_it(&bound.source))?.split
}

/// The texts that a value is in a query: none of `null`, those of a list.
fn texts(name: &str, value: Argument<'_>) -> Result<Vec<String>, Violation> {
    match value {
        Argument::Json(raw) if raw.get().starts_with('[') => {
            let items: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
            items.into_iter().map(|item| text(name, Argument::Json(item))).collect()
        }
        Argument::Json(raw) if raw.get() == "null" => Ok(Vec::new()),
        value => Ok(vec![text(name, value)?]),
    }
}

/// A value as the text of a path or a query.
fn text(name: &str, value: Argument<'_>) -> Result<String, Violation> {
    match value {
        Argument::Text(text) => Ok(text.to_owned()),
        Argument::Json(raw) if raw.get().starts_with('"') => serde_json::from_str(raw.get())
            .map_err(|error| unfit(name, ViolationKind::InvalidValue, error.to_string())),
        Argument::Json(raw) if raw.get().starts_with(['{', '[']) => {
            let why = "the route takes it in the path or the query, which hold no objects and lists of lists";
            Err(unfit(name, ViolationKind::WrongType, why.to_owned()))
        }
        Argument::Json(raw) => Ok(raw.get().to_owned()),
    }
}

fn unfit(name: &str, kind: ViolationKind, detail: String) -> Violation {
    let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
    Violation { pointer, kind, detail, line: None, column: None }
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
    use crate::config::{Source, Tables};

    /// The path, the body and the query of a route's request, or where an argument does not fit.
    fn asked(table: &str, json: &str, texts: &[(&str, &str)]) -> Result<[String; 3], String> {
        let text = format!("[backends.a]\nendpoints = ['x:1']\n[[routes]]\ncall = 'a.b'\n{table}");
        let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
        let route = &tables.routes[0];
        let spec = route.action.call().expect("it calls");
        let all: BTreeMap<String, &RawValue> = serde_json::from_str(json).expect("an object");
        let mut arguments = Arguments::default();
        all.into_iter().for_each(|(name, raw)| arguments.put(name, Argument::Json(raw)));
        texts.iter().for_each(|(name, text)| {
            arguments.put((*name).to_owned(), Argument::Text(text));
        });
        let place = |violation: Violation| format!("{} {}", violation.pointer, violation.detail);
        let path = arguments.take_path(&route.matcher.path).map_err(place)?;
        let (body, query) = arguments.body_and_query(spec).map_err(place)?.expect("it has JSON");
        Ok([path, body, query])
    }

    #[test]
    fn arguments_go_where_the_route_has_them() {
        let all = r#"{"id":"a/b","n":18446744073709551615,"list":[1,2],"none":null}"#;
        let id = r#"{"id":"a/b?","n":7,"list":["a,b",2]}"#;
        for (table, json, texts, expected) in [
            (
                "match = 'GET /x/{id}'\nbody = false",
                all,
                &[("more", "ü")][..],
                ["/x/a%2Fb", "", "list=1&list=2&more=%C3%BC&n=18446744073709551615"],
            ),
            (
                "match = 'POST /x/{id}'",
                all,
                &[("more", "1")],
                ["/x/a%2Fb", r#"{"list":[1,2],"n":18446744073709551615,"none":null}"#, "more=1"],
            ),
            ("match = 'POST /x'\nbody = 'list'", r#"{"list":[1,2],"n":7}"#, &[], ["/x", "[1,2]", "n=7"]),
            ("match = 'POST /x'", "{}", &[], ["/x", "", ""]),
            ("match = 'POST /{a}/{*id}'", r#"{"a":"b/c","id":"d/e f"}"#, &[], ["/b%2Fc/d/e%20f", "", ""]),
            ("match = 'POST /x/{id}.json'", r#"{"id":1.50}"#, &[], ["/x/1.50.json", "", ""]),
            (
                "match = 'POST /x/{id}'\nbind = { tags = { query = 'list', split = ',' } }",
                id,
                &[],
                ["/x/a%2Fb%3F", "{\"n\":7}", "list=a%2Cb%2C2"],
            ),
        ] {
            assert_eq!(asked(table, json, texts), Ok(expected.map(str::to_owned)), "{table}");
        }
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_name() {
        for (table, json, expected) in [
            ("match = 'GET /x/{id}'", "{}", "/id missing, and the path /x/{id} names it"),
            ("match = 'GET /x/{id}'", r#"{"id":""}"#, "/id empty, and the path /x/{id} names it"),
            (
                "match = 'GET /x/{id}'",
                r#"{"id":{}}"#,
                "/id the route takes it in the path or the query, which hold no objects and lists of lists",
            ),
            (
                "match = 'GET /x'\nbody = false",
                r#"{"a/b":[[1]]}"#,
                "/a~1b the route takes it in the path or the query, which hold no objects and lists of lists",
            ),
        ] {
            assert_eq!(asked(table, json, &[]), Err(expected.to_owned()), "{json}");
        }
    }
}
