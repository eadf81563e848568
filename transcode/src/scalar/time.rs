//! Time stamps as RFC 3339 writes them and durations as a number with a unit; both exact to the nanosecond.

use crate::layout::shown;
use callgate_protocol::wire::{put_varint, put_zigzag};

const SECONDS_A_DAY: i64 = 86_400;
const NANOS_A_SECOND: u128 = 1_000_000_000;
/// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z, the bounds of four-digit years.
const FIRST_SECOND: i64 = -62_167_219_200;
const LAST_SECOND: i64 = 253_402_300_799;

/// Writes the time stamp that `text` says.
pub(super) fn put_timestamp(text: &str, out: &mut Vec<u8>) -> Result<(), String> {
    let (seconds, nanos) = parse_timestamp(text)
        .map_err(|problem| format!("not an RFC 3339 time stamp: {problem}, got \"{}\"", shown(text)))?;
    put_zigzag(out, seconds);
    put_varint(out, u64::from(nanos));
    Ok(())
}

fn parse_timestamp(text: &str) -> Result<(i64, u32), &'static str> {
    const FORM: &str = "expected the form `2026-01-31T12:00:00Z`";
    let bytes = text.as_bytes();
    let (date_time, rest) = bytes.split_at_checked(19).ok_or(FORM)?;
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T' | b't', h1, h2, b':', n1, n2, b':', s1, s2] =
        date_time
    else {
        return Err(FORM);
    };
    let year = digits(&[y1, y2, y3, y4]).ok_or(FORM)?;
    let month = digits(&[m1, m2]).ok_or(FORM)?;
    let day = digits(&[d1, d2]).ok_or(FORM)?;
    let [hour, minute, second] = [[h1, h2], [n1, n2], [s1, s2]].map(|pair| digits(&pair));
    let (hour, minute, second) = (hour.ok_or(FORM)?, minute.ok_or(FORM)?, second.ok_or(FORM)?);
    if !(1..=12).contains(&month) {
        return Err("no such month");
    }
    if !(1..=days_in_month(year, month)).contains(&day) {
        return Err("no such day in that month");
    }
    if second == 60 {
        return Err("leap seconds cannot be represented");
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err("no such time of day");
    }
    let (nanos, offset) = fraction(rest)?;
    let seconds = days_from_civil(year, month, day) * SECONDS_A_DAY + hour * 3600 + minute * 60 + second
        - offset_seconds(offset)?;
    match (FIRST_SECOND..=LAST_SECOND).contains(&seconds) {
        true => Ok((seconds, nanos)),
        false => Err("in UTC it is outside of the years 0000 to 9999"),
    }
}

/// The nanoseconds that `.123` says, and what follows.
pub(super) fn fraction(text: &[u8]) -> Result<(u32, &[u8]), &'static str> {
    let Some(text) = text.strip_prefix(b".") else {
        return Ok((0, text));
    };
    let count = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, rest) = text.split_at(count);
    match count {
        0 => Err("expected digits behind the decimal point"),
        1..=9 => {
            let value = digits(fraction).unwrap_or_default() as u32;
            Ok((value * 10_u32.pow(9 - count as u32), rest))
        }
        _ => Err("finer than nanoseconds"),
    }
}

/// The seconds by which the local time is ahead of UTC.
fn offset_seconds(text: &[u8]) -> Result<i64, &'static str> {
    const FORM: &str = "expected `Z` or an offset such as `+01:00` at the end";
    let (sign, h1, h2, m1, m2) = match *text {
        [b'Z' | b'z'] => return Ok(0),
        [b'+', h1, h2, b':', m1, m2] => (1, h1, h2, m1, m2),
        [b'-', h1, h2, b':', m1, m2] => (-1, h1, h2, m1, m2),
        _ => return Err(FORM),
    };
    match (digits(&[h1, h2]).ok_or(FORM)?, digits(&[m1, m2]).ok_or(FORM)?) {
        (hours @ 0..=23, minutes @ 0..=59) => Ok(sign * (hours * 3600 + minutes * 60)),
        _ => Err("no such offset from UTC"),
    }
}

/// At most 18 digits as a number.
pub(super) fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |value, byte| match byte {
        b'0'..=b'9' => Some(value * 10 + i64::from(byte - b'0')),
        _ => None,
    })
}

