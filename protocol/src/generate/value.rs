//! Values of a type, written by bincode through serde.

use super::Tape;
use crate::schema::{Definition, EnumDef, MethodSchema, Shape, Type};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeTuple, Serializer};
use std::collections::BTreeSet;

/// Some value of `ty`, as bincode writes it.
pub(crate) fn value(tape: &Tape, schema: &MethodSchema, ty: &Type) -> Vec<u8> {
    Sample { tape, schema, ty, room: 6 }.bytes()
}

/// What bincode has written already.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Written(Vec<u8>);

impl Serialize for Written {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut tuple = s.serialize_tuple(self.0.len())?;
        self.0.iter().try_for_each(|byte| tuple.serialize_element(byte))?;
        tuple.end()
    }
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

    fn bytes(self) -> Vec<u8> {
        bincode::serde::encode_to_vec(self, bincode::config::standard()).expect("bincode writes any value")
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
                // A map has no key twice.
                let keys: BTreeSet<_> = (0..self.count()).map(|_| Written(self.of(key).bytes())).collect();
                let mut map = s.serialize_map(Some(keys.len()))?;
                keys.iter().try_for_each(|key| map.serialize_entry(key, &self.of(value)))?;
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
