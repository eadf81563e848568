//! Path and query of a request as decoded text: percent-decoded once, after the path was split into segments, so that
//! `%2F` stays in its segment.

use matchit::Params;
use memchr::{memchr, memchr2};
use std::borrow::Cow;

/// A parameter whose percent-encoding is not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotUtf8;

/// The values that a path's parameters caught, in the order of the template, decoded.
pub type PathParams<'a> = Vec<Cow<'a, str>>;

/// The same as they were sent.
pub type RawParams<'a> = Vec<&'a str>;

/// Names and values of a query, in order.
pub type QueryPairs<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// What a request gives for the fields that a route binds, beside its query: for each its text, if there is one.
pub type BoundTexts<'a> = Vec<Option<Cow<'a, str>>>;

/// What a path's parameters caught. What is made of it is the route's action's to say.
pub struct Captured<'t, 'p>(Params<'t, 'p>);

impl<'t, 'p> Captured<'t, 'p> {
    pub(super) fn new(params: Params<'t, 'p>) -> Captured<'t, 'p> {
        Captured(params)
    }

    /// The values as they were sent.
    pub fn raw(&self) -> RawParams<'p> {
        self.0.iter().map(|(_, value)| value).collect()
    }

    /// The values, percent-decoded.
    ///
    /// # Errors
    /// One of them is not UTF-8 then.
    pub fn decoded(&self) -> Result<PathParams<'p>, NotUtf8> {
        self.0.iter().map(|(_, value)| decode_segment(value)).collect()
    }
}

/// The pairs of a query string, in order. `+` is a space, as forms write it; a name without `=` has an empty value.
pub fn query_pairs(query: &str) -> Result<QueryPairs<'_>, NotUtf8> {
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((decode(name, true)?, decode(value, true)?))
        })
        .collect()
}

/// Decodes a path segment's percent-encoding, once. A `%` without two hex digits behind it stands for itself.
pub(crate) fn decode_segment(text: &str) -> Result<Cow<'_, str>, NotUtf8> {
    decode(text, false)
}

fn decode(text: &str, plus_is_space: bool) -> Result<Cow<'_, str>, NotUtf8> {
    let bytes = text.as_bytes();
    let special = if plus_is_space { memchr2(b'%', b'+', bytes) } else { memchr(b'%', bytes) };
    let Some(first) = special else {
        return Ok(Cow::Borrowed(text));
    };
    let mut decoded = bytes[..first].to_vec();
    let mut at = first;
    while at < bytes.len() {
        let hex = |offset: usize| bytes.get(at + offset).and_then(|byte| (*byte as char).to_digit(16));
        match (bytes[at], hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            (b'+', ..) if plus_is_space => {
                decoded.push(b' ');
                at += 1;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| NotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_decoded_once() {
        let cases = [
            ("plain", "plain"),
            ("a%2Fb", "a/b"),
            ("%2541", "%41"),
            ("50%", "50%"),
            ("a%zz", "a%zz"),
            ("a+b", "a+b"),
        ];
        for (raw, expected) in cases {
            assert_eq!(decode_segment(raw).as_deref(), Ok(expected), "{raw}");
        }
        assert_eq!(decode_segment("%ff"), Err(NotUtf8));
    }

    #[test]
    fn a_query_is_split_before_it_is_decoded() {
        let pairs = query_pairs("a=1&b=x%26y&&c&d=p+q&e=1=2").expect("UTF-8");
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())).collect();
        assert_eq!(pairs, [("a", "1"), ("b", "x&y"), ("c", ""), ("d", "p q"), ("e", "1=2")]);
    }
}
