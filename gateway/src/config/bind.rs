//! How a route binds HTTP to a method's fields: `body` and `bind`, which have files of their own, `unknown_fields`, `int64`, `decimal`.
//! `response` has a folder.

use super::body::{BodyDraft, BodyTypes};
use super::bound_fields;
use super::diagnostics::Diagnostic;
use super::keys;
use super::reader::{Reader, Section};
use super::response::ReplyDraft;
use super::shape::{Shape, words};
use callgate_transcode::{
    Body, BoundField, Decimal, FieldSource, Int64, RequestBinding, ResponseBinding, UnknownFields,
};
use std::ops::Range;

const UNKNOWN: [(&str, UnknownFields); 2] =
    [("reject", UnknownFields::Reject), ("ignore", UnknownFields::Ignore)];
const INT64: [(&str, Int64); 2] = [("number", Int64::Number), ("string", Int64::String)];
const DECIMAL: [(&str, Decimal); 2] = [("string", Decimal::String), ("number", Decimal::Number)];
/// What `unknown_fields` may be.
pub(super) const UNKNOWN_SHAPE: Shape = Shape::Words(&words(&UNKNOWN));
/// What `int64` may be.
pub(super) const INT64_SHAPE: Shape = Shape::Words(&words(&INT64));
/// What `decimal` may be.
pub(super) const DECIMAL_SHAPE: Shape = Shape::Words(&words(&DECIMAL));

/// The request's half as it is written.
pub(super) struct RequestDraft {
    pub(super) binding: RequestBinding,
    /// Which bodies are read.
    pub(super) types: BodyTypes,
    /// Where each field that is bound is written.
    pub(super) bound: Vec<Range<usize>>,
}

/// The request's half, with the fields that the path fills, and what its file says of unknown ones.
pub(super) fn request(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    path: Vec<String>,
    unknown_fields: UnknownFields,
) -> RequestDraft {
    let BodyDraft { body, types, bound: of_body } = BodyDraft::read(reader, section, &path);
    let mut taken: Vec<(&str, String)> =
        path.iter().map(|name| (name.as_str(), format!("the path has `{{{name}}}`"))).collect();
    if let Body::Field(name) | Body::Raw(name) = &body {
        taken.push((name, format!("the body is `{name}`")));
    }
    let (fields, bound) = bound_fields::read(reader, section, &taken, of_body);
    if !types.takes_forms() {
        needs_forms(reader, &fields, &bound);
    }
    let unknown_fields = read_unknown(reader, section).unwrap_or(unknown_fields);
    RequestDraft { binding: RequestBinding { path, bound: fields, body, unknown_fields }, types, bound }
}

/// Reports the fields that only a form could fill.
fn needs_forms(reader: &mut Reader<'_>, fields: &[BoundField], places: &[Range<usize>]) {
    for (bound, place) in fields.iter().zip(places) {
        if let FieldSource::Form(_) | FieldSource::Filename(Some(_)) | FieldSource::PartType(_) = bound.source
        {
            let title = format!("`{}` is filled by a form, and the route reads none", bound.field);
            let diagnostic = Diagnostic::new(title).at(reader.source, place.clone(), "never filled");
            reader.report(diagnostic.help("write body = { accept = [\"json\", \"form\"] }"));
        }
    }
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

/// Reads `unknown_fields` of a route or of a file.
pub(super) fn read_unknown(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<UnknownFields> {
    section.get(keys::UNKNOWN_FIELDS.name).and_then(|item| reader.choice(&item, &UNKNOWN))
}

/// Reads `int64` of a route or of a file.
pub(super) fn read_int64(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Int64> {
    section.get(keys::INT64.name).and_then(|item| reader.choice(&item, &INT64))
}

/// Reads `decimal` of a route or of a file.
pub(super) fn read_decimal(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<Decimal> {
    section.get(keys::DECIMAL.name).and_then(|item| reader.choice(&item, &DECIMAL))
}
