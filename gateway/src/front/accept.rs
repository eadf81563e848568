//! Whether a client takes what its route can say (RFC 9110, 12.5.1). Routes that call answer in JSON, or in the type of a raw answer. A client
//! that wants nothing of the kind is told so before the call is made, with what there is. A type that a field of the result says is known
//! only after the call: then a request that changes nothing is still refused, and others have their answer.

use crate::config::{ContentType, RawSpec, ReplySpec};
use crate::content_type;
use crate::failure::Failure;
use crate::fields::{self, ACCEPT, Lines};
use callgate_http1::Fields;

/// What a route that calls says as a rule.
const JSON: &str = "application/json";

/// Refuses a request before its call if it is known that its client does not take the answer.
#[inline]
pub(super) fn check(fields: Fields<'_>, reply: Option<&ReplySpec>) -> Result<(), Failure> {
    let media_type: &str = match reply.and_then(|reply| reply.raw.as_ref()) {
        None => JSON,
        Some(RawSpec { content_type: ContentType::Fixed(media_type), .. }) => media_type,
        Some(RawSpec { content_type: ContentType::Field(_), .. }) => return Ok(()),
    };
    check_type(fields, media_type)
}

/// Refuses a request whose client does not take that type. One that does not say what it takes takes anything, and so does one whose lines
/// are no list of media ranges.
#[inline]
pub(super) fn check_type(fields: Fields<'_>, media_type: &str) -> Result<(), Failure> {
    match fields::lines(fields, &ACCEPT) {
        Lines::None | Lines::One(b"*/*") => Ok(()),
        Lines::One(line) if line == media_type.as_bytes() => Ok(()),
        _ => check_ranges(fields, media_type),
    }
}

#[inline(never)]
fn check_ranges(fields: Fields<'_>, media_type: &str) -> Result<(), Failure> {
    let Some(own) = content_type::parts(media_type) else { return Ok(()) };
    // The most specific range that has the type says whether it is taken.
    let mut best: Option<(u8, bool)> = None;
    let mut some = false;
    for range in fields::members(fields, &ACCEPT) {
        let Some(Range { specific, is_taken }) = Range::parse(range, own) else { return Ok(()) };
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
        _ => Err(Failure::NotAcceptable(media_type.to_owned())),
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
    /// `None` if it is none. Parameters beside the weight are not looked at: of each type there is one.
    fn parse(text: &[u8], own: (&str, &str)) -> Option<Range> {
        let mut parts = fields::text(text)?.split(';').map(str::trim);
        let (main, sub) = parts.next()?.split_once('/')?;
        let is = |own: &str, wanted: &str| own.eq_ignore_ascii_case(wanted);
        let specific = match (main, sub) {
            ("*", "*") => Some(0),
            (main, "*") if is(main, own.0) => Some(1),
            (main, sub) if is(main, own.0) && is(sub, own.1) => Some(2),
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
            assert_eq!(check_type(fields::request(&lines).fields(), JSON).is_ok(), taken, "{lines:?}");
        }
    }

    #[test]
    fn another_type_is_taken_by_whoever_names_it() {
        let of = |accept: &str| {
            check_type(fields::request(&[("Accept", accept)]).fields(), "text/csv; charset=utf-8")
        };
        for (accept, taken) in
            [("text/csv", true), ("text/*;q=0.5", true), ("application/json", false), ("text/csv;q=0", false)]
        {
            assert_eq!(of(accept).is_ok(), taken, "{accept}");
        }
        let told = of("text/html").map_err(|failure| failure.detail().into_owned());
        let expected = "this is answered in text/csv; charset=utf-8, which Accept does not take";
        assert_eq!(told, Err(expected.to_owned()));
    }
}
