//! Logical types: decimals, dates, times of day, URLs, e-mail addresses and sets, in every place where a value can stand.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{Logical, MethodSchema, Type};
use callgate_transcode::{
    Body, Decimal, DecodeReason, RequestProgram, Response, ResponseBinding, ResponseProgram, TextForm,
    Violation, ViolationKind,
};
use support::{
    binding, decode, decode_in_steps, encode, encode_all, field, lines, list, method, method_of, option, set,
    structure, text, whole,
};

/// Reads `input` as a `ty` and gives what is written for it, or the violation's detail.
fn round(ty: &Type, input: &str) -> String {
    let schema = method_of(ty.clone());
    match encode(&whole(&schema), format!("{{\"v\":{input}}}").as_bytes()) {
        Ok(bytes) => {
            let text = decode(&schema, &bytes).unwrap();
            text["{\"v\":".len()..text.len() - 1].to_owned()
        }
        Err(violations) => lines(&violations).replacen("/v 1:6 ", "", 1),
    }
}

fn check(ty: Type, table: &[(&str, &str)]) {
    for (input, expected) in table {
        assert_eq!(round(&ty, input), *expected, "{ty:?} from {input}");
    }
}

#[test]
fn a_decimal_is_a_string_or_a_number_and_taken_as_its_digits_say() {
    check(
        text(Logical::DECIMAL),
        &[
            (r#""12.50""#, r#""12.50""#),
            (r#""-0""#, r#""-0""#),
            (r#""\u0031""#, r#""1""#),
            ("12.50", r#""12.50""#),
            ("1e3", r#""1000""#),
            ("-1.5E-2", r#""-0.015""#),
            ("0.1234567890123456789012345678901234567890", r#""0.1234567890123456789012345678901234567890""#),
            ("1e64", "1e64 is out of range for a decimal of 64 digits"),
            ("01", "a number must not begin with a zero before other digits"),
            (r#""1e3""#, r#"not a decimal number: expected digits and at most one decimal point, got "1e3""#),
            (r#""1.""#, r#"not a decimal number: expected digits behind the decimal point, got "1.""#),
            (r#""""#, r#"not a decimal number: expected digits and at most one decimal point, got """#),
            (r#""01""#, r#"not a decimal number: a zero before other digits, got "01""#),
            ("null", "expected a decimal number or a string of it, such as \"12.50\", got null"),
            ("true", "expected a decimal number or a string of it, such as \"12.50\", got a boolean"),
        ],
    );
    let long = format!("\"{}\"", "9".repeat(65));
    assert_eq!(
        round(&text(Logical::DECIMAL), &long),
        format!("not a decimal number: more than 64 digits, got \"{}…\"", "9".repeat(40))
    );
}

#[test]
fn a_decimal_is_written_as_a_number_where_the_route_says_so() {
    let schema = method(vec![structure(vec![
        field("price", text(Logical::DECIMAL)),
        field("by", Type::Map(Box::new(text(Logical::DECIMAL)), Box::new(Type::U8))),
    ])]);
    let message = encode(&whole(&schema), br#"{"price":12.50,"by":{"1.0":1,"1.00":2}}"#).unwrap();
    for (decimal, expected) in [
        (Decimal::String, r#"{"price":"12.50","by":{"1.0":1,"1.00":2}}"#),
        (Decimal::Number, r#"{"price":12.50,"by":{"1.0":1,"1.00":2}}"#),
    ] {
        let binding = ResponseBinding { decimal, ..ResponseBinding::default() };
        let program = ResponseProgram::compile(&schema, &binding).unwrap();
        let mut out = Vec::new();
        program.decode(&message, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        assert_eq!(decode_in_steps(&program, &message).unwrap(), expected);
    }
}

#[test]
fn dates_times_and_addresses_are_strings_of_their_form() {
    check(
        text(Logical::DATE),
        &[
            (r#""2024-02-29""#, r#""2024-02-29""#),
            (r#""2026-02-29""#, r#"not a date: no such day in that month, got "2026-02-29""#),
            (r#""2026-2-9""#, r#"not a date: expected the form `2026-01-31`, got "2026-2-9""#),
            ("20260129", "expected a date, such as \"2026-01-31\", got a number"),
        ],
    );
    check(
        text(Logical::TIME),
        &[
            (r#""08:30""#, r#""08:30""#),
            (r#""08:30:15.250""#, r#""08:30:15.250""#),
            (r#""24:00""#, r#"not a time of day: no such time of day, got "24:00""#),
            ("830", "expected a time of day, such as \"08:30:00\", got a number"),
        ],
    );
    check(
        text(Logical::URL),
        &[
            (r#""https://example.com/a?b=\"""#, r#""https://example.com/a?b=\"""#),
            (r#""/a""#, r#"not a URL: expected a scheme and a colon at its beginning, got "/a""#),
            ("{}", "expected a URL, such as \"https://example.com/a\", got an object"),
        ],
    );
    check(
        text(Logical::EMAIL),
        &[
            (r#""ada@example.com""#, r#""ada@example.com""#),
            (r#""ada""#, r#"not an e-mail address: expected an `@`, got "ada""#),
            ("[]", "expected an e-mail address, such as \"ada@example.com\", got an array"),
        ],
    );
}

#[test]
fn a_logical_type_that_is_not_known_reads_as_its_physical_one() {
    let unknown = Type::Logical(Logical(99), Box::new(Type::U8));
    check(unknown.clone(), &[("7", "7"), ("256", "256 is out of range for u8 (0 to 255)")]);
    check(Type::Logical(Logical::DECIMAL, Box::new(Type::U32)), &[("7", "7")]);
    check(Type::Logical(Logical::SET, Box::new(Type::String)), &[("\"a\"", "\"a\"")]);
    check(
        Type::Logical(Logical(7), Box::new(text(Logical::DATE))),
        &[("\"x\"", "not a date: expected the form `2026-01-31`, got \"x\"")],
    );
    let missing = method_of(Type::Logical(Logical(99), Box::new(option(unknown))));
    assert_eq!(encode(&whole(&missing), b"{}"), Ok(vec![0]));
}

#[test]
fn a_logical_type_can_be_a_key_a_path_parameter_and_a_query_parameter() {
    let map = |key| Type::Map(Box::new(key), Box::new(Type::U8));
    check(
        map(text(Logical::DATE)),
        &[(r#"{"2026-01-31":1,"2026-02-01":2}"#, r#"{"2026-01-31":1,"2026-02-01":2}"#)],
    );
    check(map(text(Logical::URL)), &[(r#"{"a:b":1}"#, r#"{"a:b":1}"#)]);
    let twice = round(&map(text(Logical::DATE)), r#"{"2026-01-31":1,"2026-01-31":2}"#);
    assert_eq!(twice, "/v/2026-01-31 1:22 the same key twice: first at line 1, column 7");
    let wrong = round(&map(text(Logical::DATE)), r#"{"x":1}"#);
    assert_eq!(wrong, "/v/x 1:7 the key: not a date: expected the form `2026-01-31`, got \"x\"");

    let schema = method(vec![structure(vec![
        field("day", text(Logical::DATE)),
        field("at", option(list(text(Logical::TIME)))),
    ])]);
    let program = RequestProgram::compile(&schema, &binding(&["day"], Body::None)).unwrap();
    let given = encode_all(&program, &["2026-01-31"], &[("at", "08:30"), ("at", "09:00")], b"").unwrap();
    assert_eq!(decode(&schema, &given).unwrap(), r#"{"day":"2026-01-31","at":["08:30","09:00"]}"#);
    let refused = encode_all(&program, &["31"], &[("at", "8")], b"").unwrap_err();
    assert_eq!(
        lines(&refused),
        "/day - path parameter `day`: not a date: expected the form `2026-01-31`, got \"31\"\n\
         /at - query parameter `at`: not a time of day: expected the form `08:30`, `08:30:15` or `08:30:15.25`, got \"8\""
    );
}

#[test]
fn a_text_that_is_not_of_its_form_is_the_backends_fault() {
    for (logical, wrong, form, what) in [
        (Logical::DECIMAL, "1e3", TextForm::Decimal, "a decimal number"),
        (Logical::DATE, "2026-02-29", TextForm::Date, "a date"),
        (Logical::TIME, "24:00", TextForm::Time, "a time of day"),
        (Logical::URL, "/a", TextForm::Url, "a URL"),
        (Logical::EMAIL, "ada", TextForm::Email, "an e-mail address"),
    ] {
        let mut message = Vec::new();
        callgate_protocol::wire::put_bytes(&mut message, wrong.as_bytes());
        let schema = method_of(text(logical));
        let refused = decode(&schema, &message).unwrap_err();
        assert_eq!(refused.reason, DecodeReason::InvalidText(form));
        assert_eq!(refused.to_string(), format!("a text that is not {what} at byte {}", message.len()));
        let program = ResponseProgram::compile(&schema, &ResponseBinding::default()).unwrap();
        assert_eq!(decode_in_steps(&program, &message), Err(refused));

        // As what is not shown it does no harm, and as a key it does.
        let beside = method(vec![structure(vec![field("v", text(logical)), field("w", Type::Unit)])]);
        let shape = Response::Field("w".to_owned());
        let program =
            ResponseProgram::compile(&beside, &ResponseBinding { shape, ..ResponseBinding::default() });
        let program = program.unwrap();
        let mut out = Vec::new();
        program.decode(&message, &mut out).unwrap();
        assert_eq!(out, b"null");
        assert_eq!(decode_in_steps(&program, &message).unwrap(), "null");
        let keyed = method_of(Type::Map(Box::new(text(logical)), Box::new(Type::Unit)));
        let message = [vec![1], message].concat();
        let refused = decode(&keyed, &message).unwrap_err();
        assert_eq!(refused.reason, DecodeReason::InvalidText(form));
        let program = ResponseProgram::compile(&keyed, &ResponseBinding::default()).unwrap();
        assert_eq!(decode_in_steps(&program, &message).unwrap_err().reason, refused.reason);
    }
}

fn refused_set(schema: &MethodSchema, body: &str) -> Vec<Violation> {
    encode(&whole(schema), format!("{{\"v\":{body}}}").as_bytes()).unwrap_err()
}

#[test]
fn a_set_has_no_item_twice_however_it_is_spelled() {
    let numbers = method_of(set(Type::U64));
    for body in ["[]", "[1]", "[3,1,2]"] {
        assert_eq!(
            encode(&whole(&numbers), format!("{{\"v\":{body}}}").as_bytes()).unwrap().len(),
            body.len().div_ceil(2)
        );
    }
    for (ty, body, expected) in [
        (Type::U64, "[1, 2,\n 1]", "/v/2 2:2 the same item twice: first at line 1, column 7"),
        (Type::U64, r#"[7,"7"]"#, "/v/1 1:9 the same item twice: first at line 1, column 7"),
        (Type::String, r#"["a","\u0061"]"#, "/v/1 1:11 the same item twice: first at line 1, column 7"),
        (Type::Duration, r#"["1s","1000ms"]"#, "/v/1 1:12 the same item twice: first at line 1, column 7"),
        (Type::Unit, "[null,null]", "/v/1 1:12 the same item twice: first at line 1, column 7"),
        (list(Type::U8), "[[1],[2],[1]]", "/v/2 1:15 the same item twice: first at line 1, column 7"),
        (
            set(Type::U8),
            "[[1,2],[1,3],[1,1],[1,2]]",
            "/v/2/1 1:22 the same item twice: first at line 1, column 20",
        ),
    ] {
        let violations = refused_set(&method_of(set(ty)), body);
        assert_eq!(lines(&violations), expected);
        assert_eq!(violations[0].kind, ViolationKind::Constraint);
    }
    // A decimal is its text: the scale is a part of it.
    assert_eq!(round(&set(text(Logical::DECIMAL)), r#"["1.0","1.00"]"#), r#"["1.0","1.00"]"#);
}

#[test]
fn an_item_twice_among_many_is_found_while_they_are_read() {
    let schema = method_of(set(Type::U32));
    let items = |count: u32, last: u32| {
        let items: Vec<String> = (0..count).chain([last]).map(|n| n.to_string()).collect();
        format!("[{}]", items.join(","))
    };
    for count in [7, 8, 9, 15, 16, 17, 100, 1000] {
        assert!(encode(&whole(&schema), format!("{{\"v\":{}}}", items(count, count)).as_bytes()).is_ok());
        let violations = refused_set(&schema, &items(count, 3));
        assert_eq!((violations.len(), &*violations[0].pointer), (1, &*format!("/v/{count}")));
    }
    // It ends neither the set nor what is behind it.
    let schema = method(vec![structure(vec![field("v", set(Type::U32)), field("w", Type::U8)])]);
    let violations = encode(&whole(&schema), format!("{{\"v\":{}}}", items(100, 3)).as_bytes()).unwrap_err();
    assert_eq!(
        lines(&violations),
        "/w 1:1 missing field `w`\n/v/100 1:297 the same item twice: first at line 1, column 13"
    );
}

#[test]
fn items_that_were_refused_are_not_taken_for_the_same() {
    let schema = method(vec![
        structure(vec![field("v", set(Type::Ref(1)))]),
        structure(vec![field("a", Type::U8), field("b", option(Type::U8))]),
    ]);
    let violations = refused_set(&schema, "[{},{}]");
    assert_eq!(lines(&violations), "/v/0/a 1:7 missing field `a`\n/v/1/a 1:10 missing field `a`");
}

#[test]
fn a_query_fills_a_set_and_names_no_item_twice() {
    let schema = method_of(set(Type::U32));
    let program = RequestProgram::compile(&schema, &binding(&[], Body::None)).unwrap();
    assert_eq!(encode_all(&program, &[], &[("v", "7"), ("v", "8")], b""), Ok(vec![2, 7, 8]));
    let refused = encode_all(&program, &[], &[("v", "7"), ("v", "8"), ("v", "7")], b"").unwrap_err();
    assert_eq!(lines(&refused), "/v - query parameter `v`: the same item twice");
    let refused = encode_all(&program, &[], &[("v", "x"), ("v", "y")], b"").unwrap_err();
    assert_eq!(refused.len(), 2, "{}", lines(&refused));
}

#[test]
fn the_set_of_a_result_is_shown_as_it_is() {
    let schema = method_of(set(Type::U8));
    assert_eq!(decode(&schema, &[3, 1, 2, 1]).unwrap(), r#"{"v":[1,2,1]}"#);
    let program = ResponseProgram::compile(&schema, &ResponseBinding::default()).unwrap();
    assert_eq!(decode_in_steps(&program, &[3, 1, 2, 1]).unwrap(), r#"{"v":[1,2,1]}"#);
}
