//! Floats → JSON: the fewest digits that read back as the same value.

/// Appends `value` as a JSON value.
#[inline(never)]
pub(super) fn print_f64(out: &mut Vec<u8>, value: f64) {
    if !print_hundredths(out, value) {
        print_any(out, value);
    }
}

#[inline(never)]
fn print_any(out: &mut Vec<u8>, value: f64) {
    match special(value) {
        Some(text) => out.extend_from_slice(text),
        None => out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes()),
    }
}

/// Appends `value` as a JSON value.
#[inline(never)]
pub(super) fn print_f32(out: &mut Vec<u8>, value: f32) {
    match special(f64::from(value)) {
        Some(text) => out.extend_from_slice(text),
        None => out.extend_from_slice(zmij::Buffer::new().format_finite(value).as_bytes()),
    }
}

/// Appends `value` if it is what a decimal with at most two places reads as, such as most prices and all small integers.
/// Whether it was.
///
/// Hundredths that are divided by 100 give, both being exact and division rounding right, the float nearest to that
/// decimal. No two decimals of at most 15 digits have the same nearest float, so this one, without zeros at its end, is
/// the shortest.
fn print_hundredths(out: &mut Vec<u8>, value: f64) -> bool {
    // Thirteen characters at most. A negative zero has its sign.
    if !(0.0..1e10).contains(&value) || value.is_sign_negative() {
        return false;
    }
    let hundredths = (value * 100.0 + 0.5) as i64;
    if hundredths as f64 / 100.0 != value {
        return false;
    }
    match u32::try_from(hundredths) {
        Ok(small @ ..10_000_000) => put_small(out, small),
        _ => put_large(out, hundredths as u64),
    }
    true
}

/// Appends hundredths as a decimal of at most eight characters. From the last of them to the first, which ends up lowest in a word.
#[inline(always)]
fn put_small(out: &mut Vec<u8>, hundredths: u32) {
    let (mut whole, places) = (hundredths / 100, hundredths % 100);
    let (tenths, last) = (places / 10, places % 10);
    let mut text = u64::from(b'.') | u64::from(b'0' + tenths as u8) << 8 | u64::from(b'0' + last as u8) << 16;
    let mut length = if last == 0 { 2 } else { 3 };
    loop {
        text = text << 8 | u64::from(b'0' + (whole % 10) as u8);
        length += 1;
        whole /= 10;
        if whole == 0 {
            break;
        }
    }
    // All eight bytes in one step, and cut.
    let end = out.len() + length;
    out.extend_from_slice(&text.to_le_bytes());
    out.truncate(end);
}

/// The same for a longer one.
#[inline(never)]
fn put_large(out: &mut Vec<u8>, hundredths: u64) {
    let (whole, places) = (hundredths / 100, hundredths % 100);
    out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
    let text = [b'.', b'0' + (places / 10) as u8, b'0' + (places % 10) as u8];
    out.extend_from_slice(&text);
    if places.is_multiple_of(10) {
        out.truncate(out.len() - 1);
    }
}

fn special(value: f64) -> Option<&'static [u8]> {
    if value.is_finite() {
        None
    } else if value.is_nan() {
        Some(b"\"NaN\"")
    } else if value > 0.0 {
        Some(b"\"Infinity\"")
    } else {
        Some(b"\"-Infinity\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn assert_shortest(value: f64) {
        let mut out = b"x".to_vec();
        print_f64(&mut out, value);
        assert_eq!(out[1..], *zmij::Buffer::new().format_finite(value).as_bytes(), "{value:e}");
    }

    #[test]
    fn hundredths_and_their_neighbours_are_as_short_as_any() {
        let decades =
            (0..13).flat_map(|power| [10_u64.pow(power) - 1, 10_u64.pow(power), 5 * 10_u64.pow(power)]);
        for hundredths in (0..100_000).chain(decades) {
            let value = hundredths as f64 / 100.0;
            for value in [value, value.next_up(), value.next_down(), -value] {
                assert_shortest(value);
            }
        }
    }

    #[test]
    fn prices_are_written_by_the_quick_way_and_nothing_else_is() {
        for (value, quick) in [
            (0.0, true),
            (19.99, true),
            (9_999_999_999.99, true),
            (-0.0, false),
            (-1.0, false),
            (1e10, false),
            (0.001, false),
            (f64::NAN, false),
            (f64::INFINITY, false),
        ] {
            let mut out = Vec::new();
            assert_eq!(print_hundredths(&mut out, value), quick, "{value}");
            assert_eq!(out.is_empty(), !quick, "{value}");
        }
        for (value, text) in
            [(f64::NAN, "\"NaN\""), (f64::INFINITY, "\"Infinity\""), (f64::NEG_INFINITY, "\"-Infinity\"")]
        {
            let (mut out, mut short) = (Vec::new(), Vec::new());
            print_f64(&mut out, value);
            print_f32(&mut short, value as f32);
            assert_eq!(
                (String::from_utf8(out), String::from_utf8(short)),
                (Ok(text.to_owned()), Ok(text.to_owned()))
            );
        }
    }

    proptest! {
        #[test]
        fn any_float_is_as_short_as_can_be(hundredths in 0..2_000_000_000_000_u64, thousandths in any::<u32>()) {
            assert_shortest(hundredths as f64 / 100.0);
            assert_shortest(f64::from(thousandths) / 1000.0);
        }
    }
}
