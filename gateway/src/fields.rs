//! Header fields of requests: the only place that looks them up.
//!
//! A field can come in several lines. RFC 9110, 5.3, allows that for lists only, and one that may not come twice says two
//! things when it does. Whoever takes one of them is deceived when somebody else takes the other: a limit counts one user,
//! and the service behind serves another. So each reader says how it reads: as a single value, for which several lines are an
//! error even if all say the same, or as a list, of which all lines count.

use crate::failure::Failure;
use hyper::header::{AsHeaderName, HeaderMap, HeaderName, HeaderValue};
use std::borrow::Cow;

/// The lines of a field in a request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) enum Lines<'h> {
    /// The request does not have the field.
    #[default]
    None,
    /// One line, which may be empty.
    One(&'h HeaderValue),
    /// More than one.
    Several,
}

/// A field that must have a single value has several. It names the field.
#[derive(Debug, PartialEq)]
pub(crate) struct Repeated<'n>(pub(crate) &'n str);

/// The lines of a field.
pub(crate) fn lines(headers: &HeaderMap, name: impl AsHeaderName) -> Lines<'_> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (None, _) => Lines::None,
        (Some(line), None) => Lines::One(line),
        (Some(_), Some(_)) => Lines::Several,
    }
}

/// The lines of several fields, found in one pass over all: a look for each would cost a hash.
pub(crate) fn gather<'h, const N: usize>(headers: &'h HeaderMap, names: [&HeaderName; N]) -> [Lines<'h>; N] {
    let mut found = [Lines::None; N];
    for (name, line) in headers {
        if let Some(at) = names.iter().position(|wanted| *wanted == name) {
            found[at] = match found[at] {
                Lines::None => Lines::One(line),
                Lines::One(_) | Lines::Several => Lines::Several,
            };
        }
    }
    found
}

/// Whether a request has a field, in however many lines.
pub(crate) fn has(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.contains_key(name)
}

/// Each line of a list.
pub(crate) fn each(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &[u8]> {
    headers.get_all(name).iter().map(HeaderValue::as_bytes)
}

/// The members of a list whose members have no commas. Empty ones are none (RFC 9110, 5.6.1.2).
pub(crate) fn members(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &[u8]> {
    let members = each(headers, name).flat_map(|line| line.split(|byte| *byte == b','));
    members.map(<[u8]>::trim_ascii).filter(|member| !member.is_empty())
}

/// All lines of a list in one, in their order. Only several of them are copied.
pub(crate) fn joined<'h>(
    headers: &'h HeaderMap,
    name: impl AsHeaderName,
    between: &[u8],
) -> Option<Cow<'h, [u8]>> {
    let mut lines = each(headers, name);
    let mut all = Cow::Borrowed(lines.next()?);
    for line in lines {
        let all = all.to_mut();
        all.extend_from_slice(between);
        all.extend_from_slice(line);
    }
    Some(all)
}

impl<'h> Lines<'h> {
    /// The only line, whatever it says: for fields whose form is unknown here. A comma in it is part of the value.
    pub(crate) fn line(self, name: &str) -> Result<Option<&'h HeaderValue>, Repeated<'_>> {
        match self {
            Lines::None => Ok(None),
            Lines::One(line) => Ok(Some(line)),
            Lines::Several => Err(Repeated(name)),
        }
    }

    /// The only value of a field whose value is never a list. Several lines that were joined on their way are a list.
    pub(crate) fn single(self, name: &str) -> Result<Option<&'h HeaderValue>, Repeated<'_>> {
        match self.line(name)? {
            Some(line) if is_list(line.as_bytes()) => Err(Repeated(name)),
            line => Ok(line),
        }
    }
}

/// Whether there is a comma outside quoted strings (RFC 9110, 5.6.4). A string that does not end quotes nothing.
fn is_list(value: &[u8]) -> bool {
    if !value.contains(&b',') {
        return false;
    }
    let (mut quoted, mut escaped, mut comma) = (false, false, false);
    for byte in value {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => (quoted, comma) = (!quoted, false),
            b',' if !quoted => return true,
            b',' => comma = true,
            _ => {}
        }
    }
    quoted && comma
}

impl From<Repeated<'_>> for Failure {
    fn from(repeated: Repeated<'_>) -> Failure {
        Failure::RepeatedHeader(repeated.0.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let line = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn a_single_value_is_one_line_and_no_list() {
        for (lines_of, line, single) in [
            (&[][..], Ok(None), Ok(None)),
            (&["a"], Ok(Some("a")), Ok(Some("a"))),
            (&[""], Ok(Some("")), Ok(Some(""))),
            (&["a", "b"], Err(()), Err(())),
            (&["a", "a"], Err(()), Err(())),
            (&["", "a"], Err(()), Err(())),
            (&["a, b"], Ok(Some("a, b")), Err(())),
            (&["a,"], Ok(Some("a,")), Err(())),
            (&["a; b=\"c,d\""], Ok(Some("a; b=\"c,d\"")), Ok(Some("a; b=\"c,d\""))),
            (&["a; b=\"c\\\",d\""], Ok(Some("a; b=\"c\\\",d\"")), Ok(Some("a; b=\"c\\\",d\""))),
            (&["a; b=\"c\", d"], Ok(Some("a; b=\"c\", d")), Err(())),
            (&["a\\\", d"], Ok(Some("a\\\", d")), Err(())),
            (&["a; b=\"c, d"], Ok(Some("a; b=\"c, d")), Err(())),
        ] {
            let pairs: Vec<(&str, &str)> = lines_of.iter().map(|line| ("x-a", *line)).collect();
            let mut headers = headers(&pairs);
            headers.insert("x-b", HeaderValue::from_static("other"));
            let of = |value: Result<Option<&HeaderValue>, Repeated<'_>>| {
                value.map(|value| value.map(|it| it.to_str().expect("ASCII").to_owned())).map_err(drop)
            };
            let owned = |value: Result<Option<&str>, ()>| value.map(|value| value.map(str::to_owned));
            assert_eq!(of(lines(&headers, "x-a").line("X-A")), owned(line), "{lines_of:?}");
            assert_eq!(of(lines(&headers, "x-a").single("X-A")), owned(single), "{lines_of:?}");
            let name = HeaderName::from_static("x-a");
            let [absent, gathered] = gather(&headers, [&HeaderName::from_static("x-c"), &name]);
            assert_eq!((absent, gathered), (Lines::None, lines(&headers, &name)), "{lines_of:?}");
        }
    }

    #[test]
    fn an_error_names_the_field() {
        let headers = headers(&[("x-a", "1"), ("x-a", "2")]);
        let repeated = lines(&headers, "x-a").single("X-A").expect_err("it has two lines");
        assert_eq!(repeated, Repeated("X-A"));
        assert!(Failure::from(repeated).detail().contains("X-A"));
    }

    #[test]
    fn of_a_list_all_lines_count() {
        let headers = headers(&[("x-a", "1, 2"), ("x-b", "no"), ("x-a", ""), ("x-a", " ,3 ,")]);
        assert_eq!(members(&headers, "x-a").collect::<Vec<_>>(), [b"1", b"2", b"3"]);
        assert_eq!(joined(&headers, "x-a", b"; ").as_deref(), Some(&b"1, 2; ;  ,3 ,"[..]));
        assert!(matches!(joined(&headers, "x-b", b","), Some(Cow::Borrowed(b"no"))));
        assert_eq!(joined(&headers, "x-c", b","), None);
    }
}
