//! RFC 8259, case by case: what is JSON, what is not, and what we decide where the RFC leaves it open.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::Type;
use callgate_transcode::json::validate;
use support::{encode, method_of, whole};

const VALID: &[&str] = &[
    "null",
    "true",
    "false",
    "0",
    "-0",
    "-1",
    "10",
    "1.0",
    "0.1",
    "-0.1e1",
    "1E5",
    "1e+5",
    "1E-05",
    "1e400",
    "\"\"",
    "\"a\"",
    " \t\r\n1 \t\r\n",
    "[]",
    "[ ]",
    "{}",
    "{ }",
    "[1]",
    "[1,2]",
    "[[],[[]]]",
    "[null, 1, \"2\", {}]",
    "{\"a\":1}",
    "{\"a\":{\"a\":[]}}",
    "{\"\":0}",
    "{\"a\" : 1 , \"b\" : 2}",
    "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
    "\"\\u0000\"",
    "\"\\u00e9\\u00E9\"",
    "\"\\ud83e\\udd80\"",
    "\"\\uDBFF\\uDFFF\"",
    "\"\u{7f}\u{2028}\u{feff}\"",
    "\"日本🦀\"",
    "\"/\"",
    "123456789012345678901234567890",
    "0.000000000000000000000000000000000001",
    "{\"a\":1,\"A\":2,\"á\":3}",
    "\"12345678\\\"12345678\"",
    "\"1234567\\n\"",
];

const INVALID: &[&str] = &[
    "",
    " ",
    "nul",
    "nulll",
    "True",
    "NaN",
    "Infinity",
    "-Infinity",
    "'a'",
    "a",
    "01",
    "-01",
    "00",
    "+1",
    "-",
    ".5",
    "1.",
    "-.5",
    "1.e5",
    "1e",
    "1e+",
    "1E-",
    "0x10",
    "1_000",
    "1 2",
    "1,",
    "--1",
    "1.2.3",
    "1e5.5",
    "\"",
    "\"a",
    "\"\\\"",
    "\"\\",
    "\"\\a\"",
    "\"\\U0041\"",
    "\"\\u\"",
    "\"\\u12\"",
    "\"\\u123g\"",
    "\"\\u12 4\"",
    "\"\n\"",
    "\"\t\"",
    "\"\u{0}\"",
    "\"\u{1f}\"",
    "\"1234567\u{1}\"",
    "\"\\ud800\"",
    "\"\\udc00\"",
    "\"\\ud800\\ud800\"",
    "\"\\ud800\\n\"",
    "\"\\ud800\\u0041\"",
    "\"\\ud800abcdef\"",
    "\"\\udc00\\ud800\"",
    "[",
    "]",
    "[1",
    "[1,",
    "[,]",
    "[,1]",
    "[1,]",
    "[1,,2]",
    "[1 2]",
    "[1}",
    "[\"a\":1]",
    "{",
    "}",
    "{\"a\"",
    "{\"a\":",
    "{\"a\":1",
    "{\"a\":1,",
    "{\"a\":1,}",
    "{,}",
    "{\"a\"}",
    "{\"a\" 1}",
    "{a:1}",
    "{1:1}",
    "{null:1}",
    "{'a':1}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1,,\"b\":2}",
    "{\"a\":1]",
    "{\"a\"::1}",
    "{\"a\":1}}",
    "[]]",
    "{}{}",
    "[] []",
    "null null",
    "/**/1",
    "1//",
    "# 1",
    "\u{feff}1",
    "\u{a0}1",
    "1\u{b}",
    "\u{c}1",
    "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"\\u0061\":1}",
    "[{\"b\":[{\"x\":1,\"y\":2,\"x\":3}]}]",
    "tru",
    "fals",
    "t",
    "[true,fals]",
    "{\"a\":nul}",
];

#[test]
fn what_rfc_8259_calls_json_is_taken() {
    let program = whole(&method_of(Type::Json));
    for text in VALID {
        assert_eq!(validate(text.as_bytes()), Ok(()), "{text}");
        let body = format!("{{\"v\":{text}}}");
        let mut expected = vec![text.trim_matches([' ', '\t', '\r', '\n']).len() as u8];
        expected.extend_from_slice(text.trim_matches([' ', '\t', '\r', '\n']).as_bytes());
        // White space around is not the value's.
        let encoded = encode(&program, body.as_bytes()).map(|bytes| bytes.trim_ascii_end().to_vec());
        let encoded = encoded.unwrap();
        assert!(encoded[1..].starts_with(&expected[1..]), "{text}: {encoded:?}");
    }
}

#[test]
fn what_rfc_8259_does_not_call_json_is_refused() {
    let program = whole(&method_of(Type::Json));
    for text in INVALID {
        assert!(validate(text.as_bytes()).is_err(), "{text}");
        let body = format!("{{\"v\":{text}}}");
        // Some become JSON inside of an object: these close it and open another.
        if validate(body.as_bytes()).is_err() {
            assert!(encode(&program, body.as_bytes()).is_err(), "{body}");
        }
    }
}

#[test]
fn what_is_taken_serde_json_takes_too() {
    for text in VALID.iter().filter(|text| **text != "1e400") {
        assert!(serde_json::from_str::<serde_json::Value>(text).is_ok(), "{text}");
    }
}

#[test]
fn bytes_that_are_not_utf8_are_refused() {
    for bytes in [
        &b"\"\xff\""[..],
        b"\"\xc3\"",
        b"\"\xed\xa0\x80\"",
        b"\"\xc0\x80\"",
        b"\xef\xbb\xbf1",
        b"\xfe\xff\x001",
        b"1\x80",
        b"\"\xf4\x90\x80\x80\"",
    ] {
        assert!(validate(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn every_control_character_and_every_quote_is_found_wherever_it_stands() {
    for length in 0..40 {
        for byte in [0, 0x1f, b'\n'] {
            let mut text = vec![b'x'; length];
            text.insert(0, b'"');
            text.push(byte);
            text.extend_from_slice(b"xxxxxxxxx\"");
            assert!(validate(&text).is_err(), "{byte} after {length}");
        }
        let text = format!("\"{}\\\\{}\"", "é".repeat(length), " !#[]~\u{7f}".repeat(length));
        assert_eq!(validate(text.as_bytes()), Ok(()));
    }
}
