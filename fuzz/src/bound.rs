//! What headers, cookies, queries and the connection give for the fields that a route binds.

use callgate_protocol::check;
use callgate_protocol::schema::{Definition, Field, MethodSchema, StructDef, Type};
use callgate_transcode::{BoundField, FieldSource, Layout, RequestBinding, RequestInput, RequestProgram};
use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

/// The fields, each with what stands between its items, and what it is where the request gives nothing.
const FIELDS: [(&str, Option<char>, Option<&str>); 7] = [
    ("text", None, None),
    ("number", None, Some("20")),
    ("flag", None, None),
    ("float", None, None),
    ("inner.name", None, None),
    ("numbers", Some(','), Some("1,2")),
    ("texts", Some('|'), None),
];

static SCHEMA: LazyLock<MethodSchema> = LazyLock::new(|| {
    let option = |ty| Type::Option(Box::new(ty));
    let list = |ty| Type::List(Box::new(ty));
    let request = vec![
        Field::new("text", option(Type::String)),
        Field::new("number", Type::I16),
        Field::new("flag", option(Type::Bool)),
        Field::new("float", option(Type::F64)),
        Field::new("inner", option(Type::Ref(1))),
        Field::new("numbers", list(Type::U8)),
        Field::new("texts", option(list(Type::String))),
    ];
    let inner = vec![Field::new("name", option(Type::String))];
    let definitions = vec![
        Definition::Struct(StructDef::new("Request", request)),
        Definition::Struct(StructDef::new("Inner", inner)),
    ];
    MethodSchema::new(Type::Ref(0), Type::Unit, definitions)
});

/// The program of a route that fills each field from there.
fn program(source: impl Fn(String) -> FieldSource) -> RequestProgram {
    let bound = |(field, split, default): &(&str, Option<char>, Option<&str>)| BoundField {
        field: (*field).to_owned(),
        source: source(format!("x-{}", field.replace('.', "-"))),
        split: *split,
        default: default.map(str::to_owned),
    };
    let binding = RequestBinding { bound: FIELDS.iter().map(bound).collect(), ..RequestBinding::default() };
    let layout = Arc::new(Layout::new(&SCHEMA).expect("the schema is sound"));
    RequestProgram::bind(layout, &binding).expect("each field can be filled so")
}

static OF_HEADERS: LazyLock<RequestProgram> = LazyLock::new(|| program(FieldSource::Header));
static OF_COOKIES: LazyLock<RequestProgram> = LazyLock::new(|| program(FieldSource::Cookie));
static OF_QUERIES: LazyLock<RequestProgram> = LazyLock::new(|| program(FieldSource::Query));

/// A line for each field, of which a `-` gives nothing: what is made of the texts is a message that the guard takes, or they are mistakes
/// that name where they are from. Cookies and the query make the same of the same texts.
pub fn bound(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let lines: Vec<Option<&str>> =
        text.split('\n').map(|line| Some(line).filter(|line| *line != "-")).collect();
    let given = |at: usize| lines.get(at).copied().flatten().map(Cow::Borrowed);
    let bound: Vec<Option<Cow<'_, str>>> = (0..FIELDS.len()).map(given).collect();
    let names = FIELDS.iter().map(|(field, ..)| format!("x-{}", field.replace('.', "-")));
    let query: Vec<(Cow<'_, str>, Cow<'_, str>)> =
        names.zip(&bound).filter_map(|(name, text)| Some((Cow::Owned(name), text.clone()?))).collect();
    let _ = encoded(&OF_HEADERS, &bound, &[], "header");
    let of_cookies = encoded(&OF_COOKIES, &bound, &[], "cookie");
    assert_eq!(of_cookies, encoded(&OF_QUERIES, &[], &query, "query parameter"), "of the same texts");
}

fn encoded(
    program: &RequestProgram,
    bound: &[Option<Cow<'_, str>>],
    query: &[(Cow<'_, str>, Cow<'_, str>)],
    source: &str,
) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match program.encode(&RequestInput { path: &[], query, bound, body: b"", form: &[] }, &mut out) {
        Ok(()) => {
            assert_eq!(
                check::value(&SCHEMA, &SCHEMA.request, &out),
                Ok(()),
                "the guard refuses what we write"
            );
            Some(out)
        }
        Err(violations) => {
            let is_named = |detail: &str| detail.contains(&format!("{source} `x-"));
            assert!(
                !violations.is_empty() && violations.iter().all(|one| is_named(&one.detail)),
                "{violations:?}"
            );
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise the target would compare nothing.
    #[test]
    fn texts_make_messages_and_mistakes() {
        let texts = |lines: [&str; 7]| lines.map(|line| Some(Cow::Owned(line.to_owned())));
        let good = texts(["a", "-5", "true", "1.5", "n", "1,2,3", "a|b"]);
        assert!(encoded(&OF_HEADERS, &good, &[], "header").is_some());
        let bad = texts(["a", "40000", "yes", "x", "n", "1,,3", ""]);
        assert!(encoded(&OF_COOKIES, &bad, &[], "cookie").is_none());
    }
}
