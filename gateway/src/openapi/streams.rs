//! Bodies and replies that are items, one after the other. OpenAPI 3.1 has no word for them: the body is a text, and `x-item-schema` says what
//! each item is.

use crate::config::StreamForm;
use serde_json::{Map, Value, json};

/// What each item of a body or a reply is.
pub(super) const ITEM: &str = "x-item-schema";
/// What each item is that a client sends over a WebSocket.
pub(super) const REQUEST_ITEM: &str = "x-request-item-schema";

/// The content of items in those forms, by media type.
pub(super) fn content(forms: &[StreamForm], item: &Value) -> Map<String, Value> {
    forms.iter().map(|form| (form.media_type().to_owned(), one(*form, item))).collect()
}

fn one(form: StreamForm, item: &Value) -> Value {
    let text =
        |description: &str| json!({ "schema": { "type": "string", "description": description }, ITEM: item });
    match form {
        StreamForm::Json => json!({ "schema": { "type": "array", "items": item } }),
        StreamForm::Ndjson => text("Items, each a JSON text on a line of its own."),
        StreamForm::Sse => text(
            "Events, each of which has an item as its data. An event `end` comes behind the last one, and `error` with a problem where it breaks off.",
        ),
    }
}

/// The content of a body that is bytes of those types.
pub(super) fn bytes(types: &[String]) -> Map<String, Value> {
    let schema = json!({ "schema": { "type": "string", "format": "binary" } });
    types.iter().map(|media| (media.clone(), schema.clone())).collect()
}
