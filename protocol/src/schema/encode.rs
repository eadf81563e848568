//! A schema's bytes.

use super::{Attributes, Definition, Field, MethodSchema, Shape, Type, Variant};
use crate::wire::{put_bytes, put_varint};

/// The version of the schema's own encoding, its first byte.
pub(super) const FORMAT: u8 = 1;

/// The byte that stands for each type.
pub(super) mod tag {
    pub(crate) const UNIT: u8 = 0;
    pub(crate) const BOOL: u8 = 1;
    pub(crate) const U8: u8 = 2;
    pub(crate) const U16: u8 = 3;
    pub(crate) const U32: u8 = 4;
    pub(crate) const U64: u8 = 5;
    pub(crate) const U128: u8 = 6;
    pub(crate) const I8: u8 = 7;
    pub(crate) const I16: u8 = 8;
    pub(crate) const I32: u8 = 9;
    pub(crate) const I64: u8 = 10;
    pub(crate) const I128: u8 = 11;
    pub(crate) const F32: u8 = 12;
    pub(crate) const F64: u8 = 13;
    pub(crate) const CHAR: u8 = 14;
    pub(crate) const STRING: u8 = 15;
    pub(crate) const BYTES: u8 = 16;
    pub(crate) const UUID: u8 = 17;
    pub(crate) const TIMESTAMP: u8 = 18;
    pub(crate) const DURATION: u8 = 19;
    pub(crate) const IP_ADDR: u8 = 20;
    pub(crate) const IPV4_ADDR: u8 = 21;
    pub(crate) const IPV6_ADDR: u8 = 22;
    pub(crate) const JSON: u8 = 23;
    pub(crate) const OPTION: u8 = 32;
    pub(crate) const LIST: u8 = 33;
    pub(crate) const ARRAY: u8 = 34;
    pub(crate) const TUPLE: u8 = 35;
    pub(crate) const MAP: u8 = 36;
    pub(crate) const REF: u8 = 37;
    pub(crate) const LOGICAL: u8 = 38;
    pub(crate) const PRESENCE: u8 = 39;
    pub(crate) const STRUCT: u8 = 48;
    pub(crate) const ENUM: u8 = 49;
    pub(crate) const SHAPE_UNIT: u8 = 0;
    pub(crate) const SHAPE_NEWTYPE: u8 = 1;
    pub(crate) const SHAPE_TUPLE: u8 = 2;
    pub(crate) const SHAPE_STRUCT: u8 = 3;
}

pub(super) fn method(schema: &MethodSchema, format: u8) -> Vec<u8> {
    let mut out = vec![format];
    put_str(&mut out, &schema.doc);
    put_type(&mut out, &schema.request);
    put_optional_type(&mut out, schema.request_items.as_ref());
    put_type(&mut out, &schema.response);
    put_optional_type(&mut out, schema.error.as_ref());
    put_all(&mut out, &schema.definitions, put_definition);
    put_attributes(&mut out, &schema.attributes);
    out
}

fn put_definition(out: &mut Vec<u8>, definition: &Definition) {
    match definition {
        Definition::Struct(def) => {
            out.push(tag::STRUCT);
            put_str(out, &def.name);
            put_str(out, &def.doc);
            put_all(out, &def.fields, put_field);
            put_attributes(out, &def.attributes);
        }
        Definition::Enum(def) => {
            out.push(tag::ENUM);
            put_str(out, &def.name);
            put_str(out, &def.doc);
            put_all(out, &def.variants, put_variant);
            put_attributes(out, &def.attributes);
        }
    }
}

fn put_field(out: &mut Vec<u8>, field: &Field) {
    put_str(out, &field.name);
    put_all(out, &field.aliases, |out, alias| put_str(out, alias));
    put_str(out, &field.doc);
    put_type(out, &field.ty);
    match &field.default {
        None => out.push(0),
        Some(bytes) => {
            out.push(1);
            put_bytes(out, bytes);
        }
    }
    put_attributes(out, &field.attributes);
}

