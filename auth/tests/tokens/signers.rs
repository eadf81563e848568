//! Issuers as tests have them: private keys made anew for each run, and tokens of any header, claims and signature.

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::sync::LazyLock;

/// The secret of HS256, HS384 and HS512.
pub(crate) const SECRET: &[u8] = b"64 bytes, of which nobody knows one: 0123456789abcdef0123456789ab";

/// All keys of an issuer.
pub(crate) struct Issuer {
    pub(crate) rsa: RsaKeyPair,
    pub(crate) p256: EcdsaKeyPair,
    pub(crate) p384: EcdsaKeyPair,
    pub(crate) ed25519: Ed25519KeyPair,
}

/// The one whose keys are known, and one whose are not.
pub(crate) static ISSUER: LazyLock<Issuer> = LazyLock::new(Issuer::new);
pub(crate) static ATTACKER: LazyLock<Issuer> = LazyLock::new(Issuer::new);

impl Issuer {
    fn new() -> Issuer {
        Issuer {
            rsa: RsaKeyPair::generate(KeySize::Rsa2048).unwrap(),
            p256: EcdsaKeyPair::generate(&signature::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
            p384: EcdsaKeyPair::generate(&signature::ECDSA_P384_SHA384_FIXED_SIGNING).unwrap(),
            ed25519: Ed25519KeyPair::generate().unwrap(),
        }
    }

    /// Signs by the algorithm of that name. Names that are none sign as RS256 does.
    pub(crate) fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        let rsa = |how: &'static dyn signature::RsaEncoding| {
            let mut bytes = vec![0; self.rsa.public_modulus_len()];
            self.rsa.sign(how, &random, message, &mut bytes).unwrap();
            bytes
        };
        let hmac = |how| hmac::sign(&hmac::Key::new(how, SECRET), message).as_ref().to_vec();
        match algorithm {
            "HS256" => hmac(hmac::HMAC_SHA256),
            "HS384" => hmac(hmac::HMAC_SHA384),
            "HS512" => hmac(hmac::HMAC_SHA512),
            "RS384" => rsa(&signature::RSA_PKCS1_SHA384),
            "RS512" => rsa(&signature::RSA_PKCS1_SHA512),
            "PS256" => rsa(&signature::RSA_PSS_SHA256),
            "PS384" => rsa(&signature::RSA_PSS_SHA384),
            "PS512" => rsa(&signature::RSA_PSS_SHA512),
            "ES256" => self.p256.sign(&random, message).unwrap().as_ref().to_vec(),
            "ES384" => self.p384.sign(&random, message).unwrap().as_ref().to_vec(),
            "EdDSA" | "Ed25519" => self.ed25519.sign(message).as_ref().to_vec(),
            _ => rsa(&signature::RSA_PKCS1_SHA256),
        }
    }

    /// Its public keys, by the names `r`, `e`, `f` and `o`.
    pub(crate) fn jwks(&self) -> Value {
        json!({"keys": [self.jwk("r"), self.jwk("e"), self.jwk("f"), self.jwk("o")]})
    }

    /// One of them.
    pub(crate) fn jwk(&self, kid: &str) -> Value {
        let ec = |pair: &EcdsaKeyPair, curve: &str| {
            let (x, y) = pair.public_key().as_ref()[1..].split_at((pair.public_key().as_ref().len() - 1) / 2);
            json!({"kty": "EC", "crv": curve, "x": base64url(x), "y": base64url(y), "kid": kid, "use": "sig"})
        };
        match kid {
            "r" => {
                let (n, e) = self.rsa_components();
                json!({"kty": "RSA", "n": base64url(&n), "e": base64url(&e), "kid": kid, "use": "sig"})
            }
            "e" => ec(&self.p256, "P-256"),
            "f" => ec(&self.p384, "P-384"),
            _ => {
                let x = base64url(self.ed25519.public_key().as_ref());
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": kid, "key_ops": ["verify"]})
            }
        }
    }

    /// The modulus and the exponent, which stand at the end of the key in DER.
    fn rsa_components(&self) -> (Vec<u8>, Vec<u8>) {
        let der = self.rsa.public_key().as_ref();
        let (n, e) = der.split_at(der.len() - 5);
        assert_eq!(e[..2], [2, 3], "an exponent of three bytes, as it is common");
        (n[n.len() - 256..].to_vec(), e[2..].to_vec())
    }

    /// A public key as X.509 has it.
    pub(crate) fn der(&self, kid: &str) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = match kid {
            "r" => self.rsa.public_key().as_der(),
            "e" => self.p256.public_key().as_der(),
            "f" => self.p384.public_key().as_der(),
            _ => self.ed25519.public_key().as_der(),
        }
        .unwrap();
        der.as_ref().to_vec()
    }

    /// The same in PEM.
    pub(crate) fn pem(&self, kid: &str) -> String {
        pem("PUBLIC KEY", &self.der(kid))
    }
}

pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> =
        text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

pub(crate) fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn from_base64url(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Of a token: what is signed, and the signature.
pub(crate) fn split(token: &str) -> (&str, Vec<u8>) {
    let (signed, signature) = token.rsplit_once('.').unwrap();
    (signed, from_base64url(signature))
}

/// What is signed of a header and claims.
pub(crate) fn signed(header: &[u8], claims: &[u8]) -> String {
    format!("{}.{}", base64url(header), base64url(claims))
}

/// With that signature.
pub(crate) fn with_signature(signed: &str, signature: &[u8]) -> String {
    format!("{signed}.{}", base64url(signature))
}

/// A token signed by HMAC with SHA-256 under any secret.
pub(crate) fn hs256_by(secret: &[u8], signed: &str) -> String {
    with_signature(signed, hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), signed.as_bytes()).as_ref())
}

/// The SHA-256 in hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    digest::digest(&digest::SHA256, text.as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
