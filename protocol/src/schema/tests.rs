//! Schemas survive their encoding, their fingerprints stand still, and what breaks a rule is refused.

use super::*;
use crate::generate::{self, tapes};
use crate::limits::MAX_DEFAULTS;
use crate::wire::{WireError, put_bytes};
use proptest::prelude::*;

pub(super) fn field(name: &str, ty: Type) -> Field {
    Field::new(name, ty)
}

pub(super) fn structure(fields: Vec<Field>) -> Definition {
    Definition::Struct(StructDef::new("S", fields))
}

pub(super) fn enumeration(variants: Vec<(&str, Shape)>) -> Definition {
    let variants = variants.into_iter().map(|(name, shape)| Variant::new(name, shape));
    Definition::Enum(EnumDef::new("E", variants.collect()))
}

pub(super) fn schema(definitions: Vec<Definition>) -> MethodSchema {
    MethodSchema::new(Type::Ref(0), Type::Unit, definitions)
}

pub(super) fn one_field(ty: Type) -> MethodSchema {
    schema(vec![structure(vec![field("f", ty)])])
}

pub(super) fn map(key: Type) -> Type {
    Type::Map(Box::new(key), Box::new(Type::Bool))
}

pub(super) fn decoded(schema: &MethodSchema) -> Result<(), SchemaError> {
    MethodSchema::decode(&schema.encode()).map(|_| ())
}

