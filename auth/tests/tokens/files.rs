//! Keys in files: which are taken, which are left out, and what is said of those that are none. The same for lists of revoked tokens.

use crate::signers::{ATTACKER, ISSUER, SECRET, base64url, pem};
use crate::{NOW, asked, claims, header, kid_of, token, with, without};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::RsaKeyPair;
use callgate_auth::Mistakes;
use callgate_auth::jwt::{self, Expected, Keys, Refused, Revoked, Skipped};
use serde_json::{Value, json};

fn jwks(keys: &[Value]) -> Result<jwt::Jwks, Mistakes> {
    Keys::from_jwks(json!({"keys": keys, "more": 1}).to_string().as_bytes())
}

fn check(keys: &Keys, token: &str) -> Result<(), Refused> {
    let expected = Expected::new(asked()).unwrap();
    jwt::verify(keys, &expected, &Revoked::default(), token.as_bytes(), NOW).map(drop)
}

#[test]
fn keys_in_pem_verify_whatever_a_token_calls_its_key() {
    for algorithm in ["RS256", "PS256", "ES256", "ES384", "EdDSA"] {
        let keys = Keys::from_pem(ISSUER.pem(kid_of(algorithm).unwrap()).as_bytes()).unwrap();
        let named = |kid: &str| token(&with(header(algorithm), "kid", kid), &claims());
        assert_eq!(check(&keys, &named("r")), Ok(()));
        assert_eq!(check(&keys, &named("any")), Ok(()));
        assert_eq!(check(&keys, &token(&without(header(algorithm), "kid"), &claims())), Ok(()));
        let other = Keys::from_pem(ATTACKER.pem(kid_of(algorithm).unwrap()).as_bytes()).unwrap();
        assert_eq!(check(&other, &named("any")), Err(Refused::Signature));
    }
    let all = ["r", "e", "f", "o"].map(|kid| ISSUER.pem(kid)).concat();
    assert_eq!(Keys::from_pem(all.as_bytes()).unwrap().len(), 4);
    assert_eq!(Keys::from_pem(all.repeat(2).as_bytes()).unwrap().len(), 4, "a key twice is one");
}

#[test]
fn a_key_that_cannot_be_used_is_left_out_and_takes_no_other_along() {
    let r = || ISSUER.jwk("r");
    let weak = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let private = base64url(weak.as_der().unwrap().as_ref());
    let with_n = |n: &[u8]| with(r(), "n", base64url(n));
    let mut even = [0xff; 256];
    even[255] = 0xfe;
    let bad = [
        ("an unknown type", with(r(), "kty", "AKP")),
        ("no type", without(r(), "kty")),
        ("a type in small letters", with(r(), "kty", "rsa")),
        ("a secret", json!({"kty": "oct", "k": base64url(SECRET), "alg": "HS256"})),
        ("for encryption", with(r(), "use", "enc")),
        ("for signing", with(r(), "key_ops", json!(["sign"]))),
        ("key_ops that are a text", with(r(), "key_ops", "verify")),
        ("an unknown algorithm", with(r(), "alg", "RSA-OAEP-256")),
        ("the algorithm none", with(r(), "alg", "none")),
        ("a secret's algorithm", with(r(), "alg", "HS256")),
        ("another type's algorithm", with(r(), "alg", "ES256")),
        ("an algorithm that is a list", with(r(), "alg", json!(["RS256"]))),
        ("its private part", with(r(), "d", private)),
        ("an empty private part", with(ISSUER.jwk("e"), "d", "")),
        ("a name that is a number", with(r(), "kid", 1)),
        ("a long name", with(r(), "kid", "k".repeat(257))),
        ("no modulus", without(r(), "n")),
        ("a modulus with padding", with(r(), "n", "AQAB==")),
        ("1,024 bits", with_n(&[0xff; 128])),
        ("2,047 bits", with_n(&[&[0x7f][..], &[0xff; 255]].concat())),
        ("2,040 bits", with_n(&[0xff; 255])),
        ("8,200 bits", with_n(&[0xff; 1025])),
        ("an even modulus", with_n(&even)),
        ("a modulus with a zero in front", with_n(&[&[0][..], &[0xff; 256]].concat())),
        ("an empty modulus", with_n(&[])),
        ("the exponent one", with(r(), "e", base64url(&[1]))),
        ("an even exponent", with(r(), "e", base64url(&[4]))),
        ("the exponent zero", with(r(), "e", base64url(&[0]))),
        ("a great exponent", with(r(), "e", base64url(&[0xff; 32]))),
        ("an unknown curve", with(ISSUER.jwk("e"), "crv", "secp256k1")),
        ("no curve", without(ISSUER.jwk("e"), "crv")),
        ("another curve", with(ISSUER.jwk("e"), "crv", "P-384")),
        ("a point that is on no curve", with(ISSUER.jwk("e"), "x", base64url(&[5; 32]))),
        (
            "the point of zeros",
            with(with(ISSUER.jwk("e"), "x", base64url(&[0; 32])), "y", base64url(&[0; 32])),
        ),
        ("a short coordinate", with(ISSUER.jwk("e"), "y", base64url(&[5; 31]))),
        ("no coordinate", without(ISSUER.jwk("e"), "y")),
        ("a short Ed25519 key", with(ISSUER.jwk("o"), "x", base64url(&[5; 31]))),
        ("X25519", with(ISSUER.jwk("o"), "crv", "X25519")),
        ("no object", json!("key")),
    ];
    for (name, bad) in &bad {
        let read = jwks(&[ISSUER.jwk("f"), bad.clone()]).unwrap();
        assert_eq!((read.keys.len(), read.skipped.len(), read.skipped[0].index), (1, 1, 1), "{name}");
        let alone = jwks(std::slice::from_ref(bad)).map(|jwks| jwks.keys).unwrap_err();
        assert!(alone.to_string().contains(&read.skipped[0].why), "{name}: {alone}");
    }
    let Skipped { kid, why, .. } = &jwks(&[ISSUER.jwk("f"), bad[0].1.clone()]).unwrap().skipped[0];
    assert_eq!((kid.as_deref(), why.as_str()), (Some("r"), "its type (`kty`) is not known"));
}