fn put_variant(out: &mut Vec<u8>, variant: &Variant) {
    put_str(out, &variant.name);
    put_all(out, &variant.aliases, |out, alias| put_str(out, alias));
    put_str(out, &variant.doc);
    match &variant.shape {
        Shape::Unit => out.push(tag::SHAPE_UNIT),
        Shape::Newtype(ty) => {
            out.push(tag::SHAPE_NEWTYPE);
            put_type(out, ty);
        }
        Shape::Tuple(types) => {
            out.push(tag::SHAPE_TUPLE);
            put_all(out, types, put_type);
        }
        Shape::Struct(fields) => {
            out.push(tag::SHAPE_STRUCT);
            put_all(out, fields, put_field);
        }
    }
    put_attributes(out, &variant.attributes);
}

fn put_attributes(out: &mut Vec<u8>, attributes: &Attributes) {
    put_varint(out, attributes.len() as u64);
    for (tag, value) in attributes.iter() {
        put_varint(out, u64::from(tag));
        put_bytes(out, value);
    }
}

fn put_optional_type(out: &mut Vec<u8>, ty: Option<&Type>) {
    out.push(u8::from(ty.is_some()));
    ty.iter().for_each(|ty| put_type(out, ty));
}

fn put_type(out: &mut Vec<u8>, ty: &Type) {
    let simple = match ty {
        Type::Unit => tag::UNIT,
        Type::Bool => tag::BOOL,
        Type::U8 => tag::U8,
        Type::U16 => tag::U16,
        Type::U32 => tag::U32,
        Type::U64 => tag::U64,
        Type::U128 => tag::U128,
        Type::I8 => tag::I8,
        Type::I16 => tag::I16,
        Type::I32 => tag::I32,
        Type::I64 => tag::I64,
        Type::I128 => tag::I128,
        Type::F32 => tag::F32,
        Type::F64 => tag::F64,
        Type::Char => tag::CHAR,
        Type::String => tag::STRING,
        Type::Bytes => tag::BYTES,
        Type::Uuid => tag::UUID,
        Type::Timestamp => tag::TIMESTAMP,
        Type::Duration => tag::DURATION,
        Type::IpAddr => tag::IP_ADDR,
        Type::Ipv4Addr => tag::IPV4_ADDR,
        Type::Ipv6Addr => tag::IPV6_ADDR,
        Type::Json => tag::JSON,
        Type::Option(_) => tag::OPTION,
        Type::List(_) => tag::LIST,
        Type::Array(..) => tag::ARRAY,
        Type::Tuple(_) => tag::TUPLE,
        Type::Map(..) => tag::MAP,
        Type::Ref(_) => tag::REF,
        Type::Logical(..) => tag::LOGICAL,
        Type::Presence(_) => tag::PRESENCE,
    };
    out.push(simple);
    match ty {
        Type::Option(inner) | Type::List(inner) | Type::Presence(inner) => put_type(out, inner),
        Type::Array(inner, length) => {
            put_varint(out, u64::from(*length));
            put_type(out, inner);
        }
        Type::Tuple(items) => put_all(out, items, put_type),
        Type::Map(key, value) => {
            put_type(out, key);
            put_type(out, value);
        }
        Type::Ref(index) => put_varint(out, u64::from(*index)),
        Type::Logical(logical, inner) => {
            put_varint(out, u64::from(logical.0));
            put_type(out, inner);
        }
        _ => {}
    }
}

fn put_str(out: &mut Vec<u8>, text: &str) {
    put_bytes(out, text.as_bytes());
}

fn put_all<T>(out: &mut Vec<u8>, items: &[T], mut put: impl FnMut(&mut Vec<u8>, &T)) {
    put_varint(out, items.len() as u64);
    for item in items {
        put(out, item);
    }
}
