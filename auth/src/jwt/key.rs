//! One key that verifies, bound to the algorithms that it is for.
//!
//! A key has what verifies for each of its algorithms, made when it is read, and nothing else. So a public key cannot be taken for
//! a secret, whatever a token says: for `HS256` it has nothing that could be asked.

use super::Algorithm;
use crate::Digest;
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rsa::PublicEncryptingKey;
use aws_lc_rs::signature::{
    self, ParsedPublicKey, RsaParameters, RsaPublicKeyComponents, VerificationAlgorithm,
};
use std::fmt;
use std::ops::RangeInclusive;

/// RSA keys have so many bits at least (RFC 7518, 3.3), and at most.
const RSA_BITS: RangeInclusive<usize> = 2048..=8192;

/// A secret has at least as many bytes as the hash (RFC 7518, 3.2).
const SECRETS: [(Algorithm, usize, hmac::Algorithm); 3] = [
    (Algorithm::Hs256, 32, hmac::HMAC_SHA256),
    (Algorithm::Hs384, 48, hmac::HMAC_SHA384),
    (Algorithm::Hs512, 64, hmac::HMAC_SHA512),
];

const RSA: [(Algorithm, &RsaParameters); 6] = [
    (Algorithm::Rs256, &signature::RSA_PKCS1_2048_8192_SHA256),
    (Algorithm::Rs384, &signature::RSA_PKCS1_2048_8192_SHA384),
    (Algorithm::Rs512, &signature::RSA_PKCS1_2048_8192_SHA512),
    (Algorithm::Ps256, &signature::RSA_PSS_2048_8192_SHA256),
    (Algorithm::Ps384, &signature::RSA_PSS_2048_8192_SHA384),
    (Algorithm::Ps512, &signature::RSA_PSS_2048_8192_SHA512),
];

/// A key that has one algorithm, since its curve has.
const CURVES: [(Curve, Algorithm, &dyn VerificationAlgorithm); 3] = [
    (Curve::P256, Algorithm::Es256, &signature::ECDSA_P256_SHA256_FIXED),
    (Curve::P384, Algorithm::Es384, &signature::ECDSA_P384_SHA384_FIXED),
    (Curve::Ed25519, Algorithm::EdDsa, &signature::ED25519),
];

/// The curves of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Curve {
    P256,
    P384,
    Ed25519,
}

/// A key, and what verifies by it.
pub(super) struct Key {
    kid: Option<Box<str>>,
    /// Two keys of one fingerprint are one key.
    fingerprint: Digest,
    verifiers: Box<[(Algorithm, Verifier)]>,
}

enum Verifier {
    Public(ParsedPublicKey),
    Secret(Box<hmac::Key>),
}

impl Key {
    /// A secret that both sides have.
    pub(super) fn secret(secret: &[u8]) -> Result<Key, String> {
        let long_enough = SECRETS.iter().filter(|(_, least, _)| secret.len() >= *least);
        let verifiers: Vec<_> = long_enough
            .map(|(one, _, hash)| (*one, Verifier::Secret(Box::new(hmac::Key::new(*hash, secret)))))
            .collect();
        if verifiers.is_empty() {
            return Err(format!("the secret has {} bytes; HS256 needs 32, HS384 48, HS512 64", secret.len()));
        }
        Ok(Key::new(b"secret", secret, verifiers))
    }

    /// An RSA key by its modulus and its exponent, each without leading zeros.
    pub(super) fn rsa_of(n: &[u8], e: &[u8]) -> Result<Key, String> {
        let der: Result<PublicKeyX509Der<'_>, _> = RsaPublicKeyComponents { n, e }.as_der();
        Key::rsa(der.map_err(|_| "`n` and `e` are no RSA key")?.as_ref())
    }

    /// A key of a curve: its point, or an Ed25519 key's 32 bytes.
    pub(super) fn of_curve(curve: Curve, bytes: &[u8]) -> Result<Key, String> {
        let found = CURVES.iter().find(|(one, ..)| *one == curve).and_then(|one| on_curve(one, bytes));
        found.ok_or_else(|| "this is no point of its curve".to_owned())
    }

