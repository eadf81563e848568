//! Fields that a route binds: what fills them, that nothing else does, and which bindings a method refuses.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{MethodSchema, Type};
use callgate_transcode::{Body, BoundField, FieldSource, RequestBinding, RequestInput, RequestProgram};
use std::borrow::Cow;
use support::{default_field, encode, field, lines, list, method, option, structure, whole};

fn schema() -> MethodSchema {
    method(vec![
        structure(vec![
            field("tenant", Type::String),
            field("tags", list(Type::String)),
            field("filter", Type::Ref(1)),
            field("page", option(Type::Ref(1))),
            default_field("limit", Type::U8, &[50]),
        ]),
        structure(vec![field("name", option(Type::String)), field("min", Type::I16)]),
    ])
}

fn bound(field: &str, source: FieldSource) -> BoundField {
    BoundField { field: field.into(), source, split: None, default: None }
}

fn query(name: &str) -> FieldSource {
    FieldSource::Query(name.into())
}

fn header(name: &str) -> FieldSource {
    FieldSource::Header(name.into())
}

fn compile(bound: Vec<BoundField>, body: Body) -> Result<RequestProgram, String> {
    let binding = RequestBinding { bound, body, ..RequestBinding::default() };
    RequestProgram::compile(&schema(), &binding).map_err(|error| error.to_string())
}

/// The message, or what is told.
fn run(
    program: &RequestProgram,
    outside: &[Option<&str>],
    query: &[(&str, &str)],
    body: &str,
) -> Result<Vec<u8>, String> {
    let query: Vec<_> = query.iter().map(|(name, value)| (Cow::from(*name), Cow::from(*value))).collect();
    let outside: Vec<_> = outside.iter().map(|text| text.map(Cow::from)).collect();
    let input = RequestInput { path: &[], query: &query, bound: &outside, body: body.as_bytes(), form: &[] };
    let mut out = Vec::new();
    program.encode(&input, &mut out).map(|()| out).map_err(|violations| lines(&violations))
}

#[track_caller]
fn same(found: Result<Vec<u8>, String>, json: &str) {
    assert_eq!(found, Ok(encode(&whole(&schema()), json.as_bytes()).unwrap()), "{json}");
}

/// The tenant by header, tags and page size by query, a part of each struct.
fn usual() -> RequestProgram {
    let fields = vec![
        bound("tenant", header("x-tenant")),
        BoundField { split: Some(','), ..bound("tags", query("tags")) },
        BoundField { default: Some("20".into()), ..bound("limit", query("page_size")) },
        bound("filter.min", FieldSource::Value("-7".into())),
        bound("page.min", FieldSource::Cookie("min".into())),
    ];
    compile(fields, Body::Whole).unwrap()
}

#[test]
fn each_source_fills_its_field_whatever_stands_beside_it() {
    let program = usual();
    let tenant = [Some("blue"), None, None, None, None];
    let all = [Some("blue"), None, None, None, Some("3")];
    for (outside, query, body, expected) in [
        (
            tenant,
            &[("tags", "a,b")][..],
            "",
            r#"{"tenant":"blue","tags":["a","b"],"filter":{"min":-7},"limit":20}"#,
        ),
        (
            all,
            &[("page_size", "9"), ("tags", "")],
            r#"{"filter":{"name":"x"}}"#,
            r#"{"tenant":"blue","tags":[],"filter":{"min":-7,"name":"x"},"page":{"min":3},"limit":9}"#,
        ),
        (
            all,
            &[("tags", "a"), ("page.name", "p"), ("tags", "b,,c")],
            "{}",
            r#"{"tenant":"blue","tags":["a","b","","c"],"filter":{"min":-7},"page":{"name":"p","min":3},"limit":20}"#,
        ),
        (
            tenant,
            &[("tags", "a")],
            r#"{"page":null,"filter":{}}"#,
            r#"{"tenant":"blue","tags":["a"],"filter":{"min":-7},"limit":20}"#,
        ),
    ] {
        same(run(&program, &outside, query, body), expected);
    }
}

