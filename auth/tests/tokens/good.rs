//! Tokens that pass, and who follows from them: so that those which do not pass fail for their own reason only.

use crate::signers::{ISSUER, SECRET, signed};
use crate::{NOW, asked, claims, header, keys, token, verify, with, without};
use callgate_auth::jwt::{self, Algorithm, Asked, Expected, Keys, Refused, Revoked};
use callgate_auth::{Claims, Identity};
use serde_json::{Value, json};

fn passes(header: &Value, claims: &Value) -> Identity {
    verify(asked(), token(header, claims).as_bytes()).unwrap_or_else(|why| panic!("{header} {claims}: {why}"))
}

#[test]
fn a_token_of_each_algorithm_passes() {
    let expected = Expected::new(Asked { algorithms: Algorithm::ALL.into(), ..asked() }).unwrap();
    let keys = keys();
    assert_eq!(expected.unserved(&keys).count(), 0);
    for name in Algorithm::ALL.map(Algorithm::name).into_iter().chain(["Ed25519"]) {
        for header in [header(name), without(header(name), "typ"), json!({"alg": name})] {
            let token = token(&header, &claims());
            let identity = jwt::verify(&keys, &expected, &Revoked::default(), token.as_bytes(), NOW);
            assert_eq!(identity.as_ref().map(Identity::name), Ok("ada"), "{header}");
        }
    }
}

#[test]
fn the_identity_has_the_name_the_scopes_and_the_claims_and_ends_with_the_token() {
    let identity = passes(&header("RS256"), &claims());
    assert_eq!(identity.name(), "ada");
    assert_eq!(identity.scopes().collect::<Vec<_>>(), ["orders:read", "orders:write"]);
    assert_eq!(identity.claims(), &Claims::from(claims().as_object().unwrap().clone()));
    assert_eq!(identity.expires(), Some(NOW + 300 + Asked::LEEWAY));
}

#[test]
fn what_is_unusual_and_allowed_passes() {
    for claims in [
        with(claims(), "aud", json!(["billing", "orders"])),
        with(claims(), "aud", "https://api.example/orders"),
        with(claims(), "iss", "https://old.example"),
        with(claims(), "exp", (NOW - 29) as f64 + 0.5),
        with(claims(), "exp", json!(253_402_300_799_u64)),
        with(claims(), "nbf", NOW + 30),
        with(claims(), "nbf", NOW as f64 + 29.5),
        with(claims(), "nbf", 0),
        with(claims(), "iat", NOW + 30),
        without(without(without(claims(), "nbf"), "iat"), "jti"),
        with(claims(), "tenant", false),
        with(claims(), "sub", "Jürgen O'Brien \u{1f642}"),
        with(claims(), "sub", "a".repeat(256)),
        with(claims(), "act", json!({"sub": "b", "act": {"sub": "c"}})),
    ] {
        passes(&header("ES256"), &claims);
    }
    for header in [
        with(header("RS256"), "typ", "jwt"),
        with(header("RS256"), "typ", "at+jwt"),
        with(header("RS256"), "typ", "application/at+JWT"),
        with(header("RS256"), "x5t", "AAAA"),
        with(header("RS256"), "jku", "https://evil.example/jwks.json"),
        with(header("RS256"), "jwk", ISSUER.jwk("e")),
        json!({"alg": "HS256", "kid": ""}),
        json!({"alg": "HS256", "kid": "k".repeat(256)}),
    ] {
        passes(&header, &claims());
    }
}

#[test]
fn scopes_are_a_text_with_blanks_or_a_list_and_come_from_several_claims() {
    let deep = Asked { scopes: vec!["scope".into(), "scp".into(), "/realm/roles".into()], ..asked() };
    for (scope, more, scopes) in [
        (json!(" a  b "), json!({}), vec!["a", "b"]),
        (json!(["a", "b c"]), json!({}), vec!["a", "b c"]),
        (json!(""), json!({"scp": ["x"]}), vec!["x"]),
        (json!("b"), json!({"scp": "a b", "realm": {"roles": ["c"]}}), vec!["a", "b", "c"]),
        (json!([]), json!({"realm": 1}), vec![]),
    ] {
        let mut claims = with(claims(), "scope", scope);
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let identity = verify(deep.clone(), token(&header("ES256"), &claims).as_bytes()).unwrap();
        assert_eq!(identity.scopes().collect::<Vec<_>>(), scopes, "{claims}");
    }
}

#[test]
fn a_token_holds_from_its_beginning_to_its_end_with_the_leeway_on_either_side() {
    let (keys, token) = (keys(), token(&header("ES256"), &with(claims(), "nbf", NOW)));
    for leeway in [0, 1, 300] {
        let expected = Expected::new(Asked { leeway, ..asked() }).unwrap();
        let at = |now| jwt::verify(&keys, &expected, &Revoked::default(), token.as_bytes(), now).map(drop);
        assert_eq!(at(NOW - leeway - 1), Err(Refused::NotYet));
        assert_eq!(at(NOW - leeway), Ok(()));
        assert_eq!(at(NOW + 300 + leeway - 1), Ok(()));
        assert_eq!(at(NOW + 300 + leeway), Err(Refused::Expired));
        assert_eq!(at(u64::MAX), Err(Refused::Expired));
        assert_eq!(at(0), Err(Refused::NotYet));
    }
}

