//! Tokens whose signature is right: of another time, for others, from others, or of claims that are not what they have to be.

use crate::{Hostile, NOW, claims, header, token, with, without};
use callgate_auth::jwt::Refused::{self, Audience, Claims, Expired, Issuer, NotYet};
use serde_json::{Value, json};

fn of(name: &'static str, claims: &Value, refused: Refused) -> Hostile {
    (name, token(&header("ES256"), claims).into_bytes(), refused)
}

fn with_claim(claim: &str, all: impl IntoIterator<Item = (&'static str, Value, Refused)>) -> Vec<Hostile> {
    all.into_iter().map(|(name, value, refused)| of(name, &with(claims(), claim, value), refused)).collect()
}

pub(crate) fn dates() -> Vec<Hostile> {
    let ends = [
        ("an end that is long gone", json!(NOW - 86_400), Expired),
        ("an end at the end of the leeway", json!(NOW - 30), Expired),
        ("an end at the end of the leeway, with a fraction", json!((NOW - 30) as f64 + 0.9), Expired),
        ("an end in 1970", json!(0), Expired),
        ("an end that is a text", json!((NOW + 300).to_string()), Claims),
        ("an end that is a date's text", json!("2030-01-01T00:00:00Z"), Claims),
        ("an end that is null", Value::Null, Claims),
        ("an end that is true", json!(true), Claims),
        ("a list of ends", json!([NOW + 300]), Claims),
        ("an end in an object", json!({"exp": NOW + 300}), Claims),
        ("an end before 1970", json!(-1), Claims),
        ("the least end", json!(i64::MIN), Claims),
        ("an end before 1970, with a fraction", json!(-0.5), Claims),
        ("an end in milliseconds", json!((NOW + 300) * 1000), Claims),
        ("the greatest end", json!(u64::MAX), Claims),
        ("an end that wraps around with the leeway", json!(u64::MAX - 10), Claims),
        ("an end beyond whole numbers", json!(1e300), Claims),
        ("an end after the year 9999", json!(253_402_300_800_u64), Claims),
    ];
    let begins = [
        ("not yet", json!(NOW + 3_600), NotYet),
        ("a second after the leeway", json!(NOW + 31), NotYet),
        ("a fraction after the leeway", json!((NOW + 30) as f64 + 0.1), NotYet),
        ("a beginning that is a text", json!("0"), Claims),
        ("a beginning that is null", Value::Null, Claims),
        ("a beginning before 1970", json!(-1), Claims),
        ("a beginning in milliseconds", json!(NOW * 1000), Claims),
    ];
    let issued = [
        ("issued in an hour", json!(NOW + 3_600), NotYet),
        ("issued at a text", json!("now"), Claims),
        ("issued in milliseconds", json!(NOW * 1000), Claims),
    ];
    let mut all = with_claim("exp", ends);
    all.push(of("no end", &without(claims(), "exp"), Claims));
    all.push(of("an end by another name", &with(without(claims(), "exp"), "EXP", NOW + 300), Claims));
    all.extend(with_claim("nbf", begins));
    all.extend(with_claim("iat", issued));
    all
}

pub(crate) fn hostile() -> Vec<Hostile> {
    let issuers = [
        ("another issuer", json!("https://evil.example"), Issuer),
        ("an issuer in capital letters", json!("HTTPS://ID.EXAMPLE"), Issuer),
        ("an issuer with a slash", json!("https://id.example/"), Issuer),
        ("an issuer that goes on", json!("https://id.example.evil.example"), Issuer),
        ("an issuer with NUL", json!("https://id.example\0"), Issuer),
        ("an issuer that looks alike", json!("https://іd.example"), Issuer),
        ("an empty issuer", json!(""), Issuer),
        ("a list of issuers with the right one", json!(["https://id.example"]), Issuer),
        ("an issuer in an object", json!({"iss": "https://id.example"}), Issuer),
        ("an issuer that is null", Value::Null, Issuer),
    ];
    let audiences = [
        ("another audience", json!("billing"), Audience),
        ("an audience in capital letters", json!("Orders"), Audience),
        ("an audience that goes on", json!("orders-admin"), Audience),
        ("two audiences in one text", json!("orders billing"), Audience),
        ("two audiences with a comma", json!("orders,billing"), Audience),
        ("an empty audience", json!(""), Audience),
        ("no audience in the list", json!([]), Audience),
        ("a list of others", json!(["billing", "shipping"]), Audience),
        ("the right audience beside a number", json!(["orders", 1]), Audience),
        ("a list in a list", json!([["orders"]]), Audience),
        ("an audience in an object", json!({"orders": true}), Audience),
        ("an audience that is a number", json!(1), Audience),
        ("an audience that is true", json!(true), Audience),
        ("an audience that is null", Value::Null, Audience),
    ];
    let names = [
        ("an empty name", json!(""), Claims),
        ("a name that is a number", json!(1), Claims),
        ("a list of names", json!(["ada"]), Claims),
        ("a name that is null", Value::Null, Claims),
        ("a name of two lines", json!("ada\r\nX-Admin: 1"), Claims),
        ("a name with NUL", json!("ada\0"), Claims),
        ("a very long name", json!("a".repeat(257)), Claims),
    ];
    let scopes = [
        ("scopes in an object", json!({"orders:read": true}), Claims),
        ("scopes that are a number", json!(1), Claims),
        ("scopes that are null", Value::Null, Claims),
        ("a scope that is a number", json!(["orders:read", 1]), Claims),
        ("a scope that is a list", json!([["orders:read"]]), Claims),
        ("an empty scope in a list", json!(["orders:read", ""]), Claims),
    ];
    let mut all = with_claim("iss", issuers);
    all.extend(with_claim("aud", audiences));
    all.extend(with_claim("sub", names));
    all.extend(with_claim("scope", scopes));
    all.push(of("scopes that are good, and others that are none", &with(claims(), "scp", 1), Claims));
    all.push(of("no issuer", &without(claims(), "iss"), Issuer));
    all.push(of("no audience", &without(claims(), "aud"), Audience));
    all.push(of("no name", &without(claims(), "sub"), Claims));
    all.push(of("without a claim that is asked for", &without(claims(), "tenant"), Claims));
    all.push(of("a claim that is asked for and null", &with(claims(), "tenant", Value::Null), Claims));
    all.push(of("nothing in the claims", &json!({}), Claims));
    all
}
