//! The walk over an encoded request: passes values, and asks the rules of those fields that have some.
//!
//! The guard has walked the same bytes, so nothing is wrong with them. The bounds are kept all the same: containers recurse, which
//! the depth bounds, and values without bytes are counted.

use super::Constraints;
use super::place::{Segment, pointer};
use crate::layout::Rules;
use crate::request::MAX_VIOLATIONS;
use crate::violation::{Violation, ViolationKind};
use callgate_protocol::limits::{MAX_DEPTH, MAX_ZERO_SIZED_ITEMS};
use callgate_protocol::schema::{Definition, EnumDef, Field, MethodSchema, Shape, Type, Variant};
use callgate_protocol::wire::{Reader, WireError};

/// The walk ends early where enough is told, or where the bytes are no message.
struct End;

impl From<WireError> for End {
    fn from(_: WireError) -> End {
        End
    }
}

type Step = Result<(), End>;

pub(super) fn request(constraints: &Constraints, schema: &MethodSchema, request: &[u8]) -> Vec<Violation> {
    let mut walk = Walk {
        constraints,
        schema,
        reader: Reader::new(request),
        place: Vec::new(),
        depth: 0,
        left: MAX_ZERO_SIZED_ITEMS,
        violations: Vec::new(),
    };
    // Whatever ends it, what was found is told.
    let _ = walk.value(&schema.request);
    walk.violations
}

struct Walk<'a> {
    constraints: &'a Constraints,
    schema: &'a MethodSchema,
    reader: Reader<'a>,
    place: Vec<Segment<'a>>,
    depth: usize,
    /// How many more items without bytes are passed.
    left: usize,
    violations: Vec<Violation>,
}

impl<'a> Walk<'a> {
    fn value(&mut self, ty: &'a Type) -> Step {
        match self.present(ty)? {
            Some(ty) => self.content(ty),
            None => Ok(()),
        }
    }