#[test]
fn what_is_not_asked_for_is_not_looked_at_but_an_audience_is() {
    let asked = || Asked::by([Algorithm::parse("ES256").unwrap()]);
    let bare = json!({"sub": "ada", "exp": NOW + 1, "iss": 1});
    let of = |claims: &Value| token(&header("ES256"), claims);
    assert!(verify(asked(), of(&bare).as_bytes()).is_ok());
    let refused = verify(asked(), of(&with(bare.clone(), "aud", "orders")).as_bytes()).unwrap_err();
    assert_eq!(refused, Refused::Audience, "whoever has no name is not meant");
    let named = Asked { name: "/who/mail".into(), ..asked() };
    let claims = with(bare, "who", json!({"mail": "ada@example.com"}));
    assert_eq!(verify(named, of(&claims).as_bytes()).unwrap().name(), "ada@example.com");
}

#[test]
fn types_that_are_asked_for_are_the_only_ones() {
    let only = |types: &[&str]| Asked { types: types.iter().map(|one| one.to_string()).collect(), ..asked() };
    for (types, name, passes) in [
        (&["at+jwt"][..], Some("at+jwt"), true),
        (&["at+jwt"], Some("application/AT+JWT"), true),
        (&["application/at+jwt"], Some("at+jwt"), true),
        (&["at+jwt"], Some("JWT"), false),
        (&["at+jwt"], None, false),
        (&["dpop+jwt", "JWT"], Some("dpop+jwt"), true),
    ] {
        let header = match name {
            Some(name) => with(header("RS256"), "typ", name),
            None => without(header("RS256"), "typ"),
        };
        let result = verify(only(types), token(&header, &claims()).as_bytes());
        assert_eq!(result.is_ok(), passes, "{types:?} {name:?}");
    }
}

#[test]
fn what_is_asked_is_checked_once() {
    let hs = || Asked::by([Algorithm::Hs256]);
    for (asked, field, index) in [
        (Asked::by([]), "algorithms", None),
        (Asked { leeway: 301, ..hs() }, "leeway", None),
        (Asked { max_len: 0, ..hs() }, "max_len", None),
        (Asked { max_len: Asked::MAX_LEN + 1, ..hs() }, "max_len", None),
        (Asked { issuers: vec!["a".into(), "".into()], ..hs() }, "issuers", Some(1)),
        (Asked { audiences: vec!["".into()], ..hs() }, "audiences", Some(0)),
        (Asked { types: vec!["".into()], ..hs() }, "types", Some(0)),
        (Asked { name: "".into(), ..hs() }, "name", None),
        (Asked { required: vec!["a".into(), "/~".into()], ..hs() }, "required", Some(1)),
        (Asked { scopes: vec!["".into()], ..hs() }, "scopes", Some(0)),
    ] {
        let error = Expected::new(asked).unwrap_err();
        assert_eq!((error.field, error.index), (field, index), "{error}");
    }
}

/// The examples of RFC 7515 (A.1, A.2, A.3) and RFC 8037 (A.4) are signed by others' code.
#[test]
fn what_others_have_signed_is_verified() {
    let secret = crate::signers::from_base64url(
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow",
    );
    let jwks = json!({"keys": [
        {"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
         "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
        {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
    ]});
    let keys = Keys::from_jwks(jwks.to_string().as_bytes())
        .unwrap()
        .keys
        .and(Keys::from_secret(&secret).unwrap())
        .unwrap();
    let expected = Expected::new(Asked::by(Algorithm::ALL)).unwrap();
    let claims =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    for (token, refused) in [
        (format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{claims}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), Refused::Claims),
        (format!("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{claims}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXg"), Refused::Signature),
        (format!("eyJhbGciOiJFUzI1NiJ9.{claims}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"), Refused::Claims),
        ("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg".into(), Refused::Malformed),
    ] {
        // They have no name, or no claims at all; that is noticed behind the signature only.
        let result = jwt::verify(&keys, &expected, &Revoked::default(), token.as_bytes(), 1_300_819_379);
        assert_eq!(result.unwrap_err(), refused, "{token}");
    }
}

#[test]
fn a_secret_is_for_the_algorithms_that_it_is_long_enough_for() {
    for (length, names) in [
        (32, &["HS256"][..]),
        (47, &["HS256"]),
        (48, &["HS256", "HS384"]),
        (64, &["HS256", "HS384", "HS512"]),
    ] {
        let keys = Keys::from_secret(&SECRET[..length]).unwrap();
        let served: Vec<&str> =
            Algorithm::ALL.into_iter().filter(|one| keys.serves(*one)).map(Algorithm::name).collect();
        assert_eq!(served, names, "{length}");
    }
    assert!(Keys::from_secret(&SECRET[..31]).is_err());
    assert!(signed(b"{}", b"{}").ends_with("e30"));
}
