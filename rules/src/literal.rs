//! Texts and numbers as CEL writes them.

use crate::error::RuleError;
use crate::number::Number;
use std::ops::Range;

/// A literal that was read: how long it is, and what it says. `None` where none begins.
type Read<T> = Option<Result<(usize, T), RuleError>>;

/// Reads a text: in quotes of either kind or in three of them, raw with an `r` before.
pub(crate) fn text(source: &str) -> Read<String> {
    let (prefix, quote) = opening(source)?;
    if prefix.contains(['b', 'B']) {
        let error = RuleError::new(0..prefix.len(), "a rule has no bytes", "written so, this is bytes");
        return Some(Err(error.help("leave the `b` out: it is a text then")));
    }
    let is_raw = !prefix.is_empty();
    let start = prefix.len() + quote.len();
    let (mut said, mut at) = (String::new(), start);
    loop {
        let rest = source.get(at..).unwrap_or_default();
        if rest.starts_with(quote) {
            return Some(Ok((at + quote.len(), said)));
        }
        match rest.chars().next() {
            Some('\\') if !is_raw => match escape(rest) {
                Ok((length, sign)) => {
                    said.push(sign);
                    at += length;
                }
                Err((length, why)) => {
                    let error = RuleError::new(at..at + length, "a text has an escape that is none", why);
                    return Some(Err(error.help("a backslash itself is written \\\\")));
                }
            },
            Some(sign) if quote.len() == 3 || !matches!(sign, '\n' | '\r') => {
                said.push(sign);
                at += sign.len_utf8();
            }
            _ => {
                let label = format!("{quote} is expected at its end");
                return Some(Err(RuleError::new(0..start, "a text does not end", label)));
            }
        }
    }
}

/// What a text begins with: the letters before its quote, and the quote.
fn opening(source: &str) -> Option<(&str, &str)> {
    let letters = source.bytes().take(2).take_while(|byte| matches!(byte, b'r' | b'R' | b'b' | b'B')).count();
    let (prefix, rest) = source.split_at_checked(letters)?;
    let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| rest.starts_with(quote))?;
    Some((prefix, quote))
}

/// Reads an escape: how long it is, and what it stands for; or how much of it is wrong, and why.
fn escape(source: &str) -> Result<(usize, char), (usize, &'static str)> {
    let kind = source.chars().nth(1).ok_or((1, "nothing follows the backslash"))?;
    let simple = match kind {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' | '?' | '"' | '\'' | '`' => kind,
        'x' | 'X' => return code(source, 2..4, 16),
        'u' => return code(source, 2..6, 16),
        'U' => return code(source, 2..10, 16),
        '0'..='3' => return code(source, 1..4, 8),
        _ => return Err((1 + kind.len_utf8(), "no escape")),
    };
    Ok((2, simple))
}

/// The character whose number stands there.
fn code(source: &str, digits: Range<usize>, radix: u32) -> Result<(usize, char), (usize, &'static str)> {
    let end = digits.end;
    let text = source.get(digits).filter(|text| text.bytes().all(|byte| char::from(byte).is_digit(radix)));
    let text = text.ok_or((2, "too few digits follow"))?;
    let number = u32::from_str_radix(text, radix).map_err(|_| (end, "no character has this number"))?;
    let sign = char::from_u32(number).ok_or((end, "no character has this number"))?;
    Ok((end, sign))
}

/// Reads a number without its sign: an integer, decimal or hexadecimal, perhaps with a `u`; or one with a point or an exponent.
pub(crate) fn number(source: &str) -> Read<Number> {
    let bytes = source.as_bytes();
    let begins = match bytes.first()? {
        b'0'..=b'9' => true,
        b'.' => bytes.get(1).is_some_and(u8::is_ascii_digit),
        _ => false,
    };
    if !begins {
        return None;
    }
    let hexadecimal = source.strip_prefix("0x").or_else(|| source.strip_prefix("0X"));
    let hexadecimal = hexadecimal.filter(|digits| digits.starts_with(|sign: char| sign.is_ascii_hexdigit()));
    let (length, value) = match hexadecimal {
        Some(digits) => {
            let count = digits.bytes().take_while(u8::is_ascii_hexdigit).count();
            let value = u128::from_str_radix(digits.get(..count).unwrap_or_default(), 16);
            (2 + count, value.ok().map(Number::of_unsigned))
        }
        None => decimal(source),
    };
    let is_integer = !matches!(value, Some(Number::Float(_)));
    let has_suffix = is_integer && matches!(bytes.get(length), Some(b'u' | b'U'));
    let end = length + usize::from(has_suffix);
    let follows = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    let rest = bytes.get(end..).unwrap_or_default().iter().take_while(|byte| follows(byte)).count();
    Some(match value {
        _ if rest > 0 => Err(RuleError::new(0..end + rest, "a number is not well written", "no number")),
        None => Err(RuleError::new(0..end, "a number is out of range", "larger than any value can be")),
        Some(value) => Ok((end, value)),
    })
}

