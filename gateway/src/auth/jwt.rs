//! Who calls by a JSON Web Token. One that was verified is known for a while.

use super::verified::{By, Verified};
use super::{Answer, now};
use crate::config::{AuthFiles, JwtSpec};
use crate::failure::Flaw;
use crate::followed::Followed;
use callgate_auth::{UnixSeconds, jwt};
use std::sync::Arc;

/// What the authenticator of that id, with these files, says of a token.
pub(super) fn ask(
    id: u64,
    spec: &JwtSpec,
    files: &Followed<AuthFiles>,
    token: &[u8],
    verified: &Verified,
) -> Answer {
    let Some((files, hash)) = files.in_force() else { return Answer::Bad(Flaw::Unavailable) };
    let (by, now) = (By { id, files: *hash }, now());
    if let Some(identity) = verified.find(by, token, now) {
        return Answer::Known(identity);
    }
    let AuthFiles::Jwt { keys, revoked } = &**files else { return Answer::Bad(Flaw::Unavailable) };
    match jwt::verify(keys, &spec.expected, revoked, token, now) {
        Ok(identity) => {
            let identity = Arc::new(identity);
            verified.put(by, token, identity.clone(), UnixSeconds::MAX);
            Answer::Known(identity)
        }
        Err(refused) => Answer::Bad(refused.into()),
    }
}
