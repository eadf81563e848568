//! The guard before a message is read: walks it against its schema and says whether it is exactly one value of it.
//!
//! A type that reads itself from bytes would recurse as deep as they say, and believe their lengths: a megabyte of `01` into a
//! recursive enum would abort the process. The walk is bounded in depth
//! ([`MAX_DEPTH`]), in zero-sized values ([`MAX_ZERO_SIZED_ITEMS`]) and by the bytes that are really there. It allocates
//! nothing but for maps of more than a few keys, which it compares. What passes, can be read; bincode reads it too.

mod error;
mod keys;

use crate::limits::{MAX_DEPTH, MAX_ZERO_SIZED_ITEMS};
use crate::schema::{Definition, Field, MethodSchema, Shape, Type};
use crate::wire::Reader;
pub use error::{CheckError, Reason};
pub use keys::Keys;

/// Checks that `bytes` are exactly one value of `ty`.
pub fn value(schema: &MethodSchema, ty: &Type, bytes: &[u8]) -> Result<(), CheckError> {
    value_within(schema, ty, bytes, &mut { MAX_ZERO_SIZED_ITEMS })
}

/// How much of a message's bounds a value takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// How deep its containers nest, from 0 to [`MAX_DEPTH`].
    pub depth: usize,
    /// How many zero-sized values it has, from 0 to [`MAX_ZERO_SIZED_ITEMS`].
    pub zero_sized: usize,
}

/// Checks that `bytes` are exactly one value of `ty`, and measures it.
pub fn extent(schema: &MethodSchema, ty: &Type, bytes: &[u8]) -> Result<Extent, CheckError> {
    let mut allowance = MAX_ZERO_SIZED_ITEMS;
    let depth = depth_within(schema, ty, bytes, &mut allowance)?;
    Ok(Extent { depth, zero_sized: MAX_ZERO_SIZED_ITEMS - allowance })
}

/// Checks one of several values that share an allowance of zero-sized ones.
pub(crate) fn value_within(
    schema: &MethodSchema,
    ty: &Type,
    bytes: &[u8],
    allowance: &mut usize,
) -> Result<(), CheckError> {
    depth_within(schema, ty, bytes, allowance).map(|_| ())
}

/// The same; gives how deep it nests.
fn depth_within(
    schema: &MethodSchema,
    ty: &Type,
    bytes: &[u8],
    allowance: &mut usize,
) -> Result<usize, CheckError> {
    let mut walk = Walk { schema, reader: Reader::new(bytes), allowance, depth: 0, deepest: 0 };
    let result = walk.value(ty).and_then(|()| match walk.reader.remaining() {
        0 => Ok(walk.deepest),
        _ => Err(Reason::TrailingBytes),
    });
    result.map_err(|reason| CheckError { offset: walk.reader.offset(), reason })
}

struct Walk<'a, 'b> {
    schema: &'a MethodSchema,
    reader: Reader<'b>,
    allowance: &'b mut usize,
    depth: usize,
    deepest: usize,
}

type Step = Result<(), Reason>;

/// The walk looks at values only to get past them.
fn skip<T>(_: T) {}

/// The size of values that are sound whatever their bytes, so that many of them are passed in one step.
fn plain_width(ty: &Type) -> Option<u64> {
    match ty.physical() {
        Type::U8 | Type::I8 => Some(1),
        Type::F32 | Type::Ipv4Addr => Some(4),
        Type::F64 => Some(8),
        Type::Ipv6Addr => Some(16),
        _ => None,
    }
}

