//! Each type that is one token in JSON: what is read as what, what is refused, and what is written.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{MethodSchema, Type};
use support::{decode, encode, lines, method_of, option, whole};

/// Reads `input` as a `ty` and gives what is written for it, or the violation's detail.
fn round(schema: &MethodSchema, input: &str) -> String {
    let body = format!("{{\"v\":{input}}}");
    match encode(&whole(schema), body.as_bytes()) {
        Ok(bytes) => {
            let text = decode(schema, &bytes).unwrap();
            text["{\"v\":".len()..text.len() - 1].to_owned()
        }
        Err(violations) => lines(&violations).replacen("/v 1:6 ", "", 1),
    }
}

fn check(ty: Type, table: &[(&str, &str)]) {
    let schema = method_of(ty.clone());
    for (input, expected) in table {
        let written = round(&schema, input);
        assert!(
            written == *expected
                || (written.starts_with(expected.trim_end_matches('…')) && expected.ends_with('…')),
            "{ty:?} from {input}: {written}, not {expected}"
        );
    }
}

#[test]
fn integers_are_exact() {
    check(
        Type::U8,
        &[("0", "0"), ("255", "255"), ("-0", "0"), ("256", "256 is out of range for u8 (0 to 255)")],
    );
    check(Type::I8, &[("-128", "-128"), ("127", "127"), ("128", "128 is out…"), ("-129", "-129 is out…")]);
    check(
        Type::I16,
        &[("-32768", "-32768"), ("32768", "32768 is out…"), ("1.0", "expected an integer, got 1.0")],
    );
    check(Type::U16, &[("65535", "65535"), ("-1", "-1 is out…"), ("1e2", "expected an integer, got 1e2")]);
    check(Type::U32, &[("4294967295", "4294967295"), ("\"1\"", "expected an integer, got a string")]);
    check(
        Type::U64,
        &[
            ("9007199254740993", "9007199254740993"),
            ("18446744073709551615", "18446744073709551615"),
            ("\"18446744073709551615\"", "18446744073709551615"),
            ("\"\\u0031\"", "1"),
            ("18446744073709551616", "18446744073709551616 is out…"),
            (
                "99999999999999999999999999999999999999999",
                "9999999999999999999999999999999999999999… is out…",
            ),
            ("\" 1\"", "expected an integer, got \" 1\""),
            ("\"01\"", "expected an integer, got \"01\""),
            ("\"+1\"", "expected an integer, got \"+1\""),
            ("\"\"", "expected an integer, got \"\""),
        ],
    );
    check(
        Type::I64,
        &[
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775807", "9223372036854775807"),
            ("9223372036854775808", "9223372036854775808 is out…"),
            ("-9223372036854775809", "-9223372036854775809 is out…"),
        ],
    );
    check(
        Type::U128,
        &[
            ("340282366920938463463374607431768211455", "\"340282366920938463463374607431768211455\""),
            ("\"18446744073709551616\"", "\"18446744073709551616\""),
            ("340282366920938463463374607431768211456", "340282366920938463463374607431768211456 is out…"),
            ("-1", "-1 is out…"),
        ],
    );
    check(
        Type::I128,
        &[
            ("-170141183460469231731687303715884105728", "\"-170141183460469231731687303715884105728\""),
            ("\"9223372036854775808\"", "\"9223372036854775808\""),
            ("\"-9223372036854775809\"", "\"-9223372036854775809\""),
            ("170141183460469231731687303715884105728", "170141183460469231731687303715884105728 is out…"),
        ],
    );
}

