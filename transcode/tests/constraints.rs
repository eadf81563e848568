//! What a field's attributes ask of its value: each constraint, wherever the value is from, all told at once.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{Attributes, Field, Logical, MethodSchema, Span, Type};
use callgate_transcode::{Body, Layout, RequestBinding, RequestProgram, ViolationKind};
use support::{
    binding, decode, default_field, encode, encode_all, field, lines, list, method, option, presence, ruled,
    set, structure, text, whole,
};

fn asks() -> Attributes {
    Attributes::new()
}

fn span(min: u64, max: Option<u64>) -> Span {
    Span { min, max }
}

fn schema(fields: Vec<Field>) -> MethodSchema {
    method(vec![structure(fields)])
}

/// The bytes of a value of that type.
fn value(ty: &Type, json: &str) -> Vec<u8> {
    encode(&whole(&schema(vec![field("v", ty.clone())])), format!("{{\"v\":{json}}}").as_bytes()).unwrap()
}

/// What is told of a value, line by line and without its place; empty for one that is taken.
fn told(schema: &MethodSchema, json: &str) -> String {
    match encode(&whole(schema), format!("{{\"v\":{json}}}").as_bytes()) {
        Ok(_) => String::new(),
        Err(violations) => {
            assert!(violations.iter().all(|violation| violation.pointer == "/v"), "{}", lines(&violations));
            let details: Vec<&str> = violations.iter().map(|violation| &*violation.detail).collect();
            details.join("\n")
        }
    }
}

fn check(ty: &Type, attributes: &Attributes, table: &[(&str, &str)]) {
    // The value alone, and where it may be missing.
    for ty in [ty.clone(), option(ty.clone()), presence(ty.clone())] {
        let schema = schema(vec![ruled("v", ty.clone(), attributes.clone())]);
        for (json, expected) in table {
            assert_eq!(told(&schema, json), *expected, "{ty:?} from {json}");
        }
        if !matches!(ty, Type::Option(_) | Type::Presence(_)) {
            continue;
        }
        assert_eq!(told(&schema, "null"), "");
        assert!(encode(&whole(&schema), b"{}").is_ok(), "what is not there breaks nothing");
    }
}

#[test]
fn a_value_has_a_least_and_a_greatest() {
    for (ty, least, greatest, table) in [
        (
            Type::U8,
            "1",
            "10",
            vec![("1", ""), ("10", ""), ("0", "must be at least 1"), ("11", "must be at most 10")],
        ),
        (
            Type::I64,
            "-5",
            "300",
            vec![("-5", ""), ("-6", "must be at least -5"), ("301", "must be at most 300")],
        ),
        (
            Type::U128,
            "1",
            "340282366920938463463374607431768211454",
            vec![
                ("0", "must be at least 1"),
                (
                    "\"340282366920938463463374607431768211455\"",
                    "must be at most 340282366920938463463374607431768211454",
                ),
            ],
        ),
        (
            Type::F64,
            "0.5",
            "2.25",
            vec![
                ("0.5", ""),
                ("2.25", ""),
                ("0.4999", "must be at least 0.5"),
                ("3", "must be at most 2.25"),
                ("\"-Infinity\"", "must be at least 0.5"),
                ("\"NaN\"", "must be at least 0.5\nmust be at most 2.25"),
            ],
        ),
        (Type::F32, "0", "1", vec![("-0.0", ""), ("1.5", "must be at most 1.0")]),
        (
            text(Logical::DECIMAL),
            "\"0.01\"",
            "\"99.99\"",
            vec![
                ("0.010", ""),
                ("\"99.9900\"", ""),
                ("100", "must be at most 99.99"),
                ("\"0.009999\"", "must be at least 0.01"),
                ("-1e2", "must be at least 0.01"),
            ],
        ),
        (
            text(Logical::DATE),
            "\"2026-01-01\"",
            "\"2026-12-31\"",
            vec![
                ("\"2026-12-31\"", ""),
                ("\"2025-12-31\"", "must be at least 2026-01-01"),
                ("\"2027-01-01\"", "must be at most 2026-12-31"),
            ],
        ),
        (
            text(Logical::TIME),
            "\"08:30\"",
            "\"17:00:00.5\"",
            vec![
                ("\"08:30:00\"", ""),
                ("\"08:29:59.999\"", "must be at least 08:30"),
                ("\"17:00:00.50\"", ""),
                ("\"17:00:01\"", "must be at most 17:00:00.5"),
            ],
        ),
        (
            Type::Timestamp,
            "\"2026-01-01T00:00:00Z\"",
            "\"2026-01-02T00:00:00Z\"",
            vec![
                ("\"2026-01-01T01:00:00+01:00\"", ""),
                ("\"2026-01-01T00:59:59+01:00\"", "must be at least 2026-01-01T00:00:00Z"),
                ("\"2026-01-02T00:00:00.000000001Z\"", "must be at most 2026-01-02T00:00:00Z"),
            ],
        ),
        (
            Type::Duration,
            "\"1s\"",
            "\"1m\"",
            vec![("\"1000ms\"", ""), ("\"999ms\"", "must be at least 1s"), ("\"1h\"", "must be at most 60s")],
        ),
    ] {
        let attributes = asks().with_minimum(value(&ty, least)).with_maximum(value(&ty, greatest));
        check(&ty, &attributes, &table);
    }
}

