//! Who may call: security schemes of authenticators, and what routes ask for.

use crate::config::{AuthKind, AuthSpec, Require, RoutePolicy};
use serde_json::{Map, Value, json};

/// What a route asks of its callers, with the schemes that it names; `None` where nothing is asked.
pub(super) fn of_route(policy: &RoutePolicy, schemes: &mut Map<String, Value>) -> Option<Value> {
    if !policy.auth.is_said() {
        return None;
    }
    let scopes: Vec<&str> = policy
        .require
        .lists()
        .iter()
        .flat_map(|Require { scopes, .. }| scopes)
        .map(|scope| &**scope)
        .collect();
    let mut any: Vec<Value> = Vec::new();
    for spec in policy.auth.specs() {
        let Some(scheme) = scheme(spec) else { continue };
        let name = plain(&spec.name);
        schemes.entry(name.clone()).or_insert(scheme);
        any.push(json!({ name: scopes }));
    }
    if policy.auth.admits_anonymous() {
        any.push(json!({}));
    }
    // Where no scheme has a word in OpenAPI, the statuses and the description tell.
    (!any.is_empty()).then(|| any.into())
}

/// How callers show who they are; `None` for what no request shows.
fn scheme(spec: &AuthSpec) -> Option<Value> {
    let http = |scheme: &str| json!({ "type": "http", "scheme": scheme });
    Some(match &spec.kind {
        AuthKind::Mtls(_) => json!({ "type": "mutualTLS" }),
        AuthKind::Unix(_) => return None,
        AuthKind::Jwt(_) => json!({ "type": "http", "scheme": "bearer", "bearerFormat": "JWT" }),
        AuthKind::ApiKey(spec) if spec.is_bearer() => http("bearer"),
        AuthKind::ApiKey(spec) => {
            json!({ "type": "apiKey", "in": "header", "name": spec.header.as_str() })
        }
        AuthKind::Basic(_) => http("basic"),
        AuthKind::Rpc(spec) => asked(spec.call.outside.iter().filter_map(|one| one.header()))?,
        AuthKind::Http(spec) => asked(spec.told.iter().filter_map(|one| one.header()))?,
    })
}

/// The scheme of an authenticator that asks others, by the first header that these are told.
fn asked<'h>(mut headers: impl Iterator<Item = &'h str>) -> Option<Value> {
    let header = headers.next()?;
    Some(match header.eq_ignore_ascii_case("authorization") {
        true => json!({ "type": "http", "scheme": "bearer" }),
        false => json!({ "type": "apiKey", "in": "header", "name": header }),
    })
}

/// A name in the characters that OpenAPI has for names.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect()
}
