//! Conversions between two versions of a type, one by one: what comes out, and what people are told.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::check;
use callgate_protocol::limits::{MAX_DEPTH, MAX_ZERO_SIZED_ITEMS};
use callgate_protocol::schema::{Definition, Field, Logical, MethodSchema, Shape, Type, Variant};
use callgate_protocol::wire::{put_bytes, put_varint};
use callgate_transcode::Converter;
use support::{default_field, enumeration, field, list, option, set, structure, variant};

const MOST: usize = 1 << 20;

/// The converted message, or what people are told; `misfit: ` before what no message bears.
fn convert_within(
    from: &MethodSchema,
    to: &MethodSchema,
    message: &[u8],
    most: usize,
) -> Result<Vec<u8>, String> {
    let converter = Converter::compile((from, &from.response), (to, &to.response))
        .map_err(|misfit| format!("misfit: {misfit}"))?;
    let mut out = Vec::new();
    converter.run(message, &mut out, most).map_err(|error| error.to_string())?;
    assert_eq!(check::value(to, &to.response, &out), Ok(()));
    Ok(out)
}

fn convert(from: &MethodSchema, to: &MethodSchema, message: &[u8]) -> Result<Vec<u8>, String> {
    convert_within(from, to, message, MOST)
}

/// A schema whose response is the first definition.
fn schema(definitions: Vec<Definition>) -> MethodSchema {
    let schema = MethodSchema::new(Type::Ref(0), Type::Ref(0), definitions);
    MethodSchema::decode(&schema.encode()).unwrap()
}

fn of_fields(fields: Vec<Field>) -> MethodSchema {
    schema(vec![structure(fields)])
}

/// Of one type, as the only field.
fn of(ty: Type) -> MethodSchema {
    of_fields(vec![field("v", ty)])
}

fn of_variants(variants: Vec<Variant>) -> MethodSchema {
    let response = Type::Ref(1);
    MethodSchema { response, ..schema(vec![structure(vec![]), enumeration(variants)]) }
}

fn presence(ty: Type) -> Type {
    Type::Presence(Box::new(ty))
}

fn aliased(name: &str, alias: &str, ty: Type) -> Field {
    Field { aliases: vec![alias.to_owned()], ..field(name, ty) }
}

/// What a message becomes, or what people are told.
type Expected<'a> = Result<&'a [u8], &'a str>;

fn told(said: &str) -> Result<Vec<u8>, String> {
    Err(said.to_owned())
}

#[test]
fn fields_are_found_by_name_wherever_they_stand() {
    let from = of_fields(vec![field("a", Type::U8), field("b", Type::String), field("c", Type::U8)]);
    let to = of_fields(vec![field("c", Type::U8), field("a", Type::U8), field("b", Type::String)]);
    assert_eq!(convert(&from, &to, b"\x01\x02hi\x03"), Ok(b"\x03\x01\x02hi".to_vec()));
    assert_eq!(convert(&to, &from, b"\x03\x01\x02hi"), Ok(b"\x01\x02hi\x03".to_vec()));
}

#[test]
fn a_struct_that_has_moved_within_one_that_has_is_put_in_order_too() {
    let versions = [[0, 1], [1, 0]].map(|order| {
        let outer = [field("in", list(Type::Ref(1))), field("n", Type::U8)];
        let inner = [field("a", Type::U8), field("b", Type::U8)];
        schema(vec![
            structure(order.map(|n| outer[n].clone()).to_vec()),
            structure(order.map(|n| inner[n].clone()).to_vec()),
        ])
    });
    assert_eq!(convert(&versions[0], &versions[1], &[2, 1, 2, 3, 4, 9]), Ok(vec![9, 2, 2, 1, 4, 3]));
}

#[test]
fn what_is_not_written_takes_its_default_and_what_is_not_wanted_is_dropped() {
    let from =
        of_fields(vec![field("old", list(Type::String)), field("a", Type::U8), field("gone", Type::Unit)]);
    let to = of_fields(vec![
        default_field("first", Type::U16, &[7]),
        field("note", option(Type::String)),
        field("a", Type::U8),
        field("patch", presence(Type::U8)),
        default_field("last", Type::String, b"\x01x"),
    ]);
    assert_eq!(convert(&from, &to, b"\x02\x01x\x01y\x05"), Ok(b"\x07\x00\x05\x00\x01x".to_vec()));
    // What is dropped is checked all the same.
    assert_eq!(
        convert(&from, &to, b"\x02\x01x\x01\xff\x05"),
        told("`/old/1`: a string is not UTF-8 at byte 5")
    );
}

