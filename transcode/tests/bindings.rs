//! Routes: what path, query and body fill together, what of a result is the answer, and which routes are refused.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{MethodSchema, Shape, Type};
use callgate_transcode::{
    Body, Int64, RequestBinding, RequestProgram, Response, ResponseBinding, ResponseProgram, UnknownFields,
};
use support::{
    binding, decode, default_field, encode, encode_all, enumeration, field, lines, list, method, option,
    structure, variant, whole,
};

fn schema() -> MethodSchema {
    let kinds = vec![
        variant("Open", Shape::Unit),
        variant("Closed", Shape::Unit),
        variant("Other", Shape::Newtype(Type::U8)),
    ];
    method(vec![
        structure(vec![
            field("id", Type::U32),
            field("filter", Type::Ref(1)),
            field("kind", option(Type::Ref(3))),
            field("tags", option(list(Type::String))),
            field("page", option(Type::Ref(2))),
            default_field("limit", Type::U8, &[50]),
        ]),
        structure(vec![
            field("name", option(Type::String)),
            field("min", option(Type::F64)),
            field("ok", Type::Bool),
        ]),
        structure(vec![field("at", option(Type::Json)), field("size", Type::I16)]),
        enumeration(kinds),
    ])
}

fn told(program: &RequestProgram, path: &[&str], query: &[(&str, &str)], body: &str) -> String {
    lines(&encode_all(program, path, query, body.as_bytes()).unwrap_err())
}

#[test]
fn programs_are_shared_by_threads() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<RequestProgram>();
    shared::<ResponseProgram>();
}

