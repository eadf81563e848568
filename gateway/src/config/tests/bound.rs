//! What `bind` is read as, and what is said of one that will not do.

use super::*;
use callgate_transcode::{BoundField, FieldSource};

fn with(lines: &str) -> Result<Tables, crate::config::Diagnostics> {
    tables(&format!(
        "[backends.shop]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'POST /a/{{id}}'\ncall = 'a.b'\n{lines}\n"
    ))
}

#[test]
fn each_source_is_read() {
    let read = with(
        "bind = { tags = { query = 'tags[]', split = ',' }, limit = { query = 'page_size', default = 20 }, tenant = { header = 'X-Tenant' }, \
         sid = { cookie = 'sid' }, if_version = { header = 'if-match' }, source = { value = 'web' }, on = { value = true }, from = { client = 'address' }, \
         filter.name = { query = 'filter[name]' }, 'filter.min' = { header = 'x-min', split = ',' } }",
    )
    .unwrap();
    let spec = call(&read.routes[0]);
    let bound = |field: &str, source: FieldSource| BoundField {
        field: field.into(),
        source,
        split: None,
        default: None,
    };
    let query = |name: &str| FieldSource::Query(name.into());
    let header = |name: &str| FieldSource::Header(name.into());
    let mut expected = vec![
        BoundField { split: Some(','), ..bound("tags", query("tags[]")) },
        BoundField { default: Some("20".into()), ..bound("limit", query("page_size")) },
        bound("tenant", header("x-tenant")),
        bound("sid", FieldSource::Cookie("sid".into())),
        bound("if_version", header("if-match")),
        bound("source", FieldSource::Value("web".into())),
        bound("on", FieldSource::Value("true".into())),
        bound("from", FieldSource::Client),
        bound("filter.name", query("filter[name]")),
        BoundField { split: Some(','), ..bound("filter.min", header("x-min")) },
    ];
    let mut found = spec.request.bound.clone();
    found.sort_by(|a, b| a.field.cmp(&b.field));
    expected.sort_by(|a, b| a.field.cmp(&b.field));
    assert_eq!(found, expected);
    let outside = |field: &str| {
        let at = spec.request.bound.iter().position(|bound| bound.field == field).unwrap();
        spec.outside[at].clone()
    };
    let header = |name: &str, is_list, is_tag| Outside::Header { name: name.into(), is_list, is_tag };
    assert_eq!(outside("tenant"), header("x-tenant", false, false));
    assert_eq!(outside("if_version"), header("if-match", false, true));
    assert_eq!(outside("filter.min"), header("x-min", true, false));
    assert_eq!(outside("sid"), Outside::Cookie("sid".into()));
    assert_eq!((outside("from"), outside("tags")), (Outside::Client, Outside::Nothing));
    assert!(call(&with("").unwrap().routes[0]).outside.is_empty());
}

#[test]
fn what_will_not_do_is_said_with_its_place() {
    for (lines, place, expected) in [
        ("bind = 'x'", "6:8", "`bind` must be a table such as"),
        ("bind = { limit = 'page_size' }", "6:18", "`limit` must be a table such as { query"),
        (
            "bind = { limit = {} }",
            "6:18",
            "write one of `query`, `header`, `cookie`, `form`, `filename`, `content_type`, `client`, `request`, `claim` and `value`",
        ),
        ("bind = { limit = { querry = 'x' } }", "6:20", "did you mean `query`?"),
        ("bind = { limit = { query = 'x', header = 'y' } }", "6:33", "`limit` is filled from two places"),
        ("bind = { limit = { query = '' } }", "6:28", "not the name of a query parameter"),
        ("bind = { limit = { header = 'a b' } }", "6:29", "not the name of a header"),
        ("bind = { limit = { cookie = 'a;b' } }", "6:29", "not the name of a cookie"),
        ("bind = { limit = { header = 'Forwarded' } }", "6:29", "write { client = \"address\" }"),
        ("bind = { limit = { client = 'name' } }", "6:29", "expected `address`"),
        ("bind = { limit = { value = 1, default = 2 } }", "6:41", "leave `default` out"),
        ("bind = { limit = { value = [1] } }", "6:28", "write value = \"a,b\" and split = \",\""),
        ("bind = { limit = { query = 'x', split = 'comma' } }", "6:41", "write split = \",\""),
        ("bind = { '.x' = { query = 'x' } }", "6:10", "`bind` names fields"),
        ("bind = { id = { header = 'x' } }", "6:10", "the path has `{id}`"),
        ("bind = { 'id.x' = { header = 'x' } }", "6:10", "the path has `{id}`"),
        ("body = 'doc'\nbind = { 'doc.x' = { header = 'x' } }", "7:10", "the body is `doc`"),
        ("bind = { 'a.b' = { header = 'x' }, a = { header = 'y' } }", "6:", "is filled from two places"),
    ] {
        let told = with(lines).map(|_| ()).unwrap_err();
        let text = told.to_string();
        assert_eq!(told.len(), 1, "{text}");
        assert!(text.contains(expected) && text.contains(&format!("t.toml:{place}")), "{lines}\n{text}");
    }
    let many: Vec<String> = (0..33).map(|n| format!("f{n} = {{ value = 1 }}")).collect();
    let told = with(&format!("bind = {{ {} }}", many.join(", "))).map(|_| ()).unwrap_err();
    assert!(told.to_string().contains("`bind` has more than 32 fields"), "{told}");
}
