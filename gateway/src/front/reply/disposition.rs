//! `Content-Disposition`: whether a browser keeps an answer as a file, and what that is called (RFC 6266).
//!
//! A name comes of what methods and clients say. Whatever it is, it names a file and no folder, begins no line, ends no quotes, and does not
//! show its letters in another order than it has them.

use super::render::put_encoded;
use std::fmt::Write;

/// Longer names than this no file system takes, in bytes: such a file has none.
const MAX_NAME: usize = 255;

/// What stays as it is in a name of any characters (RFC 8187, 3.2.1), beside letters and digits.
const PLAIN: &[u8] = b"!#$&+-.^_`|~";

/// The value of the field, for a file of that name, if it has one.
pub(super) fn disposition(inline: bool, name: Option<&str>) -> String {
    let mut value = if inline { "inline" } else { "attachment" }.to_owned();
    let Some(name) = name.and_then(clean) else { return value };
    value.push_str("; filename=\"");
    for c in name.chars() {
        match c {
            '"' => value.push_str("\\\""),
            ' '..='~' => value.push(c),
            _ => value.push('_'),
        }
    }
    value.push('"');
    // Some take an escape for a backslash, and some decode what looks encoded: this they read alike.
    if !name.is_ascii() || name.contains(['"', '%']) {
        // Writing to a string does not fail.
        let _ = write!(value, "; filename*=UTF-8''");
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || PLAIN.contains(&byte) {
                value.push(char::from(byte));
            } else {
                put_encoded(&mut value, byte);
            }
        }
    }
    value
}

/// A name that is safe to be one; `None` if nothing is left of it.
fn clean(name: &str) -> Option<String> {
    let kept = name.chars().filter(|c| !c.is_control() && !is_order(*c));
    let clean: String = kept.map(|c| if matches!(c, '/' | '\\') { '_' } else { c }).collect();
    let clean = clean.trim();
    let is_one = !clean.is_empty() && clean.bytes().any(|byte| byte != b'.') && clean.len() <= MAX_NAME;
    is_one.then(|| clean.to_owned())
}

/// Whether a character says in which order others are shown.
fn is_order(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_file_has_its_name_whatever_that_is() {
        let long = "a".repeat(MAX_NAME + 1);
        for (name, expected) in [
            ("report.csv", "attachment; filename=\"report.csv\""),
            ("a b.csv", "attachment; filename=\"a b.csv\""),
            ("a;b=c,d.csv", "attachment; filename=\"a;b=c,d.csv\""),
            ("a\"b.csv", "attachment; filename=\"a\\\"b.csv\"; filename*=UTF-8''a%22b.csv"),
            ("50%.csv", "attachment; filename=\"50%.csv\"; filename*=UTF-8''50%25.csv"),
            (
                "Gr\u{f6}\u{df}e.csv",
                "attachment; filename=\"Gr__e.csv\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe.csv",
            ),
            ("../../etc/passwd", "attachment; filename=\".._.._etc_passwd\""),
            ("c:\\x", "attachment; filename=\"c:_x\""),
            ("a\r\nset-cookie: b\0", "attachment; filename=\"aset-cookie: b\""),
            ("gpj.\u{202e}exe", "attachment; filename=\"gpj.exe\""),
            ("..", "attachment"),
            (" \t", "attachment"),
            ("", "attachment"),
            (&long[1..], &format!("attachment; filename=\"{}\"", &long[1..])),
            (&long, "attachment"),
        ] {
            assert_eq!(disposition(false, Some(name)), expected, "{name:?}");
        }
        assert_eq!(disposition(true, Some("a.pdf")), "inline; filename=\"a.pdf\"");
        assert_eq!(disposition(true, None), "inline");
    }

    /// The parameters as RFC 9110 has them, or `None` where it has none.
    fn parameters(value: &str) -> Option<Vec<(String, String)>> {
        let mut rest = value.strip_prefix("attachment")?;
        let mut all = Vec::new();
        while let Some(parameter) = rest.strip_prefix("; ") {
            let (name, value) = parameter.split_once('=')?;
            let mut read = String::new();
            if let Some(quoted) = value.strip_prefix('"') {
                let mut chars = quoted.char_indices();
                let end = loop {
                    match chars.next()? {
                        (_, '\\') => read.push(chars.next()?.1),
                        (at, '"') => break at,
                        (_, c) => read.push(c),
                    }
                };
                rest = &quoted[end + 1..];
            } else {
                let end = value.find("; ").unwrap_or(value.len());
                read.push_str(&value[..end]);
                rest = &value[end..];
            }
            all.push((name.to_owned(), read));
        }
        rest.is_empty().then_some(all)
    }

    proptest! {
        #[test]
        fn any_name_stays_within_its_place_and_is_read_back(name in "[\\PC\\pC\"\\\\/%;=]{0,30}") {
            let value = disposition(false, Some(&name));
            prop_assert!(value.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{}", value);
            let parameters = parameters(&value).expect("it is well formed");
            prop_assert!(parameters.len() <= 2);
            if let Some((key, encoded)) = parameters.get(1) {
                prop_assert_eq!(key, "filename*");
                let encoded = encoded.strip_prefix("UTF-8''").expect("it says what it is in");
                let decoded = crate::routes::decode_segment(encoded).expect("UTF-8");
                prop_assert_eq!(Some(decoded.into_owned()), clean(&name));
            } else if let Some((key, plain)) = parameters.first() {
                prop_assert_eq!(key, "filename");
                prop_assert_eq!(Some(plain.clone()), clean(&name));
            }
        }
    }
}
