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

/// What is one value on the wire, and how it is written.
macro_rules! scalars {
    ($($serialize:ident($value:ident: $type:ty) => |$out:ident| $write:expr;)*) => {$(
        fn $serialize(self, $value: $type) -> Result {
            let $out = &mut *self.out;
            $write;
            Ok(())
        }
    )*};
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

    scalars! {
        serialize_bool(value: bool) => |out| out.push(value.into());
        serialize_u8(value: u8) => |out| out.push(value);
        serialize_u16(value: u16) => |out| put_varint(out, value.into());
        serialize_u32(value: u32) => |out| put_varint(out, value.into());
        serialize_u64(value: u64) => |out| put_varint(out, value);
        serialize_u128(value: u128) => |out| put_varint128(out, value);
        serialize_i8(value: i8) => |out| out.extend_from_slice(&value.to_le_bytes());
        serialize_i16(value: i16) => |out| put_zigzag(out, value.into());
        serialize_i32(value: i32) => |out| put_zigzag(out, value.into());
        serialize_i64(value: i64) => |out| put_zigzag(out, value);
        serialize_i128(value: i128) => |out| put_zigzag128(out, value);
        serialize_f32(value: f32) => |out| out.extend_from_slice(&value.to_le_bytes());
        serialize_f64(value: f64) => |out| out.extend_from_slice(&value.to_le_bytes());
        serialize_char(value: char) => |out| put_char(out, value);
        serialize_str(value: &str) => |out| put_bytes(out, value.as_bytes());
        serialize_bytes(value: &[u8]) => |out| put_bytes(out, value);
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
