//! Who calls by the word of a service: whether there is something to ask it about. It is asked elsewhere, with the whole request at hand.

use super::{Answer, Pending};
use crate::config::Outside;
use crate::fields;
use callgate_http1::Fields;

/// What an authenticator says of a request, whose service is told these things.
///
/// Headers and cookies are what a caller shows. One who has none of those that are asked about shows nothing. Where the service is told
/// nothing of the kind, it is asked about everybody.
pub(super) fn ask(told: &[Outside], fields: Fields<'_>) -> Answer {
    let mut shows = None;
    for outside in told {
        let has = match outside {
            Outside::Header { name, .. } => fields::each(fields, name).next().is_some(),
            Outside::Cookie(name) => fields::cookie(fields, name).is_some(),
            _ => continue,
        };
        shows = Some(shows.unwrap_or_default() || has);
    }
    match shows {
        Some(false) => Answer::Nothing,
        Some(true) | None => Answer::Later(Pending::Question),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::request;

    #[test]
    fn who_shows_none_of_the_headers_and_cookies_shows_nothing() {
        let header = |name: &str| Outside::Header { name: name.into(), is_list: false, is_tag: false };
        let (nothing, later) = (Answer::Nothing, Answer::Later(Pending::Question));
        let both = [Outside::Client, header("x-token"), Outside::Cookie("sid".into())];
        for (told, lines, expected) in [
            (&both[..], &[("x-other", "1")][..], &nothing),
            (&both, &[("cookie", "other=1")], &nothing),
            (&both, &[("X-Token", "")], &later),
            (&both, &[("cookie", "a=1; sid=2")], &later),
            (&[Outside::Client, Outside::Nothing], &[], &later),
            (&[], &[], &later),
        ] {
            assert_eq!(ask(told, request(lines).fields()), *expected, "{lines:?}");
        }
    }
}
