//! Who calls by a JSON Web Token. One that was verified is known for a while.

use super::bearer::single;
use super::key_set::KeySet;
use super::verified::{By, Verified};
use super::{Answer, now};
use crate::config::{AuthFiles, JwtSpec};
use crate::failure::Flaw;
use crate::fields::Repeated;
use crate::followed::Followed;
use callgate_auth::UnixSeconds;
use callgate_auth::jwt::{self, Refused};
use std::sync::Arc;

/// What the authenticator of that id says of a token, with these files, and with the keys that are fetched for it.
pub(super) fn ask(
    id: u64,
    spec: &JwtSpec,
    (files, fetched): (&Followed<AuthFiles>, Option<&KeySet>),
    token: &[u8],
    verified: &Verified,
) -> Result<Answer, Repeated<'static>> {
    let Some((files, hash)) = files.in_force() else { return Ok(Answer::Bad(Flaw::Unavailable)) };
    let AuthFiles::Jwt { keys, revoked } = &**files else { return Ok(Answer::Bad(Flaw::Unavailable)) };
    let in_force = fetched.map(KeySet::keys);
    let (keys, hash) = match (keys, in_force.as_deref()) {
        (Some(keys), _) => (keys, *hash),
        // Other keys, or other files: either tells them from what there was before.
        (None, Some(Some(fetched))) => (&fetched.keys, *hash ^ fetched.hash),
        (None, _) => return Ok(Answer::Bad(Flaw::Unavailable)),
    };
    let (by, now) = (By { id, files: hash }, now());
    if let Some(identity) = verified.find(by, token, now) {
        return Ok(Answer::Known(identity));
    }
    let token = single(token)?;
    Ok(match jwt::verify(keys, &spec.expected, revoked, token, now) {
        Ok(identity) => {
            let identity = Arc::new(identity);
            verified.put(by, token, identity.clone(), UnixSeconds::MAX);
            Answer::Known(identity)
        }
        Err(refused) => {
            if let (Refused::UnknownKey, Some(fetched)) = (refused, fetched) {
                fetched.want();
            }
            Answer::Bad(refused.into())
        }
    })
}
