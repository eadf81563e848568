//! Decoding in steps against decoding at once: the same bytes whatever the steps are, and bounds that hold within each.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::limits::MAX_ZERO_SIZED_ITEMS;
use callgate_protocol::schema::{Definition, MethodSchema, Shape, Type};
use callgate_protocol::wire::{put_bytes, put_varint, put_zigzag};
use callgate_transcode::{DecodeError, DecodeReason, MIN_STEP, Response, ResponseBinding, ResponseProgram};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use support::generate::{runs, values};
use support::value::bincode_of;
use support::{enumeration, field, list, method, method_of, structure, variant};

fn program(schema: &MethodSchema) -> ResponseProgram {
    ResponseProgram::compile(schema, &ResponseBinding::default()).unwrap()
}

fn at_once(program: &ResponseProgram, message: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut out = Vec::new();
    program.decode(message, &mut out).map(|()| out)
}

/// All of it, by steps of that size, each checked for its bound.
fn in_steps(program: &ResponseProgram, message: &[u8], most: usize) -> Result<Vec<u8>, DecodeError> {
    let mut decoding = program.begin(message);
    let mut out = Vec::new();
    loop {
        let before = out.len();
        let done = decoding.advance(&mut out, most)?;
        assert!(out.len() - before <= most);
        if done {
            assert!(decoding.advance(&mut out, most).unwrap(), "it stays at its end");
            return Ok(out);
        }
    }
}

/// Equal results; and equal reasons, but for a key that is there twice, which is noticed sooner in steps.
fn assert_same(program: &ResponseProgram, message: &[u8], most: usize) {
    match (at_once(program, message), in_steps(program, message, most)) {
        (Err(_), Err(error)) if error.reason == DecodeReason::DuplicateKey => {}
        (expected, found) => assert_eq!(found, expected, "by {most}"),
    }
}

/// A schema that no instance could tell, since its names are longer than they may be: the bounds here do not lean on that.
fn unchecked(definitions: Vec<Definition>) -> MethodSchema {
    MethodSchema::new(Type::Ref(0), Type::Ref(0), definitions)
}

fn map(key: Type, value: Type) -> Type {
    Type::Map(Box::new(key), Box::new(value))
}

proptest! {
    #![proptest_config(runs(3_000))]

    #[test]
    fn any_step_gives_the_same_bytes((schema, value, _) in values(), most in MIN_STEP..3 * MIN_STEP) {
        let bytes = bincode_of(&schema, &schema.response, &value);
        assert_same(&program(&schema), &bytes, most);
    }

    #[test]
    fn what_is_refused_at_once_is_refused_in_steps(
        (schema, value, _) in values(),
        mutations in vec((any::<Index>(), 0..3, any::<u8>()), 10),
    ) {
        let bytes = bincode_of(&schema, &schema.response, &value);
        let program = program(&schema);
        for (at, how, byte) in mutations.into_iter().filter(|_| !bytes.is_empty()) {
            let mut bytes = bytes.clone();
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte % 3),
            }
            assert_same(&program, &bytes, MIN_STEP);
        }
    }

    /// Every field of a struct, and the whole of it under a name.
    #[test]
    fn a_field_alone_and_a_wrapped_value_are_the_same_in_steps((schema, value, _) in values()) {
        let bytes = bincode_of(&schema, &schema.response, &value);
        let names = (0..4).map(|n| Response::Field(format!("f{n}")));
        for shape in names.chain([Response::Wrap("w".repeat(2 * MIN_STEP))]) {
            let binding = ResponseBinding { shape, ..ResponseBinding::default() };
            if let Ok(program) = ResponseProgram::compile(&schema, &binding) {
                assert_same(&program, &bytes, MIN_STEP);
            }
        }
    }

}