#[test]
fn a_bound_field_is_refused_elsewhere_even_where_its_source_gives_nothing() {
    let program = usual();
    let none = [None; 5];
    let tenant = [Some("blue"), None, None, None, None];
    for (outside, query, body, expected) in [
        (
            none,
            &[("tags", "a")][..],
            r#"{"tenant":"red"}"#,
            "/tenant 1:2 the field is filled by header `x-tenant` only",
        ),
        (
            tenant,
            &[("tags", "a")],
            r#"{"tenant":"red"}"#,
            "/tenant 1:2 the field is filled by header `x-tenant` only",
        ),
        (
            tenant,
            &[("tags", "a"), ("tenant", "red")],
            "",
            "/tenant - query parameter `tenant`: the field is filled by header `x-tenant` only",
        ),
        (
            tenant,
            &[("tags", "a"), ("limit", "1")],
            "",
            "/limit - query parameter `limit`: the field is filled by query parameter `page_size` only",
        ),
        (
            tenant,
            &[("tags", "a")],
            r#"{"limit":1}"#,
            "/limit 1:2 the field is filled by query parameter `page_size` only",
        ),
        (
            tenant,
            &[("tags", "a")],
            r#"{"filter":{"min":1}}"#,
            "/filter/min 1:12 the field is filled by the route itself only",
        ),
        (
            tenant,
            &[("tags", "a")],
            r#"{"page":{"min":1}}"#,
            "/page/min 1:10 the field is filled by cookie `min` only",
        ),
        (tenant, &[], "", "/tags - query parameter `tags` is missing: it is this field's value"),
        (none, &[("tags", "a")], "{}", "/tenant - header `x-tenant` is missing: it is this field's value"),
        (tenant, &[("tags", "a"), ("page_size", "300")], "", "query parameter `page_size`: "),
        (
            tenant,
            &[("tags", "a"), ("page_size", "1"), ("page_size", "2")],
            "",
            "given twice: by query parameter `page_size` and by query parameter `page_size`",
        ),
        ([Some("a"), None, None, None, Some("x")], &[("tags", "a")], "", "/page/min - cookie `min`: "),
    ] {
        let told = run(&program, &outside, query, body).unwrap_err();
        assert!(told.contains(expected), "{told}\n{expected}");
    }
}

#[test]
fn lists_come_from_headers_too_and_names_may_have_brackets() {
    let fields = vec![
        BoundField { split: Some(','), ..bound("tags", header("x-tags")) },
        bound("filter.min", query("filter[min]")),
        bound("filter.name", query("filter[name]")),
        bound("tenant", FieldSource::Client),
    ];
    let program = compile(fields, Body::Whole).unwrap();
    for (tags, expected) in [(Some(" a, b ,,c"), r#"["a","b","c"]"#), (Some(" , "), "[]"), (Some(""), "[]")] {
        let json = format!(r#"{{"tenant":"::1","tags":{expected},"filter":{{"min":4,"name":"n"}}}}"#);
        same(
            run(
                &program,
                &[tags, None, None, Some("::1")],
                &[("filter[min]", "4"), ("filter[name]", "n")],
                "",
            ),
            &json,
        );
    }
    let told = run(&program, &[None, None, None, Some("::1")], &[], "").unwrap_err();
    assert_eq!(
        told,
        "/tags - header `x-tags` is missing: it is this field's value\n/filter/min - query parameter `filter[min]` is missing: it is this field's value"
    );
    let program = compile(vec![bound("tags", query("tags[]"))], Body::Whole).unwrap();
    let body = r#"{"tenant":"t","filter":{"min":1}}"#;
    let expected = r#"{"tenant":"t","tags":["a","b,c"],"filter":{"min":1}}"#;
    same(run(&program, &[None], &[("tags[]", "a"), ("tags[]", "b,c")], body), expected);
}

#[test]
fn what_no_schema_has_or_no_text_fills_is_no_binding() {
    let split = |bound: BoundField| BoundField { split: Some(','), ..bound };
    let default = |bound: BoundField, text: &str| BoundField { default: Some(text.into()), ..bound };
    for (fields, body, expected) in [
        (vec![bound("tenan", header("x"))], Body::Whole, "`tenan` of `bind`: unknown field `tenan`"),
        (vec![bound("filter", header("x"))], Body::Whole, "so that no text can be its value"),
        (vec![bound("tags", header("x"))], Body::Whole, "`split` says what stands between"),
        (vec![split(bound("tenant", query("x")))], Body::Whole, "`split` makes a list"),
        (vec![default(bound("limit", query("x")), "256")], Body::Whole, "its default will not do"),
        (vec![bound("limit", FieldSource::Value("many".into()))], Body::Whole, "its value will not do"),
        (vec![bound("filter.min", header("x"))], Body::Field("filter".into()), "header `x`"),
        (
            vec![bound("limit", header("x")), bound("limit", header("y"))],
            Body::Whole,
            "header `x` fills that field already",
        ),
    ] {
        let told = compile(fields, body).unwrap_err();
        assert!(told.contains(expected), "{told}\n{expected}");
    }
}