proptest! {
    #![proptest_config(crate::generate::runs(300))]

    #[test]
    fn a_schema_survives_its_encoding(tape in tapes()) {
        let schema = generate::schema(&tape);
        let bytes = schema.encode();
        prop_assert_eq!(MethodSchema::decode(&bytes), Ok(schema));
        for end in 0..bytes.len() {
            let truncated = MethodSchema::decode(&bytes[..end]);
            prop_assert_eq!(truncated, Err(SchemaError::Wire(WireError::Truncated)));
        }
        let longer = [&bytes[..], &[0]].concat();
        prop_assert_eq!(MethodSchema::decode(&longer), Err(SchemaError::TrailingBytes));
    }

    #[test]
    fn damaged_schemas_end_in_a_verdict(
        tape in tapes(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5),
    ) {
        let mut bytes = generate::schema(&tape).encode();
        for (index, byte) in damage {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        // What is accepted has one canonical form.
        if let Ok(schema) = MethodSchema::decode(&bytes) {
            prop_assert_eq!(MethodSchema::decode(&schema.encode()), Ok(schema));
        }
    }

    #[test]
    fn random_bytes_end_in_a_verdict(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = MethodSchema::decode(&bytes);
        let _ = MethodSchema::decode(&[&[1, 0, 37, 0, 0, 0, 0], &bytes[..]].concat());
    }
}

#[test]
fn the_fingerprint_of_a_schema_stands_still() {
    let mut amount = field("amount", Type::U32);
    amount.aliases = vec!["qty".into()];
    amount.default = Some(vec![1]);
    let schema = MethodSchema {
        doc: "Asks for a price.".into(),
        response: Type::Option(Box::new(Type::F64)),
        ..schema(vec![
            structure(vec![field("kind", Type::Ref(1)), amount]),
            enumeration(vec![("Spot", Shape::Unit), ("At", Shape::Newtype(Type::Timestamp))]),
        ])
    };
    assert_eq!(Fingerprint::of(&schema.encode()).to_string(), "6dc6dc78722a086d35181d960778c0a0");
    let mut renamed = schema.clone();
    renamed.doc.clear();
    assert_ne!(renamed.encode(), schema.encode());
}

#[test]
fn every_schema_error_has_a_schema_that_brings_it() {
    use SchemaError::*;
    let twice = |a: &str, b: &str| vec![field(a, Type::U8), field(b, Type::U8)];
    let mut aliased = twice("a", "b");
    aliased[1].aliases = vec!["a".into()];
    let mut defaulted = field("f", Type::Bool);
    defaulted.default = Some(vec![2]);
    let in_variant =
        |fields: Vec<Field>| vec![structure(vec![]), enumeration(vec![("V", Shape::Struct(fields))])];
    let deep = |levels: usize| (0..levels).fold(Type::U8, |ty, _| Type::Option(Box::new(ty)));
    let mut answers = schema(vec![structure(vec![])]);
    answers.response = Type::Ref(1);
    let mut asks_for_unit = answers.clone();
    (asks_for_unit.request, asks_for_unit.response) = (Type::Unit, Type::Unit);
    let mut asks_for_enum = schema(vec![enumeration(vec![("V", Shape::Unit)])]);
    asks_for_enum.response = Type::Ref(0);
    let long = "n".repeat(257);
    let mut long_alias = field("f", Type::U8);
    long_alias.aliases.push(long.clone());
    // Two defaults, of 32 KiB and of so many bytes.
    let blobs = |second: usize| -> Vec<Field> {
        let defaults = [("a", MAX_DEFAULTS / 2), ("b", second)].map(|(name, length)| {
            let mut blob = Vec::new();
            put_bytes(&mut blob, &vec![0; length - 3]);
            Field { default: Some(blob), ..field(name, Type::Bytes) }
        });
        defaults.into()
    };
    assert_eq!(decoded(&schema(vec![structure(blobs(MAX_DEFAULTS / 2))])), Ok(()));
    let table = [
        ("a dangling response", answers, DanglingRef(1)),
        ("a dangling field", one_field(Type::List(Box::new(Type::Ref(9)))), DanglingRef(9)),
        (
            "a dangling variant",
            schema(vec![structure(vec![]), enumeration(vec![("V", Shape::Tuple(vec![Type::Ref(2)]))])]),
            DanglingRef(2),
        ),
        ("a request of no struct", asks_for_unit, RequestIsNoStruct),
        ("a request of an enum", asks_for_enum, RequestIsNoStruct),
        ("no definitions", schema(vec![]), DanglingRef(0)),
        ("a field twice", schema(vec![structure(twice("a", "a"))]), DuplicateName("a".into())),
        ("an alias of another field", schema(vec![structure(aliased)]), DuplicateName("a".into())),
        (
            "a variant twice",
            schema(vec![structure(vec![]), enumeration(vec![("V", Shape::Unit), ("V", Shape::Unit)])]),
            DuplicateName("V".into()),
        ),
        ("a variant's field twice", schema(in_variant(twice("x", "x"))), DuplicateName("x".into())),
        ("a list as a key", one_field(map(Type::List(Box::new(Type::U8)))), BadMapKey),
        ("a float as a key", one_field(map(Type::F64)), BadMapKey),
        ("a struct as a key", one_field(map(Type::Ref(0))), BadMapKey),
        (
            "a default of 2 for a bool",
            schema(vec![structure(vec![defaulted.clone()])]),
            BadDefault("f".into()),
        ),
        ("such a default in a variant", schema(in_variant(vec![defaulted])), BadDefault("f".into())),
        (
            "a name of 257 bytes",
            schema(vec![structure(vec![field(&"é".repeat(128), Type::U8), field(&long, Type::U8)])]),
            NameTooLong(257),
        ),
        ("an alias of 257 bytes", schema(vec![structure(vec![long_alias])]), NameTooLong(257)),
        (
            "a variant's name of 257 bytes",
            schema(vec![enumeration(vec![(&long, Shape::Unit)])]),
            NameTooLong(257),
        ),
        (
            "defaults of 64 KiB and a byte",
            schema(vec![structure(blobs(MAX_DEFAULTS / 2 + 1))]),
            DefaultsTooLong,
        ),
        ("33 options", one_field(deep(33)), TooDeep),
        ("a thousand options", one_field(deep(1000)), TooDeep),
    ];
    for (what, schema, expected) in table {
        assert_eq!(decoded(&schema), Err(expected.clone()), "{what}");
        assert!(!expected.to_string().is_empty());
    }
    assert_eq!(decoded(&one_field(deep(32))), Ok(()));
    let bytes: [(&str, &[u8], SchemaError); 8] = [
        ("nothing", &[], Wire(WireError::Truncated)),
        ("a later format", &[2], UnknownFormat(2)),
        ("an unknown type", &[1, 0, 24], UnknownTag(24)),
        ("a shape as a type", &[1, 0, 48], UnknownTag(48)),
        ("an unknown definition", &[1, 0, 37, 0, 0, 0, 0, 1, 50], UnknownTag(50)),
        ("an unknown shape", &[1, 0, 37, 0, 0, 0, 0, 1, 49, 0, 0, 1, 0, 0, 0, 4], UnknownTag(4)),
        (
            "a default flag of 2",
            &[1, 0, 37, 0, 0, 0, 0, 1, 48, 0, 0, 1, 0, 0, 0, 1, 2],
            Wire(WireError::InvalidBool),
        ),
        ("a name that is not UTF-8", &[1, 1, 255], Wire(WireError::InvalidUtf8)),
    ];
    for (what, bytes, expected) in bytes {
        assert_eq!(MethodSchema::decode(bytes), Err(expected), "{what}");
    }
}

/// What is around a type, and the type with that around it.
type Place = (&'static str, fn(Type) -> Type);

#[test]
fn what_is_wrong_is_found_wherever_a_type_may_stand() {
    let boxed = |ty: &Type| Box::new(ty.clone());
    let places: [Place; 7] = [
        ("an option", |ty| Type::Option(Box::new(ty))),
        ("a list", |ty| Type::List(Box::new(ty))),
        ("a logical type", |ty| Type::Logical(Logical(9), Box::new(ty))),
        ("an array", |ty| Type::Array(Box::new(ty), 2)),
        ("a tuple", |ty| Type::Tuple(vec![Type::U8, ty])),
        ("a map's value", |ty| Type::Map(Box::new(Type::U8), Box::new(ty))),
        ("a list in a tuple", |ty| Type::Tuple(vec![Type::List(Box::new(ty))])),
    ];
    let bad_key = Type::Map(boxed(&Type::F64), boxed(&Type::U8));
    for (wrong, error) in [(Type::Ref(9), SchemaError::DanglingRef(9)), (bad_key, SchemaError::BadMapKey)] {
        for (place, within) in places {
            assert_eq!(decoded(&one_field(within(wrong.clone()))), Err(error.clone()), "{place}");
        }
        let fields = || vec![field("f", wrong.clone())];
        for shape in
            [Shape::Newtype(wrong.clone()), Shape::Tuple(vec![wrong.clone()]), Shape::Struct(fields())]
        {
            let all = schema(vec![structure(vec![]), enumeration(vec![("V", shape.clone())])]);
            assert_eq!(decoded(&all), Err(error.clone()), "{shape:?}");
        }
        let answer = MethodSchema { response: wrong.clone(), ..schema(vec![structure(vec![])]) };
        assert_eq!(decoded(&answer), Err(error.clone()), "the response");
    }
    let dangling_key = Type::Map(boxed(&Type::Ref(9)), boxed(&Type::U8));
    assert_eq!(decoded(&one_field(dangling_key)), Err(SchemaError::DanglingRef(9)));
}

#[test]
fn a_request_is_the_struct_that_it_refers_to() {
    let all = MethodSchema {
        request: Type::Ref(1),
        ..schema(vec![enumeration(vec![("V", Shape::Unit)]), structure(vec![field("f", Type::U8)])])
    };
    assert_eq!(all.request_struct().map(|def| def.fields.len()), Some(1));
    for request in [Type::Ref(0), Type::Ref(2), Type::U8] {
        assert_eq!(MethodSchema { request, ..all.clone() }.request_struct(), None);
    }
}

#[test]
fn a_fingerprint_is_shown_as_32_digits() {
    let fingerprint = Fingerprint([0x0a; 16]);
    assert_eq!(fingerprint.to_string(), "0a".repeat(16));
    assert_eq!(format!("{fingerprint:?}"), "0a".repeat(16));
}

#[test]
fn map_keys_are_what_json_can_write_as_a_key() {
    let units = || vec![("A", Shape::Unit), ("B", Shape::Unit)];
    for (variants, fits) in [(units(), true), (vec![("A", Shape::Newtype(Type::U8))], false)] {
        let schema = schema(vec![structure(vec![field("m", map(Type::Ref(1)))]), enumeration(variants)]);
        assert_eq!(decoded(&schema), if fits { Ok(()) } else { Err(SchemaError::BadMapKey) });
        assert_eq!(MapKeys::of(&schema).allow(&Type::Ref(1)), fits);
    }
    use Type::*;
    let keys =
        [Bool, U8, U16, U32, U64, U128, I8, I16, I32, I64, I128, Char, String, Uuid, Timestamp, Duration];
    for key in keys.into_iter().chain([IpAddr, Ipv4Addr, Ipv6Addr]) {
        assert_eq!(decoded(&one_field(map(key.clone()))), Ok(()), "{key:?}");
    }
    for key in [Unit, F32, F64, Bytes, Json, Option(Box::new(U8)), Tuple(vec![])] {
        assert_eq!(decoded(&one_field(map(key.clone()))), Err(SchemaError::BadMapKey), "{key:?}");
    }
}
