//! Reading within the bounds, beside the guard: whatever it reads the guard accepts, and it reads what callers really send.

use super::*;
use crate::service::Schema;
use crate::{BadSchema, Message, Presence, SchemaBuilder};
use callgate_protocol::CallId;
use callgate_protocol::check::{self, Reason};
use callgate_protocol::limits::{MAX_DEPTH, MAX_ZERO_SIZED_ITEMS};
use callgate_protocol::schema::{MethodSchema, Type};
use proptest::collection::vec;
use proptest::prelude::*;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

#[derive(Debug, Serialize, Deserialize, Message)]
struct Nothing {}

#[derive(Debug, Serialize, Deserialize, Message)]
struct Name(String);

#[derive(Debug, Serialize, Deserialize, Message)]
struct Pair(i16, Name);

/// Of every kind what a reader has to refuse something of.
#[derive(Debug, Serialize, Deserialize, Message)]
enum Node {
    Leaf,
    Of(Box<Node>),
    Both(Box<Node>, Option<Box<Node>>),
    Many { all: Vec<Node>, named: HashMap<String, Node> },
    Empty {},
    Units(Vec<()>, [Nothing; 2]),
    Scalars(bool, char, (u16, i64, u128), f32),
    Known(uuid::Uuid, IpAddr, crate::Timestamp, crate::Bytes),
    Keys(BTreeMap<u8, bool>, BTreeSet<u16>),
    Other(Patch),
}

#[derive(Debug, Serialize, Deserialize, Message)]
struct Patch {
    pair: Pair,
    name: Presence<Name>,
}

#[derive(Debug, Serialize, Deserialize, Message)]
struct Chain {
    next: Vec<Chain>,
}

/// The schema of a method whose only argument and whose result are of that type.
fn schema<T: Message>() -> Schema {
    let describe: fn() -> Result<MethodSchema, BadSchema> = || {
        let mut builder = SchemaBuilder::new();
        let response = T::describe(&mut builder);
        let method = MethodSchema::new(builder.request("Request", Vec::new()), response, Vec::new());
        builder.complete(method)
    };
    let (call_id, streams, cache) = (CallId::of("test", "test"), Default::default(), OnceLock::new());
    let method = crate::service::Method {
        service: "test",
        name: "test",
        call_id,
        idempotent: false,
        streams,
        describe,
        cache,
    };
    assert!(method.schema().is_ok());
    method.cache.into_inner().unwrap().unwrap()
}

/// Asserts of bytes: what is read within the bounds is what the guard accepts and what is read without. Whether they were read.
fn assert_agrees<T: Message + fmt::Debug>(schema: &Schema, bytes: &[u8]) -> bool {
    let ty: &Type = &schema.schema.response;
    let verdict = check::value(&schema.schema, ty, bytes);
    let read = schema.read::<T>(ty, bytes);
    assert_eq!(read.as_ref().err(), verdict.as_ref().err(), "{bytes:?}");
    let Ok(Some(value)) = read else { return false };
    let plainly = super::read::<T>(bytes).expect("it was read before");
    // Maps by hashes have no order.
    let (mut one, mut other) = (Vec::new(), Vec::new());
    write(&value, &mut one).unwrap();
    write(&plainly, &mut other).unwrap();
    one.sort_unstable();
    other.sort_unstable();
    assert_eq!(one, other, "{bytes:?}");
    true
}

/// Bytes that often are a value, or nearly one: numbers of variants, lengths and flags are small.
fn tape() -> impl Strategy<Value = Vec<u8>> {
    let byte = prop_oneof![8 => 0..4_u8, 4 => 4..12_u8, 1 => Just(b'a'), 1 => any::<u8>()];
    vec(byte, 0..40)
}