#[test]
fn a_document_that_is_no_jwks_is_refused_with_the_place() {
    let whole = ISSUER.jwks().to_string();
    for (text, place) in [
        ("", Some((1, 1))),
        ("{\"keys\": [\n  {\"kty\": \"RSA\",}\n]}", Some((2, 17))),
        ("{\"keys\": [], \"keys\": []}", Some((1, 19))),
        ("[]", Some((1, 1))),
        ("{}", None),
        ("{\"keys\": {}}", None),
        ("{\"keys\": []}", None),
        (&whole[..whole.len() - 1], Some((1, whole.len() - 1))),
    ] {
        let mistakes = Keys::from_jwks(text.as_bytes()).map(|jwks| jwks.keys).unwrap_err();
        let found = mistakes.iter().next().unwrap().place();
        assert_eq!(found, place, "{text}: {mistakes}");
    }
    let many = vec![ISSUER.jwk("e"); Keys::MAX + 1];
    assert!(jwks(&many).is_err());
    assert_eq!(jwks(&many[1..]).unwrap().keys.len(), 1);
    let long = json!({"keys": [ISSUER.jwk("e")], "x": "x".repeat(Keys::MAX_BYTES)}).to_string();
    assert!(Keys::from_jwks(long.as_bytes()).is_err());
}

#[test]
fn a_key_is_for_the_algorithm_that_it_says() {
    let keys = jwks(&[with(ISSUER.jwk("r"), "alg", "PS256")]).unwrap().keys;
    assert_eq!(check(&keys, &token(&header("PS256"), &claims())), Ok(()));
    assert_eq!(check(&keys, &token(&header("RS256"), &claims())), Err(Refused::Algorithm));
    assert_eq!(check(&keys, &token(&json!({"alg": "RS256"}), &claims())), Err(Refused::UnknownKey));
}

#[test]
fn keys_of_one_name_are_all_tried_and_without_a_name_a_few_are() {
    let same = |count: usize| {
        let others = std::iter::repeat_with(|| with(ATTACKER.jwk("e"), "kid", "k"));
        let mut keys: Vec<Value> = others.take(1).chain([with(ISSUER.jwk("e"), "kid", "k")]).collect();
        keys.extend(
            (0..count).map(|at| with(with(ATTACKER.jwk("e"), "kid", format!("other{at}")), "use", "sig")),
        );
        jwks(&keys).unwrap().keys
    };
    let named = token(&json!({"alg": "ES256", "kid": "k"}), &claims());
    let unnamed = token(&json!({"alg": "ES256"}), &claims());
    assert_eq!((check(&same(2), &named), check(&same(2), &unnamed)), (Ok(()), Ok(())));
    assert_eq!((check(&same(3), &named), check(&same(3), &unnamed)), (Ok(()), Err(Refused::UnknownKey)));
    let unknown = token(&json!({"alg": "ES256", "kid": "new"}), &claims());
    let nameless = jwks(&[without(ATTACKER.jwk("e"), "kid"), ISSUER.jwk("f")]).unwrap().keys;
    assert_eq!(
        check(&nameless, &unknown),
        Err(Refused::UnknownKey),
        "a key that is not here yet may have signed it"
    );
}

