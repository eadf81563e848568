//! What the fields of a request ask of their values, for whoever has the message and not its JSON: the SDK's server, whose callers
//! may come without the gateway. The rules, and their words, are those that the gateway goes by ([`Rules`]).
//!
//! The message is walked by its schema, once more after the guard before bincode; a method whose request asks nothing has no
//! constraints, and is not walked.

mod place;
mod walk;

use crate::layout::{Content, Patterns, Rules};
use crate::violation::{BindError, Violation};
use callgate_protocol::schema::{Definition, Field, MethodSchema, Shape, Type};
use regex::Regex;
use std::collections::HashSet;

/// The constraints of a method's request, compiled.
#[derive(Debug)]
pub struct Constraints {
    /// By definition, variant (a struct is as one) and field; lists are empty where no field has rules.
    rules: Vec<Vec<Vec<Option<Rules>>>>,
    patterns: Vec<Regex>,
}

impl Constraints {
    /// Compiles those of a method's request. `None` if no field of it asks anything. The other definitions are compiled too, and
    /// forgotten: what cannot be compiled there is as much of a mistake.
    ///
    /// # Errors
    /// The pattern of a field is none or is too large, or its minimum or maximum is not of its type.
    pub fn of(schema: &MethodSchema) -> Result<Option<Constraints>, BindError> {
        let mut patterns = Patterns::new();
        let mut rules = Vec::new();
        for definition in &schema.definitions {
            let contents = contents(definition).into_iter().map(|fields| of_fields(fields, &mut patterns));
            rules.push(contents.collect::<Result<Vec<_>, _>>()?);
        }
        let asks =
            |index: u32| rules.get(index as usize).is_some_and(|of| of.iter().any(|of| !of.is_empty()));
        let asked = reached(schema).into_iter().any(asks);
        Ok(asked.then_some(Constraints { rules, patterns: patterns.compiled }))
    }

    /// What an encoded request breaks, in its order, up to 64; the pointers are those of its JSON. `schema` is the one of which the
    /// constraints were made, and [`check::value`](callgate_protocol::check::value) has accepted `request`. Of another message
    /// what is told may lack something.
    pub fn broken(&self, schema: &MethodSchema, request: &[u8]) -> Vec<Violation> {
        walk::request(self, schema, request)
    }

    fn rules(&self, definition: u32, variant: usize) -> &[Option<Rules>] {
        let rules = self.rules.get(definition as usize).and_then(|of| of.get(variant));
        rules.map_or(&[], Vec::as_slice)
    }
}

/// The fields of a definition: a struct's, or those of each variant.
fn contents(definition: &Definition) -> Vec<&[Field]> {
    match definition {
        Definition::Struct(def) => vec![&def.fields],
        Definition::Enum(def) => {
            let fields = def.variants.iter().map(|variant| match &variant.shape {
                Shape::Struct(fields) => fields.as_slice(),
                _ => &[],
            });
            fields.collect()
        }
    }
}

/// The rules of each; nothing if there are none.
fn of_fields(fields: &[Field], patterns: &mut Patterns) -> Result<Vec<Option<Rules>>, BindError> {
    let rules = fields.iter().map(|field| {
        let rules = Rules::of(field, Content::of_type(&field.ty), patterns)?;
        Ok(rules.filter(Rules::can_be_broken))
    });
    let rules = rules.collect::<Result<Vec<_>, _>>()?;
    Ok(if rules.iter().any(Option::is_some) { rules } else { Vec::new() })
}

/// The definitions that a request may contain.
fn reached(schema: &MethodSchema) -> HashSet<u32> {
    let (mut found, mut types) = (HashSet::new(), vec![&schema.request]);
    while let Some(ty) = types.pop() {
        match ty {
            Type::Option(inner)
            | Type::Presence(inner)
            | Type::Logical(_, inner)
            | Type::List(inner)
            | Type::Array(inner, _) => types.push(inner),
            Type::Tuple(items) => types.extend(items),
            Type::Map(key, value) => types.extend([&**key, &**value]),
            Type::Ref(index) if found.insert(*index) => {
                if let Some(definition) = schema.definition(*index) {
                    types.extend(types_of(definition));
                }
            }
            _ => {}
        }
    }
    found
}

fn types_of(definition: &Definition) -> Vec<&Type> {
    let mut types: Vec<&Type> = contents(definition).into_iter().flatten().map(|field| &field.ty).collect();
    if let Definition::Enum(def) = definition {
        for variant in &def.variants {
            match &variant.shape {
                Shape::Newtype(ty) => types.push(ty),
                Shape::Tuple(items) => types.extend(items),
                Shape::Unit | Shape::Struct(_) => {}
            }
        }
    }
    types
}
