//! Reading: bytes become a type's value, within bounds that only the reader of a checked message goes without.

use super::CodecError;
use super::bounds::Bounds;
use callgate_protocol::check::Keys;
use callgate_protocol::wire::{Reader, WireError};
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

type Result<T> = std::result::Result<T, CodecError>;

/// Gives the value that comes next, of the type that asks.
pub(super) struct ValueReader<'de> {
    bytes: Reader<'de>,
    bounds: Bounds,
}

impl<'de> ValueReader<'de> {
    pub(super) fn new(bytes: &'de [u8], bounds: Bounds) -> ValueReader<'de> {
        ValueReader { bytes: Reader::new(bytes), bounds }
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.bytes.remaining() == 0
    }

    /// A length of a list or a map. It is a claim, until it was compared with what the message can have.
    fn length(&mut self) -> Result<usize> {
        let count = usize::try_from(self.bytes.length()?)
            .map_err(|_| CodecError::Unsupported("list of that length"))?;
        self.bounds.claim(count)?;
        Ok(count)
    }

    /// A struct, a tuple or an array: values one after another that no length stands before.
    fn parts<V: Visitor<'de>>(&mut self, count: usize, visitor: V) -> Result<V::Value> {
        let before = self.bytes.offset();
        self.bounds.enter()?;
        let value = visitor.visit_seq(Values { reader: self, left: count })?;
        self.bounds.leave();
        if self.bytes.offset() == before {
            self.bounds.zero_sized()?;
        }
        Ok(value)
    }

    /// What follows a variant's number. JSON puts an object around it, which is a level.
    fn content<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.bounds.enter()?;
        let value = read(self)?;
        self.bounds.leave();
        Ok(value)
    }
}

/// A number of a type that is as wide as what was read.
fn narrow<N, T: TryFrom<N>>(number: N) -> Result<T> {
    T::try_from(number).map_err(|_| WireError::IntegerOutOfRange.into())
}

/// A short text, put where it is aligned. The standard library looks at sixteen bytes at once only there, and at one after another
/// elsewhere, which took longer than all else with a text of ten bytes.
#[repr(align(16))]
struct Short([u8; 16]);

impl Short {
    /// The text of so many bytes that `from` begins with, if it is short and not the last thing there. Behind it are zeros, which are text
    /// as well.
    fn of(from: &[u8], length: usize) -> Option<Short> {
        let first = u128::from_le_bytes(*from.first_chunk()?);
        let behind = 128_u32.checked_sub(u32::try_from(length).ok()?.checked_mul(8)?)?;
        Some(Short((first & u128::MAX.unbounded_shr(behind)).to_le_bytes()))
    }

    fn text(&self, length: usize) -> Result<&str> {
        Ok(text(&self.0)?.get(..length).ok_or(WireError::InvalidUtf8)?)
    }
}

fn text(bytes: &[u8]) -> Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| WireError::InvalidUtf8.into())
}

