//! One schema has one canonical form, whatever the order of its definitions and the form of its values.

use super::tests::{enumeration, field, one_field, schema, structure};
use super::*;
use crate::generate::{self, Tape, tapes};
use crate::wire::put_bytes;
use proptest::prelude::*;

/// The same schema with its definitions in another order, between some that nothing uses.
fn shuffled(schema: &MethodSchema, tape: &Tape) -> MethodSchema {
    let mut order: Vec<u32> = (0..schema.definitions.len() as u32).collect();
    for at in 1..order.len() {
        order.swap(at, tape.below(at + 1));
    }
    // Behind each there may be one more, which refers to all others.
    let mut definitions = Vec::new();
    let mut numbers = vec![0; order.len()];
    for old in order {
        if tape.below(3) == 1 {
            definitions.push(None);
        }
        numbers[old as usize] = definitions.len() as u32;
        definitions.push(Some(old));
    }
    let unused = || structure(numbers.iter().map(|n| field(&n.to_string(), Type::Ref(*n))).collect());
    let renumbered = |ty: &Type| renumber(ty, &numbers);
    let definitions = definitions.into_iter().map(|old| match old {
        None => unused(),
        Some(old) => {
            let mut definition = schema.definitions[old as usize].clone();
            types_of(&mut definition).into_iter().for_each(|ty| *ty = renumbered(ty));
            definition
        }
    });
    MethodSchema {
        definitions: definitions.collect(),
        request: renumbered(&schema.request),
        request_items: schema.request_items.as_ref().map(renumbered),
        response: renumbered(&schema.response),
        error: schema.error.as_ref().map(renumbered),
        ..schema.clone()
    }
}

pub(super) fn types_of(definition: &mut Definition) -> Vec<&mut Type> {
    match definition {
        Definition::Struct(def) => def.fields.iter_mut().map(|field| &mut field.ty).collect(),
        Definition::Enum(def) => def.variants.iter_mut().flat_map(|v| shape_types(&mut v.shape)).collect(),
    }
}

fn shape_types(shape: &mut Shape) -> Vec<&mut Type> {
    match shape {
        Shape::Unit => Vec::new(),
        Shape::Newtype(ty) => vec![ty],
        Shape::Tuple(types) => types.iter_mut().collect(),
        Shape::Struct(fields) => fields.iter_mut().map(|field| &mut field.ty).collect(),
    }
}

fn renumber(ty: &Type, numbers: &[u32]) -> Type {
    let go = |ty: &Type| Box::new(renumber(ty, numbers));
    match ty {
        Type::Ref(old) => Type::Ref(numbers[*old as usize]),
        Type::Option(ty) => Type::Option(go(ty)),
        Type::List(ty) => Type::List(go(ty)),
        Type::Array(ty, length) => Type::Array(go(ty), *length),
        Type::Presence(ty) => Type::Presence(go(ty)),
        Type::Logical(logical, ty) => Type::Logical(*logical, go(ty)),
        Type::Map(key, value) => Type::Map(go(key), go(value)),
        Type::Tuple(types) => Type::Tuple(types.iter().map(|ty| renumber(ty, numbers)).collect()),
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(crate::generate::runs(300))]

    #[test]
    fn a_canonical_schema_is_sound_and_its_own_canonical_form(tape in tapes()) {
        let schema = generate::schema(&tape);
        let canonical = schema.canonical();
        prop_assert_eq!(MethodSchema::decode(&canonical.encode()), Ok(canonical.clone()));
        prop_assert_eq!(canonical.canonical(), canonical.clone());
        prop_assert_eq!(canonical.wire_form(), schema.wire_form());
        prop_assert!(canonical.encode().len() <= schema.encode().len());
    }

    #[test]
    fn the_order_of_definitions_and_unused_ones_change_nothing(tape in tapes()) {
        let schema = generate::schema(&tape);
        let other = shuffled(&schema, &tape);
        prop_assert_eq!(other.canonical(), schema.canonical());
        prop_assert_eq!(other.wire_fingerprint(), schema.wire_fingerprint());
    }
}

#[test]
fn definitions_stand_in_the_order_of_first_use() {
    let named = |name: &str, fields: Vec<Field>| Definition::Struct(StructDef::new(name, fields));
    let to = |name: &str, number| field(name, Type::Ref(number));
    let choice = Definition::Enum(EnumDef::new(
        "choice",
        vec![
            Variant::new("A", Shape::Newtype(Type::Ref(2))),
            Variant::new("B", Shape::Tuple(vec![Type::Ref(6)])),
        ],
    ));
    let of = MethodSchema {
        request: Type::Ref(5),
        request_items: Some(Type::List(Box::new(Type::Ref(7)))),
        response: Type::Map(Box::new(Type::U8), Box::new(Type::Ref(1))),
        error: Some(Type::Ref(4)),
        ..schema(vec![
            named("unused", vec![to("f", 5)]),
            named("response", vec![to("again", 2)]),
            named("second", vec![to("itself", 2), to("third", 3)]),
            named("third", vec![to("back", 5)]),
            choice,
            named("request", vec![to("first", 2), to("last", 6)]),
            named("fourth", vec![]),
            named("items", vec![]),
        ])
    };
    let canonical = of.canonical();
    let names: Vec<&str> = canonical
        .definitions
        .iter()
        .map(|definition| match definition {
            Definition::Struct(def) => def.name.as_str(),
            Definition::Enum(def) => def.name.as_str(),
        })
        .collect();
    assert_eq!(names, ["request", "second", "third", "fourth", "items", "response", "choice"]);
    assert_eq!((canonical.request, canonical.error), (Type::Ref(0), Some(Type::Ref(6))));
}

