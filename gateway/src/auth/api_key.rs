//! Who calls by an API key.

use super::bearer::bearer;
use super::{Answer, now};
use crate::config::{ApiKeySpec, AuthFiles};
use crate::failure::Flaw;
use crate::fields::{self, Repeated};
use crate::followed::Followed;
use callgate_http1::Fields;

/// The longest key that is looked up, in bytes.
const LONGEST: usize = 1024;

/// What an authenticator with these files says of a request. Keys are looked up by a hash: there is nothing to keep for the next time.
pub(super) fn ask<'s>(
    spec: &'s ApiKeySpec,
    files: &Followed<AuthFiles>,
    fields: Fields<'_>,
) -> Result<Answer, Repeated<'s>> {
    let key = if spec.is_bearer() { bearer(fields)? } else { fields::line(fields, &spec.header)? };
    let Some(key) = key.map(<[u8]>::trim_ascii).filter(|key| !key.is_empty()) else {
        return Ok(Answer::Nothing);
    };
    let Some((files, _)) = files.in_force() else { return Ok(Answer::Bad(Flaw::Unavailable)) };
    let AuthFiles::ApiKeys(keys) = &**files else { return Ok(Answer::Bad(Flaw::Unavailable)) };
    if key.len() > LONGEST {
        return Ok(Answer::Bad(Flaw::TooLong));
    }
    Ok(match keys.find(key, now()) {
        Ok(identity) => Answer::Known(identity),
        Err(denied) => Answer::Bad(denied.into()),
    })
}
