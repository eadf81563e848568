//! A moment on the clock: nanoseconds exactly, no time zone; RFC 3339 in text formats.

use super::{Message, SchemaBuilder};
use callgate_protocol::schema::Type;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const NANOS_PER_SECOND: u32 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
/// From 0000-03-01, where the reckoning in [`date_of_day`] begins, to 1970-01-01.
const DAYS_TO_EPOCH: i64 = 719_468;
/// The Gregorian calendar repeats itself after 400 years.
const DAYS_PER_ERA: i64 = 146_097;

/// A moment: seconds since 1970-01-01T00:00:00Z, which may be negative, and nanoseconds after that second.
///
/// In JSON it is RFC 3339 (`2026-11-03T12:00:00.5Z`), which knows the years 0000 to 9999.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
}

impl Timestamp {
    /// The moment `nanos` after second `seconds`; `None` when that is a second or more.
    pub const fn new(seconds: i64, nanos: u32) -> Option<Timestamp> {
        if nanos < NANOS_PER_SECOND { Some(Timestamp { seconds, nanos }) } else { None }
    }

    /// This moment by the system's clock.
    pub fn now() -> Timestamp {
        SystemTime::now().into()
    }

    /// Seconds since 1970-01-01T00:00:00Z, rounded down.
    pub const fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds after that second; below 10⁹.
    pub const fn nanos(self) -> u32 {
        self.nanos
    }
}

/// A text is not RFC 3339, or a time stamp lies outside what the system's clock can express.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTimestamp;

impl fmt::Display for InvalidTimestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a time stamp such as 2026-11-03T12:00:00Z, or out of range")
    }
}

impl std::error::Error for InvalidTimestamp {}

impl Message for Timestamp {
    fn describe(_: &mut SchemaBuilder) -> Type {
        Type::Timestamp
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Timestamp {
        let whole = |d: Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
        match time.duration_since(UNIX_EPOCH) {
            Ok(after) => Timestamp { seconds: whole(after), nanos: after.subsec_nanos() },
            Err(error) => {
                let before = error.duration();
                match before.subsec_nanos() {
                    0 => Timestamp { seconds: -whole(before), nanos: 0 },
                    nanos => Timestamp { seconds: -whole(before) - 1, nanos: NANOS_PER_SECOND - nanos },
                }
            }
        }
    }
}

/// Fails where the system's clock knows no such time; every time stamp fits on Linux.
impl TryFrom<Timestamp> for SystemTime {
    type Error = InvalidTimestamp;

    fn try_from(timestamp: Timestamp) -> Result<SystemTime, InvalidTimestamp> {
        let seconds = Duration::from_secs(timestamp.seconds.unsigned_abs());
        let second = match timestamp.seconds {
            0.. => UNIX_EPOCH.checked_add(seconds),
            _ => UNIX_EPOCH.checked_sub(seconds),
        };
        second
            .and_then(|second| second.checked_add(Duration::from_nanos(timestamp.nanos.into())))
            .ok_or(InvalidTimestamp)
    }
}

/// RFC 3339 in UTC, with as many digits of the second as it needs. A year that RFC 3339 cannot write has a sign and five
/// digits or more, as ISO 8601 has it.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date_of_day(self.seconds.div_euclid(SECONDS_PER_DAY));
        let second = self.seconds.rem_euclid(SECONDS_PER_DAY);
        match year {
            0..=9999 => write!(f, "{year:04}")?,
            _ => write!(f, "{year:+06}")?,
        }
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if self.nanos > 0 {
            let digits = format!("{:09}", self.nanos);
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

/// RFC 3339, section 5.6, with any offset. A leap second is refused, for the system's clock has none; so are more than nine
/// digits of a second.
impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Timestamp, InvalidTimestamp> {
        parse(text.as_bytes()).ok_or(InvalidTimestamp)
    }
}

fn parse(text: &[u8]) -> Option<Timestamp> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let two = |at: usize| number(&date_time[at..at + 2]);
    let (year, month, day) = (number(&date_time[..4])?, two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    let punctuation = [4, 7, 10, 13, 16].map(|at| date_time[at].to_ascii_uppercase());
    let in_range = hour < 24 && minute < 60 && second < 60;
    if punctuation != *b"--T::" || !in_range {
        return None;
    }
    let (nanos, offset) = match rest {
        [b'.', rest @ ..] => {
            let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
            let (fraction, offset) = rest.split_at(digits);
            let scale = 10_i64.pow(9_usize.checked_sub(digits)? as u32);
            (number(fraction)? * scale, offset)
        }
        offset => (0, offset),
    };
    let days = day_of_date(year, month, day)?;
    let seconds = days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
    Timestamp::new(seconds - offset_seconds(offset)?, nanos as u32)
}

/// `Z`, or `+hh:mm`, or `-hh:mm`.
fn offset_seconds(text: &[u8]) -> Option<i64> {
    match text {
        b"Z" | b"z" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
            let seconds = hours * 3600 + minutes * 60;
            match (hours < 24 && minutes < 60, sign) {
                (false, _) => None,
                (true, b'-') => Some(-seconds),
                (true, _) => Some(seconds),
            }
        }
        _ => None,
    }
}

/// One to nine digits and nothing else.
fn number(digits: &[u8]) -> Option<i64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0, |value, digit| match digit {
        b'0'..=b'9' => Some(value * 10 + i64::from(digit - b'0')),
        _ => None,
    })
}

/// The day's number, counted from 1970-01-01; `None` for a date that does not exist.
fn day_of_date(year: i64, month: i64, day: i64) -> Option<i64> {
    // Years begin in March, so that the leap day is the last of its year and months follow one formula.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let year_of_era = year.rem_euclid(400);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let number = year.div_euclid(400) * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH;
    // A date that does not exist, such as 30 February, is another day's number.
    ((1..=12).contains(&month) && date_of_day(number).1 == month && date_of_day(number).2 == day)
        .then_some(number)
}

/// Year, month and day of a day that is counted from 1970-01-01.
fn date_of_day(number: i64) -> (i64, i64, i64) {
    let number = number + DAYS_TO_EPOCH;
    let day_of_era = number.rem_euclid(DAYS_PER_ERA);
    let leap_days = day_of_era / 1460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = (month_from_march + 2) % 12 + 1;
    let year = number.div_euclid(DAYS_PER_ERA) * 400 + year_of_era;
    (if month <= 2 { year + 1 } else { year }, month, day)
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            (self.seconds, self.nanos).serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timestamp, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse().map_err(D::Error::custom)
        } else {
            let (seconds, nanos) = Deserialize::deserialize(deserializer)?;
            Timestamp::new(seconds, nanos).ok_or_else(|| D::Error::custom("nanoseconds of a second or more"))
        }
    }
}
