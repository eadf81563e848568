//! What the guard stops: attacks, and every way in which bytes are not a value.

use super::*;
use crate::schema::{EnumDef, Logical, StructDef, Variant};
use crate::wire::{WireError, put_varint};

pub(super) fn field(name: &str, ty: Type) -> Field {
    Field::new(name, ty)
}

pub(super) fn structure(fields: impl IntoIterator<Item = Type>) -> Definition {
    let fields = fields.into_iter().enumerate();
    Definition::Struct(StructDef::new("S", fields.map(|(n, ty)| field(&format!("f{n}"), ty)).collect()))
}

pub(super) fn enumeration(shapes: impl IntoIterator<Item = Shape>) -> Definition {
    let shapes = shapes.into_iter().enumerate();
    let variants = shapes.map(|(n, shape)| Variant::new(format!("V{n}"), shape));
    Definition::Enum(EnumDef::new("E", variants.collect()))
}

pub(super) fn schema(definitions: impl IntoIterator<Item = Definition>) -> MethodSchema {
    MethodSchema::new(Type::Ref(0), Type::Unit, definitions.into_iter().collect())
}

fn presence(inner: Type) -> Type {
    Type::Presence(Box::new(inner))
}

fn logical(physical: Type) -> Type {
    Type::Logical(Logical(99), Box::new(physical))
}

pub(super) fn list(item: Type) -> Type {
    Type::List(Box::new(item))
}

pub(super) fn array(item: Type, length: u32) -> Type {
    Type::Array(Box::new(item), length)
}

pub(super) fn option(inner: Type) -> Type {
    Type::Option(Box::new(inner))
}

/// A definition of types, the type, the bytes, and what is wrong with them.
type Case<'a> = (&'a str, Vec<Definition>, Type, &'a [u8], Reason);

/// A recursive definition, what opens and what ends a level of it, and what a level counts.
type Recursion<'a> = (&'a str, Vec<Definition>, &'a [u8], &'a [u8], usize);

fn reason(definitions: impl IntoIterator<Item = Definition>, ty: &Type, bytes: &[u8]) -> Result<(), Reason> {
    value(&schema(definitions), ty, bytes).map_err(|error| error.reason)
}

#[test]
fn a_megabyte_of_ones_into_a_recursive_enum_is_refused() {
    let tree = enumeration([Shape::Unit, Shape::Newtype(Type::Ref(0))]);
    assert_eq!(reason([tree], &Type::Ref(0), &vec![1; 1_000_000]), Err(Reason::TooDeep));
}

#[test]
fn five_bytes_that_claim_268_million_units_are_refused() {
    let bytes = [252, 0, 0, 0, 16];
    assert_eq!(reason([], &list(Type::Unit), &bytes), Err(Reason::TooManyZeroSizedItems));
}

#[test]
fn zero_sized_values_are_counted_wherever_they_are() {
    let many = MAX_ZERO_SIZED_ITEMS as u32;
    let pairs = |levels: u32| {
        let inner = (1..=levels).map(|next| structure([Type::Ref(next), Type::Ref(next)]));
        inner.chain([structure([Type::Unit])]).collect::<Vec<_>>()
    };
    let table = [
        ("an array of 4 billion", vec![], array(Type::Unit, u32::MAX)),
        ("arrays in arrays", vec![], array(array(Type::Unit, 1000), 1000)),
        ("empty arrays in an array", vec![], array(array(Type::U8, 0), u32::MAX)),
        ("empty tuples", vec![], array(Type::Tuple(vec![]), u32::MAX)),
        ("empty structs", vec![structure([])], array(Type::Ref(0), many + 1)),
        ("fields of items", vec![structure([Type::Unit, Type::Unit])], array(Type::Ref(0), many / 2 + 1)),
        ("fields of a tuple", vec![], Type::Tuple(vec![Type::Unit; many as usize + 1])),
        ("structs that double at each of 100 levels", pairs(100), Type::Ref(0)),
    ];
    for (what, definitions, ty) in table {
        assert_eq!(reason(definitions, &ty, &[]), Err(Reason::TooManyZeroSizedItems), "{what}");
    }
    // The array itself is one of them.
    for (count, verdict) in [(many - 1, Ok(())), (many, Err(Reason::TooManyZeroSizedItems))] {
        assert_eq!(reason([], &array(Type::Unit, count), &[]), verdict, "{count}");
    }
}

