//! How a route binds HTTP to a method's fields: `body`, `bind`, `unknown_fields`, `int64`, `decimal`. `response` has a folder of its own.

use super::bound_fields;
use super::complaint::Complaint;
use super::field;
use super::keys;
use super::reader::{Item, Reader, Section};
use super::response::ReplyDraft;
use callgate_transcode::{Body, Decimal, Int64, RequestBinding, ResponseBinding, UnknownFields};
use std::ops::Range;
use toml::de::DeValue;

/// The request's half, with the fields that the path fills, and what its file says of unknown ones; and where each field of `bind` is
/// written.
pub(super) fn request(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    path: Vec<String>,
    unknown_fields: UnknownFields,
) -> (RequestBinding, Vec<Range<usize>>) {
    let body = section.get(keys::BODY.name).and_then(|item| read_body(reader, &item, &path));
    let body = body.unwrap_or_default();
    let mut taken: Vec<(&str, String)> =
        path.iter().map(|name| (name.as_str(), format!("the path has `{{{name}}}`"))).collect();
    if let Body::Field(name) = &body {
        taken.push((name, format!("the body is `{name}`")));
    }
    let (bound, places) = bound_fields::read(reader, section, &taken);
    let unknown_fields = read_unknown(reader, section).unwrap_or(unknown_fields);
    (RequestBinding { path, bound, body, unknown_fields }, places)
}

/// The reply's half, with what `response` says, likewise.
pub(super) fn response(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    reply: &mut ReplyDraft,
    (int64, decimal): (Int64, Decimal),
) -> ResponseBinding {
    ResponseBinding {
        shape: std::mem::take(&mut reply.shape),
        picks: std::mem::take(&mut reply.fields.picks),
        int64: read_int64(reader, section).unwrap_or(int64),
        decimal: read_decimal(reader, section).unwrap_or(decimal),
    }
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
        if let Some(reason) = field::error(text) {
            return Err(Complaint::new("`body` must be \"*\", a field's name, or false", reason));
        }
        match path.iter().find(|param| field::overlap(param, text)) {
            Some(param) => {
                let title = format!("the path and the body both fill `{text}`");
                Err(Complaint::new(title, format!("the path has `{{{param}}}`")))
            }
            None => Ok(Body::Field(text.to_owned())),
        }
    })
}

/// Reads `unknown_fields` of a route or of a file.
pub(super) fn read_unknown(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<UnknownFields> {
    let choices = [("reject", UnknownFields::Reject), ("ignore", UnknownFields::Ignore)];
    section.get(keys::UNKNOWN_FIELDS.name).and_then(|item| reader.choice(&item, &choices))
}

/// Reads `int64` of a route or of a file.
pub(super) fn read_int64(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Int64> {
    let choices = [("number", Int64::Number), ("string", Int64::String)];
    section.get(keys::INT64.name).and_then(|item| reader.choice(&item, &choices))
}

/// Reads `decimal` of a route or of a file.
pub(super) fn read_decimal(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Decimal> {
    let choices = [("string", Decimal::String), ("number", Decimal::Number)];
    section.get(keys::DECIMAL.name).and_then(|item| reader.choice(&item, &choices))
}
