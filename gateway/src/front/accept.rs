//! Whether a client takes what its route can say (RFC 9110, 12.5.1). Routes that call answer in JSON. A client that wants nothing of the
//! kind is told so before the call is made, with what there is.

use crate::failure::Failure;
use crate::fields::{self, ACCEPT, Lines};
use callgate_http1::Fields;

/// What a route that calls says.
const TYPE: (&str, &str) = ("application", "json");

/// Refuses a request whose client does not take JSON. One that does not say what it takes takes anything, and so does one whose lines
/// are no list of media ranges.
#[inline]
pub(super) fn check(fields: Fields<'_>) -> Result<(), Failure> {
    match fields::lines(fields, &ACCEPT) {
        Lines::None | Lines::One(b"*/*" | b"application/json") => Ok(()),
        _ => check_ranges(fields),
    }
}

#[inline(never)]
fn check_ranges(fields: Fields<'_>) -> Result<(), Failure> {
    // The most specific range that has the type says whether it is taken.
    let mut best: Option<(u8, bool)> = None;
    let mut some = false;
    for range in fields::members(fields, &ACCEPT) {
        let Some(Range { specific, is_taken }) = Range::parse(range) else { return Ok(()) };
        some = true;
        if let Some(specific) = specific {
            best = match best {
                Some((before, taken)) if before == specific => Some((before, taken || is_taken)),
                Some((before, taken)) if before > specific => Some((before, taken)),
                _ => Some((specific, is_taken)),
            };
        }
    }
    match best {
        Some((_, true)) => Ok(()),
        None if !some => Ok(()),
        _ => Err(Failure::NotAcceptable),
    }
}

/// A media range.
struct Range {
    /// How closely it describes the type; `None` if it is another.
    specific: Option<u8>,
    /// Whether its weight is more than 0.
    is_taken: bool,
}

impl Range {
    /// `None` if it is none. Parameters beside the weight say nothing of JSON that is not so.
    fn parse(text: &[u8]) -> Option<Range> {
        let mut parts = fields::text(text)?.split(';').map(str::trim);
        let (main, sub) = parts.next()?.split_once('/')?;
        let is = |own: &str, wanted: &str| own.eq_ignore_ascii_case(wanted);
        let specific = match (main, sub) {
            ("*", "*") => Some(0),
            (main, "*") if is(main, TYPE.0) => Some(1),
            (main, sub) if is(main, TYPE.0) && is(sub, TYPE.1) => Some(2),
            _ => None,
        };
        let weight = parts.filter_map(|part| part.split_once('=')).find(|(name, _)| is(name.trim(), "q"));
        let is_taken = match weight {
            None => true,
            Some((_, weight)) => weight.trim().parse::<f32>().ok().filter(|weight| *weight >= 0.0)? > 0.0,
        };
        Some(Range { specific, is_taken })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_said_to_whoever_takes_it() {
        for (lines, taken) in [
            (&[][..], true),
            (&["*/*"], true),
            (&["application/json"], true),
            (&["Application/JSON; charset=utf-8"], true),
            (&["application/*;q=0.1"], true),
            (&["text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8"], true),
            (&["text/html", "application/json"], true),
            (&["text/html;q=0, */*"], true),
            (&["text/html"], false),
            (&["text/html, image/*"], false),
            (&["application/xml"], false),
            (&["application/problem+json"], false),
            (&["application/json;q=0, */*"], false),
            (&["application/*;q=0.0, */*;q=1"], false),
            (&["*/*;q=0"], false),
            (&["*/*;q=0, application/json;q=0.001"], true),
            (&["application/json;v=1;q=0, application/json"], true),
            (&[""], true),
            (&[", ,"], true),
            (&["html"], true),
            (&["text/html;q=x"], true),
            (&["\u{e9}/b"], true),
        ] {
            let lines: Vec<(&str, &str)> = lines.iter().map(|line| ("Accept", *line)).collect();
            assert_eq!(check(fields::request(&lines).fields()).is_ok(), taken, "{lines:?}");
        }
    }
}
