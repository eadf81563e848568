//! Decimal numbers: exact, as their digits say. Nothing here passes through a float.

use std::cmp::Ordering;

/// So many digits a decimal has at most, before and behind its point together.
const MOST_DIGITS: usize = 64;

const TOO_MANY_DIGITS: &str = "more than 64 digits";

/// A decimal, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Decimal<'a> {
    negative: bool,
    /// Without zeros at the front, but for a single one.
    whole: &'a str,
    /// May have zeros at its end: they are the scale.
    fraction: &'a str,
}

/// Reads `-?(0|[1-9][0-9]*)(\.[0-9]+)?`.
pub(crate) fn parse(text: &str) -> Result<Decimal<'_>, &'static str> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = match rest.split_once('.') {
        Some((_, "")) => return Err("expected digits behind the decimal point"),
        Some(parts) => parts,
        None => (rest, ""),
    };
    // The length first: what is far too long is not looked at.
    if whole.len() + fraction.len() > MOST_DIGITS {
        return Err(match text.len() > MOST_DIGITS + 2 || is_digits(whole) && is_digits(fraction) {
            true => TOO_MANY_DIGITS,
            false => "expected digits and at most one decimal point",
        });
    }
    if !is_digits(whole) || !is_digits(fraction) || whole.is_empty() {
        return Err("expected digits and at most one decimal point");
    }
    if whole.len() > 1 && whole.starts_with('0') {
        return Err("a zero before other digits");
    }
    Ok(Decimal { negative, whole, fraction })
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Decimal<'_> {
    /// The order by value: `1.5` and `1.50` are equal, and so are `0` and `-0`.
    pub(crate) fn compare(self, other: Self) -> Ordering {
        let (ours, theirs) = (self.is_negative(), other.is_negative());
        match (ours, theirs) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.compare_size(other),
            (true, true) => other.compare_size(self),
        }
    }

    fn is_negative(self) -> bool {
        self.negative && self.whole.bytes().chain(self.fraction.bytes()).any(|digit| digit != b'0')
    }

    fn compare_size(self, other: Self) -> Ordering {
        let significant = |decimal: Self| decimal.fraction.len() - zeros_behind(decimal.fraction);
        let fraction = |decimal: Self| decimal.fraction.bytes().take(significant(decimal));
        (self.whole.len().cmp(&other.whole.len()))
            .then_with(|| self.whole.cmp(other.whole))
            .then_with(|| fraction(self).cmp(fraction(other)))
    }
}

fn zeros_behind(digits: &str) -> usize {
    digits.bytes().rev().take_while(|digit| *digit == b'0').count()
}

