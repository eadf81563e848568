//! What the guard lets through and what it stops, held against what bincode itself writes and reads.

use super::*;
use crate::generate::{self, tapes};
use crate::schema::{EnumDef, StructDef, Variant};
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

fn field(name: &str, ty: Type) -> Field {
    Field {
        name: name.into(),
        aliases: Vec::new(),
        doc: String::new(),
        ty,
        default: None,
    }
}

fn structure(fields: impl IntoIterator<Item = Type>) -> Definition {
    let fields = fields.into_iter().enumerate();
    Definition::Struct(StructDef {
        name: "S".into(),
        doc: String::new(),
        fields: fields.map(|(n, ty)| field(&format!("f{n}"), ty)).collect(),
    })
}

fn enumeration(shapes: impl IntoIterator<Item = Shape>) -> Definition {
    let shapes = shapes.into_iter().enumerate();
    Definition::Enum(EnumDef {
        name: "E".into(),
        doc: String::new(),
        variants: shapes
            .map(|(n, shape)| Variant {
                name: format!("V{n}"),
                aliases: Vec::new(),
                doc: String::new(),
                shape,
            })
            .collect(),
    })
}

fn schema(definitions: impl IntoIterator<Item = Definition>) -> MethodSchema {
    MethodSchema {
        doc: String::new(),
        request: Type::Ref(0),
        response: Type::Unit,
        definitions: definitions.into_iter().collect(),
    }
}

fn list(item: Type) -> Type {
    Type::List(Box::new(item))
}

fn array(item: Type, length: u32) -> Type {
    Type::Array(Box::new(item), length)
}

fn option(inner: Type) -> Type {
    Type::Option(Box::new(inner))
}

