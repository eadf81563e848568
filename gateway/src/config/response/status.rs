//! The status of a result: one, or one by a field of the result.

use super::super::complaint::Complaint;
use super::super::diagnostics::Diagnostic;
use super::super::field;
use super::super::reader::{Item, Reader, Section};
use super::Fields;
use crate::config::shape::{Entry, Shape};
use toml::de::DeValue;

/// What a result can be replied with. Those of ranges and of caches follow from the request.
const OF_RESULTS: [u16; 11] = [200, 201, 202, 203, 204, 205, 301, 302, 303, 307, 308];

const STATUS: Shape = Shape::Status(&OF_RESULTS);
/// What `status` of `response` may be.
pub(super) const SHAPE: Shape = Shape::OneOf(&[
    STATUS,
    Shape::Names(&[Entry::needed("field", Shape::Text, "the field of the result that says it")], &STATUS),
]);

/// The status of a result.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum StatusSpec {
    /// 200, or 204 where the method returns nothing.
    #[default]
    Usual,
    /// This one.
    Fixed(u16),
    /// One for some values of a field, and otherwise the usual one.
    ByField {
        /// Its number among the fields that the route picks.
        field: usize,
        /// The values' texts, each once.
        statuses: Vec<(String, u16)>,
    },
}

impl StatusSpec {
    /// All that it names.
    pub(super) fn all(&self) -> impl Iterator<Item = u16> {
        let (fixed, by_field) = match self {
            StatusSpec::Usual => (None, &[][..]),
            StatusSpec::Fixed(status) => (Some(*status), &[][..]),
            StatusSpec::ByField { statuses, .. } => (None, statuses.as_slice()),
        };
        fixed.into_iter().chain(by_field.iter().map(|(_, status)| *status))
    }
}

/// Reads `status` of `response`.
pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, fields: &mut Fields) -> StatusSpec {
    let Some(item) = section.get("status") else { return StatusSpec::Usual };
    let read = match item.value.get_ref() {
        DeValue::Table(_) => by_field(reader, &item, fields),
        DeValue::Integer(_) => status(reader, &item).map(StatusSpec::Fixed),
        _ => reader.wrong_type(
            item.key,
            item.value,
            "a status such as 201, or a table such as { field = \"created\", true = 201 }",
        ),
    };
    read.unwrap_or_default()
}

fn by_field(reader: &mut Reader<'_>, item: &Item<'_>, fields: &mut Fields) -> Option<StatusSpec> {
    let table = reader.table(item, "a table such as { field = \"created\", true = 201 }")?;
    let mut name = None;
    let mut statuses = Vec::new();
    for (key, value) in table {
        let one = item.named(key, value);
        if one.key == "field" {
            let of_result = |text: &str| match field::error(text) {
                Some(reason) => Err(Complaint::new("`field` is the name of a field of the result", reason)),
                None => Ok(text.to_owned()),
            };
            name = Some((reader.text(&one, "a field's name", of_result)?, one.span()));
        } else {
            statuses.push((one.key.to_owned(), status(reader, &one)?));
        }
    }
    let complaint = match (&name, statuses.is_empty()) {
        (None, _) => Complaint::new("which field says the status?", "`field` is missing"),
        (_, true) => Complaint::new("`status` has no value of the field", "it is always the usual status"),
        (Some((name, place)), false) => {
            let values: Vec<String> = statuses.iter().map(|(value, _)| value.clone()).collect();
            match fields.number(name, &values, place.clone()) {
                Ok(field) => return Some(StatusSpec::ByField { field, statuses }),
                Err(complaint) => complaint,
            }
        }
    };
    reader.complain(item, complaint.help("write status = { field = \"created\", true = 201, false = 200 }"))
}

/// Reads a status that a result may have.
fn status(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<u16> {
    let status = reader.integer(item).and_then(|status| u16::try_from(status).ok())?;
    if OF_RESULTS.contains(&status) {
        return Some(status);
    }
    let title = format!("a result has no status {status}");
    let complaint = Complaint::new(title, "expected one such as 200, 201, 202, 204 or 303");
    let complaint = match status {
        400.. => complaint.help("a method that fails says so; errors = { … } gives its errors statuses"),
        206 => complaint.help("a raw answer gives parts by itself, to clients that ask for them"),
        304 => complaint.help("write etag = true, and clients that have the answer are told so"),
        _ => complaint,
    };
    reader.complain(item, complaint)
}

/// Reports a status that is no error's.
pub(in crate::config) fn of_error(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<u16> {
    let status = reader.integer(item).and_then(|status| u16::try_from(status).ok())?;
    let why = match status {
        ..=399 => "errors have statuses from 400 on",
        401 | 405 | 407 | 426 => "it needs a header that says what else to do",
        408 | 411 | 413 | 414 | 416 | 417 | 421 | 425 | 431 | 499 | 505 => {
            "it says something of the request itself"
        }
        status if callgate_http1::phrase(status).is_empty() => "HTTP has no such status",
        _ => return Some(status),
    };
    let title = format!("an error of a method cannot have status {status}");
    reader.report(
        Diagnostic::new(title)
            .at(reader.source, item.span(), why)
            .help("statuses such as 402, 404, 409, 410, 412, 422 and 423 are for what a method finds"),
    );
    None
}