pub(super) fn days_in_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar.
///
/// Years begin in March here, so that the leap day is the last of its year; 400 of them are 146 097 days.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let march_year = if month < 3 { year - 1 } else { year };
    let (era, of_era) = (march_year.div_euclid(400), march_year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    (era * 400 + year_of_era + i64::from(month < 3), month, day)
}

/// Appends the time stamp in UTC, in quotes, with 0, 3, 6 or 9 digits of a second. `None` outside of the years 0000 to
/// 9999, which RFC 3339 cannot write.
pub(super) fn print_timestamp(out: &mut Vec<u8>, seconds: i64, nanos: u32) -> Option<()> {
    if !(FIRST_SECOND..=LAST_SECOND).contains(&seconds) {
        return None;
    }
    let (year, month, day) = civil_from_days(seconds.div_euclid(SECONDS_A_DAY));
    let second = seconds.rem_euclid(SECONDS_A_DAY);
    let mut text = *b"\"0000-00-00T00:00:00";
    let places = [
        (1, year / 100),
        (3, year % 100),
        (6, month),
        (9, day),
        (12, second / 3600),
        (15, second / 60 % 60),
        (18, second % 60),
    ];
    for (place, value) in places {
        text[place] = b'0' + (value / 10) as u8;
        text[place + 1] = b'0' + (value % 10) as u8;
    }
    out.extend_from_slice(&text);
    let width = match nanos {
        0 => 0,
        n if n % 1_000_000 == 0 => 3,
        n if n % 1_000 == 0 => 6,
        _ => 9,
    };
    print_fraction(out, nanos, width);
    out.extend_from_slice(b"Z\"");
    Some(())
}

/// Appends a decimal point and the first `width` of nine digits.
fn print_fraction(out: &mut Vec<u8>, nanos: u32, width: usize) {
    if width == 0 {
        return;
    }
    let mut text = *b".000000000";
    let mut rest = nanos;
    for digit in text.iter_mut().skip(1).rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    out.extend_from_slice(text.get(..=width).unwrap_or_default());
}

/// Appends the duration in seconds, in quotes.
pub(super) fn print_duration(out: &mut Vec<u8>, seconds: u64, nanos: u32) {
    out.push(b'"');
    out.extend_from_slice(itoa::Buffer::new().format(seconds).as_bytes());
    let mut width = if nanos == 0 { 0 } else { 9 };
    let mut rest = nanos;
    while width > 0 && rest.is_multiple_of(10) {
        rest /= 10;
        width -= 1;
    }
    print_fraction(out, nanos, width);
    out.extend_from_slice(b"s\"");
}

/// Writes the duration that `text` says.
pub(super) fn put_duration(text: &str, out: &mut Vec<u8>) -> Result<(), String> {
    let nanos = parse_duration(text)
        .map_err(|problem| format!("not a duration such as \"1.5s\": {problem}, got \"{}\"", shown(text)))?;
    let seconds = u64::try_from(nanos / NANOS_A_SECOND)
        .map_err(|_| format!("the duration \"{}\" is too long", shown(text)))?;
    put_varint(out, seconds);
    put_varint(out, (nanos % NANOS_A_SECOND) as u64);
    Ok(())
}

/// In nanoseconds.
fn parse_duration(text: &str) -> Result<u128, &'static str> {
    const TOO_LONG: &str = "too long";
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    if unit.starts_with('-') {
        return Err("it cannot be negative");
    }
    let unit: u128 = match unit {
        "ns" => 1,
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => NANOS_A_SECOND,
        "m" => 60 * NANOS_A_SECOND,
        "h" => 3600 * NANOS_A_SECOND,
        _ => return Err("expected a number and one of the units ns, us, µs, ms, s, m, h"),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if whole.is_empty() || fraction.is_empty() || fraction.contains('.') {
        return Err("expected digits on both sides of one decimal point");
    }
    let whole: u128 = whole.parse().map_err(|_| TOO_LONG)?;
    let fraction = fraction.trim_end_matches('0');
    // No unit has so many factors of ten that a longer fraction could be whole nanoseconds.
    if fraction.len() > 18 {
        return Err("finer than nanoseconds");
    }
    let scale = 10_u128.pow(fraction.len() as u32);
    let fraction = unit * digits(fraction.as_bytes()).unwrap_or_default() as u128;
    if !fraction.is_multiple_of(scale) {
        return Err("finer than nanoseconds");
    }
    let whole = whole.checked_mul(unit).ok_or(TOO_LONG)?;
    whole.checked_add(fraction / scale).ok_or(TOO_LONG)
}

#[cfg(test)]
mod tests;
