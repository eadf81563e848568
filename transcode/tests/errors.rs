//! What a client is told: each class of violation, with pointer, line, column and words.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{Field, MethodSchema, Shape, Type};
use callgate_transcode::{RequestBinding, RequestProgram, UnknownFields, Violation, ViolationKind};
use support::{
    default_field, encode, enumeration, field, lines, list, method, option, structure, variant, whole,
};

fn order() -> MethodSchema {
    let items = vec![
        field("sku", Type::String),
        field("qty", Type::U32),
        default_field("colour", Type::Ref(2), &[1]),
    ];
    let colours = ["red", "green", "blue"].map(|name| variant(name, Shape::Unit));
    let payment = vec![
        variant("Cash", Shape::Unit),
        variant("Card", Shape::Newtype(Type::String)),
        variant("Split", Shape::Tuple(vec![Type::U8, Type::U8])),
        variant("Later", Shape::Struct(vec![field("days", Type::U16)])),
    ];
    let id = Field { aliases: vec!["order_id".to_owned()], ..field("id", Type::U64) };
    method(vec![
        structure(vec![
            id,
            field("items", list(Type::Ref(1))),
            field("payment", option(Type::Ref(3))),
            field("prices", option(Type::Map(Box::new(Type::U8), Box::new(Type::F64)))),
            field("at", option(Type::Timestamp)),
            field("any", option(Type::Json)),
            field("pair", option(Type::Tuple(vec![Type::Char, Type::I8]))),
        ]),
        structure(items),
        enumeration(colours.to_vec()),
        enumeration(payment),
    ])
}

fn told(program: &RequestProgram, body: &str) -> String {
    match encode(program, body.as_bytes()) {
        Ok(bytes) => format!("accepted: {bytes:?}"),
        Err(violations) => lines(&violations),
    }
}

