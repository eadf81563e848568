//! Media types: the two halves of one (RFC 9110, 8.3.1).

/// The type and the subtype; `None` if it is none. Parameters behind it say nothing of that.
pub(crate) fn parts(text: &str) -> Option<(&str, &str)> {
    let essence = text.split_once(';').map_or(text, |(essence, _)| essence).trim();
    let (main, sub) = essence.split_once('/')?;
    let is_token = |text: &str| !text.is_empty() && text.bytes().all(is_token);
    (is_token(main) && is_token(sub)).then_some((main, sub))
}

/// Whether a token has that byte (RFC 9110, 5.6.2).
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_has_two_halves() {
        for (text, expected) in [
            ("text/csv", Some(("text", "csv"))),
            ("Text/CSV; charset=utf-8; x=\"a/b\"", Some(("Text", "CSV"))),
            ("application/vnd.a+json", Some(("application", "vnd.a+json"))),
            ("text", None),
            ("text/", None),
            ("/csv", None),
            ("text/a/b", None),
            ("text/c sv", None),
            ("t\u{e9}xt/csv", None),
            ("", None),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }
}
