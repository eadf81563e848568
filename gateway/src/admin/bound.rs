//! What `/routes` shows of the fields that a route binds: what fills each of them.

use callgate_transcode::{BoundField, FieldSource};
use serde_json::{Map, Value, json};

/// Each field with its source, as a table has it.
pub(super) fn page(bound: &[BoundField]) -> Value {
    let of = |bound: &BoundField| (bound.field.clone(), one(bound));
    bound.iter().map(of).collect::<Map<_, _>>().into()
}

fn one(bound: &BoundField) -> Value {
    let mut shown = match &bound.source {
        FieldSource::Query(name) => json!({ "query": name }),
        FieldSource::Header(name) => json!({ "header": name }),
        FieldSource::Cookie(name) => json!({ "cookie": name }),
        FieldSource::Form(name) => json!({ "form": name }),
        FieldSource::Filename(Some(part)) => json!({ "filename": part }),
        // `body` says it, of the file that is the body.
        FieldSource::Filename(None) => json!({ "body": "filename" }),
        FieldSource::PartType(part) => json!({ "content_type": part }),
        FieldSource::Client => json!({ "client": "address" }),
        FieldSource::Method => json!({ "request": "method" }),
        FieldSource::Path => json!({ "request": "path" }),
        FieldSource::Claim(name) => json!({ "claim": name }),
        FieldSource::Value(value) => json!({ "value": value }),
    };
    if let Some(split) = bound.split {
        shown["split"] = split.to_string().into();
    }
    if let Some(default) = &bound.default {
        shown["default"] = default.as_str().into();
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_shown_as_it_is_written() {
        let field = |field: &str, source, split, default: Option<&str>| BoundField {
            field: field.to_owned(),
            source,
            split,
            default: default.map(str::to_owned),
        };
        let shown = page(&[
            field("limit", FieldSource::Query("page_size".to_owned()), None, Some("20")),
            field("filter.tags", FieldSource::Header("x-tags".to_owned()), Some(','), None),
            field("session", FieldSource::Cookie("sid".to_owned()), None, None),
            field("cover", FieldSource::Form("file".to_owned()), None, None),
            field("cover_name", FieldSource::Filename(Some("file".to_owned())), None, None),
            field("cover_type", FieldSource::PartType("file".to_owned()), None, None),
            field("name", FieldSource::Filename(None), None, None),
            field("client", FieldSource::Client, None, None),
            field("verb", FieldSource::Method, None, None),
            field("place", FieldSource::Path, None, None),
            field("source", FieldSource::Value("web".to_owned()), None, None),
        ]);
        let expected = json!({
            "limit": { "query": "page_size", "default": "20" },
            "filter.tags": { "header": "x-tags", "split": "," },
            "session": { "cookie": "sid" },
            "cover": { "form": "file" },
            "cover_name": { "filename": "file" },
            "cover_type": { "content_type": "file" },
            "name": { "body": "filename" },
            "client": { "client": "address" },
            "verb": { "request": "method" },
            "place": { "request": "path" },
            "source": { "value": "web" },
        });
        assert_eq!(shown, expected);
    }
}
