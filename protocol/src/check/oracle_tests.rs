//! The guard held against bincode: it accepts exactly what bincode writes and reads.

use super::tests::{array, enumeration, field, list, option, schema, structure};
use super::*;
use crate::generate::{self, tapes};
use crate::wire::WireError;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

proptest! {
    #![proptest_config(crate::generate::runs(300))]

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
            structure([Type::Tuple(small.into()), Type::Tuple(large.into()), Type::Ref(1), map]),
            enumeration([
                Shape::Unit,
                Shape::Newtype(option(Type::U32)),
                Shape::Tuple(vec![Type::Ref(1), Type::Ref(1)]),
                Shape::Struct(vec![field("all", list(Type::Ref(0)))]),
            ]),
        ])
    }
}
