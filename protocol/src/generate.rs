//! For tests: schemas, and values of them, made from a tape of random bytes.
//!
//! What comes next depends on what came before (a value on its type, a reference on the definitions), which a tape
//! expresses plainly: every choice takes a byte, an empty tape always chooses the simplest, so a shorter tape is a
//! simpler case. Values are written by bincode itself, through serde: what the checks accept is held against that.

use crate::Code;
use crate::schema::{
    Attributes, Definition, EnumDef, Field, Logical, MethodSchema, Shape, StructDef, Type, Variant,
};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeTuple, Serializer};
use std::cell::Cell;

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
    let unknown = |all: Attributes| all.with(11 + tape.below(200) as u32, tape.text());
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

/// Some value of `ty`, as bincode writes it.
pub(crate) fn value(tape: &Tape, schema: &MethodSchema, ty: &Type) -> Vec<u8> {
    let sample = Sample { tape, schema, ty, room: 6 };
    bincode::serde::encode_to_vec(sample, bincode::config::standard()).expect("bincode writes any value")
}

/// Serializes as some value of the type; `room` is how much deeper it may still grow.
#[derive(Clone, Copy)]
struct Sample<'a> {
    tape: &'a Tape,
    schema: &'a MethodSchema,
    ty: &'a Type,
    room: usize,
}

impl<'a> Sample<'a> {
    fn of(self, ty: &'a Type) -> Self {
        let room = self.room.saturating_sub(1);
        Sample { ty, room, ..self }
    }

    fn count(self) -> usize {
        if self.room == 0 { 0 } else { self.tape.below(4) }
    }
}

impl Serialize for Sample<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let tape = self.tape;
        match self.ty {
            Type::Unit => s.serialize_unit(),
            Type::Bool => s.serialize_bool(tape.below(2) == 1),
            Type::U8 => s.serialize_u8(tape.number() as u8),
            Type::U16 => s.serialize_u16(tape.number() as u16),
            Type::U32 => s.serialize_u32(tape.number() as u32),
            Type::U64 => s.serialize_u64(tape.number() as u64),
            Type::U128 => s.serialize_u128(tape.number()),
            Type::I8 => s.serialize_i8(tape.number() as i8),
            Type::I16 => s.serialize_i16(tape.number() as i16),
            Type::I32 => s.serialize_i32(tape.number() as i32),
            Type::I64 => s.serialize_i64(tape.number() as i64),
            Type::I128 => s.serialize_i128(tape.number() as i128),
            Type::F32 => s.serialize_f32(f32::from_bits(tape.number() as u32)),
            Type::F64 => s.serialize_f64(f64::from_bits(tape.number() as u64)),
            Type::Char => s.serialize_char(tape.char()),
            Type::String => s.serialize_str(&tape.text()),
            Type::Json => s.serialize_str("{\"any\":[1]}"),
            Type::Bytes => s.serialize_bytes(tape.text().as_bytes()),
            Type::Uuid => s.serialize_bytes(&tape.number().to_le_bytes()),
            Type::Timestamp => (tape.number() as i64, 999_999_999u32).serialize(s),
            Type::Duration => (tape.number() as u64, tape.number() as u32 % 1_000_000_000).serialize(s),
            Type::IpAddr if tape.below(2) == 0 => std::net::IpAddr::from([127, 0, 0, 1]).serialize(s),
            Type::IpAddr => std::net::IpAddr::from(tape.number().to_le_bytes()).serialize(s),
            Type::Ipv4Addr => std::net::Ipv4Addr::from(tape.number() as u32).serialize(s),
            Type::Ipv6Addr => std::net::Ipv6Addr::from(tape.number()).serialize(s),
            Type::Option(inner) if self.count() > 0 => s.serialize_some(&self.of(inner)),
            Type::Option(_) => s.serialize_none(),
            Type::Logical(_, physical) => Sample { ty: physical, ..*self }.serialize(s),
            Type::Presence(inner) => match tape.below(3) {
                0 => s.serialize_unit_variant("", 0, ""),
                1 => s.serialize_unit_variant("", 1, ""),
                _ => s.serialize_newtype_variant("", 2, "", &self.of(inner)),
            },
            Type::List(item) => {
                let count = self.count();
                let mut seq = s.serialize_seq(Some(count))?;
                (0..count).try_for_each(|_| seq.serialize_element(&self.of(item)))?;
                seq.end()
            }
            Type::Array(item, length) => self.tuple(s, (0..*length).map(|_| &**item)),
            Type::Tuple(items) => self.tuple(s, items.iter()),
            Type::Map(key, value) => {
                let count = self.count();
                let mut map = s.serialize_map(Some(count))?;
                (0..count).try_for_each(|_| map.serialize_entry(&self.of(key), &self.of(value)))?;
                map.end()
            }
            Type::Ref(index) => match &self.schema.definitions[*index as usize] {
                Definition::Struct(def) => self.tuple(s, def.fields.iter().map(|f| &f.ty)),
                Definition::Enum(def) => self.variant(s, def),
            },
        }
    }
}

impl Sample<'_> {
    /// Structs, tuples and arrays are all written as their parts one after another.
    fn tuple<'b, S: Serializer>(
        &self,
        s: S,
        types: impl ExactSizeIterator<Item = &'b Type>,
    ) -> Result<S::Ok, S::Error> {
        let mut tuple = s.serialize_tuple(types.len())?;
        for ty in types {
            tuple.serialize_element(&Sample {
                ty,
                tape: self.tape,
                schema: self.schema,
                room: self.room.saturating_sub(1),
            })?;
        }
        tuple.end()
    }

    fn variant<S: Serializer>(&self, s: S, def: &EnumDef) -> Result<S::Ok, S::Error> {
        let number = if self.room == 0 { 0 } else { self.tape.below(def.variants.len()) };
        let types: Vec<&Type> = match &def.variants[number].shape {
            Shape::Unit => return s.serialize_unit_variant("", number as u32, ""),
            Shape::Newtype(ty) => vec![ty],
            Shape::Tuple(types) => types.iter().collect(),
            Shape::Struct(fields) => fields.iter().map(|f| &f.ty).collect(),
        };
        struct Content<'a>(Sample<'a>, Vec<&'a Type>);
        impl Serialize for Content<'_> {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                self.0.tuple(s, self.1.iter().copied())
            }
        }
        s.serialize_newtype_variant("", number as u32, "", &Content(*self, types))
    }
}
