//! Replies that any route can give, whatever it calls: refusals by what it asks of its clients, and all other failures.

use super::problem;
use super::shown::Shown;
use crate::config::{ActionSpec, BodyTypes};
use callgate_transcode::Body;
use serde_json::{Map, Value, json};

/// Replies that are the same for all routes: name, status, and what they are.
const COMMON: [(&str, &str, &str); 10] = [
    (
        "BadRequest",
        "400",
        "The request is not what the method takes; `errors` says what is wrong, and where.",
    ),
    ("Unauthenticated", "401", "The caller is not known, or what it has shown is bad."),
    ("Forbidden", "403", "The caller may not do this."),
    ("BodyTooLarge", "413", "The body is too large."),
    ("UnsupportedMediaType", "415", "The body is of a type that is not read."),
    ("UpgradeRequired", "426", "The request begins no WebSocket."),
    ("TooManyRequests", "429", "There are too many requests; `Retry-After` says when there is room."),
    ("Unavailable", "503", "Nobody can answer at the moment; `Retry-After` says when to ask again."),
    ("Timeout", "504", "The time was up."),
    ("Failed", "default", "The request has failed."),
];

/// These, by their names: operations only refer to them.
pub(super) fn components() -> Value {
    let one = |(name, _, description): &(&str, &str, &str)| {
        ((*name).to_owned(), problem::response(description, vec![problem::reference()]))
    };
    Value::Object(COMMON.iter().map(one).collect())
}

/// Adds what replies of every route can be: refusals by what the route asks, and all else.
pub(super) fn put(replies: &mut Map<String, Value>, one: &Shown<'_>) {
    let policy = one.policy;
    let mut put = |status: &str| {
        if let Some((name, ..)) = COMMON.iter().find(|(_, own, _)| *own == status) {
            let reference = format!("#/components/responses/{name}");
            replies.entry(status).or_insert_with(|| json!({ "$ref": reference }));
        }
    };
    if let ActionSpec::Call(spec) = one.action {
        put("400");
        if spec.body != BodyTypes::Json || spec.request.body != Body::None {
            put("413");
            put("415");
        }
        if spec.websocket.is_some() {
            put("426");
        }
        put("503");
        put("504");
    }
    if policy.auth.is_said() {
        put("503");
        if !policy.auth.specs().is_empty() {
            put("401");
        }
    }
    let rules = matches!(one.action, ActionSpec::Call(spec) if !spec.policy.rules.are_none());
    let narrow = !policy.require.lists().is_empty() || !policy.clients.lists().is_empty();
    if rules || narrow || policy.client_certificate {
        put("403");
    }
    if policy.rate_limits.limits.iter().any(|limit| !limit.spec.dry_run) {
        put("429");
    }
    put("default");
}
