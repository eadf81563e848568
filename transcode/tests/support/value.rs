//! A value of any schema, and bincode's own encoding of it.

use callgate_protocol::schema::{Definition, MethodSchema, Shape, Type};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeTuple, Serializer};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Unit,
    Bool(bool),
    Unsigned(u128),
    Signed(i128),
    F32(f32),
    F64(f64),
    Char(char),
    /// Also the text of `Json`, and of what is a string of a grammar.
    String(String),
    Bytes(Vec<u8>),
    Uuid([u8; 16]),
    Timestamp(i64, u32),
    Duration(u64, u32),
    Ip(IpAddr),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
    Option(Option<Box<Value>>),
    /// Of a field with presence: absent, null, or a value.
    Absent,
    Null,
    Present(Box<Value>),
    /// Lists, arrays, tuples, fields.
    Items(Vec<Value>),
    Map(Vec<(Value, Value)>),
    /// The variant's number and its content; a unit has none.
    Variant(u32, Vec<Value>),
}

/// A value with its type: what serde can serialize.
pub(crate) struct Typed<'a>(&'a MethodSchema, &'a Type, &'a Value);

pub(crate) fn bincode_of(schema: &MethodSchema, ty: &Type, value: &Value) -> Vec<u8> {
    bincode::serde::encode_to_vec(Typed(schema, ty, value), bincode::config::standard()).unwrap()
}

fn tuple<'a, S: Serializer>(
    serializer: S,
    schema: &'a MethodSchema,
    items: impl ExactSizeIterator<Item = (&'a Type, &'a Value)>,
) -> Result<S::Ok, S::Error> {
    let mut tuple = serializer.serialize_tuple(items.len())?;
    for (ty, value) in items {
        tuple.serialize_element(&Typed(schema, ty, value))?;
    }
    tuple.end()
}

struct Fields<'a>(&'a MethodSchema, Vec<&'a Type>, &'a [Value]);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        tuple(serializer, self.0, self.1.iter().copied().zip(self.2))
    }
}

pub(crate) fn content_types(shape: &Shape) -> Vec<&Type> {
    match shape {
        Shape::Unit => Vec::new(),
        Shape::Newtype(ty) => vec![ty],
        Shape::Tuple(types) => types.iter().collect(),
        Shape::Struct(fields) => fields.iter().map(|field| &field.ty).collect(),
    }
}

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let Typed(schema, ty, value) = *self;
        match (ty, value) {
            (Type::Logical(_, ty), _) => Typed(schema, ty, value).serialize(s),
            (Type::Presence(_), Value::Absent) => s.serialize_unit_variant("Presence", 0, "Absent"),
            (Type::Presence(_), Value::Null) => s.serialize_unit_variant("Presence", 1, "Null"),
            (Type::Presence(ty), Value::Present(v)) => {
                s.serialize_newtype_variant("Presence", 2, "Value", &Typed(schema, ty, v))
            }
            (Type::Unit, Value::Unit) => s.serialize_unit(),
            (Type::Bool, Value::Bool(v)) => s.serialize_bool(*v),
            (Type::U8, Value::Unsigned(v)) => s.serialize_u8(*v as u8),
            (Type::U16, Value::Unsigned(v)) => s.serialize_u16(*v as u16),
            (Type::U32, Value::Unsigned(v)) => s.serialize_u32(*v as u32),
            (Type::U64, Value::Unsigned(v)) => s.serialize_u64(*v as u64),
            (Type::U128, Value::Unsigned(v)) => s.serialize_u128(*v),
            (Type::I8, Value::Signed(v)) => s.serialize_i8(*v as i8),
            (Type::I16, Value::Signed(v)) => s.serialize_i16(*v as i16),
            (Type::I32, Value::Signed(v)) => s.serialize_i32(*v as i32),
            (Type::I64, Value::Signed(v)) => s.serialize_i64(*v as i64),
            (Type::I128, Value::Signed(v)) => s.serialize_i128(*v),
            (_, Value::F32(v)) => s.serialize_f32(*v),
            (_, Value::F64(v)) => s.serialize_f64(*v),
            (_, Value::Char(v)) => s.serialize_char(*v),
            (_, Value::String(v)) => s.serialize_str(v),
            (_, Value::Bytes(v)) => s.serialize_bytes(v),
            (_, Value::Uuid(v)) => uuid::Uuid::from_bytes(*v).serialize(s),
            (_, Value::Timestamp(seconds, nanos)) => (seconds, nanos).serialize(s),
            (_, Value::Duration(seconds, nanos)) => std::time::Duration::new(*seconds, *nanos).serialize(s),
            (_, Value::Ip(v)) => v.serialize(s),
            (_, Value::V4(v)) => v.serialize(s),
            (_, Value::V6(v)) => v.serialize(s),
            (Type::Option(_), Value::Option(None)) => s.serialize_none(),
            (Type::Option(ty), Value::Option(Some(v))) => s.serialize_some(&Typed(schema, ty, v)),
            (Type::List(ty), Value::Items(items)) => {
                let mut seq = s.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(&Typed(schema, ty, item))?;
                }
                seq.end()
            }
            (Type::Array(ty, _), Value::Items(items)) => {
                tuple(s, schema, items.iter().map(|item| (&**ty, item)))
            }
            (Type::Tuple(types), Value::Items(items)) => tuple(s, schema, types.iter().zip(items)),
            (Type::Map(key, ty), Value::Map(entries)) => {
                let mut map = s.serialize_map(Some(entries.len()))?;
                for (k, v) in entries {
                    map.serialize_entry(&Typed(schema, key, k), &Typed(schema, ty, v))?;
                }
                map.end()
            }
            (Type::Ref(index), value) => match (schema.definition(*index).unwrap(), value) {
                (Definition::Struct(def), Value::Items(items)) => {
                    Fields(schema, def.fields.iter().map(|f| &f.ty).collect(), items).serialize(s)
                }
                (Definition::Enum(def), Value::Variant(number, content)) => {
                    let types = content_types(&def.variants[*number as usize].shape);
                    s.serialize_newtype_variant("E", *number, "V", &Fields(schema, types, content))
                }
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
}