#[test]
fn a_chain_of_definitions_takes_no_stack() {
    let next = |at: u32| structure(vec![field("next", Type::Option(Box::new(Type::Ref(at))))]);
    let long = schema((1..20_000).map(next).chain([structure(vec![])]).collect());
    let check = move || assert_eq!(long.canonical(), long);
    let thread = std::thread::Builder::new().stack_size(256 * 1024).spawn(check).expect("a thread starts");
    thread.join().expect("it has enough stack");
}

#[test]
fn the_deepest_default_needs_little_stack() {
    // 31 options, which do not count as depth, around each of 128 structs.
    let layered = (0..31).fold(Type::Ref(1), |ty, _| Type::Option(Box::new(ty)));
    let node = structure(vec![field("next", layered)]);
    let default = [vec![1; 31 * 127], vec![0]].concat();
    let check = move || assert_eq!(formed(Type::Ref(1), vec![node], &default), default);
    let thread = std::thread::Builder::new().stack_size(512 * 1024).spawn(check).expect("a thread starts");
    thread.join().expect("it has enough stack");
}

/// A default of that type, as it is in the canonical schema.
fn formed(ty: Type, definitions: Vec<Definition>, default: &[u8]) -> Vec<u8> {
    let with = Field { default: Some(default.to_vec()), ..field("f", ty) };
    let mut all = vec![structure(vec![with])];
    all.extend(definitions);
    let of = MethodSchema::decode(&schema(all).encode()).expect("it is sound").canonical();
    let Some(Definition::Struct(request)) = of.definitions.first() else { panic!("the request is first") };
    request.fields[0].default.clone().expect("it has one")
}

