//! Who may call: tokens as strangers make them, and files as operators write them.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use callgate_auth::jwt::{self, Algorithm, Asked, Expected, Keys, Refused, Revoked};
use callgate_auth::{ApiKeys, Identity, Mistakes, Passwords, told};
use serde_json::{Map, Value};
use std::sync::LazyLock;

const SECRET: &[u8] = b"the secret of the fuzz targets: 32 bytes and more";

/// The time of all inputs.
const NOW: u64 = 1_800_000_000;

/// The secret beside public keys of each kind, so that there is something to be confused.
static KEYS: LazyLock<Keys> = LazyLock::new(|| {
    let jwks = Keys::from_jwks(include_bytes!("../corpus/key_files/jwks")).expect("the seed is sound");
    jwks.keys.and(Keys::from_secret(SECRET).expect("it is long enough")).expect("these are few")
});

static EXPECTED: LazyLock<Expected> = LazyLock::new(|| {
    let asked = Asked {
        issuers: vec!["https://id.example".to_owned()],
        audiences: vec!["orders".to_owned()],
        ..Asked::by(Algorithm::ALL)
    };
    Expected::new(asked).expect("it is sound")
});

fn verify(token: &[u8]) -> Result<Identity, Refused> {
    jwt::verify(&KEYS, &EXPECTED, &Revoked::default(), token, NOW)
}

/// A token as it stands there, which nobody has signed; and with a line's end, a header and claims, which are signed.
pub fn tokens(input: &[u8]) {
    let Some(at) = input.iter().position(|byte| *byte == b'\n') else {
        assert!(verify(input).is_err(), "nobody has signed it");
        return;
    };
    let (header, claims) = (&input[..at], &input[at + 1..]);
    let token = signed(header, claims);
    let Ok(identity) = verify(token.as_bytes()) else { return };
    is_right(header, claims, &identity);
    // Each byte of a token counts; one of them is changed here, another one for each input.
    let mut changed = token.into_bytes();
    let at = input.iter().fold(0, |at, byte| (at * 31 + usize::from(*byte)) % changed.len());
    changed[at] ^= 1;
    assert!(verify(&changed).is_err(), "byte {at} was changed");
}

fn signed(header: &[u8], claims: &[u8]) -> String {
    let text = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), text.as_bytes());
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

/// What serde_json reads of a token that passed is what was asked for.
fn is_right(header: &[u8], claims: &[u8], identity: &Identity) {
    let header: Map<String, Value> = serde_json::from_slice(header).expect("an object");
    assert_eq!(header.get("alg"), Some(&"HS256".into()));
    assert!(["crit", "b64", "enc", "cty"].iter().all(|name| !header.contains_key(*name)));
    let claims: Map<String, Value> = serde_json::from_slice(claims).expect("an object");
    assert!(claims.iter().all(|(name, value)| identity.claims().get(name) == Some(value)));
    assert_eq!(claims.get("sub").and_then(Value::as_str), Some(identity.name()));
    assert_eq!(claims.get("iss"), Some(&"https://id.example".into()));
    let orders = Value::from("orders");
    let aud = claims.get("aud").expect("an audience");
    assert!(*aud == orders || aud.as_array().is_some_and(|all| all.contains(&orders)));
    let leeway = Asked::LEEWAY as f64;
    let date = |name: &str| claims.get(name).map(|date| date.as_f64().expect("a number"));
    assert!(date("exp").is_some_and(|end| end + leeway > NOW as f64 && end < 253_402_300_800.0));
    assert!(["nbf", "iat"].iter().all(|name| date(name).is_none_or(|from| from - leeway < NOW as f64 + 1.0)));
    assert!(identity.expires().is_some_and(|expires| expires > NOW));
}

