//! Schemas that were made to cost memory or time are refused soon.

use super::tests::{enumeration, field, map, one_field, schema, structure};
use super::*;
use crate::limits::MAX_SCHEMA_PARTS;
use crate::wire::{WireError, put_bytes, put_varint};
use std::time::{Duration, Instant};

#[test]
fn counts_and_lengths_that_claim_too_much_are_refused() {
    for claim in [u64::from(u32::MAX), u64::MAX] {
        let mut definitions = vec![1, 0, 37, 0, 0, 0, 0];
        put_varint(&mut definitions, claim);
        let mut tuple = vec![1, 0, 35];
        put_varint(&mut tuple, claim);
        let mut doc = vec![1];
        put_varint(&mut doc, claim);
        let mut attributes = vec![1, 0, 37, 0, 0, 0, 0, 0];
        put_varint(&mut attributes, claim);
        let mut attribute = vec![1, 0, 37, 0, 0, 0, 0, 0, 1, 7];
        put_varint(&mut attribute, claim);
        for bytes in [definitions, tuple, doc, attributes, attribute] {
            assert_eq!(MethodSchema::decode(&bytes), Err(SchemaError::Wire(WireError::Truncated)));
        }
    }
}

/// A byte of a schema becomes dozens in memory, and work over all pairs takes its time: each of these is a megabyte
/// at most, and cost gigabytes or hours before it was bounded.
#[test]
fn schemas_made_to_be_expensive_are_refused_soon() {
    let units = MAX_SCHEMA_PARTS as u32;
    let names: Vec<String> = (0..30_000).map(|n| n.to_string()).collect();
    let variants = names.iter().map(|name| (name.as_str(), Shape::Unit)).collect();
    let keyed = Type::Tuple(vec![map(Type::Ref(1)); 10_000]);
    let mut doubling: Vec<_> = (1..=100)
        .map(|next| structure(vec![field("a", Type::Ref(next)), field("b", Type::Ref(next))]))
        .collect();
    doubling.push(structure(vec![field("u", Type::Unit)]));
    let with_default = |ty: Type, count: usize| {
        let fields = names
            .iter()
            .take(count)
            .map(|name| Field { default: Some(Vec::new()), ..field(name, ty.clone()) });
        structure(fields.collect())
    };
    let mut hour = doubling.clone();
    hour[0] = with_default(Type::Ref(1), 1);
    let array = Type::Array(Box::new(Type::Unit), 60_000);
    let examples = names
        .iter()
        .take(10_000)
        .map(|name| Field { attributes: Attributes::new().with_example([]), ..field(name, array.clone()) });
    let examples = structure(examples.collect());
    let table = [
        (
            "a tuple of a million units",
            one_field(Type::Tuple(vec![Type::Unit; 1_000_000])),
            Some(SchemaError::TooManyParts),
        ),
        (
            "as many definitions",
            schema(vec![structure(vec![]); units as usize]),
            Some(SchemaError::TooManyParts),
        ),
        (
            "an enum as the key of many maps",
            schema(vec![structure(vec![field("f", keyed)]), enumeration(variants)]),
            None,
        ),
        ("a default that doubles 100 times", schema(hour), Some(SchemaError::BadDefault("0".into()))),
        (
            "thousands of such defaults",
            schema(vec![with_default(array, 20_000)]),
            Some(SchemaError::BadDefault("1".into())),
        ),
        (
            "thousands of such examples",
            schema(vec![examples]),
            Some(SchemaError::BadAttribute { tag: 2, owner: "1".into() }),
        ),
    ];
    for (what, schema, expected) in table {
        let bytes = schema.encode();
        let begun = Instant::now();
        let verdict = MethodSchema::decode(&bytes).err();
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}: {:?}", begun.elapsed());
        assert_eq!(verdict, expected, "{what}");
    }
}

#[test]
fn a_long_schema_of_few_parts_is_accepted() {
    let mut bytes = vec![1];
    put_bytes(&mut bytes, &vec![b'd'; 900_000]);
    bytes.extend([37, 0, 0, 0, 0, 1, 48, 0, 0, 0, 0, 0]);
    assert_eq!(MethodSchema::decode(&bytes).map(|schema| schema.doc.len()), Ok(900_000));
}
