//! Durations and sizes as people write them: `250ms`, `1.5s`, `1h`; `64KiB`, `10MB`.

use super::complaint::Complaint;
use std::time::Duration;

/// The unit's name and its length in nanoseconds.
const TIMES: [(&str, u64); 4] =
    [("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000), ("ms", 1_000_000)];

/// The unit's name and its size in bytes. `kB` is the SI spelling of `KB`.
const SIZES: [(&str, u64); 8] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("KB", 1000),
    ("kB", 1000),
    ("B", 1),
];

/// Reads a number and its unit: `ms`, `s`, `m` or `h`. Decimals are exact to the nanosecond.
pub(super) fn duration(text: &str) -> Result<Duration, Complaint> {
    let (number, unit) = split(text);
    let Some((whole, fraction)) = decimal(number) else {
        return Err(Complaint::new(
            "not a duration",
            "expected a number and a unit, such as \"250ms\" or \"2s\"",
        ));
    };
    let Some((_, nanos)) = TIMES.iter().find(|(name, _)| *name == unit) else {
        let complaint = match unit {
            "" => Complaint::new("a duration needs a unit", "milliseconds, seconds, …?")
                .help(format!("write \"{number}s\" or \"{number}ms\"")),
            _ => Complaint::new(format!("unknown unit `{unit}`"), "expected `ms`, `s`, `m` or `h`"),
        };
        return Err(complaint);
    };
    Ok(in_nanos((whole, fraction), *nanos))
}

/// The same of a time that stands in no file; the error is for people.
pub(crate) fn time(text: &str) -> Result<Duration, String> {
    duration(text).map_err(|complaint| complaint.on_one_line())
}

fn in_nanos((whole, fraction): (u64, u64), unit: u64) -> Duration {
    let unit = u128::from(unit);
    let total = u128::from(whole) * unit + u128::from(fraction) * unit / 1_000_000_000;
    // What does not fit is out of every bound; the bounds say so.
    Duration::from_nanos(u64::try_from(total).unwrap_or(u64::MAX))
}

/// Reads what a request's header says: a duration, or a bare number of seconds.
pub(crate) fn timeout(text: &str) -> Option<Duration> {
    let (number, unit) = split(text);
    let nanos = match unit {
        "" => 1_000_000_000,
        _ => TIMES.iter().find(|(name, _)| *name == unit)?.1,
    };
    decimal(number).map(|number| in_nanos(number, nanos))
}

/// Reads a whole number of bytes with or without a unit.
pub(super) fn size(text: &str) -> Result<u64, Complaint> {
    let (number, unit) = split(text);
    let Ok(count) = number.parse::<u64>() else {
        return Err(Complaint::new(
            "not a size",
            "expected a whole number and a unit, such as \"64KiB\" or \"4MB\"",
        ));
    };
    let bytes = match SIZES.iter().find(|(name, _)| *name == unit) {
        Some((_, bytes)) => *bytes,
        None if unit.is_empty() => 1,
        None => {
            let complaint = Complaint::new(
                format!("unknown unit `{unit}`"),
                "expected `KiB`, `MiB`, `GiB`, or `KB`, `MB`, `GB`",
            );
            let near = SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit));
            return Err(match near {
                Some((name, _)) => complaint.help(format!("write \"{number}{name}\"")),
                None => complaint,
            });
        }
    };
    Ok(count.saturating_mul(bytes))
}

/// Reads a number of bytes a second: a size and `/s`. Zero needs no unit.
pub(super) fn rate(text: &str) -> Result<u64, Complaint> {
    match text.strip_suffix("/s") {
        Some(bytes) => size(bytes.trim_end()),
        None if text.trim() == "0" => Ok(0),
        None => Err(Complaint::new("not a rate", "expected a size a second, such as \"1KiB/s\", or 0")),
    }
}

/// What durations look like, as a regular expression.
pub(super) fn duration_pattern() -> String {
    format!("^[0-9]+([.][0-9]+)? ?({})$", TIMES.map(|(unit, _)| unit).join("|"))
}

