//! Bytes → a schema that may be relied upon. They come from the network, so every claim is checked.

use super::encode::{FORMAT, tag};
use super::{Definition, EnumDef, Field, MethodSchema, Shape, StructDef, Type, Variant};
use crate::check;
use crate::wire::{Reader, WireError};
use std::collections::HashSet;
use std::fmt;

/// How deep a type expression may nest without going through a definition.
const MAX_TYPE_NESTING: usize = 32;

/// Why a schema was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaError {
    /// The bytes are not an encoding.
    Wire(WireError),
    /// The encoding is of a later format.
    UnknownFormat(u8),
    /// A type, definition or shape has a tag that is not known.
    UnknownTag(u8),
    /// Bytes are left over.
    TrailingBytes,
    /// A type expression nests deeper than 32.
    TooDeep,
    /// A reference names no definition.
    DanglingRef(u32),
    /// The request is not a struct.
    RequestIsNoStruct,
    /// A name or alias occurs twice in one struct or enum.
    DuplicateName(String),
    /// A map's key cannot be a JSON key.
    BadMapKey,
    /// A default is not a value of its field's type.
    BadDefault(String),
    /// The bytes are not those of the fingerprint under which they were sent.
    WrongFingerprint,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SchemaError::Wire(error) => write!(f, "not a schema: {error}"),
            SchemaError::UnknownFormat(n) => write!(f, "schema format {n} is not known (known: {FORMAT})"),
            SchemaError::UnknownTag(n) => write!(f, "unknown tag {n} in a schema"),
            SchemaError::TrailingBytes => write!(f, "bytes after the end of the schema"),
            SchemaError::TooDeep => write!(f, "a type nests deeper than {MAX_TYPE_NESTING}"),
            SchemaError::DanglingRef(n) => write!(f, "reference to definition {n}, which does not exist"),
            SchemaError::RequestIsNoStruct => write!(f, "the request is not a struct"),
            SchemaError::DuplicateName(name) => write!(f, "the name `{name}` occurs twice"),
            SchemaError::BadMapKey => write!(f, "a map's key cannot be written as a JSON key"),
            SchemaError::BadDefault(name) => write!(f, "the default of `{name}` is not a value of its type"),
            SchemaError::WrongFingerprint => write!(f, "the schema's bytes are not of its fingerprint"),
        }
    }
}

impl std::error::Error for SchemaError {}

impl From<WireError> for SchemaError {
    fn from(error: WireError) -> Self {
        SchemaError::Wire(error)
    }
}

type Result<T> = std::result::Result<T, SchemaError>;

pub(super) fn method(bytes: &[u8]) -> Result<MethodSchema> {
    let mut reader = Reader::new(bytes);
    match reader.u8()? {
        FORMAT => {}
        other => return Err(SchemaError::UnknownFormat(other)),
    }
    let schema = MethodSchema {
        doc: string(&mut reader)?,
        request: ty(&mut reader, 0)?,
        response: ty(&mut reader, 0)?,
        definitions: all(&mut reader, definition)?,
    };
    if reader.remaining() > 0 {
        return Err(SchemaError::TrailingBytes);
    }
    validate(&schema)?;
    Ok(schema)
}

fn definition(reader: &mut Reader<'_>) -> Result<Definition> {
    match reader.u8()? {
        tag::STRUCT => Ok(Definition::Struct(StructDef {
            name: string(reader)?,
            doc: string(reader)?,
            fields: all(reader, field)?,
        })),
        tag::ENUM => Ok(Definition::Enum(EnumDef {
            name: string(reader)?,
            doc: string(reader)?,
            variants: all(reader, variant)?,
        })),
        other => Err(SchemaError::UnknownTag(other)),
    }
}

fn field(reader: &mut Reader<'_>) -> Result<Field> {
    Ok(Field {
        name: string(reader)?,
        aliases: all(reader, string)?,
        doc: string(reader)?,
        ty: ty(reader, 0)?,
        default: if reader.bool()? {
            Some(reader.bytes()?.to_vec())
        } else {
            None
        },
    })
}

fn variant(reader: &mut Reader<'_>) -> Result<Variant> {
    Ok(Variant {
        name: string(reader)?,
        aliases: all(reader, string)?,
        doc: string(reader)?,
        shape: match reader.u8()? {
            tag::SHAPE_UNIT => Shape::Unit,
            tag::SHAPE_NEWTYPE => Shape::Newtype(ty(reader, 0)?),
            tag::SHAPE_TUPLE => Shape::Tuple(all(reader, |reader| ty(reader, 0))?),
            tag::SHAPE_STRUCT => Shape::Struct(all(reader, field)?),
            other => return Err(SchemaError::UnknownTag(other)),
        },
    })
}

