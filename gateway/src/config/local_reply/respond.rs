//! A fixed reply: `respond` of a route, or its `fallback`. It is made once, when the table is read.

use super::super::complaint::Complaint;
use super::super::diagnostics::Diagnostic;
use super::super::metadata::is_token;
use super::super::reader::Section;
use super::{Item, Key, Kind, PathTemplate, Reader};
use crate::config::shape::{Entry, Shape};
use bytes::Bytes;
use serde_json::{Number, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use toml::Spanned;
use toml::de::DeValue;

/// Its keys.
pub(in crate::config) const KEYS: &[Entry] = &[STATUS, BODY, JSON, CONTENT_TYPE, HEADERS];
pub(in crate::config) const STATUS: Entry =
    Entry::new("status", Shape::Integer(200..=599), "200 to 299 or 400 to 599");
pub(in crate::config) const BODY: Entry = Entry::new("body", Shape::Text, "a text of at most 64 KiB");
pub(in crate::config) const JSON: Entry =
    Entry::new("json", Shape::Json, "any TOML value but a date, written as JSON");
pub(in crate::config) const CONTENT_TYPE: Entry = Entry::new("content_type", Shape::Text, "what the body is");
pub(in crate::config) const HEADERS: Entry = Entry::new(
    "headers",
    Shape::Names(&[], &Shape::Text),
    "further headers, at most 32, except those that HTTP or the gateway sets itself",
);
/// The longest body, in bytes: a table lies in memory, and so do its replies. What is larger is a file's to serve.
const MAX_BODY: usize = 64 * 1024;
pub(in crate::config) const MAX_HEADERS: usize = 32;
/// The longest value of a header, in bytes.
const MAX_VALUE: usize = 4096;
/// Statuses that have no body (RFC 9110, 15.3.5 and 15.3.6).
const WITHOUT_BODY: [u16; 2] = [204, 205];
/// What the gateway or HTTP itself says.
pub(in crate::config) const RESERVED: [&str; 11] = [
    "connection",
    "content-length",
    "content-type",
    "date",
    "keep-alive",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-request-id",
];

/// A reply that is always the same.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RespondSpec {
    /// The status: 200 to 299 or 400 to 599, by default 200.
    pub status: u16,
    /// Its lines in a head, each with its end: what the body is, if there is one, and further headers.
    pub lines: Vec<u8>,
    /// What the body is; without a body nothing.
    pub content_type: Option<String>,
    /// Further headers: names in lower case, each once, and values in visible ASCII.
    pub headers: Vec<(String, String)>,
    /// The body, at most 64 KiB.
    pub body: Bytes,
}

impl fmt::Display for RespondSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "respond {}", self.status)
    }
}

