//! JSON itself (RFC 8259), read strictly: the cursor over a document, strings, numbers, and the check of values that
//! are passed through or skipped. Nothing here knows a schema.

mod check;
mod cursor;
mod duplicate;
mod keys;
mod locate;
mod number;
mod skip;
mod string;

pub(crate) use check::Check;
pub(crate) use cursor::{Cursor, Fault, Problem};
pub(crate) use duplicate::{Key, duplicate, duplicate_in_text};
pub(crate) use keys::{KEY_SIZE, Keys};
pub(crate) use locate::{Locator, push_segment};
pub(crate) use number::Number;
pub(crate) use skip::skip_value;
pub(crate) use string::{RawString, put_escaped, put_json_string, put_json_utf8, put_short_string};

use crate::violation::Violation;

/// Checks that `text` is exactly one JSON document: RFC 8259 to the letter, UTF-8 without a byte order mark, strings
/// without lone surrogates, objects without duplicate keys, at most 128 containers deep.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn validate(text: &[u8]) -> Result<(), Violation> {
    let text = utf8(text)?;
    document(text, 0).map_err(|fault| locate::violation(text, &fault))
}

/// The document as text. JSON is UTF-8 without a byte order mark (RFC 8259 §8.1).
#[inline]
pub(crate) fn utf8(text: &[u8]) -> Result<&str, Violation> {
    // In long steps. Where a mistake is, the standard library says.
    match simdutf8::basic::from_utf8(text) {
        Ok(text) if !text.starts_with('\u{feff}') => Ok(text),
        Ok(text) => Err(locate::violation(text, &Fault::other(0, "a byte order mark is not part of JSON"))),
        Err(_) => Err(not_utf8(text)),
    }
}

#[cold]
fn not_utf8(text: &[u8]) -> Violation {
    let valid = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let fault = Fault { at: valid.len(), problem: Problem::NotUtf8 };
    locate::violation(valid, &fault)
}

/// Checks that `text` is one JSON document when it stands inside of `depth` containers already.
pub(crate) fn document(text: &str, depth: usize) -> Result<(), Fault> {
    let mut cursor = Cursor::new(text);
    cursor.space();
    skip_value(&mut cursor, depth, &mut Vec::new())?;
    cursor.end()
}

/// Appends `text`, a valid document, without line breaks: where it has some, all insignificant white space goes.
/// An answer may be one line of many.
pub(crate) fn put_on_one_line(out: &mut Vec<u8>, text: &str) {
    if !has_line_breaks(text.as_bytes()) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    OneLine::default().put(out, text.as_bytes());
}

/// Whether a part of a text has a line break.
pub(crate) fn has_line_breaks(text: &[u8]) -> bool {
    text.iter().any(|byte| *byte == b'\n' || *byte == b'\r')
}

/// Leaves the insignificant white space of a valid document out, which may come in parts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct OneLine {
    in_string: bool,
    escaped: bool,
}

impl OneLine {
    /// Appends the next part.
    pub(crate) fn put(&mut self, out: &mut Vec<u8>, part: &[u8]) {
        for byte in part {
            if self.in_string || !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                out.push(*byte);
            }
            self.in_string ^= *byte == b'"' && !self.escaped;
            self.escaped = *byte == b'\\' && !self.escaped;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_of_several_lines_becomes_one_and_its_strings_stay() {
        for (text, expected) in [
            ("[1, 2]", "[1, 2]"),
            ("\t[ ] ", "\t[ ] "),
            ("[1,\n 2]", "[1,2]"),
            ("[1,\r 2\t]", "[1,2]"),
            ("{\"a b\":\r\n\"c\\\" d\", \"e\\\\\": \"f g\"}", "{\"a b\":\"c\\\" d\",\"e\\\\\":\"f g\"}"),
        ] {
            let mut out = b"before".to_vec();
            put_on_one_line(&mut out, text);
            assert_eq!(String::from_utf8(out), Ok(format!("before{expected}")), "{text}");
        }
    }
}