#[test]
fn a_renamed_field_is_found_by_the_alias_of_either_side_and_a_name_is_stronger() {
    let old = of_fields(vec![field("client", Type::U8), field("x", Type::U8)]);
    let new = of_fields(vec![field("x", Type::U8), aliased("customer", "client", Type::U8)]);
    assert_eq!(convert(&old, &new, &[1, 2]), Ok(vec![2, 1]));
    assert_eq!(convert(&new, &old, &[2, 1]), Ok(vec![1, 2]));
    let both = of_fields(vec![field("client", Type::U8), field("customer", Type::U8), field("x", Type::U8)]);
    assert_eq!(convert(&both, &new, &[1, 2, 3]), Ok(vec![3, 2]));
}

#[test]
fn variants_are_found_by_name_and_one_that_nobody_wants_is_refused_when_it_comes() {
    let from = of_variants(vec![
        variant("Unit", Shape::Unit),
        variant("New", Shape::Newtype(Type::U8)),
        variant("Pair", Shape::Tuple(vec![Type::U8, Type::U16])),
        variant("Named", Shape::Struct(vec![field("a", Type::U8), field("b", Type::U8)])),
        variant("Gone", Shape::Unit),
    ]);
    let to = of_variants(vec![
        variant("Named", Shape::Struct(vec![field("b", Type::U8), field("a", Type::U8)])),
        Variant { aliases: vec!["New".to_owned()], ..variant("Renamed", Shape::Newtype(Type::U16)) },
        variant("Pair", Shape::Tuple(vec![Type::U16, option(Type::U16)])),
        variant("Added", Shape::Newtype(Type::String)),
        variant("Unit", Shape::Unit),
    ]);
    assert_eq!(convert(&from, &to, &[0]), Ok(vec![4]));
    assert_eq!(convert(&from, &to, &[1, 255]), Ok(vec![1, 251, 255, 0]));
    assert_eq!(convert(&from, &to, &[2, 1, 2]), Ok(vec![2, 1, 1, 2]));
    assert_eq!(convert(&from, &to, &[3, 1, 2]), Ok(vec![0, 2, 1]));
    assert_eq!(convert(&from, &to, &[4]), told("the variant `Gone` is not one of those that are wanted"));
    assert_eq!(convert(&from, &to, &[5]), told("unknown enum variant at byte 1"));
}

