//! Attributes, presence, logical types and errors: what is read as it was written, and what is refused where it stands.

use super::tests::{decoded, enumeration, field, map, one_field, schema, structure};
use super::*;
use crate::Code;
use crate::limits::{MAX_ATTRIBUTES, MAX_SCHEMA_PARTS};

fn described(ty: Type, attributes: Attributes) -> MethodSchema {
    schema(vec![structure(vec![Field { attributes, ..field("f", ty) }])])
}

fn span(min: u64, max: Option<u64>) -> Span {
    Span { min, max }
}

#[test]
fn attributes_are_read_as_they_were_written() {
    let all = || Attributes::new().with_unit("ms").with_deprecated("Use g.").with(77, b"later");
    let field = all().with_example([2, 5]).with_minimum([0]).with_maximum([9]).with_secret();
    let text = all().with_length(span(1, Some(300))).with_pattern("^a+$");
    let items = Attributes::new().with_items(span(2, None));
    let optional = Type::Presence(Box::new(Type::U8));
    for (ty, attributes) in [
        (optional, field.clone()),
        (Type::Option(Box::new(Type::String)), text.clone()),
        (Type::Logical(Logical::SET, Box::new(Type::List(Box::new(Type::U8)))), items.clone()),
    ] {
        let described = described(ty, attributes);
        assert_eq!(MethodSchema::decode(&described.encode()), Ok(described));
    }
    assert_eq!((field.deprecated(), field.unit(), field.is_secret()), (Some("Use g."), Some("ms"), true));
    assert_eq!((field.example(), field.minimum()), (Some(&[2, 5][..]), Some(&[0][..])));
    assert_eq!((field.maximum(), field.get(77)), (Some(&[9][..]), Some(&b"later"[..])));
    assert_eq!((text.length(), text.pattern()), (Some(span(1, Some(300))), Some("^a+$")));
    assert_eq!((items.items(), items.length(), items.is_secret()), (Some(span(2, None)), None, false));
    assert_eq!(Attributes::new().with_code(Code::NotFound).code(), Some(Code::NotFound));
}

#[test]
fn attributes_that_mean_nothing_where_they_stand_are_refused() {
    let none = Attributes::new;
    let list = || Type::List(Box::new(Type::U8));
    let logical = |logical: Logical| Type::Logical(logical, Box::new(Type::String));
    let long = span(0, None);
    let nan = f64::NAN.to_le_bytes();
    let table = [
        (Type::U8, none().with(1, [255]), Some(1)),
        (Type::U8, none().with_example([1, 1]), Some(2)),
        (Type::Bool, none().with_example([2]), Some(2)),
        (Type::Presence(Box::new(Type::U8)), none().with_example([5]), Some(2)),
        (Type::Presence(Box::new(Type::U8)), none().with_example([2, 5]), None),
        (Type::Option(Box::new(Type::U8)), none().with_minimum([5]), None),
        (Type::Option(Box::new(Type::U8)), none().with_minimum([1, 5]), Some(3)),
        (Type::U8, none().with_maximum([]), Some(4)),
        (Type::String, none().with_minimum([0]), Some(3)),
        (Type::Bool, none().with_maximum([0]), Some(4)),
        (list(), none().with_maximum([0]), Some(4)),
        (logical(Logical::DECIMAL), none().with_minimum([1, b'5']), None),
        (logical(Logical::URL), none().with_minimum([1, b'5']), Some(3)),
        (Type::Logical(Logical(99), Box::new(Type::U16)), none().with_minimum([5]), None),
        (Type::Logical(Logical::DATE, Box::new(Type::U16)), none().with_minimum([5]), None),
        (Type::F64, none().with_minimum(nan), Some(3)),
        (Type::F64, none().with_minimum(0.5f64.to_le_bytes()), None),
        (logical(Logical::EMAIL), none().with_length(long), None),
        (Type::Bytes, none().with_length(long), None),
        (list(), none().with_length(long), Some(5)),
        (Type::Bytes, none().with_length(span(2, Some(1))), Some(5)),
        (Type::Bytes, none().with(5, [1, 2, 3]), Some(5)),
        (Type::Bytes, none().with(5, [1]), Some(5)),
        (Type::Bytes, none().with(5, [1, 0, 0]), Some(5)),
        (map(Type::U8), none().with_items(long), None),
        (Type::String, none().with_items(long), Some(6)),
        (Type::String, none().with_pattern(&"a".repeat(1025)), Some(7)),
        (Type::String, none().with_pattern(&"a".repeat(1024)), None),
        (Type::Bytes, none().with_pattern("a"), Some(7)),
        (Type::U8, none().with(7, [255]), Some(7)),
        (Type::U8, none().with(8, [255]), Some(8)),
        (Type::U8, none().with(9, [0]), Some(9)),
        (Type::U8, none().with_code(Code::NotFound), Some(10)),
        (Type::U8, none().with(0, [255]), None),
        (Type::U8, none().with(14, [255]), None),
    ];
    for (ty, attributes, refused) in table {
        let expected =
            refused.map_or(Ok(()), |tag| Err(SchemaError::BadAttribute { tag, owner: "f".into() }));
        assert_eq!(decoded(&described(ty.clone(), attributes.clone())), expected, "{ty:?} {attributes:?}");
    }
    // Elsewhere than on a field there is only what it is for.
    let on = |place: usize, attributes: &Attributes| {
        let mut all = schema(vec![structure(vec![]), enumeration(vec![("V", Shape::Unit)])]);
        let Some(Definition::Enum(def)) = all.definitions.get_mut(1) else {
            unreachable!("it was just made")
        };
        let slots = [&mut all.attributes, &mut def.attributes, &mut def.variants[0].attributes];
        *slots.into_iter().nth(place).expect("there are three") = attributes.clone();
        decoded(&all)
    };
    for (place, owner) in ["", "E", "V"].into_iter().enumerate() {
        assert_eq!(on(place, &none().with_deprecated("")), Ok(()));
        let bad = |tag| Err(SchemaError::BadAttribute { tag, owner: owner.to_owned() });
        assert_eq!(on(place, &none().with_unit("ms")), bad(8));
        let code = if owner == "V" { Ok(()) } else { bad(10) };
        assert_eq!(on(place, &none().with_code(Code::NotFound)), code);
        for malformed in [vec![], vec![0], vec![5, 5]] {
            assert_eq!(on(place, &none().with(10, malformed)), bad(10));
        }
    }
}

