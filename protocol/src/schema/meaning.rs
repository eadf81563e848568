//! What the known attributes mean: where each may stand, and what its value must be there.

use super::{Attributes, Logical, MethodSchema, SchemaError, Type};
use crate::check;
use crate::limits::{MAX_ATTRIBUTES, MAX_NAME, MAX_PATTERN, MAX_ZERO_SIZED_ITEMS};

/// What attributes belong to.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Method,
    Struct,
    Enum,
    Field(&'a Type),
    Variant,
}

/// All attributes of a schema share one allowance of bytes, and one of zero-sized values among them: there may be
/// thousands, and checking each costs up to that.
pub(super) struct Checker<'a> {
    schema: &'a MethodSchema,
    bytes: usize,
    zero_sized: usize,
}

impl<'a> Checker<'a> {
    pub(super) fn new(schema: &'a MethodSchema) -> Checker<'a> {
        Checker { schema, bytes: MAX_ATTRIBUTES, zero_sized: MAX_ZERO_SIZED_ITEMS }
    }

    /// `owner`: the name of what they belong to, for the error.
    pub(super) fn check(
        &mut self,
        place: Place<'_>,
        owner: &str,
        attributes: &Attributes,
    ) -> Result<(), SchemaError> {
        for (tag, value) in attributes.iter() {
            self.bytes = self.bytes.checked_sub(value.len()).ok_or(SchemaError::AttributesTooLong)?;
            if !self.is_sound(place, tag, value, attributes) {
                return Err(SchemaError::BadAttribute { tag, owner: owner.to_owned() });
            }
        }
        Ok(())
    }

    fn is_sound(&mut self, place: Place<'_>, tag: u32, value: &[u8], all: &Attributes) -> bool {
        match (tag, place) {
            (Attributes::DEPRECATED, _) => all.deprecated().is_some(),
            (Attributes::EXAMPLE, Place::Field(ty)) => self.is_value(ty, value),
            (Attributes::MINIMUM | Attributes::MAXIMUM, Place::Field(ty)) => {
                self.is_bound(ty.content(), value)
            }
            (Attributes::LENGTH, Place::Field(ty)) => {
                matches!(ty.content().physical(), Type::String | Type::Bytes) && all.length().is_some()
            }
            (Attributes::ITEMS, Place::Field(ty)) => {
                matches!(ty.content().physical(), Type::List(_) | Type::Map(..)) && all.items().is_some()
            }
            (Attributes::PATTERN, Place::Field(ty)) => {
                *ty.content().physical() == Type::String
                    && all.pattern().is_some_and(|pattern| pattern.len() <= MAX_PATTERN)
            }
            (Attributes::UNIT, Place::Field(_)) => all.unit().is_some(),
            (Attributes::SECRET, Place::Field(_)) => value.is_empty(),
            (Attributes::CODE, Place::Variant) => all.code().is_some(),
            (Attributes::TAG, Place::Enum) => is_name(all.tag()),
            (Attributes::CONTENT, Place::Enum) => {
                is_name(all.content()) && all.tag().is_some() && all.tag() != all.content()
            }
            // What is asked of a whole value has no place of its own in JSON then.
            (Attributes::FLATTEN, Place::Field(_)) => {
                value.is_empty() && !all.is_secret() && all.items().is_none()
            }
            (Attributes::DEPRECATED..=Attributes::FLATTEN, _) => false,
            _ => true,
        }
    }

    fn is_value(&mut self, ty: &Type, value: &[u8]) -> bool {
        check::value_within(self.schema, ty, value, &mut self.zero_sized).is_ok()
    }

    /// Whether it is a value of a type that has an order, and has a place in that order.
    fn is_bound(&mut self, ty: &Type, value: &[u8]) -> bool {
        let is_number = match ty {
            Type::F32 => value.try_into().is_ok_and(|bytes| !f32::from_le_bytes(bytes).is_nan()),
            Type::F64 => value.try_into().is_ok_and(|bytes| !f64::from_le_bytes(bytes).is_nan()),
            _ => true,
        };
        is_number && is_ordered(ty) && self.is_value(ty, value)
    }
}

fn is_name(name: Option<&str>) -> bool {
    name.is_some_and(|name| name.len() <= MAX_NAME)
}

/// Whether the type's values have an order that people expect: numbers, dates and times.
fn is_ordered(ty: &Type) -> bool {
    match ty {
        Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::U128 => true,
        Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::I128 => true,
        Type::F32 | Type::F64 | Type::Timestamp | Type::Duration => true,
        Type::Logical(logical, _) => matches!(*logical, Logical::DECIMAL | Logical::DATE | Logical::TIME),
        _ => false,
    }
}
