//! Conversions between random schemas: what is the same stays the same, what is no message is refused, and the way
//! over JSON gives the same message.
#![allow(clippy::unwrap_used)]

mod support;

use callgate_protocol::check;
use callgate_protocol::schema::MethodSchema;
use callgate_transcode::{
    ConvertReason, Converter, Misfit, RequestBinding, RequestProgram, UnknownFields, Violation, ViolationKind,
};
use proptest::prelude::*;
use support::evolve::evolved;
use support::generate::{Random, plain_values, runs};
use support::value::bincode_of;
use support::{decode, encode};

const MOST: usize = 1 << 20;

fn converter(from: &MethodSchema, to: &MethodSchema) -> Result<Converter, Misfit> {
    Converter::compile((from, &from.request), (to, &to.request))
}

fn converted(converter: &Converter, message: &[u8]) -> Option<Vec<u8>> {
    let mut out = b"before".to_vec();
    converter.run(message, &mut out, MOST).ok()?;
    Some(out.split_off(6))
}

/// The same over JSON, as the gateway would, with fields ignored that nobody knows.
fn over_json(from: &MethodSchema, to: &MethodSchema, message: &[u8]) -> Result<Vec<u8>, Refused> {
    let json = decode(from, message).unwrap();
    let ignoring = RequestBinding { unknown_fields: UnknownFields::Ignore, ..RequestBinding::default() };
    let program = RequestProgram::compile(to, &ignoring).unwrap();
    encode(&program, json.as_bytes()).map_err(|violations| {
        let is_twice = |violation: &Violation| violation.kind == ViolationKind::Constraint;
        if violations.iter().all(is_twice) { Refused::Twice } else { Refused::Otherwise }
    })
}

/// Why JSON refuses a value.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Refused {
    /// A set has an item twice, since a field was dropped in which two differ.
    Twice,
    Otherwise,
}

/// A message with some bytes changed, missing or added.
fn damaged(message: &[u8], random: &mut Random) -> Vec<u8> {
    let mut damaged = message.to_vec();
    for _ in 0..=random.below(3) {
        let place = random.below(damaged.len() + 1);
        match random.below(3) {
            0 => damaged.truncate(place),
            1 => damaged.insert(place, random.next() as u8),
            _ => damaged.iter_mut().skip(place).take(1).for_each(|byte| *byte = random.next() as u8),
        }
    }
    damaged
}

proptest! {
    #![proptest_config(runs(4_000))]

    #[test]
    fn to_the_same_schema_a_message_stays_as_it_is((schema, value, _) in plain_values()) {
        let message = bincode_of(&schema, &schema.request, &value);
        prop_assert_eq!(converted(&converter(&schema, &schema).unwrap(), &message), Some(message));
    }

    #[test]
    fn what_is_accepted_is_exactly_what_the_check_accepts((schema, value, tape) in plain_values()) {
        let message = damaged(&bincode_of(&schema, &schema.request, &value), &mut Random::tape(tape));
        let expected = check::value(&schema, &schema.request, &message).ok().map(|()| message.clone());
        let mut out = Vec::new();
        match converter(&schema, &schema).unwrap().run(&message, &mut out, MOST) {
            Ok(()) => prop_assert_eq!(Some(out), expected),
            // A set that has an item twice is a list for the check, and no set for whoever wants one.
            Err(error) if error.reason == ConvertReason::Twice => {}
            Err(_) => prop_assert_eq!(None, expected),
        }
    }

    #[test]
    fn changes_that_every_value_bears_are_borne_as_json_bears_them((old, value, tape) in plain_values()) {
        let next = evolved(&old, &mut Random::tape(tape), false);
        let message = bincode_of(&old, &old.request, &value);
        let expected = over_json(&old, &next, &message);
        prop_assert_ne!(&expected, &Err(Refused::Otherwise));
        let converter = converter(&old, &next).unwrap();
        let converted = converted(&converter, &message);
        prop_assert_eq!(&converted, &expected.ok(), "{:?}\n{:?}", old, next);
        if let Some(converted) = converted {
            prop_assert_eq!(check::value(&next, &next.request, &converted), Ok(()));
        }
    }

    #[test]
    fn other_changes_are_refused_where_json_refuses_them((old, value, tape) in plain_values()) {
        let next = evolved(&old, &mut Random::tape(tape), true);
        let message = bincode_of(&old, &old.request, &value);
        if let Ok(converter) = converter(&old, &next) {
            let expected = over_json(&old, &next, &message).ok();
            prop_assert_eq!(converted(&converter, &message), expected, "{:?}\n{:?}", old, next);
        }
    }
}
