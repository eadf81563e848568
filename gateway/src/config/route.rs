//! A route's declaration: which requests it takes, which method they call, and how the two are bound.

use super::diagnostics::{Diagnostic, nearest};
use super::path::{self, PathTemplate};
use super::reader::{Complaint, Item, Reader, Section};
use super::source::{Place, Source};
use callgate_protocol::CallId;
use callgate_transcode::{Body, Int64, RequestBinding, Response, ResponseBinding, UnknownFields};
use std::fmt;
use std::ops::{Range, RangeInclusive};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;
use toml::de::{DeTable, DeValue};

const KEYS: &[&str] = &[
    "match",
    "call",
    "backend",
    "timeout",
    "body",
    "response",
    "unknown_fields",
    "int64",
];
const TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(24 * 3600);

/// A checked route. Two are equal when they do the same, wherever they are written.
#[derive(Clone, Debug)]
pub struct RouteSpec {
    /// The requests' method. A `GET` route also answers `HEAD`.
    pub method: Method,
    /// The requests' path.
    pub path: PathTemplate,
    /// The method that is called.
    pub call: CallRef,
    /// The name of the backend that is called; there is one of that name.
    pub backend: String,
    /// How long a call may take, retries included; 1 ms to 24 h, by default 10 s.
    pub timeout: Duration,
    /// How the request becomes the method's fields.
    pub request: RequestBinding,
    /// How the method's result becomes the answer.
    pub response: ResponseBinding,
    /// Where it is written.
    pub place: Place,
}

impl PartialEq for RouteSpec {
    fn eq(&self, other: &Self) -> bool {
        // Taken apart, so that a new field cannot be forgotten; a route that only moved in its file is unchanged.
        let RouteSpec {
            method,
            path,
            call,
            backend,
            timeout,
            request,
            response,
            place: _,
        } = self;
        (method, path, call, backend) == (&other.method, &other.path, &other.call, &other.backend)
            && (timeout, request, response) == (&other.timeout, &other.request, &other.response)
    }
}

impl Eq for RouteSpec {}

/// The methods that routes are made for. `HEAD` and `OPTIONS` the gateway answers by itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
}

impl Method {
    /// All of them; the index of each is its number as `usize`.
    pub const ALL: [Method; 5] = [
        Method::Get,
        Method::Post,
        Method::Put,
        Method::Patch,
        Method::Delete,
    ];

    /// As HTTP writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }

    fn parse(text: &str) -> Result<Method, Complaint> {
        let at = 0..text.len();
        text.parse().map_err(|UnknownMethod| match text {
            "HEAD" => Complaint::new("`HEAD` needs no route", "answered by the GET route of the path")
                .within(at)
                .help("remove it; write a GET route if there is none"),
            "OPTIONS" => Complaint::new("`OPTIONS` needs no route", "answered by the gateway itself")
                .within(at)
                .help("remove it"),
            _ => {
                let complaint = Complaint::new(
                    format!("unknown method `{text}`"),
                    "expected GET, POST, PUT, PATCH or DELETE",
                );
                match nearest(text, Method::ALL.map(Method::as_str)) {
                    Some(name) => complaint.within(at).help(format!("did you mean `{name}`?")),
                    None => complaint.within(at),
                }
            }
        })
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Not one of [`Method::ALL`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UnknownMethod;

impl FromStr for Method {
    type Err = UnknownMethod;

    /// Exactly as HTTP writes it: methods are case-sensitive (RFC 9110, section 9.1).
    fn from_str(text: &str) -> Result<Method, UnknownMethod> {
        Method::ALL
            .into_iter()
            .find(|method| method.as_str() == text)
            .ok_or(UnknownMethod)
    }
}

/// How a route names the method it calls.
#[derive(Clone, PartialEq, Eq, Debug, Hash, PartialOrd, Ord)]
pub enum CallRef {
    /// By name; its Call ID is the name's hash.
    Name {
        /// The service.
        service: String,
        /// The service's method.
        method: String,
    },
    /// By number, for a method whose Call ID is pinned by hand.
    Number(CallId),
}

impl CallRef {
    /// The number on the wire.
    pub fn call_id(&self) -> CallId {
        match self {
            CallRef::Name { service, method } => CallId::of(service, method),
            CallRef::Number(id) => *id,
        }
    }

    fn parse(text: &str) -> Result<CallRef, Complaint> {
        let complaint = Complaint::new(
            format!("`{text}` names no method"),
            "expected `service.method`, or a number such as `0x1234abcd`",
        );
        if let Some(hex) = text.strip_prefix("0x") {
            let digits = hex.bytes().all(|byte| byte.is_ascii_hexdigit());
            let number = if digits {
                u32::from_str_radix(hex, 16).ok()
            } else {
                None
            };
            return number
                .and_then(CallId::pinned)
                .map(CallRef::Number)
                .ok_or_else(|| {
                    Complaint::new(
                        format!("`{text}` is no Call ID"),
                        "expected `0x1` to `0xffffffff`",
                    )
                });
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty() {
            return Err(complaint.help(format!("a number stands without quotes: call = {text}")));
        }
        let word = |text: &str| {
            !text.is_empty()
                && !text.starts_with(|c: char| c.is_ascii_digit())
                && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-')
        };
        match text.rsplit_once('.') {
            Some((service, method)) if word(method) && service.split('.').all(word) => Ok(CallRef::Name {
                service: service.to_owned(),
                method: method.to_owned(),
            }),
            None if text.contains('/') => {
                Err(complaint.help(format!("write \"{}\"", text.trim_matches('/').replace('/', "."))))
            }
            _ => Err(complaint),
        }
    }
}

impl fmt::Display for CallRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CallRef::Name { service, method } => write!(f, "{service}.{method}"),
            CallRef::Number(id) => write!(f, "{id}"),
        }
    }
}

/// The backend a route names.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// None: the only one there is.
    Only,
    /// This one, named there.
    Named(String, Range<usize>),
    /// One that could not be read; reported already.
    Bad,
}