/// The node that such bytes begin with, written again.
fn node_of(tape: &[u8]) -> Option<(Node, Vec<u8>)> {
    let mut reader = read::ValueReader::new(tape, Bounds::of_message(tape.len()));
    let node = Node::deserialize(&mut reader).ok()?;
    let mut bytes = Vec::new();
    write(&node, &mut bytes).ok()?;
    Some((node, bytes))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn what_is_read_within_the_bounds_is_what_the_guard_accepts(tape in tape(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let schema = schema::<Node>();
        assert_agrees::<Node>(&schema, &tape);
        if let Some((node, mut bytes)) = node_of(&tape) {
            // There may be more units than bytes, which the guard has to judge.
            let has_units = format!("{node:?}").contains("Units");
            let is_read = assert_agrees::<Node>(&schema, &bytes);
            assert!(is_read || has_units, "a value is read at once: {node:?}");
            let at = at.index(bytes.len());
            assert_agrees::<Node>(&schema, &bytes[..at]);
            bytes[at] = byte;
            assert_agrees::<Node>(&schema, &bytes);
            bytes.insert(at, byte);
            assert_agrees::<Node>(&schema, &bytes);
        }
    }
}

#[test]
fn what_the_guard_refuses_is_refused_with_its_reason() {
    let schema = schema::<Node>();
    let reason = |bytes: &[u8]| {
        assert!(!assert_agrees::<Node>(&schema, bytes));
        let refused = schema.read::<Node>(&schema.schema.response, bytes);
        refused.expect_err("it is refused").reason
    };
    assert_eq!(reason(&[1; 1_000_000]), Reason::TooDeep);
    assert_eq!(reason(&[5, 252, 0, 0, 0, 16]), Reason::TooManyZeroSizedItems);
    assert_eq!(reason(&[8, 2, 7, 0, 7, 1, 0]), Reason::DuplicateKey);
    assert_eq!(reason(&[3, 0, 2, 1, b'a', 0, 1, b'a', 0]), Reason::DuplicateKey);
    assert_eq!(reason(&[0, 0]), Reason::TrailingBytes);
    assert_eq!(reason(&[10]), Reason::UnknownVariant);
    assert_eq!(reason(&[7, 2, 0, 0]), Reason::BadUuid);
}

#[test]
fn the_deepest_value_is_read_and_one_deeper_is_not() {
    let schema = schema::<Chain>();
    // Each level is a struct and its list.
    let chain = |levels: usize| [&vec![1; levels - 1][..], &[0]].concat();
    assert!(assert_agrees::<Chain>(&schema, &chain(MAX_DEPTH / 2)));
    assert!(!assert_agrees::<Chain>(&schema, &chain(MAX_DEPTH / 2 + 1)));
}

#[test]
fn where_the_bounds_are_narrower_the_guard_has_the_word() {
    // 300 units are more items than the message has bytes.
    let units = schema::<Vec<()>>();
    let read = units.read::<Vec<()>>(&units.schema.response, &[251, 44, 1]);
    assert!(matches!(read, Ok(None)), "{read:?}");
    let most = MAX_ZERO_SIZED_ITEMS as u32;
    for (count, accepted) in [(most, true), (most + 1, false)] {
        let bytes = [&[252][..], &count.to_le_bytes()].concat();
        assert_eq!(units.read::<Vec<()>>(&units.schema.response, &bytes).is_ok(), accepted, "{count}");
    }
    // An address is an enum for serde, and no level in JSON.
    let address = schema::<Vec<IpAddr>>();
    assert!(assert_agrees::<Vec<IpAddr>>(&address, &[1, 0, 127, 0, 0, 1]));
}

#[test]
fn nanoseconds_of_a_second_or_more_are_refused_though_serde_takes_them() {
    let bytes = [0, 252, 0, 202, 154, 59];
    assert!(super::read_unchecked::<Duration>(&bytes).is_ok());
    let inside = (schema::<Duration>(), schema::<BTreeMap<u8, Option<Vec<Duration>>>>());
    let refused = inside.0.read::<Duration>(&inside.0.schema.response, &bytes);
    assert_eq!(refused.expect_err("it is refused").reason, Reason::NanosOutOfRange);
    assert!(inside.0.walked && inside.1.walked && !schema::<Node>().walked);
}

#[test]
fn items_that_cannot_be_there_get_no_room() {
    // Each list says that it has as many items as there are bytes.
    let bytes = [[252, 0, 0, 1, 0].repeat(60), vec![0; 65_536]].concat();
    assert!(matches!(super::read_unchecked::<Vec<Chain>>(&bytes), Err(CodecError::OutOfBounds)));
}
