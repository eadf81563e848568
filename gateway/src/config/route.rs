//! A route's declaration: which requests it takes, which method they call, and how the two are bound.

use super::bind;
use super::call::{self, CallRef};
use super::complaint::Complaint;
use super::defaults::Defaults;
use super::destination::Spot;
use super::diagnostics::Diagnostic;
use super::foreign_paths;
use super::method::Method;
use super::misfit::Spots;
use super::path::PathTemplate;
use super::policy::RoutePolicy;
use super::reader::{Item, Reader, Section};
use super::retry::{self, RetrySpec};
use super::source::{Place, Source};
use callgate_transcode::{RequestBinding, ResponseBinding};
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::time::Duration;
use toml::de::DeTable;

pub(super) const KEYS: &[&str] = &[
    "match",
    "call",
    "backend",
    "timeout",
    "idempotent",
    "retry",
    "rate_limit",
    "body",
    "response",
    "unknown_fields",
    "int64",
    "max_in_flight",
    "priority",
    "metadata",
    "respond",
    "redirect",
    "rewrite",
    "split",
    "version",
    "shadow",
    "fallback",
];
/// How long a call may take, unless route or file say otherwise.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);
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
    /// Whether running a call twice does what running it once does. `None`: the instance says so of its method.
    pub idempotent: Option<bool>,
    /// How often calls are sent, and after what.
    pub retry: RetrySpec,
    /// What else is to be done with its calls; mostly the same for all routes of a file, and then there once.
    pub policy: Arc<RoutePolicy>,
    /// How the request becomes the method's fields.
    pub request: RequestBinding,
    /// How the method's result becomes the answer.
    pub response: ResponseBinding,
    /// Where it is written.
    pub place: Place,
    /// Where in its file its parts stand.
    pub spots: Spots,
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
            idempotent,
            retry,
            policy,
            request,
            response,
            place: _,
            spots: _,
        } = self;
        (method, path, call, backend) == (&other.method, &other.path, &other.call, &other.backend)
            && (timeout, request, response) == (&other.timeout, &other.request, &other.response)
            && (idempotent, retry, policy) == (&other.idempotent, &other.retry, &other.policy)
    }
}

impl Eq for RouteSpec {}

/// The backend a route names.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// None: its file's, or else the only one there is.
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
    /// Its file's place among all.
    pub(super) file: usize,
    call: Option<CallRef>,
    spots: Spots,
    timeout: Duration,
    idempotent: Option<bool>,
    retry: RetrySpec,
    pub(super) policy: Arc<RoutePolicy>,
    request: RequestBinding,
    response: ResponseBinding,
}

impl Draft {
    /// Reads everything that stands in one `[[routes]]`.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        table: &DeTable<'_>,
        header: Range<usize>,
        file: &Defaults,
    ) -> Draft {
        let section = reader.section("a route", table, KEYS);
        let (matched, span) = matched(reader, &section, &header, file);
        let call = required(reader, &section, "call", &header, "call = \"orders.get\"");
        let spot = |key| section.get(key).map_or(span.clone(), |item| item.span());
        let [matched_at, call_at, body, response] =
            ["match", "call", "body", "response"].map(|key| Spot(spot(key)));
        let spots = Spots { matched: matched_at, call: call_at, body, response };
        let target = match section.get("backend") {
            None => Target::Only,
            Some(item) => match reader.text(&item, "a backend's name", |text| Ok(text.to_owned())) {
                Some(name) => Target::Named(name, item.span()),
                None => Target::Bad,
            },
        };
        let timeout = read_timeout(reader, &section).unwrap_or(file.timeout);
        let idempotent = retry::read_idempotent(reader, &section);
        let path: Vec<String> = matched.iter().flat_map(|(_, path)| path.params().to_vec()).collect();
        Draft {
            source: Arc::clone(reader.source),
            span,
            call: call.and_then(|item| call::read(reader, &item)),
            spots,
            target,
            file: file.file,
            timeout,
            idempotent,
            retry: retry::read(reader, &section, timeout, idempotent),
            policy: file.policy(RoutePolicy::read(reader, &section)),
            request: bind::request(reader, &section, path, file),
            response: bind::response(reader, &section, file),
            matched: matched.filter(|_| file.paths_are_known()),
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
            idempotent: retry::idempotent(self.idempotent, method),
            retry: self.retry,
            policy: self.policy,
            request: self.request,
            response: self.response,
            place: self.source.place(self.span.start),
            spots: self.spots,
        })
    }
}

/// Reads `timeout` of a route or of a file.
pub(super) fn read_timeout(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Duration> {
    section.get("timeout").and_then(|item| reader.duration(&item, TIMEOUTS))
}

/// What a route matches, and where that stands: at `header` where it does not.
pub(super) fn matched(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    header: &Range<usize>,
    file: &Defaults,
) -> (Option<(Method, PathTemplate)>, Range<usize>) {
    let Some(item) = required(reader, section, "match", header, "match = \"GET /v1/orders/{id}\"") else {
        return (None, header.clone());
    };
    let expected = "a string such as \"GET /v1/orders/{id}\"";
    (reader.text(&item, expected, |text| matches(text, file)), item.span())
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

fn matches(text: &str, file: &Defaults) -> Result<(Method, PathTemplate), Complaint> {
    if let Some(complaint) = foreign_paths::method(text) {
        return Err(complaint);
    }
    let Some((method, path)) = text.split_once(' ') else {
        let complaint =
            Complaint::new("a route matches a method and a path", "expected both, with a space between");
        return Err(match text.starts_with('/') {
            true => complaint.help(format!("write \"GET {text}\" or \"POST {text}\"")),
            false => complaint.help("write \"GET /v1/orders/{id}\""),
        });
    };
    let method = Method::parse(method)?;
    let path = path.trim_start();
    let start = text.len() - path.len();
    let path = file.path(path).map_err(|complaint| complaint.shifted(start))?;
    Ok((method, path))
}
