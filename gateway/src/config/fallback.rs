//! `fallback` of a route: a second backend, or a fixed answer, for when the first has no instance.

use super::complaint::Complaint;
use super::destination::Destination;
use super::reader::{Item, Reader, Section};
use serde::de::IgnoredAny;
use std::ops::RangeInclusive;

/// The keys of `fallback`: of a backend, of an answer.
const KEYS: &[&str] = &["backend", "version", "status", "body", "content_type"];
const EXAMPLES: &str = "a table such as { backend = \"other\" } or { status = 200, body = \"[]\" }";
const STATUSES: RangeInclusive<u64> = 200..=599;
/// Statuses whose answers have no body (RFC 9110, 6.4.1).
const WITHOUT_BODY: [u16; 3] = [204, 205, 304];
/// The longest body, in bytes.
const MAX_BODY: usize = 1024 * 1024;
const JSON: &str = "application/json";

/// What is done with a call for which there is no instance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FallbackSpec {
    /// It goes there. The backend is named.
    Call(Destination),
    /// It is answered so.
    Answer(FallbackAnswer),
}

/// An answer that no instance is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FallbackAnswer {
    /// 200 to 599, by default 200.
    pub status: u16,
    /// At most 1 MiB, by default nothing. Valid JSON where the type says JSON.
    pub body: String,
    /// By default `application/json`. Not sent with an empty body.
    pub content_type: String,
}

impl FallbackSpec {
    /// Where the call goes, if it goes anywhere.
    pub(super) fn destination(&self) -> Option<&Destination> {
        match self {
            FallbackSpec::Call(to) => Some(to),
            FallbackSpec::Answer(_) => None,
        }
    }

    /// Reads `fallback` of a route.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<FallbackSpec> {
        let item = section.get("fallback")?;
        let table = reader.table(&item, EXAMPLES)?;
        let before = reader.found.len();
        let inner = reader.section("`fallback`", table, KEYS);
        let backend = inner.get("backend").or(inner.get("version"));
        let answer = ["status", "body", "content_type"].into_iter().find_map(|key| inner.get(key));
        match (backend, answer) {
            (Some(_), None) if inner.get("backend").is_some() => {
                Some(FallbackSpec::Call(Destination::read(reader, &inner, item.span())))
            }
            (None, Some(_)) => FallbackAnswer::read(reader, &inner).map(FallbackSpec::Answer),
            // A key that nobody knows may be what was meant.
            (None, None) if reader.found.len() > before => None,
            (backend, answer) => {
                let label = match (backend.is_some(), answer.is_some()) {
                    (true, true) => "it has both",
                    (true, false) => "which backend?",
                    _ => "it has neither",
                };
                let complaint = Complaint::new("`fallback` is either a backend or an answer", label);
                reader.complain(
                    &item,
                    complaint.help("write { backend = \"other\" }, or { status = 200, body = \"[]\" }"),
                )
            }
        }
    }
}

impl FallbackAnswer {
    fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<FallbackAnswer> {
        let before = reader.found.len();
        let status = section.get("status").and_then(|item| reader.integer(&item, STATUSES)).unwrap_or(200);
        let status = u16::try_from(status).unwrap_or(200);
        let content_type = section
            .get("content_type")
            .and_then(|item| reader.text(&item, "a type such as \"text/plain\"", content_type))
            .unwrap_or_else(|| JSON.to_owned());
        let body = section.get("body");
        let body = body.and_then(|item| read_body(reader, &item, status, &content_type)).unwrap_or_default();
        (reader.found.len() == before).then_some(FallbackAnswer { status, body, content_type })
    }
}

fn read_body(reader: &mut Reader<'_>, item: &Item<'_>, status: u16, content_type: &str) -> Option<String> {
    reader.text(item, "the body's text", |text| {
        if WITHOUT_BODY.contains(&status) && !text.is_empty() {
            return Err(Complaint::new(
                "a body without effect",
                format!("an answer with status {status} has none"),
            ));
        }
        if text.len() > MAX_BODY {
            return Err(Complaint::new("the body is too long", "expected 1 MiB at most"));
        }
        let json = serde_json::from_str::<IgnoredAny>(text);
        match json {
            Err(error) if !text.is_empty() && says_json(content_type) => {
                let complaint = Complaint::new("the body is no JSON", error.to_string());
                Err(complaint.help("or write content_type = \"text/plain; charset=utf-8\""))
            }
            _ => Ok(text.to_owned()),
        }
    })
}

fn says_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == JSON || essence.ends_with("+json")
}

fn content_type(text: &str) -> Result<String, Complaint> {
    let well = text.contains('/') && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let bad = || Complaint::new("not a content type", "expected one such as \"text/plain; charset=utf-8\"");
    well.then(|| text.to_owned()).ok_or_else(bad)
}