#[test]
fn attributes_rise_and_have_bounds() {
    let empty = schema(vec![structure(vec![])]).encode();
    for tags in [[5, 5], [5, 4]] {
        let mut bytes = empty.clone();
        let end = bytes.len() - 1;
        bytes.truncate(end);
        bytes.extend([2, tags[0] + 100, 0, tags[1] + 100, 0]);
        assert_eq!(
            MethodSchema::decode(&bytes),
            Err(SchemaError::AttributesOutOfOrder(u32::from(tags[1]) + 100))
        );
    }
    let wide = |more: usize| {
        let half = vec![0; MAX_ATTRIBUTES / 2];
        let mut all = described(Type::U8, Attributes::new().with(100, half.clone()));
        all.attributes = Attributes::new().with(100, [&half[..], &vec![0; more]].concat());
        decoded(&all)
    };
    assert_eq!((wide(0), wide(1)), (Ok(()), Err(SchemaError::AttributesTooLong)));
    let mut many = schema(vec![structure(vec![])]);
    for tag in 0..MAX_SCHEMA_PARTS as u32 {
        many.attributes.push(100 + tag, &[]);
    }
    assert_eq!(decoded(&many), Err(SchemaError::TooManyParts));
}

#[test]
fn presence_is_the_type_of_fields_alone() {
    let presence = |ty: Type| Type::Presence(Box::new(ty));
    let option = |ty: Type| Type::Option(Box::new(ty));
    let logical = |ty: Type| Type::Logical(Logical(99), Box::new(ty));
    let misplaced = Err(SchemaError::MisplacedPresence);
    assert_eq!(decoded(&one_field(presence(Type::U8))), Ok(()));
    assert_eq!(decoded(&one_field(presence(Type::List(Box::new(option(Type::U8)))))), Ok(()));
    for ty in [
        presence(presence(Type::U8)),
        presence(option(Type::U8)),
        presence(logical(option(Type::U8))),
        presence(Type::List(Box::new(presence(Type::U8)))),
        option(presence(Type::U8)),
        logical(presence(Type::U8)),
        Type::List(Box::new(presence(Type::U8))),
    ] {
        assert_eq!(decoded(&one_field(ty)), misplaced);
    }
    let variant = |shape| decoded(&schema(vec![structure(vec![]), enumeration(vec![("V", shape)])]));
    assert_eq!(variant(Shape::Struct(vec![field("f", presence(Type::U8))])), Ok(()));
    assert_eq!(variant(Shape::Newtype(presence(Type::U8))), misplaced);
    assert_eq!(variant(Shape::Tuple(vec![presence(Type::U8)])), misplaced);
    let empty = schema(vec![structure(vec![])]);
    assert_eq!(decoded(&MethodSchema { response: presence(Type::U8), ..empty.clone() }), misplaced);
    assert_eq!(decoded(&MethodSchema { request_items: Some(presence(Type::U8)), ..empty }), misplaced);
}

#[test]
fn an_error_without_a_code_blames_nobody() {
    let variant = |attributes| Variant { attributes, ..Variant::new("V", Shape::Unit) };
    assert_eq!(variant(Attributes::new()).error_code(), Code::FailedPrecondition);
    assert_eq!(variant(Attributes::new().with_code(Code::NotFound)).error_code(), Code::NotFound);
    assert_eq!(variant(Attributes::new().with(10, [200])).error_code(), Code::Unknown);
}

#[test]
fn an_error_is_an_enum() {
    let definitions = vec![structure(vec![]), enumeration(vec![("V", Shape::Unit)])];
    let with = |error| decoded(&MethodSchema { error: Some(error), ..schema(definitions.clone()) });
    assert_eq!(with(Type::Ref(1)), Ok(()));
    assert_eq!(with(Type::Ref(0)), Err(SchemaError::ErrorIsNoEnum));
    assert_eq!(with(Type::U8), Err(SchemaError::ErrorIsNoEnum));
    assert_eq!(with(Type::Logical(Logical(9), Box::new(Type::Ref(1)))), Err(SchemaError::ErrorIsNoEnum));
    assert_eq!(with(Type::Ref(2)), Err(SchemaError::DanglingRef(2)));
}
