//! What lies exactly at a bound, and what is said of what lies beyond it.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::limits::MAX_ZERO_SIZED_ITEMS;
use callgate_protocol::schema::{MethodSchema, Shape, Type};
use callgate_transcode::json::validate;
use callgate_transcode::{DecodeReason, ResponseBinding, ResponseProgram, Violation, ViolationKind};
use support::{encode, enumeration, field, list, method, method_of, structure, variant, whole};

/// What is wrong with `x`, a field of that type, when its value is this.
fn refused(x: Type, body: &str) -> Vec<Violation> {
    let schema = method(vec![structure(vec![field("x", x), field("y", Type::U8)])]);
    encode(&whole(&schema), body.as_bytes()).unwrap_err()
}

#[test]
fn a_value_of_another_type_is_called_what_it_is() {
    for (value, got) in [
        ("\"7\"", "a string"),
        ("7", "a number"),
        ("-7", "a number"),
        ("true", "a boolean"),
        ("false", "a boolean"),
        ("null", "null"),
        ("{}", "an object"),
        ("[7]", "an array"),
    ] {
        let x = if got == "an array" { Type::U8 } else { list(Type::U8) };
        let told = refused(x, &format!("{{\"x\":{value},\"y\":1}}"));
        assert_eq!(told.len(), 1, "{value}");
        assert_eq!(told[0].kind, ViolationKind::WrongType, "{value}");
        assert!(told[0].detail.ends_with(&format!("got {got}")), "{value}: {}", told[0].detail);
    }
}

#[test]
fn what_stands_where_a_value_should_is_shown_as_it_can_be_printed() {
    for (body, got) in [
        ("{\"x\":}", "got `}`"),
        ("{\"x\":\u{1}}", "got `\\u{1}`"),
        ("{\"x\":", "got the end of the document"),
    ] {
        let told = refused(Type::U8, body);
        assert_eq!(told.len(), 1);
        assert!(told[0].detail.ends_with(got), "{}", told[0].detail);
    }
}

