//! `bind` of a route: the fields that are filled from elsewhere than their names say.
//!
//! ```toml
//! bind = { limit = { query = "page_size", default = 20 }, tenant = { header = "x-tenant" } }
//! ```
//!
//! Whether a field is there, and can be filled so, only the method's schema says.

use super::complaint::Complaint;
use super::diagnostics::Diagnostic;
use super::field;
use super::keys;
use super::metadata::is_token;
use super::reader::{Item, Reader, Section};
use super::shape::{Entry, Shape, words};
use super::suggest::list;
use callgate_transcode::{BoundField, FieldSource};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// The most fields that a route binds.
const MAX_BOUND: usize = 32;
/// The longest name or value, in bytes.
const MAX_TEXT: usize = 256;

const CLIENT: [(&str, ()); 1] = [("address", ())];
const REQUEST: [(&str, bool); 2] = [("method", true), ("path", false)];
const CONSTANT: Shape = Shape::OneOf(&[Shape::Text, Shape::Number, Shape::Boolean]);
const KEYS: &[Entry] = &[
    Entry::one(1, "query", Shape::Text, "the query's parameter of that name"),
    Entry::one(1, "header", Shape::Text, "that header, which may come once"),
    Entry::one(1, "cookie", Shape::Text, "that cookie, as it is sent"),
    Entry::one(1, "form", Shape::Text, "the field of that name of a form"),
    Entry::one(
        1,
        "filename",
        Shape::Text,
        "the name, without folders, or the media type of the file that is the form's part of that name",
    ),
    Entry::one(
        1,
        "content_type",
        Shape::Text,
        "the name, without folders, or the media type of the file that is the form's part of that name",
    ),
    Entry::one(1, "client", Shape::Words(&words(&CLIENT)), "the address of the client, if it is known"),
    Entry::one(
        1,
        "request",
        Shape::Words(&words(&REQUEST)),
        "the request's method; the path that it asks for",
    ),
    Entry::one(1, "claim", Shape::Text, "that claim of the caller"),
    Entry::one(1, "value", CONSTANT, "the table: always that"),
    Entry::new("split", Shape::Text, "the text is a list with that character between its items"),
    Entry::new("default", CONSTANT, "the value where the request has none"),
];
/// What fills each field, whose names may be nested as TOML nests tables.
pub(super) const SHAPE: Shape = Shape::Tree(&Shape::Table(KEYS));
const SOURCES: [&str; 10] =
    ["query", "header", "cookie", "form", "filename", "content_type", "client", "request", "claim", "value"];
const EXAMPLE: &str = "a table such as { query = \"page_size\" } or { header = \"x-tenant\" }";

/// Reads `bind` of a route, in which others fill the fields that are `taken`: each with who does. Those that `body` binds come first.
/// Each field comes with where it is written.
pub(super) fn read(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    taken: &[(&str, String)],
    of_body: Vec<(BoundField, Range<usize>)>,
) -> (Vec<BoundField>, Vec<Range<usize>>) {
    let (by_body, mut all) = (of_body.len(), of_body);
    let item = section.get(keys::BIND.name);
    let expected = "a table such as { limit = { query = \"page_size\" } }";
    if let Some(table) = item.as_ref().and_then(|item| reader.table(item, expected)) {
        fields(reader, table, "", &mut all);
    }
    for at in 0..all.len() {
        let (BoundField { field, .. }, span) = &all[at];
        let other = taken.iter().find(|(name, _)| field::overlap(name, field));
        let twice = all[..at].iter().position(|(other, _)| field::overlap(&other.field, field));
        let label = match (other, twice) {
            (Some((_, by)), _) => by.clone(),
            (None, Some(other)) => {
                let by = if other < by_body { "body" } else { "bind" };
                format!("`{by}` fills `{}` already", all[other].0.field)
            }
            (None, None) => continue,
        };
        let title = format!("`{field}` is filled from two places");
        reader.report(Diagnostic::new(title).at(reader.source, span.clone(), label));
    }
    if let Some(item) = item.filter(|_| all.len() > MAX_BOUND) {
        let label = format!("{} are too many", all.len());
        reader
            .complain::<()>(&item, Complaint::new(format!("`bind` has more than {MAX_BOUND} fields"), label));
    }
    all.into_iter().unzip()
}

/// The fields of a table. A field in a field may be written as TOML nests tables: `filter.name = { … }` without quotes.
fn fields(
    reader: &mut Reader<'_>,
    table: &DeTable<'_>,
    before: &str,
    all: &mut Vec<(BoundField, Range<usize>)>,
) {
    for (key, value) in table {
        let field = format!("{before}{}", key.get_ref());
        let item = Item { key: &field, key_span: key.span(), value, shape: &SHAPE };
        if let Some(reason) = field::error(&field) {
            reader.report(Diagnostic::new("`bind` names fields").at(reader.source, key.span(), reason));
            continue;
        }
        let Some(inner) = reader.table(&item, EXAMPLE) else { continue };
        if !inner.is_empty() && inner.iter().all(|(_, value)| matches!(value.get_ref(), DeValue::Table(_))) {
            fields(reader, inner, &format!("{field}."), all);
            continue;
        }
        if let Some(bound) = one(reader, &item, inner) {
            all.push((bound, key.span()));
        }
    }
}

