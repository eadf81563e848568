//! Who calls by a JSON Web Token.

use super::Answer;
use crate::config::{AuthFiles, JwtSpec};
use crate::failure::Flaw;
use crate::followed::Followed;
use callgate_auth::UnixSeconds;
use callgate_auth::jwt;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

/// What an authenticator with these files says of a token.
pub(super) fn ask(spec: &JwtSpec, files: &Followed<AuthFiles>, token: &[u8]) -> Answer {
    let Ok(files) = files.value() else { return Answer::Bad(Flaw::Unavailable) };
    let AuthFiles::Jwt { keys, revoked } = &**files;
    match jwt::verify(keys, &spec.expected, revoked, token, now()) {
        Ok(identity) => Answer::Known(Arc::new(identity)),
        Err(refused) => Answer::Bad(refused.into()),
    }
}

/// The time. A clock that stands before 1970 makes everything not valid yet.
fn now() -> UnixSeconds {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