#[test]
fn floats_are_rounded_once_and_written_shortest() {
    check(
        Type::F64,
        &[
            ("0", "0.0"),
            ("-0", "-0.0"),
            ("-0.0", "-0.0"),
            ("1", "1.0"),
            ("1E2", "100.0"),
            ("0.1", "0.1"),
            ("19.99", "19.99"),
            ("9007199254740993", "9007199254740992.0"),
            ("9007199254740993.0000000000000000001", "9007199254740994.0"),
            ("2.2250738585072014e-308", "2.2250738585072014e-308"),
            ("4.9e-324", "5e-324"),
            ("1e-400", "0.0"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("1e400", "1e400 is out of range for f64"),
            ("-1e309", "-1e309 is out of range for f64"),
            ("\"NaN\"", "\"NaN\""),
            ("\"Infinity\"", "\"Infinity\""),
            ("\"-Infinity\"", "\"-Infinity\""),
            ("\"1.5\"", "expected a number (or…"),
            ("\"inf\"", "expected a number (or…"),
        ],
    );
    check(
        Type::F32,
        &[
            ("0.1", "0.1"),
            ("16777217", "16777216.0"),
            // Through f64 this would be rounded twice, to 1.
            ("1.00000005960464477539062500001", "1.0000001"),
            ("3.5e38", "3.5e38 is out of range for f32"),
            ("\"NaN\"", "\"NaN\""),
            ("\"-Infinity\"", "\"-Infinity\""),
        ],
    );
}

#[test]
fn strings_and_chars_and_bytes() {
    check(
        Type::Bool,
        &[("true", "true"), ("false", "false"), ("\"true\"", "expected a boolean, got a string")],
    );
    check(Type::Unit, &[("null", "null"), ("0", "expected `null`, got a number")]);
    check(
        Type::String,
        &[
            (
                r#""\u00e9\ud83e\udd80\/\b\f\n\r\t\u0000\u001f\u007f""#,
                "\"é🦀/\\b\\f\\n\\r\\t\\u0000\\u001f\u{7f}\"",
            ),
            ("\"\"", "\"\""),
            ("1", "expected a string, got a number"),
        ],
    );
    check(
        Type::Char,
        &[
            ("\"a\"", "\"a\""),
            (r#""\ud83e\udd80""#, "\"🦀\""),
            ("\"\"", "expected one character, got 0"),
            ("\"e\u{301}\"", "expected one character, got 2"),
        ],
    );
    check(
        Type::Bytes,
        &[
            ("\"\"", "\"\""),
            ("\"/+8=\"", "\"/+8=\""),
            ("\"_-8\"", "\"/+8=\""),
            (r#""\/+8""#, "\"/+8=\""),
            ("\"AA==\"", "\"AA==\""),
            ("\"AA\"", "\"AA==\""),
            (
                "\"AB==\"",
                "not base64 (standard or URL-safe): its last character says more than the last byte has room for",
            ),
            (
                "\"A\"",
                "not base64 (standard or URL-safe): a character is missing at its end, or one is too many",
            ),
            ("\"AA=\"", "\"AA==\""),
            ("\"/_AA\"", "not base64 (standard or URL-safe): `/` at character 1 beside `-` or `_`"),
            ("\"A A=\"", "not base64 (standard or URL-safe): ' ' at character 2 is none of its characters"),
            ("\"A=AA\"", "not base64 (standard or URL-safe): padding at character 2, which is not the end"),
            ("\"éé**\"", "not base64 (standard or URL-safe): 'é' at character 1 is none of its characters"),
        ],
    );
}

#[test]
fn identifiers_and_addresses() {
    check(
        Type::Uuid,
        &[
            ("\"67e55044-10b1-426f-9247-bb680e5fe0c8\"", "\"67e55044-10b1-426f-9247-bb680e5fe0c8\""),
            ("\"67E5504410B1426F9247BB680E5FE0C8\"", "\"67e55044-10b1-426f-9247-bb680e5fe0c8\""),
            ("\"67e55044-10b1-426f-9247-bb680e5fe0c\"", "expected a UUID string, got…"),
            ("\"67e5504410b1-426f-9247-bb680e5fe0c8-\"", "expected a UUID string, got…"),
            ("\"{67e55044-10b1-426f-9247-bb680e5fe0c8}\"", "expected a UUID string, got…"),
        ],
    );
    check(
        Type::IpAddr,
        &[
            ("\"10.0.0.1\"", "\"10.0.0.1\""),
            ("\"2001:DB8:0::1\"", "\"2001:db8::1\""),
            ("\"010.0.0.1\"", "expected an IP address string, got \"010.0.0.1\""),
        ],
    );
    check(Type::Ipv4Addr, &[("\"::1\"", "expected an IPv4 address string, got \"::1\"")]);
    check(Type::Ipv6Addr, &[("\"::1\"", "\"::1\""), ("\"1.2.3.4\"", "expected an IPv6…")]);
}

#[test]
fn time_stamps() {
    check(
        Type::Timestamp,
        &[
            ("\"1970-01-01T00:00:00Z\"", "\"1970-01-01T00:00:00Z\""),
            ("\"1969-12-31T23:59:59.5Z\"", "\"1969-12-31T23:59:59.500Z\""),
            ("\"2026-11-21t02:03:04.123456z\"", "\"2026-11-21T02:03:04.123456Z\""),
            ("\"2026-11-21T02:03:04.1234567+01:30\"", "\"2026-11-21T00:33:04.123456700Z\""),
            ("\"2026-11-21T02:03:04-00:00\"", "\"2026-11-21T02:03:04Z\""),
            ("\"2024-02-29T00:00:00Z\"", "\"2024-02-29T00:00:00Z\""),
            ("\"2000-02-29T23:59:59Z\"", "\"2000-02-29T23:59:59Z\""),
            ("\"0000-02-29T00:00:00Z\"", "\"0000-02-29T00:00:00Z\""),
            ("\"9999-12-31T23:59:59.999999999Z\"", "\"9999-12-31T23:59:59.999999999Z\""),
            ("\"0000-01-01T00:00:00+00:01\"", "not an RFC 3339 time stamp: in UTC it is outside…"),
            ("\"9999-12-31T23:59:59-00:01\"", "not an RFC 3339 time stamp: in UTC it is outside…"),
            ("\"1900-02-29T00:00:00Z\"", "not an RFC 3339 time stamp: no such day…"),
            ("\"2026-04-31T00:00:00Z\"", "not an RFC 3339 time stamp: no such day…"),
            ("\"2026-00-01T00:00:00Z\"", "not an RFC 3339 time stamp: no such month…"),
            ("\"2026-01-01T24:00:00Z\"", "not an RFC 3339 time stamp: no such time…"),
            ("\"2026-01-01T00:00:00.Z\"", "not an RFC 3339 time stamp: expected digits…"),
            ("\"2026-01-01T00:00:00.1234567890Z\"", "not an RFC 3339 time stamp: finer than nanoseconds…"),
            ("\"2026-01-01T00:00:00\"", "not an RFC 3339 time stamp: expected `Z` or an offset…"),
            ("\"2026-01-01T00:00:00+0100\"", "not an RFC 3339 time stamp: expected `Z` or an offset…"),
            ("\"2026-01-01T00:00:00+24:00\"", "not an RFC 3339 time stamp: no such offset…"),
            ("\"2026-01-01 00:00:00Z\"", "not an RFC 3339 time stamp: expected the form…"),
            ("\"2026-1-1T00:00:00Z\"", "not an RFC 3339 time stamp: expected the form…"),
            ("1763690584", "expected an RFC 3339 time stamp, such as \"2026-01-31T12:00:00Z\", got a number"),
        ],
    );
}

#[test]
fn durations() {
    check(
        Type::Duration,
        &[
            ("\"0s\"", "\"0s\""),
            ("\"1.5s\"", "\"1.5s\""),
            ("\"1500ms\"", "\"1.5s\""),
            ("\"1.000000001s\"", "\"1.000000001s\""),
            ("\"2.5us\"", "\"0.0000025s\""),
            ("\"2µs\"", "\"0.000002s\""),
            ("\"7ns\"", "\"0.000000007s\""),
            ("\"1.5h\"", "\"5400s\""),
            ("\"0.1m\"", "\"6s\""),
            ("\"0.0000000000001h\"", "not a duration such as \"1.5s\": finer than nanoseconds…"),
            ("\"1.10000000000000000000000s\"", "\"1.1s\""),
            ("\"0.5ns\"", "not a duration such as \"1.5s\": finer than nanoseconds…"),
            ("\"18446744073709551615.999999999s\"", "\"18446744073709551615.999999999s\""),
            ("\"18446744073709551616s\"", "the duration \"18446744073709551616s\" is too long"),
            ("\"9999999999999999999999999999999999999999s\"", "not a duration such as \"1.5s\": too long…"),
            ("\"99999999999999999999999999999999999999h\"", "not a duration such as \"1.5s\": too long…"),
            ("\"-1s\"", "not a duration such as \"1.5s\": it cannot be negative…"),
            ("\"1\"", "not a duration such as \"1.5s\": expected a number and one of the units…"),
            ("\"1 s\"", "not a duration such as \"1.5s\": expected a number and one of the units…"),
            ("\".5s\"", "not a duration such as \"1.5s\": expected digits on both sides…"),
            ("\"1.s\"", "not a duration such as \"1.5s\": expected digits on both sides…"),
            ("\"1.2.3s\"", "not a duration such as \"1.5s\": expected digits on both sides…"),
            ("\"\"", "not a duration such as \"1.5s\": expected a number and one of the units…"),
        ],
    );
}

#[test]
fn null_is_no_value_of_anything_but_options_and_units() {
    for ty in [Type::Bool, Type::U8, Type::String, Type::F64, Type::Uuid, Type::Timestamp, Type::Duration] {
        let told = round(&method_of(ty.clone()), "null");
        assert!(told.ends_with("got null"), "{ty:?}: {told}");
        assert_eq!(round(&method_of(option(ty)), "null"), "null");
    }
    assert_eq!(round(&method_of(option(option(Type::U8))), "null"), "null");
    assert_eq!(round(&method_of(option(option(Type::U8))), "5"), "5");
    assert_eq!(round(&method_of(Type::Json), "null"), "null");
}
