//! Signatures that are none: of RSA, of Ed25519 and of HMAC.

use crate::signers::{ATTACKER, ISSUER, SECRET, hs256_by, sha256, signed, split, with_signature};
use crate::{Hostile, claims, good, header, token, with};
use aws_lc_rs::hmac;
use callgate_auth::jwt::Refused::Signature;

pub(crate) fn hostile() -> Vec<Hostile> {
    [rsa(), ed25519(), secret()].into_iter().flatten().collect()
}

/// The same token with other signatures.
fn of(token: &str, all: impl IntoIterator<Item = (&'static str, Vec<u8>)>) -> Vec<Hostile> {
    let (signed, _) = split(token);
    all.into_iter()
        .map(|(name, bytes)| (name, with_signature(signed, &bytes).into_bytes(), Signature))
        .collect()
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

fn rsa() -> Vec<Hostile> {
    let good = good();
    let (what, signature) = split(&good);
    let mut one = vec![0; 256];
    one[255] = 1;
    let mut all = of(
        &good,
        [
            ("RSA's signature with a bit changed", flipped(&signature, 100)),
            ("RSA's signature without its last byte", signature[..255].to_vec()),
            ("RSA's signature with a byte more", [&signature[..], &[0]].concat()),
            ("RSA's signature with a zero in front", [&[0], &signature[..]].concat()),
            ("RSA's signature of zeros", vec![0; 256]),
            ("RSA's signature one", one),
            ("RSA's signature of ones", vec![0xff; 256]),
            ("RSA's signature by SHA-384", ISSUER.sign("RS384", what.as_bytes())),
            ("RSA's signature by PSS", ISSUER.sign("PS256", what.as_bytes())),
            ("RSA's signature of an attacker", ATTACKER.sign("RS256", what.as_bytes())),
            ("a signature of P-256 as one of RSA", ISSUER.sign("ES256", what.as_bytes())),
            (
                "a signature of the claims alone",
                ISSUER.sign("RS256", what.split_once('.').unwrap().1.as_bytes()),
            ),
        ],
    );
    let pss = token(&header("PS256"), &claims());
    let (what, signature) = split(&pss);
    let others = [
        ("PSS's signature by PKCS #1", ISSUER.sign("RS256", what.as_bytes())),
        ("PSS's signature by SHA-512", ISSUER.sign("PS512", what.as_bytes())),
        ("PSS's signature with a bit changed", flipped(&signature, 0)),
    ];
    all.extend(of(&pss, others));
    let admin = with(claims(), "sub", "admin");
    let changed = signed(header("RS256").to_string().as_bytes(), admin.to_string().as_bytes());
    all.push(("other claims", with_signature(&changed, &split(&good).1).into_bytes(), Signature));
    let header = with(header("RS256"), "x", 1);
    let changed = signed(header.to_string().as_bytes(), claims().to_string().as_bytes());
    all.push(("another header", with_signature(&changed, &split(&good).1).into_bytes(), Signature));
    all
}

fn ed25519() -> Vec<Hostile> {
    let token = token(&header("EdDSA"), &claims());
    let (what, signature) = split(&token);
    let (r, s) = signature.split_at(32);
    // The point of order one, and that of order two.
    let mut identity = vec![0; 64];
    identity[0] = 1;
    let mut second = vec![0xff; 32];
    second[0] = 0xec;
    second[31] = 0x7f;
    second.extend([0; 32]);
    of(
        &token,
        [
            ("a signature of Ed25519 of zeros", vec![0; 64]),
            ("a signature of Ed25519 with the neutral point", identity),
            ("a signature of Ed25519 with a point of order two", second),
            ("a signature of Ed25519 with its halves changed", [s, r].concat()),
            ("a signature of Ed25519 with the order added", [r, &plus_order(s)].concat()),
            ("a signature of Ed25519 without its last byte", signature[..63].to_vec()),
            ("a signature of Ed25519 with a byte more", [&signature[..], &[0]].concat()),
            ("a signature of Ed25519 with its highest bit set", flipped(&signature, 63)),
            ("a signature of Ed25519 of an attacker", ATTACKER.sign("EdDSA", what.as_bytes())),
            ("a signature of P-256 as one of Ed25519", ISSUER.sign("ES256", what.as_bytes())),
        ],
    )
}

/// The order of Ed25519's group added to a number below it: the same number to whoever does not look (RFC 8032, 5.1.7).
fn plus_order(s: &[u8]) -> Vec<u8> {
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    let add = |(a, b): (&u8, &u8)| {
        let sum = u16::from(*a) + u16::from(*b) + carry;
        carry = sum >> 8;
        sum as u8
    };
    s.iter().zip(&order).map(add).collect()
}

fn secret() -> Vec<Hostile> {
    let token = token(&header("HS256"), &claims());
    let (what, tag) = split(&token);
    let longer = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA512, SECRET), what.as_bytes());
    let mut all = of(
        &token,
        [
            ("a tag of zeros", vec![0; 32]),
            ("half of a tag", tag[..16].to_vec()),
            ("a byte of a tag", tag[..1].to_vec()),
            ("a tag with a byte more", [&tag[..], &[0]].concat()),
            ("a tag with a bit changed", flipped(&tag, 31)),
            ("a tag by SHA-512", longer.as_ref().to_vec()),
            ("a tag by SHA-512 that is cut", longer.as_ref()[..32].to_vec()),
            ("a hash without the secret", sha256(what).into_bytes()),
        ],
    );
    let other = String::from_utf8_lossy(SECRET).to_lowercase().replacen('6', "7", 1);
    all.push((
        "a tag by a secret that is nearly the right one",
        hs256_by(other.as_bytes(), what).into_bytes(),
        Signature,
    ));
    all
}
