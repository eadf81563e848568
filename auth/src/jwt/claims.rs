//! What the claims of a token whose signature is right must say, and who follows from them.

use super::{ClaimName, Expected, Refused};
use crate::{Claims, Identity, UnixSeconds};
use serde_json::Value;

/// The last second of the year 9999. A later date is one in milliseconds, or a mistake.
const LAST_DATE: UnixSeconds = 253_402_300_799;

/// The name of a caller is no longer than that, in bytes.
const MAX_NAME: usize = 256;

/// Who the claims are of, if they are as expected.
pub(super) fn identity(claims: Claims, expected: &Expected, now: UnixSeconds) -> Result<Identity, Refused> {
    let expires = dates(&claims, expected.leeway, now)?;
    issuer(&claims, expected)?;
    audience(&claims, expected)?;
    if expected.required.iter().any(|name| matches!(name.of(&claims), None | Some(Value::Null))) {
        return Err(Refused::Claims);
    }
    let name = name(&claims, &expected.name)?;
    let scopes = scopes(&claims, &expected.scopes)?;
    Ok(Identity::new(name).with_scopes(scopes).with_claims(claims).until(expires))
}

/// When it ends, if it holds now. The leeway is for either side: it holds a little longer, and a little earlier.
fn dates(claims: &Claims, leeway: UnixSeconds, now: UnixSeconds) -> Result<UnixSeconds, Refused> {
    let expires = date(claims, "exp", f64::floor)?.ok_or(Refused::Claims)?.saturating_add(leeway);
    let begins = date(claims, "nbf", f64::ceil)?;
    let issued = date(claims, "iat", f64::floor)?;
    if now >= expires {
        return Err(Refused::Expired);
    }
    match begins.max(issued) {
        Some(begins) if begins > now.saturating_add(leeway) => Err(Refused::NotYet),
        _ => Ok(expires),
    }
}

/// A date, which may have a fraction (RFC 7519, 2). What is before 1970, later than the year 9999, or no number is none.
fn date(claims: &Claims, name: &str, whole: fn(f64) -> f64) -> Result<Option<UnixSeconds>, Refused> {
    let Some(value) = claims.get(name) else { return Ok(None) };
    let seconds = match (value.as_u64(), value.as_f64()) {
        (Some(seconds), _) if value.is_u64() => Some(seconds),
        // Up to the last date, all whole numbers are exact.
        (_, Some(seconds)) if (0.0..=LAST_DATE as f64).contains(&seconds) => {
            Some(whole(seconds) as UnixSeconds)
        }
        _ => None,
    };
    seconds.filter(|seconds| *seconds <= LAST_DATE).map(Some).ok_or(Refused::Claims)
}

fn issuer(claims: &Claims, expected: &Expected) -> Result<(), Refused> {
    let issuer = claims.get("iss").and_then(Value::as_str);
    let known = issuer.is_some_and(|issuer| expected.issuers.iter().any(|one| one == issuer));
    if known || expected.issuers.is_empty() { Ok(()) } else { Err(Refused::Issuer) }
}

/// A text, or a list of texts. Whoever is not named where anybody is, is not meant (RFC 7519, 4.1.3).
fn audience(claims: &Claims, expected: &Expected) -> Result<(), Refused> {
    let one =
        |value: &Value| value.as_str().is_some_and(|name| expected.audiences.iter().any(|one| one == name));
    let meant = match claims.get("aud") {
        None => expected.audiences.is_empty(),
        Some(Value::Array(all)) => all.iter().all(Value::is_string) && all.iter().any(one),
        Some(value) => one(value),
    };
    if meant { Ok(()) } else { Err(Refused::Audience) }
}

/// The caller's name, which is shown in logs and sent along: a text of one line.
fn name<'c>(claims: &'c Claims, name: &ClaimName) -> Result<&'c str, Refused> {
    let name = name.of(claims).and_then(Value::as_str).ok_or(Refused::Claims)?;
    let fits = (1..=MAX_NAME).contains(&name.len()) && !name.chars().any(char::is_control);
    if fits { Ok(name) } else { Err(Refused::Claims) }
}

fn scopes(claims: &Claims, names: &[ClaimName]) -> Result<Vec<Box<str>>, Refused> {
    let mut scopes: Vec<Box<str>> = Vec::new();
    for value in names.iter().filter_map(|name| name.of(claims)) {
        match value {
            Value::String(text) => {
                scopes.extend(text.split(' ').filter(|one| !one.is_empty()).map(Box::from))
            }
            Value::Array(list) => {
                for one in list {
                    scopes.push(one.as_str().filter(|one| !one.is_empty()).ok_or(Refused::Claims)?.into());
                }
            }
            _ => return Err(Refused::Claims),
        }
    }
    Ok(scopes)
}