/// A route as far as one file alone can tell. What is `None` is reported already.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) source: Arc<Source>,
    /// Where the route is, for whoever finds it in conflict.
    pub(super) span: Range<usize>,
    pub(super) matched: Option<(Method, PathTemplate)>,
    pub(super) target: Target,
    call: Option<CallRef>,
    timeout: Duration,
    request: RequestBinding,
    response: ResponseBinding,
}

impl Draft {
    /// Reads everything that stands in one `[[routes]]`.
    pub(super) fn read(reader: &mut Reader<'_>, table: &DeTable<'_>, header: Range<usize>) -> Draft {
        let section = reader.section("a route", table, KEYS);
        let matched = required(
            reader,
            &section,
            "match",
            &header,
            "match = \"GET /v1/orders/{id}\"",
        );
        let span = matched.as_ref().map_or(header.clone(), Item::span);
        let matched =
            matched.and_then(|item| reader.text(&item, "a string such as \"GET /v1/orders/{id}\"", matches));
        let call = required(reader, &section, "call", &header, "call = \"orders.get\"");
        let target = match section.get("backend") {
            None => Target::Only,
            Some(item) => match reader.text(&item, "a backend's name", |text| Ok(text.to_owned())) {
                Some(name) => Target::Named(name, item.span()),
                None => Target::Bad,
            },
        };
        let path: Vec<String> = matched
            .iter()
            .flat_map(|(_, path)| path.params().to_vec())
            .collect();
        Draft {
            source: Arc::clone(reader.source),
            span,
            call: call.and_then(|item| read_call(reader, &item)),
            target,
            timeout: section
                .get("timeout")
                .and_then(|item| reader.duration(&item, TIMEOUTS))
                .unwrap_or(TIMEOUT),
            request: RequestBinding {
                body: section
                    .get("body")
                    .and_then(|item| read_body(reader, &item, &path))
                    .unwrap_or_default(),
                unknown_fields: read_unknown(reader, &section),
                path,
            },
            response: ResponseBinding {
                shape: section
                    .get("response")
                    .and_then(|item| read_response(reader, &item))
                    .unwrap_or_default(),
                int64: read_int64(reader, &section),
            },
            matched,
        }
    }

    /// The route, with the backend that was found for it.
    pub(super) fn finish(self, backend: String) -> Option<RouteSpec> {
        let (method, path) = self.matched?;
        Some(RouteSpec {
            method,
            path,
            call: self.call?,
            backend,
            timeout: self.timeout,
            request: self.request,
            response: self.response,
            place: self.source.place(self.span.start),
        })
    }
}