#[test]
fn a_length_counts_characters_of_a_string_and_bytes_of_bytes() {
    check(
        &Type::String,
        &asks().with_length(span(2, Some(3))),
        &[
            ("\"ab\"", ""),
            ("\"日本語\"", ""),
            ("\"\\u00e9\\ud83e\\udd80\"", ""),
            ("\"a\"", "must be at least 2 characters long"),
            ("\"\"", "must be at least 2 characters long"),
            ("\"日本語x\"", "must be at most 3 characters long, has 4"),
        ],
    );
    check(
        &Type::String,
        &asks().with_length(span(1, None)),
        &[("\"\"", "must be at least 1 character long")],
    );
    check(
        &Type::Bytes,
        &asks().with_length(span(2, Some(2))),
        &[
            ("\"AAA=\"", ""),
            ("\"\"", "must be exactly 2 bytes long, has 0"),
            ("\"AAAA\"", "must be exactly 2 bytes long, has 3"),
        ],
    );
    check(
        &text(Logical::URL),
        &asks().with_length(span(0, Some(5))),
        &[("\"a:bcd\"", ""), ("\"a:bcde\"", "must be at most 5 characters long, has 6")],
    );
    let long = format!("\"{}\"", "x".repeat(300));
    check(&Type::String, &asks().with_length(span(300, None)), &[(&long, "")]);
}

