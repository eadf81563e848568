//! An answer that is no JSON: a field of the result is its body as it is (`raw` of `response`), and `content_type` says what that is. With
//! `filename` it is a file, which browsers keep, or show where it is `inline`.

use super::super::complaint::Complaint;
use super::super::field;
use super::super::local_reply::value as header_value;
use super::super::path::PathTemplate;
use super::super::reader::{Item, Reader, Section};
use super::Fields;
use super::template::{Names, TextTemplate};
use crate::config::shape::{Entry, Shape};
use callgate_transcode::Response;
use toml::de::DeValue;

/// The keys of `response` that are for raw answers.
const OF_RAW: [&str; 3] = ["content_type", "filename", "inline"];
const OF_FIELD: &[Entry] = &[Entry::needed("field", Shape::Text, "a field of the result that says it")];
/// What `content_type` of `response` may be.
pub(super) const CONTENT_TYPE: Shape = Shape::OneOf(&[Shape::Text, Shape::Table(OF_FIELD)]);
/// What the bytes are if nobody says it.
const USUAL_TYPE: &str = "application/octet-stream";

/// What a raw answer is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RawSpec {
    /// What its bytes are.
    pub content_type: ContentType,
    /// The file that it is, if it is one.
    pub file: Option<FileSpec>,
}

/// What bytes are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ContentType {
    /// This media type.
    Fixed(String),
    /// The one that the field of the result with this number says, among those that the route picks.
    Field(usize),
    /// The one that comes of this, as it is written.
    Template(TextTemplate, String),
}

/// A file, for browsers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FileSpec {
    /// What it is called; any characters can be in its values.
    pub name: TextTemplate,
    /// It is shown, if the browser can; otherwise it is kept.
    pub inline: bool,
}

/// Reads `raw`: which field is the body, or the result itself.
pub(super) fn read_shape(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Response> {
    if let DeValue::Boolean(true) = item.value.get_ref() {
        return Some(Response::Raw(None));
    }
    reader.text(item, "a field's name, or true for the result itself", |text| match field::error(text) {
        Some(reason) => Err(Complaint::new("`raw` is a field's name, or true", reason)),
        None => Ok(Response::Raw(Some(text.to_owned()))),
    })
}

/// Reads what is beside `raw`, if the body is that.
pub(super) fn read(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    shape: &Response,
    path: Option<&PathTemplate>,
    fields: &mut Fields,
) -> Option<RawSpec> {
    if !matches!(shape, Response::Raw(_)) {
        // One that could not be read is reported already.
        let others = OF_RAW.into_iter().filter_map(|key| section.get(key));
        for item in others.filter(|_| section.get("raw").is_none()) {
            let title = format!("`{}` has no effect", item.key);
            let complaint = Complaint::new(title, "the answer is JSON");
            reader.complain::<()>(&item, complaint.help("add raw = \"content\": the field that is the body"));
        }
        return None;
    }
    let content_type = section.get("content_type").and_then(|item| content_type(reader, &item, path, fields));
    let inline = section.get("inline");
    let name = section.get("filename");
    if let (Some(item), None) = (&inline, &name) {
        let complaint = Complaint::new("`inline` has no effect", "there is no `filename`");
        reader.complain::<()>(item, complaint.help("what has no `filename` is shown anyway"));
    }
    let inline = inline.and_then(|item| reader.boolean(&item)).unwrap_or_default();
    let name = name.and_then(|item| {
        let mut names = Names { path, fields, place: item.span() };
        reader.text(&item, "a name such as \"{name}.csv\"", |text| TextTemplate::parse_name(text, &mut names))
    });
    Some(RawSpec {
        content_type: content_type.unwrap_or_else(|| ContentType::Fixed(USUAL_TYPE.to_owned())),
        file: name.map(|name| FileSpec { name, inline }),
    })
}

fn content_type(
    reader: &mut Reader<'_>,
    item: &Item<'_>,
    path: Option<&PathTemplate>,
    fields: &mut Fields,
) -> Option<ContentType> {
    let expected = "a media type such as \"text/csv\", or a table such as { field = \"kind\" }";
    match item.value.get_ref() {
        DeValue::Table(table) => {
            let section = reader.section("`content_type`", table, OF_FIELD);
            let Some(inner) = section.get("field") else {
                let complaint = Complaint::new("which field says the type?", "`field` is missing");
                return reader.complain(item, complaint.help("write content_type = { field = \"kind\" }"));
            };
            let place = inner.span();
            let number = reader.text(&inner, "a field's name", |text| match field::error(text) {
                Some(reason) => Err(Complaint::new("`field` is the name of a field of the result", reason)),
                None => fields.number(text, &[], place),
            });
            number.map(ContentType::Field)
        }
        _ => reader.text(item, expected, |text| {
            if !text.contains('{') {
                return media_type(text).map(ContentType::Fixed);
            }
            let mut names = Names { path, fields, place: item.span() };
            TextTemplate::parse(text, &mut names).map(|said| ContentType::Template(said, text.to_owned()))
        }),
    }
}

/// A media type, with parameters or without (RFC 9110, 8.3.1).
fn media_type(text: &str) -> Result<String, Complaint> {
    let text = header_value(text)?;
    if crate::content_type::parts(&text).is_none() {
        let complaint = Complaint::new("this is no media type", "expected a type and a subtype");
        return Err(complaint.help("write content_type = \"text/csv\", or \"text/csv; charset=utf-8\""));
    }
    Ok(text)
}
