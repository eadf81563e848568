//! Dates and times of day, without zone: `2026-01-31`, and `08:30`, `08:30:15` or `08:30:15.25`.

use super::super::time::{days_in_month, digits, fraction};

/// Year, month and day.
pub(super) fn parse_date(text: &str) -> Result<(i64, i64, i64), &'static str> {
    const FORM: &str = "expected the form `2026-01-31`";
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text.as_bytes() else {
        return Err(FORM);
    };
    let year = digits(&[y1, y2, y3, y4]).ok_or(FORM)?;
    let [month, day] = [[m1, m2], [d1, d2]].map(|pair| digits(&pair));
    let (month, day) = (month.ok_or(FORM)?, day.ok_or(FORM)?);
    if !(1..=12).contains(&month) {
        return Err("no such month");
    }
    if !(1..=days_in_month(year, month)).contains(&day) {
        return Err("no such day in that month");
    }
    Ok((year, month, day))
}

/// The seconds since midnight, and the nanoseconds beside them.
pub(super) fn parse_time(text: &str) -> Result<(i64, u32), &'static str> {
    const FORM: &str = "expected the form `08:30`, `08:30:15` or `08:30:15.25`";
    let (&[h1, h2, b':', m1, m2], rest) = text.as_bytes().split_first_chunk().ok_or(FORM)? else {
        return Err(FORM);
    };
    let [hour, minute] = [[h1, h2], [m1, m2]].map(|pair| digits(&pair));
    let (hour, minute) = (hour.ok_or(FORM)?, minute.ok_or(FORM)?);
    let (second, nanos) = match rest {
        [] => (0, 0),
        [b':', s1, s2, rest @ ..] => {
            let second = digits(&[*s1, *s2]).ok_or(FORM)?;
            let (nanos, rest) = fraction(rest)?;
            if !rest.is_empty() {
                return Err(FORM);
            }
            (second, nanos)
        }
        _ => return Err(FORM),
    };
    if second == 60 {
        return Err("leap seconds cannot be represented");
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err("no such time of day");
    }
    Ok((hour * 3600 + minute * 60 + second, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
    use proptest::prelude::*;

    #[test]
    fn a_date_is_a_day_that_there_is() {
        for (text, expected) in [
            ("0000-01-01", Ok((0, 1, 1))),
            ("2024-02-29", Ok((2024, 2, 29))),
            ("9999-12-31", Ok((9999, 12, 31))),
            ("2026-02-29", Err("no such day in that month")),
            ("2026-00-01", Err("no such month")),
            ("2026-13-01", Err("no such month")),
            ("2026-01-00", Err("no such day in that month")),
        ] {
            assert_eq!(parse_date(text), expected, "{text}");
        }
        for text in [
            "",
            "2026-1-31",
            "2026-01-31 ",
            "26-01-31",
            "+2026-01-31",
            "2026/01/31",
            "2026-01-31T00:00",
            "2026-01-3١",
        ] {
            assert!(parse_date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_time_of_day_may_leave_out_its_seconds_and_their_fraction() {
        for (text, expected) in [
            ("00:00", Ok((0, 0))),
            ("08:30", Ok((30_600, 0))),
            ("23:59:59", Ok((86_399, 0))),
            ("08:30:15.25", Ok((30_615, 250_000_000))),
            ("08:30:15.123456789", Ok((30_615, 123_456_789))),
            ("24:00", Err("no such time of day")),
            ("08:60", Err("no such time of day")),
            ("08:30:61", Err("no such time of day")),
            ("23:59:60", Err("leap seconds cannot be represented")),
            ("08:30:15.", Err("expected digits behind the decimal point")),
            ("08:30:15.1234567890", Err("finer than nanoseconds")),
        ] {
            assert_eq!(parse_time(text), expected, "{text}");
        }
        for text in [
            "",
            "8:30",
            "08:30:",
            "08:30:1",
            "08:30.5",
            "0830",
            "08:30Z",
            "08:30:15Z",
            "08:30:15.5 ",
            "-8:30",
            "08:3٠",
        ] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_chrono_writes_is_read_as_what_it_is(days in 0..3_652_424_i32, seconds in 0..86_400_u32, nanos in 0..1_000_000_000_u32, unit in 0..4_u32) {
            let date = NaiveDate::from_num_days_from_ce_opt(days + 1).expect("it is a day");
            prop_assert_eq!(
                parse_date(&date.to_string()),
                Ok((i64::from(date.year()), i64::from(date.month()), i64::from(date.day())))
            );
            let unit = 1000_u32.pow(unit);
            let time = NaiveTime::from_num_seconds_from_midnight_opt(seconds, nanos / unit * unit).expect("it is a time");
            // `Debug` is what its serialization uses.
            let expected = (i64::from(time.num_seconds_from_midnight()), time.nanosecond());
            prop_assert_eq!(parse_time(&format!("{time:?}")), Ok(expected));
        }

        #[test]
        fn a_date_is_one_exactly_where_chrono_has_a_day(year in 0..10_000_i32, month in 0..14_u32, day in 0..33_u32) {
            let text = format!("{year:04}-{month:02}-{day:02}");
            prop_assert_eq!(parse_date(&text).is_ok(), NaiveDate::from_ymd_opt(year, month, day).is_some(), "{}", text);
        }
    }
}
