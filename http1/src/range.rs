//! One range of a body whose length is known (RFC 9110, 14.2).

/// What a request's `Range` asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ranged {
    /// All of the body: what the field says is no single range of bytes.
    Whole,
    /// The bytes from the first to the last one, both included. They are there.
    Part {
        /// The first byte, from 0.
        first: u64,
        /// The last byte.
        last: u64,
    },
    /// Bytes of which none is there.
    Unsatisfiable,
}

/// What the field `value` asks for of a body of `length` bytes. What breaks the grammar, names another unit, or lists several ranges asks for
/// all of it, as one may always give it.
pub fn range(value: &[u8], length: u64) -> Ranged {
    parse(value, length).unwrap_or(Ranged::Whole)
}

fn parse(value: &[u8], length: u64) -> Option<Ranged> {
    let (unit, range) = split(value, b'=')?;
    if !unit.eq_ignore_ascii_case(b"bytes") {
        return None;
    }
    let (first, last) = split(range.trim_ascii(), b'-')?;
    if first.is_empty() {
        let suffix = number(last)?;
        return Some(match (suffix, length) {
            (0, _) => Ranged::Unsatisfiable,
            // There is no byte that could be named.
            (_, 0) => Ranged::Whole,
            _ => Ranged::Part { first: length.saturating_sub(suffix), last: length - 1 },
        });
    }
    let first = number(first)?;
    let last = if last.is_empty() { u64::MAX } else { number(last)? };
    if last < first {
        return None;
    }
    if first >= length {
        return Some(Ranged::Unsatisfiable);
    }
    Some(Ranged::Part { first, last: last.min(length - 1) })
}

fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let found = text.iter().position(|byte| *byte == at)?;
    Some((&text[..found], &text[found + 1..]))
}

/// Digits alone. A number that is too large for us is larger than every length.
fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digit = |number: u64, digit: &u8| number.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Some(text.iter().fold(0, digit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use Ranged::{Unsatisfiable, Whole};
    use proptest::prelude::*;

    fn part(first: u64, last: u64) -> Ranged {
        Ranged::Part { first, last }
    }

    #[test]
    fn one_range_is_a_part_or_there_is_none_and_what_is_no_range_is_all() {
        for (value, length, expected) in [
            ("bytes=0-0", 10, part(0, 0)),
            ("bytes=0-9", 10, part(0, 9)),
            ("bytes=0-", 10, part(0, 9)),
            ("bytes=3-", 10, part(3, 9)),
            ("bytes=3-99999999999999999999999", 10, part(3, 9)),
            ("bytes=-3", 10, part(7, 9)),
            ("bytes=-30", 10, part(0, 9)),
            ("bytes=-99999999999999999999999", 10, part(0, 9)),
            ("BYTES=1-2", 10, part(1, 2)),
            ("bytes= 1-2 ", 10, part(1, 2)),
            ("bytes=0000-0001", 10, part(0, 1)),
            ("bytes=10-", 10, Unsatisfiable),
            ("bytes=10-20", 10, Unsatisfiable),
            ("bytes=-0", 10, Unsatisfiable),
            ("bytes=0-", 0, Unsatisfiable),
            ("bytes=-5", 0, Whole),
            ("bytes=99999999999999999999999-", u64::MAX, Unsatisfiable),
            ("bytes=2-1", 10, Whole),
            ("bytes=0-0,2-3", 10, Whole),
            ("bytes=0-0,", 10, Whole),
            ("bytes=-", 10, Whole),
            ("bytes=", 10, Whole),
            ("bytes", 10, Whole),
            ("", 10, Whole),
            ("bytes=a-b", 10, Whole),
            ("bytes=1 -2", 10, Whole),
            ("bytes=1- 2", 10, Whole),
            ("bytes=+1-2", 10, Whole),
            ("bytes=--1", 10, Whole),
            ("bytes=1-2-3", 10, Whole),
            ("bytes =1-2", 10, Whole),
            ("items=1-2", 10, Whole),
        ] {
            assert_eq!(range(value.as_bytes(), length), expected, "{value} of {length}");
        }
    }

    proptest! {
        #[test]
        fn a_part_is_within_the_body(value in "(bytes=)?[0-9 ,=-]{0,12}", length in 0..20_u64) {
            if let Ranged::Part { first, last } = range(value.as_bytes(), length) {
                prop_assert!(first <= last && last < length, "{} of {}", value, length);
            }
        }

        #[test]
        fn a_range_that_is_written_is_read(first in any::<u64>(), more in any::<u64>(), length in any::<u64>()) {
            let last = first.saturating_add(more);
            let expected = match length {
                length if first >= length => Unsatisfiable,
                length => part(first, last.min(length - 1)),
            };
            prop_assert_eq!(range(format!("bytes={first}-{last}").as_bytes(), length), expected);
            let expected = if first >= length { Unsatisfiable } else { part(first, length - 1) };
            prop_assert_eq!(range(format!("bytes={first}-").as_bytes(), length), expected);
        }

        #[test]
        fn the_last_bytes_are_the_last_ones(suffix in 1..u64::MAX, length in 1..u64::MAX) {
            let expected = part(length - suffix.min(length), length - 1);
            prop_assert_eq!(range(format!("bytes=-{suffix}").as_bytes(), length), expected);
        }
    }
}