/// What is one value on the wire: how it is read, and what the visitor is shown.
macro_rules! scalars {
    ($($deserialize:ident: $visit:ident($reader:ident => $value:expr);)*) => {$(
        fn $deserialize<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            let $reader = &mut self.bytes;
            visitor.$visit($value)
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut ValueReader<'de> {
    type Error = CodecError;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
        Err(CodecError::Unsupported("value that says its own type"))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
        Err(CodecError::Unsupported("value that says its own type"))
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
        Err(CodecError::Unsupported("names of fields"))
    }

    scalars! {
        deserialize_bool: visit_bool(from => from.bool()?);
        deserialize_u8: visit_u8(from => from.u8()?);
        deserialize_u16: visit_u16(from => narrow(from.varint(16)?)?);
        deserialize_u32: visit_u32(from => narrow(from.varint(32)?)?);
        deserialize_u64: visit_u64(from => from.varint(64)?);
        deserialize_u128: visit_u128(from => from.varint128()?);
        deserialize_i8: visit_i8(from => i8::from_le_bytes(from.array()?));
        deserialize_i16: visit_i16(from => narrow(from.zigzag(16)?)?);
        deserialize_i32: visit_i32(from => narrow(from.zigzag(32)?)?);
        deserialize_i64: visit_i64(from => from.zigzag(64)?);
        deserialize_i128: visit_i128(from => from.zigzag128()?);
        deserialize_f32: visit_f32(from => f32::from_le_bytes(from.array()?));
        deserialize_f64: visit_f64(from => f64::from_le_bytes(from.array()?));
        deserialize_char: visit_char(from => from.char()?);
        deserialize_str: visit_borrowed_str(from => from.str()?);
        deserialize_bytes: visit_borrowed_bytes(from => from.bytes()?);
        deserialize_byte_buf: visit_byte_buf(from => from.bytes()?.to_vec());
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let length = usize::try_from(self.bytes.length()?).map_err(|_| WireError::Truncated)?;
        let from = self.bytes.rest();
        let bytes = self.bytes.take(length)?;
        match Short::of(from, length) {
            Some(short) => visitor.visit_str(short.text(length)?),
            None => visitor.visit_borrowed_str(text(bytes)?),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.bytes.bool()? { visitor.visit_some(self) } else { visitor.visit_none() }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.bounds.zero_sized()?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        self.bounds.enter()?;
        self.bounds.leave();
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let count = self.length()?;
        self.bounds.enter()?;
        let value = visitor.visit_seq(Values { reader: self, left: count })?;
        self.bounds.leave();
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value> {
        self.parts(count, visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        count: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.parts(count, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.parts(fields.len(), visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let count = self.length()?;
        self.bounds.enter()?;
        let keys = self.bounds.compares_keys().then(Keys::new);
        let mut pairs = Pairs { reader: self, left: count, keys };
        let value = visitor.visit_map(&mut pairs)?;
        pairs.end()?;
        self.bounds.leave();
        Ok(value)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_enum(self)
    }
}

/// Values one after another.
struct Values<'r, 'de> {
    reader: &'r mut ValueReader<'de>,
    left: usize,
}

impl<'de> SeqAccess<'de> for Values<'_, 'de> {
    type Error = CodecError;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// Pairs of a key and a value.
struct Pairs<'r, 'de> {
    reader: &'r mut ValueReader<'de>,
    left: usize,
    /// The keys so far, if they are compared.
    keys: Option<Keys>,
}

impl Pairs<'_, '_> {
    /// At the map's end: all pairs were read, and no key is there twice.
    fn end(&mut self) -> Result<()> {
        let message = self.reader.bytes.since(0);
        let are_distinct = self.keys.as_mut().is_none_or(|keys| self.left == 0 && keys.are_distinct(message));
        if are_distinct { Ok(()) } else { Err(CodecError::OutOfBounds) }
    }
}

impl<'de> MapAccess<'de> for &mut Pairs<'_, 'de> {
    type Error = CodecError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let start = self.reader.bytes.offset();
        let key = seed.deserialize(&mut *self.reader)?;
        if let Some(keys) = &mut self.keys {
            let bytes = &self.reader.bytes;
            if !keys.add(bytes.since(0), start..bytes.offset()) {
                return Err(CodecError::OutOfBounds);
            }
        }
        Ok(Some(key))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value> {
        seed.deserialize(&mut *self.reader)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> EnumAccess<'de> for &mut ValueReader<'de> {
    type Error = CodecError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self)> {
        let number: u32 = narrow(self.bytes.varint(32)?)?;
        let number: de::value::U32Deserializer<CodecError> = number.into_deserializer();
        Ok((seed.deserialize(number)?, self))
    }
}

impl<'de> VariantAccess<'de> for &mut ValueReader<'de> {
    type Error = CodecError;

    fn unit_variant(self) -> Result<()> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        self.content(|reader| seed.deserialize(reader))
    }

    fn tuple_variant<V: Visitor<'de>>(self, count: usize, visitor: V) -> Result<V::Value> {
        self.content(|reader| reader.parts(count, visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.content(|reader| reader.parts(fields.len(), visitor))
    }
}
