//! Headers that ask for another algorithm, another key, or for what is not done.

use crate::signers::{ATTACKER, ISSUER, base64url, hs256_by, signed, with_signature};
use crate::{Hostile, claims, header, token, with};
use callgate_auth::jwt::Refused::{Algorithm, Header, Signature, UnknownKey};
use serde_json::{Value, json};

pub(crate) fn hostile() -> Vec<Hostile> {
    [algorithms(), secrets(), keys(), members()].into_iter().flatten().collect()
}

fn algorithms() -> Vec<Hostile> {
    let names = [
        ("the algorithm none", "none"),
        ("the algorithm None", "None"),
        ("the algorithm NONE", "NONE"),
        ("the algorithm nOnE", "nOnE"),
        ("an empty algorithm", ""),
        ("an algorithm in small letters", "rs256"),
        ("an algorithm in mixed letters", "Rs256"),
        ("an algorithm with a blank", "RS256 "),
        ("an algorithm with a blank in front", " RS256"),
        ("two algorithms in one", "RS256,none"),
        ("RSA with SHA-1", "RS1"),
        ("the curve of bitcoin", "ES256K"),
        ("a key encryption", "RSA-OAEP"),
        ("an algorithm that is known and not expected", "RS512"),
        ("another one that is known and not expected", "PS384"),
        ("a longer secret's algorithm that is not expected", "HS512"),
    ];
    let mut all: Vec<Hostile> = Vec::new();
    for (name, algorithm) in names {
        let header = json!({"alg": algorithm, "kid": "r"});
        all.push((name, token(&header, &claims()).into_bytes(), Algorithm));
    }
    let unsigned = |algorithm: &str| {
        let header = json!({"alg": algorithm, "typ": "JWT"}).to_string();
        format!("{}.", signed(header.as_bytes(), claims().to_string().as_bytes())).into_bytes()
    };
    all.push(("none, and no signature", unsigned("none"), Algorithm));
    all.push(("None, and no signature", unsigned("None"), Algorithm));
    all.push(("ES256, and no signature", unsigned("ES256"), Signature));
    all.push(("HS256, and no signature", unsigned("HS256"), Signature));
    for (name, algorithm, kid) in [
        ("RS256 by the name of a key of P-256", "RS256", "e"),
        ("ES256 by the name of a key of P-384", "ES256", "f"),
        ("ES384 by the name of a key of P-256", "ES384", "e"),
        ("EdDSA by the name of a key of RSA", "EdDSA", "r"),
        ("ES256 by the name of a key of Ed25519", "ES256", "o"),
    ] {
        all.push((name, token(&json!({"alg": algorithm, "kid": kid}), &claims()).into_bytes(), Algorithm));
    }
    all
}

/// What an attacker knows, taken for the secret.
fn secrets() -> Vec<Hostile> {
    let by = |name, header: Value, secret: &[u8], refused| -> Hostile {
        let signed = signed(header.to_string().as_bytes(), claims().to_string().as_bytes());
        (name, hs256_by(secret, &signed).into_bytes(), refused)
    };
    let bare = || json!({"alg": "HS256"});
    let named = |kid: &str| json!({"alg": "HS256", "kid": kid});
    let pem = ISSUER.pem("r");
    let jwk = ISSUER.jwk("r");
    let n = jwk["n"].as_str().unwrap();
    vec![
        by("HS256 with the text of RSA's PEM", bare(), pem.as_bytes(), Signature),
        by(
            "HS256 with the text of RSA's PEM without its last line's end",
            bare(),
            pem.trim().as_bytes(),
            Signature,
        ),
        by("HS256 with RSA's PEM, by its name", named("r"), pem.as_bytes(), Algorithm),
        by("HS256 with RSA's DER", bare(), &ISSUER.der("r"), Signature),
        by("HS256 with RSA's DER, by its name", named("r"), &ISSUER.der("r"), Algorithm),
        by("HS256 with RSA's modulus", bare(), n.as_bytes(), Signature),
        by("HS256 with RSA's JWK", bare(), jwk.to_string().as_bytes(), Signature),
        by("HS256 with the PEM of P-256, by its name", named("e"), ISSUER.pem("e").as_bytes(), Algorithm),
        by("HS256 with the key of Ed25519, by its name", named("o"), &ISSUER.der("o"), Algorithm),
        by("HS256 with an empty secret", bare(), b"", Signature),
        by("HS256 with a secret of zeros", bare(), &[0; 32], Signature),
        by("HS256 with a common secret", bare(), b"secret", Signature),
        by("HS256 with the name of an empty file", named("../../../../dev/null"), b"", UnknownKey),
    ]
}

