//! JSON Web Tokens (RFC 7519, RFC 8725): read strictly, verified by keys that are bound to algorithms, and checked.
//!
//! [`verify`] makes an [`Identity`] of a token, or says why not by one of [`Refused`]. It needs [`Keys`], and what is [`Expected`] of
//! tokens. Nothing that stands in a token is looked at before its signature is verified, but for the algorithm, the key's name and
//! the type in its header.
//!
//! ```
//! use callgate_auth::jwt::{self, Algorithm, Asked, Expected, Keys, Refused, Revoked};
//!
//! let keys = Keys::from_secret(b"a secret of 32 bytes or of more.").unwrap();
//! let expected = Expected::new(Asked::by([Algorithm::Hs256])).unwrap();
//! let refused = jwt::verify(&keys, &expected, &Revoked::default(), b"not a token", 1_700_000_000).unwrap_err();
//! assert_eq!(refused, Refused::Malformed);
//! ```

mod algorithm;
mod base64url;
mod claim_name;
mod claims;
mod expected;
mod header;
mod jwks;
mod key;
mod keys;
mod pem;
mod refused;
mod revoked;

pub use algorithm::Algorithm;
pub use claim_name::ClaimName;
pub use expected::{Asked, AskedError, Expected};
pub use keys::{Jwks, Keys, Skipped};
pub use refused::Refused;
pub use revoked::Revoked;

use crate::{Identity, UnixSeconds, json};
use header::Header;

/// Who shows that token, if it is signed by one of the keys, is as expected at that moment, and was not revoked.
///
/// The identity has the claims as they came. It ends when the token does, with the leeway.
pub fn verify(
    keys: &Keys,
    expected: &Expected,
    revoked: &Revoked,
    token: &[u8],
    now: UnixSeconds,
) -> Result<Identity, Refused> {
    if token.len() > expected.max_len {
        return Err(Refused::TooLong);
    }
    let Parts { header, claims, signature, signed } = Parts::of(token).ok_or(Refused::Malformed)?;
    let header = Header::read(&decoded(header)?, expected)?;
    keys.check(&header, signed, &decoded(signature)?)?;
    let claims = json::object(&decoded(claims)?).map_err(|_| Refused::Malformed)?.into();
    if revoked.has(signed, &claims) {
        return Err(Refused::Revoked);
    }
    claims::identity(claims, expected, now)
}

/// The parts of a token, as they stand there.
struct Parts<'t> {
    header: &'t [u8],
    claims: &'t [u8],
    signature: &'t [u8],
    /// What was signed: the first two with the dot between them.
    signed: &'t [u8],
}

impl Parts<'_> {
    /// Exactly three parts.
    fn of(token: &[u8]) -> Option<Parts<'_>> {
        let mut parts = token.split(|byte| *byte == b'.');
        let (header, claims, signature) = (parts.next()?, parts.next()?, parts.next()?);
        let signed = &token[..header.len() + 1 + claims.len()];
        parts.next().is_none().then_some(Parts { header, claims, signature, signed })
    }
}

fn decoded(part: &[u8]) -> Result<Vec<u8>, Refused> {
    base64url::read(part).ok_or(Refused::Malformed)
}
