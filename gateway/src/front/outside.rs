//! What headers, cookies and the connection give for the fields that a route binds.
//!
//! A field has one value, so a header that comes in several lines is refused, unless the route says that it is a list: whoever reads
//! another of the lines would take the request for another's.

use super::asked_path::asked_path;
use super::client::Who;
use super::forms::last_segment;
use super::reply::without_coding;
use crate::auth::Identified;
use crate::config::Outside;
use crate::failure::Failure;
use crate::fields::{self, FieldName};
use crate::routes::{BoundTexts, decode_segment};
use callgate_http1::{Parameters, Request};
use std::borrow::Cow;

/// What a request gives for each of them; no list where the route binds none.
#[inline]
pub(super) fn of<'h>(bound: &[Outside], head: &'h Request, who: Who<'h>) -> Result<BoundTexts<'h>, Failure> {
    bound.iter().map(|outside| one(outside, head, who)).collect()
}

fn one<'h>(outside: &Outside, head: &'h Request, who: Who<'h>) -> Result<Option<Cow<'h, str>>, Failure> {
    let fields = head.fields();
    match outside {
        Outside::Header { name, is_list: true, .. } => {
            fields::joined(fields, name, b",").map(|value| text(value, name)).transpose()
        }
        Outside::Header { name, is_tag: true, .. } => {
            let value = fields::single(fields, name)?;
            value.map(|value| tag(value, name)).transpose()
        }
        Outside::Header { name, .. } => {
            fields::line(fields, name)?.map(|value| text(Cow::Borrowed(value), name)).transpose()
        }
        Outside::Cookie(name) => {
            let not_utf8 = |_| Failure::NotUtf8(format!("the cookie {name} is not UTF-8").into());
            let value = fields::cookie(fields, name).map(std::str::from_utf8).transpose();
            Ok(value.map_err(not_utf8)?.map(Cow::Borrowed))
        }
        Outside::Client => Ok(who.client.map(|client| Cow::Owned(client.to_string()))),
        Outside::Method => Ok(Some(Cow::Borrowed(head.method()))),
        Outside::Path => asked_path(head, &mut String::new()).map(|path| Some(Cow::Owned(path.to_owned()))),
        Outside::Claim(name) => claim(name, who.caller).map(Some),
        Outside::Disposition(name) => {
            let value = fields::line(fields, name)?;
            value.map(|value| filename(value, name)).transpose().map(Option::flatten)
        }
        // The form's parts say that, where there is a form.
        Outside::Part { .. } => Ok(None),
        Outside::Nothing => Ok(None),
    }
}

/// A claim of the caller. Without it nobody knows for whom the call is, and an absent field could mean everybody.
fn claim<'h>(name: &str, caller: Option<&'h Identified>) -> Result<Cow<'h, str>, Failure> {
    let Some(caller) = caller else { return Err(Failure::Internal(format!("no caller claims `{name}`"))) };
    caller.claim_text(name).ok_or_else(|| Failure::Forbidden(Box::new(caller.lacks(None))))
}

/// The name of a file, where `Content-Disposition` has one: in UTF-8 (`filename*`, RFC 8187), or else as it is.
fn filename<'h>(value: &'h [u8], header: &FieldName) -> Result<Option<Cow<'h, str>>, Failure> {
    let (mut plain, mut extended) = (None, None);
    for parameter in Parameters::split(value).1 {
        let Ok((name, value)) = parameter else { break };
        if name.eq_ignore_ascii_case("filename") {
            plain.get_or_insert(value);
        } else if name.eq_ignore_ascii_case("filename*") {
            extended.get_or_insert(value);
        }
    }
    let extended = extended.map(|value| text(value, header)).transpose()?;
    let extended = extended.as_deref().and_then(|value| {
        let (charset, rest) = value.split_once('\'')?;
        let encoded = rest.split_once('\'').filter(|_| charset.eq_ignore_ascii_case("utf-8"))?.1;
        decode_segment(encoded).ok().map(Cow::into_owned)
    });
    match extended {
        Some(name) => Ok(last_segment(Cow::Owned(name))),
        None => Ok(plain.map(|value| text(value, header)).transpose()?.and_then(last_segment)),
    }
}

fn text<'h>(value: Cow<'h, [u8]>, name: &FieldName) -> Result<Cow<'h, str>, Failure> {
    let text = match value {
        Cow::Borrowed(value) => std::str::from_utf8(value).ok().map(Cow::Borrowed),
        Cow::Owned(value) => String::from_utf8(value).ok().map(Cow::Owned),
    };
    text.ok_or_else(|| not_utf8(name))
}

