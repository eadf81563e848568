//! Claims, dates and bytes at random: a token passes where a plain reading of what is asked says so, and nowhere else.

use crate::signers::{SECRET, hs256_by, signed};
use crate::{NOW, keys};
use callgate_auth::jwt::{self, Algorithm, Asked, Expected, Keys, Refused, Revoked};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;

static KEYS: LazyLock<Keys> = LazyLock::new(keys);

fn date() -> impl Strategy<Value = Value> {
    let near = NOW - 40..NOW + 40;
    prop_oneof![
        5 => near.clone().prop_map(Value::from),
        3 => (near, 0..4u32).prop_map(|(at, part)| json!(at as f64 + f64::from(part) / 4.0)),
        1 => prop_oneof![Just(json!(0)), Just(json!(-1)), Just(json!(-0.25)), Just(json!(1e12)), Just(json!(253_402_300_799_u64)), Just(json!(u64::MAX))],
        1 => prop_oneof![Just(Value::Null), Just(json!("1800000000")), Just(json!(true)), Just(json!([NOW])), Just(json!({}))],
    ]
}

fn text() -> impl Strategy<Value = Value> {
    let others = [json!("b"), json!("A"), json!(""), json!(1), Value::Null];
    prop_oneof![4 => Just(json!("a")), 1 => prop::sample::select(others.to_vec())]
}

fn texts() -> impl Strategy<Value = Value> {
    prop_oneof![3 => text(), 1 => prop::collection::vec(text(), 0..3).prop_map(Value::from), 1 => Just(json!({"a": 1}))]
}

/// Claims, each of which may be missing.
fn claims() -> impl Strategy<Value = Map<String, Value>> {
    let maybe = |one: BoxedStrategy<Value>| prop::option::weighted(0.9, one);
    let rarely = |one: BoxedStrategy<Value>| prop::option::weighted(0.3, one);
    let all = (
        maybe(date().boxed()),
        rarely(date().boxed()),
        rarely(date().boxed()),
        maybe(text().boxed()),
        maybe(texts().boxed()),
        maybe(text().boxed()),
        rarely(texts().boxed()),
    );
    all.prop_map(|(exp, nbf, iat, iss, aud, sub, scope)| {
        let named = [
            ("exp", exp),
            ("nbf", nbf),
            ("iat", iat),
            ("iss", iss),
            ("aud", aud),
            ("sub", sub),
            ("scope", scope),
        ];
        named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
    })
}

/// What is asked for, read plainly.
fn passes(claims: &Map<String, Value>, leeway: u64) -> bool {
    let (now, leeway) = (NOW as f64, leeway as f64);
    let is_date = |value: &Value| value.as_f64().is_some_and(|at| (0.0..253_402_300_800.0).contains(&at));
    let dates = ["exp", "nbf", "iat"].iter().filter_map(|name| claims.get(*name)).all(is_date);
    let at = |name: &str| claims.get(name).and_then(Value::as_f64);
    let not_over = at("exp").is_some_and(|end| now < end.floor() + leeway);
    let begun = at("nbf").is_none_or(|from| from.ceil() <= now + leeway);
    let issued = at("iat").is_none_or(|from| from.floor() <= now + leeway);
    let from_us = claims.get("iss") == Some(&json!("a"));
    let for_us = match claims.get("aud") {
        Some(Value::Array(all)) => all.iter().all(Value::is_string) && all.contains(&json!("a")),
        Some(one) => *one == json!("a"),
        None => false,
    };
    let named = claims.get("sub").and_then(Value::as_str).is_some_and(|name| !name.is_empty());
    let scoped = match claims.get("scope") {
        None | Some(Value::String(_)) => true,
        Some(Value::Array(all)) => all.iter().all(|one| one.as_str().is_some_and(|one| !one.is_empty())),
        Some(_) => false,
    };
    dates && not_over && begun && issued && from_us && for_us && named && scoped
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn claims_pass_where_a_plain_reading_says_so(claims in claims(), leeway in prop_oneof![Just(0u64), Just(30)]) {
        let asked = Asked { issuers: vec!["a".into()], audiences: vec!["a".into()], leeway, ..Asked::by([Algorithm::Hs256]) };
        let signed = signed(br#"{"alg":"HS256"}"#, Value::from(claims.clone()).to_string().as_bytes());
        let expected = Expected::new(asked).unwrap();
        let result = jwt::verify(&KEYS, &expected, &Revoked::default(), hs256_by(SECRET, &signed).as_bytes(), NOW);
        prop_assert_eq!(result.is_ok(), passes(&claims, leeway), "{:?}: {:?}", claims, result);
        if let Ok(identity) = result {
            prop_assert!(identity.expires().is_some_and(|end| end > NOW));
            prop_assert_eq!(Some(&Value::from(identity.name())), claims.get("sub"));
        }
    }

    #[test]
    fn bytes_that_nobody_has_signed_never_pass(token in prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,90}".prop_map(String::into_bytes),
        ("HS256|RS256|PS256|ES256|ES384|EdDSA|none", "r|e|f|o|x", prop::collection::vec(any::<u8>(), 0..300)).prop_map(|(alg, kid, bytes)| {
            let header = json!({"alg": alg, "kid": kid}).to_string();
            crate::signers::with_signature(&signed(header.as_bytes(), crate::claims().to_string().as_bytes()), &bytes).into_bytes()
        }),
    ]) {
        let expected = Expected::new(crate::asked()).unwrap();
        let refused = jwt::verify(&KEYS, &expected, &Revoked::default(), &token, NOW).unwrap_err();
        prop_assert!(matches!(refused, Refused::Malformed | Refused::Algorithm | Refused::UnknownKey | Refused::Signature | Refused::Header));
    }
}

/// Otherwise the property would be one of refusals only.
#[test]
fn some_of_the_claims_at_random_pass() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let taken = (0..2000).filter(|_| {
        let claims = claims().new_tree(&mut runner).unwrap().current();
        passes(&claims, 30)
    });
    let taken = taken.count();
    assert!(taken > 10, "{taken} of 2,000");
}
