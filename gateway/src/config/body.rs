//! `body` of a route: what the HTTP body is, and which types of bodies the route reads.
//!
//! ```toml
//! body = "order"                                              # one field of the request
//! body = { accept = ["json", "form"] }                        # fields from JSON, or from a form
//! body = { raw = "content", accept = ["image/*"] }            # the bytes as they are
//! body = { stream = true }                                    # items, which its method's caller streams
//! body = { stream = true, raw = true }                        # the same, where the body's bytes are the items
//! body = { stream = "file" }                                  # a form, whose file of that name is the items
//! ```
//!
//! Forms are read only where a route says so. A page of any site can make a browser send one, with the cookies that belong here and
//! without asking first, while for JSON a browser asks first.

mod raw;

use super::complaint::Complaint;
use super::diagnostics::Diagnostic;
use super::field;
use super::keys;
use super::media_range::MediaRange;
use super::reader::{Item, Reader, Section};
use super::shape::{Entry, Shape};
use super::suggest::list;
use callgate_transcode::{Body, BoundField};
use serde_json::{Value, json};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

const KEYS: &[Entry] = &[
    Entry::new("raw", Shape::OneOf(&[Shape::Text, Shape::Only(true)]), "the field that takes the body"),
    Entry::beside("raw", "content_type", Shape::Text, "the field that takes `Content-Type`"),
    Entry::beside("raw", "filename", Shape::Text, "the field that takes the name in `Content-Disposition`"),
    Entry::new("accept", Shape::List(&Shape::Text, 1..=raw::MAX_RANGES), "which types are taken"),
    Entry::new(
        "stream",
        Shape::OneOf(&[Shape::Only(true), Shape::Text]),
        "the body is the items that the method's caller streams",
    ),
];
/// What `body` may be.
pub(super) const SHAPE: Shape = Shape::OneOf(&[Shape::Text, Shape::Only(false), Shape::Table(KEYS)]);
const EXPECTED: &str = "\"*\", a field's name, false, or a table such as { raw = \"content\" }";
const EXAMPLE: &str = "[\"json\", \"form\"]";
const URLENCODED: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data";

/// Which bodies a route reads, by their media types.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum BodyTypes {
    /// JSON.
    #[default]
    Json,
    /// Forms of both kinds.
    Forms {
        /// And JSON.
        json: bool,
    },
    /// Bytes of these types; of all where there are none.
    Raw(Vec<MediaRange>),
    /// Streams of items: JSON texts on lines, or one array of them.
    Items,
    /// Bytes of these types, which are the items of a stream; of all where there are none.
    RawItems(Vec<MediaRange>),
    /// Forms of several parts, of which the file of this name is the items of a stream, and the others are fields.
    FormItems(String),
}

impl BodyTypes {
    /// Whether JSON is read.
    pub fn takes_json(&self) -> bool {
        matches!(self, BodyTypes::Json | BodyTypes::Forms { json: true })
    }

    /// Whether forms are read.
    pub fn takes_forms(&self) -> bool {
        matches!(self, BodyTypes::Forms { .. } | BodyTypes::FormItems(_))
    }

    /// Whether bodies are streams, which are read beside their calls.
    pub fn stream(&self) -> bool {
        matches!(self, BodyTypes::Items | BodyTypes::RawItems(_) | BodyTypes::FormItems(_))
    }

