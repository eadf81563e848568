//! Whether a client takes what its route can say (RFC 9110, 12.5.1). Routes that call answer in JSON, or in the type of a raw answer. A client
//! that wants nothing of the kind is told so before the call is made, with what there is. A type that a field of the result says is known
//! only after the call: then a request that changes nothing is still refused, and others have their answer.
//!
//! A reply in items has several forms, of which its client gets the one that it names, unless the route says one. Whether a reply comes in
//! items, only instances know: the one that is known first is asked where that matters.

use crate::config::{ContentType, RawSpec, StreamForm};
use crate::content_type;
use crate::failure::Failure;
use crate::fields::{self, ACCEPT, Lines};
use crate::routes::CallAction;
use callgate_http1::Fields;

/// What a route that calls says as a rule.
const JSON: &str = "application/json";

/// Refuses a request before its call if it is known that its client does not take the answer.
#[inline]
pub(super) fn check(fields: Fields<'_>, action: &CallAction) -> Result<(), Failure> {
    let Some(reply) = &action.spec.reply else { return check_json(fields, action) };
    match (&reply.raw, reply.stream) {
        (None, None) => check_json(fields, action),
        (_, Some(form)) => check_type(fields, form.media_type()),
        (Some(RawSpec { content_type: ContentType::Fixed(media_type), .. }), _) => {
            check_type(fields, media_type)
        }
        (Some(RawSpec { content_type: ContentType::Field(_) | ContentType::Template(..), .. }), _) => Ok(()),
    }
}

#[inline]
fn check_json(fields: Fields<'_>, action: &CallAction) -> Result<(), Failure> {
    check_type(fields, JSON).or_else(|failure| check_items(fields, action, failure))
}

/// The same where its client does not take JSON, which is a form of items, too.
#[cold]
fn check_items(fields: Fields<'_>, action: &CallAction, failure: Failure) -> Result<(), Failure> {
    match action.replies_in_items() {
        Some(false) => Err(failure),
        // An instance that nobody has heard of says what its method does.
        None => stream_form(fields).map(drop).map_err(|_| failure),
        Some(true) => stream_form(fields).map(drop),
    }
}

/// The form in which a client gets a reply in items that may have any: the one that it names and prefers, or else lines, or what it takes.
pub(super) fn stream_form(fields: Fields<'_>) -> Result<StreamForm, Failure> {
    let taken = StreamForm::ALL.map(|form| (form, taken(fields, form.media_type())));
    // Of several that are named and preferred, the first: the sort is stable.
    let mut named: Vec<_> = taken
        .iter()
        .filter_map(|(form, taken)| match taken {
            Some(Taken { specific: 2, weight }) if *weight > 0.0 => Some((*weight, *form)),
            _ => None,
        })
        .collect();
    named.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    if let Some((_, form)) = named.first() {
        return Ok(*form);
    }
    let any = taken.iter().find(|(_, taken)| taken.is_none_or(|taken| taken.weight > 0.0));
    any.map(|(form, _)| *form).ok_or_else(|| {
        let [lines, events, array] = StreamForm::ALL.map(StreamForm::media_type);
        Failure::NotAcceptable(format!("{lines}, {events} or {array}"))
    })
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
    match taken(fields, media_type) {
        Some(Taken { weight, .. }) if weight <= 0.0 => Err(Failure::NotAcceptable(media_type.to_owned())),
        _ => Ok(()),
    }
}

/// How a client takes a type.
#[derive(Clone, Copy)]
struct Taken {
    /// How closely the range describes it that says so: 2 names it, and 0 is any type.
    specific: u8,
    /// How much it wants that; 0 for not at all.
    weight: f32,
}

/// How a client takes a type; `None` where it says nothing, or nothing that can be read.
fn taken(fields: Fields<'_>, media_type: &str) -> Option<Taken> {
    let own = content_type::parts(media_type)?;
    // The most specific range that has the type says whether it is taken.
    let mut best: Option<Taken> = None;
    let mut some = false;
    for range in fields::members(fields, &ACCEPT) {
        let range = Range::parse(range, own)?;
        some = true;
        let Some(specific) = range.specific else { continue };
        let weight = range.weight;
        best = match best {
            Some(before) if before.specific == specific => {
                Some(Taken { specific, weight: before.weight.max(weight) })
            }
            Some(before) if before.specific > specific => Some(before),
            _ => Some(Taken { specific, weight }),
        };
    }
    some.then(|| best.unwrap_or(Taken { specific: 0, weight: 0.0 }))
}

/// A media range.
struct Range {
    /// How closely it describes the type; `None` if it is another.
    specific: Option<u8>,
    /// Its weight.
    weight: f32,
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
        let weight = match weight {
            None => 1.0,
            Some((_, weight)) => weight.trim().parse::<f32>().ok().filter(|weight| *weight >= 0.0)?,
        };
        Some(Range { specific, weight })
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

    #[test]
    fn items_have_the_form_that_is_named_and_preferred_and_lines_otherwise() {
        use StreamForm::{Json, Ndjson, Sse};
        for (lines, expected) in [
            (&[][..], Some(Ndjson)),
            (&["*/*"], Some(Ndjson)),
            (&["application/x-ndjson"], Some(Ndjson)),
            (&["text/event-stream"], Some(Sse)),
            (&["application/json"], Some(Json)),
            (&["application/json, text/plain, */*"], Some(Json)),
            (&["application/json", "text/event-stream"], Some(Sse)),
            (&["application/json, text/event-stream;q=0.9"], Some(Json)),
            (&["TEXT/Event-Stream;q=0.1, */*"], Some(Sse)),
            (&["application/x-ndjson;q=0, */*"], Some(Sse)),
            (&["application/*"], Some(Ndjson)),
            (&["text/*"], Some(Sse)),
            (&["text/html, */*;q=0.1"], Some(Ndjson)),
            (&["text/html"], None),
            (&["*/*;q=0"], None),
            (&["text/event-stream;q=0, application/*;q=0"], None),
            (&["html"], Some(Ndjson)),
            (&[""], Some(Ndjson)),
        ] {
            let lines: Vec<(&str, &str)> = lines.iter().map(|line| ("Accept", *line)).collect();
            let form = stream_form(fields::request(&lines).fields());
            assert_eq!(form.ok(), expected, "{lines:?}");
        }
        let told = stream_form(fields::request(&[("Accept", "a/b")]).fields())
            .map_err(|failure| failure.detail().into_owned());
        let expected = "this is answered in application/x-ndjson, text/event-stream or application/json, which Accept does not take";
        assert_eq!(told, Err(expected.to_owned()));
    }
}
