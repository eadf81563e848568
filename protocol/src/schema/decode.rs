//! Bytes → a schema that may be relied upon. They come from the network, so every claim is checked.

use super::encode::{FORMAT, tag};
use super::validate;
use super::{
    Attributes, Definition, EnumDef, Field, Logical, MethodSchema, SchemaError, Shape, StructDef, Type,
    Variant,
};
use crate::limits::{MAX_NAME, MAX_SCHEMA_PARTS, MAX_TYPE_NESTING};
use crate::wire::Reader;

type Result<T> = std::result::Result<T, SchemaError>;

/// The bytes, and how many parts may still come from them.
struct Source<'a> {
    reader: Reader<'a>,
    parts: usize,
}

impl Source<'_> {
    /// Counts a part before it is read.
    fn part(&mut self) -> Result<()> {
        self.parts = self.parts.checked_sub(1).ok_or(SchemaError::TooManyParts)?;
        Ok(())
    }
}

pub(super) fn method(bytes: &[u8]) -> Result<MethodSchema> {
    let mut source = Source { reader: Reader::new(bytes), parts: MAX_SCHEMA_PARTS };
    match source.reader.u8()? {
        FORMAT => {}
        other => return Err(SchemaError::UnknownFormat(other)),
    }
    let schema = MethodSchema {
        doc: string(&mut source)?,
        request: ty(&mut source, 0)?,
        request_items: optional_type(&mut source)?,
        response: ty(&mut source, 0)?,
        error: optional_type(&mut source)?,
        definitions: all(&mut source, definition)?,
        attributes: attributes(&mut source)?,
    };
    if source.reader.remaining() > 0 {
        return Err(SchemaError::TrailingBytes);
    }
    validate::all(&schema)?;
    Ok(schema)
}

fn definition(source: &mut Source<'_>) -> Result<Definition> {
    source.part()?;
    match source.reader.u8()? {
        tag::STRUCT => Ok(Definition::Struct(StructDef {
            name: string(source)?,
            doc: string(source)?,
            fields: all(source, field)?,
            attributes: attributes(source)?,
        })),
        tag::ENUM => Ok(Definition::Enum(EnumDef {
            name: string(source)?,
            doc: string(source)?,
            variants: all(source, variant)?,
            attributes: attributes(source)?,
        })),
        other => Err(SchemaError::UnknownTag(other)),
    }
}

fn field(source: &mut Source<'_>) -> Result<Field> {
    source.part()?;
    Ok(Field {
        name: name(source)?,
        aliases: all(source, alias)?,
        doc: string(source)?,
        ty: ty(source, 0)?,
        default: if source.reader.bool()? { Some(source.reader.bytes()?.to_vec()) } else { None },
        attributes: attributes(source)?,
    })
}

fn variant(source: &mut Source<'_>) -> Result<Variant> {
    source.part()?;
    Ok(Variant {
        name: name(source)?,
        aliases: all(source, alias)?,
        doc: string(source)?,
        shape: match source.reader.u8()? {
            tag::SHAPE_UNIT => Shape::Unit,
            tag::SHAPE_NEWTYPE => Shape::Newtype(ty(source, 0)?),
            tag::SHAPE_TUPLE => Shape::Tuple(all(source, |source| ty(source, 0))?),
            tag::SHAPE_STRUCT => Shape::Struct(all(source, field)?),
            other => return Err(SchemaError::UnknownTag(other)),
        },
        attributes: attributes(source)?,
    })
}

fn attributes(source: &mut Source<'_>) -> Result<Attributes> {
    let mut attributes = Attributes::default();
    for _ in 0..source.reader.length()? {
        source.part()?;
        let tag = source.reader.varint(32)? as u32;
        if !attributes.push(tag, source.reader.bytes()?) {
            return Err(SchemaError::AttributesOutOfOrder(tag));
        }
    }
    Ok(attributes)
}

fn optional_type(source: &mut Source<'_>) -> Result<Option<Type>> {
    if source.reader.bool()? { ty(source, 0).map(Some) } else { Ok(None) }
}

fn ty(source: &mut Source<'_>, nesting: usize) -> Result<Type> {
    if nesting > MAX_TYPE_NESTING {
        return Err(SchemaError::TooDeep);
    }
    source.part()?;
    let inner = |source: &mut Source<'_>| ty(source, nesting + 1);
    Ok(match source.reader.u8()? {
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
        tag::OPTION => Type::Option(Box::new(inner(source)?)),
        tag::LIST => Type::List(Box::new(inner(source)?)),
        tag::ARRAY => {
            let length = source.reader.varint(32)? as u32;
            Type::Array(Box::new(inner(source)?), length)
        }
        tag::TUPLE => Type::Tuple(all(source, inner)?),
        tag::MAP => Type::Map(Box::new(inner(source)?), Box::new(inner(source)?)),
        tag::REF => Type::Ref(source.reader.varint(32)? as u32),
        tag::LOGICAL => {
            let logical = Logical(source.reader.varint(32)? as u32);
            Type::Logical(logical, Box::new(inner(source)?))
        }
        tag::PRESENCE => Type::Presence(Box::new(inner(source)?)),
        other => return Err(SchemaError::UnknownTag(other)),
    })
}

fn alias(source: &mut Source<'_>) -> Result<String> {
    source.part()?;
    name(source)
}

/// What JSON calls a field or variant.
fn name(source: &mut Source<'_>) -> Result<String> {
    let name = source.reader.str()?;
    match name.len() > MAX_NAME {
        true => Err(SchemaError::NameTooLong(name.len())),
        false => Ok(name.to_owned()),
    }
}

fn string(source: &mut Source<'_>) -> Result<String> {
    Ok(source.reader.str()?.to_owned())
}

/// Reads a counted sequence. Each item takes at least a byte, so a false count ends at the end of the bytes.
fn all<'a, T>(source: &mut Source<'a>, mut one: impl FnMut(&mut Source<'a>) -> Result<T>) -> Result<Vec<T>> {
    let count = source.reader.length()?;
    let mut items = Vec::new();
    for _ in 0..count {
        items.push(one(source)?);
    }
    Ok(items)
}
