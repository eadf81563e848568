//! For tests: schemas, and values of them, made from a tape of random bytes.
//!
//! What comes next depends on what came before (a value on its type, a reference on the definitions), which a tape
//! expresses plainly: every choice takes a byte, an empty tape always chooses the simplest, so a shorter tape is a
//! simpler case. Values are written by bincode itself, through serde: what the checks accept is held against that.

mod value;

use crate::Code;
use crate::schema::{
    Attributes, Definition, EnumDef, Field, Logical, MethodSchema, Shape, StructDef, Type, Variant,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use std::cell::Cell;

pub(crate) use value::value;

/// So many cases, the same in every run; `PROPTEST_RNG_SEED` gives others.
pub(crate) fn runs(cases: u32) -> ProptestConfig {
    let mut config = ProptestConfig::with_cases(cases);
    if let RngSeed::Random = config.rng_seed {
        config.rng_seed = RngSeed::Fixed(20_261_103);
    }
    config
}

/// Random choices, one byte each.
#[derive(Debug)]
pub(crate) struct Tape {
    bytes: Vec<u8>,
    at: Cell<usize>,
}

/// Tapes long enough for schemas of some dozen types and values of them.
pub(crate) fn tapes() -> impl Strategy<Value = Tape> {
    proptest::collection::vec(any::<u8>(), 0..600).prop_map(|bytes| Tape { bytes, at: Cell::new(0) })
}

impl Tape {
    fn byte(&self) -> u8 {
        let at = self.at.get();
        self.at.set(at + 1);
        self.bytes.get(at).copied().unwrap_or(0)
    }

    pub(crate) fn below(&self, n: usize) -> usize {
        self.byte() as usize % n
    }

    fn number(&self) -> u128 {
        let raw = u128::from_le_bytes(std::array::from_fn(|_| self.byte()));
        raw >> (self.byte() % 128)
    }

    fn text(&self) -> String {
        let length = self.below(6);
        (0..length).map(|_| self.char()).collect()
    }

    fn char(&self) -> char {
        const CHARS: [char; 8] = ['a', '\0', '"', 'é', '\u{7ff}', '€', '\u{fffd}', '\u{1f600}'];
        CHARS[self.below(CHARS.len())]
    }
}

const SCALARS: [Type; 24] = [
    Type::Unit,
    Type::Bool,
    Type::U8,
    Type::U16,
    Type::U32,
    Type::U64,
    Type::U128,
    Type::I8,
    Type::I16,
    Type::I32,
    Type::I64,
    Type::I128,
    Type::F32,
    Type::F64,
    Type::Char,
    Type::String,
    Type::Bytes,
    Type::Uuid,
    Type::Timestamp,
    Type::Duration,
    Type::IpAddr,
    Type::Ipv4Addr,
    Type::Ipv6Addr,
    Type::Json,
];

/// A schema that `MethodSchema::decode` accepts: a request struct, then structs and enums that may refer to each other.
pub(crate) fn schema(tape: &Tape) -> MethodSchema {
    let count = 1 + tape.below(5);
    let mut schema = MethodSchema::new(Type::Ref(0), Type::Unit, Vec::new());
    schema.doc = tape.text();
    for index in 0..count {
        let definition = if index > 0 && tape.below(2) == 1 {
            Definition::Enum(enumeration(tape, index, count))
        } else {
            let fields = fields(tape, index, count);
            let (name, doc, attributes) = (tape.text(), tape.text(), attributes(tape));
            Definition::Struct(StructDef { name, doc, fields, attributes })
        };
        schema.definitions.push(definition);
    }
    schema.response = ty(tape, 0, count, 0, true);
    schema.request_items = (tape.below(4) == 1).then(|| ty(tape, 0, count, 0, true));
    let of_enum = |def: &Definition| matches!(def, Definition::Enum(_));
    if let Some(index) = schema.definitions.iter().position(of_enum)
        && tape.below(2) == 1
    {
        schema.error = Some(Type::Ref(index as u32));
    }
    schema.attributes = attributes(tape);
    add_values(tape, &mut schema);
    schema
}

fn enumeration(tape: &Tape, index: usize, count: usize) -> EnumDef {
    // The first variant is a unit, so that every enum has a finite value.
    let more = tape.below(4);
    let variants = (0..=more).map(|number| Variant {
        name: format!("V{number}"),
        aliases: Vec::new(),
        doc: tape.text(),
        shape: match if number == 0 { 0 } else { tape.below(4) } {
            0 => Shape::Unit,
            1 => Shape::Newtype(ty(tape, index, count, 0, true)),
            2 => Shape::Tuple((0..tape.below(4)).map(|_| ty(tape, index, count, 0, true)).collect()),
            _ => Shape::Struct(fields(tape, index, count)),
        },
        attributes: match tape.below(4) {
            1 => attributes(tape).with_code(Code::NotFound),
            _ => attributes(tape),
        },
    });
    let variants = variants.collect();
    EnumDef { variants, name: tape.text(), doc: tape.text(), attributes: attributes(tape) }
}

fn fields(tape: &Tape, index: usize, count: usize) -> Vec<Field> {
    (0..tape.below(5))
        .map(|number| Field {
            name: format!("f{number}"),
            aliases: (0..tape.below(2)).map(|n| format!("alias {number} {n}")).collect(),
            doc: tape.text(),
            ty: field_type(tape, index, count),
            default: None,
            attributes: attributes(tape),
        })
        .collect()
}

/// What everything may have: a known attribute, and such that are not known.
fn attributes(tape: &Tape) -> Attributes {
    let unknown = |all: Attributes| all.with(100 + tape.below(200) as u32, tape.text());
    match tape.below(8) {
        1 => Attributes::new().with_deprecated(&tape.text()),
        2 => unknown(Attributes::new()),
        3 => unknown(unknown(Attributes::new().with_deprecated(""))),
        _ => Attributes::new(),
    }
}

fn field_type(tape: &Tape, index: usize, count: usize) -> Type {
    let ty = ty(tape, index, count, 0, false);
    match ty.physical() {
        Type::Option(_) => ty,
        _ if tape.below(6) == 1 => Type::Presence(Box::new(ty)),
        _ => ty,
    }
}

/// `guarded`: inside something that may be empty, so that a reference to any definition leaves finite values.
fn ty(tape: &Tape, index: usize, count: usize, nesting: usize, guarded: bool) -> Type {
    let inner = |guarded| Box::new(ty(tape, index, count, nesting + 1, guarded));
    match tape.below(if nesting < 4 { 14 } else { 5 }) {
        0..=4 => SCALARS[tape.below(SCALARS.len())].clone(),
        5 => Type::Option(inner(true)),
        6 => Type::List(inner(true)),
        7 => {
            let length = tape.below(4) as u32;
            Type::Array(inner(guarded), length)
        }
        8 => Type::Tuple((0..tape.below(4)).map(|_| *inner(guarded)).collect()),
        9 => {
            const KEYS: [Type; 4] = [Type::String, Type::I32, Type::Uuid, Type::IpAddr];
            Type::Map(Box::new(KEYS[tape.below(KEYS.len())].clone()), inner(true))
        }
        10 => Type::Logical(Logical(tape.below(10) as u32), inner(guarded)),
        11 => logical(tape),
        _ if guarded => Type::Ref(tape.below(count) as u32),
        _ if index + 1 < count => Type::Ref((index + 1 + tape.below(count - index - 1)) as u32),
        _ => Type::String,
    }
}

/// A known logical type over its own physical one.
fn logical(tape: &Tape) -> Type {
    let logical = Logical(1 + tape.below(6) as u32);
    let physical = match logical {
        Logical::SET => Type::List(Box::new(SCALARS[tape.below(SCALARS.len())].clone())),
        _ => Type::String,
    };
    Type::Logical(logical, Box::new(physical))
}

/// Defaults and examples.
fn add_values(tape: &Tape, schema: &mut MethodSchema) {
    for index in 0..schema.definitions.len() {
        let Definition::Struct(def) = &schema.definitions[index] else {
            continue;
        };
        let maybe = |field: &Field| (tape.below(3) == 1).then(|| value(tape, schema, &field.ty));
        let values: Vec<_> = def.fields.iter().map(|field| (maybe(field), maybe(field))).collect();
        if let Definition::Struct(def) = &mut schema.definitions[index] {
            for (field, (default, example)) in def.fields.iter_mut().zip(values) {
                field.default = default;
                if let Some(example) = example {
                    field.attributes = std::mem::take(&mut field.attributes).with_example(example);
                }
            }
        }
    }
}
