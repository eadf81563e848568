//! Signatures of ECDSA at the edges (RFC 7518, 3.4): numbers that are none, other forms, and the second signature of each.

use crate::signers::{ATTACKER, ISSUER, sha256, split, with_signature};
use crate::{Hostile, NOW, asked, claims, header, keys, token};
use callgate_auth::jwt::Refused::{self, Signature};
use callgate_auth::jwt::{self, Expected, Revoked};

/// The order of P-256's group.
const ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// `a - b` of numbers of 32 bytes, the highest first.
fn minus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut result = vec![0; 32];
    let mut borrow = 0;
    for at in (0..32).rev() {
        let difference = i16::from(a[at]) - i16::from(b[at]) - borrow;
        borrow = i16::from(difference < 0);
        result[at] = difference.rem_euclid(256) as u8;
    }
    result
}

/// As X.509 has it: a sequence of two integers.
fn der(r: &[u8], s: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| [&[2, 33, 0][..], number].concat();
    let both = [integer(r), integer(s)].concat();
    [&[0x30, u8::try_from(both.len()).unwrap()][..], &both].concat()
}

pub(crate) fn hostile() -> Vec<Hostile> {
    let token = token(&header("ES256"), &claims());
    let (what, signature) = split(&token);
    let (r, s) = signature.split_at(32);
    let (zero, mut one, mut below) = ([0; 32], [0; 32], ORDER);
    one[31] = 1;
    below[31] -= 1;
    let changed = |at: usize| {
        let mut bytes = signature.clone();
        bytes[at] ^= 1;
        bytes
    };
    let all: [(&str, Vec<u8>); 26] = [
        ("r and s are zero", [zero, zero].concat()),
        ("r is zero", [&zero, s].concat()),
        ("s is zero", [r, &zero].concat()),
        ("r and s are one", [one, one].concat()),
        ("r is the order", [&ORDER, s].concat()),
        ("s is the order", [r, &ORDER].concat()),
        ("r and s are the order", [ORDER, ORDER].concat()),
        ("r is the order, s is zero", [ORDER, zero].concat()),
        ("r and s are one below the order", [below, below].concat()),
        ("r and s have all bits", vec![0xff; 64]),
        ("r and s changed places", [s, r].concat()),
        ("r is its negative", [&minus(&ORDER, r), s].concat()),
        ("r twice", [r, r].concat()),
        ("DER", der(r, s)),
        ("DER of the zeros", vec![0x30, 6, 2, 1, 0, 2, 1, 0]),
        ("r and s without the last byte", signature[..63].to_vec()),
        ("r and s with a byte more", [&signature[..], &[0]].concat()),
        ("r and s with a zero in front of each", [&[0], r, &[0], s].concat()),
        ("r alone", r.to_vec()),
        ("r and s twice", [&signature[..], &signature[..]].concat()),
        ("r with a bit changed", changed(0)),
        ("s with a bit changed", changed(63)),
        ("the length of P-384", [&[0; 16], r, &[0; 16], s].concat()),
        ("a signature of P-384 as one of P-256", ISSUER.sign("ES384", what.as_bytes())),
        ("a signature of Ed25519 as one of P-256", ISSUER.sign("EdDSA", what.as_bytes())),
        ("a signature of P-256 of an attacker", ATTACKER.sign("ES256", what.as_bytes())),
    ];
    let of =
        |(name, bytes): (&'static str, Vec<u8>)| (name, with_signature(what, &bytes).into_bytes(), Signature);
    let mut all: Vec<Hostile> = all.into_iter().map(of).collect();
    let longer = crate::token(&header("ES384"), &claims());
    let (what, _) = split(&longer);
    for (name, bytes) in [
        ("r and s of P-384 are zero", vec![0; 96]),
        ("a signature of P-256 as one of P-384", ISSUER.sign("ES256", what.as_bytes())),
        ("a signature of P-384 of an attacker", ATTACKER.sign("ES384", what.as_bytes())),
    ] {
        all.push((name, with_signature(what, &bytes).into_bytes(), Signature));
    }
    all
}

/// Of each signature of ECDSA anybody can make a second one. It is good, and so it must not make a revoked token another one.
#[test]
fn the_second_signature_of_a_token_does_not_bring_it_back() {
    let token = token(&header("ES256"), &claims());
    let (what, signature) = split(&token);
    let (r, s) = signature.split_at(32);
    let second = with_signature(what, &[r, &minus(&ORDER, s)].concat());
    let (keys, expected) = (keys(), Expected::new(asked()).unwrap());
    let verify = |list: &str, token: &str| {
        let revoked = Revoked::read(list.as_bytes()).unwrap();
        jwt::verify(&keys, &expected, &revoked, token.as_bytes(), NOW)
            .map(|identity| identity.name().to_owned())
    };
    assert_ne!(second, token);
    assert_eq!((verify("", &token), verify("", &second)), (Ok("ada".into()), Ok("ada".into())));
    for list in [format!("sha256 {}", sha256(what)), "jti 7f1c".into()] {
        for token in [&token, &second] {
            assert_eq!(verify(&list, token), Err(Refused::Revoked), "{list}");
        }
    }
    let other = format!("sha256 {}\njti 7f1d", sha256(&token));
    assert_eq!(verify(&other, &token), Ok("ada".into()), "a hash is that of the token without its signature");
}
