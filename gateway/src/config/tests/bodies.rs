//! What `body` is read as, and what is said of one that will not do.

use super::*;
use crate::config::{BodyTypes, Outside};
use callgate_transcode::{Body, BoundField, FieldSource};

fn with(lines: &str) -> Result<Tables, crate::config::Diagnostics> {
    tables(&format!(
        "[backends.shop]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'POST /a/{{id}}'\ncall = 'a.b'\n{lines}\n"
    ))
}

#[test]
fn each_form_of_a_body_is_read() {
    let raw = |name: &str| Body::Raw(name.into());
    let json = "application/json";
    let forms = ["application/x-www-form-urlencoded", "multipart/form-data"];
    for (text, body, names) in [
        ("'*'", Body::Whole, vec![json]),
        ("'doc'", Body::Field("doc".into()), vec![json]),
        ("false", Body::None, vec![json]),
        ("{ accept = ['json'] }", Body::Whole, vec![json]),
        ("{ accept = ['form'] }", Body::Whole, forms.to_vec()),
        ("{ accept = ['form', 'json'] }", Body::Whole, [&[json][..], &forms].concat()),
        ("{ raw = 'a.b' }", raw("a.b"), vec!["*/*"]),
        ("{ stream = true }", Body::None, vec!["application/x-ndjson", json]),
        ("{ stream = true, raw = true }", Body::RawItems, vec!["*/*"]),
        ("{ stream = true, raw = true, accept = ['image/*'] }", Body::RawItems, vec!["image/*"]),
        ("{ stream = 'file' }", Body::RawItems, vec!["multipart/form-data"]),
        (
            "{ raw = 'a', accept = ['Image/PNG', 'text/*', '*/*'] }",
            raw("a"),
            vec!["image/png", "text/*", "*/*"],
        ),
    ] {
        let tables = with(&format!("body = {text}")).unwrap();
        let spec = call(&tables.routes[0]);
        assert_eq!(
            (&spec.request.body, spec.body.names()),
            (&body, names.iter().map(|name| name.to_string()).collect()),
            "{text}"
        );
    }
    assert_eq!(call(&with("").unwrap().routes[0]).body, BodyTypes::Json);
}

#[test]
fn what_is_known_of_a_body_is_bound_before_the_rest() {
    let tables =
        with("body = { raw = 'a', filename = 'n', content_type = 'k' }\nbind = { x = { header = 'x' } }")
            .unwrap();
    let spec = call(&tables.routes[0]);
    let bound = |field: &str, source| BoundField { field: field.into(), source, split: None, default: None };
    let expected = [
        bound("k", FieldSource::Header("content-type".into())),
        bound("n", FieldSource::Filename(None)),
        bound("x", FieldSource::Header("x".into())),
    ];
    assert_eq!(spec.request.bound, expected);
    assert_eq!(spec.outside[1], Outside::Disposition("content-disposition".into()));
    let tables = with("body = { stream = true, raw = true, filename = 'n', content_type = 'k' }").unwrap();
    assert_eq!(call(&tables.routes[0]).request.bound, expected[..2]);
    let tables = with(
        "body = { accept = ['form'] }\nbind = { a = { form = 'a[]' }, b = { filename = 'f' }, c = { content_type = 'f', default = 'x' } }",
    )
    .unwrap();
    let spec = call(&tables.routes[0]);
    let of_part = |is_filename| Outside::Part { name: "f".into(), is_filename };
    assert_eq!(spec.outside, [Outside::Nothing, of_part(true), of_part(false)]);
    assert_eq!(spec.request.bound[0], bound("a", FieldSource::Form("a[]".into())));
}