fn reason(definitions: impl IntoIterator<Item = Definition>, ty: &Type, bytes: &[u8]) -> Result<(), Reason> {
    value(&schema(definitions), ty, bytes).map_err(|error| error.reason)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn exactly_what_bincode_writes_is_accepted(tape in tapes()) {
        let schema = generate::schema(&tape);
        for ty in [&schema.request, &schema.response] {
            let bytes = generate::value(&tape, &schema, ty);
            prop_assert_eq!(value(&schema, ty, &bytes), Ok(()));
            let longer = [&bytes[..], &[0]].concat();
            let trailing = CheckError { offset: bytes.len(), reason: Reason::TrailingBytes };
            prop_assert_eq!(value(&schema, ty, &longer), Err(trailing));
            for end in 0..bytes.len().min(64) {
                let truncated = value(&schema, ty, &bytes[..end]).map_err(|e| e.reason);
                prop_assert_eq!(truncated, Err(Reason::Wire(WireError::Truncated)));
            }
        }
    }

    #[test]
    fn random_bytes_end_in_a_verdict(tape in tapes(), bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let schema = generate::schema(&tape);
        let _ = value(&schema, &schema.response, &bytes);
        let _ = value(&schema, &Type::Ref(u32::MAX), &bytes);
    }

    #[test]
    fn what_passes_bincode_decodes_and_what_bincode_refuses_does_not_pass(
        small in any::<(u16, i32, i64, bool, i8)>(),
        large in any::<(u128, i128, f64, char, String)>(),
        tree in (0u8..4, any::<Option<u32>>()),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
    ) {
        let nested = Everything { tree: Tree::Leaf(tree.1), ..Everything::default() };
        let everything = Everything {
            small,
            large,
            tree: match tree.0 {
                0 => Tree::Leaf(tree.1),
                1 => Tree::Empty,
                2 => Tree::Both(Box::new(Tree::Empty), Box::new(Tree::Leaf(None))),
                _ => Tree::Deep { all: vec![nested] },
            },
            map: BTreeMap::from([("k".into(), [1.5, 2.5])]),
        };
        let config = bincode::config::standard();
        let mut bytes = bincode::serde::encode_to_vec(&everything, config).expect("encodes");
        for (index, byte) in flips {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        let decoded = bincode::serde::decode_from_slice::<Everything, _>(&bytes, config);
        let whole = matches!(decoded, Ok((_, read)) if read == bytes.len());
        prop_assert_eq!(value(&Everything::schema(), &Type::Ref(0), &bytes).is_ok(), whole);
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Everything {
    small: (u16, i32, i64, bool, i8),
    large: (u128, i128, f64, char, String),
    tree: Tree,
    map: BTreeMap<String, [f32; 2]>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
enum Tree {
    #[default]
    Empty,
    Leaf(Option<u32>),
    Both(Box<Tree>, Box<Tree>),
    Deep {
        all: Vec<Everything>,
    },
}

impl Everything {
    fn schema() -> MethodSchema {
        let small = [Type::U16, Type::I32, Type::I64, Type::Bool, Type::I8];
        let large = [Type::U128, Type::I128, Type::F64, Type::Char, Type::String];
        let map = Type::Map(Box::new(Type::String), Box::new(array(Type::F32, 2)));
        schema([
            structure([
                Type::Tuple(small.into()),
                Type::Tuple(large.into()),
                Type::Ref(1),
                map,
            ]),
            enumeration([
                Shape::Unit,
                Shape::Newtype(option(Type::U32)),
                Shape::Tuple(vec![Type::Ref(1), Type::Ref(1)]),
                Shape::Struct(vec![field("all", list(Type::Ref(0)))]),
            ]),
        ])
    }
}

#[test]
fn a_megabyte_of_ones_into_a_recursive_enum_is_refused() {
    let tree = enumeration([Shape::Unit, Shape::Newtype(Type::Ref(0))]);
    assert_eq!(
        reason([tree], &Type::Ref(0), &vec![1; 1_000_000]),
        Err(Reason::TooDeep)
    );
}

#[test]
fn five_bytes_that_claim_268_million_units_are_refused() {
    let bytes = [252, 0, 0, 0, 16];
    assert_eq!(
        reason([], &list(Type::Unit), &bytes),
        Err(Reason::TooManyZeroSizedItems)
    );
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
        (
            "empty arrays in an array",
            vec![],
            array(array(Type::U8, 0), u32::MAX),
        ),
        ("empty tuples", vec![], array(Type::Tuple(vec![]), u32::MAX)),
        (
            "empty structs",
            vec![structure([])],
            array(Type::Ref(0), many + 1),
        ),
        (
            "fields of items",
            vec![structure([Type::Unit, Type::Unit])],
            array(Type::Ref(0), many / 2 + 1),
        ),
        (
            "fields of a tuple",
            vec![],
            Type::Tuple(vec![Type::Unit; many as usize + 1]),
        ),
        (
            "structs that double at each of 100 levels",
            pairs(100),
            Type::Ref(0),
        ),
    ];
    for (what, definitions, ty) in table {
        assert_eq!(
            reason(definitions, &ty, &[]),
            Err(Reason::TooManyZeroSizedItems),
            "{what}"
        );
    }
    assert_eq!(
        reason([], &array(Type::Unit, many), &[]),
        Ok(()),
        "the bound itself"
    );
}

#[test]
fn a_byte_buys_a_zero_sized_value() {
    // 100,000 items of a byte each, each with a unit beside it.
    let count = 100_000u32;
    let bytes = [&[252][..], &count.to_le_bytes(), &vec![7; count as usize]].concat();
    let item = structure([Type::U8, Type::Unit]);
    assert_eq!(reason([item], &list(Type::Ref(0)), &bytes), Ok(()));
}

/// `levels` containers around a u8, one in the other, and the bytes of such a value.
#[test]
fn depth_is_counted_as_json_shows_it_and_128_is_the_last() {
    let recursive = |shape: fn(Type) -> Shape| vec![enumeration([Shape::Unit, shape(Type::Ref(0))])];
    // What one level looks like, the bytes that open it, the bytes that end it all, and what a level counts.
    let table: [(&str, Vec<Definition>, &[u8], &[u8], usize); 6] = [
        ("struct", vec![structure([option(Type::Ref(0))])], &[1], &[0], 1),
        (
            "list in a struct",
            vec![structure([list(Type::Ref(0))])],
            &[1],
            &[0],
            2,
        ),
        ("newtype variant", recursive(Shape::Newtype), &[1], &[0], 1),
        (
            "tuple variant",
            recursive(|ty| Shape::Tuple(vec![ty])),
            &[1],
            &[0],
            2,
        ),
        (
            "struct variant",
            recursive(|ty| Shape::Struct(vec![field("f", ty)])),
            &[1],
            &[0],
            2,
        ),
        (
            "map in a struct",
            vec![structure([Type::Map(Box::new(Type::U8), Box::new(Type::Ref(0)))])],
            &[1, 9],
            &[0],
            2,
        ),
    ];
    for (what, definitions, open, end, counts) in table {
        // A struct is itself a level at the innermost end; a unit variant is none.
        let innermost = if matches!(definitions[0], Definition::Struct(_)) {
            counts
        } else {
            0
        };
        let levels = (MAX_DEPTH - innermost) / counts;
        let bytes = |levels: usize| [open.repeat(levels), end.to_vec()].concat();
        assert_eq!(
            reason(definitions.clone(), &Type::Ref(0), &bytes(levels)),
            Ok(()),
            "{what}"
        );
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
fn every_reason_has_a_message_that_brings_it() {
    use Reason::*;
    let unit_enum = || vec![enumeration([Shape::Unit])];
    let nanos: &[u8] = &[0, 252, 0, 202, 154, 59];
    let table: [(&str, Vec<Definition>, Type, &[u8], Reason); 13] = [
        (
            "a bool of 2",
            vec![],
            Type::Bool,
            &[2],
            Wire(WireError::InvalidBool),
        ),
        (
            "an option of 2",
            vec![],
            option(Type::Unit),
            &[2],
            Wire(WireError::InvalidBool),
        ),
        (
            "a u32 where a u16 is",
            vec![],
            Type::U16,
            &[252, 0, 0, 1, 0],
            Wire(WireError::IntegerOutOfRange),
        ),
        (
            "marker 255",
            vec![],
            Type::U128,
            &[255],
            Wire(WireError::IntegerOutOfRange),
        ),
        (
            "half a char",
            vec![],
            Type::Char,
            &[0xc3],
            Wire(WireError::Truncated),
        ),
        (
            "a surrogate",
            vec![],
            Type::Char,
            &[0xed, 0xa0, 0x80],
            Wire(WireError::InvalidUtf8),
        ),
        (
            "a string of 255",
            vec![],
            Type::String,
            &[1, 255],
            Wire(WireError::InvalidUtf8),
        ),
        (
            "a list of 2^63 floats",
            vec![],
            list(Type::F64),
            &[253, 0, 0, 0, 0, 0, 0, 0, 128],
            Wire(WireError::Truncated),
        ),
        ("variant 1 of 1", unit_enum(), Type::Ref(0), &[1], UnknownVariant),
        (
            "IP version 3",
            vec![],
            Type::IpAddr,
            &[2, 0, 0, 0, 0],
            UnknownVariant,
        ),
        ("10^9 ns", vec![], Type::Duration, nanos, NanosOutOfRange),
        ("a UUID of 2 bytes", vec![], Type::Uuid, &[2, 0, 0], BadUuid),
        ("a byte more", vec![], Type::Unit, &[0], TrailingBytes),
    ];
    for (what, definitions, ty, bytes, expected) in table {
        assert_eq!(reason(definitions, &ty, bytes), Err(expected), "{what}");
    }
}