#[test]
fn values_have_shortest_varints_and_sorted_maps_and_sets() {
    let list = |ty: Type| Type::List(Box::new(ty));
    let set = |ty: Type| Type::Logical(Logical::SET, Box::new(list(ty)));
    let option = |ty: Type| Type::Option(Box::new(ty));
    let presence = |ty: Type| Type::Presence(Box::new(ty));
    let map = |key: Type, value: Type| Type::Map(Box::new(key), Box::new(value));
    let unknown = |ty: Type| Type::Logical(Logical(99), Box::new(ty));
    let wide = [253, 7, 0, 0, 0, 0, 0, 0, 0];
    let wider = [&[254, 7][..], &[0; 15]].concat();
    let text = |texts: &[&str]| {
        let mut out = vec![texts.len() as u8];
        texts.iter().for_each(|text| put_bytes(&mut out, text.as_bytes()));
        out
    };
    let table: Vec<(Type, Vec<u8>, Vec<u8>)> = vec![
        (Type::U8, vec![251], vec![251]),
        (Type::U16, vec![251, 7, 0], vec![7]),
        (Type::I16, vec![251, 251, 0], vec![251, 251, 0]),
        (Type::I32, vec![252, 7, 0, 0, 0], vec![7]),
        (Type::U32, vec![252, 0, 1, 0, 0], vec![251, 0, 1]),
        (Type::U64, wide.to_vec(), vec![7]),
        (Type::I64, wide.to_vec(), vec![7]),
        (Type::U128, wider.clone(), vec![7]),
        (Type::I128, wider, vec![7]),
        (Type::F32, vec![1, 2, 3, 4], vec![1, 2, 3, 4]),
        (Type::F64, vec![251; 8], vec![251; 8]),
        (Type::Char, "€".into(), "€".into()),
        (Type::String, vec![251, 1, 0, b'a'], vec![1, b'a']),
        (Type::Json, vec![251, 2, 0, b'1', b' '], vec![2, b'1', b' ']),
        (Type::Bytes, vec![251, 1, 0, 0], vec![1, 0]),
        (Type::Uuid, [&[251, 16, 0][..], &[7; 16]].concat(), [&[16][..], &[7; 16]].concat()),
        (Type::Timestamp, vec![251, 1, 0, 251, 2, 0], vec![1, 2]),
        (Type::Duration, vec![251, 1, 0, 251, 2, 0], vec![1, 2]),
        (Type::IpAddr, vec![251, 0, 0, 1, 2, 3, 4], vec![0, 1, 2, 3, 4]),
        (Type::IpAddr, [&[251, 1, 0][..], &[7; 16]].concat(), [&[1][..], &[7; 16]].concat()),
        (Type::Ipv4Addr, vec![251, 1, 0, 1], vec![251, 1, 0, 1]),
        (Type::Ipv6Addr, vec![251; 16], vec![251; 16]),
        (option(Type::U16), vec![1, 251, 7, 0], vec![1, 7]),
        (option(Type::U16), vec![0], vec![0]),
        (presence(Type::U16), vec![251, 2, 0, 251, 7, 0], vec![2, 7]),
        (presence(Type::U16), vec![251, 1, 0], vec![1]),
        (list(Type::U16), vec![251, 2, 0, 251, 9, 0, 7], vec![2, 9, 7]),
        (Type::Array(Box::new(Type::U16), 2), vec![251, 9, 0, 7], vec![9, 7]),
        (Type::Tuple(vec![Type::U16, Type::Bool]), vec![251, 9, 0, 1], vec![9, 1]),
        (unknown(Type::U16), vec![251, 7, 0], vec![7]),
        (Type::Ref(1), vec![251, 7, 0, 251, 3, 0, 251, 5, 0], vec![7, 3, 5]),
        (Type::Ref(2), vec![251, 0, 0], vec![0]),
        (Type::Ref(2), vec![251, 1, 0, 251, 5, 0], vec![1, 5]),
        (Type::Ref(2), vec![2, 251, 5, 0, 6], vec![2, 5, 6]),
        (Type::Ref(2), vec![3, 251, 5, 0], vec![3, 5]),
        // By the encoded bytes, so a shorter string comes first, and 300 (fb2c01) before -1 (01) does not.
        (list(Type::String), text(&["b", "a"]), text(&["b", "a"])),
        (set(Type::String), text(&["b", "aa", "a"]), text(&["a", "b", "aa"])),
        (set(Type::I16), vec![3, 251, 44, 1, 1, 0], vec![3, 0, 1, 251, 44, 1]),
        (unknown(set(Type::U8)), vec![2, 9, 7], vec![2, 7, 9]),
        (option(set(Type::U8)), vec![1, 2, 9, 7], vec![1, 2, 7, 9]),
        (presence(set(Type::U8)), vec![2, 2, 9, 7], vec![2, 2, 7, 9]),
        // A set over something else than a list is not known.
        (Type::Logical(Logical::SET, Box::new(option(list(Type::U8)))), vec![1, 2, 9, 7], vec![1, 2, 9, 7]),
        (Type::Logical(Logical::SET, Box::new(unknown(list(Type::U8)))), vec![2, 9, 7], vec![2, 9, 7]),
        (map(Type::U8, Type::U16), vec![2, 9, 251, 1, 0, 7, 2], vec![2, 7, 2, 9, 1]),
        // Two keys that would be one.
        (map(Type::U16, Type::U8), vec![2, 251, 7, 0, 2, 7, 1], vec![2, 251, 7, 0, 2, 7, 1]),
        (
            map(Type::String, set(map(Type::U8, Type::Unit))),
            vec![2, 1, b'b', 0, 1, b'a', 2, 2, 9, 7, 1, 7],
            vec![2, 1, b'a', 2, 1, 7, 2, 7, 9, 1, b'b', 0],
        ),
        (set(Type::Unit), vec![251, 5, 0], vec![5]),
    ];
    let definitions = || {
        vec![
            structure(vec![field("a", Type::U16), field("b", Type::Tuple(vec![Type::U16, Type::U16]))]),
            enumeration(vec![
                ("Unit", Shape::Unit),
                ("Newtype", Shape::Newtype(Type::U16)),
                ("Tuple", Shape::Tuple(vec![Type::U16, Type::U16])),
                ("Struct", Shape::Struct(vec![field("f", Type::U16)])),
            ]),
        ]
    };
    for (ty, written, expected) in table {
        assert_eq!(formed(ty.clone(), definitions(), &written), expected, "{ty:?} {written:?}");
        assert_eq!(formed(ty.clone(), definitions(), &expected), expected, "{ty:?} {written:?}");
    }
}

#[test]
fn examples_and_bounds_are_values_too() {
    let wide = || vec![251, 7, 0];
    let attributes = Attributes::new()
        .with_example([&[2][..], &wide()].concat())
        .with_minimum(wide())
        .with_maximum(wide())
        .with(99, wide());
    let expected =
        Attributes::new().with_example([2, 7]).with_minimum([7]).with_maximum([7]).with(99, wide());
    let of = Field { attributes, ..field("f", Type::Presence(Box::new(Type::U16))) };
    let canonical = schema(vec![structure(vec![of])]).canonical();
    let Definition::Struct(request) = &canonical.definitions[0] else { panic!("the request is a struct") };
    assert_eq!(request.fields[0].attributes, expected);
}

#[test]
fn what_is_no_value_stays_as_it_is() {
    let mut of = field("f", Type::U16);
    of.default = Some(vec![251, 7]);
    let wrong = schema(vec![structure(vec![of])]);
    assert_eq!(wrong.canonical(), wrong);
    let dangling = one_field(Type::Ref(9));
    assert!(MethodSchema::decode(&dangling.canonical().encode()).is_err());
}
