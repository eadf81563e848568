//! The guard before bincode: walks a message against its schema and says whether it is exactly one value of it.
//!
//! bincode has no bound on depth, believes lengths, and lets zero-sized items pass uncounted; a megabyte of `01` into a
//! recursive enum aborts the process. The walk allocates nothing and is bounded in depth
//! ([`MAX_DEPTH`](crate::limits::MAX_DEPTH)), in zero-sized items
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
    /// More zero-sized items than [`MAX_ZERO_SIZED_ITEMS`](crate::limits::MAX_ZERO_SIZED_ITEMS).
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
            Reason::TooManyZeroSizedItems => write!(f, "more than {MAX_ZERO_SIZED_ITEMS} zero-sized items")?,
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
            Type::Unit => {}
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
                self.nested(|walk| walk.items(u64::from(*length), |w| w.value(item)))?
            }
            Type::Tuple(items) => self.nested(|walk| items.iter().try_for_each(|item| walk.value(item)))?,
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
                    Shape::Tuple(items) => self.nested(|walk| {
                        walk.nested(|walk| items.iter().try_for_each(|item| walk.value(item)))
                    }),
                    Shape::Struct(fields) => self.nested(|walk| walk.fields(fields)),
                }
            }
            // A checked schema has no such reference; an unchecked one offers no variant of that number.
            None => Err(Reason::UnknownVariant),
        }
    }

    fn fields(&mut self, fields: &'a [Field]) -> Step {
        self.nested(|walk| fields.iter().try_for_each(|field| walk.value(&field.ty)))
    }

    fn items(&mut self, count: u64, mut one: impl FnMut(&mut Self) -> Step) -> Step {
        for _ in 0..count {
            let before = self.reader.offset();
            one(self)?;
            if self.reader.offset() == before {
                self.zero_sized += 1;
                if self.zero_sized > MAX_ZERO_SIZED_ITEMS {
                    return Err(Reason::TooManyZeroSizedItems);
                }
            }
        }
        Ok(())
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
