//! Templates with their values filled in. Whatever a value is, it stays within its place: it begins no line, ends no segment, adds no
//! parameter to a query, and leads to no other host.
//!
//! A value that is missing, or an empty text, leaves nothing to say: then there is no header, and no link. A part of a query that has a
//! parameter of the request which is missing is left out alone.

use crate::config::{HeaderSpec, HeaderValue, Part, ReplySpec, TextTemplate, UriTemplate, ValueSource};
use crate::paths::is_dot_segment;
use callgate_transcode::Picked;
use std::borrow::Cow;

/// What is longer is not said, in bytes.
const MAX_RENDERED: usize = 8192;

/// What a value keeps as it is where it is a segment of a path, beside unreserved characters (RFC 3986, 3.3).
const SEGMENT: &[u8] = b"!$&'()*+,;=:@";
/// The same where it is several.
const SEGMENTS: &[u8] = b"!$&'()*+,;=:@/";
/// Among others, in a query or a fragment: there `&`, `=` and `+` mean something.
const VALUE: &[u8] = b"";
/// Where it is a URI itself: what has a meaning there has it, encoded bytes stay so.
const URI: &[u8] = b"!$&'()*+,;=:@/?#[]%";

/// What the names in a template stand for.
#[derive(Clone, Copy)]
pub(super) struct Values<'a> {
    /// The fields of the result, if they are known.
    pub(super) picked: Option<&'a Picked>,
    /// The path's parameters, decoded.
    pub(super) path: &'a [Cow<'a, str>],
    /// The query's pairs, decoded.
    pub(super) query: &'a [(Cow<'a, str>, Cow<'a, str>)],
}

impl<'a> Values<'a> {
    fn of(&self, source: &ValueSource) -> Option<&'a str> {
        let value = match source {
            ValueSource::Field(at) => self.picked?.get(*at)?,
            ValueSource::Path(at) => self.path.get(*at)?.as_ref(),
            ValueSource::Query(name) => self.query.iter().find(|(own, _)| own == name)?.1.as_ref(),
        };
        Some(value).filter(|value| !value.is_empty())
    }
}

/// The headers that a route says of its reply to a request with those parameters of the path and pairs of the query, as far as they need
/// no result. This is for those who try what values may do.
pub fn headers_of_request(
    spec: &ReplySpec,
    path: &[Cow<'_, str>],
    query: &[(Cow<'_, str>, Cow<'_, str>)],
) -> Vec<(String, String)> {
    let values = Values { picked: None, path, query };
    let header = |header: &HeaderSpec| {
        let value = match &header.value {
            HeaderValue::Text(template) => text(template, &values),
            HeaderValue::Uri(template) => uri(template, &values),
        };
        Some((header.name.clone(), value?))
    };
    spec.headers.iter().filter_map(header).collect()
}

/// A text; `None` if a value is missing.
pub(super) fn text(template: &TextTemplate, values: &Values<'_>) -> Option<String> {
    let mut text = String::new();
    for part in &template.0 {
        match part {
            Part::Text(literal) => text.push_str(literal),
            Part::Value(source) | Part::Tail(source) => put_text(&mut text, values.of(source)?.as_bytes()),
        }
    }
    bounded(text)
}

/// What a header can say of a value: visible ASCII stays, with spaces and tabs between. All other bytes are percent-encoded.
pub(super) fn plain_text(value: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(value.len());
    put_text(&mut text, value);
    bounded(text)
}

/// A file's name, with its values as they are; `None` if one is missing.
pub(super) fn name(template: &TextTemplate, values: &Values<'_>) -> Option<String> {
    let mut name = String::new();
    for part in &template.0 {
        match part {
            Part::Text(text) => name.push_str(text),
            Part::Value(source) | Part::Tail(source) => name.push_str(values.of(source)?),
        }
    }
    bounded(name)
}

/// A URI; `None` if a value is missing, or would make a segment `.` or `..`, which clients resolve to something else.
pub(super) fn uri(template: &UriTemplate, values: &Values<'_>) -> Option<String> {
    if let Some(whole) = &template.whole {
        let mut uri = String::new();
        put(&mut uri, values.of(whole)?, URI);
        return bounded(uri);
    }
    let mut uri = template.origin.clone();
    let start = uri.len();
    put_parts(&mut uri, &template.path, SEGMENT, values)?;
    if uri[start..].split('/').any(is_dot_segment) {
        return None;
    }
    if start == 0 && uri.starts_with("//") {
        // It would be a host.
        uri.replace_range(1..2, "%2F");
    }
    let mut mark = '?';
    for pair in &template.query {
        let before = uri.len();
        uri.push(mark);
        match put_parts(&mut uri, &pair.parts, VALUE, values) {
            Some(()) => mark = '&',
            None if pair.optional => uri.truncate(before),
            None => return None,
        }
    }
    if !template.fragment.is_empty() {
        uri.push('#');
        put_parts(&mut uri, &template.fragment, VALUE, values)?;
    }
    bounded(uri)
}

fn bounded(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty() && text.len() <= MAX_RENDERED)
}