#[test]
fn what_is_no_public_key_in_pem_is_refused_in_words() {
    let private = pem("PRIVATE KEY", b"x");
    let weak = pem("PUBLIC KEY", &spki_of_1024_bits());
    for (text, says) in [
        (String::new(), "there is no public key in it"),
        ("secret".into(), "there is no public key in it"),
        (private.clone(), "more in it than public keys"),
        (format!("{}{private}", ISSUER.pem("e")), "more in it than public keys"),
        (pem("CERTIFICATE", b"x"), "x509"),
        (pem("RSA PUBLIC KEY", b"x"), "there is no public key in it"),
        (pem("PUBLIC KEY", b"x"), "public key 1: this is no key of RSA"),
        (format!("{}{weak}", ISSUER.pem("e")), "public key 2: an RSA key must have 2048 bits"),
        (ISSUER.pem("e").replace("-----END", "----END"), "cannot be read"),
        (ISSUER.pem("e").replacen('M', "*", 1), "cannot be read"),
        (ISSUER.pem("e").repeat(3000), "bytes at most"),
    ] {
        let error = Keys::from_pem(text.as_bytes()).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

/// The key of an RSA key pair that nobody has: what is read is its length.
fn spki_of_1024_bits() -> Vec<u8> {
    let n = [&[2, 0x81, 129, 0][..], &[0xff; 128]].concat();
    let key = [&n[..], &[2, 3, 1, 0, 1]].concat();
    let key = [&[0x30, 0x81, u8::try_from(key.len()).unwrap()][..], &key].concat();
    let bits = [&[3, 0x81, u8::try_from(key.len() + 1).unwrap(), 0][..], &key].concat();
    let algorithm = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];
    let both = [&algorithm[..], &bits].concat();
    [&[0x30, 0x81, u8::try_from(both.len()).unwrap()][..], &both].concat()
}

#[test]
fn a_public_key_is_no_secret_and_a_secret_is_not_shown() {
    for pem in [ISSUER.pem("r"), format!("\n{}", ISSUER.pem("o"))] {
        assert!(Keys::from_secret(pem.as_bytes()).unwrap_err().to_string().contains("in PEM"));
    }
    let shown = format!("{:?}", Keys::from_secret(SECRET).unwrap());
    assert_eq!(shown, "[None for HS256, HS384, HS512]");
}

#[test]
fn equal_keys_have_one_fingerprint_and_others_have_another() {
    let of = |keys: &[Value]| jwks(keys).unwrap().keys.fingerprint();
    let one = of(&[ISSUER.jwk("r"), ISSUER.jwk("e")]);
    assert_eq!(one, of(&[with(ISSUER.jwk("r"), "x5t", "AAAA"), ISSUER.jwk("e")]));
    for others in [
        of(&[ISSUER.jwk("r")]),
        of(&[with(ISSUER.jwk("r"), "kid", "s"), ISSUER.jwk("e")]),
        of(&[with(ISSUER.jwk("r"), "alg", "RS256"), ISSUER.jwk("e")]),
        of(&[ISSUER.jwk("r"), with(ATTACKER.jwk("e"), "kid", "e")]),
    ] {
        assert_ne!(one, others);
    }
}

#[test]
fn a_list_of_revoked_tokens_is_read_by_the_line() {
    let hash = "0".repeat(64);
    let list = format!("# leaked on Monday\n\njti 7f1c\r\njti with a blank\nsha256 {hash}\nsha256 {hash}");
    assert_eq!(Revoked::read(list.as_bytes()).map(|list| list.len()), Ok(3));
    assert!(Revoked::read(b"").unwrap().is_empty());
    for (text, lines) in [
        ("jti a\n7f1c\n", vec![2]),
        ("jti\njti \nsha256\nsha256 \n", vec![1, 2, 3, 4]),
        ("sha256 00\n", vec![1]),
        ("JTI a\n jti a", vec![1, 2]),
        ("sha1 aa\nabc", vec![1, 2]),
    ] {
        let mistakes = Revoked::read(text.as_bytes()).unwrap_err();
        let found: Vec<usize> = mistakes.iter().map(|one| one.place().unwrap().0).collect();
        assert_eq!(found, lines, "{mistakes}");
    }
    assert!(Revoked::read(b"jti a\n\xff").is_err());
    let many: String = (0..=Revoked::MAX).map(|at| format!("jti {at}\n")).collect();
    assert!(Revoked::read(many.as_bytes()).is_err());
}
