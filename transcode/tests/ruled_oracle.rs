//! Rules add violations and change nothing else: random schemas with and without them, for random values.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::schema::{Attributes, Definition, Field, Logical, MethodSchema, Shape, Span, Type};
use callgate_transcode::{Constraints, RequestProgram, Violation, ViolationKind};
use proptest::prelude::*;
use support::generate::{Random, plain_values, runs, schemas, value, values};
use support::value::{Value, bincode_of};
use support::write::Writer;
use support::{decode, encode, lines, method, ruled, structure, whole};

/// The schema with a random attribute on each second field or so.
fn ruled_schema(schema: &MethodSchema, random: &mut Random, secret: bool) -> MethodSchema {
    let mut ruled = schema.clone();
    for definition in &mut ruled.definitions {
        match definition {
            Definition::Struct(def) => {
                def.fields.iter_mut().for_each(|field| rule(schema, field, random, secret))
            }
            Definition::Enum(def) => {
                let structs = def.variants.iter_mut().filter_map(|variant| match &mut variant.shape {
                    Shape::Struct(fields) => Some(fields),
                    _ => None,
                });
                structs.flatten().for_each(|field| rule(schema, field, random, secret));
            }
        }
    }
    MethodSchema::decode(&ruled.encode()).unwrap()
}

fn rule(schema: &MethodSchema, field: &mut Field, random: &mut Random, secret: bool) {
    // What is asked of a flattened field is asked of what is inside.
    if field.attributes.is_flattened() {
        return;
    }
    if secret {
        field.attributes = Attributes::new().with_secret();
        return;
    }
    if random.chance(50) {
        return;
    }
    let span =
        Span { min: random.below(2) as u64, max: random.chance(60).then(|| 1 + random.below(9) as u64) };
    let content = field.ty.content();
    field.attributes = match content {
        Type::String | Type::Logical(Logical::URL | Logical::EMAIL, _) if random.chance(50) => {
            Attributes::new().with_pattern(random.pick(&["a", "^[a-z]*$", r"\w\d", "^.{1,3}$"]))
        }
        Type::String | Type::Bytes => Attributes::new().with_length(span),
        Type::List(_) | Type::Map(..) | Type::Logical(Logical::SET, _) => Attributes::new().with_items(span),
        Type::U8
        | Type::U32
        | Type::U128
        | Type::I16
        | Type::I64
        | Type::Timestamp
        | Type::Duration
        | Type::Logical(..) => {
            let bound = bincode_of(schema, content, &value(random, schema, content, 0));
            match (content, random.chance(50)) {
                (Type::Logical(Logical::URL | Logical::EMAIL, _), _) => Attributes::new(),
                (_, true) => Attributes::new().with_minimum(bound),
                (_, false) => Attributes::new().with_maximum(bound),
            }
        }
        _ => Attributes::new(),
    };
}