fn put_parts(uri: &mut String, parts: &[Part], allowed: &[u8], values: &Values<'_>) -> Option<()> {
    for part in parts {
        match part {
            Part::Text(text) => uri.push_str(text),
            Part::Value(source) => put(uri, values.of(source)?, allowed),
            Part::Tail(source) => put(uri, values.of(source)?, SEGMENTS),
        }
    }
    Some(())
}

/// Adds a value. What is neither unreserved nor allowed is encoded.
fn put(uri: &mut String, value: &str, allowed: &[u8]) {
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || allowed.contains(&byte) {
            uri.push(char::from(byte));
        } else {
            put_encoded(uri, byte);
        }
    }
}

fn put_text(text: &mut String, value: &[u8]) {
    for byte in value {
        match byte {
            b'\t' | b' '..=b'~' => text.push(char::from(*byte)),
            _ => put_encoded(text, *byte),
        }
    }
}

/// Adds a byte, percent-encoded.
pub(super) fn put_encoded(text: &mut String, byte: u8) {
    text.push('%');
    for digit in [byte >> 4, byte & 15] {
        text.extend(char::from_digit(digit.into(), 16).map(|digit| digit.to_ascii_uppercase()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, Tables};
    use proptest::prelude::*;
    use std::sync::Arc;

    /// A route with a header and a link whose values are these templates.
    fn spec(uri: &str, text: &str) -> Arc<ReplySpec> {
        let table = format!(
            "[backends.b]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'GET /a/{{p}}'\ncall = 's.m'\n\
             response = {{ headers = {{ location = '{uri}', x-a = '{text}' }} }}\n"
        );
        let tables = Tables::parse(vec![Source::new("t.toml", table)]).expect("sound tables");
        tables.routes[0].action.call().and_then(|call| call.reply.clone()).expect("it says something")
    }

    /// The location and the header, where the path's parameter is that, and so is the query's `q`, if it is there.
    fn rendered(spec: &ReplySpec, p: &str, q: Option<&str>) -> (Option<String>, Option<String>) {
        let path = [Cow::Borrowed(p)];
        let query: Vec<_> = q.map(|q| (Cow::Borrowed("q"), Cow::Borrowed(q))).into_iter().collect();
        let values = Values { picked: None, path: &path, query: &query };
        let of = |name: &str| {
            let header = spec.headers.iter().find(|header| header.name == name).expect("it is there");
            match &header.value {
                HeaderValue::Uri(template) => uri(template, &values),
                HeaderValue::Text(template) => text(template, &values),
            }
        };
        (of("location"), of("x-a"))
    }

    #[test]
    fn a_value_stays_within_its_place() {
        let all = spec("/v/{path.p}?a={path.p}&b=1#{path.p}", "p={path.p}; {{}}");
        for (value, in_path, in_query, in_text) in [
            ("7", "7", "7", "7"),
            ("a/b?c#d", "a%2Fb%3Fc%23d", "a%2Fb%3Fc%23d", "a/b?c#d"),
            ("a&b=c+d e", "a&b=c+d%20e", "a%26b%3Dc%2Bd%20e", "a&b=c+d e"),
            ("50%41", "50%2541", "50%2541", "50%41"),
            ("\u{e9}\r\nx: y\0", "%C3%A9%0D%0Ax:%20y%00", "%C3%A9%0D%0Ax%3A%20y%00", "%C3%A9%0D%0Ax: y%00"),
            ("\"\\\u{7f}", "%22%5C%7F", "%22%5C%7F", "\"\\%7F"),
            ("...", "...", "...", "..."),
        ] {
            let expected = format!("/v/{in_path}?a={in_query}&b=1#{in_query}");
            assert_eq!(rendered(&all, value, None), (Some(expected), Some(format!("p={in_text}; {{}}"))));
        }
    }

    #[test]
    fn a_value_never_leads_to_another_host_or_out_of_its_folder() {
        for (template, value, expected) in [
            ("/{path.p}", "/evil.example", Some("/%2Fevil.example")),
            ("/{*path.p}", "/evil.example/x", Some("/%2Fevil.example/x")),
            ("/{*path.p}", "a/b", Some("/a/b")),
            ("/{*path.p}", "a/../b", None),
            ("/v/{path.p}/x", "..", None),
            ("/v/{path.p}", ".", None),
            ("/v/.{path.p}", ".", None),
            ("https://a.example/{path.p}", "@b", Some("https://a.example/@b")),
            ("https://a.example", "b", Some("https://a.example")),
        ] {
            let found = rendered(&spec(template, "x"), value, None).0;
            assert_eq!(found.as_deref(), expected, "{template} {value}");
        }
    }

    #[test]
    fn what_has_a_value_missing_is_not_said() {
        let all = spec("/v?x={query.q}&y={path.p}&z={query.other}", "{query.q}");
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(rendered(&all, "1", Some("2")), (some("/v?x=2&y=1"), some("2")));
        assert_eq!(rendered(&all, "1", None), (some("/v?y=1"), None));
        assert_eq!(rendered(&all, "1", Some("")), (some("/v?y=1"), None));
        assert_eq!(rendered(&all, "", Some("2")), (None, some("2")));
        let of_result = spec("/v/{id}", "{id}");
        assert_eq!(rendered(&of_result, "1", None), (None, None), "there is no result");
        let long = "x".repeat(MAX_RENDERED - 3);
        assert!(rendered(&spec("/v/{path.p}", "x"), &long, None).0.is_some());
        assert_eq!(rendered(&spec("/v/{path.p}", "x"), &format!("{long}x"), None).0, None);
    }

    proptest! {
        #[test]
        fn whatever_a_value_is_nothing_else_of_a_uri_changes(value in "\\PC{0,40}", odd in "[\u{0}-\u{20}/?#&=%.\\\\]{0,6}") {
            let value = odd + &value;
            let all = spec("https://a.example/v/{path.p}/x?a={path.p}&b=1#{path.p}", "p={path.p}");
            let (Some(uri), Some(text)) = rendered(&all, &value, None) else {
                prop_assert!(value.is_empty() || is_dot_segment(&value));
                return Ok(());
            };
            prop_assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()));
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ' || byte == b'\t'));
            let (before, fragment) = uri.split_once('#').expect("there is one");
            let (path, query) = before.split_once('?').expect("there is one");
            prop_assert!(path.starts_with("https://a.example/v/") && path.ends_with("/x"));
            prop_assert_eq!(path.matches('/').count(), 5);
            prop_assert_eq!((query.matches('&').count(), query.matches('=').count()), (1, 2));
            prop_assert!(!fragment.contains(['#', '&', '=']));
            let segment = &path["https://a.example/v/".len()..path.len() - 2];
            let pair = query.replace("&b=1", "");
            let read = crate::routes::query_pairs(&pair).expect("UTF-8");
            prop_assert_eq!(&*read[0].1, &*value);
            prop_assert!(segment.len() >= value.len());
        }
    }

    #[test]
    fn a_uri_of_the_methods_own_is_one_uri() {
        let template = UriTemplate { whole: Some(ValueSource::Path(0)), ..UriTemplate::default() };
        for (value, expected) in [
            ("https://a.example/b?c=%20d#e", "https://a.example/b?c=%20d#e"),
            ("/a b\r\nset-cookie: x", "/a%20b%0D%0Aset-cookie:%20x"),
            ("/a>\"<", "/a%3E%22%3C"),
        ] {
            let path = [Cow::Borrowed(value)];
            let values = Values { picked: None, path: &path, query: &[] };
            assert_eq!(uri(&template, &values).as_deref(), Some(expected));
        }
    }
}
