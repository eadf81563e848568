//! Who calls by a name and a password. To verify one takes tens of milliseconds, which no worker has: it is done beside them, and the
//! request is looked up again ([`Login`]). Who was verified is known for a while.

use super::verified::By;
use super::{Answer, Login, Pending, Shown, now};
use crate::failure::Flaw;
use crate::fields::{self, AUTHORIZATION, Repeated};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callgate_http1::Fields;

/// The longest credential that is read, in bytes as it is sent.
const LONGEST: usize = 2048;

/// What the authenticator of that id says, if its files are those.
pub(super) fn ask(by: By, shown: &Shown<'_>) -> Result<Answer, Repeated<'static>> {
    let Some(sent) = credential(shown.fields)? else { return Ok(Answer::Nothing) };
    if sent.len() > LONGEST {
        return Ok(Answer::Bad(Flaw::TooLong));
    }
    if let Some(identity) = shown.verified.find(by, sent, now()) {
        return Ok(Answer::Known(identity));
    }
    Ok(match read(sent) {
        Some((user, password)) => {
            Answer::Later(Pending::Login(Box::new(Login { by, sent: sent.into(), user, password })))
        }
        None => Answer::Bad(Flaw::Malformed),
    })
}

/// What follows `Basic` (RFC 7617, 2; a scheme's case does not matter).
fn credential(fields: Fields<'_>) -> Result<Option<&[u8]>, Repeated<'static>> {
    let line = fields::line(fields, &AUTHORIZATION)?;
    let Some((scheme, sent)) = line.and_then(|line| line.split_at_checked(6)) else { return Ok(None) };
    let sent = sent.trim_ascii();
    Ok((scheme.eq_ignore_ascii_case(b"basic ") && !sent.is_empty()).then_some(sent))
}

/// A name, which has no colon and is UTF-8, and a password.
fn read(sent: &[u8]) -> Option<(Box<str>, Box<[u8]>)> {
    let pair = STANDARD.decode(sent).ok()?;
    let at = pair.iter().position(|byte| *byte == b':')?;
    let user = std::str::from_utf8(&pair[..at]).ok()?;
    Some((user.into(), pair[at + 1..].into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::request;

    #[test]
    fn a_name_and_a_password_are_read_and_nothing_else() {
        for (line, expected) in [
            ("Basic YWRhOnNlY3JldA==", Some(("ada", &b"secret"[..]))),
            ("bAsIc   YWRhOjo6 ", Some(("ada", b"::"))),
            ("Basic YWRhOg==", Some(("ada", b""))),
            ("Basic YWRhOnNlY3JldA", None),
            ("Basic YWRh", None),
            ("Basic /zo=", None),
        ] {
            let request = request(&[("authorization", line)]);
            let sent = credential(request.fields()).expect("once").expect("it is there");
            let read = read(sent);
            assert_eq!(read.as_ref().map(|(user, password)| (&**user, &**password)), expected, "{line}");
        }
        for line in ["Bearer YWRh", "Basic", "Basic ", "Basicx YWRhOg=="] {
            assert_eq!(credential(request(&[("authorization", line)]).fields()), Ok(None), "{line}");
        }
    }
}
