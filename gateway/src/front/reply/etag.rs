//! Entity tags: what a reply's is, and whether the client has what it names already (RFC 9110, 8.8.3 and 13.1.2).

use super::Content;
use super::render::put_encoded;
use crate::coding::Coding;
use crate::fields::{self, IF_NONE_MATCH};
use aws_lc_rs::digest::{Context, SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use callgate_http1::Fields;
use tokio::task::yield_now;

/// So much of the hash makes the tag, in bytes: two answers that differ have the same by no chance that counts.
const HASHED: usize = 16;

/// The tag of a body: a hash of all of it. Between the pieces of a long one others can work.
pub(super) async fn of_content(content: &Content) -> String {
    let mut hash = Context::new(&SHA256);
    hash.update(content.whole());
    if let Content::Pieces(pieces) = content {
        for piece in pieces {
            hash.update(piece);
            yield_now().await;
        }
    }
    let hash = hash.finish();
    let part = hash.as_ref().get(..HASHED).unwrap_or_default();
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(part))
}

/// The tag that a field's text makes. What cannot stand in one is percent-encoded, so that two texts never make the same; and a hyphen
/// before what would say a coding, so that none is taken for another's coding.
pub(super) fn of_text(text: &str) -> String {
    let suffix = without_coding(text.as_bytes()).len();
    let mut tag = String::with_capacity(text.len() + 2);
    tag.push('"');
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' | b'%' => put_encoded(&mut tag, byte),
            b'-' if at == suffix => put_encoded(&mut tag, byte),
            b'!'..=b'~' => tag.push(char::from(byte)),
            _ => put_encoded(&mut tag, byte),
        }
    }
    tag.push('"');
    tag
}

/// What is behind the tag of a body in a coding, each with its coding.
const SUFFIXES: [(&str, Coding); 3] =
    [("-zstd", Coding::Zstd), ("-br", Coding::Brotli), ("-gzip", Coding::Gzip)];

/// The tag of a body in that coding, of which this is the tag as it is: other bytes have another tag (RFC 9110, 8.8.3.3).
pub(super) fn coded(tag: &str, coding: Coding) -> String {
    let inner = tag.strip_suffix('"').unwrap_or(tag);
    let suffix = SUFFIXES.iter().find(|(_, own)| *own == coding).map_or("", |(suffix, _)| suffix);
    format!("{inner}{suffix}\"")
}

/// What stands between the quotes of a tag, without what says a coding.
pub(in crate::front) fn without_coding(inner: &[u8]) -> &[u8] {
    SUFFIXES.iter().find_map(|(suffix, _)| inner.strip_suffix(suffix.as_bytes())).unwrap_or(inner)
}

/// Whether the request says that its client has what that tag names. Whether a tag is weak does not matter here. What is no list of tags
/// says nothing.
pub(super) fn is_known(fields: Fields<'_>, tag: &str) -> bool {
    fields::each(fields, &IF_NONE_MATCH).any(|line| line_has(line, tag.as_bytes()))
}

fn line_has(line: &[u8], tag: &[u8]) -> bool {
    let mut rest = line.trim_ascii();
    if rest == b"*" {
        return true;
    }
    while !rest.is_empty() {
        let opaque = rest.strip_prefix(b"W/").unwrap_or(rest);
        let end = opaque.strip_prefix(b"\"").and_then(|text| text.iter().position(|byte| *byte == b'"'));
        let Some(end) = end else { return false };
        let (one, behind) = opaque.split_at(end + 2);
        if one == tag {
            return true;
        }
        rest = behind.trim_ascii_start();
        match rest.strip_prefix(b",") {
            Some(next) => rest = next.trim_ascii_start(),
            None => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[tokio::test]
    async fn the_tag_of_a_body_is_a_hash_of_all_of_it_however_it_is_cut() {
        let whole = of_content(&Content::Full(b"[1,2,3]".to_vec())).await;
        let pieces = [&b"[1,"[..], b"2,3", b"]"].map(Bytes::from_static).to_vec();
        assert_eq!(of_content(&Content::Pieces(pieces)).await, whole);
        assert_eq!(whole, "\"phXuruId5Red4IDejDBSyA\"", "the same in every gateway");
        assert_ne!(of_content(&Content::Full(b"[1,2,4]".to_vec())).await, whole);
    }

    #[test]
    fn texts_make_tags_that_are_as_different_as_they_are() {
        for (text, tag) in [
            ("7", "\"7\""),
            ("a b", "\"a%20b\""),
            ("a%20b", "\"a%2520b\""),
            ("\"\r\n", "\"%22%0D%0A\""),
            ("\u{e9}", "\"%C3%A9\""),
            ("7-gzip", "\"7%2Dgzip\""),
            ("a-br-x-br", "\"a-br-x%2Dbr\""),
            ("-zstd", "\"%2Dzstd\""),
            ("x-gzipped", "\"x-gzipped\""),
        ] {
            assert_eq!(of_text(text), tag);
        }
    }

    #[test]
    fn a_body_has_another_tag_in_each_coding_and_no_text_makes_one_of_them() {
        for (coding, tag) in Coding::ALL.into_iter().zip(["\"7-zstd\"", "\"7-br\"", "\"7-gzip\""]) {
            assert_eq!(coded(&of_text("7"), coding), tag);
            assert_eq!(without_coding(tag.trim_matches('"').as_bytes()), b"7");
            assert_ne!(of_text(tag.trim_matches('"')), tag);
        }
        assert_eq!(without_coding(b"7%2Dgzip"), b"7%2Dgzip");
        assert_eq!(without_coding(b"a-gzip-br"), b"a-gzip", "one at most");
    }

    #[test]
    fn a_client_has_what_it_names() {
        for (lines, known) in [
            (&[][..], false),
            (&["\"a\""], true),
            (&["W/\"a\""], true),
            (&["\"b\", W/\"a\" ,\"c\""], true),
            (&["\"b\"", "\"a\""], true),
            (&["*"], true),
            (&["\"b,\"a\""], false),
            (&["\"b\",\"c\""], false),
            (&["a"], false),
            (&["\"a"], false),
            (&["w/\"a\""], false),
            (&["\"b\" \"a\""], false),
            (&["", ","], false),
        ] {
            let lines: Vec<(&str, &str)> = lines.iter().map(|line| ("If-None-Match", *line)).collect();
            assert_eq!(is_known(fields::request(&lines).fields(), "\"a\""), known, "{lines:?}");
        }
    }
}
