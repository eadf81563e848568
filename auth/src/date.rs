//! A date with its time and offset, as TOML and RFC 3339 write it, in seconds since 1970.

use crate::UnixSeconds;
use toml::value::{Datetime, Offset};

/// The seconds, without a fraction. `None` without a date, a time or an offset, and before 1970.
pub(crate) fn unix_seconds(date: &Datetime) -> Option<UnixSeconds> {
    let (day, time, offset) = (date.date?, date.time?, date.offset?);
    let minutes = match offset {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes),
    };
    let days = days_since_1970(i64::from(day.year), i64::from(day.month), i64::from(day.day));
    let in_day = (i64::from(time.hour) * 60 + i64::from(time.minute) - minutes) * 60;
    // A leap second is the last one that its minute has.
    let second = i64::from(time.second.unwrap_or_default()).min(59);
    u64::try_from(days * 86_400 + in_day + second).ok()
}

/// The days from 1970 to a day of the Gregorian calendar. A year is counted from March here, so that its leap day is its last one.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    // From March on, months have 31, 30, 31, 30, 31 days, and again.
    let in_year = (153 * month + 2) / 5 + day - 1;
    // The first of March of the year 0 lies 719,468 days before 1970.
    year * 365 + leap_days + in_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_so_many_seconds_since_1970() {
        for (text, seconds) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T01:00:00+01:00", Some(0)),
            ("1969-12-31T23:59:59Z", None),
            ("1969-12-31T23:59:59-00:01", Some(59)),
            ("2000-02-29T12:00:00Z", Some(951_825_600)),
            ("2001-09-09T01:46:40Z", Some(1_000_000_000)),
            ("2024-12-31T23:59:60Z", Some(1_735_689_599)),
            ("2027-01-15T08:00:00.999Z", Some(1_800_000_000)),
            ("2100-03-01T00:00:00Z", Some(4_107_542_400)),
            ("9999-12-31T23:59:59Z", Some(253_402_300_799)),
            ("0000-01-01T00:00:00Z", None),
            ("2027-01-15T08:00:00", None),
            ("2027-01-15", None),
            ("08:00:00", None),
        ] {
            assert_eq!(unix_seconds(&text.parse().expect(text)), seconds, "{text}");
        }
    }

    #[test]
    fn the_days_of_four_centuries_follow_one_another() {
        let leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let mut expected = days_since_1970(1970, 1, 1);
        assert_eq!(expected, 0);
        for year in 1970..2400 {
            for month in 1..=12 {
                let days = match month {
                    2 if leap(year) => 29,
                    2 => 28,
                    4 | 6 | 9 | 11 => 30,
                    _ => 31,
                };
                for day in 1..=days {
                    assert_eq!(days_since_1970(year, month, day), expected, "{year}-{month}-{day}");
                    expected += 1;
                }
            }
        }
    }
}