/// What sizes look like.
pub(super) fn size_pattern() -> String {
    format!("^[0-9]+ ?({})?$", SIZES.map(|(unit, _)| unit).join("|"))
}

/// What rates look like.
pub(super) fn rate_pattern() -> String {
    format!("^([0-9]+ ?({})? */s|0)$", SIZES.map(|(unit, _)| unit).join("|"))
}

/// A duration in the largest unit that divides it.
pub(super) fn show_duration(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let unit = TIMES.iter().find(|(_, unit)| nanos > 0 && nanos.is_multiple_of(u128::from(*unit)));
    match unit {
        Some((name, unit)) => format!("{}{name}", nanos / u128::from(*unit)),
        None => format!("{}ms", nanos as f64 / 1e6),
    }
}

/// A size in the largest binary unit that divides it.
pub(super) fn show_size(bytes: u64) -> String {
    let unit = SIZES.iter().take(3).find(|(_, unit)| bytes > 0 && bytes.is_multiple_of(*unit));
    match unit {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}B"),
    }
}

fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    (number, unit.strip_prefix(' ').unwrap_or(unit))
}

/// The whole part, and the fraction in billionths; digits beyond those are dropped.
fn decimal(number: &str) -> Option<(u64, u64)> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let billionths = fraction.bytes().chain(std::iter::repeat(b'0')).take(9);
    let fraction = billionths.fold(0, |sum, byte| sum * 10 + u64::from(byte - b'0'));
    Some((whole.parse().unwrap_or(u64::MAX), fraction))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_a_number_and_a_unit() {
        for (text, nanos) in [
            ("250ms", 250_000_000),
            ("2s", 2_000_000_000),
            ("1.5s", 1_500_000_000),
            ("0.25 s", 250_000_000),
            ("1m", 60_000_000_000),
            ("1h", 3_600_000_000_000),
            ("1.0000000001s", 1_000_000_000),
            ("99999999999999999999h", u64::MAX),
        ] {
            assert_eq!(duration(text).ok(), Some(Duration::from_nanos(nanos)), "{text}");
        }
        for text in ["", "s", "2", "-2s", "1,5s", "1.s", ".5s", "2 seconds", "2S", "1m30s", "1..5s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_headers_time_may_be_a_bare_number_of_seconds() {
        for (text, millis) in
            [("2s", 2000), ("250ms", 250), ("1.5", 1500), ("0", 0), ("3", 3000), ("1m", 60_000)]
        {
            assert_eq!(timeout(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "s", "-1", "1,5", "2 seconds", "1e3", "soon", "0x1"] {
            assert_eq!(timeout(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_whole_numbers_with_binary_or_decimal_units() {
        for (text, bytes) in [
            ("64KiB", 65_536),
            ("4MiB", 4_194_304),
            ("10MB", 10_000_000),
            ("1 GiB", 1 << 30),
            ("3kB", 3000),
            ("512", 512),
            ("512B", 512),
            ("99999999999GiB", u64::MAX),
        ] {
            assert_eq!(size(text).ok(), Some(bytes), "{text}");
        }
        for text in ["", "MiB", "1.5MiB", "4mib", "4M", "-1KB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rate_is_a_size_a_second() {
        for (text, bytes) in [("1KiB/s", 1024), ("512 /s", 512), ("2MB /s", 2_000_000), ("0", 0), ("0B/s", 0)]
        {
            assert_eq!(rate(text).ok(), Some(bytes), "{text}");
        }
        for text in ["", "1KiB", "1", "1KiB/m", "/s", "fast/s"] {
            assert!(rate(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_shown_can_be_written() {
        for text in ["24h", "1ms", "90s", "250ms"] {
            let value = duration(text).map(show_duration).ok();
            assert_eq!(value.as_deref(), Some(text));
        }
        for text in ["8KiB", "1GiB", "1000B"] {
            assert_eq!(size(text).map(show_size).ok().as_deref(), Some(text));
        }
    }
}