    /// Reads what says whether there is a value; gives its type without what is around it.
    fn present(&mut self, mut ty: &'a Type) -> Result<Option<&'a Type>, End> {
        while let Type::Option(inner) | Type::Presence(inner) | Type::Logical(_, inner) = ty {
            let is_there = match ty {
                Type::Option(_) => self.reader.bool()?,
                Type::Presence(_) => self.reader.varint(32)? == 2,
                _ => true,
            };
            if !is_there {
                return Ok(None);
            }
            ty = inner;
        }
        Ok(Some(ty))
    }

    fn content(&mut self, ty: &'a Type) -> Step {
        match ty {
            Type::List(item) => {
                let count = self.reader.length()?;
                self.items(item, count)
            }
            Type::Array(item, length) => self.items(item, u64::from(*length)),
            Type::Tuple(items) => self.parts(items),
            Type::Map(key, value) => self.map(key, value),
            Type::Ref(index) => self.definition(*index),
            scalar => self.pass(scalar),
        }
    }

    fn definition(&mut self, index: u32) -> Step {
        match self.schema.definition(index).ok_or(End)? {
            Definition::Struct(def) => self.nested(|walk| walk.fields(&def.fields, index, 0)),
            Definition::Enum(def) => {
                let number = usize::try_from(self.reader.varint(32)?).map_err(|_| End)?;
                let variant = def.variants.get(number).ok_or(End)?;
                let segment = segment_of(def, variant);
                self.place.extend(segment);
                self.nested(|walk| match &variant.shape {
                    Shape::Unit => Ok(()),
                    Shape::Newtype(ty) => walk.value(ty),
                    Shape::Tuple(items) => walk.parts(items),
                    Shape::Struct(fields) => walk.fields(fields, index, number),
                })?;
                self.place.truncate(self.place.len() - usize::from(segment.is_some()));
                Ok(())
            }
        }
    }

    fn fields(&mut self, fields: &'a [Field], definition: u32, variant: usize) -> Step {
        let constraints = self.constraints;
        let mut rules = constraints.rules(definition, variant).iter();
        for field in fields {
            let rules = rules.next().and_then(Option::as_ref);
            let is_flat = field.attributes.is_flattened();
            if !is_flat {
                self.place.push(Segment::Name(&field.name));
            }
            match rules {
                Some(rules) => self.ruled(&field.ty, rules)?,
                None => self.value(&field.ty)?,
            }
            if !is_flat {
                self.place.pop();
            }
        }
        Ok(())
    }

    /// A field's value with rules: they are asked of what is inside of option and presence.
    fn ruled(&mut self, ty: &'a Type, rules: &Rules) -> Step {
        let Some(ty) = self.present(ty)? else { return Ok(()) };
        let (start, told) = (self.reader.offset(), self.violations.len());
        self.content(ty)?;
        let broken = rules.broken(&self.constraints.patterns, self.reader.since(start));
        if broken.is_empty() {
            return Ok(());
        }
        let pointer = pointer(self.schema, &self.place);
        let (is_full, left) =
            (self.violations.len() == MAX_VIOLATIONS, MAX_VIOLATIONS - self.violations.len());
        let violations = broken.into_iter().take(left).map(|detail| Violation {
            pointer: pointer.clone(),
            kind: ViolationKind::Constraint,
            detail,
            line: None,
            column: None,
        });
        // A list is told of before its items.
        drop(self.violations.splice(told..told, violations));
        if is_full { Err(End) } else { Ok(()) }
    }

    fn parts(&mut self, types: &'a [Type]) -> Step {
        self.nested(|walk| {
            for (index, ty) in (0..).zip(types) {
                walk.place.push(Segment::Index(index));
                walk.value(ty)?;
                walk.place.pop();
            }
            Ok(())
        })
    }

    fn items(&mut self, item: &'a Type, count: u64) -> Step {
        if let Some(width) = plain_width(item) {
            let bytes = usize::try_from(count.saturating_mul(width)).unwrap_or(usize::MAX);
            self.reader.take(bytes)?;
            return Ok(());
        }
        self.nested(|walk| {
            for index in 0..count {
                let before = walk.reader.offset();
                walk.place.push(Segment::Index(index));
                walk.value(item)?;
                walk.place.pop();
                if walk.reader.offset() == before {
                    walk.left = walk.left.checked_sub(1).ok_or(End)?;
                }
            }
            Ok(())
        })
    }

    fn map(&mut self, key: &'a Type, value: &'a Type) -> Step {
        let count = self.reader.length()?;
        self.nested(|walk| {
            for _ in 0..count {
                let start = walk.reader.offset();
                walk.value(key)?;
                walk.place.push(Segment::Key(key, walk.reader.since(start)));
                walk.value(value)?;
                walk.place.pop();
            }
            Ok(())
        })
    }

    fn nested(&mut self, walk: impl FnOnce(&mut Self) -> Step) -> Step {
        self.depth += 1;
        // A variant and its content count once here, and twice for the guard.
        if self.depth > MAX_DEPTH {
            return Err(End);
        }
        walk(self)?;
        self.depth -= 1;
        Ok(())
    }

    /// A value of one token.
    fn pass(&mut self, ty: &Type) -> Step {
        match ty {
            Type::Bool | Type::U8 | Type::I8 => skip(self.reader.u8()?),
            Type::U128 | Type::I128 => skip(self.reader.varint128()?),
            Type::U16 | Type::I16 | Type::U32 | Type::I32 | Type::U64 | Type::I64 => {
                self.reader.varint(64)?;
            }
            Type::F32 | Type::Ipv4Addr => skip(self.reader.take(4)?),
            Type::F64 => skip(self.reader.take(8)?),
            Type::Ipv6Addr => skip(self.reader.take(16)?),
            Type::Char => skip(self.reader.char()?),
            Type::String | Type::Json | Type::Bytes | Type::Uuid => skip(self.reader.bytes()?),
            Type::Timestamp | Type::Duration => {
                self.reader.varint(64)?;
                self.reader.varint(32)?;
            }
            Type::IpAddr => {
                let width = if self.reader.varint(32)? == 0 { 4 } else { 16 };
                self.reader.take(width)?;
            }
            // Units have no bytes, and containers are passed elsewhere.
            _ => {}
        }
        Ok(())
    }
}

/// The walk looks at most values only to get past them.
fn skip<T>(_: T) {}

/// What JSON has around the content of a variant: its name, or nothing beside a tag, or the member for the content.
fn segment_of<'a>(def: &'a EnumDef, variant: &'a Variant) -> Option<Segment<'a>> {
    match (def.attributes.tag(), def.attributes.content()) {
        (None, _) => Some(Segment::Name(&variant.name)),
        (Some(_), content) => content.map(Segment::Name),
    }
}

/// The size of values that have nothing to be asked and one size, so that many of them are passed in one step.
fn plain_width(ty: &Type) -> Option<u64> {
    match ty.physical() {
        Type::Bool | Type::U8 | Type::I8 => Some(1),
        Type::F32 | Type::Ipv4Addr => Some(4),
        Type::F64 => Some(8),
        Type::Ipv6Addr => Some(16),
        _ => None,
    }
}
