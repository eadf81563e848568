//! Examples: each is a request that the method takes.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{Attributes, Field, MethodSchema, Shape, Span, Type};
use callgate_transcode::{example, shown};
use proptest::prelude::*;
use support::generate::{runs, schemas};
use support::{encode, enumeration, field, list, method, option, ruled, structure, variant, whole};

fn of(definitions: Vec<callgate_protocol::schema::Definition>) -> Option<String> {
    let schema: MethodSchema = method(definitions);
    let example = example(&schema, &schema.request)?;
    encode(&whole(&schema), example.as_bytes()).unwrap_or_else(|wrong| panic!("{example}: {wrong:?}"));
    Some(example)
}

proptest! {
    #![proptest_config(runs(1_000))]

    #[test]
    fn an_example_is_a_request_that_the_method_takes(schema in schemas()) {
        if let Some(example) = example(&schema, &schema.request) {
            let encoded = encode(&whole(&schema), example.as_bytes());
            // Not all that fields ask can be found, but for what stands there is a value of the type.
            let is_one = encoded.map_err(|violations| violations.iter().all(|one| {
                matches!(one.kind, callgate_transcode::ViolationKind::Constraint)
            }));
            prop_assert!(is_one.is_ok() || is_one == Err(true), "{}", example);
        }
    }
}

#[test]
fn what_fields_ask_is_kept() {
    let length = |min, max| Attributes::default().with_length(Span { min, max });
    let items = |min, max| Attributes::default().with_items(Span { min, max });
    let fields = vec![
        field("customer", Type::String),
        ruled("code", Type::String, Attributes::default().with_pattern("^[A-Z]{2}[0-9]+$")),
        ruled("long", Type::String, length(6, None)),
        ruled("short", Type::String, length(0, Some(2))),
        ruled("many", list(Type::U8), items(2, None)),
        ruled("none", list(Type::U8), items(0, Some(0))),
        ruled("least", Type::U8, Attributes::default().with(Attributes::MINIMUM, vec![7])),
        ruled("shown", Type::U8, Attributes::default().with(Attributes::EXAMPLE, vec![9])),
        Field { default: Some(vec![3]), ..field("usual", Type::U8) },
    ];
    let expected = "{\"customer\":\"customer\",\"code\":\"AA1\",\"long\":\"longlo\",\"short\":\"sh\",\"many\":[1,1],\"none\":[],\
                    \"least\":7,\"shown\":9,\"usual\":1}";
    assert_eq!(of(vec![structure(fields)]).as_deref(), Some(expected));
}

#[test]
fn what_holds_itself_ends() {
    let own = || Type::Ref(0);
    for (fields, expected) in [
        (vec![field("next", option(own()))], Some("{\"next\":null}")),
        (vec![field("all", list(own()))], Some("{\"all\":[]}")),
        (vec![field("self", own())], None),
    ] {
        assert_eq!(of(vec![structure(fields)]).as_deref(), expected);
    }
    let tree = enumeration(vec![
        variant("Both", Shape::Tuple(vec![Type::Ref(1), Type::Ref(1)])),
        variant("Leaf", Shape::Newtype(Type::U8)),
    ]);
    assert_eq!(
        of(vec![structure(vec![field("tree", Type::Ref(1))]), tree]).as_deref(),
        Some("{\"tree\":{\"Leaf\":1}}")
    );
}

#[test]
fn types_that_hold_each_other_twice_do_not_take_for_ever() {
    let next = |n: u32| field("a", Type::Tuple(vec![Type::Ref(n), Type::Ref(n)]));
    let mut definitions: Vec<_> = (1..60).map(|n| structure(vec![next(n)])).collect();
    definitions.push(structure(vec![field("a", Type::U8)]));
    assert_eq!(of(definitions), None);
}

#[test]
fn an_encoded_value_is_shown_as_json() {
    let schema = method(vec![structure(vec![field("a", Type::U8)])]);
    assert_eq!(shown(&schema, &Type::Ref(0), &[7]).as_deref(), Some("{\"a\":7}"));
    assert_eq!(shown(&schema, &Type::Bool, &[2]), None);
}