/// Names of keys, and keys that a token brings along.
fn keys() -> Vec<Hostile> {
    let mut all: Vec<Hostile> = Vec::new();
    for (name, kid, refused) in [
        ("an unknown key", "z", UnknownKey),
        ("an empty name of a key", "", UnknownKey),
        ("a key's name in capital letters", "R", UnknownKey),
        ("a key's name with NUL", "r\0", UnknownKey),
        ("a key's name with a blank", "r ", UnknownKey),
        ("a path as a key's name", "../../etc/passwd", UnknownKey),
        ("a file as a key's name", "file:///proc/self/environ", UnknownKey),
        ("SQL as a key's name", "x' UNION SELECT 'secret' --", UnknownKey),
        ("a command as a key's name", "x; id |", UnknownKey),
        ("an address as a key's name", "https://evil.example/jwks.json", UnknownKey),
        ("a line's end in a key's name", "r\r\nX-Admin: 1", UnknownKey),
    ] {
        all.push((name, token(&json!({"alg": "RS256", "kid": kid}), &claims()).into_bytes(), refused));
    }
    for (name, kid) in [
        ("a very long name of a key", json!("r".repeat(257))),
        ("a key's name that is a number", json!(1)),
        ("a key's name that is null", Value::Null),
        ("a list of keys' names", json!(["r"])),
        ("a key's name that is an object", json!({"r": 1})),
    ] {
        all.push((name, token(&json!({"alg": "RS256", "kid": kid}), &claims()).into_bytes(), Header));
    }
    let by_attacker = |name, header: Value, refused| -> Hostile {
        let signed = signed(header.to_string().as_bytes(), claims().to_string().as_bytes());
        let signature = ATTACKER.sign("RS256", signed.as_bytes());
        (name, with_signature(&signed, &signature).into_bytes(), refused)
    };
    let certificate = json!([base64url(&ATTACKER.der("r"))]);
    let evil = "https://evil.example/jwks.json";
    all.extend([
        by_attacker("another's key", json!({"alg": "RS256"}), Signature),
        by_attacker("another's key by a known name", header("RS256"), Signature),
        by_attacker(
            "another's key in the header",
            with(json!({"alg": "RS256"}), "jwk", ATTACKER.jwk("r")),
            Signature,
        ),
        by_attacker(
            "another's key in the header, by a known name",
            with(header("RS256"), "jwk", ATTACKER.jwk("r")),
            Signature,
        ),
        by_attacker(
            "another's certificate in the header",
            json!({"alg": "RS256", "x5c": certificate}),
            Signature,
        ),
        by_attacker(
            "another's keys at an address",
            json!({"alg": "RS256", "jku": evil, "kid": "r"}),
            Signature,
        ),
        by_attacker(
            "another's keys at an address by its name",
            json!({"alg": "RS256", "jku": evil, "kid": "evil"}),
            UnknownKey,
        ),
        by_attacker("another's certificate at an address", json!({"alg": "RS256", "x5u": evil}), Signature),
        by_attacker("another's certificate by its hash", json!({"alg": "RS256", "x5t": "AAAA"}), Signature),
    ]);
    all
}

fn members() -> Vec<Hostile> {
    let with = |name, member: &str, value: Value| -> Hostile {
        (name, token(&with(header("RS256"), member, value), &claims()).into_bytes(), Header)
    };
    vec![
        with("crit, and nothing in it", "crit", json!([])),
        with("crit with b64", "crit", json!(["b64"])),
        with("crit with a name that is there", "crit", json!(["alg"])),
        with("crit that is a text", "crit", json!("exp")),
        with("crit that is null", "crit", Value::Null),
        with("claims that are not base64url", "b64", json!(false)),
        with("b64 as it is without", "b64", json!(true)),
        with("an encryption", "enc", json!("A128GCM")),
        with("a compression", "zip", json!("DEF")),
        with("a token in the token", "cty", json!("JWT")),
        with("a proof of possession", "typ", json!("dpop+jwt")),
        with("a logout token", "typ", json!("logout+jwt")),
        with("a security event", "typ", json!("application/secevent+jwt")),
        with("an empty type", "typ", json!("")),
        with("a type that is a number", "typ", json!(1)),
        with("a list of types", "typ", json!(["JWT"])),
        with("a type with a blank", "typ", json!("JWT ")),
    ]
}
