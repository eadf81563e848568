//! The guard before bincode: walks a message against its schema and says whether it is exactly one value of it.
//!
//! bincode has no bound on depth, believes lengths, and lets zero-sized items pass uncounted; a megabyte of `01` into a
//! recursive enum aborts the process. The walk allocates nothing and is bounded in depth
//! ([`MAX_DEPTH`](crate::limits::MAX_DEPTH)), in zero-sized values
//! ([`MAX_ZERO_SIZED_ITEMS`](crate::limits::MAX_ZERO_SIZED_ITEMS)) and by the bytes that are really there. What passes,
//! bincode decodes.

use crate::limits::{MAX_DEPTH, MAX_ZERO_SIZED_ITEMS};
use crate::schema::{Definition, Field, MethodSchema, Shape, Type};
use crate::wire::{Reader, WireError};
use std::fmt;

/// Where and why a message is not a value of its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckError {
    /// The offset in bytes behind what was read when it was noticed.
    pub offset: usize,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// A primitive cannot be read.
    Wire(WireError),
    /// More nested containers than [`MAX_DEPTH`](crate::limits::MAX_DEPTH).
    TooDeep,
    /// More zero-sized values than [`MAX_ZERO_SIZED_ITEMS`](crate::limits::MAX_ZERO_SIZED_ITEMS).
    TooManyZeroSizedItems,
    /// An enum has no variant of that number.
    UnknownVariant,
    /// A part below a second is 10⁹ nanoseconds or more.
    NanosOutOfRange,
    /// A UUID is not 16 bytes long.
    BadUuid,
    /// Bytes are left over.
    TrailingBytes,
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Reason::Wire(error) => write!(f, "{error}")?,
            Reason::TooDeep => write!(f, "nested deeper than {MAX_DEPTH}")?,
            Reason::TooManyZeroSizedItems => write!(f, "more than {MAX_ZERO_SIZED_ITEMS} zero-sized values")?,
            Reason::UnknownVariant => write!(f, "unknown enum variant")?,
            Reason::NanosOutOfRange => write!(f, "nanoseconds out of range")?,
            Reason::BadUuid => write!(f, "a UUID that is not 16 bytes long")?,
            Reason::TrailingBytes => write!(f, "bytes after the end of the value")?,
        }
        write!(f, " at byte {}", self.offset)
    }
}

impl std::error::Error for CheckError {}

impl From<WireError> for Reason {
    fn from(error: WireError) -> Self {
        Reason::Wire(error)
    }
}

/// Checks that `bytes` are exactly one value of `ty`.
pub fn value(schema: &MethodSchema, ty: &Type, bytes: &[u8]) -> Result<(), CheckError> {
    let mut walk = Walk {
        schema,
        reader: Reader::new(bytes),
        zero_sized: 0,
        depth: 0,
    };
    let result = walk.value(ty).and_then(|()| match walk.reader.remaining() {
        0 => Ok(()),
        _ => Err(Reason::TrailingBytes),
    });
    result.map_err(|reason| CheckError {
        offset: walk.reader.offset(),
        reason,
    })
}

struct Walk<'a> {
    schema: &'a MethodSchema,
    reader: Reader<'a>,
    zero_sized: usize,
    depth: usize,
}

type Step = Result<(), Reason>;

/// The walk looks at values only to get past them.
fn skip<T>(_: T) {}

impl<'a> Walk<'a> {
    fn value(&mut self, ty: &'a Type) -> Step {
        match ty {
            Type::Unit => self.zero_sized()?,
            Type::Bool => skip(self.reader.bool()?),
            Type::U8 | Type::I8 => skip(self.reader.u8()?),
            Type::U16 | Type::I16 => skip(self.reader.varint(16)?),
            Type::U32 | Type::I32 => skip(self.reader.varint(32)?),
            Type::U64 | Type::I64 => skip(self.reader.varint(64)?),
            Type::U128 | Type::I128 => skip(self.reader.varint128()?),
            Type::F32 | Type::Ipv4Addr => skip(self.reader.take(4)?),
            Type::F64 => skip(self.reader.take(8)?),
            Type::Ipv6Addr => skip(self.reader.take(16)?),
            Type::Char => skip(self.reader.char()?),
            Type::String | Type::Json => skip(self.reader.str()?),
            Type::Bytes => skip(self.reader.bytes()?),
            Type::Uuid => self.uuid()?,
            Type::Timestamp | Type::Duration => self.time()?,
            Type::IpAddr => match self.reader.varint(32)? {
                0 => skip(self.reader.take(4)?),
                1 => skip(self.reader.take(16)?),
                _ => return Err(Reason::UnknownVariant),
            },
            Type::Option(inner) => {
                if self.reader.bool()? {
                    self.value(inner)?;
                }
            }
            Type::List(item) => self.nested(|walk| {
                let count = walk.reader.length()?;
                walk.items(count, |walk| walk.value(item))
            })?,
            Type::Array(item, length) => {
                self.unsized_nested(|walk| walk.items(u64::from(*length), |w| w.value(item)))?
            }
            Type::Tuple(items) => self.tuple(items)?,
            Type::Map(key, value) => self.nested(|walk| {
                let count = walk.reader.length()?;
                walk.items(count, |walk| {
                    walk.value(key)?;
                    walk.value(value)
                })
            })?,
            Type::Ref(index) => self.definition(*index)?,
        }
        Ok(())
    }

