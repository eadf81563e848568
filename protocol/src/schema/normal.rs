//! The one form of a value that a schema contains: shortest varints, and maps and sets in the order of their encoded keys and
//! items. A writer may encode a value in many ways, and a hash map has another order in every process.

use super::{Definition, Field, Logical, MethodSchema, Shape, Type};
use crate::check;
use crate::limits::MAX_ZERO_SIZED_ITEMS;
use crate::wire::{Reader, WireError, put_bytes, put_varint, put_varint128};
use std::ops::Range;

/// Brings a schema's values into their form. All of them share one allowance of zero-sized values, as they do where a schema
/// is checked.
pub(super) struct Normalizer<'a> {
    schema: &'a MethodSchema,
    zero_sized: usize,
}

impl<'a> Normalizer<'a> {
    pub(super) fn new(schema: &'a MethodSchema) -> Normalizer<'a> {
        // Defaults have one allowance, and attributes another.
        Normalizer { schema, zero_sized: 2 * MAX_ZERO_SIZED_ITEMS }
    }

    /// The value in its one form. Bytes that are no value of the type, which no checked schema has, stay as they are.
    pub(super) fn value(&mut self, ty: &Type, bytes: &[u8]) -> Vec<u8> {
        // What was checked nests no deeper than the walk below may, and has no more items than it may take.
        let sound = check::value_within(self.schema, ty, bytes, &mut self.zero_sized).is_ok();
        let mut walk = Walk { schema: self.schema, reader: Reader::new(bytes), out: Vec::new() };
        if sound && walk.value(ty).is_ok() { walk.out } else { bytes.to_vec() }
    }
}

/// Reads a value and writes it again.
struct Walk<'a, 'b> {
    schema: &'a MethodSchema,
    reader: Reader<'b>,
    out: Vec<u8>,
}

type Step = Result<(), WireError>;

impl<'a> Walk<'a, '_> {
    fn value(&mut self, mut ty: &'a Type) -> Step {
        let mut is_set = false;
        loop {
            ty = match ty {
                Type::Option(inner) if self.flag()? => inner,
                Type::Presence(inner) if self.varint(32)? == 2 => inner,
                Type::Option(_) | Type::Presence(_) => return Ok(()),
                Type::Logical(logical, inner) => {
                    is_set = *logical == Logical::SET && logical.is_of(inner);
                    inner
                }
                _ => break,
            };
        }
        match ty {
            Type::Unit => {}
            Type::Bool | Type::U8 | Type::I8 => self.copy(1)?,
            Type::U16 | Type::I16 => self.varint(16).map(drop)?,
            Type::U32 | Type::I32 => self.varint(32).map(drop)?,
            Type::U64 | Type::I64 => self.varint(64).map(drop)?,
            Type::U128 | Type::I128 => put_varint128(&mut self.out, self.reader.varint128()?),
            Type::F32 | Type::Ipv4Addr => self.copy(4)?,
            Type::F64 => self.copy(8)?,
            Type::Ipv6Addr => self.copy(16)?,
            Type::Char => {
                let before = self.reader.offset();
                self.reader.char()?;
                self.out.extend_from_slice(self.reader.since(before));
            }
            Type::String | Type::Json | Type::Bytes | Type::Uuid => {
                put_bytes(&mut self.out, self.reader.bytes()?);
            }
            Type::Timestamp | Type::Duration => {
                self.varint(64)?;
                self.varint(32)?;
            }
            Type::IpAddr => {
                let width = if self.varint(32)? == 0 { 4 } else { 16 };
                self.copy(width)?;
            }
            Type::List(item) if is_set => self.sorted(item, None)?,
            Type::List(item) => {
                for _ in 0..self.varint(64)? {
                    self.value(item)?;
                }
            }
            Type::Array(item, length) => (0..*length).try_for_each(|_| self.value(item))?,
            Type::Tuple(types) => types.iter().try_for_each(|ty| self.value(ty))?,
            Type::Map(key, value) => self.sorted(key, Some(value))?,
            Type::Ref(number) => self.definition(*number)?,
            // These were taken off above.
            Type::Option(_) | Type::Presence(_) | Type::Logical(..) => {}
        }
        Ok(())
    }

    fn definition(&mut self, number: u32) -> Step {
        let shape = match self.schema.definition(number) {
            Some(Definition::Struct(def)) => return self.fields(&def.fields),
            Some(Definition::Enum(def)) => {
                let variant = self.varint(32)? as usize;
                def.variants.get(variant).map(|variant| &variant.shape)
            }
            None => None,
        };
        match shape {
            None | Some(Shape::Unit) => Ok(()),
            Some(Shape::Newtype(ty)) => self.value(ty),
            Some(Shape::Tuple(types)) => types.iter().try_for_each(|ty| self.value(ty)),
            Some(Shape::Struct(fields)) => self.fields(fields),
        }
    }

    fn fields(&mut self, fields: &'a [Field]) -> Step {
        fields.iter().try_for_each(|field| self.value(&field.ty))
    }

    /// A set's items, or a map's entries, in the order of the bytes of the item or key.
    fn sorted(&mut self, key: &'a Type, value: Option<&'a Type>) -> Step {
        let count = self.varint(64)?;
        let start = self.out.len();
        // Where each key and its whole entry are.
        let mut entries: Vec<(Range<usize>, usize)> = Vec::new();
        for _ in 0..count {
            let from = self.out.len();
            self.value(key)?;
            let keyed = from..self.out.len();
            value.map_or(Ok(()), |ty| self.value(ty))?;
            entries.push((keyed, self.out.len()));
        }
        let of = |key: &Range<usize>| &self.out[key.clone()];
        entries.sort_by(|(one, _), (other, _)| of(one).cmp(of(other)));
        // Two keys that were different as they were written are one now. Then the value has no such form.
        if value.is_some() && entries.windows(2).any(|pair| of(&pair[0].0) == of(&pair[1].0)) {
            return Err(WireError::IntegerOutOfRange);
        }
        let parts: Vec<&[u8]> = entries.iter().map(|(key, end)| &self.out[key.start..*end]).collect();
        let sorted = parts.concat();
        self.out.truncate(start);
        self.out.extend_from_slice(&sorted);
        Ok(())
    }

    fn copy(&mut self, bytes: usize) -> Step {
        self.out.extend_from_slice(self.reader.take(bytes)?);
        Ok(())
    }

    fn varint(&mut self, bits: u32) -> Result<u64, WireError> {
        let value = self.reader.varint(bits)?;
        put_varint(&mut self.out, value);
        Ok(value)
    }

    fn flag(&mut self) -> Result<bool, WireError> {
        let flag = self.reader.bool()?;
        self.out.push(u8::from(flag));
        Ok(flag)
    }
}