fn required<'t>(
    reader: &mut Reader<'_>,
    section: &Section<'t>,
    key: &'static str,
    header: &Range<usize>,
    example: &str,
) -> Option<Item<'t>> {
    let item = section.get(key);
    if item.is_none() {
        reader.report(
            Diagnostic::new(format!("a route needs `{key}`"))
                .at(reader.source, header.clone(), "this one has none")
                .help(format!("write {example}")),
        );
    }
    item
}

fn matches(text: &str) -> Result<(Method, PathTemplate), Complaint> {
    let Some((method, path)) = text.split_once(' ') else {
        let complaint = Complaint::new(
            "a route matches a method and a path",
            "expected both, with a space between",
        );
        return Err(match text.starts_with('/') {
            true => complaint.help(format!("write \"GET {text}\" or \"POST {text}\"")),
            false => complaint.help("write \"GET /v1/orders/{id}\""),
        });
    };
    let method = Method::parse(method)?;
    let start = text.len() - path.len();
    let path = PathTemplate::parse(path).map_err(|complaint| complaint.shifted(start))?;
    Ok((method, path))
}

fn read_call(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<CallRef> {
    if let DeValue::Integer(_) = item.value.get_ref() {
        let number = reader.integer(item, 1..=u64::from(u32::MAX))?;
        return u32::try_from(number)
            .ok()
            .and_then(CallId::pinned)
            .map(CallRef::Number);
    }
    reader.text(item, "a method's name or its number", CallRef::parse)
}

fn read_body(reader: &mut Reader<'_>, item: &Item<'_>, path: &[String]) -> Option<Body> {
    if let DeValue::Boolean(false) = item.value.get_ref() {
        return Some(Body::None);
    }
    reader.text(item, "\"*\", a field's name, or false", |text| {
        if text == "*" {
            return Ok(Body::Whole);
        }
        if text.is_empty() || text == "none" {
            return Err(
                Complaint::new("no body is written `false`", "not a field's name").help("write body = false")
            );
        }
        if let Some(reason) = path::field_error(text) {
            return Err(Complaint::new(
                "`body` must be \"*\", a field's name, or false",
                reason,
            ));
        }
        match path
            .iter()
            .find(|param| *param == text || path::within(text, param))
        {
            Some(param) => Err(Complaint::new(
                format!("the path and the body both fill `{param}`"),
                format!("the path has `{{{param}}}`"),
            )),
            None => Ok(Body::Field(text.to_owned())),
        }
    })
}

fn read_unknown(reader: &mut Reader<'_>, section: &Section<'_>) -> UnknownFields {
    let choices = [
        ("reject", UnknownFields::Reject),
        ("ignore", UnknownFields::Ignore),
    ];
    section
        .get("unknown_fields")
        .and_then(|item| reader.choice(&item, &choices))
        .unwrap_or_default()
}

fn read_int64(reader: &mut Reader<'_>, section: &Section<'_>) -> Int64 {
    let choices = [("number", Int64::Number), ("string", Int64::String)];
    section
        .get("int64")
        .and_then(|item| reader.choice(&item, &choices))
        .unwrap_or_default()
}

fn read_response(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Response> {
    let table = reader.table(item, "a table such as { wrap = \"result\" }")?;
    let before = reader.found.len();
    let section = reader.section("`response`", table, &["wrap", "field"]);
    match (section.get("wrap"), section.get("field")) {
        (Some(wrap), None) => reader.text(&wrap, "the member's name", |text| match text {
            "" => Err(Complaint::new("`wrap` is the member's name", "there is none")),
            _ => Ok(Response::Wrap(text.to_owned())),
        }),
        (None, Some(field)) => reader.text(&field, "a field's name", |text| match path::field_error(text) {
            Some(reason) => Err(Complaint::new("`field` is a field's name", reason)),
            None => Ok(Response::Field(text.to_owned())),
        }),
        (None, None) if reader.found.len() > before => None,
        (one, _) => {
            let label = if one.is_some() {
                "it has both"
            } else {
                "it has neither"
            };
            reader.complain(
                item,
                Complaint::new("`response` has either `wrap` or `field`", label),
            )
        }
    }
}