fn decimal(source: &str) -> (usize, Option<Number>) {
    let digits = |from: usize| {
        let rest = source.as_bytes().get(from..).unwrap_or_default();
        from + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let is = |at: usize, signs: &[u8]| source.as_bytes().get(at).is_some_and(|byte| signs.contains(byte));
    let whole = digits(0);
    let mut end = whole;
    if is(end, b".") && digits(end + 1) > end + 1 {
        end = digits(end + 1);
    }
    if is(end, b"eE") {
        let exponent = end + 1 + usize::from(is(end + 1, b"+-"));
        if digits(exponent) > exponent {
            end = digits(exponent);
        }
    }
    let text = source.get(..end).unwrap_or_default();
    let value = match end == whole {
        true => text.parse().ok().map(Number::of_unsigned),
        false => text.parse().ok().filter(|value: &f64| value.is_finite()).map(Number::Float),
    };
    (end, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_what_cel_says() {
        for (source, length, expected) in [
            (r#""a'b" c"#, 5, "a'b"),
            (r#"'a"b'"#, 5, "a\"b"),
            (
                r"'\a\b\f\n\r\t\v\\\?\`\'\x41\u00e9\U0001F600\101'",
                48,
                "\u{7}\u{8}\u{c}\n\r\t\u{b}\\?`'A\u{e9}\u{1f600}A",
            ),
            (r"r'\n\' x", 6, r"\n\"),
            ("'''a\n'b'''", 10, "a\n'b"),
            ("\"\"\"\"x\"\"\"", 8, "\"x"),
            ("R\"\"", 3, ""),
            ("''", 2, ""),
        ] {
            assert_eq!(text(source), Some(Ok((length, expected.to_owned()))), "{source}");
        }
        for source in ["a", "ra", "", "rrr''", "1"] {
            assert_eq!(text(source), None, "{source}");
        }
    }

    #[test]
    fn what_is_no_text_is_told_where_it_is_not() {
        for (source, at, label) in [
            ("'a", 0..1, "' is expected at its end"),
            ("'a\nb'", 0..1, "' is expected at its end"),
            ("'''a'", 0..3, "''' is expected at its end"),
            (r"'a\q'", 2..4, "no escape"),
            (r"'a\u12'", 2..4, "too few digits follow"),
            (r"'\ud800'", 1..7, "no character has this number"),
            (r"'\U00110000'", 1..11, "no character has this number"),
            (r"'\400'", 1..3, "no escape"),
            (r"'\", 1..2, "nothing follows the backslash"),
            ("b'a'", 0..1, "written so, this is bytes"),
            ("Rb'a'", 0..2, "written so, this is bytes"),
        ] {
            let error = text(source).expect("it begins one").expect_err("it is none");
            assert_eq!((error.at, error.label.as_str()), (at, label), "{source}");
        }
    }

    #[test]
    fn numbers_are_exact() {
        let (large, largest) = (1_u128 << 127, u128::MAX);
        for (source, length, expected) in [
            ("0", 1, Number::Integer(0)),
            ("007,", 3, Number::Integer(7)),
            ("9007199254740993]", 16, Number::Integer(9_007_199_254_740_993)),
            ("0x1F ", 4, Number::Integer(31)),
            ("12u", 3, Number::Integer(12)),
            ("170141183460469231731687303715884105728", 39, Number::Large(large)),
            ("340282366920938463463374607431768211455", 39, Number::Large(largest)),
            ("1.50", 4, Number::Float(1.5)),
            (".5", 2, Number::Float(0.5)),
            ("1e3)", 3, Number::Float(1000.0)),
            ("1.5E-3", 6, Number::Float(0.0015)),
        ] {
            assert_eq!(number(source), Some(Ok((length, expected))), "{source}");
        }
        assert_eq!((number("a1"), number(".a"), number(""), number("-1")), (None, None, None, None));
    }

    #[test]
    fn what_is_no_number_is_told() {
        for (source, end) in
            [("1a", 2), ("1.", 2), ("0xg", 3), ("1.5u", 4), ("1e", 2), ("1.2.3", 5), ("1_000", 5), ("0x", 2)]
        {
            let error = number(source).expect("it begins one").expect_err("it is none");
            assert_eq!(
                (error.title.as_str(), error.at),
                ("a number is not well written", 0..end),
                "{source}"
            );
        }
        for source in ["340282366920938463463374607431768211456", "1e999"] {
            let error = number(source).expect("it begins one").expect_err("it is none");
            assert_eq!(error.title, "a number is out of range", "{source}");
        }
    }
}