fn ty(reader: &mut Reader<'_>, nesting: usize) -> Result<Type> {
    if nesting > MAX_TYPE_NESTING {
        return Err(SchemaError::TooDeep);
    }
    let inner = |reader: &mut Reader<'_>| ty(reader, nesting + 1);
    Ok(match reader.u8()? {
        tag::UNIT => Type::Unit,
        tag::BOOL => Type::Bool,
        tag::U8 => Type::U8,
        tag::U16 => Type::U16,
        tag::U32 => Type::U32,
        tag::U64 => Type::U64,
        tag::U128 => Type::U128,
        tag::I8 => Type::I8,
        tag::I16 => Type::I16,
        tag::I32 => Type::I32,
        tag::I64 => Type::I64,
        tag::I128 => Type::I128,
        tag::F32 => Type::F32,
        tag::F64 => Type::F64,
        tag::CHAR => Type::Char,
        tag::STRING => Type::String,
        tag::BYTES => Type::Bytes,
        tag::UUID => Type::Uuid,
        tag::TIMESTAMP => Type::Timestamp,
        tag::DURATION => Type::Duration,
        tag::IP_ADDR => Type::IpAddr,
        tag::IPV4_ADDR => Type::Ipv4Addr,
        tag::IPV6_ADDR => Type::Ipv6Addr,
        tag::JSON => Type::Json,
        tag::OPTION => Type::Option(Box::new(inner(reader)?)),
        tag::LIST => Type::List(Box::new(inner(reader)?)),
        tag::ARRAY => {
            let length = reader.varint(32)? as u32;
            Type::Array(Box::new(inner(reader)?), length)
        }
        tag::TUPLE => Type::Tuple(all(reader, inner)?),
        tag::MAP => Type::Map(Box::new(inner(reader)?), Box::new(inner(reader)?)),
        tag::REF => Type::Ref(reader.varint(32)? as u32),
        other => return Err(SchemaError::UnknownTag(other)),
    })
}

fn string(reader: &mut Reader<'_>) -> Result<String> {
    Ok(reader.str()?.to_owned())
}

/// Reads a counted sequence. Each item takes at least a byte, so a false count ends at the end of the bytes.
fn all<'a, T>(reader: &mut Reader<'a>, mut one: impl FnMut(&mut Reader<'a>) -> Result<T>) -> Result<Vec<T>> {
    let count = reader.length()?;
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(one(reader)?);
    }
    Ok(items)
}

fn validate(schema: &MethodSchema) -> Result<()> {
    validate_type(schema, &schema.request)?;
    validate_type(schema, &schema.response)?;
    if schema.request_struct().is_none() {
        return Err(SchemaError::RequestIsNoStruct);
    }
    // Types first: a default is only looked at when all that it may refer to is known to be sound.
    for definition in &schema.definitions {
        match definition {
            Definition::Struct(def) => validate_fields(schema, &def.fields)?,
            Definition::Enum(def) => {
                unique(def.variants.iter().map(|v| (&v.name, &v.aliases)))?;
                for variant in &def.variants {
                    match &variant.shape {
                        Shape::Unit => {}
                        Shape::Newtype(ty) => validate_type(schema, ty)?,
                        Shape::Tuple(types) => types.iter().try_for_each(|ty| validate_type(schema, ty))?,
                        Shape::Struct(fields) => validate_fields(schema, fields)?,
                    }
                }
            }
        }
    }
    for definition in &schema.definitions {
        match definition {
            Definition::Struct(def) => validate_defaults(schema, &def.fields)?,
            Definition::Enum(def) => {
                for variant in &def.variants {
                    if let Shape::Struct(fields) = &variant.shape {
                        validate_defaults(schema, fields)?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn validate_fields(schema: &MethodSchema, fields: &[Field]) -> Result<()> {
    unique(fields.iter().map(|f| (&f.name, &f.aliases)))?;
    fields
        .iter()
        .try_for_each(|field| validate_type(schema, &field.ty))
}

fn validate_defaults(schema: &MethodSchema, fields: &[Field]) -> Result<()> {
    for field in fields {
        if let Some(default) = &field.default {
            check::value(schema, &field.ty, default)
                .map_err(|_| SchemaError::BadDefault(field.name.clone()))?;
        }
    }
    Ok(())
}

fn validate_type(schema: &MethodSchema, ty: &Type) -> Result<()> {
    match ty {
        Type::Option(inner) | Type::List(inner) | Type::Array(inner, _) => validate_type(schema, inner),
        Type::Tuple(items) => items.iter().try_for_each(|item| validate_type(schema, item)),
        Type::Map(key, value) => {
            validate_type(schema, key)?;
            if !schema.is_map_key(key) {
                return Err(SchemaError::BadMapKey);
            }
            validate_type(schema, value)
        }
        Type::Ref(index) => match schema.definition(*index) {
            Some(_) => Ok(()),
            None => Err(SchemaError::DanglingRef(*index)),
        },
        _ => Ok(()),
    }
}

fn unique<'a>(names: impl Iterator<Item = (&'a String, &'a Vec<String>)>) -> Result<()> {
    let mut seen = HashSet::new();
    for (name, aliases) in names {
        for name in std::iter::once(name).chain(aliases) {
            if !seen.insert(name) {
                return Err(SchemaError::DuplicateName(name.clone()));
            }
        }
    }
    Ok(())
}
