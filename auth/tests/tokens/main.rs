//! Tokens as an issuer, a fool and an attacker make them. No hostile one passes, and each is refused for its own reason; good ones pass.

#![allow(clippy::unwrap_used)]

mod cost;
mod ecdsa;
mod files;
mod form;
mod good;
mod hostile_claims;
mod hostile_headers;
mod property;
mod signatures;
mod signers;

use callgate_auth::Identity;
use callgate_auth::jwt::{self, Algorithm, Asked, Expected, Keys, Refused, Revoked};
use serde_json::{Map, Value, json};
use signers::{ISSUER, SECRET, signed, with_signature};
use std::collections::HashSet;

/// The time of all tests.
pub(crate) const NOW: u64 = 1_800_000_000;

/// A token that is not to pass: what is wrong with it, its bytes, and why it is refused.
pub(crate) type Hostile = (&'static str, Vec<u8>, Refused);

/// The four public keys of the issuer and its secret, in one set: the more there is to be confused.
pub(crate) fn keys() -> Keys {
    let jwks = Keys::from_jwks(ISSUER.jwks().to_string().as_bytes()).unwrap();
    assert_eq!(jwks.skipped, []);
    jwks.keys.and(Keys::from_secret(SECRET).unwrap()).unwrap()
}

/// What is asked: the algorithms but for those with SHA-384 and SHA-512 of RSA, so that some are known and not expected.
pub(crate) fn asked() -> Asked {
    let algorithms =
        ["HS256", "RS256", "PS256", "ES256", "ES384", "EdDSA"].map(|name| Algorithm::parse(name).unwrap());
    Asked {
        issuers: vec!["https://id.example".into(), "https://old.example".into()],
        audiences: vec!["orders".into(), "https://api.example/orders".into()],
        required: vec!["tenant".into()],
        ..Asked::by(algorithms)
    }
}

pub(crate) fn verify(asked: Asked, token: &[u8]) -> Result<Identity, Refused> {
    jwt::verify(&keys(), &Expected::new(asked).unwrap(), &Revoked::default(), token, NOW)
}

/// A header with that algorithm, and the name of the key that is for it.
pub(crate) fn header(algorithm: &str) -> Value {
    match kid_of(algorithm) {
        Some(kid) => json!({"alg": algorithm, "typ": "JWT", "kid": kid}),
        None => json!({"alg": algorithm, "typ": "JWT"}),
    }
}

pub(crate) fn kid_of(algorithm: &str) -> Option<&'static str> {
    match algorithm.as_bytes() {
        [b'R' | b'P', ..] => Some("r"),
        b"ES256" => Some("e"),
        b"ES384" => Some("f"),
        [b'E', ..] => Some("o"),
        _ => None,
    }
}

/// Claims of which nothing is wrong.
pub(crate) fn claims() -> Value {
    json!({
        "iss": "https://id.example", "aud": "orders", "sub": "ada", "tenant": "acme", "jti": "7f1c",
        "exp": NOW + 300, "nbf": NOW - 10, "iat": NOW - 10, "scope": "orders:read orders:write",
    })
}

/// An object with another member, or with a member that is something else.
pub(crate) fn with(mut object: Value, name: &str, value: impl Into<Value>) -> Value {
    object[name] = value.into();
    object
}

/// An object without a member.
pub(crate) fn without(object: Value, name: &str) -> Value {
    let mut object: Map<String, Value> = serde_json::from_value(object).unwrap();
    object.remove(name).unwrap();
    object.into()
}

/// A token of the issuer, signed as its header says.
pub(crate) fn token(header: &Value, claims: &Value) -> String {
    raw(
        header["alg"].as_str().unwrap_or_default(),
        header.to_string().as_bytes(),
        claims.to_string().as_bytes(),
    )
}

/// A token of any bytes, signed by that algorithm.
pub(crate) fn raw(algorithm: &str, header: &[u8], claims: &[u8]) -> String {
    let signed = signed(header, claims);
    with_signature(&signed, &ISSUER.sign(algorithm, signed.as_bytes()))
}

/// The token that all hostile ones are made of.
pub(crate) fn good() -> String {
    token(&header("RS256"), &claims())
}

#[test]
fn no_hostile_token_passes_and_each_is_refused_for_its_own_reason() {
    let (keys, expected) = (keys(), Expected::new(asked()).unwrap());
    let check = |token: &[u8]| jwt::verify(&keys, &expected, &Revoked::default(), token, NOW);
    assert!(check(good().as_bytes()).is_ok());
    let groups = [
        form::hostile(),
        hostile_headers::hostile(),
        signatures::hostile(),
        ecdsa::hostile(),
        hostile_claims::dates(),
        hostile_claims::hostile(),
    ];
    let hostile: Vec<Hostile> = groups.into_iter().flatten().collect();
    let wrong: Vec<String> = hostile
        .iter()
        .map(|(name, token, refused)| {
            (name, check(token).map(|identity| identity.name().to_owned()), refused)
        })
        .filter(|(_, result, refused)| result.as_ref().err() != Some(refused))
        .map(|(name, result, refused)| format!("{name}: {result:?} and not {refused:?}"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let names: HashSet<_> = hostile.iter().map(|(name, ..)| name).collect();
    assert_eq!(names.len(), hostile.len(), "each has a name of its own");
    assert!(hostile.len() >= 250, "there are {}", hostile.len());
}