#[test]
fn a_body_that_will_not_do_is_said_with_its_place() {
    for (lines, place, expected) in [
        ("body = 7", "6:8", "`body` must be \"*\", a field's name, false, or a table"),
        (
            "body = {}",
            "6:8",
            "write body = { accept = [\"json\", \"form\"] } or body = { raw = \"content\" }",
        ),
        ("body = { stream = '' }", "6:19", "a form's file has a name"),
        ("body = { stream = 'f', raw = true }", "6:24", "a form whose file is a stream has no `raw`"),
        (
            "body = { stream = 'f', accept = ['form'] }",
            "6:24",
            "a form whose file is a stream has no `accept`",
        ),
        ("body = { rwa = 'a' }", "6:10", "did you mean `raw`?"),
        ("body = { raw = 'id' }", "6:16", "the path and the body both fill `id`"),
        ("body = { raw = 'a b' }", "6:16", "`a b` is no field's name"),
        ("body = { raw = 'a', accept = ['png'] }", "6:31", "`png` is no media type"),
        ("body = { raw = 'a', accept = ['*/png'] }", "6:31", "`*/png` is no media type"),
        ("body = { raw = 'a', accept = ['a/b;c'] }", "6:31", "`a/b;c` is no media type"),
        ("body = { raw = 'a', accept = ['a/b', 'A/B'] }", "6:38", "the media type `a/b` is listed twice"),
        ("body = { raw = 'a', accept = [] }", "6:30", "leave it out for all types"),
        ("body = { raw = 'a', content_type = 'a.b' }", "6:36", "`a.b` is filled from two places"),
        ("body = { raw = 'a', content_type = 'k', filename = 'k' }", "6:52", "`body` fills `k` already"),
        (
            "body = { raw = 'a', content_type = 'k' }\nbind = { k = { header = 'x' } }",
            "7:10",
            "`body` fills `k` already",
        ),
        ("body = { raw = 'a' }\nbind = { a = { header = 'x' } }", "7:10", "the body is `a`"),
        ("body = { accept = ['json'], filename = 'n' }", "6:29", "`filename` is for raw bodies"),
        ("body = { stream = false }", "6:19", "leave `stream` out"),
        ("body = { stream = 7 }", "6:19", "`stream` must be true, or the name of a form's file"),
        (
            "body = { stream = true, accept = ['json'] }",
            "6:25",
            "a body that is a stream of JSON has no `accept`",
        ),
        ("body = { raw = 'a', stream = true }", "6:16", "write body = { stream = true, raw = true }"),
        ("body = { raw = false, stream = true }", "6:16", "the bytes of a stream are its items"),
        ("body = { raw = true }", "6:16", "or add stream = true"),
        ("body = { raw = true, stream = false }", "6:31", "leave `stream` out"),
        ("body = { raw = true, stream = true, accept = ['png'] }", "6:47", "`png` is no media type"),
        (
            "body = { stream = true }\nshadow = { version = '2', share = '1%' }",
            "7:10",
            "a body that is a stream cannot be copied",
        ),
        ("body = { accept = ['xml'] }", "6:20", "expected `json` or `form`"),
        ("body = { accept = ['json', 'json'] }", "6:28", "the kind `json` is listed twice"),
        ("body = { accept = ['multipart/form-data'] }", "6:20", "write \"form\": forms of both kinds"),
        ("body = { accept = ['image/png'] }", "6:20", "name the field with raw = \"content\""),
        ("body = { accept = [] }", "6:19", "write body = false"),
        ("bind = { a = { form = 'x' } }", "6:10", "write body = { accept = [\"json\", \"form\"] }"),
        ("bind = { a = { filename = 'x' } }", "6:10", "`a` is filled by a form, and the route reads none"),
        (
            "body = { accept = ['form'] }\nbind = { a = { form = '' } }",
            "7:23",
            "not the name of a form's field",
        ),
    ] {
        let told = with(lines).map(|_| ()).unwrap_err();
        let text = told.to_string();
        assert_eq!(told.len(), 1, "{text}");
        assert!(text.contains(expected) && text.contains(&format!("t.toml:{place}")), "{lines}\n{text}");
    }
}