#[test]
fn a_key_that_comes_twice_hides_nothing_that_is_wrong_before_it_and_what_is_no_json_does() {
    let schema = method(vec![structure(vec![field("x", Type::U8), field("y", Type::Json)])]);
    let wrong = |body: &str| encode(&whole(&schema), body.as_bytes()).unwrap_err().len();
    assert_eq!(wrong(r#"{"z":1,"x":3,"y":{"a":1,"a":2}}"#), 2);
    assert_eq!(wrong(r#"{"z":1,"x":3,"y":{"a":1,"a"}}"#), 1);
}

#[test]
fn a_key_that_comes_twice_in_a_document_is_told_by_where_it_is() {
    let told = validate(b"{\"a\":{\"b\":1,\n\"b\":2}}").unwrap_err();
    assert_eq!((&*told.pointer, told.line, told.column), ("/a/b", Some(2), Some(1)));
}

#[test]
fn a_duration_is_no_finer_than_nanoseconds_however_many_digits_it_has() {
    for (text, accepted) in [
        ("0.5ns", false),
        ("0.000000001s", true),
        ("0.0000000001s", false),
        ("0.1000000000000000000000000000s", true),
        ("0.1234567890123456789h", false),
        ("0.12345678901234567890123h", false),
    ] {
        let schema = method(vec![structure(vec![field("x", Type::Duration)])]);
        let encoded = encode(&whole(&schema), format!("{{\"x\":\"{text}\"}}").as_bytes());
        assert_eq!(encoded.is_ok(), accepted, "{text}");
    }
}

#[test]
fn a_number_of_more_digits_than_are_kept_is_the_nearest_all_the_same() {
    let schema = method(vec![structure(vec![field("x", Type::F64)])]);
    for text in [
        "9007199254740992",
        "9007199254740993",
        "1234567890123456789",
        "18446744073709551616",
        "18446744073709551617",
        "36893488147419103233.5",
        "-18446744073709551616",
        "1.8446744073709551616",
        "184467440737095516160000000000000000000001",
        "0.00000000000000000000000000000000018446744073709551616",
    ] {
        let bytes = encode(&whole(&schema), format!("{{\"x\":{text}}}").as_bytes()).unwrap();
        assert_eq!(bytes, text.parse::<f64>().unwrap().to_le_bytes(), "{text}");
    }
}

fn response(of: Type) -> ResponseProgram {
    let schema = MethodSchema { response: of, ..method_of(Type::Unit) };
    ResponseProgram::compile(&schema, &ResponseBinding::default()).unwrap()
}

/// The number of entries, as a message has it.
fn count(n: usize) -> Vec<u8> {
    [&[252][..], &u32::try_from(n).unwrap().to_le_bytes()].concat()
}

#[test]
fn so_many_values_without_content_are_shown_and_no_more_at_once_and_in_steps() {
    let program = response(list(Type::Unit));
    for (items, fits) in [(MAX_ZERO_SIZED_ITEMS, true), (MAX_ZERO_SIZED_ITEMS + 1, false)] {
        let (message, mut at_once, mut in_steps) = (count(items), Vec::new(), Vec::new());
        assert_eq!(program.decode(&message, &mut at_once).is_ok(), fits, "{items}");
        let mut decoding = program.begin(&message);
        let ended = loop {
            match decoding.advance(&mut in_steps, 64 * 1024) {
                Ok(false) => {}
                ended => break ended.is_ok(),
            }
        };
        assert_eq!(ended, fits, "{items}");
        assert!(!fits || at_once == in_steps);
    }
}

#[test]
fn an_answer_may_have_as_many_bytes_as_it_may_and_no_more() {
    let definitions = vec![structure(vec![]), enumeration(vec![variant("Red", Shape::Unit)])];
    let schema = MethodSchema { response: Type::Ref(1), ..method(definitions) };
    let program = ResponseProgram::compile(&schema, &ResponseBinding::default()).unwrap();
    let within = |most| program.decode_within(&[0], &mut Vec::new(), most).map_err(|error| error.reason);
    assert_eq!([within(5), within(4)], [Ok(()), Err(DecodeReason::TooLong)]);
}

/// The most that is held for each of so many keys, while this is shown in steps.
fn held_for_each(program: &ResponseProgram, message: &[u8], keys: usize) -> usize {
    let mut decoding = program.begin(message);
    let (mut out, mut held) = (Vec::new(), 0);
    assert_eq!(decoding.held(), 0);
    while !decoding.advance(&mut out, 1000).unwrap() {
        held = held.max(decoding.held());
    }
    held / keys
}

#[test]
fn what_a_decoding_holds_is_what_the_keys_of_its_open_maps_and_objects_take() {
    let map = response(Type::Map(Box::new(Type::U16), Box::new(Type::U8)));
    let maps = response(list(Type::Map(Box::new(Type::U16), Box::new(Type::U8))));
    let json = response(Type::Json);
    let each = |n: u16| {
        let mut entries = count(n.into());
        (0..n).for_each(|key| entries.extend([&[251][..], &(key + 1000).to_le_bytes(), &[7]].concat()));
        let members: Vec<String> = (0..n).map(|key| format!("\"{key}\":{key}")).collect();
        let text = format!("{{{}}}", members.join(","));
        let document = [&count(text.len())[..], text.as_bytes()].concat();
        // One after the other: those of one at a time.
        let several = [&[5][..], &entries.repeat(5)].concat();
        [(&map, entries), (&maps, several), (&json, document)]
            .map(|(of, message)| held_for_each(of, &message, n.into()))
    };
    let (few, many) = (each(10_000), each(20_000));
    assert!(
        few.iter().chain(&many).all(|each| (8..100).contains(each)),
        "{few:?}, {many:?} bytes for each key"
    );
    assert!(few.iter().zip(many).all(|(few, many)| few.abs_diff(many) <= 1), "{few:?}, {many:?}");
    assert_eq!(few[0], few[1]);
}