    /// A key as X.509 has it: a `SubjectPublicKeyInfo` in DER, which says what it is.
    pub(super) fn of_spki(der: &[u8]) -> Result<Key, String> {
        match CURVES.iter().find_map(|curve| on_curve(curve, der)) {
            Some(key) => Ok(key),
            None => Key::rsa(der),
        }
    }

    fn rsa(spki: &[u8]) -> Result<Key, String> {
        let parsed = |(one, how): (Algorithm, &'static RsaParameters)| {
            Some((one, Verifier::Public(ParsedPublicKey::new(how, spki).ok()?)))
        };
        let verifiers: Option<Vec<_>> = RSA.into_iter().map(parsed).collect();
        let verifiers =
            verifiers.ok_or("this is no key of RSA, of the curves P-256 or P-384, or of Ed25519")?;
        // What is no sound key (an even exponent, say) is refused here.
        let sound = PublicEncryptingKey::from_der(spki).ok();
        if !sound.is_some_and(|key| RSA_BITS.contains(&key.key_size_bits())) {
            return Err("an RSA key must have 2048 bits at least, and 8192 at most, and be sound".to_owned());
        }
        Ok(Key::new(b"rsa", spki, verifiers))
    }

    fn new(kind: &[u8], bytes: &[u8], verifiers: Vec<(Algorithm, Verifier)>) -> Key {
        Key { kid: None, fingerprint: Digest::of_parts([kind, bytes]), verifiers: verifiers.into() }
    }

    /// The same under a name.
    pub(super) fn named(self, kid: impl Into<Box<str>>) -> Key {
        Key { kid: Some(kid.into()), ..self }
    }

    /// The same for that algorithm only. `None` if it is not for it.
    pub(super) fn pinned(self, algorithm: Algorithm) -> Option<Key> {
        let pinned = self.verifiers.into_iter().find(|(one, _)| *one == algorithm)?;
        Some(Key { verifiers: Box::new([pinned]), ..self })
    }

    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Its name, its algorithms and its fingerprint, as bytes: two keys of which these are equal are one.
    pub(super) fn identity(&self) -> Vec<u8> {
        let algorithms = self.verifiers.iter().map(|(one, _)| one.name()).collect::<Vec<_>>().join(",");
        let name = self.kid.as_ref().map_or(String::new(), |kid| format!("={kid}"));
        [self.fingerprint.as_bytes(), algorithms.as_bytes(), name.as_bytes()].concat()
    }

    pub(super) fn is_for(&self, algorithm: Algorithm) -> bool {
        self.verifiers.iter().any(|(one, _)| *one == algorithm)
    }

    /// Whether it has signed that, by that algorithm.
    pub(super) fn has_signed(&self, algorithm: Algorithm, signed: &[u8], signature: &[u8]) -> bool {
        match self.verifiers.iter().find(|(one, _)| *one == algorithm) {
            Some((_, Verifier::Public(key))) => key.verify_sig(signed, signature).is_ok(),
            Some((_, Verifier::Secret(key))) => hmac::verify(key, signed, signature).is_ok(),
            None => false,
        }
    }
}

/// Its name and its algorithms; never what verifies.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithms: Vec<&str> = self.verifiers.iter().map(|(one, _)| one.name()).collect();
        write!(f, "{:?} for {}", self.kid, algorithms.join(", "))
    }
}

fn on_curve(
    (curve, algorithm, how): &(Curve, Algorithm, &'static dyn VerificationAlgorithm),
    bytes: &[u8],
) -> Option<Key> {
    let key = ParsedPublicKey::new(*how, bytes).ok()?;
    // The same bytes as a point and as a `SubjectPublicKeyInfo` are one key.
    let der: PublicKeyX509Der<'_> = key.as_der().ok()?;
    let kind = format!("{curve:?}");
    Some(Key::new(kind.as_bytes(), der.as_ref(), vec![(*algorithm, Verifier::Public(key))]))
}