    /// The types, as a header lists them.
    pub fn names(&self) -> Vec<String> {
        let names: &[&str] = match self {
            BodyTypes::Json => &["application/json"],
            BodyTypes::Forms { json: true } => &["application/json", URLENCODED, MULTIPART],
            BodyTypes::Forms { json: false } => &[URLENCODED, MULTIPART],
            BodyTypes::Items => &["application/x-ndjson", "application/json"],
            BodyTypes::FormItems(_) => &[MULTIPART],
            BodyTypes::Raw(ranges) | BodyTypes::RawItems(ranges) if ranges.is_empty() => &["*/*"],
            BodyTypes::Raw(ranges) | BodyTypes::RawItems(ranges) => {
                return ranges.iter().map(MediaRange::to_string).collect();
            }
        };
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// What `/routes` shows of bodies of these types, which a route takes so.
    pub fn page(&self, body: &Body) -> Value {
        match body {
            Body::None if *self == BodyTypes::Items => json!({ "stream": true, "accept": self.names() }),
            Body::None => Value::Null,
            Body::Whole => json!({ "accept": self.names() }),
            Body::Field(name) => json!({ "field": name, "accept": self.names() }),
            Body::Raw(name) => json!({ "raw": name, "accept": self.names() }),
            Body::RawItems => match self {
                BodyTypes::FormItems(file) => json!({ "stream": file, "accept": self.names() }),
                _ => json!({ "stream": true, "raw": true, "accept": self.names() }),
            },
        }
    }
}

/// What `body` says.
#[derive(Default)]
pub(super) struct BodyDraft {
    pub(super) body: Body,
    pub(super) types: BodyTypes,
    /// The fields that it binds besides, each with where it is written.
    pub(super) bound: Vec<(BoundField, Range<usize>)>,
}

impl BodyDraft {
    /// Reads it, where the path fills these fields.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, path: &[String]) -> BodyDraft {
        let Some(item) = section.get(keys::BODY.name) else { return BodyDraft::default() };
        match item.value.get_ref() {
            DeValue::Boolean(false) => BodyDraft { body: Body::None, ..BodyDraft::default() },
            DeValue::Table(table) => BodyDraft::of_table(reader, &item, table, path).unwrap_or_default(),
            _ => {
                let body = reader.text(&item, EXPECTED, |text| word(text, path));
                BodyDraft { body: body.unwrap_or_default(), ..BodyDraft::default() }
            }
        }
    }

    fn of_table(
        reader: &mut Reader<'_>,
        item: &Item<'_>,
        table: &DeTable<'_>,
        path: &[String],
    ) -> Option<BodyDraft> {
        let known = reader.found.len();
        let section = reader.section("`body`", table, KEYS);
        if let Some(stream) = section.get("stream") {
            return BodyDraft::of_stream(reader, &section, &stream);
        }
        let accept = section.get("accept");
        let about = ["content_type", "filename"].map(|key| section.get(key));
        let Some(raw) = section.get("raw") else {
            for item in about.into_iter().flatten() {
                let title = format!("`{}` is for raw bodies", item.key);
                let diagnostic =
                    Diagnostic::new(title).at(reader.source, item.key_span, "has no effect here");
                reader.report(diagnostic.help("write raw = \"content\" with the field that takes the body"));
            }
            return match accept {
                Some(accept) => {
                    Some(BodyDraft { types: structured(reader, &accept)?, ..BodyDraft::default() })
                }
                None if reader.found.len() > known => None,
                None => reader.complain(
                    item,
                    Complaint::new("what is the body?", "neither `raw` nor `accept`").help(format!(
                        "write body = {{ accept = {EXAMPLE} }} or body = {{ raw = \"content\" }}"
                    )),
                ),
            };
        };
        let body = raw::field(reader, &raw, path);
        let types = BodyTypes::Raw(raw::types(reader, &section));
        Some(BodyDraft { body: Body::Raw(body?), types, bound: raw::about(reader, &section) })
    }

    /// A body that is a stream: nothing of it is a field, but for a form's.
    fn of_stream(reader: &mut Reader<'_>, section: &Section<'_>, stream: &Item<'_>) -> Option<BodyDraft> {
        if let DeValue::String(_) = stream.value.get_ref() {
            return BodyDraft::of_file(reader, section, stream);
        }
        let is_raw = match section.get("raw") {
            Some(raw) => raw::items(reader, &raw)?,
            None => false,
        };
        for key in
            KEYS.iter().map(|entry| entry.key).filter(|key| !is_raw && !["stream", "raw"].contains(key))
        {
            let Some(item) = section.get(key) else { continue };
            let title = format!("a body that is a stream of JSON has no `{key}`");
            let diagnostic = Diagnostic::new(title).at(reader.source, item.key_span, "has no effect here");
            reader.report(diagnostic.help(
                "write body = { stream = true }: items come as application/x-ndjson or as a JSON array; or add raw = true \
                 where the body's bytes are the items",
            ));
        }
        let DeValue::Boolean(is_stream) = stream.value.get_ref() else {
            return reader.wrong_type(stream.key, stream.value, "true, or the name of a form's file");
        };
        if !is_stream {
            let complaint = Complaint::new("a body that is no stream is written without that", "no stream");
            return reader.complain(stream, complaint.help("leave `stream` out"));
        }
        if !is_raw {
            return Some(BodyDraft { body: Body::None, types: BodyTypes::Items, bound: Vec::new() });
        }
        let types = BodyTypes::RawItems(raw::types(reader, section));
        Some(BodyDraft { body: Body::RawItems, types, bound: raw::about(reader, section) })
    }