    fn definition(&mut self, index: u32) -> Step {
        match self.schema.definition(index) {
            Some(Definition::Struct(def)) => self.fields(&def.fields),
            Some(Definition::Enum(def)) => {
                let number = self.reader.varint(32)?;
                match &def
                    .variants
                    .get(number as usize)
                    .ok_or(Reason::UnknownVariant)?
                    .shape
                {
                    Shape::Unit => Ok(()),
                    Shape::Newtype(ty) => self.nested(|walk| walk.value(ty)),
                    Shape::Tuple(items) => self.nested(|walk| walk.tuple(items)),
                    Shape::Struct(fields) => self.nested(|walk| walk.fields(fields)),
                }
            }
            // A checked schema has no such reference; an unchecked one offers no variant of that number.
            None => Err(Reason::UnknownVariant),
        }
    }

    fn fields(&mut self, fields: &'a [Field]) -> Step {
        self.unsized_nested(|walk| fields.iter().try_for_each(|field| walk.value(&field.ty)))
    }

    fn tuple(&mut self, items: &'a [Type]) -> Step {
        self.unsized_nested(|walk| items.iter().try_for_each(|item| walk.value(item)))
    }

    fn items(&mut self, count: u64, mut one: impl FnMut(&mut Self) -> Step) -> Step {
        for _ in 0..count {
            one(self)?;
        }
        Ok(())
    }

    /// A container without a length or number of its own, so that it may be of size zero. Each one that is, counts:
    /// not only in lists, since a few structs that each hold two of the next are 2ⁿ values without a byte.
    fn unsized_nested(&mut self, inside: impl FnOnce(&mut Self) -> Step) -> Step {
        let before = self.reader.offset();
        self.nested(inside)?;
        match self.reader.offset() == before {
            true => self.zero_sized(),
            false => Ok(()),
        }
    }

    fn zero_sized(&mut self) -> Step {
        self.zero_sized += 1;
        match self.zero_sized > MAX_ZERO_SIZED_ITEMS {
            true => Err(Reason::TooManyZeroSizedItems),
            false => Ok(()),
        }
    }

    fn nested(&mut self, inside: impl FnOnce(&mut Self) -> Step) -> Step {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Reason::TooDeep);
        }
        inside(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn uuid(&mut self) -> Step {
        match self.reader.bytes()?.len() {
            16 => Ok(()),
            _ => Err(Reason::BadUuid),
        }
    }

    fn time(&mut self) -> Step {
        self.reader.varint(64)?;
        match self.reader.varint(32)? {
            0..=999_999_999 => Ok(()),
            _ => Err(Reason::NanosOutOfRange),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::StructDef;

    fn schema(fields_of_each: impl Fn(u32) -> Vec<Type>, count: u32) -> MethodSchema {
        let field = |(index, ty)| Field {
            name: format!("f{index}"),
            aliases: Vec::new(),
            doc: String::new(),
            ty,
            default: None,
        };
        let definition = |index| {
            Definition::Struct(StructDef {
                name: String::new(),
                doc: String::new(),
                fields: fields_of_each(index).into_iter().enumerate().map(field).collect(),
            })
        };
        MethodSchema {
            doc: String::new(),
            request: Type::Ref(0),
            response: Type::Unit,
            definitions: (0..count).map(definition).collect(),
        }
    }

    #[test]
    fn structs_that_each_hold_two_of_the_next_do_not_take_exponential_time() {
        let doubled = |index| match index {
            99 => Vec::new(),
            n => vec![Type::Ref(n + 1), Type::Ref(n + 1)],
        };
        let schema = schema(doubled, 100);
        let reason = value(&schema, &schema.request, &[]).map_err(|error| error.reason);
        assert_eq!(reason, Err(Reason::TooManyZeroSizedItems));
    }

    #[test]
    fn zero_sized_values_are_bounded_wherever_they_are() {
        for (item, count, passes) in [
            (Type::Unit, 65_536, true),
            (Type::Unit, 65_537, false),
            (Type::Tuple(Vec::new()), 65_536, true),
            (Type::Tuple(Vec::new()), 65_537, false),
            (Type::Bool, 65_537, true),
        ] {
            let mut bytes = Vec::new();
            crate::wire::put_varint(&mut bytes, count);
            if item == Type::Bool {
                bytes.resize(bytes.len() + count as usize, 0);
            }
            let schema = schema(|_| Vec::new(), 0);
            let checked = value(&schema, &Type::List(Box::new(item.clone())), &bytes);
            assert_eq!(checked.is_ok(), passes, "{count} of {item:?}: {checked:?}");
        }
    }
}
