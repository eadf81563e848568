//! Headers of replies: templates by name, and metadata of the reply by list.

use super::super::complaint::Complaint;
use super::super::diagnostics::Diagnostic;
use super::super::local_reply::{MAX_HEADERS, RESERVED};
use super::super::metadata::is_token;
use super::super::path::PathTemplate;
use super::super::reader::{Item, Reader, Section};
use super::Fields;
use super::template::{Names, TextTemplate, UriTemplate};
use std::collections::BTreeSet;

/// What other keys say, with these keys.
const OTHER_KEYS: [(&str, &str); 3] = [
    ("content-disposition", "say it by `filename`, as in filename = \"{name}.csv\""),
    ("etag", "say it by `etag` of the route"),
    ("link", "say it by `links`, as in links = { next = \"/v1/books?after={next}\" }"),
];
/// What the gateway says beside what is [`RESERVED`]: in all replies of a listener, or of a route with limits.
const OWN: [&str; 6] = [
    "accept-ranges",
    "content-encoding",
    "content-range",
    "strict-transport-security",
    "ratelimit",
    "ratelimit-policy",
];
/// Headers that are URIs.
const URIS: [&str; 2] = ["location", "content-location"];

/// A header.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HeaderSpec {
    /// Its name, in lower case.
    pub name: String,
    /// What it says.
    pub value: HeaderValue,
}

/// What a header says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HeaderValue {
    /// A text.
    Text(TextTemplate),
    /// Where something is.
    Uri(UriTemplate),
}

/// Reads `headers` of `response`.
pub(super) fn read(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    path: Option<&PathTemplate>,
    fields: &mut Fields,
) -> Vec<HeaderSpec> {
    let Some(item) = section.get("headers") else { return Vec::new() };
    let expected = "a table such as { location = \"/v1/books/{id}\" }";
    let Some(table) = reader.table(&item, expected) else { return Vec::new() };
    let (mut headers, mut seen) = (Vec::new(), BTreeSet::new());
    for (key, value) in table {
        let one = item.named(key, value);
        let name = one.key.to_ascii_lowercase();
        let twice = !seen.insert(name.clone());
        if let Some(reason) = error(&name).or(twice.then_some("it is there twice")) {
            let title = format!("`{}` cannot be a header of `response`", one.key);
            reader.report(Diagnostic::new(title).at(reader.source, one.key_span.clone(), reason));
            continue;
        }
        let mut names = Names { path, fields, place: one.span() };
        let value = reader.text(&one, "a string", |text| {
            Ok(if URIS.contains(&name.as_str()) {
                HeaderValue::Uri(UriTemplate::parse(text, &mut names)?)
            } else {
                HeaderValue::Text(TextTemplate::parse(text, &mut names)?)
            })
        });
        headers.extend(value.map(|value| HeaderSpec { name, value }));
    }
    too_many(reader, &item, headers.len());
    headers
}

/// Reads `metadata` of `response`.
pub(super) fn read_metadata(reader: &mut Reader<'_>, section: &Section<'_>) -> Vec<String> {
    let Some(item) = section.get("metadata") else { return Vec::new() };
    let names = reader.texts(&item, "[\"x-cost\"]", |text| {
        let name = text.to_ascii_lowercase();
        match error(&name) {
            Some(reason) => {
                Err(Complaint::new(format!("`{text}` of a reply's metadata cannot be a header"), reason))
            }
            None => Ok(name),
        }
    });
    let names = names.unwrap_or_default();
    reader.twice("the header", names.iter().map(|(name, span)| (name, span)));
    too_many(reader, &item, names.len());
    names.into_iter().map(|(name, _)| name).collect()
}

/// Why a route cannot say a header of that name, which is in lower case.
fn error(name: &str) -> Option<&'static str> {
    if let Some((_, reason)) = OTHER_KEYS.iter().find(|(other, _)| *other == name) {
        return Some(reason);
    }
    if RESERVED.contains(&name) || OWN.contains(&name) {
        return Some("the gateway says it itself");
    }
    (name.is_empty() || !name.bytes().all(is_token)).then_some("no header is called so")
}

fn too_many(reader: &mut Reader<'_>, item: &Item<'_>, count: usize) {
    if count > MAX_HEADERS {
        let label = format!("{count} are too many");
        reader.complain::<()>(item, Complaint::new(format!("more than {MAX_HEADERS} headers"), label));
    }
}
