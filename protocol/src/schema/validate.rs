//! What must hold of a schema beyond its encoding, so that whoever has one may rely on it.

use super::meaning::{Checker, Place};
use super::{Definition, Field, MapKeys, MethodSchema, SchemaError, Shape, Type, shapes};
use crate::check;
use crate::limits::{MAX_DEFAULTS, MAX_ZERO_SIZED_ITEMS};
use std::collections::HashSet;

type Result = std::result::Result<(), SchemaError>;

pub(super) fn all(schema: &MethodSchema) -> Result {
    let types = Types { schema, keys: MapKeys::of(schema) };
    types.check(&schema.request)?;
    types.check(&schema.response)?;
    schema.request_items.iter().chain(&schema.error).try_for_each(|ty| types.check(ty))?;
    if schema.request_struct().is_none() {
        return Err(SchemaError::RequestIsNoStruct);
    }
    if schema.error.is_some() && schema.error_enum().is_none() {
        return Err(SchemaError::ErrorIsNoEnum);
    }
    for definition in &schema.definitions {
        types.check_definition(definition)?;
    }
    // Defaults and attributes last, when all that they may refer to is known to be sound.
    defaults(schema)?;
    attributes(schema)?;
    shapes::check(schema)
}

struct Types<'a> {
    schema: &'a MethodSchema,
    keys: MapKeys,
}

impl Types<'_> {
    fn check_definition(&self, definition: &Definition) -> Result {
        let def = match definition {
            Definition::Struct(def) => return self.check_fields(&def.fields),
            Definition::Enum(def) => def,
        };
        unique(def.variants.iter().map(|v| (&v.name, &v.aliases)))?;
        def.variants.iter().try_for_each(|variant| match &variant.shape {
            Shape::Unit => Ok(()),
            Shape::Newtype(ty) => self.check(ty),
            Shape::Tuple(types) => types.iter().try_for_each(|ty| self.check(ty)),
            Shape::Struct(fields) => self.check_fields(fields),
        })
    }

    fn check_fields(&self, fields: &[Field]) -> Result {
        unique(fields.iter().map(|f| (&f.name, &f.aliases)))?;
        fields.iter().try_for_each(|field| match &field.ty {
            Type::Presence(inner) => match inner.physical() {
                Type::Option(_) => Err(SchemaError::MisplacedPresence),
                _ => self.check(inner),
            },
            ty => self.check(ty),
        })
    }

    fn check(&self, ty: &Type) -> Result {
        match ty {
            Type::Option(inner) | Type::List(inner) | Type::Array(inner, _) | Type::Logical(_, inner) => {
                self.check(inner)
            }
            Type::Presence(_) => Err(SchemaError::MisplacedPresence),
            Type::Tuple(items) => items.iter().try_for_each(|item| self.check(item)),
            Type::Map(key, value) => {
                self.check(key)?;
                if !self.keys.allow(key) {
                    return Err(SchemaError::BadMapKey);
                }
                self.check(value)
            }
            Type::Ref(index) => match self.schema.definition(*index) {
                Some(_) => Ok(()),
                None => Err(SchemaError::DanglingRef(*index)),
            },
            _ => Ok(()),
        }
    }
}

/// All defaults share one allowance of bytes and one of zero-sized values: there may be thousands, and checking each costs
/// up to that.
fn defaults(schema: &MethodSchema) -> Result {
    let structs = schema.definitions.iter().flat_map(|definition| match definition {
        Definition::Struct(def) => vec![&def.fields],
        Definition::Enum(def) => def.variants.iter().filter_map(|v| v.shape.fields()).collect(),
    });
    let (mut bytes, mut allowance) = (MAX_DEFAULTS, MAX_ZERO_SIZED_ITEMS);
    for field in structs.flatten() {
        if let Some(default) = &field.default {
            bytes = bytes.checked_sub(default.len()).ok_or(SchemaError::DefaultsTooLong)?;
            check::value_within(schema, &field.ty, default, &mut allowance)
                .map_err(|_| SchemaError::BadDefault(field.name.clone()))?;
        }
    }
    Ok(())
}

fn attributes(schema: &MethodSchema) -> Result {
    let mut checker = Checker::new(schema);
    checker.check(Place::Method, "", &schema.attributes)?;
    for definition in &schema.definitions {
        match definition {
            Definition::Struct(def) => {
                checker.check(Place::Struct, &def.name, &def.attributes)?;
                attributes_of(&mut checker, &def.fields)?;
            }
            Definition::Enum(def) => {
                checker.check(Place::Enum, &def.name, &def.attributes)?;
                for variant in &def.variants {
                    checker.check(Place::Variant, &variant.name, &variant.attributes)?;
                    variant.shape.fields().map_or(Ok(()), |fields| attributes_of(&mut checker, fields))?;
                }
            }
        }
    }
    Ok(())
}

fn attributes_of(checker: &mut Checker<'_>, fields: &[Field]) -> Result {
    fields.iter().try_for_each(|field| checker.check(Place::Field(&field.ty), &field.name, &field.attributes))
}

impl Shape {
    fn fields(&self) -> Option<&Vec<Field>> {
        match self {
            Shape::Struct(fields) => Some(fields),
            _ => None,
        }
    }
}

fn unique<'a>(names: impl Iterator<Item = (&'a String, &'a Vec<String>)>) -> Result {
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