#[test]
fn numbers_go_by_their_value() {
    let rows: [(Type, Type, &[u8], Expected<'_>); 8] = [
        (Type::U8, Type::U16, &[255], Ok(&[251, 255, 0])),
        (Type::U16, Type::U8, &[251, 255, 0], Ok(&[255])),
        (Type::U16, Type::U8, &[251, 0, 1], Err("`/v`: 256 does not fit u8")),
        (Type::I32, Type::U64, &[4], Ok(&[2])),
        (Type::I32, Type::U64, &[3], Err("`/v`: -2 does not fit u64")),
        (Type::U64, Type::I8, &[127], Ok(&[127])),
        (Type::U64, Type::I8, &[128], Err("`/v`: 128 does not fit i8")),
        (Type::F32, Type::F64, &[0, 0, 0xc0, 0x3f], Ok(&[0, 0, 0, 0, 0, 0, 0xf8, 0x3f])),
    ];
    for (from, to, message, expected) in rows {
        let expected = expected.map(<[u8]>::to_vec).map_err(str::to_owned);
        assert_eq!(convert(&of(from.clone()), &of(to.clone()), message), expected, "{from:?} to {to:?}");
    }
}

#[test]
fn options_and_presence_say_what_they_can() {
    const NONE: &str = "`/v`: there is no value, and one is wanted";
    let (plain, optional, present) = (of(Type::U8), of(option(Type::U8)), of(presence(Type::U8)));
    let default = of_fields(vec![default_field("v", Type::U8, &[42])]);
    let rows: [(&MethodSchema, &MethodSchema, &[u8], Expected<'_>); 14] = [
        (&plain, &optional, &[9], Ok(&[1, 9])),
        (&optional, &plain, &[1, 9], Ok(&[9])),
        (&optional, &plain, &[0], Err(NONE)),
        (&optional, &default, &[0], Err(NONE)),
        (&plain, &present, &[9], Ok(&[2, 9])),
        (&optional, &present, &[0], Ok(&[1])),
        (&optional, &present, &[1, 9], Ok(&[2, 9])),
        (&present, &present, &[0], Ok(&[0])),
        (&present, &optional, &[0], Ok(&[0])),
        (&present, &optional, &[1], Ok(&[0])),
        (&present, &optional, &[2, 9], Ok(&[1, 9])),
        (&present, &plain, &[0], Err(NONE)),
        (&present, &default, &[0], Ok(&[42])),
        (&present, &default, &[1], Err(NONE)),
    ];
    for (index, (from, to, message, expected)) in rows.into_iter().enumerate() {
        let expected = expected.map(<[u8]>::to_vec).map_err(str::to_owned);
        assert_eq!(convert(from, to, message), expected, "row {index}");
    }
}

#[test]
fn logical_types_are_their_physical_ones() {
    let decimal = of(Type::Logical(Logical::DECIMAL, Box::new(Type::String)));
    assert_eq!(convert(&of(Type::String), &decimal, b"\x011"), Ok(b"\x011".to_vec()));
    let unknown = of(Type::Logical(Logical(99), Box::new(Type::U16)));
    assert_eq!(convert(&unknown, &of(Type::U8), &[7]), Ok(vec![7]));
}

#[test]
fn what_does_not_fit_names_the_field_and_both_types() {
    let missing = of_fields(vec![field("a", Type::U8), field("b", list(Type::String))]);
    let nested = |ty: Type| {
        schema(vec![structure(vec![field("lines", list(Type::Ref(1)))]), structure(vec![field("a/b", ty)])])
    };
    let boxed = |ty: Type| of_variants(vec![variant("Card", Shape::Newtype(ty))]);
    let rows: [(MethodSchema, MethodSchema, &str); 9] = [
        (
            of_fields(vec![field("a", Type::U8)]),
            missing,
            "`/b`: the field is not written; list of string is wanted, and it has no default",
        ),
        (nested(Type::String), nested(Type::U32), "`/lines/*/a~1b`: string is written, and u32 is wanted"),
        (nested(Type::F64), nested(Type::F32), "`/lines/*/a~1b`: f64 is written, and f32 is wanted"),
        (
            of(Type::Tuple(vec![Type::U8, Type::Char])),
            of(Type::Tuple(vec![Type::U8, Type::String])),
            "`/v/1`: char is written, and string is wanted",
        ),
        (
            of(Type::Array(Box::new(Type::U8), 2)),
            of(Type::Array(Box::new(Type::U8), 3)),
            "`/v`: array of 2 times u8 is written, and array of 3 times u8 is wanted",
        ),
        (
            schema(vec![structure(vec![field("s", Type::Ref(1))]), structure(vec![])]),
            schema(vec![structure(vec![field("s", Type::Ref(1))]), enumeration(vec![])]),
            "`/s`: struct S is written, and enum E is wanted",
        ),
        (
            of(Type::Map(Box::new(Type::String), Box::new(option(Type::Bool)))),
            of(list(list(list(list(list(Type::Bool)))))),
            "`/v`: map of string to option of bool is written, and list of list of list of list of … is wanted",
        ),
        (boxed(Type::Bool), boxed(Type::Uuid), "`/Card`: bool is written, and uuid is wanted"),
        (
            boxed(Type::Bool),
            of_variants(vec![variant("Card", Shape::Unit)]),
            "`/Card`: a variant with a value is written, and one with nothing is wanted",
        ),
    ];
    for (from, to, expected) in rows {
        assert_eq!(convert(&from, &to, &[]), told(&format!("misfit: {expected}")));
    }
}

/// A list of itself, with a field that has moved.
fn tree(order: [usize; 2]) -> MethodSchema {
    let fields = [field("n", Type::U8), field("children", list(Type::Ref(0)))];
    schema(vec![structure(order.map(|at| fields[at].clone()).to_vec())])
}

#[test]
fn types_that_contain_themselves_are_converted_to_the_greatest_depth_and_no_deeper() {
    let (old, new) = (tree([0, 1]), tree([1, 0]));
    let chain = |structs: usize| [7, 1].repeat(structs - 1).into_iter().chain([7, 0]).collect::<Vec<u8>>();
    let levels = MAX_DEPTH / 2;
    let turned = [vec![1; levels - 1], vec![0], vec![7; levels]].concat();
    assert_eq!(convert(&old, &new, &chain(levels)), Ok(turned));
    let refused = convert(&old, &new, &chain(levels + 1)).unwrap_err();
    assert!(refused.starts_with("`/…/children/0/"), "{refused}");
    assert!(refused.ends_with("nested deeper than 128 at byte 128"), "{refused}");
}

#[test]
fn options_without_end_are_taken_in_a_loop() {
    let nested = |inner: Type| of((0..30).fold(inner, |ty, _| option(ty)));
    let message = [vec![1; 30], vec![5]].concat();
    let wider = [vec![1; 30], vec![5]].concat();
    assert_eq!(convert(&nested(Type::U8), &nested(Type::U64), &message), Ok(wider));
}

#[test]
fn a_default_counts_for_the_depth_and_the_empty_values_of_what_is_written() {
    let with = |extra: Vec<Field>| {
        let fields = [vec![field("children", list(Type::Ref(0)))], extra].concat();
        schema(vec![structure(fields), structure(vec![])])
    };
    let chain = |lists: usize| [vec![1; lists - 1], vec![0]].concat();
    let deep = with(vec![default_field("d", list(list(Type::U8)), &[1, 0])]);
    assert!(convert(&with(vec![]), &deep, &chain(63)).is_ok());
    let refused = convert(&with(vec![]), &deep, &chain(64)).unwrap_err();
    assert!(refused.ends_with("the converted message nests deeper than 128"), "{refused}");
    let empty = with(vec![default_field("d", Type::Array(Box::new(Type::Ref(1)), 1000), &[])]);
    let wide = |items: u8| [vec![items], vec![0; items.into()]].concat();
    // A thousand and one for each struct: the array counts, and so do its items.
    assert!(convert(&with(vec![]), &empty, &wide(60)).is_ok());
    let refused = convert(&with(vec![]), &empty, &wide(70)).unwrap_err();
    assert!(refused.ends_with("the converted message has more than 65536 values without bytes"), "{refused}");
}

#[test]
fn items_without_bytes_are_bounded_on_either_side() {
    let (unit, byte) = (structure(vec![]), structure(vec![field("a", Type::U8)]));
    let list_of = |item: Definition| schema(vec![structure(vec![field("v", list(Type::Ref(1)))]), item]);
    let (units, bytes) = (list_of(unit), list_of(byte));
    let message = |count: usize, item: &[u8]| {
        let mut message = Vec::new();
        put_varint(&mut message, count as u64);
        message.extend(item.repeat(count));
        message
    };
    let most = MAX_ZERO_SIZED_ITEMS;
    assert_eq!(convert(&units, &units, &message(most, &[])), Ok(message(most, &[])));
    let refused = convert(&units, &units, &message(most + 1, &[])).unwrap_err();
    assert!(refused.ends_with("more than 65536 zero-sized values at byte 5"), "{refused}");
    assert_eq!(convert(&bytes, &units, &message(most, &[1])), Ok(message(most, &[])));
    let refused = convert(&bytes, &units, &message(most + 1, &[1])).unwrap_err();
    assert!(refused.ends_with("the converted message has more than 65536 values without bytes"), "{refused}");
    // What is dropped is not written.
    let dropping = of_fields(vec![]);
    assert_eq!(convert(&units, &dropping, &message(most - 1, &[])), Ok(vec![]));
}

#[test]
fn what_is_written_is_bounded_and_what_is_dropped_does_not_count() {
    let from = of_fields(vec![field("a", Type::Bytes), field("b", Type::Bytes)]);
    let to = of_fields(vec![field("b", Type::Bytes)]);
    let mut message = Vec::new();
    put_bytes(&mut message, &[1; 100]);
    put_bytes(&mut message, &[2; 9]);
    let expected = [vec![9], vec![2; 9]].concat();
    assert_eq!(convert_within(&from, &to, &message, 10), Ok(expected));
    assert_eq!(convert_within(&from, &to, &message, 9), told("`/b`: the converted message is too long"));
}

#[test]
fn lengths_are_claims() {
    let (from, to) = (of(list(Type::U8)), of(list(Type::U16)));
    let claim = [0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f, 1];
    for to in [&from, &to] {
        let refused = convert(&from, to, &claim).unwrap_err();
        assert!(refused.contains("the bytes end inside a value"), "{refused}");
    }
}

#[test]
fn schemas_of_which_too_many_definitions_meet_are_refused_before_they_are_compiled() {
    // Each refers to the next; in a circle of one length every one meets every one of a circle of another length.
    let circle = |length: u32| {
        let next = (0..length).map(|n| structure(vec![field("v", option(Type::Ref((n + 1) % length)))]));
        schema(next.collect())
    };
    assert_eq!(convert(&circle(200), &circle(201), &[0]), Ok(vec![0]));
    let refused = convert(&circle(1000), &circle(1001), &[0]).unwrap_err();
    assert!(refused.contains("the two schemas are too large"), "{refused}");
}

#[test]
fn items_and_keys_that_become_the_same_are_refused() {
    let point = |names: &[&str]| structure(names.iter().map(|name| field(name, Type::U8)).collect());
    let of_points = |ty: Type, names: &[&str]| schema(vec![structure(vec![field("v", ty)]), point(names)]);
    let two = [2, 1, 7, 1, 8];
    let told = "`/v/1`: a key or an item of a set is there twice when it is converted";
    let (both, one) = (["x", "y"], ["x"]);
    let sets = |names| of_points(set(Type::Ref(1)), names);
    assert_eq!(convert(&sets(&both), &sets(&one), &two), Err(told.to_owned()));
    assert_eq!(convert(&sets(&both), &sets(&both), &two), Ok(two.to_vec()));
    // A list may have what a set may not.
    assert_eq!(convert(&sets(&both), &of_points(list(Type::Ref(1)), &one), &two), Ok(vec![2, 1, 1]));

    let map = |key: Type| Type::Map(Box::new(key), Box::new(Type::Bool));
    let coloured = |variants: Vec<Variant>| {
        schema(vec![structure(vec![field("v", map(Type::Ref(1)))]), enumeration(variants)])
    };
    let units = |names: &[&str]| names.iter().map(|name| variant(name, Shape::Unit)).collect::<Vec<_>>();
    let merged = Variant { aliases: vec!["crimson".to_owned()], ..variant("red", Shape::Unit) };
    let (old, new) = (coloured(units(&["red", "crimson"])), coloured(vec![merged]));
    assert_eq!(convert(&old, &new, &[2, 0, 1, 1, 0]), Err(told.to_owned()));
    assert_eq!(convert(&old, &new, &[1, 1, 1]), Ok(vec![1, 0, 1]));
    // What is dropped is read as strictly.
    let dropped = of_fields(vec![field("v", map(Type::U8)), field("w", Type::U8)]);
    let kept = of_fields(vec![field("w", Type::U8)]);
    assert_eq!(convert(&dropped, &kept, &[2, 5, 0, 6, 0, 9]), Ok(vec![9]));
    assert_eq!(convert(&dropped, &kept, &[2, 5, 0, 5, 0, 9]), Err(told.to_owned()));
    // Many of them.
    let mut keys = Vec::new();
    put_varint(&mut keys, 2000);
    (0..2000_u64).for_each(|key| {
        put_varint(&mut keys, key);
        keys.push(1);
    });
    assert_eq!(convert(&of(map(Type::U16)), &of(map(Type::U32)), &keys), Ok(keys.clone()));
}
