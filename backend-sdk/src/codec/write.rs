//! Writing: a type's value becomes bytes.

use super::CodecError;
use callgate_protocol::wire::{put_bytes, put_char, put_varint, put_varint128, put_zigzag, put_zigzag128};
use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

type Result<T = ()> = std::result::Result<T, CodecError>;

/// Appends values.
pub(super) struct Writer<'o> {
    pub(super) out: &'o mut Vec<u8>,
}

impl Writer<'_> {
    fn length(&mut self, length: Option<usize>) -> Result {
        let length = length.ok_or(CodecError::Unsupported("list whose length is not known before"))?;
        put_varint(self.out, length as u64);
        Ok(())
    }

    fn variant(&mut self, number: u32) {
        put_varint(self.out, number.into());
    }
}

impl Serializer for &mut Writer<'_> {
    type Ok = ();
    type Error = CodecError;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result {
        self.out.push(value.into());
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result {
        self.out.push(value);
        Ok(())
    }

    fn serialize_u16(self, value: u16) -> Result {
        put_varint(self.out, value.into());
        Ok(())
    }

    fn serialize_u32(self, value: u32) -> Result {
        put_varint(self.out, value.into());
        Ok(())
    }

    fn serialize_u64(self, value: u64) -> Result {
        put_varint(self.out, value);
        Ok(())
    }

    fn serialize_u128(self, value: u128) -> Result {
        put_varint128(self.out, value);
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result {
        self.out.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    fn serialize_i16(self, value: i16) -> Result {
        put_zigzag(self.out, value.into());
        Ok(())
    }

    fn serialize_i32(self, value: i32) -> Result {
        put_zigzag(self.out, value.into());
        Ok(())
    }

    fn serialize_i64(self, value: i64) -> Result {
        put_zigzag(self.out, value);
        Ok(())
    }

    fn serialize_i128(self, value: i128) -> Result {
        put_zigzag128(self.out, value);
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result {
        self.out.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    fn serialize_f64(self, value: f64) -> Result {
        self.out.extend_from_slice(&value.to_le_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result {
        put_char(self.out, value);
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result {
        put_bytes(self.out, value.as_bytes());
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result {
        put_bytes(self.out, value);
        Ok(())
    }

    fn serialize_none(self) -> Result {
        self.out.push(0);
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        self.out.push(1);
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &'static str, number: u32, _: &'static str) -> Result {
        self.variant(number);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        number: u32,
        _: &'static str,
        value: &T,
    ) -> Result {
        self.variant(number);
        value.serialize(self)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Self> {
        self.length(length)?;
        Ok(self)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self> {
        Ok(self)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self> {
        Ok(self)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        number: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self> {
        self.variant(number);
        Ok(self)
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Self> {
        self.length(length)?;
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self> {
        Ok(self)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        number: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self> {
        self.variant(number);
        Ok(self)
    }
}

/// What is written of a list, a tuple or a struct is what is written of its parts.
macro_rules! parts {
    ($($of:ident: $part:ident($($name:ty)?);)*) => {$(
        impl $of for &mut Writer<'_> {
            type Ok = ();
            type Error = CodecError;

            fn $part<T: Serialize + ?Sized>(&mut self, $(_: $name,)? value: &T) -> Result {
                value.serialize(&mut **self)
            }

            fn end(self) -> Result {
                Ok(())
            }
        }
    )*};
}

parts! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeStruct: serialize_field(&'static str);
    SerializeStructVariant: serialize_field(&'static str);
}

impl SerializeMap for &mut Writer<'_> {
    type Ok = ();
    type Error = CodecError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result {
        key.serialize(&mut **self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result {
        value.serialize(&mut **self)
    }

    fn end(self) -> Result {
        Ok(())
    }
}