/// What fills one field.
fn one(reader: &mut Reader<'_>, item: &Item<'_>, table: &DeTable<'_>) -> Option<BoundField> {
    let known = reader.found.len();
    let section = reader.section("a field of `bind`", table, KEYS);
    let mut sources = SOURCES.iter().filter_map(|key| section.get(key));
    let (first, second) = (sources.next(), sources.next());
    let Some(first) = first else {
        if reader.found.len() > known {
            return None;
        }
        let complaint = Complaint::new(format!("what fills `{}`?", item.key), "nothing is named");
        return reader.complain(item, complaint.help(format!("write one of {}", list(&SOURCES, "and"))));
    };
    if let Some(second) = second {
        let title = format!("`{}` is filled from two places", item.key);
        let diagnostic = Diagnostic::new(title).at(reader.source, second.key_span, "the second");
        reader.report(diagnostic.at(reader.source, first.key_span, "the first"));
        return None;
    }
    let source = source(reader, &first)?;
    let split = section.get("split").and_then(|item| reader.text(&item, "a character such as \",\"", split));
    let default = section.get("default");
    if let (Some(default), FieldSource::Value(_)) = (&default, &source) {
        let complaint = Complaint::new("a `value` is always there", "would never be taken");
        return reader.complain(default, complaint.help("leave `default` out"));
    }
    if let (Some(default), FieldSource::Claim(_)) = (&default, &source) {
        let complaint = Complaint::new("a claim has no `default`", "would be anybody's");
        return reader.complain(default, complaint.note("a caller without the claim is refused"));
    }
    if let (Some(item), FieldSource::Claim(_)) = (section.get("split"), &source) {
        let complaint = Complaint::new("a claim is one value", "is not taken apart");
        return reader.complain(&item, complaint.note("a caller whose claim is a list is refused"));
    }
    let default = default.and_then(|item| constant(reader, &item));
    Some(BoundField { field: item.key.to_owned(), source, split, default })
}

fn source(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<FieldSource> {
    match item.key {
        "query" => reader
            .text(item, "the parameter's name", |text| name(text, "a query parameter", |_| true))
            .map(FieldSource::Query),
        "header" => reader.text(item, "the header's name", header).map(FieldSource::Header),
        "cookie" => {
            let is_good = |byte: u8| is_token(byte);
            reader
                .text(item, "the cookie's name", |text| name(text, "a cookie", is_good))
                .map(FieldSource::Cookie)
        }
        "form" => reader.text(item, "the name of a form's field", part).map(FieldSource::Form),
        "filename" => {
            reader.text(item, "the name of a form's part", part).map(|part| FieldSource::Filename(Some(part)))
        }
        "content_type" => reader.text(item, "the name of a form's part", part).map(FieldSource::PartType),
        "claim" => reader
            .text(item, "the claim's name", |text| name(text, "a claim", |_| true))
            .map(FieldSource::Claim),
        "client" => reader.choice(item, &CLIENT).map(|()| FieldSource::Client),
        "request" => {
            let is_method = reader.choice(item, &REQUEST);
            is_method.map(|is_method| if is_method { FieldSource::Method } else { FieldSource::Path })
        }
        _ => constant(reader, item).map(FieldSource::Value),
    }
}

fn name(text: &str, of: &str, is_good: impl Fn(u8) -> bool) -> Result<String, Complaint> {
    if text.is_empty() || text.len() > MAX_TEXT {
        return Err(Complaint::new(
            format!("not the name of {of}"),
            format!("expected 1 to {MAX_TEXT} bytes"),
        ));
    }
    match text.bytes().all(is_good) {
        true => Ok(text.to_owned()),
        false => Err(Complaint::new(
            format!("not the name of {of}"),
            "names are letters, digits and !#$%&'*+-.^_`|~",
        )),
    }
}

fn part(text: &str) -> Result<String, Complaint> {
    name(text, "a form's field", |_| true)
}

/// A header's name, in lower case. Whoever says who the client is must be believed first.
fn header(text: &str) -> Result<String, Complaint> {
    let name = name(text, "a header", is_token)?.to_ascii_lowercase();
    match name.as_str() {
        "x-forwarded-for" | "forwarded" => {
            let complaint = Complaint::new(format!("`{name}` can be written by anybody"), "not bound");
            Err(complaint.help(
                "write { client = \"address\" }: the address of the client, as far as proxies are believed",
            ))
        }
        _ => Ok(name),
    }
}

fn split(text: &str) -> Result<char, Complaint> {
    let mut chars = text.chars();
    match (chars.next(), chars.next()) {
        (Some(one), None) if !one.is_alphanumeric() => Ok(one),
        _ => Err(Complaint::new(
            "`split` is what stands between two items",
            "expected one character, no letter or digit",
        )
        .help("write split = \",\"")),
    }
}

/// A value that the route itself has, as a request would write it.
fn constant(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<String> {
    let text = match item.value.get_ref() {
        DeValue::String(text) => text.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Array(_) => {
            let complaint = Complaint::new("a list is written as one text", "an array");
            return reader
                .complain(item, complaint.help(format!("write {} = \"a,b\" and split = \",\"", item.key)));
        }
        _ => return reader.wrong_type(item.key, item.value, "a text, a number, true or false"),
    };
    match text.len() <= MAX_TEXT {
        true => Some(text),
        false => {
            reader.complain(item, Complaint::new("a value this long", format!("at most {MAX_TEXT} bytes")))
        }
    }
}
