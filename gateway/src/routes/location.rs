//! Where a redirect or a rewrite leads for a request: the target with the parameters filled in.
//!
//! A parameter is taken as the client sent it, and comes out as one that is decoded to the same text: what was encoded stays
//! so, and what cannot stand in its new place is encoded (RFC 3986, 2.4). A redirect never leads to another host than
//! its target names, whatever the parameters are: a path that would begin with `//` gets its second slash encoded, and a
//! backslash, which browsers take for a slash, always is.

use crate::config::{Piece, RedirectTarget, RewriteTarget};
use crate::paths::is_dot_segment;

/// What is kept as it is where a value is one segment of a path, beside unreserved characters (RFC 3986, 3.3).
const SEGMENT: &[u8] = b"!$&'()*+,;=:@";
/// The same where it is several.
const SEGMENTS: &[u8] = b"!$&'()*+,;=:@/";
/// In a query that is kept as a whole (RFC 3986, 3.4).
const QUERY: &[u8] = b"!$&'()*+,;=:@/?";
/// In a query or fragment where it is a value among others: there `&`, `=` and `+` mean something.
const VALUE: &[u8] = b"";

/// The URI that a redirect leads to. `query` is the request's. `None` where a parameter would make a segment `.` or `..`,
/// which clients resolve to something else, in whatever form.
pub fn location(target: &RedirectTarget, params: &[&str], query: Option<&str>) -> Option<String> {
    let mut uri = target.origin.clone();
    let start = uri.len();
    for piece in &target.path {
        let allowed = if let Piece::Tail(_) = piece { SEGMENTS } else { SEGMENT };
        fill(&mut uri, piece, params, allowed);
    }
    if uri[start..].split('/').any(is_dot_segment) {
        return None;
    }
    if start == 0 && uri.starts_with("//") {
        uri.replace_range(1..2, "%2F");
    }
    match (&target.query, query) {
        (None, Some(query)) => {
            uri.push('?');
            encode(&mut uri, query, QUERY);
        }
        (Some(pieces), _) if !pieces.is_empty() => {
            uri.push('?');
            pieces.iter().for_each(|piece| fill(&mut uri, piece, params, VALUE));
        }
        _ => {}
    }
    if let Some(pieces) = &target.fragment {
        uri.push('#');
        pieces.iter().for_each(|piece| fill(&mut uri, piece, params, VALUE));
    }
    Some(uri)
}

/// The path that a rewrite leads to, as if the client had sent it: parameters are neither decoded nor encoded.
pub fn rewritten(target: &RewriteTarget, params: &[&str], path: &mut String) {
    path.clear();
    for piece in &target.pieces {
        path.push_str(match piece {
            Piece::Text(text) => text,
            Piece::Value(at) | Piece::Tail(at) => params.get(*at).copied().unwrap_or_default(),
        });
    }
}

fn fill(uri: &mut String, piece: &Piece, params: &[&str], allowed: &[u8]) {
    match piece {
        Piece::Text(text) => uri.push_str(text),
        Piece::Value(at) | Piece::Tail(at) => {
            encode(uri, params.get(*at).copied().unwrap_or_default(), allowed);
        }
    }
}

/// Adds a text that may be percent-encoded. What is encoded stays as it is (RFC 3986, 2.4: nothing is encoded twice); what
/// is neither unreserved nor `allowed` is encoded, and so is a `%` that encodes nothing.
fn encode(uri: &mut String, raw: &str, allowed: &[u8]) {
    for (at, byte) in raw.bytes().enumerate() {
        let encodes =
            || raw.as_bytes().get(at + 1..at + 3).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit));
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        if unreserved || allowed.contains(&byte) || (byte == b'%' && encodes()) {
            uri.push(char::from(byte));
            continue;
        }
        uri.push('%');
        for digit in [byte >> 4, byte & 15] {
            uri.extend(char::from_digit(digit.into(), 16).map(|digit| digit.to_ascii_uppercase()));
        }
    }
}

#[cfg(test)]
mod tests;
