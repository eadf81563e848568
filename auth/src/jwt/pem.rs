//! Public keys in PEM (RFC 7468).

use super::key::Key;
use super::keys::Keys;
use crate::{Mistake, Mistakes};
use rustls_pki_types::pem::{PemObject, SectionKind};

const MAKE: &str = "`openssl pkey -in KEY -pubout` writes the public part of a key";

/// All keys of a file; a section that is no public key is a mistake.
pub(super) fn read(pem: &[u8]) -> Result<Vec<Key>, Mistakes> {
    if pem.len() > Keys::MAX_BYTES {
        return Err(Mistake::new(format!("a file of keys has {} bytes at most", Keys::MAX_BYTES)).into());
    }
    let mut keys = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
        if keys.len() == Keys::MAX {
            return Err(Mistake::new(format!("there are more than {} keys", Keys::MAX)).into());
        }
        let number = keys.len() + 1;
        let (kind, der) =
            section.map_err(|error| Mistake::new(format!("the PEM cannot be read: {error}")).help(MAKE))?;
        match kind {
            SectionKind::PublicKey => keys
                .push(Key::of_spki(&der).map_err(|why| Mistake::new(format!("public key {number}: {why}")))?),
            SectionKind::Certificate => {
                let mistake = Mistake::new("this is a certificate, and not a public key");
                return Err(mistake.help("`openssl x509 -in FILE -pubkey -noout` writes its key").into());
            }
            _ => {
                let mistake = Mistake::new("there is more in it than public keys");
                return Err(mistake.help(format!("a private key stays with the issuer; {MAKE}")).into());
            }
        }
    }
    if keys.is_empty() {
        let mistake =
            Mistake::new("there is no public key in it: it begins with `-----BEGIN PUBLIC KEY-----`");
        return Err(mistake.help(MAKE).into());
    }
    Ok(keys)
}
