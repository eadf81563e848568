//! The keys that verify tokens, and which of them are tried.

use super::header::Header;
use super::key::Key;
use super::{Algorithm, Refused, jwks, pem};
use crate::{Digest, Mistake, Mistakes};
use std::fmt;

/// So many keys are tried for one token: those of its `kid`, or, where it or they have none, those that are for its algorithm.
const MAX_TRIED: usize = 4;

/// Keys that verify tokens; at least one. Each is bound to the algorithms that it is for.
///
/// A token that names its key (`kid`) is verified by keys of that name, or by keys without a name. A token that names none is verified
/// by any key of its algorithm, where these are four at most. Which key a token is verified by is never more than that: all keys of
/// the set are trusted alike.
pub struct Keys(Box<[Key]>);

/// Keys out of a JWKS, and what was left out of it.
pub struct Jwks {
    /// The keys that can be used.
    pub keys: Keys,
    /// The others.
    pub skipped: Vec<Skipped>,
}

/// A key of a JWKS that is not used, so that the others are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its place in `keys`, from 0.
    pub index: usize,
    /// Its name, if it has one.
    pub kid: Option<String>,
    /// Why it is not used. It has no word of a key.
    pub why: String,
}

impl Keys {
    /// So many keys there may be.
    pub const MAX: usize = 128;

    /// So long may a file or a document with keys be, in bytes.
    pub const MAX_BYTES: usize = 256 * 1024;

    /// Reads a JWKS (RFC 7517, 5). It is refused as a whole if it is no such document, says a thing twice, is too large, or has no key that
    /// can be used. A key that cannot be used is left out, so that it does not take the others along: one of a type, curve or algorithm that is not
    /// known, one for encryption (`use`, `key_ops`), one with its private part (whoever published it has given it away), a
    /// secret (`oct`), one that is no key. A key that stands there twice is one key; several of one `kid` are all tried.
    pub fn from_jwks(json: &[u8]) -> Result<Jwks, Mistakes> {
        let (keys, skipped) = jwks::read(json)?;
        Ok(Jwks { keys: Keys::new(keys)?, skipped })
    }

    /// Reads public keys in PEM (`-----BEGIN PUBLIC KEY-----`) of RSA, of P-256 or P-384, or of Ed25519. They have no names, and are
    /// tried whatever name a token has.
    pub fn from_pem(pem: &[u8]) -> Result<Keys, Mistakes> {
        Keys::new(pem::read(pem)?)
    }

    /// A secret that the issuer has as well. Its length says for which algorithms it can be used: with 32 bytes for HS256, with 48 for HS384
    /// too, with 64 for HS512 too (RFC 7518, 3.2). What looks like a key in PEM is refused: it is no secret.
    pub fn from_secret(secret: &[u8]) -> Result<Keys, Mistakes> {
        if secret.windows(b"-----BEGIN ".len()).any(|part| part == b"-----BEGIN ") {
            let mistake = Mistake::new("this is a key in PEM, and not a secret");
            return Err(mistake
                .help("a public key is known to all; as a secret it would let everybody in")
                .into());
        }
        Keys::new(vec![Key::secret(secret).map_err(Mistake::new)?])
    }

    /// These and others.
    pub fn and(self, more: Keys) -> Result<Keys, Mistakes> {
        Keys::new(self.0.into_iter().chain(more.0).collect())
    }

    fn new(keys: Vec<Key>) -> Result<Keys, Mistakes> {
        let mut all: Vec<Key> = Vec::new();
        for key in keys {
            let same = |one: &Key| one.identity() == key.identity();
            if !all.iter().any(same) {
                all.push(key);
            }
        }
        match all.len() {
            0 => Err(Mistake::new("there is no key in it that can be used").into()),
            1..=Keys::MAX => Ok(Keys(all.into())),
            _ => Err(Mistake::new(format!("there are more than {} keys", Keys::MAX)).into()),
        }
    }

    /// How many there are; at least one.
    #[expect(clippy::len_without_is_empty, reason = "there is always at least one")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether one of them is for that algorithm.
    pub fn serves(&self, algorithm: Algorithm) -> bool {
        self.0.iter().any(|key| key.is_for(algorithm))
    }

    /// One for equal sets in the same order, by which a document that is read again is known to say the same. It is as secret as the keys.
    pub fn fingerprint(&self) -> Digest {
        let identities: Vec<Vec<u8>> = self.0.iter().map(Key::identity).collect();
        Digest::of_parts(identities.iter().map(Vec::as_slice))
    }

    /// Whether one of the keys that the header leads to has signed that.
    pub(super) fn check(&self, header: &Header, signed: &[u8], signature: &[u8]) -> Result<(), Refused> {
        let kid = header.kid.as_deref();
        let named = kid.is_some_and(|kid| self.0.iter().any(|key| key.kid() == Some(kid)));
        let meant = |key: &&Key| match kid {
            Some(kid) if named => key.kid() == Some(kid),
            Some(_) => key.kid().is_none(),
            None => true,
        };
        let fit: Vec<&Key> = self.0.iter().filter(meant).filter(|key| key.is_for(header.algorithm)).collect();
        // A name that nobody has could be that of a key which is not here yet.
        let unknown = kid.is_some() && !named && self.0.iter().any(|key| key.kid().is_some());
        match fit.len() {
            0 if named => Err(Refused::Algorithm),
            1..=MAX_TRIED if fit.iter().any(|key| key.has_signed(header.algorithm, signed, signature)) => {
                Ok(())
            }
            1..=MAX_TRIED if !unknown => Err(Refused::Signature),
            _ => Err(Refused::UnknownKey),
        }
    }
}

/// Names and algorithms; never what verifies.
impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter()).finish()
    }
}