#[test]
fn depth_is_counted_as_json_shows_it_and_128_is_the_last() {
    let recursive = |shape: fn(Type) -> Shape| vec![enumeration([Shape::Unit, shape(Type::Ref(0))])];
    let table: [Recursion<'_>; 8] = [
        ("struct", vec![structure([option(Type::Ref(0))])], &[1], &[0], 1),
        ("list in a struct", vec![structure([list(Type::Ref(0))])], &[1], &[0], 2),
        ("newtype variant", recursive(Shape::Newtype), &[1], &[0], 1),
        ("tuple variant", recursive(|ty| Shape::Tuple(vec![ty])), &[1], &[0], 2),
        ("struct variant", recursive(|ty| Shape::Struct(vec![field("f", ty)])), &[1], &[0], 2),
        (
            "map in a struct",
            vec![structure([Type::Map(Box::new(Type::U8), Box::new(Type::Ref(0)))])],
            &[1, 9],
            &[0],
            2,
        ),
        ("presence", vec![structure([presence(Type::Ref(0))])], &[2], &[1], 1),
        ("logical list", vec![structure([logical(list(Type::Ref(0)))])], &[1], &[0], 2),
    ];
    for (what, definitions, open, end, counts) in table {
        // A struct is itself a level at the innermost end; a unit variant is none.
        let innermost = if matches!(definitions[0], Definition::Struct(_)) { counts } else { 0 };
        let levels = (MAX_DEPTH - innermost) / counts;
        let bytes = |levels: usize| [open.repeat(levels), end.to_vec()].concat();
        assert_eq!(reason(definitions.clone(), &Type::Ref(0), &bytes(levels)), Ok(()), "{what}");
        let deeper = reason(definitions, &Type::Ref(0), &bytes(levels + 1));
        assert_eq!(deeper, Err(Reason::TooDeep), "{what}");
    }
}

#[test]
fn the_deepest_value_needs_little_stack() {
    // 32 options, which do not count as depth, around each of 128 structs.
    let layered = (0..31).fold(Type::Ref(0), |ty, _| option(ty));
    let definitions = [structure([layered])];
    let mut bytes = [1].repeat(31 * 127);
    bytes.push(0);
    let check = move || reason(definitions, &Type::Ref(0), &bytes);
    let thread = std::thread::Builder::new().stack_size(256 * 1024).spawn(check);
    let verdict = thread.expect("a thread starts").join();
    assert_eq!(verdict.expect("the stack suffices"), Ok(()));
}

#[test]
fn a_value_is_measured_as_it_is_bounded() {
    let definitions =
        || [structure([list(Type::Ref(1))]), structure([]), enumeration([Shape::Newtype(Type::Ref(1))])];
    let table: [(Type, &[u8], usize, usize); 6] = [
        (Type::U8, &[7], 0, 0),
        (Type::Unit, &[], 0, 1),
        (array(Type::Unit, 9), &[], 1, 10),
        (Type::Ref(0), &[3], 3, 3),
        (Type::Ref(2), &[0], 2, 1),
        (option(Type::Ref(0)), &[0], 0, 0),
    ];
    for (ty, bytes, depth, zero_sized) in table {
        assert_eq!(extent(&schema(definitions()), &ty, bytes), Ok(Extent { depth, zero_sized }), "{ty:?}");
    }
}