    /// A form whose file of a name is a stream.
    fn of_file(reader: &mut Reader<'_>, section: &Section<'_>, stream: &Item<'_>) -> Option<BodyDraft> {
        for key in KEYS.iter().map(|entry| entry.key).filter(|key| *key != "stream") {
            let Some(item) = section.get(key) else { continue };
            let title = format!("a form whose file is a stream has no `{key}`");
            let diagnostic = Diagnostic::new(title).at(reader.source, item.key_span, "has no effect here");
            reader.report(diagnostic.help(
                "`bind` says what takes the file's name and type: { name = { filename = \"file\" }, kind = { content_type = \"file\" } }",
            ));
        }
        let name = reader.text(stream, "true, or the name of a form's file", |text| match text {
            "" => Err(Complaint::new("a form's file has a name", "there is none")),
            name => Ok(name.to_owned()),
        })?;
        Some(BodyDraft { body: Body::RawItems, types: BodyTypes::FormItems(name), bound: Vec::new() })
    }
}

/// What one word stands for.
fn word(text: &str, path: &[String]) -> Result<Body, Complaint> {
    match text {
        "*" => Ok(Body::Whole),
        "" | "none" => {
            Err(Complaint::new("no body is written `false`", "not a field's name").help("write body = false"))
        }
        name => match field::error(name) {
            Some(reason) => Err(Complaint::new("`body` must be \"*\", a field's name, or false", reason)),
            None => free(name, path).map(Body::Field),
        },
    }
}

/// A field that the path does not fill.
fn free(text: &str, path: &[String]) -> Result<String, Complaint> {
    match path.iter().find(|param| field::overlap(param, text)) {
        Some(param) => {
            let title = format!("the path and the body both fill `{text}`");
            Err(Complaint::new(title, format!("the path has `{{{param}}}`")))
        }
        None => Ok(text.to_owned()),
    }
}

fn good(text: &str) -> Result<(), Complaint> {
    match field::error(text) {
        Some(reason) => Err(Complaint::new(format!("`{text}` is no field's name"), reason)),
        None => Ok(()),
    }
}

/// The kinds of bodies that have fields.
fn structured(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<BodyTypes> {
    let words = ["json", "form"];
    let known = reader.found.len();
    let all = reader.texts(item, EXAMPLE, |text| match words.iter().find(|word| **word == text) {
        Some(word) => Ok(*word),
        None => Err(kind_of(text)),
    })?;
    reader.twice("the kind", all.iter().map(|(word, span)| (word, span)));
    let has = |word| all.iter().any(|(own, _)| *own == word);
    match (has("json"), has("form")) {
        (json, true) => Some(BodyTypes::Forms { json }),
        (true, false) => Some(BodyTypes::Json),
        (false, false) if reader.found.len() > known => None,
        (false, false) => {
            let complaint = Complaint::new("a route without bodies is written so", "nothing is listed");
            reader.complain(item, complaint.help("write body = false"))
        }
    }
}

/// What is said of what is no kind of body.
fn kind_of(text: &str) -> Complaint {
    let complaint = Complaint::new(
        format!("`accept` has no `{text}`"),
        format!("expected {}", list(&["json", "form"], "or")),
    );
    match text {
        URLENCODED | MULTIPART | "multipart" | "urlencoded" => {
            complaint.help("write \"form\": forms of both kinds")
        }
        "application/json" => complaint.help("write \"json\""),
        _ if text.contains('/') => {
            complaint.help("other types are read as they are: name the field with raw = \"content\"")
        }
        _ => complaint,
    }
}
