//! What a bearer token claims, for rate limits by claim.
//!
//! The token is read and not verified: whoever sends it may have written it. So a claim says as much as a header does, and
//! whether to believe it is decided by who stands before the gateway, or behind it.

use crate::fields::{self, AUTHORIZATION, Repeated};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use callgate_http1::Fields;
use serde_json::{Map, Value};

/// The token of `Authorization: Bearer` (RFC 6750, 2.1; a scheme's case does not matter). There is no comma in a token: where
/// one is, several lines were joined on their way. Other schemes have lists of parameters.
pub(super) fn bearer(fields: Fields<'_>) -> Result<Option<&[u8]>, Repeated<'static>> {
    let line = fields::line(fields, &AUTHORIZATION)?;
    let Some((scheme, token)) = line.and_then(|line| line.split_at_checked(7)) else {
        return Ok(None);
    };
    let token = token.trim_ascii();
    if !scheme.eq_ignore_ascii_case(b"bearer ") || token.is_empty() {
        return Ok(None);
    }
    if token.contains(&b',') { Err(fields::repeated(&AUTHORIZATION)) } else { Ok(Some(token)) }
}

/// The value of a claim in a bearer token, if that is a JSON Web Token (RFC 7519, in the compact form of RFC 7515, 7.1) and
/// the value a string, a number or a boolean.
pub(super) fn claim(token: &[u8], name: &str) -> Option<String> {
    let mut parts = token.split(|byte| *byte == b'.');
    let (_header, claims, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let claims = URL_SAFE_NO_PAD.decode(claims).ok()?;
    match serde_json::from_slice::<Map<String, Value>>(&claims).ok()?.remove(name)? {
        Value::String(text) => Some(text),
        value @ (Value::Number(_) | Value::Bool(_)) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::request;

    fn of(token: &str, name: &str) -> Option<String> {
        claim(token.as_bytes(), name)
    }

    fn token(claims: &str) -> String {
        format!("e30.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn a_claim_is_a_string_a_number_or_a_boolean() {
        let claims = token(
            r#"{"sub":"gr\u00fcn","tenant":42,"https://a.example/admin":true,"aud":["a"],"none":null}"#,
        );
        for (name, expected) in [
            ("sub", Some("gr\u{fc}n")),
            ("tenant", Some("42")),
            ("https://a.example/admin", Some("true")),
            ("aud", None),
            ("none", None),
            ("other", None),
        ] {
            assert_eq!(of(&claims, name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn what_is_no_token_claims_nothing() {
        let deep = token(&format!("{{\"sub\":{}", "[".repeat(10_000)));
        let claims = token(r#"{"sub":"a"}"#);
        let (four, two) = (format!("{claims}.x"), claims.rsplit_once('.').expect("three parts").0.to_owned());
        for text in ["opaque", "a.b.c", "..", "e30.W10.c2ln", "e30.eyJzdWIiOiJhIn0=.c2ln", &deep, &four, &two]
        {
            assert_eq!(of(text, "sub"), None, "{text}");
        }
    }

    #[test]
    fn a_bearer_token_comes_once_or_it_is_none() {
        for (lines, expected) in [
            (&[][..], Ok(None)),
            (&["Bearer t"], Ok(Some("t"))),
            (&["bearer  t "], Ok(Some("t"))),
            (&["Basic dDp0"], Ok(None)),
            (&["Digest a=1, b=2"], Ok(None)),
            (&["Bearer "], Ok(None)),
            (&["Bear"], Ok(None)),
            (&["Bearer t", "Bearer u"], Err(Repeated("Authorization"))),
            (&["Bearer t", "Bearer t"], Err(Repeated("Authorization"))),
            (&["Bearer t", ""], Err(Repeated("Authorization"))),
            (&["Bearer t, Bearer u"], Err(Repeated("Authorization"))),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| ("Authorization", line)).collect();
            assert_eq!(
                bearer(request(&lines).fields()),
                expected.map(|token| token.map(str::as_bytes)),
                "{lines:?}"
            );
        }
    }
}
