//! Single fields of a request: what types they have, and that what is read of the bytes is what the JSON says.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{Attributes, Logical, Type};
use callgate_transcode::{FieldType, FieldValue, Fields, Layout, MAX_FIELDS};
use proptest::prelude::*;
use std::sync::Arc;
use support::generate::{runs, values};
use support::value::bincode_of;
use support::write::Writer;
use support::{enumeration, field, list, method, option, presence, ruled, set, structure, text, variant};

fn layout(schema: &callgate_protocol::schema::MethodSchema) -> Arc<Layout> {
    Arc::new(Layout::new(schema).unwrap())
}

#[test]
fn a_field_has_the_type_that_it_has_when_it_is_there() {
    use callgate_protocol::schema::Shape::{Newtype, Unit};
    let schema = method(vec![
        structure(vec![
            field("bool", option(Type::Bool)),
            field("int", presence(Type::I128)),
            field("float", Type::F32),
            field("char", Type::Char),
            field("mail", text(Logical::EMAIL)),
            field("day", option(text(Logical::DATE))),
            field("kind", Type::Ref(1)),
            field("kinds", set(Type::Ref(1))),
            field("bytes", Type::Bytes),
            field("lists", list(list(Type::U8))),
            field("any", Type::Json),
            ruled("ruled", Type::U8, Attributes::default().with_secret()),
            field("of", Type::Ref(2)),
        ]),
        enumeration(vec![variant("a", Unit), variant("b", Newtype(Type::U8)), variant("c", Unit)]),
        structure(vec![field("x.y", Type::Bool), field("x", Type::Ref(2))]),
    ]);
    let mut fields = Fields::new(layout(&schema));
    let variant = FieldType::Variant(["a", "c"].map(Box::from).into());
    for (name, expected) in [
        ("bool", FieldType::Bool),
        ("int", FieldType::Number),
        ("float", FieldType::Number),
        ("char", FieldType::Text),
        ("mail", FieldType::Text),
        ("kind", variant.clone()),
        ("kinds", FieldType::List(Box::new(variant))),
        ("bytes", FieldType::Other("bytes")),
        ("lists", FieldType::Other("a list of such items")),
        ("any", FieldType::Other("any JSON")),
        ("ruled", FieldType::Number),
        ("of", FieldType::Other("an object")),
    ] {
        let at = fields.add([name]).unwrap();
        assert_eq!(fields.type_of(at), expected, "{name}");
    }
    let day = fields.add(["day"]).unwrap();
    assert!(matches!(fields.type_of(day), FieldType::Form(form) if form.has_order()));
    // A name is one name, whatever signs it has.
    let at = fields.add(["of", "x.y"]).unwrap();
    assert_eq!(fields.type_of(at), FieldType::Bool);
    for (names, name, why) in [
        (&["of", "x", "y"][..], 2, "unknown field `y`"),
        (&["of.x"], 0, "unknown field `of.x`"),
        (&["kind", "a"], 1, "`a` is not in an object"),
        (&["dya"], 0, "unknown field `dya`, did you mean `day`?"),
    ] {
        let error = fields.add(names.iter().copied()).unwrap_err();
        assert_eq!(error.name, name);
        assert!(error.why.starts_with(why), "{}", error.why);
    }
    assert!(fields.add([]).is_err());
    for _ in 14..MAX_FIELDS {
        fields.add(["int"]).unwrap();
    }
    assert!(fields.add(["int"]).is_err());
}

#[test]
fn nothing_behind_the_last_wanted_field_is_read_and_bytes_that_are_no_message_have_no_fields() {
    let inner = structure(vec![field("a", list(Type::Unit)), field("b", Type::U8)]);
    let schema = method(vec![structure(vec![field("s", Type::String), field("o", Type::Ref(1))]), inner]);
    let mut fields = Fields::new(layout(&schema));
    let (o, b) = (fields.add(["o"]).unwrap(), fields.add(["o", "b"]).unwrap());
    let message = [2, b'x', b'y', 3, 7];
    let found = fields.find(&message);
    assert!(found.is_there(o) && found.value(o).is_none());
    assert_eq!(found.value(b), Some(FieldValue::Integer(7)));
    for cut in [&message[..2], &[], &[255], &[0, 253, 255, 255, 255, 255, 255, 255, 255, 255, 7]] {
        assert_eq!(fields.find(cut).value(b), None, "{cut:?}");
    }
    let mut fields = Fields::new(layout(&schema));
    let s = fields.add(["s"]).unwrap();
    assert_eq!(fields.find(&message[..3]).value(s), Some(FieldValue::Text(b"xy")));
}

/// Every path of names in a JSON object, with the value to which it leads.
fn paths<'a>(
    json: &'a serde_json::Value,
    before: &mut Vec<&'a str>,
    found: &mut Vec<(Vec<&'a str>, &'a serde_json::Value)>,
) {
    for (name, value) in json.as_object().into_iter().flatten() {
        before.push(name);
        found.push((before.clone(), value));
        paths(value, before, found);
        before.pop();
    }
}

/// Whether a value that was read is what JSON says.
fn is(value: FieldValue<'_>, json: &serde_json::Value) -> bool {
    let shown = json.to_string();
    let said = |text: String| json.as_str() == Some(&text) || shown == text;
    match value {
        FieldValue::Bool(value) => json == value,
        FieldValue::Integer(value) => said(value.to_string()),
        FieldValue::Large(value) => said(value.to_string()),
        FieldValue::Float(value) => match json.as_f64() {
            Some(json) => json == value || json as f32 == value as f32,
            None => !value.is_finite(),
        },
        FieldValue::Text(value) => json.as_str().is_some_and(|text| text.as_bytes() == value),
        FieldValue::Formed(_) => json.is_string(),
    }
}

proptest! {
    #![proptest_config(runs(3_000))]

    #[test]
    fn what_is_read_is_what_the_json_of_the_message_says((schema, value, _) in values()) {
        let message = bincode_of(&schema, &schema.request, &value);
        let written = Writer { schema: &schema, messy: None }.value(&schema.request, &value);
        let json: serde_json::Value = serde_json::from_str(&written).unwrap();
        let mut all = Vec::new();
        paths(&json, &mut Vec::new(), &mut all);
        let mut fields = Fields::new(layout(&schema));
        // What is in a map or a variant is no field.
        let known: Vec<_> = all
            .into_iter()
            .filter_map(|(path, json)| Some((fields.add(path.iter().copied()).ok()?, path, json)))
            .collect();
        let found = fields.find(&message);
        for (at, path, json) in known {
            prop_assert_eq!(found.is_there(at), !json.is_null(), "{:?} of {}", path, written);
            match (fields.type_of(at), json) {
                (_, serde_json::Value::Null) => prop_assert_eq!(found.value(at), None),
                (FieldType::Other(_), _) => {}
                (FieldType::List(_), json) => {
                    let items: Vec<_> = found.values(at).unwrap().collect();
                    let expected = json.as_array().unwrap();
                    prop_assert_eq!(items.len(), expected.len());
                    for (item, json) in items.into_iter().zip(expected) {
                        let agrees = item.map_or(json.is_object(), |item| is(item, json));
                        prop_assert!(agrees, "{:?} {:?} {} of {}", path, item, json, written);
                    }
                }
                (_, json) => {
                    let agrees = found.value(at).map_or(json.is_object(), |value| is(value, json));
                    prop_assert!(agrees, "{:?} {:?} of {}", path, found.value(at), written);
                }
            }
        }
    }
}