proptest! {
    #![proptest_config(runs(150))]

    /// Texts of all kinds that are longer than a step, cut at any place.
    #[test]
    fn long_texts_are_the_same_in_steps(
        part in "[a-z\"\\\\\u{1}\u{e9}\u{1f600}\n]{1,9}", times in 1_000..4_000_usize, most in MIN_STEP..2 * MIN_STEP,
        broken in any::<Option<Index>>(),
    ) {
        let text = part.repeat(times);
        let document = format!("[1,\n {{\"a\": {} , \"b\\n\":\t[]}},{} ]", quoted(&text), "2 ,".repeat(times) + "3");
        let strings = [text.as_bytes(), document.as_bytes()];
        for (ty, bytes) in [(Type::String, strings[0]), (Type::Bytes, strings[0]), (Type::Json, strings[1])] {
            let mut message = Vec::new();
            put_bytes(&mut message, bytes);
            if let Some(at) = broken {
                let at = at.index(message.len());
                message[at] ^= 0x80;
            }
            assert_same(&program(&method_of(ty)), &message, most);
        }
        let entry = [&[1], &*bincode_string(&text)].concat();
        assert_same(&program(&method_of(map(Type::String, Type::Unit))), &entry, most);
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

fn bincode_string(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_bytes(&mut bytes, text.as_bytes());
    bytes
}

#[test]
fn long_names_are_the_same_in_steps() {
    let name = "n".repeat(3 * MIN_STEP);
    let schema = unchecked(vec![
        structure(vec![field(&name, list(Type::Ref(1))), field(&name.to_uppercase(), Type::Unit)]),
        enumeration(vec![
            variant(&name, Shape::Unit),
            variant("m", Shape::Newtype(map(Type::Ref(2), Type::U8))),
        ]),
        enumeration(vec![variant(&name, Shape::Unit), variant("k", Shape::Unit)]),
    ]);
    let message = [3, 0, 1, 2, 0, 7, 1, 8, 0];
    let json = at_once(&program(&schema), &message).unwrap();
    serde_json::from_slice::<serde_json::Value>(&json).unwrap();
    for most in [MIN_STEP, MIN_STEP + 1, 5 * MIN_STEP, 1 << 20] {
        assert_eq!(in_steps(&program(&schema), &message, most).as_ref(), Ok(&json));
    }
    let twice = [3, 0, 1, 2, 0, 7, 0, 8, 0];
    assert_same(&program(&schema), &twice, MIN_STEP);
}

#[test]
fn line_breaks_around_a_document_are_left_out_in_steps_too() {
    for text in ["\r1", "1\n", " \n[ 1 , \"\\n \" ] ", " [1] "] {
        let program = program(&method_of(Type::Json));
        assert_same(&program, &bincode_string(text), MIN_STEP);
    }
}

#[test]
fn a_key_that_is_there_twice_is_noticed_where_it_comes_however_it_is_encoded() {
    let schema = method_of(map(Type::I32, Type::U8));
    let mut message = Vec::new();
    put_varint(&mut message, 100_000);
    for key in 0..50_000 {
        put_zigzag(&mut message, key);
        message.push(1);
    }
    let before = message.len();
    // The number 2, zigzagged 4, in three bytes.
    message.extend_from_slice(&[251, 4, 0, 1]);
    let error = in_steps(&program(&schema), &message, 16 * MIN_STEP).unwrap_err();
    assert_eq!((error.reason, error.offset), (DecodeReason::DuplicateKey, before + 3));
}

/// Runs as long as there is less JSON than `most`; the steps that it took, and the most that it held.
fn bounded(program: &ResponseProgram, message: &[u8], most: usize) -> (usize, usize) {
    const STEP: usize = 64 * 1024;
    let mut decoding = program.begin(message);
    let (mut steps, mut total, mut held) = (0, 0, 0);
    let mut out = Vec::with_capacity(STEP);
    while total < most {
        out.clear();
        let done = decoding.advance(&mut out, STEP).unwrap();
        assert_eq!(out.capacity(), STEP, "a step never needs more room than it was given");
        total += out.len();
        held = held.max(decoding.held());
        steps += 1;
        assert!(!done, "it is longer");
    }
    (steps, held)
}

#[test]
fn what_becomes_far_longer_than_it_was_ends_at_a_bound() {
    const MOST: usize = 8 << 20;
    // A megabyte of zeros becomes 22 of JSON.
    let zeros = [&[252, 0, 0, 16, 0][..], &vec![0; 1 << 20]].concat();
    let schema = method(vec![
        structure(vec![field("v", list(Type::Ref(1)))]),
        structure(vec![field("a_long_name", Type::U8)]),
    ]);
    let (steps, _) = bounded(&program(&schema), &zeros, MOST);
    assert!((MOST / 65_536..=2 * MOST / 65_536).contains(&steps), "{steps}");

    // Three bytes become 1.97 GB: 32,767 times a name of 60,000 bytes.
    let hollow = structure(vec![field(&"n".repeat(60_000), Type::Unit)]);
    let schema = unchecked(vec![structure(vec![field("v", list(Type::Ref(1)))]), hollow]);
    let few = [251, 255, 127];
    assert!(few.len() == 3 && 2 * 32_767 < MAX_ZERO_SIZED_ITEMS);
    let (steps, _) = bounded(&program(&schema), &few, MOST);
    assert!((MOST / 65_536..=2 * MOST / 65_536).contains(&steps), "{steps}");
    let error = program(&schema).decode_within(&few, &mut Vec::new(), MOST).unwrap_err();
    assert_eq!(error.reason, DecodeReason::TooLong);
}

#[test]
fn at_once_no_more_is_written_than_the_bound_and_one_value() {
    let longer = |ty: Type, message: &[u8]| {
        let mut out = Vec::new();
        let error = program(&method_of(ty)).decode_within(message, &mut out, 1000).unwrap_err();
        assert_eq!(error.reason, DecodeReason::TooLong);
        assert!(out.len() < 1100, "{}", out.len());
    };
    let zeros = [&[251, 0, 16][..], &[0; 4096]].concat();
    longer(list(Type::U8), &zeros);
    longer(Type::Array(Box::new(Type::Unit), 60_000), &[]);
    longer(list(Type::Unit), &[251, 0, 200]);
    longer(list(Type::Option(Box::new(Type::U8))), &zeros);
    let keys: Vec<u8> = (0..200).flat_map(|key| [key, 0]).collect();
    longer(map(Type::U8, Type::Bool), &[&[200][..], &keys].concat());
}

#[test]
fn what_is_not_shown_takes_steps_and_no_room() {
    let schema = method(vec![structure(vec![field("hidden", list(Type::U8)), field("shown", Type::U8)])]);
    let binding =
        ResponseBinding { shape: Response::Field("shown".to_owned()), ..ResponseBinding::default() };
    let program = ResponseProgram::compile(&schema, &binding).unwrap();
    let message = [&[252, 0, 0, 16, 0][..], &vec![0; 1 << 20], &[7]].concat();
    let mut decoding = program.begin(&message);
    let (mut out, mut steps) = (Vec::new(), 0);
    while !decoding.advance(&mut out, 65_536).unwrap() {
        assert!(out.is_empty());
        steps += 1;
    }
    assert_eq!(out, b"7");
    assert!(steps > 50, "{steps}");
}