impl<'a> Walk<'a, '_> {
    fn value(&mut self, mut ty: &'a Type) -> Step {
        // None of these counts as depth, so they are passed in a loop and take no stack either.
        while let Type::Option(inner) | Type::Presence(inner) | Type::Logical(_, inner) = ty {
            let present = match ty {
                Type::Option(_) => self.reader.bool()?,
                Type::Presence(_) => self.is_value_present()?,
                _ => true,
            };
            if !present {
                return Ok(());
            }
            ty = inner;
        }
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
            Type::String | Type::Json => self.reader.skip_str()?,
            Type::Bytes => skip(self.reader.bytes()?),
            Type::Uuid => self.uuid()?,
            Type::Timestamp | Type::Duration => self.time()?,
            Type::IpAddr => match self.reader.varint(32)? {
                0 => skip(self.reader.take(4)?),
                1 => skip(self.reader.take(16)?),
                _ => return Err(Reason::UnknownVariant),
            },
            Type::Option(_) | Type::Presence(_) | Type::Logical(..) => {}
            Type::List(item) => {
                let count = self.reader.length()?;
                self.items(item, count)?;
            }
            Type::Array(item, length) => {
                let before = self.reader.offset();
                self.items(item, u64::from(*length))?;
                self.count_if_empty(before)?;
            }
            Type::Tuple(items) => self.parts(items.iter())?,
            Type::Map(key, value) => self.map(key, value)?,
            Type::Ref(index) => self.definition(*index)?,
        }
        Ok(())
    }

    fn definition(&mut self, index: u32) -> Step {
        match self.schema.definition(index) {
            Some(Definition::Struct(def)) => self.fields(&def.fields),
            Some(Definition::Enum(def)) => {
                let number = self.reader.varint(32)?;
                let variant = def.variants.get(number as usize);
                self.content(&variant.ok_or(Reason::UnknownVariant)?.shape)
            }
            // A checked schema has no such reference; an unchecked one offers no variant of that number.
            None => Err(Reason::UnknownVariant),
        }
    }

    /// What follows a variant's number. JSON puts an object around it, which counts.
    fn content(&mut self, shape: &'a Shape) -> Step {
        if let Shape::Unit = shape {
            return Ok(());
        }
        self.enter()?;
        match shape {
            Shape::Unit => {}
            Shape::Newtype(ty) => self.value(ty)?,
            Shape::Tuple(types) => self.parts(types.iter())?,
            Shape::Struct(fields) => self.fields(fields)?,
        }
        self.leave();
        Ok(())
    }

    fn fields(&mut self, fields: &'a [Field]) -> Step {
        self.parts(fields.iter().map(|field| &field.ty))
    }

    /// Values of these types, one after another.
    fn parts(&mut self, types: impl Iterator<Item = &'a Type>) -> Step {
        let before = self.reader.offset();
        self.enter()?;
        for ty in types {
            self.value(ty)?;
        }
        self.leave();
        self.count_if_empty(before)
    }

    /// `count` values of one type. The count is only a claim: the bytes run out, or the allowance does.
    fn items(&mut self, item: &'a Type, count: u64) -> Step {
        self.enter()?;
        if let Some(width) = plain_width(item) {
            let bytes = usize::try_from(count.saturating_mul(width)).unwrap_or(usize::MAX);
            self.reader.take(bytes)?;
        } else {
            for _ in 0..count {
                self.value(item)?;
            }
        }
        self.leave();
        Ok(())
    }

    /// Kept out of the walk, because its frame is large and values nest.
    #[inline(never)]
    fn map(&mut self, key: &'a Type, value: &'a Type) -> Step {
        self.enter()?;
        let mut keys = Keys::new();
        for _ in 0..self.reader.length()? {
            let start = self.reader.offset();
            self.value(key)?;
            if !keys.add(self.reader.since(0), start..self.reader.offset()) {
                return Err(Reason::DuplicateKey);
            }
            self.value(value)?;
        }
        if !keys.are_distinct(self.reader.since(0)) {
            return Err(Reason::DuplicateKey);
        }
        self.leave();
        Ok(())
    }

    fn enter(&mut self) -> Step {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        if self.depth > MAX_DEPTH {
            return Err(Reason::TooDeep);
        }
        Ok(())
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Counts a container that has no length or number of its own, if it took no bytes since `before`.
    fn count_if_empty(&mut self, before: usize) -> Step {
        match self.reader.offset() == before {
            true => self.zero_sized(),
            false => Ok(()),
        }
    }

    /// Counts a value of no bytes, wherever it stands: a few structs that each hold two of the next are 2ⁿ of them.
    fn zero_sized(&mut self) -> Step {
        *self.allowance = self.allowance.checked_sub(1).ok_or(Reason::TooManyZeroSizedItems)?;
        Ok(())
    }

    /// Reads which of absent, null and a value a field with presence is; only the last has more bytes.
    fn is_value_present(&mut self) -> Result<bool, Reason> {
        match self.reader.varint(32)? {
            0 | 1 => Ok(false),
            2 => Ok(true),
            _ => Err(Reason::UnknownVariant),
        }
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
mod oracle_tests;
#[cfg(test)]
mod tests;