/// The text of the decimal that a JSON number says, exponent and all: `1e3` is `1000`, `12.50e-1` is `1.250`. `None` if it has
/// more than 64 digits.
pub(crate) fn of_number(token: &str) -> Option<String> {
    let (mantissa, exponent) = token.split_once(['e', 'E']).unwrap_or((token, "0"));
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    // Of many digits only zeros at the front could be left out, and then of a number that is written very oddly.
    if whole.len() + fraction.len() > 2 * MOST_DIGITS {
        return None;
    }
    let exponent = exponent_of(exponent);
    let digits = format!("{whole}{fraction}");
    // Where the point comes to stand, counted from the first digit.
    let point = whole.len() as i64 + exponent;
    let scale = fraction.len() as i64 - exponent;
    let is_zero = digits.bytes().all(|digit| digit == b'0');
    if scale > MOST_DIGITS as i64 || (point > 3 * MOST_DIGITS as i64 && !is_zero) {
        return None;
    }
    let scale = scale.max(0) as usize;
    let whole: String = if point <= 0 || is_zero {
        String::new()
    } else {
        digits.chars().chain(std::iter::repeat('0')).take(point as usize).collect()
    };
    let fraction: String = if scale == 0 {
        String::new()
    } else {
        let digits = format!("{digits:0>scale$}");
        digits.get(digits.len() - scale..).unwrap_or_default().to_owned()
    };
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    if whole.len() + fraction.len() > MOST_DIGITS {
        return None;
    }
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

/// An exponent, or one that is as much too large.
fn exponent_of(text: &str) -> i64 {
    const HUGE: i64 = 1 << 32;
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let size = digits.bytes().fold(0, |size, digit| (size * 10 + i64::from(digit - b'0')).min(HUGE));
    sign * size
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_decimal_is_digits_with_at_most_one_point() {
        let longest = format!("-{}.{}", "9".repeat(32), "0".repeat(32));
        for text in ["0", "-0", "7", "-7", "0.0", "12.50", "-0.001", &"9".repeat(64), &longest] {
            assert!(parse(text).is_ok(), "{text}");
        }
        let longer = format!("{longest}0");
        for text in [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "-.5",
            "+1",
            "01",
            "00",
            "-01",
            "1e3",
            "1,5",
            "1.2.3",
            " 1",
            "1 ",
            "٣",
            "NaN",
            "0x1",
            "--1",
            &longer,
            &"9".repeat(65),
            &"x".repeat(1000),
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse(&longer), Err(TOO_MANY_DIGITS));
    }

    #[test]
    fn decimals_are_ordered_by_value_and_not_by_text() {
        let rising = [
            "-10", "-9.99", "-1.5", "-0.10", "-0.09", "0", "0.0001", "0.09", "0.1", "1", "1.05", "1.5", "9",
            "10", "99.9", "100",
        ];
        for (a, x) in rising.iter().enumerate() {
            for (b, y) in rising.iter().enumerate() {
                let (x, y) = (parse(x).expect("it is one"), parse(y).expect("it is one"));
                assert_eq!(x.compare(y), a.cmp(&b), "{x:?} {y:?}");
            }
        }
        for (x, y) in [("0", "-0"), ("-0.00", "0"), ("1.5", "1.500"), ("-2", "-2.0")] {
            let (x, y) = (parse(x).expect("it is one"), parse(y).expect("it is one"));
            assert_eq!(x.compare(y), Ordering::Equal, "{x:?} {y:?}");
        }
    }

    #[test]
    fn a_number_is_taken_as_its_digits_say() {
        for (token, expected) in [
            ("0", "0"),
            ("-0", "-0"),
            ("12.50", "12.50"),
            ("1e3", "1000"),
            ("1E+3", "1000"),
            ("1.5e3", "1500"),
            ("12.50e1", "125.0"),
            ("12.50e-1", "1.250"),
            ("125e-2", "1.25"),
            ("1e-3", "0.001"),
            ("0.005e3", "5"),
            ("0.05e1", "0.5"),
            ("-2.5e-1", "-0.25"),
            ("0e5", "0"),
            ("0e-2", "0.00"),
            ("0.0e9999999999999999999999", "0"),
            ("0.1234567890123456789012345678901234567890", "0.1234567890123456789012345678901234567890"),
        ] {
            assert_eq!(of_number(token).as_deref(), Some(expected), "{token}");
        }
        let sixty_four = format!("1{}", "0".repeat(63));
        assert_eq!(of_number("1e63"), Some(sixty_four));
        for token in
            ["1e64", "1e-64", "1e9999999999999999999999", "1e-9999999999999999999999", &"1".repeat(65)]
        {
            assert_eq!(of_number(token), None, "{token}");
        }
    }

    /// The digits and the exponent of ten of the last one, without zeros at either end: the same for equal numbers.
    fn normal(token: &str) -> (bool, String, i64) {
        let (mantissa, exponent) = token.split_once(['e', 'E']).unwrap_or((token, "0"));
        let negative = mantissa.starts_with('-');
        let mantissa = mantissa.trim_start_matches('-');
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let digits = format!("{whole}{fraction}");
        let trimmed = digits.trim_end_matches('0');
        let last = exponent.parse::<i64>().expect("it is small") - fraction.len() as i64
            + (digits.len() - trimmed.len()) as i64;
        match trimmed.trim_start_matches('0') {
            "" => (false, String::new(), 0),
            digits => (negative, digits.to_owned(), last),
        }
    }

    proptest! {
        #[test]
        fn the_text_of_a_number_is_a_decimal_of_the_same_value(
            token in "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,30})?([eE][-+]?[0-9]{1,2})?",
        ) {
            if let Some(text) = of_number(&token) {
                prop_assert!(parse(&text).is_ok(), "{} {}", token, text);
                prop_assert_eq!(normal(&text), normal(&token), "{} {}", token, text);
            }
        }

        #[test]
        fn the_order_is_that_of_floats_where_these_are_exact(a in -4096..4096_i32, b in -4096..4096_i32) {
            let text = |n: i32| format!("{}", f64::from(n) / 64.0);
            let (x, y) = (text(a), text(b));
            let order = parse(&x).expect("it is one").compare(parse(&y).expect("it is one"));
            prop_assert_eq!(order, a.cmp(&b), "{} {}", x, y);
        }

        #[test]
        fn what_is_no_decimal_is_refused_whatever_it_is(text in "[-+.0-9eE ]{0,70}") {
            let expected = is_of_grammar(&text);
            prop_assert_eq!(parse(&text).is_ok(), expected, "{}", text);
        }
    }

    /// The grammar once more, by a regular expression.
    fn is_of_grammar(text: &str) -> bool {
        let grammar = regex::Regex::new(r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$").expect("it compiles");
        grammar.is_match(text) && text.bytes().filter(u8::is_ascii_digit).count() <= MOST_DIGITS
    }
}