fn not_utf8(name: &FieldName) -> Failure {
    Failure::NotUtf8(format!("the header {name} is not UTF-8").into())
}

/// A strong entity tag as the text that [`etag`](super::reply) made it of, in whatever coding the client has it. A weak one stays as it is: it matches none where strong ones
/// are compared (RFC 9110, 8.8.3).
fn tag<'h>(value: &'h [u8], name: &FieldName) -> Result<Cow<'h, str>, Failure> {
    let inner = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    match inner.filter(|inner| !inner.contains(&b'"')) {
        Some(inner) => {
            let inner = without_coding(inner);
            let encoded = std::str::from_utf8(inner).map_err(|_| not_utf8(name))?;
            decode_segment(encoded).map_err(|_| not_utf8(name))
        }
        None => text(Cow::Borrowed(value), name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::request;

    fn header(name: &str, is_list: bool, is_tag: bool) -> Outside {
        Outside::Header { name: name.into(), is_list, is_tag }
    }

    fn found(outside: &Outside, lines: &[(&str, &[u8])]) -> Result<Option<String>, String> {
        let request = request(lines);
        let found = one(outside, &request, Who { client: Some([192, 0, 2, 1].into()), caller: None });
        found.map(|text| text.map(Cow::into_owned)).map_err(|failure| failure.detail().into_owned())
    }

    #[test]
    fn each_source_gives_its_text_or_none() {
        let lines: [(&str, &[u8]); 12] = [
            ("x-one", b"a, b"),
            ("x-two", b"a"),
            ("X-Two", b"b, c"),
            ("cookie", b"sid=1; sid=2; other=x"),
            ("if-match", b"\"7\""),
            ("if-none-match", b"W/\"7\""),
            ("x-tag", b"\"a%20b%25%C3%A9\""),
            ("x-coded", b"\"7%2Dbr-gzip\""),
            ("x-empty", b""),
            ("x-file", b"attachment; filename=\"dir/a b.txt\""),
            ("x-both", b"attachment; filename=\"e.txt\"; filename*=UTF-8''dir%2F%C3%A9.txt"),
            ("x-bad", b"inline; filename*=latin1''%E9; filename=c"),
        ];
        for (outside, expected) in [
            (header("x-one", false, false), Some("a, b")),
            (header("x-two", true, false), Some("a,b, c")),
            (header("x-none", true, false), None),
            (header("x-none", false, false), None),
            (header("x-empty", false, false), Some("")),
            (header("if-match", false, true), Some("7")),
            (header("if-none-match", false, true), Some("W/\"7\"")),
            (header("x-tag", false, true), Some("a b%\u{e9}")),
            (header("x-coded", false, true), Some("7-br")),
            (Outside::Cookie("sid".into()), Some("1")),
            (Outside::Cookie("SID".into()), None),
            (Outside::Client, Some("192.0.2.1")),
            (Outside::Method, Some("GET")),
            (Outside::Path, Some("/")),
            (Outside::Disposition("x-file".into()), Some("a b.txt")),
            (Outside::Disposition("x-both".into()), Some("\u{e9}.txt")),
            (Outside::Disposition("x-bad".into()), Some("c")),
            (Outside::Disposition("x-one".into()), None),
            (Outside::Disposition("x-none".into()), None),
            (Outside::Part { name: "a".into(), is_filename: true }, None),
            (Outside::Nothing, None),
        ] {
            assert_eq!(found(&outside, &lines), Ok(expected.map(str::to_owned)), "{outside:?}");
        }
    }

    #[test]
    fn what_is_no_single_text_is_refused_by_name() {
        for (outside, lines, expected) in [
            (header("x-a", false, false), [("x-a", &b"1"[..]), ("x-a", b"1")], "x-a"),
            (header("if-match", false, true), [("if-match", b"\"1\", \"2\""), ("x-a", b"")], "If-Match"),
            (header("x-a", false, false), [("x-a", b"\xff"), ("x-b", b"")], "x-a is not UTF-8"),
            (header("x-a", true, false), [("x-a", b"\xff"), ("x-a", b"")], "x-a is not UTF-8"),
            (Outside::Cookie("sid".into()), [("cookie", b"sid=\xff"), ("x-b", b"")], "sid is not UTF-8"),
        ] {
            let told = found(&outside, &lines).expect_err("refused").to_lowercase();
            assert!(told.contains(&expected.to_lowercase()), "{told}");
        }
    }
}