/// The answer of a service that was asked who calls.
pub fn answers(input: &[u8]) {
    let answer = told::from_json(input);
    assert_eq!(answer, told::from_json(input));
    let identity = match answer {
        Ok(Some(identity)) => identity,
        Ok(None) => return assert_eq!(serde_json::from_slice::<Value>(input).ok(), Some(Value::Null)),
        Err(unusable) => return assert!(!unusable.to_string().is_empty()),
    };
    let said: Map<String, Value> = serde_json::from_slice(input).expect("an object");
    let name = match &said["name"] {
        Value::String(name) => name.clone(),
        number => {
            number.as_u64().map(|n| n.to_string()).or(number.as_i64().map(|n| n.to_string())).expect("whole")
        }
    };
    assert_eq!(identity.name(), name);
    assert!((1..=256).contains(&name.len()) && !name.contains(char::is_control));
    let scopes = said.get("scopes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    assert!(scopes.iter().all(|scope| scope.as_str().is_some_and(|scope| identity.has_scope(scope))));
    assert!(identity.scopes().len() <= scopes.len().min(256));
    assert!(identity.scopes().all(|scope| !scope.is_empty() && !scope.contains([' ', '\n', '\0'])));
    for (name, value) in said.get("claims").and_then(Value::as_object).into_iter().flatten() {
        assert_eq!(identity.claims().get(name), Some(value));
    }
    assert_eq!(identity.expires(), None, "an answer is not believed for longer than the table says");
}

/// Files of API keys, users, public keys and revoked tokens.
pub fn key_files(input: &[u8]) {
    let again = |first: Result<usize, Mistakes>, second: Result<usize, Mistakes>| {
        assert_eq!(first, second);
        let _ = first.map_err(|mistakes| are_told(input, &mistakes));
    };
    if let Ok(text) = std::str::from_utf8(input) {
        let api_keys = || ApiKeys::read(text).map(|keys| keys.len());
        again(api_keys(), api_keys());
        let passwords = || Passwords::read(text).map(|users| users.len());
        again(passwords(), passwords());
    }
    let revoked = || Revoked::read(input).map(|list| list.len());
    again(revoked(), revoked());
    let keys = || [Keys::from_pem(input), Keys::from_jwks(input).map(|jwks| jwks.keys)];
    for (first, second) in keys().into_iter().zip(keys()) {
        match (first, second) {
            (Ok(first), Ok(second)) => assert_eq!(first.fingerprint(), second.fingerprint()),
            (first, second) => again(first.map(|keys| keys.len()), second.map(|keys| keys.len())),
        }
    }
}

/// Each mistake has words, and its place is one of the file.
fn are_told(file: &[u8], mistakes: &Mistakes) {
    assert!(mistakes.iter().len() > 0);
    for mistake in mistakes.iter() {
        assert!(!mistake.title().is_empty() && !mistake.to_string().contains('\n'));
        if let (Some(span), Some((line, column))) = (mistake.span(), mistake.place()) {
            assert!(span.start <= span.end && span.end <= file.len(), "{span:?}");
            let lines = file.iter().filter(|byte| **byte == b'\n').count() + 1;
            assert!(line <= lines && column <= file.len() + 1, "{line}:{column}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise the targets would look at refusals only.
    #[test]
    fn the_seeds_are_taken() {
        for seed in [&include_bytes!("../corpus/tokens/claims")[..], include_bytes!("../corpus/tokens/list")]
        {
            let at = seed.iter().position(|byte| *byte == b'\n').expect("two lines");
            let identity = verify(signed(&seed[..at], &seed[at + 1..]).as_bytes()).expect("a sound token");
            assert_eq!(identity.name(), "ada");
        }
        assert_eq!(KEYS.len(), 5, "four public ones and the secret");
        let text = |seed: &'static [u8]| std::str::from_utf8(seed).expect("a text");
        assert_eq!(ApiKeys::read(text(include_bytes!("../corpus/key_files/keys"))).expect("keys").len(), 2);
        assert_eq!(
            Passwords::read(text(include_bytes!("../corpus/key_files/users"))).expect("users").len(),
            1
        );
        assert_eq!(Keys::from_pem(include_bytes!("../corpus/key_files/pem")).expect("keys").len(), 2);
        assert_eq!(Revoked::read(include_bytes!("../corpus/key_files/revoked")).expect("a list").len(), 2);
    }
}
