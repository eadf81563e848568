//! Who a caller is by the word of somebody else: a service of the operator's own that was asked. What it says becomes an identity, or
//! it is not taken at all: nothing is guessed, shortened or left out.

use crate::json::object;
use crate::{Claims, Identity};
use serde_json::{Map, Value};
use std::fmt;

/// The longest answer, in bytes.
pub const MAX_TOLD: usize = 64 * 1024;
/// The longest name, in bytes.
const MAX_NAME: usize = 256;
/// Scopes of one caller.
const MAX_SCOPES: usize = 256;
/// The longest scope, in bytes.
const MAX_SCOPE: usize = 256;
/// Claims of one caller. How deep they are the reading of JSON bounds.
const MAX_CLAIMS: usize = 256;

/// Why an answer says nothing, in words for operators. It never repeats what the answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unusable(&'static str);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Unusable {}

/// Reads an answer in JSON: `null` for a caller who is not known, or an object with `name`, perhaps `scopes` and perhaps `claims`. What
/// else it has does not matter.
///
/// # Errors
///
/// It is neither.
pub fn from_json(json: &[u8]) -> Result<Option<Identity>, Unusable> {
    if json.len() > MAX_TOLD {
        return Err(Unusable("the answer is too long"));
    }
    // Read, and not only looked for: around a form feed it is no JSON.
    if serde_json::from_slice::<()>(json).is_ok() {
        return Ok(None);
    }
    let mut said = object(json).map_err(|_| Unusable("the answer is neither null nor a plain object"))?;
    let name = match said.get("name") {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Number(number)) if !number.is_f64() => number.to_string(),
        _ => return Err(Unusable("`name` of the answer is neither a text nor a whole number")),
    };
    let scopes = match said.get("scopes") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(all)) => {
            let texts = all.iter().map(Value::as_str).collect::<Option<Vec<_>>>();
            texts.ok_or(Unusable("`scopes` of the answer is not a list of texts"))?
        }
        Some(_) => return Err(Unusable("`scopes` of the answer is not a list of texts")),
    };
    let identity = identity(&name, scopes)?;
    let claims = match said.remove("claims") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(claims)) => claims,
        Some(_) => return Err(Unusable("`claims` of the answer is not an object")),
    };
    with_claims(identity, claims).map(Some)
}

/// A caller with that name and these scopes.
///
/// # Errors
///
/// It could not be shown or sent along so.
pub fn identity<'s>(name: &str, scopes: impl IntoIterator<Item = &'s str>) -> Result<Identity, Unusable> {
    if !(1..=MAX_NAME).contains(&name.len()) || name.chars().any(char::is_control) {
        return Err(Unusable("the caller's name is empty, too long, or has control characters"));
    }
    let scopes: Vec<&str> = scopes.into_iter().take(MAX_SCOPES + 1).collect();
    if scopes.len() > MAX_SCOPES {
        return Err(Unusable("the caller has too many scopes"));
    }
    // RFC 6749, 3.3: scopes are listed with spaces between.
    let is_scope = |scope: &&str| {
        (1..=MAX_SCOPE).contains(&scope.len()) && !scope.chars().any(|c| c.is_whitespace() || c.is_control())
    };
    if !scopes.iter().all(is_scope) {
        return Err(Unusable("a scope is empty, too long, or has spaces or control characters"));
    }
    Ok(Identity::new(name).with_scopes(scopes))
}

/// The same caller with these claims.
///
/// # Errors
///
/// There are too many.
pub fn with_claims(identity: Identity, claims: Map<String, Value>) -> Result<Identity, Unusable> {
    match claims.len() <= MAX_CLAIMS {
        true => Ok(identity.with_claims(Claims::from(claims))),
        false => Err(Unusable("the caller has too many claims")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_nobody_or_somebody_with_scopes_and_claims() {
        assert_eq!(from_json(b" null\n"), Ok(None));
        let plain = |name: &str| Identity::new(name);
        let scopes = ["b", "a"];
        let claims = serde_json::json!({ "tenant": "acme", "n": [1, { "x": null }] });
        let claims = Claims::from(claims.as_object().expect("an object").clone());
        for (json, expected) in [
            (r#"{"name":"ada"}"#, plain("ada")),
            (r#"{"name":7,"other":[1]}"#, plain("7")),
            (r#"{"name":"ada","scopes":null,"claims":null}"#, plain("ada")),
            (r#"{"name":"ada","scopes":["a","b","a"],"claims":{}}"#, plain("ada").with_scopes(scopes)),
            (
                r#"{"claims":{"tenant":"acme","n":[1,{"x":null}]},"name":"ada"}"#,
                plain("ada").with_claims(claims),
            ),
        ] {
            assert_eq!(from_json(json.as_bytes()), Ok(Some(expected)), "{json}");
        }
    }

    #[test]
    fn an_answer_that_says_something_else_is_not_taken() {
        let long = "x".repeat(MAX_NAME + 1);
        let many: Vec<String> = (0..=MAX_SCOPES).map(|n| format!("\"{n}\"")).collect();
        let claims: Vec<String> = (0..=MAX_CLAIMS).map(|n| format!("\"{n}\":1")).collect();
        let deep = format!("{{\"name\":\"ada\",\"claims\":{{\"a\":{}{}}}}}", "[".repeat(40), "]".repeat(40));
        for json in [
            "",
            "nul",
            "null null",
            "\x0cnull",
            "true",
            "\"ada\"",
            "[\"ada\"]",
            "{}",
            r#"{"name":null}"#,
            r#"{"name":1.5}"#,
            r#"{"name":true}"#,
            r#"{"name":""}"#,
            r#"{"name":"a\nb"}"#,
            r#"{"name":"ada","name":"bob"}"#,
            r#"{"name":"ada","scopes":"a b"}"#,
            r#"{"name":"ada","scopes":[1]}"#,
            r#"{"name":"ada","scopes":["a b"]}"#,
            r#"{"name":"ada","scopes":[""]}"#,
            r#"{"name":"ada","claims":[]}"#,
            r#"{"name":"ada","claims":{"a":1,"a":2}}"#,
            &format!("{{\"name\":\"{long}\"}}"),
            &format!("{{\"name\":\"ada\",\"scopes\":[\"{long}\"]}}"),
            &format!("{{\"name\":\"ada\",\"scopes\":[{}]}}", many.join(",")),
            &format!("{{\"name\":\"ada\",\"claims\":{{{}}}}}", claims.join(",")),
            &format!("{{\"name\":\"ada\"}}{}", " ".repeat(MAX_TOLD)),
            &deep,
        ] {
            assert!(from_json(json.as_bytes()).is_err(), "{}", &json[..json.len().min(60)]);
        }
    }
}