#[test]
fn every_reason_has_a_message_that_brings_it() {
    use Reason::*;
    let unit_enum = || vec![enumeration([Shape::Unit])];
    let nanos: &[u8] = &[0, 252, 0, 202, 154, 59];
    let map = || Type::Map(Box::new(Type::U16), Box::new(Type::Bool));
    let table: [Case<'_>; 19] = [
        ("a bool of 2", vec![], Type::Bool, &[2], Wire(WireError::InvalidBool)),
        ("an option of 2", vec![], option(Type::Unit), &[2], Wire(WireError::InvalidBool)),
        ("a u32 where a u16 is", vec![], Type::U16, &[252, 0, 0, 1, 0], Wire(WireError::IntegerOutOfRange)),
        ("marker 255", vec![], Type::U128, &[255], Wire(WireError::IntegerOutOfRange)),
        ("half a char", vec![], Type::Char, &[0xc3], Wire(WireError::Truncated)),
        ("a surrogate", vec![], Type::Char, &[0xed, 0xa0, 0x80], Wire(WireError::InvalidUtf8)),
        ("a string of 255", vec![], Type::String, &[1, 255], Wire(WireError::InvalidUtf8)),
        (
            "a list of 2^63 floats",
            vec![],
            list(Type::F64),
            &[253, 0, 0, 0, 0, 0, 0, 0, 128],
            Wire(WireError::Truncated),
        ),
        ("variant 1 of 1", unit_enum(), Type::Ref(0), &[1], UnknownVariant),
        ("presence 3", vec![], presence(Type::U8), &[3], UnknownVariant),
        ("presence without its value", vec![], presence(Type::U8), &[2], Wire(WireError::Truncated)),
        ("null and a value", vec![], presence(Type::U8), &[1, 7], TrailingBytes),
        ("a logical bool of 2", vec![], logical(Type::Bool), &[2], Wire(WireError::InvalidBool)),
        ("IP version 3", vec![], Type::IpAddr, &[2, 0, 0, 0, 0], UnknownVariant),
        ("10^9 ns", vec![], Type::Duration, nanos, NanosOutOfRange),
        ("a key twice", vec![], map(), &[3, 7, 0, 8, 0, 7, 1], DuplicateKey),
        ("a key twice in a map in a list", vec![], list(map()), &[2, 0, 2, 1, 0, 1, 0], DuplicateKey),
        ("a UUID of 2 bytes", vec![], Type::Uuid, &[2, 0, 0], BadUuid),
        ("a byte more", vec![], Type::Unit, &[0], TrailingBytes),
    ];
    for (what, definitions, ty, bytes, expected) in table {
        assert_eq!(reason(definitions, &ty, bytes), Err(expected), "{what}");
    }
}

#[test]
fn an_error_says_behind_which_byte_it_was_noticed() {
    let table = [
        ("a bool", Type::Bool, &[2][..], 1, "a bool or option byte is neither 0 nor 1 at byte 1"),
        ("a list of floats is passed in one step", list(Type::F32), &[3, 0, 0, 0, 0], 1, "at byte 1"),
        ("a list of bytes", list(Type::U8), &[3, 0], 1, "at byte 1"),
        ("a list of doubles", list(Type::F64), &[2, 0, 0, 0, 0, 0, 0, 0, 0], 1, "at byte 1"),
        ("a list of addresses", list(Type::Ipv6Addr), &[2; 17], 1, "at byte 1"),
        ("a list of integers is not", list(Type::U16), &[3, 0, 0], 3, "at byte 3"),
        ("what is left over", Type::U8, &[1, 2, 3], 1, "bytes after the end of the value at byte 1"),
    ];
    for (what, ty, bytes, offset, words) in table {
        let error = value(&schema([]), &ty, bytes).expect_err(what);
        assert_eq!(error.offset, offset, "{what}");
        assert!(error.to_string().ends_with(words), "{what}: {error}");
    }
}

#[test]
fn keys_are_compared_within_their_map_and_by_their_bytes() {
    let map = |key: Type, value: Type| Type::Map(Box::new(key), Box::new(value));
    let many = |twice: Option<u32>| {
        let mut bytes = Vec::new();
        let keys: Vec<u32> = (0..2000).rev().chain(twice).collect();
        put_varint(&mut bytes, keys.len() as u64);
        keys.iter().for_each(|key| put_varint(&mut bytes, u64::from(*key)));
        bytes
    };
    let table: [(&str, Type, &[u8], bool); 7] = [
        ("one key in two maps", list(map(Type::U8, Type::Unit)), &[2, 1, 9, 1, 9], true),
        (
            "one key in a map and in the map around it",
            map(Type::U8, map(Type::U8, Type::Unit)),
            &[1, 9, 1, 9],
            true,
        ),
        ("one value twice", map(Type::U8, Type::U8), &[2, 1, 9, 2, 9], true),
        ("a key that begins as another", map(Type::String, Type::Unit), &[2, 1, b'a', 2, b'a', b'a'], true),
        ("1, and 1 with a marker", map(Type::U16, Type::Unit), &[2, 1, 251, 1, 0], true),
        ("2000 keys", map(Type::U32, Type::Unit), &many(None), true),
        ("2000 keys, one of them twice", map(Type::U32, Type::Unit), &many(Some(1000)), false),
    ];
    for (what, ty, bytes, sound) in table {
        let expected = if sound { Ok(()) } else { Err(Reason::DuplicateKey) };
        assert_eq!(reason([], &ty, bytes), expected, "{what}");
    }
}