#[test]
fn path_query_and_body_fill_one_request_together() {
    let schema = schema();
    let all =
        r#"{"id":7,"filter":{"name":"x","ok":true},"kind":"Closed","tags":["a","b"],"page":{"size":3}}"#;
    let expected = encode(&whole(&schema), all.as_bytes()).unwrap();
    let query = [("tags", "a"), ("filter.name", "x"), ("kind", "Closed"), ("page.size", "3"), ("tags", "b")];

    let by_path = RequestProgram::compile(&schema, &binding(&["id", "filter.ok"], Body::Whole)).unwrap();
    for body in ["", "{}", r#"{"filter":{}}"#, r#"{"limit":50,"filter":{"min":null}}"#] {
        let encoded = encode_all(&by_path, &["7", "true"], &query, body.as_bytes());
        assert_eq!(encoded, Ok(expected.clone()), "{body}");
    }
    for (query, body) in [
        (&query[..0], r#"{"filter":{"name":"x"},"kind":"Closed","tags":["a","b"],"page":{"size":3}}"#),
        (&query[..0], r#"{"page":{"size":3},"tags":["a","b"],"filter":{"name":"x"},"kind":"Closed"}"#),
        (&query[3..4], r#"{"tags":["a","b"],"page":{"at":null},"filter":{"name":"x"},"kind":"Closed"}"#),
        (&query[1..2], r#"{"tags":["a","b"],"page":{"size":3},"kind":"Closed"}"#),
    ] {
        let encoded = encode_all(&by_path, &["7", "true"], query, body.as_bytes());
        assert_eq!(encoded, Ok(expected.clone()), "{body}");
    }

    let no_body = RequestProgram::compile(&schema, &binding(&["filter.ok", "id"], Body::None)).unwrap();
    assert_eq!(encode_all(&no_body, &["true", "7"], &query, b""), Ok(expected));
}

#[test]
fn the_body_may_be_one_field() {
    let schema = schema();
    let body = Body::Field("filter".to_owned());
    let program = RequestProgram::compile(&schema, &binding(&["id"], body)).unwrap();
    let expected = encode(&whole(&schema), br#"{"id":7,"filter":{"ok":false}}"#).unwrap();
    assert_eq!(encode_all(&program, &["7"], &[], b" {\"ok\": false} "), Ok(expected));
    for (query, body, expected) in [
        (&[][..], "", " 1:1 there must be a body: it is this field's value"),
        (&[], "{}", "/ok 1:1 missing field `ok`"),
        (&[], "{\"ok\": 1}", "/ok 1:8 expected a boolean, got a number"),
        (&[], "{\"ok\": true} 1", " 1:14 expected the end of the document, got `1`"),
        (
            &[("filter.name", "x")],
            "{\"ok\": true}",
            "/filter - given twice: by the body and by query parameter `filter.name`",
        ),
    ] {
        assert_eq!(told(&program, &["7"], query, body), expected, "{body}");
    }

    let optional = RequestProgram::compile(&schema, &binding(&[], Body::Field("page".to_owned()))).unwrap();
    let query = [("id", "7"), ("filter.ok", "true")];
    let expected = encode(&whole(&schema), br#"{"id":7,"filter":{"ok":true}}"#);
    for body in ["", "null"] {
        assert_eq!(encode_all(&optional, &[], &query, body.as_bytes()), expected);
    }
    let nested = binding(&["id", "filter.ok"], Body::Field("page.at".to_owned()));
    let nested = RequestProgram::compile(&schema, &nested).unwrap();
    let expected =
        encode(&whole(&schema), br#"{"id":7,"filter":{"ok":true},"page":{"size":-1,"at":[1, 2]}}"#);
    assert_eq!(encode_all(&nested, &["7", "true"], &[("page.size", "-1")], b"[1, 2]"), expected);
}

#[test]
fn what_path_and_query_give_wrongly_is_told() {
    let program = RequestProgram::compile(&schema(), &binding(&["id"], Body::Whole)).unwrap();
    let body = r#"{"filter": {"ok": true}}"#;
    for (path, query, expected) in [
        ("x", ("limit", "1"), "/id - path parameter `id`: expected an integer, got \"x\""),
        ("07", ("limit", "1"), "/id - path parameter `id`: expected an integer, got \"07\""),
        ("-1", ("limit", "1"), "/id - path parameter `id`: -1 is out of range for u32 (0 to 4294967295)"),
        ("1", ("limit", ""), "/limit - query parameter `limit`: expected an integer, got \"\""),
        ("1", ("id", "2"), "/id - given twice: by path parameter `id` and by query parameter `id`"),
        (
            "1",
            ("limt", "2"),
            "/limt - query parameter `limt`: unknown field `limt`, did you mean `limit`? (fields: `id`, `filter`, \
             `kind`, `tags`, `page`, `limit`)",
        ),
        (
            "1",
            ("filter.nam", "2"),
            "/filter/nam - query parameter `filter.nam`: unknown field `nam`, did you mean `name`? (fields: `name`, \
             `min`, `ok`)",
        ),
        (
            "1",
            ("filter", "{}"),
            "/filter - query parameter `filter`: the field is no number, boolean, string or enum, nor a list of such",
        ),
        (
            "1",
            ("kind", "Other"),
            "/kind - query parameter `kind`: the variant `Other` has content: write {\"Other\": …}",
        ),
        (
            "1",
            ("filter.min", "1,5"),
            "/filter/min - query parameter `filter.min`: expected a number, got \"1,5\"",
        ),
    ] {
        assert_eq!(told(&program, &[path], &[query], body), expected);
    }
}

#[test]
fn a_field_given_twice_is_refused_with_both_places() {
    let program = RequestProgram::compile(&schema(), &binding(&["id"], Body::Whole)).unwrap();
    for (query, body, expected) in [
        (
            &[][..],
            r#"{"filter": {"ok": true}, "id": 7}"#,
            "/id 1:26 given twice: in the body and by path parameter `id`",
        ),
        (
            &[("filter.ok", "true")],
            r#"{"filter": {"ok": true}}"#,
            "/filter/ok 1:13 given twice: in the body and by query parameter `filter.ok`",
        ),
        (
            &[("limit", "1"), ("limit", "2")],
            r#"{"filter": {"ok": true}}"#,
            "/limit - given twice: by query parameter `limit` and by query parameter `limit`",
        ),
        (
            &[("page.size", "1")],
            r#"{"page": null, "filter": {"ok": true}}"#,
            "/page 1:10 given twice: `null` in the body, and a part of it by query parameter `page.size`",
        ),
        (
            &[("tags", "a")],
            r#"{"tags": [], "filter": {"ok": true}}"#,
            "/tags 1:2 given twice: in the body and by query parameter `tags`",
        ),
    ] {
        assert_eq!(told(&program, &["7"], query, body), expected, "{body}");
    }
}

#[test]
fn all_violations_come_together_those_outside_of_the_body_first() {
    let program = RequestProgram::compile(&schema(), &binding(&["id"], Body::Whole)).unwrap();
    assert_eq!(
        told(
            &program,
            &["x"],
            &[("a", ""), ("page.at", "[1,]")],
            r#"{"filter": {}, "b": 1, "kind": "Closd"}"#
        ),
        "/a - query parameter `a`: unknown field `a` (fields: `id`, `filter`, `kind`, `tags`, `page`, `limit`)\n\
         /id - path parameter `id`: expected an integer, got \"x\"\n\
         /filter/ok 1:12 missing field `ok`\n\
         /b 1:16 unknown field `b` (fields: `id`, `filter`, `kind`, `tags`, `page`, `limit`)\n\
         /kind 1:32 unknown variant `Closd`, did you mean `Closed`? (variants: `Open`, `Closed`, `Other`)"
    );
    let program = RequestProgram::compile(&schema(), &binding(&[], Body::None)).unwrap();
    assert_eq!(
        told(&program, &[], &[("page.at", "[1,]")], "{}"),
        "/id - missing field `id`\n\
         /filter - missing field `filter`\n\
         /page/at - query parameter `page.at`: not JSON: expected a value, got `]`\n\
         /page/size - missing field `size`\n \
         1:1 there must be no body: the route takes none"
    );
}

#[test]
fn unknown_query_parameters_are_ignored_where_the_route_says_so() {
    let binding = RequestBinding { unknown_fields: UnknownFields::Ignore, ..binding(&["id"], Body::None) };
    let program = RequestProgram::compile(&schema(), &binding).unwrap();
    let query = [("utm", "x"), ("filter.ok", "true"), ("filter.utm", "x"), ("id.x", "1")];
    let expected = encode(&whole(&schema()), br#"{"id":7,"filter":{"ok":true}}"#);
    assert_eq!(encode_all(&program, &["7"], &query, b"ignored \xff"), expected);
}

#[test]
fn an_enum_is_a_parameter_if_a_variant_of_it_is_a_text() {
    let content = |name: &str| variant(name, Shape::Newtype(Type::U8));
    for (variants, fits) in [
        (vec![variant("A", Shape::Unit), variant("B", Shape::Unit)], true),
        (vec![content("A"), variant("B", Shape::Unit)], true),
        (vec![content("A"), content("B")], false),
    ] {
        let schema = method(vec![structure(vec![field("e", Type::Ref(1))]), enumeration(variants)]);
        let program = RequestProgram::compile(&schema, &binding(&["e"], Body::None));
        assert_eq!(program.is_ok(), fits);
    }
}

#[test]
fn routes_that_do_not_suit_the_method_are_refused() {
    let field = |name: &str| Body::Field(name.to_owned());
    for (path, body, expected) in [
        (
            &["order"][..],
            Body::Whole,
            "path parameter `order`: unknown field `order` (fields: `id`, `filter`, `kind`, `tags`, `page`, `limit`)",
        ),
        (
            &["filter.nme"],
            Body::Whole,
            "path parameter `filter.nme`: unknown field `nme`, did you mean `name`? (fields: `name`, `min`, `ok`)",
        ),
        (
            &["filter"],
            Body::Whole,
            "path parameter `filter`: the field is not a number, boolean, string or enum, so that no part of a path \
             can be its value",
        ),
        (
            &["tags"],
            Body::Whole,
            "path parameter `tags`: the field is not a number, boolean, string or enum, so that no part of a path can \
             be its value",
        ),
        (&["id.x"], Body::Whole, "path parameter `id.x`: `x` is not in a struct"),
        (
            &["id", "id"],
            Body::None,
            "path parameter `id` fills a field that path parameter `id` fills already",
        ),
        (
            &["filter.name"],
            field("filter"),
            "the body's field `filter` overlaps with what path parameter `filter.name` fills",
        ),
        (
            &["id"],
            field("doc"),
            "the body's field `doc`: unknown field `doc` (fields: `id`, `filter`, `kind`, `tags`, `page`, `limit`)",
        ),
    ] {
        let refused = RequestProgram::compile(&schema(), &binding(path, body)).unwrap_err();
        assert_eq!(refused.to_string(), expected);
    }
    let shape = Response::Field("kind.x".to_owned());
    let binding = ResponseBinding { shape, ..ResponseBinding::default() };
    let refused = ResponseProgram::compile(&schema(), &binding).unwrap_err();
    assert_eq!(refused.to_string(), "the response's field `kind.x`: `x` is not in a struct");
}

fn answer(schema: &MethodSchema, shape: Response, int64: Int64, message: &[u8]) -> String {
    let program =
        ResponseProgram::compile(schema, &ResponseBinding { shape, int64, ..ResponseBinding::default() })
            .unwrap();
    let mut out = Vec::new();
    match program.decode(message, &mut out) {
        Ok(()) => String::from_utf8(out).unwrap(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn of_a_result_the_answer_may_be_all_a_part_or_a_member() {
    let schema = schema();
    let full = r#"{"id":7,"filter":{"name":null,"min":0.5,"ok":true},"kind":{"Other":1},"tags":null,"page":{"at":{},"size":-3},"limit":50}"#;
    let message = encode(&whole(&schema), full.as_bytes()).unwrap();
    let field = |name: &str| Response::Field(name.to_owned());
    for (shape, expected) in [
        (Response::Whole, full),
        (Response::Wrap("a\"b".to_owned()), &format!("{{\"a\\\"b\":{full}}}")),
        (field("filter"), r#"{"name":null,"min":0.5,"ok":true}"#),
        (field("filter.min"), "0.5"),
        (field("page.at"), "{}"),
        (field("tags"), "null"),
        (field("limit"), "50"),
    ] {
        assert_eq!(answer(&schema, shape, Int64::Number, &message), expected);
    }
    // What is not shown is checked too.
    let mut longer = message.clone();
    longer.push(0);
    for shape in [Response::Whole, field("id")] {
        let told = answer(&schema, shape, Int64::Number, &longer);
        assert_eq!(told, format!("bytes after the end of the value at byte {}", message.len()));
    }
    let shorter = &message[..message.len() - 1];
    assert_eq!(
        answer(&schema, field("id"), Int64::Number, shorter),
        format!("the bytes end inside a value at byte {}", shorter.len())
    );
}

#[test]
fn integers_of_64_bits_are_strings_where_the_route_says_so() {
    let schema = method(vec![structure(vec![
        field("a", Type::U64),
        field("b", Type::I64),
        field("c", Type::U128),
        field("d", Type::U32),
        field("e", Type::Map(Box::new(Type::U64), Box::new(Type::I64))),
    ])]);
    let body = r#"{"a":"18446744073709551615","b":"-9223372036854775808","c":"1","d":1,"e":{"5":"-1"}}"#;
    let message = encode(&whole(&schema), body.as_bytes()).unwrap();
    assert_eq!(answer(&schema, Response::Whole, Int64::String, &message), body);
    let numbers = r#"{"a":18446744073709551615,"b":-9223372036854775808,"c":"1","d":1,"e":{"5":-1}}"#;
    assert_eq!(answer(&schema, Response::Whole, Int64::Number, &message), numbers);
    assert_eq!(encode(&whole(&schema), numbers.as_bytes()), Ok(message));
}

#[test]
fn a_result_of_nothing_is_known_to_be_empty() {
    let mut schema = schema();
    let empty = |schema: &MethodSchema, shape| {
        let binding = ResponseBinding { shape, ..ResponseBinding::default() };
        ResponseProgram::compile(schema, &binding).unwrap().is_empty()
    };
    assert!(!empty(&schema, Response::Whole));
    schema.response = Type::Unit;
    assert!(empty(&schema, Response::Whole));
    assert!(!empty(&schema, Response::Wrap("result".to_owned())));
    assert_eq!(decode(&schema, &[]).as_deref(), Ok("null"));
    schema.response = option(Type::Unit);
    assert!(!empty(&schema, Response::Whole));
}

#[test]
fn what_a_backend_calls_json_is_checked_before_it_becomes_a_part_of_the_answer() {
    let mut schema = schema();
    schema.response = Type::Json;
    for (text, expected) in [
        ("{\"a\": [1 , 2]}", "{\"a\": [1 , 2]}"),
        ("{\n\"a b\": [1 , \"\\\" \\\\\"]\r\n}\n", "{\"a b\":[1,\"\\\" \\\\\"]}"),
        ("{\"a\": 1}}", "a Json value that is not JSON at byte 10"),
        ("", "a Json value that is not JSON at byte 1"),
    ] {
        let message = bincode::serde::encode_to_vec(text, bincode::config::standard()).unwrap();
        assert_eq!(answer(&schema, Response::Whole, Int64::Number, &message), expected);
    }
}

#[test]
fn time_stamps_that_rfc_3339_cannot_write_are_refused() {
    let mut schema = schema();
    schema.response = Type::Timestamp;
    for (seconds, expected) in [
        (253_402_300_799_i64, "\"9999-12-31T23:59:59Z\""),
        (253_402_300_800, "a time stamp outside of the years 0000 to 9999 at byte 10"),
        (-62_167_219_200, "\"0000-01-01T00:00:00Z\""),
        (-62_167_219_201, "a time stamp outside of the years 0000 to 9999 at byte 10"),
        (i64::MIN, "a time stamp outside of the years 0000 to 9999 at byte 10"),
    ] {
        let message = bincode::serde::encode_to_vec((seconds, 0_u32), bincode::config::standard()).unwrap();
        assert_eq!(answer(&schema, Response::Whole, Int64::Number, &message), expected);
    }
}
