//! Every day, every field at its edges, and every width of a fraction.

use super::*;

/// The next day by the rules of the calendar, counted and not computed.
fn next((year, month, day): (i64, i64, i64)) -> (i64, i64, i64) {
    let leap = if year % 100 == 0 { year % 400 == 0 } else { year % 4 == 0 };
    let last = [31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    match (month, day) {
        (12, 31) => (year + 1, 1, 1),
        (month, day) if day == last[month as usize - 1] => (year, month + 1, 1),
        (month, day) => (year, month, day + 1),
    }
}

#[test]
fn every_day_of_the_years_0_to_9999_has_its_number() {
    let (mut date, mut number) = ((0, 1, 1), FIRST_SECOND / SECONDS_A_DAY);
    while date.0 < 10_000 {
        let (year, month, day) = date;
        assert_eq!(days_from_civil(year, month, day), number, "{date:?}");
        assert_eq!(civil_from_days(number), date);
        date = next(date);
        if date.2 == 1 {
            assert_eq!(days_in_month(year, month), day, "{year}-{month}");
        }
        number += 1;
    }
    assert_eq!(number * SECONDS_A_DAY - 1, LAST_SECOND);
    assert_eq!(days_from_civil(1970, 1, 1), 0);
}

#[test]
fn each_part_of_a_time_stamp_has_its_bounds() {
    const FORM: &str = "expected the form `2026-01-31T12:00:00Z`";
    const OFFSET_FORM: &str = "expected `Z` or an offset such as `+01:00` at the end";
    let (month, day) = ("no such month", "no such day in that month");
    let (time, offset) = ("no such time of day", "no such offset from UTC");
    for (text, expected) in [
        ("1970-01-01T00:00:00Z", Ok((0, 0))),
        ("1970-01-01t00:00:01z", Ok((1, 0))),
        ("1970-01-02T03:04:05Z", Ok((86_400 + 3 * 3600 + 4 * 60 + 5, 0))),
        ("1970-01-01T23:59:59Z", Ok((86_399, 0))),
        ("1970-12-31T00:00:00Z", Ok((364 * 86_400, 0))),
        ("1970-00-01T00:00:00Z", Err(month)),
        ("1970-13-01T00:00:00Z", Err(month)),
        ("1970-01-00T00:00:00Z", Err(day)),
        ("1970-01-32T00:00:00Z", Err(day)),
        ("1970-04-31T00:00:00Z", Err(day)),
        ("1900-02-29T00:00:00Z", Err(day)),
        ("2023-02-29T00:00:00Z", Err(day)),
        ("2024-02-30T00:00:00Z", Err(day)),
        ("2024-02-29T00:00:00Z", Ok((1_709_164_800, 0))),
        ("2000-02-29T00:00:00Z", Ok((951_782_400, 0))),
        ("1970-01-01T24:00:00Z", Err(time)),
        ("1970-01-01T00:60:00Z", Err(time)),
        ("1970-01-01T00:00:61Z", Err(time)),
        ("1970-01-01T00:00:60Z", Err("leap seconds cannot be represented")),
        ("1970-01-01T00:00:00+23:59", Ok((-86_340, 0))),
        ("1970-01-01T00:00:00-23:59", Ok((86_340, 0))),
        ("1970-01-01T00:00:00+01:30", Ok((-5400, 0))),
        ("1970-01-01T00:00:00+24:00", Err(offset)),
        ("1970-01-01T00:00:00-00:60", Err(offset)),
        ("1970-01-01T00:00:00", Err(OFFSET_FORM)),
        ("1970-01-01T00:00:00+0100", Err(OFFSET_FORM)),
        ("1970-01-01T00:00:00+0a:00", Err(OFFSET_FORM)),
        ("1970-01-01T00:00:00+00:0a", Err(OFFSET_FORM)),
        ("197a-01-01T00:00:00Z", Err(FORM)),
        ("1970-0a-01T00:00:00Z", Err(FORM)),
        ("1970-01-0aT00:00:00Z", Err(FORM)),
        ("1970-01-01T0a:00:00Z", Err(FORM)),
        ("1970-01-01T00:0a:00Z", Err(FORM)),
        ("1970-01-01T00:00:0aZ", Err(FORM)),
        ("1970-01-01 00:00:00Z", Err(FORM)),
        ("1970-01-01T00:00", Err(FORM)),
        ("0000-01-01T00:00:00Z", Ok((FIRST_SECOND, 0))),
        ("0000-01-01T00:00:00+00:01", Err("in UTC it is outside of the years 0000 to 9999")),
        ("9999-12-31T23:59:59.999999999Z", Ok((LAST_SECOND, 999_999_999))),
        ("9999-12-31T23:59:59-00:01", Err("in UTC it is outside of the years 0000 to 9999")),
        ("1970-01-01T00:00:00.Z", Err("expected digits behind the decimal point")),
        ("1970-01-01T00:00:00.1Z", Ok((0, 100_000_000))),
        ("1970-01-01T00:00:00.000000001Z", Ok((0, 1))),
        ("1970-01-01T00:00:00.0000000010Z", Err("finer than nanoseconds")),
    ] {
        assert_eq!(parse_timestamp(text), expected, "{text}");
    }
}

#[test]
fn a_time_stamp_is_printed_with_as_many_digits_as_it_needs_of_0_3_6_or_9() {
    for (seconds, nanos, expected) in [
        (0, 0, Some("1970-01-01T00:00:00Z")),
        (-1, 0, Some("1969-12-31T23:59:59Z")),
        (1_709_210_096, 7_000_000, Some("2024-02-29T12:34:56.007Z")),
        (1_709_210_096, 120_000_000, Some("2024-02-29T12:34:56.120Z")),
        (0, 1_000, Some("1970-01-01T00:00:00.000001Z")),
        (0, 123_456_000, Some("1970-01-01T00:00:00.123456Z")),
        (0, 1, Some("1970-01-01T00:00:00.000000001Z")),
        (0, 999_999_999, Some("1970-01-01T00:00:00.999999999Z")),
        (FIRST_SECOND, 0, Some("0000-01-01T00:00:00Z")),
        (FIRST_SECOND - 1, 0, None),
        (LAST_SECOND, 0, Some("9999-12-31T23:59:59Z")),
        (LAST_SECOND + 1, 0, None),
    ] {
        let mut out = Vec::new();
        let printed =
            print_timestamp(&mut out, seconds, nanos).map(|()| String::from_utf8(out).expect("ASCII"));
        assert_eq!(printed, expected.map(|text| format!("\"{text}\"")), "{seconds} {nanos}");
    }
}

#[test]
fn a_duration_is_printed_without_zeros_at_its_end_and_reads_back() {
    for (seconds, nanos, expected) in [
        (0, 0, "0s"),
        (7, 0, "7s"),
        (u64::MAX, 999_999_999, "18446744073709551615.999999999s"),
        (1, 500_000_000, "1.5s"),
        (0, 1, "0.000000001s"),
        (0, 10, "0.00000001s"),
        (0, 120_003_000, "0.120003s"),
    ] {
        let (mut out, mut wire, mut expected_wire) = (Vec::new(), Vec::new(), Vec::new());
        print_duration(&mut out, seconds, nanos);
        assert_eq!(String::from_utf8(out), Ok(format!("\"{expected}\"")));
        put_duration(expected, &mut wire).expect("what is printed is read");
        put_varint(&mut expected_wire, seconds);
        put_varint(&mut expected_wire, nanos.into());
        assert_eq!(wire, expected_wire, "{expected}");
    }
}

#[test]
fn durations_are_exact_in_each_unit() {
    const FINER: &str = "finer than nanoseconds";
    const BOTH_SIDES: &str = "expected digits on both sides of one decimal point";
    for (text, expected) in [
        ("1ns", Ok(1)),
        ("1us", Ok(1_000)),
        ("1\u{b5}s", Ok(1_000)),
        ("1\u{3bc}s", Ok(1_000)),
        ("1ms", Ok(1_000_000)),
        ("1s", Ok(NANOS_A_SECOND)),
        ("1m", Ok(60 * NANOS_A_SECOND)),
        ("1h", Ok(3600 * NANOS_A_SECOND)),
        ("0.5h", Ok(1800 * NANOS_A_SECOND)),
        ("2.25m", Ok(135 * NANOS_A_SECOND)),
        ("0.1ns", Err(FINER)),
        ("1.0ns", Ok(1)),
        ("1.0000000001s", Err(FINER)),
        ("1.00000000000000000000000000s", Ok(NANOS_A_SECOND)),
        // No unit is a whole number of nanoseconds with so many digits, which 18 of them still fit.
        ("0.000000000000000001h", Err(FINER)),
        ("0.0000000000000000001h", Err(FINER)),
        (".5s", Err(BOTH_SIDES)),
        ("5.s", Err(BOTH_SIDES)),
        ("1.2.3s", Err(BOTH_SIDES)),
        ("-1s", Err("it cannot be negative")),
        ("1-s", Err("it cannot be negative")),
        ("340282366920938463463374607431768211455ns", Ok(u128::MAX)),
        ("340282366920938463463374607431768211456ns", Err("too long")),
        ("340282366920938463463374607431768211455us", Err("too long")),
    ] {
        assert_eq!(parse_duration(text), expected, "{text}");
    }
    let mut out = Vec::new();
    assert_eq!(put_duration("18446744073709551615.999999999s", &mut out), Ok(()));
    assert!(
        put_duration("18446744073709551616s", &mut out).is_err_and(|words| words.ends_with("is too long"))
    );
}
