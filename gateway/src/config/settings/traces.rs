//! `[traces]`: which requests have spans, and who collects them.

use crate::config::complaint::Complaint;
use crate::config::diagnostics::Diagnostics;
use crate::config::http_target::{self, HttpTarget};
use crate::config::reader::{Item, Reader, Section, set};
use crate::config::secret_source::{self, SecretSource};
use crate::config::shadow::{SHARE, Share, read_share};
use crate::config::shape::{Entry, Shape, words};
use http::{HeaderName, HeaderValue};
use toml::de::DeValue;

pub(super) const KEYS: &[Entry] = &[
    Entry::needed(
        "endpoint",
        Shape::OneOf(&[Shape::Text, Shape::Table(URL_KEYS)]),
        "where spans are sent to",
    ),
    Entry::new("sample", SHARE, "which requests have spans, of those with which a trace begins"),
    Entry::new("parents", Shape::Words(&words(&TraceParents::ALL)), "whose `traceparent` is believed"),
    Entry::new("service", Shape::Text, "what the gateway is called there"),
    Entry::new(
        "headers",
        Shape::Names(&[], &secret_source::KEPT_OR_PATH),
        "headers of the requests to the collector",
    ),
];

const ENDPOINT: &str = "a URL such as \"http://127.0.0.1:4318/v1/traces\"";
const URL_KEYS: &[Entry] = &[http_target::THE_URL, http_target::CA, http_target::INSECURE];
const VALUE: &str = "a text, or where a secret is: { env = \"…\" } or { file = \"…\" }";

/// The most headers.
const MAX_HEADERS: usize = 32;
/// The longest name of a service, in bytes.
const MAX_SERVICE: usize = 255;
/// Headers whose values let their bearer in: they never stand in the file.
const CREDENTIALS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-api-key"];
/// What requests to collectors say themselves.
const OWN: [&str; 7] =
    ["connection", "content-encoding", "content-length", "content-type", "host", "te", "transfer-encoding"];

/// `[traces]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TracesSettings {
    /// Who collects spans.
    pub target: HttpTarget,
    /// Which requests have spans that belong to no trace before.
    pub sample: Share,
    /// Whose `traceparent` says to which trace a request belongs, and whether it has spans.
    pub parents: TraceParents,
    /// What the gateway is called there.
    pub service: String,
    /// What requests to the collector say beside.
    pub headers: Vec<(HeaderName, HeaderValue)>,
}

/// Whose `traceparent` counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TraceParents {
    /// That of every client.
    All,
    /// That of the proxies which the listener trusts.
    Proxies,
}

impl TraceParents {
    /// All of them, by their names.
    pub const ALL: [(&'static str, TraceParents); 2] =
        [("all", TraceParents::All), ("proxies", TraceParents::Proxies)];

    /// Its name in the settings.
    pub fn name(self) -> &'static str {
        TraceParents::ALL[self as usize].0
    }
}

/// Reads the section; nothing where it is not complete.
pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, at: &Item<'_>) -> Option<TracesSettings> {
    let target = match section.get("endpoint") {
        Some(item) => endpoint(reader, &item),
        None => {
            let missing = Complaint::new("[traces] needs `endpoint`", "who collects them?");
            reader.complain(at, missing.help("write endpoint = \"http://127.0.0.1:4318/v1/traces\""))
        }
    };
    let mut sample = Share::ALL;
    set(&mut sample, section.get("sample").and_then(|item| read_share(reader, &item)));
    let mut parents = TraceParents::All;
    let said = section.get("parents");
    set(&mut parents, said.and_then(|item| reader.choice(&item, &TraceParents::ALL)));
    let mut name = "callgate".to_owned();
    let said = section.get("service");
    set(&mut name, said.and_then(|item| reader.text(&item, "a name such as \"edge\"", service)));
    let headers = section.get("headers").map_or_else(Vec::new, |item| headers(reader, &item));
    Some(TracesSettings { target: target?, sample, parents, service: name, headers })
}

/// Where they are collected. The CAs are read again whenever that is connected to; here it is seen that they can be.
fn endpoint(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<HttpTarget> {
    let target = match item.value.get_ref() {
        DeValue::Table(table) => {
            let section = reader.section("`endpoint`", table, URL_KEYS);
            HttpTarget::read(reader, &section, item)
        }
        DeValue::String(_) => HttpTarget::of_text(reader, item),
        _ => reader.wrong_type(item.key, item.value, ENDPOINT),
    }?;
    let (source, span) = (reader.source.clone(), item.span());
    let looked = target
        .look(&source, &span)
        .and_then(|ca| ca.map_or(Ok(()), |ca| target.trust(&ca, &source, &span).map(drop)));
    looked.map_err(|found: Diagnostics| reader.found.extend(found.into_found())).ok()?;
    Some(target)
}

fn service(text: &str) -> Result<String, Complaint> {
    match text.trim().is_empty() || text.len() > MAX_SERVICE {
        true => Err(Complaint::new("not a service's name", format!("expected 1 to {MAX_SERVICE} bytes"))),
        false => Ok(text.to_owned()),
    }
}

/// The headers, each with its value.
fn headers(reader: &mut Reader<'_>, item: &Item<'_>) -> Vec<(HeaderName, HeaderValue)> {
    let expected = "a table such as { x-scope-orgid = \"acme\" }";
    let Some(table) = reader.table(item, expected) else { return Vec::new() };
    if table.len() > MAX_HEADERS {
        let many = Complaint::new("too many headers", format!("expected at most {MAX_HEADERS}"));
        reader.complain::<()>(item, many);
    }
    let items = || table.iter().map(|(key, value)| item.named(key, value));
    let is_shown = |item: &Item<'_>| {
        let is_credential = CREDENTIALS.iter().any(|name| item.key.eq_ignore_ascii_case(name));
        is_credential && matches!(item.value.get_ref(), DeValue::String(_))
    };
    if let Some(item) = items().find(is_shown) {
        let complaint = Complaint::new("a credential never stands in the file", "say where it is");
        let help = format!("write {} = {{ file = \"/run/secrets/…\" }}", item.key);
        // Neither it nor what else is wrong is shown in its place, which may be the line of the secret.
        reader.report(complaint.help(help).without_place(item.key));
        return Vec::new();
    }
    items().filter_map(|item| header(reader, &item)).collect()
}

fn header(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<(HeaderName, HeaderValue)> {
    let key = item.key;
    let Ok(name) = key.parse::<HeaderName>() else {
        return reader
            .complain(item, Complaint::new(format!("`{key}` is no header's name"), "of this value"));
    };
    if OWN.contains(&name.as_str()) {
        let own = Complaint::new(format!("`{name}` cannot be set"), "the gateway says this itself");
        return reader.complain(item, own);
    }
    let value = match item.value.get_ref() {
        DeValue::String(text) => text.as_bytes().to_vec(),
        DeValue::Table(_) => {
            let source = SecretSource::read(reader, item, VALUE, "a file with the value")?;
            let loaded = source.load("the header's value", &reader.source.clone(), &item.span());
            let loaded = loaded.map_err(|found| reader.found.extend(found.into_found())).ok()?;
            loaded.trim_ascii_end().to_vec()
        }
        _ => return reader.wrong_type(key, item.value, VALUE),
    };
    let Ok(mut value) = HeaderValue::from_bytes(&value) else {
        let bad = Complaint::new(format!("`{key}` cannot be that"), "a header has one line of text");
        return reader.complain(item, bad);
    };
    // Nobody is shown it.
    value.set_sensitive(true);
    Some((name, value))
}