impl RespondSpec {
    /// Reads the keys of a reply, among which there may be others.
    pub(in crate::config) fn of(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<RespondSpec> {
        let before = reader.found.len();
        let status = section.get("status").and_then(|item| read_status(reader, &item)).unwrap_or(200);
        let (body, usual) = read_body(reader, section).unwrap_or_default();
        let content_type =
            section.get("content_type").map(|item| (reader.text(&item, "a media type", value), item));
        if let Some(item) = section.get("body").or_else(|| section.get("json"))
            && WITHOUT_BODY.contains(&status)
        {
            let complaint =
                Complaint::new(format!("a reply with status {status} has no body"), "this is one");
            reader.complain::<()>(&item, complaint);
        }
        if let (Some((_, item)), None) = (&content_type, &usual) {
            let complaint = Complaint::new("`content_type` has no effect", "there is no body");
            reader.complain::<()>(item, complaint.help("add `body` or `json`, or remove it"));
        }
        let headers = section.get("headers").and_then(|item| read_headers(reader, &item)).unwrap_or_default();
        if reader.found.len() > before {
            return None;
        }
        let said = content_type.and_then(|(said, _)| said);
        let content_type = said.or(usual.map(str::to_owned));
        let lines = lines(content_type.as_deref(), &headers);
        Some(RespondSpec { status, lines, content_type, headers, body })
    }

    /// A body of the gateway's own, with those headers.
    pub(in crate::config) fn made(
        content_type: &str,
        headers: Vec<(String, String)>,
        body: Bytes,
    ) -> RespondSpec {
        let content_type = Some(content_type.to_owned());
        let lines = lines(content_type.as_deref(), &headers);
        RespondSpec { status: 200, lines, content_type, headers, body }
    }

    /// What pages show of it.
    pub fn page(&self) -> Value {
        let RespondSpec { status, content_type, headers, body, .. } = self;
        let headers: BTreeMap<&str, &str> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        json!({ "status": status, "content_type": content_type, "headers": headers, "bytes": body.len() })
    }
}

/// The lines of a head.
fn lines(content_type: Option<&str>, headers: &[(String, String)]) -> Vec<u8> {
    let of_body = content_type.map(|value| ("content-type", value));
    let all = of_body.into_iter().chain(headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    all.map(|(name, value)| format!("{name}: {value}\r\n")).collect::<String>().into_bytes()
}

impl Kind for RespondSpec {
    const KEY: Key = Key::of_every_route("respond", "a reply that is always the same");
    const SHAPE: Shape = Shape::Table(KEYS);

    fn read(reader: &mut Reader<'_>, item: &Item<'_>, _: Option<&PathTemplate>) -> Option<RespondSpec> {
        let table = reader.table(item, "a table such as { status = 200, body = \"…\" }")?;
        let section = reader.section("`respond`", table, KEYS);
        RespondSpec::of(reader, &section)
    }

    fn status(&self) -> u16 {
        self.status
    }

    fn shown(&self) -> Value {
        self.page()
    }
}

fn read_status(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<u16> {
    let status = reader.integer(item).and_then(|status| u16::try_from(status).ok())?;
    if (300..400).contains(&status) {
        let complaint = Complaint::new("a fixed reply is no redirect", "expected 200 to 299 or 400 to 599");
        return reader.complain(item, complaint.help("write redirect = { to = \"/…\", status = 308 }"));
    }
    Some(status)
}

/// The body and its usual type.
fn read_body(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<(Bytes, Option<&'static str>)> {
    let (body, item, usual) = match (section.get("body"), section.get("json")) {
        (None, None) => return None,
        (Some(_), Some(json)) => {
            return reader.complain(&json, Complaint::new("one reply has two bodies", "`body` is there too"));
        }
        (Some(item), None) => {
            let text = reader.text(&item, "a string", |text| Ok(text.to_owned()))?;
            (text, item, "text/plain; charset=utf-8")
        }
        (None, Some(item)) => (json(reader, item.value)?.to_string(), item, "application/json"),
    };
    if body.len() > MAX_BODY {
        let label = format!("{} bytes, at most {MAX_BODY} are possible", body.len());
        return reader.complain(&item, Complaint::new("a fixed reply this long", label));
    }
    Some((Bytes::from(body), Some(usual)))
}

/// A TOML value as JSON. How deep it may lie TOML's reader bounds.
fn json(reader: &mut Reader<'_>, value: &Spanned<DeValue<'_>>) -> Option<Value> {
    let number = match value.get_ref() {
        DeValue::String(text) => return Some(Value::String(text.clone().into_owned())),
        DeValue::Boolean(value) => return Some(Value::Bool(*value)),
        DeValue::Array(items) => {
            let items: Vec<Option<Value>> = items.iter().map(|item| json(reader, item)).collect();
            return items.into_iter().collect::<Option<Vec<Value>>>().map(Value::Array);
        }
        DeValue::Table(table) => {
            let members: Vec<Option<(String, Value)>> = table
                .iter()
                .map(|(key, item)| Some((key.get_ref().clone().into_owned(), json(reader, item)?)))
                .collect();
            return members.into_iter().collect::<Option<serde_json::Map<_, _>>>().map(Value::Object);
        }
        DeValue::Datetime(_) => None,
        DeValue::Integer(number) => {
            i128::from_str_radix(number.as_str(), number.radix()).ok().and_then(Number::from_i128)
        }
        DeValue::Float(number) => number.as_str().parse().ok().and_then(Number::from_f64),
    };
    match number {
        Some(number) => Some(Value::Number(number)),
        None => {
            reader.wrong_type("json", value, "made of what JSON has: finite numbers, strings, true, false")
        }
    }
}

fn read_headers(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Vec<(String, String)>> {
    let table = reader.table(item, "a table such as { cache-control = \"no-store\" }")?;
    let mut headers = Vec::new();
    let mut seen = BTreeSet::new();
    for (key, text) in table {
        let name = key.get_ref().to_ascii_lowercase();
        let one = item.named(key, text);
        let text = reader.text(&one, "a string", value);
        let wrong = match name.as_str() {
            "content-type" => Some("say it by `content_type`"),
            reserved if RESERVED.contains(&reserved) => Some("the gateway says it itself"),
            name if name.is_empty() || !name.bytes().all(is_token) => Some("no header is called so"),
            name if !seen.insert(name.to_owned()) => Some("it is there twice"),
            _ => None,
        };
        match (wrong, text) {
            (None, Some(text)) => headers.push((name, text)),
            (None, None) => {}
            (Some(reason), _) => {
                let title = format!("`{}` cannot be a header of a fixed reply", one.key);
                let diagnostic = Diagnostic::new(title);
                reader.report(diagnostic.at(reader.source, key.span(), reason));
            }
        }
    }
    if headers.len() > MAX_HEADERS {
        let label = format!("{} are too many", headers.len());
        return reader.complain(item, Complaint::new(format!("more than {MAX_HEADERS} headers"), label));
    }
    Some(headers)
}

/// What a header may say: visible ASCII, with spaces and tabs between (RFC 9110, 5.5).
pub(in crate::config) fn value(text: &str) -> Result<String, Complaint> {
    let visible = |c: char| c.is_ascii_graphic() || c == ' ' || c == '\t';
    if let Some((at, bad)) = text.char_indices().find(|(_, c)| !visible(*c)) {
        return Err(Complaint::new("a header's value is visible ASCII", "this character is not")
            .within(at..at + bad.len_utf8()));
    }
    if text.trim() != text || text.len() > MAX_VALUE {
        let label = format!("expected at most {MAX_VALUE} bytes, without spaces at either end");
        return Err(Complaint::new("a header cannot say this", label));
    }
    Ok(text.to_owned())
}