fn check(table: &[(&str, &str)]) {
    let program = whole(&order());
    let mut wrong = String::new();
    for (body, expected) in table {
        let told = told(&program, body);
        if told != *expected {
            wrong += &format!("{body}\nis told:\n{told}\nexpected:\n{expected}\n\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn all_missing_and_unknown_fields_are_told_at_once() {
    check(&[
        ("{}", concat!(r#"/id 1:1 missing field `id`"#, "\n", r#"/items 1:1 missing field `items`"#)),
        (
            r#"{"id": 1, "itmes": [], "x/y~z": {}}"#,
            concat!(
                r#"/items 1:1 missing field `items`"#,
                "\n",
                r#"/itmes 1:11 unknown field `itmes`, did you mean `items`? (fields: `id`, `items`, `payment`, `prices`, `at`, `any`, `pair`)"#,
                "\n",
                r#"/x~1y~0z 1:24 unknown field `x/y~z` (fields: `id`, `items`, `payment`, `prices`, `at`, `any`, `pair`)"#
            ),
        ),
        (
            "{\n \"items\": [{}, {\"sku\": \"a\", \"Qty\": 1}],\n \"id\": 1}",
            concat!(
                r#"/items/0/sku 2:12 missing field `sku`"#,
                "\n",
                r#"/items/0/qty 2:12 missing field `qty`"#,
                "\n",
                r#"/items/1/qty 2:16 missing field `qty`"#,
                "\n",
                r#"/items/1/Qty 2:29 unknown field `Qty`, did you mean `qty`? (fields: `sku`, `qty`, `colour`)"#
            ),
        ),
        (
            r#"{"items": [{"sku": "a", "q": 1}], "id": "x"}"#,
            concat!(
                r#"/items/0/qty 1:12 missing field `qty`"#,
                "\n",
                r#"/items/0/q 1:25 unknown field `q` (fields: `sku`, `qty`, `colour`)"#,
                "\n",
                r#"/id 1:41 expected an integer, got "x""#
            ),
        ),
    ]);
}

#[test]
fn a_wrong_type_is_told_with_what_was_expected() {
    check(&[
        (r#"{"id": true, "items": []}"#, "/id 1:8 expected an integer (a number or a string), got a boolean"),
        (r#"{"id": 1, "items": {}}"#, "/items 1:20 expected an array, got an object"),
        (r#"{"id": 1, "items": [7]}"#, "/items/0 1:21 expected an object, got a number"),
        (r#"{"id": 1, "items": [{"sku": null}]}"#, "/items/0/sku 1:29 expected a string, got null"),
        (r#"{"id": 1, "items": [{"qty": "7"}]}"#, "/items/0/qty 1:29 expected an integer, got a string"),
        (
            r#"{"id": 1, "prices": {"1": "x"}}"#,
            r#"/prices/1 1:27 expected a number (or "NaN", "Infinity", "-Infinity"), got a string"#,
        ),
        (
            r#"{"id": 1, "payment": 3}"#,
            "/payment 1:22 expected a variant's name or an object of one variant, got a number",
        ),
        ("[]", " 1:1 expected an object, got an array"),
    ]);
}

#[test]
fn numbers_that_do_not_fit_are_told_with_their_range() {
    check(&[
        (r#"{"id": -1}"#, "/id 1:8 -1 is out of range for u64 (0 to 18446744073709551615)"),
        (
            r#"{"id": 18446744073709551616}"#,
            "/id 1:8 18446744073709551616 is out of range for u64 (0 to 18446744073709551615)",
        ),
        (r#"{"id": 1.5}"#, "/id 1:8 expected an integer, got 1.5"),
        (r#"{"id": 1e3}"#, "/id 1:8 expected an integer, got 1e3"),
        (
            r#"{"items": [{"qty": 4294967296}]}"#,
            "/items/0/qty 1:20 4294967296 is out of range for u32 (0 to 4294967295)",
        ),
        (r#"{"pair": ["a", -129]}"#, "/pair/1 1:16 -129 is out of range for i8 (-128 to 127)"),
        (r#"{"prices": {"1": 1e400}}"#, "/prices/1 1:18 1e400 is out of range for f64"),
        (r#"{"prices": {"256": 1}}"#, "/prices/256 1:13 the key: 256 is out of range for u8 (0 to 255)"),
        (r#"{"prices": {"x": 1}}"#, r#"/prices/x 1:13 the key: expected an integer, got "x""#),
    ]);
}

#[test]
fn strings_that_say_no_value_are_told_with_the_form() {
    check(&[
        (r#"{"id": "12x"}"#, "/id 1:8 expected an integer, got \"12x\""),
        (
            r#"{"at": "yesterday"}"#,
            r#"/at 1:8 not an RFC 3339 time stamp: expected the form `2026-01-31T12:00:00Z`, got "yesterday""#,
        ),
        (
            r#"{"at": "2026-02-29T00:00:00Z"}"#,
            r#"/at 1:8 not an RFC 3339 time stamp: no such day in that month, got "2026-02-29T00:00:00Z""#,
        ),
        (
            r#"{"at": "2026-12-31T23:59:60Z"}"#,
            r#"/at 1:8 not an RFC 3339 time stamp: leap seconds cannot be represented, got "2026-12-31T23:59:60Z""#,
        ),
        (r#"{"pair": ["ab", 1]}"#, "/pair/0 1:11 expected one character, got 2"),
        (
            r#"{"items": [{"colour": "gren"}]}"#,
            "/items/0/colour 1:23 unknown variant `gren`, did you mean `green`? (variants: `red`, `green`, `blue`)",
        ),
    ]);
}

#[test]
fn arrays_of_the_wrong_length_are_told_with_both_lengths() {
    check(&[
        (r#"{"pair": []}"#, "/pair 1:10 expected an array of 2 items, got 0"),
        (r#"{"pair": ["a"]}"#, "/pair 1:10 expected an array of 2 items, got 1"),
        (r#"{"pair": ["a", 1, 2, 3]}"#, "/pair 1:10 expected an array of 2 items, got 4"),
    ]);
}

#[test]
fn enums_are_told_with_their_variants() {
    check(&[
        (
            r#"{"payment": "cash"}"#,
            "/payment 1:13 unknown variant `cash`, did you mean `Cash`? (variants: `Cash`, `Card`, `Split`, `Later`)",
        ),
        (r#"{"payment": "Card"}"#, r#"/payment 1:13 the variant `Card` has content: write {"Card": …}"#),
        (r#"{"payment": {}}"#, "/payment 1:13 expected an object of one variant, got an empty one"),
        (
            r#"{"payment": {"Crad": "1"}}"#,
            "/payment/Crad 1:14 unknown variant `Crad`, did you mean `Card`? (variants: `Cash`, `Card`, `Split`, `Later`)",
        ),
        (
            r#"{"payment": {"Card": "1", "Cash": null}}"#,
            "/payment 1:13 expected an object of one variant, got several members",
        ),
        (
            r#"{"payment": {"Cash": 1}}"#,
            "/payment/Cash 1:22 expected `null`: the variant has no content, got a number",
        ),
        (r#"{"payment": {"Split": [1, 2, 3]}}"#, "/payment/Split 1:23 expected an array of 2 items, got 3"),
        (
            r#"{"payment": {"Later": {"dayz": 3}}, "id": 1, "items": []}"#,
            concat!(
                r#"/payment/Later/days 1:23 missing field `days`"#,
                "\n",
                r#"/payment/Later/dayz 1:24 unknown field `dayz`, did you mean `days`? (fields: `days`)"#
            ),
        ),
    ]);
}

#[test]
fn duplicate_keys_are_told_with_both_places() {
    check(&[
        ("{\"id\": 1,\n\"items\": [], \"id\": 2}", "/id 2:14 the same key twice: first at line 1, column 2"),
        (
            r#"{"order_id": 1, "items": [], "id": 2}"#,
            "/id 1:30 the same key twice: first at line 1, column 2",
        ),
        (
            r#"{"items": [], "id": 2, "\u0069d": 2}"#,
            "/id 1:24 the same key twice: first at line 1, column 15",
        ),
        (
            r#"{"id": 1, "prices": {"1": 1, "2": 2, "\u0031": 3}}"#,
            "/prices/1 1:38 the same key twice: first at line 1, column 22",
        ),
        (
            r#"{"id": 1, "any": {"a": [{"b": 1, "c": 2, "\u0062": 3}]}}"#,
            "/any/a/0/b 1:42 the same key twice: first at line 1, column 26",
        ),
    ]);
}

#[test]
fn an_error_of_syntax_is_told_alone_with_its_place() {
    check(&[
        (" ", " 1:2 expected a value, got the end of the document"),
        (
            "{\"x\": 1,\n  \"id\": 1,\n  \"items\": [{\"sku\": \"ab\" \"qty\": 1}]}",
            r#"/items/0/sku 3:26 expected `,` or `}`, got `"`"#,
        ),
        (r#"{"id": 1,}"#, " 1:10 expected a member's name in quotes, got `}`"),
        (r#"{"id" 1}"#, "/id 1:7 expected `:`, got `1`"),
        (r#"{"id": }"#, "/id 1:8 expected a value, got `}`"),
        (r#"{"id": 1"#, "/id 1:9 expected `,` or `}`, got the end of the document"),
        (r#"{"id": 01}"#, "/id 1:8 a number must not begin with a zero before other digits"),
        (r#"{"id": 1, "items": []} x"#, " 1:24 expected the end of the document, got `x`"),
        (
            r#"{"id": 1, "items": [{"sku": "日本\x"}]}"#,
            r#"/items/0/sku 1:33 expected an escape (one of `"\/bfnrtu`), got `x`"#,
        ),
        (
            r#"{"id": 1, "items": [{"sku": "\ud800x"}]}"#,
            "/items/0/sku 1:30 a high surrogate without its low one",
        ),
        (
            "{\"id\": 1, \"items\": [{\"sku\": \"a\tb\"}]}",
            "/items/0/sku 1:31 a control character in a string must be escaped",
        ),
        (r#"{"id": 1, "payment": nul}"#, "/payment 1:25 expected `true`, `false` or `null`, got `}`"),
        ("\u{feff}{}", " 1:1 a byte order mark is not part of JSON"),
    ]);
}

#[test]
fn bytes_that_are_not_utf8_are_told_with_the_place() {
    let program = whole(&order());
    let violations =
        encode(&program, b"{\"id\": 1,\n \"items\": [{\"sku\": \"\xc3\xa9\xff\"}]}").unwrap_err();
    assert_eq!(lines(&violations), "/items/0/sku 2:22 not UTF-8 from here on");
}

#[test]
fn unknown_fields_are_skipped_where_the_route_says_so_but_not_their_faults() {
    let binding = RequestBinding { unknown_fields: UnknownFields::Ignore, ..RequestBinding::default() };
    let program = RequestProgram::compile(&order(), &binding).unwrap();
    for (body, expected) in [
        (r#"{"x": [{"id": 0}], "id": 1, "items": [], "y": "z"}"#, "accepted: [1, 0, 0, 0, 0, 0, 0]"),
        (
            r#"{"x": [01], "id": 1, "items": []}"#,
            "/x/0 1:8 a number must not begin with a zero before other digits",
        ),
        (
            r#"{"x": 1, "id": 1, "items": [], "\u0078": 2}"#,
            "/x 1:32 the same key twice: first at line 1, column 2",
        ),
        (
            r#"{"x": {"a": 1, "a": 1}, "id": 1, "items": []}"#,
            "/x/a 1:16 the same key twice: first at line 1, column 8",
        ),
    ] {
        assert_eq!(told(&program, body), expected, "{body}");
    }
}

#[test]
fn a_violation_is_one_line_with_its_place_where_it_has_one() {
    let (pointer, detail) = ("/a".to_owned(), "is wrong".to_owned());
    let one = Violation { pointer, kind: ViolationKind::InvalidValue, detail, line: None, column: None };
    let at = |line, column| Violation { line, column, ..one.clone() };
    assert_eq!(at(Some(2), Some(7)).to_string(), "`/a`: is wrong (line 2, column 7)");
    assert_eq!(at(None, None).to_string(), "`/a`: is wrong");
}

#[test]
fn each_violation_has_its_kind() {
    use ViolationKind as Kind;
    let (program, deep) = (whole(&order()), format!("{{\"any\": {}}}", "[".repeat(200)));
    for (body, kind) in [
        (&b"\xff"[..], Kind::NotUtf8),
        (b"{", Kind::MalformedJson),
        ("\u{feff}{}".as_bytes(), Kind::MalformedJson),
        (deep.as_bytes(), Kind::TooDeep),
        (br#"{"id": 1, "id": 1}"#, Kind::DuplicateField),
        (br#"{"any": {"a": 1, "a": 1}}"#, Kind::DuplicateField),
        (br#"{"id": 1}"#, Kind::MissingField),
        (br#"{"id": 1, "items": [], "x": 1}"#, Kind::UnknownField),
        (br#"{"items": 1}"#, Kind::WrongType),
        (br#"{"items": [{"sku": "a", "qty": "1"}]}"#, Kind::WrongType),
        (br#"{"items": [{"sku": "a", "qty": 1.5}]}"#, Kind::InvalidValue),
        (br#"{"items": [{"sku": "a", "qty": -1}]}"#, Kind::OutOfRange),
        (br#"{"id": "18446744073709551616"}"#, Kind::OutOfRange),
        (br#"{"prices": {"256": 1}}"#, Kind::OutOfRange),
        (br#"{"prices": {"1": 1e999}}"#, Kind::OutOfRange),
        (br#"{"at": "yesterday"}"#, Kind::InvalidValue),
        (br#"{"pair": ["a"]}"#, Kind::InvalidValue),
        (br#"{"payment": "Gold"}"#, Kind::UnknownVariant),
        (br#"{"payment": "Card"}"#, Kind::UnknownVariant),
    ] {
        let text = String::from_utf8_lossy(body);
        // Those of fields that are missing stand at the object, before what is in it.
        let kinds: Vec<Kind> = encode(&program, body).unwrap_err().iter().map(|one| one.kind).collect();
        assert!(kinds.contains(&kind), "{text}: {kinds:?}");
        let others = kinds.iter().filter(|one| **one != kind && **one != Kind::MissingField);
        assert_eq!(others.count(), 0, "{text}: {kinds:?}");
    }
}

#[test]
fn no_more_than_64_violations_are_told() {
    let body = format!("{{{}\"id\": 1}}", "\"x\": 1, ".repeat(1000));
    assert_eq!(encode(&whole(&order()), body.as_bytes()).unwrap_err().len(), 64);
}
