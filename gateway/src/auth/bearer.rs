//! The token of `Authorization: Bearer`.

use crate::fields::{self, AUTHORIZATION, Repeated};
use callgate_http1::Fields;
use memchr::memchr;

/// The token of `Authorization: Bearer` (RFC 6750, 2.1; a scheme's case does not matter).
pub(crate) fn bearer(fields: Fields<'_>) -> Result<Option<&[u8]>, Repeated<'static>> {
    shown(fields)?.map(single).transpose()
}

/// There is no comma in a token: where one is, several lines were joined on their way. Other schemes have lists of parameters.
pub(crate) fn single(token: &[u8]) -> Result<&[u8], Repeated<'static>> {
    if memchr(b',', token).is_some() { Err(fields::repeated(&AUTHORIZATION)) } else { Ok(token) }
}

/// The token as it stands there, for whoever knows the ones that were verified: these are [single](single) ones.
pub(crate) fn shown(fields: Fields<'_>) -> Result<Option<&[u8]>, Repeated<'static>> {
    let line = fields::line(fields, &AUTHORIZATION)?;
    let Some((scheme, token)) = line.and_then(|line| line.split_at_checked(7)) else {
        return Ok(None);
    };
    let token = token.trim_ascii();
    // Nearly all write it as RFC 6750 does, and to compare that is one step.
    let is_bearer = scheme == b"Bearer " || scheme.eq_ignore_ascii_case(b"bearer ");
    if !is_bearer || token.is_empty() {
        return Ok(None);
    }
    Ok(Some(token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::request;

    #[test]
    fn a_bearer_token_comes_once_or_it_is_none() {
        for (lines, expected) in [
            (&[][..], Ok(None)),
            (&["Bearer t"], Ok(Some("t"))),
            (&["bearer  t "], Ok(Some("t"))),
            (&["Basic dDp0"], Ok(None)),
            (&["Digest a=1, b=2"], Ok(None)),
            (&["Bearer "], Ok(None)),
            (&["Bear"], Ok(None)),
            (&["Bearer t", "Bearer u"], Err(Repeated("Authorization"))),
            (&["Bearer t", "Bearer t"], Err(Repeated("Authorization"))),
            (&["Bearer t", ""], Err(Repeated("Authorization"))),
            (&["Bearer t, Bearer u"], Err(Repeated("Authorization"))),
        ] {
            let lines: Vec<_> = lines.iter().map(|line| ("Authorization", line)).collect();
            assert_eq!(
                bearer(request(&lines).fields()),
                expected.map(|token| token.map(str::as_bytes)),
                "{lines:?}"
            );
        }
    }
}
