//! Bodies that are bytes as they are: the value of a field (`raw = "content"`), or the items that the method's caller streams
//! (`stream = true` and `raw = true`).

use super::super::complaint::Complaint;
use super::super::reader::{Item, Reader, Section};
use super::{MediaRange, free, good};
use callgate_transcode::{BoundField, FieldSource};
use std::ops::Range;
use toml::de::DeValue;

/// The most media types that a route lists.
pub(super) const MAX_RANGES: usize = 32;

/// Reads which field takes the body, where the path fills these.
pub(super) fn field(reader: &mut Reader<'_>, raw: &Item<'_>, path: &[String]) -> Option<String> {
    if let DeValue::Boolean(true) = raw.value.get_ref() {
        let complaint = Complaint::new("which field takes the body?", "no field's name");
        return reader.complain(
            raw,
            complaint.help(
                "write raw = \"content\"; or add stream = true where the method's caller streams the body's bytes",
            ),
        );
    }
    reader.text(raw, "the field that takes the body", |text| {
        good(text)?;
        free(text, path)
    })
}

/// Reads whether the items of a stream are the body's bytes.
pub(super) fn items(reader: &mut Reader<'_>, raw: &Item<'_>) -> Option<bool> {
    if let DeValue::Boolean(true) = raw.value.get_ref() {
        return Some(true);
    }
    let complaint = Complaint::new("the bytes of a stream are its items", "they fill no field");
    reader.complain(
        raw,
        complaint
            .help("write body = { stream = true, raw = true }, or leave `stream` out for a field of bytes"),
    )
}

/// Reads the fields that take what is said of the body, each with where it is written.
pub(super) fn about(reader: &mut Reader<'_>, section: &Section<'_>) -> Vec<(BoundField, Range<usize>)> {
    let sources = [
        ("content_type", FieldSource::Header("content-type".to_owned())),
        ("filename", FieldSource::Filename(None)),
    ];
    let mut bound = Vec::new();
    for (key, source) in sources {
        let Some(item) = section.get(key) else { continue };
        let name = reader.text(&item, "a field's name", |text| good(text).map(|()| text.to_owned()));
        let field = |field| BoundField { field, source, split: None, default: None };
        bound.extend(name.map(|name| (field(name), item.span())));
    }
    bound
}

/// Reads which types of bodies are read; all where none are listed.
pub(super) fn types(reader: &mut Reader<'_>, section: &Section<'_>) -> Vec<MediaRange> {
    section.get("accept").and_then(|item| ranges(reader, &item)).unwrap_or_default()
}

fn ranges(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<Vec<MediaRange>> {
    let known = reader.found.len();
    let all = reader.texts(item, "[\"image/png\", \"text/*\"]", MediaRange::parse)?;
    reader.twice("the media type", all.iter().map(|(range, span)| (range, span)));
    if reader.found.len() > known {
        return None;
    }
    if all.is_empty() || all.len() > MAX_RANGES {
        let label = format!("expected 1 to {MAX_RANGES}");
        let complaint = Complaint::new("`accept` lists media types", label);
        return reader.complain(item, complaint.help("leave it out for all types"));
    }
    Some(all.into_iter().map(|(range, _)| range).collect())
}