proptest! {
    #![proptest_config(runs(3_000))]

    #[test]
    fn a_value_is_taken_as_without_rules_or_breaks_constraints_alone(
        (schema, value, spelling) in plain_values(), rules in proptest::collection::vec(any::<u64>(), 0..100),
    ) {
        let ruled = ruled_schema(&schema, &mut Random::tape(rules), false);
        let json = Writer { schema: &schema, messy: Some(Random::tape(spelling)) }.value(&schema.request, &value);
        let plain = encode(&whole(&schema), json.as_bytes()).unwrap();
        match encode(&whole(&ruled), json.as_bytes()) {
            Ok(bytes) => prop_assert_eq!(&bytes, &plain),
            Err(violations) => for violation in &violations {
                prop_assert_eq!(violation.kind, ViolationKind::Constraint, "{}", lines(&violations));
            },
        }
        prop_assert_eq!(decode(&ruled, &plain), decode(&schema, &plain));
    }

    #[test]
    fn an_encoded_message_breaks_what_its_json_breaks(
        (schema, value, _) in values(), rules in proptest::collection::vec(any::<u64>(), 0..100),
    ) {
        let ruled = ruled_schema(&schema, &mut Random::tape(rules), false);
        let json = Writer { schema: &schema, messy: None }.value(&schema.request, &value);
        let message = encode(&whole(&schema), json.as_bytes()).unwrap();
        let told = |violations: Vec<Violation>| -> Vec<(String, String)> {
            violations.into_iter().map(|violation| (violation.pointer, violation.detail)).collect()
        };
        let expected = told(encode(&whole(&ruled), json.as_bytes()).err().unwrap_or_default());
        let constraints = Constraints::of(&ruled).unwrap();
        let broken = constraints.map_or(Vec::new(), |constraints| constraints.broken(&ruled, &message));
        prop_assert_eq!(told(broken), expected, "{}", json);
    }

    #[test]
    fn bytes_that_are_no_message_are_walked_to_their_end(
        schema in schemas(), rules in proptest::collection::vec(any::<u64>(), 0..100), bytes in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let ruled = ruled_schema(&schema, &mut Random::tape(rules), false);
        if let Some(constraints) = Constraints::of(&ruled).unwrap() {
            prop_assert!(constraints.broken(&ruled, &bytes).len() <= 64);
        }
    }

    #[test]
    fn a_secret_text_is_refused_where_a_plain_one_is_and_at_no_other_line(
        (schema, value, _) in plain_values(), at in any::<prop::sample::Index>(), byte in 0_u8..128,
    ) {
        let secret = ruled_schema(&schema, &mut Random::tape(Vec::new()), true);
        let mut json = Writer { schema: &schema, messy: None }.value(&schema.request, &value).into_bytes();
        let at = at.index(json.len());
        // Where this makes it no UTF-8, both refuse it before they know of fields.
        json[at] = byte;
        match (encode(&whole(&schema), &json), encode(&whole(&secret), &json)) {
            (Ok(plain), Ok(secret)) => prop_assert_eq!(plain, secret),
            (Err(plain), Err(secret)) => {
                prop_assert_eq!(plain.len(), secret.len());
                let kinds = |violations: &[callgate_transcode::Violation]| {
                    let mut kinds: Vec<String> = violations.iter().map(|v| format!("{:?}", v.kind)).collect();
                    kinds.sort();
                    kinds
                };
                prop_assert_eq!(kinds(&plain), kinds(&secret), "{} / {}", lines(&plain), lines(&secret));
            }
            (plain, secret) => prop_assert!(false, "{plain:?} {secret:?}"),
        }
    }

    #[test]
    fn bounds_and_lengths_hold_exactly(number in -300..300_i64, least in -300..300_i64, most in -300..300_i64, text in "[a-c\\u{e9}\\u{1F980}\"]{0,6}", low in 0..4_u64, high in 0..6_u64) {
        let high = high.max(low);
        let integer = |n: i64| bincode_of(&support::method_of(Type::I64), &Type::I64, &Value::Signed(i128::from(n)));
        let schema = method(vec![structure(vec![
            ruled("n", Type::I64, Attributes::new().with_minimum(integer(least)).with_maximum(integer(most))),
            ruled("t", Type::String, Attributes::new().with_length(Span { min: low, max: Some(high) }).with_pattern("^[a-c]*$")),
        ])]);
        let program: RequestProgram = whole(&schema);
        let body = format!("{{\"n\":{number},\"t\":{}}}", serde_json::to_string(&text).unwrap());
        let length = text.chars().count() as u64;
        let is_plain = text.chars().all(|c| matches!(c, 'a'..='c'));
        let broken = usize::from(number < least)
            + usize::from(number > most)
            + usize::from(!(low..=high).contains(&length))
            + usize::from(length <= high && !is_plain);
        let told = encode(&program, body.as_bytes()).err().map_or(0, |violations| violations.len());
        prop_assert_eq!(told, broken, "{}", body);
    }
}