#[test]
fn a_list_a_set_and_a_map_have_a_number_of_items() {
    let attributes = asks().with_items(span(1, Some(2)));
    for ty in [list(Type::U8), set(Type::U8)] {
        check(
            &ty,
            &attributes,
            &[
                ("[1]", ""),
                ("[1,2]", ""),
                ("[]", "must have at least 1 item"),
                ("[1,2,3]", "must have at most 2 items, has 3"),
            ],
        );
    }
    let map = Type::Map(Box::new(Type::String), Box::new(Type::U8));
    check(
        &map,
        &asks().with_items(span(1, Some(1))),
        &[
            (r#"{"a":1}"#, ""),
            ("{}", "must have exactly 1 item, has 0"),
            (r#"{"a":1,"b":2}"#, "must have exactly 1 item, has 2"),
        ],
    );
    let many = format!("[{}]", vec!["1"; 300].join(","));
    check(
        &list(Type::U8),
        &asks().with_items(span(0, Some(299))),
        &[(&many, "must have at most 299 items, has 300")],
    );
}

#[test]
fn a_pattern_is_found_anywhere_unless_it_is_anchored() {
    check(
        &Type::String,
        &asks().with_pattern("^[A-Z]{3}-[0-9]+$"),
        &[
            ("\"SKU-1\"", ""),
            ("\"SKU-\"", "must match the pattern `^[A-Z]{3}-[0-9]+$`"),
            ("\"xSKU-1\"", "must match the pattern `^[A-Z]{3}-[0-9]+$`"),
        ],
    );
    check(
        &Type::String,
        &asks().with_pattern("b"),
        &[("\"abc\"", ""), ("\"\\u0062\"", ""), ("\"\"", "must match the pattern `b`")],
    );
    check(
        &text(Logical::EMAIL),
        &asks().with_pattern("@example\\.com$"),
        &[("\"ada@example.com\"", ""), ("\"ada@example.org\"", "must match the pattern `@example\\.com$`")],
    );
}

#[test]
fn several_constraints_of_one_value_are_told_together() {
    check(
        &Type::String,
        &asks().with_length(span(3, Some(5))).with_pattern("^[a-z]*$"),
        &[
            ("\"abc\"", ""),
            ("\"A\"", "must be at least 3 characters long\nmust match the pattern `^[a-z]*$`"),
            // A text that is too long is not searched.
            ("\"ABCDEF\"", "must be at most 5 characters long, has 6"),
        ],
    );
}

/// An order whose constraints stand in every kind of place.
fn order() -> MethodSchema {
    let item = structure(vec![
        ruled("sku", Type::String, asks().with_pattern("^SKU-")),
        ruled("qty", Type::U32, asks().with_minimum([1])),
        ruled("note", presence(Type::String), asks().with_length(span(0, Some(3)))),
    ]);
    method(vec![
        structure(vec![
            ruled("id", Type::U64, asks().with_minimum([10])),
            ruled("items", list(Type::Ref(1)), asks().with_items(span(1, Some(2)))),
            ruled(
                "day",
                option(text(Logical::DATE)),
                asks().with_minimum(value(&text(Logical::DATE), "\"2026-01-01\"")),
            ),
            ruled("limit", option(Type::U8), asks().with_maximum([50])),
            ruled("tags", option(list(Type::String)), asks().with_items(span(0, Some(2)))),
        ]),
        item,
    ])
}

#[test]
fn all_that_is_broken_is_told_at_once_beside_what_is_missing_and_unknown() {
    let body = "{\"id\": 1,\n \"items\": [{\"sku\": \"x\", \"qty\": 0, \"note\": \"long\"}, {\"qty\": 2}, {\"sku\": \"SKU-1\", \"qty\": 3}],\n \
                \"dya\": 1, \"day\": \"2025-12-31\"}";
    let violations = encode(&whole(&order()), body.as_bytes()).unwrap_err();
    assert_eq!(
        lines(&violations),
        "/id 1:8 must be at least 10\n\
         /items 2:11 must have at most 2 items, has 3\n\
         /items/0/sku 2:20 must match the pattern `^SKU-`\n\
         /items/0/qty 2:32 must be at least 1\n\
         /items/0/note 2:43 must be at most 3 characters long, has 4\n\
         /items/1/sku 2:52 missing field `sku`\n\
         /dya 3:2 unknown field `dya`, did you mean `day`? (fields: `id`, `items`, `day`, `limit`, `tags`)\n\
         /day 3:19 must be at least 2026-01-01"
    );
    let kinds: Vec<ViolationKind> = violations.iter().map(|violation| violation.kind).collect();
    use ViolationKind::{Constraint, MissingField, UnknownField};
    assert_eq!(
        kinds,
        [Constraint, Constraint, Constraint, Constraint, Constraint, MissingField, UnknownField, Constraint]
    );
}

#[test]
fn a_wrong_type_ends_the_list_and_an_error_of_syntax_stands_alone() {
    let program = whole(&order());
    let violations = encode(&program, br#"{"id": 1, "items": 7, "limit": 60}"#).unwrap_err();
    assert_eq!(
        lines(&violations),
        "/id 1:8 must be at least 10\n/items 1:20 expected an array, got a number"
    );
    let violations = encode(&program, br#"{"id": 1, "items": ]}"#).unwrap_err();
    assert_eq!(lines(&violations), "/items 1:20 expected a value, got `]`");
}

#[test]
fn members_in_any_order_are_held_to_the_same() {
    let violations = encode(&whole(&order()), br#"{"limit": 51, "items": [], "id": 9}"#).unwrap_err();
    assert_eq!(
        lines(&violations),
        "/limit 1:11 must be at most 50\n/items 1:24 must have at least 1 item\n/id 1:34 must be at least 10"
    );
}

#[test]
fn parameters_are_held_to_the_same_and_named() {
    let program = RequestProgram::compile(&order(), &binding(&["id"], Body::Whole)).unwrap();
    let query = [("limit", "60"), ("tags", "a"), ("tags", "b"), ("tags", "c"), ("day", "2025-12-31")];
    let violations = encode_all(&program, &["9"], &query, br#"{"items":[]}"#).unwrap_err();
    assert_eq!(
        lines(&violations),
        "/id - path parameter `id`: must be at least 10\n\
         /day - query parameter `day`: must be at least 2026-01-01\n\
         /limit - query parameter `limit`: must be at most 50\n\
         /tags - query parameter `tags`: must have at most 2 items, has 3\n\
         /items 1:10 must have at least 1 item"
    );
    // A text that is no value is refused as that, and once.
    let violations = encode_all(
        &program,
        &["x"],
        &[("limit", "y"), ("day", "z")],
        br#"{"items":[{"sku":"SKU-1","qty":1}]}"#,
    )
    .unwrap_err();
    assert_eq!(
        lines(&violations),
        "/id - path parameter `id`: expected an integer, got \"x\"\n\
         /day - query parameter `day`: not a date: expected the form `2026-01-31`, got \"z\"\n\
         /limit - query parameter `limit`: expected an integer, got \"y\""
    );
}

#[test]
fn a_body_that_is_one_field_is_held_to_the_fields_constraints() {
    let program =
        RequestProgram::compile(&order(), &binding(&["id"], Body::Field("items".to_owned()))).unwrap();
    let violations = encode_all(&program, &["10"], &[], b"[]").unwrap_err();
    assert_eq!(lines(&violations), " 1:1 must have at least 1 item");
}

#[test]
fn no_more_than_64_are_told_and_a_default_breaks_nothing() {
    let schema = method(vec![
        structure(vec![field("v", list(Type::Ref(1)))]),
        structure(vec![ruled("n", Type::U8, asks().with_minimum([1]))]),
    ]);
    let body = format!("{{\"v\":[{}]}}", vec!["{\"n\":0}"; 100].join(","));
    assert_eq!(encode(&whole(&schema), body.as_bytes()).unwrap_err().len(), 64);
    let default = Field { attributes: asks().with_minimum([5]), ..default_field("v", Type::U8, &[1]) };
    assert_eq!(encode(&whole(&method(vec![structure(vec![default])])), b"{}"), Ok(vec![1]));
}

#[test]
fn a_result_is_not_held_to_constraints() {
    assert_eq!(
        decode(&order(), &[1, 0, 0, 0, 0]).unwrap(),
        r#"{"id":1,"items":[],"day":null,"limit":null,"tags":null}"#
    );
}

#[test]
fn what_no_value_can_be_compared_with_makes_the_schema_unusable() {
    let refused = |ty: Type, attributes: Attributes| {
        let schema = schema(vec![ruled("sku", ty, attributes)]);
        let error = Layout::new(&schema).unwrap_err().to_string();
        assert_eq!(
            RequestProgram::compile(&schema, &RequestBinding::default()).unwrap_err().to_string(),
            error
        );
        error
    };
    for (pattern, expected) in [
        ("[a-", "the pattern of `sku`: unclosed character class"),
        (r"^\w{1,200}$", "the pattern of `sku`: it is larger than 262144 bytes when it is compiled"),
    ] {
        assert_eq!(refused(Type::String, asks().with_pattern(pattern)), expected);
    }
    let day = value(&Type::String, "\"31.1.2026\"");
    assert_eq!(
        refused(option(text(Logical::DATE)), asks().with_minimum(day.clone())),
        "the minimum of `sku`: it is no value of a type that has an order"
    );
    assert_eq!(
        refused(text(Logical::DECIMAL), asks().with_maximum(day)),
        "the maximum of `sku`: it is no value of a type that has an order"
    );
}

#[test]
fn a_schema_that_no_instance_could_tell_is_refused_as_well() {
    let refused = |ty: Type, attributes: Attributes| {
        let fields = vec![ruled("f", ty, attributes)];
        let schema = MethodSchema::new(Type::Ref(0), Type::Unit, vec![structure(fields)]);
        Layout::new(&schema).unwrap_err().to_string()
    };
    assert_eq!(refused(Type::U8, asks().with_length(span(0, None))), "the length of `f`: its type has none");
    assert_eq!(refused(Type::U8, asks().with_pattern("a")), "the pattern of `f`: its type has no characters");
    assert_eq!(
        refused(Type::String, asks().with_items(span(0, None))),
        "the items of `f`: its type has none"
    );
    assert_eq!(refused(list(presence(Type::U8)), asks()), "the schema has presence where there is no field");
}
