//! A JWKS (RFC 7517): which of its keys can be used, and why the others cannot.

use super::header::MAX_KID;
use super::key::{Curve, Key};
use super::keys::{Keys, Skipped};
use super::{Algorithm, base64url};
use crate::{Mistake, Mistakes, json};
use serde_json::{Map, Value};

/// Members that only a private key has (RFC 7518, 6.2.2, 6.3.2).
const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "oth"];

/// Reads the document; the keys that can be used, and the others.
pub(super) fn read(text: &[u8]) -> Result<(Vec<Key>, Vec<Skipped>), Mistakes> {
    const SHAPE: &str = "a JWKS is `{\"keys\": [ … ]}`, with a JWK for each key (RFC 7517)";
    if text.len() > Keys::MAX_BYTES {
        return Err(Mistake::new(format!("a JWKS has {} bytes at most", Keys::MAX_BYTES)).into());
    }
    let document = match json::object(text) {
        Ok(document) => document,
        Err(error) => {
            let at = offset(text, error.line(), error.column());
            let mistake = Mistake::new("this is no JWKS").at(at..at + 1, words(&error)).help(SHAPE);
            return Mistakes::none_or(text, vec![mistake]).map(|()| (Vec::new(), Vec::new()));
        }
    };
    let Some(Value::Array(all)) = document.get("keys") else {
        return Err(Mistake::new("this is no JWKS: it has no list `keys`").help(SHAPE).into());
    };
    if all.len() > Keys::MAX {
        return Err(Mistake::new(format!("there are more than {} keys", Keys::MAX)).into());
    }
    let (mut keys, mut skipped) = (Vec::new(), Vec::new());
    for (index, jwk) in all.iter().enumerate() {
        match key(jwk) {
            Ok(key) => keys.push(key),
            Err(why) => {
                let kid = jwk.get("kid").and_then(Value::as_str).filter(|kid| kid.len() <= MAX_KID);
                skipped.push(Skipped { index, kid: kid.map(str::to_owned), why });
            }
        }
    }
    match (keys.is_empty(), skipped.first()) {
        (true, Some(Skipped { index, why, .. })) => {
            let title = "there is no key in this JWKS that can be used";
            Err(Mistake::new(format!("{title}; the one at /keys/{index}: {why}")).into())
        }
        _ => Ok((keys, skipped)),
    }
}

/// One key, or why it is not used.
fn key(jwk: &Value) -> Result<Key, String> {
    let jwk = jwk.as_object().ok_or("it is no object")?;
    if PRIVATE.iter().any(|name| jwk.contains_key(*name)) {
        return Err("it has its private part, which must be nowhere but with the issuer".to_owned());
    }
    if text_of(jwk, "use")?.is_some_and(|used| used != "sig") {
        return Err("it is not for signatures (`use`)".to_owned());
    }
    if jwk.get("key_ops").is_some_and(|all| !all.as_array().is_some_and(|all| all.contains(&"verify".into())))
    {
        return Err("it is not for verifying (`key_ops`)".to_owned());
    }
    let pinned = match text_of(jwk, "alg")? {
        Some(name) => Some(Algorithm::parse(name).ok_or("its algorithm (`alg`) is not known")?),
        None => None,
    };
    let kid = text_of(jwk, "kid")?;
    if kid.is_some_and(|kid| kid.len() > MAX_KID) {
        return Err(format!("its name (`kid`) has more than {MAX_KID} bytes"));
    }
    let key = of_type(jwk)?;
    let key = match pinned {
        Some(algorithm) => {
            key.pinned(algorithm).ok_or("its algorithm (`alg`) is not for a key of its type")?
        }
        None => key,
    };
    Ok(match kid {
        Some(kid) => key.named(kid),
        None => key,
    })
}

fn of_type(jwk: &Map<String, Value>) -> Result<Key, String> {
    let kind = text_of(jwk, "kty")?.ok_or("it does not say its type (`kty`)")?;
    let curve = text_of(jwk, "crv")?.unwrap_or_default();
    match (kind, curve) {
        ("RSA", _) => Key::rsa_of(&bytes_of(jwk, "n")?, &bytes_of(jwk, "e")?),
        ("EC", "P-256") => Key::of_curve(Curve::P256, &point(jwk, 32)?),
        ("EC", "P-384") => Key::of_curve(Curve::P384, &point(jwk, 48)?),
        ("OKP", "Ed25519") => Key::of_curve(Curve::Ed25519, &sized(jwk, "x", 32)?),
        ("EC" | "OKP", _) => Err("its curve (`crv`) is not known".to_owned()),
        ("oct", _) => Err("it is a secret (`oct`), which does not belong to public keys".to_owned()),
        _ => Err("its type (`kty`) is not known".to_owned()),
    }
}

/// The point of a curve, uncompressed (SEC 1, 2.3.3).
fn point(jwk: &Map<String, Value>, size: usize) -> Result<Vec<u8>, String> {
    Ok([&[4], &*sized(jwk, "x", size)?, &*sized(jwk, "y", size)?].concat())
}

fn sized(jwk: &Map<String, Value>, name: &str, size: usize) -> Result<Vec<u8>, String> {
    let bytes = bytes_of(jwk, name)?;
    if bytes.len() == size { Ok(bytes) } else { Err(format!("`{name}` must have {size} bytes")) }
}

fn bytes_of(jwk: &Map<String, Value>, name: &str) -> Result<Vec<u8>, String> {
    let text = text_of(jwk, name)?.ok_or_else(|| format!("it has no `{name}`"))?;
    base64url::read(text.as_bytes()).ok_or_else(|| format!("`{name}` is no base64url without padding"))
}

fn text_of<'k>(jwk: &'k Map<String, Value>, name: &str) -> Result<Option<&'k str>, String> {
    match jwk.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{name}` is no text")),
    }
}

/// Where a line and a column, which count from 1 in bytes, stand.
fn offset(text: &[u8], line: usize, column: usize) -> usize {
    let ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    let start = std::iter::once(0).chain(ends).nth(line.saturating_sub(1)).unwrap_or(text.len());
    (start + column.saturating_sub(1)).min(text.len())
}

/// What serde_json says, without the place.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}
