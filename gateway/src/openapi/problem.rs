//! Problems: the one form of all failures, and those that methods declare.

use super::SCHEMAS;
use crate::failure::Reason;
use callgate_protocol::Code;
use serde_json::{Value, json};

pub(super) const MEDIA_TYPE: &str = "application/problem+json";
/// The name of its schema.
pub(super) const NAME: &str = "Problem";

/// A reference to the schema of all problems.
pub(super) fn reference() -> Value {
    json!({ "$ref": format!("{SCHEMAS}{NAME}") })
}

/// The schema of all problems.
pub(super) fn schema() -> Value {
    let text = |description: &str| json!({ "type": "string", "description": description });
    let reasons: Vec<&str> = Reason::ALL.iter().map(|reason| reason.name()).collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    let number = json!({ "type": "integer", "minimum": 1 });
    json!({
        "type": "object",
        "description": "Why a request has failed (RFC 9457).",
        "required": ["type", "title", "status", "detail", "code", "reason", "request_id"],
        "properties": {
            "type": {
                "type": "string", "format": "uri-reference",
                "description": "Which error it is, where the method declares it; otherwise `about:blank`.",
            },
            "title": text("The status in words."),
            "status": { "type": "integer", "minimum": 400, "maximum": 599 },
            "detail": text("What has happened, for people."),
            "code": { "type": "string", "enum": codes, "description": "What kind of failure it is." },
            "reason": { "type": "string", "enum": reasons, "description": "Why exactly." },
            "request_id": text("By which the operator finds it."),
            "errors": {
                "type": "array",
                "description": "What is wrong with the request, and where.",
                "items": {
                    "type": "object",
                    "required": ["pointer", "detail"],
                    "properties": {
                        "pointer": text("A JSON Pointer (RFC 6901)."),
                        "detail": { "type": "string" },
                        "line": number,
                        "column": number,
                    },
                },
            },
            "details": { "description": "More of the method's, for programs." },
        },
    })
}

/// A reply that is a problem of one of these schemas.
pub(super) fn response(description: &str, mut schemas: Vec<Value>) -> Value {
    let schema = if schemas.len() == 1 { schemas.remove(0) } else { json!({ "anyOf": schemas }) };
    json!({ "description": description, "content": { MEDIA_TYPE: { "schema": schema } } })
}

/// The schema of one that a method declares: of that type, with those details.
pub(super) fn declared(uri: &str, details: Option<Value>) -> Value {
    let mut properties = json!({ "type": { "const": uri } });
    let mut required = vec!["type"];
    if let Some(details) = details {
        properties["details"] = details;
        required.push("details");
    }
    let one = json!({ "type": "object", "properties": properties, "required": required });
    json!({ "allOf": [reference(), one] })
}
