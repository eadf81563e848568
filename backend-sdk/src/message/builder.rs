//! How types become a schema: each struct and enum is described once and then referred to by its number.
//!
//! A number is given before the fields are looked at. That is all that recursion needs: a type that meets itself on the
//! way finds its number. Generic types are as many definitions as they have instances, because `TypeId` tells them apart.

use crate::codec::{self, CodecError};
use callgate_protocol::schema::{
    Attributes, Definition, EnumDef, Field, Logical, MethodSchema, SchemaError, StructDef, Type, Variant,
};
use serde::Serialize;
use std::any::{TypeId, type_name};
use std::collections::HashMap;
use std::fmt;

/// Collects the definitions that a method's messages need. [`Message::describe`](crate::Message::describe) is given one.
#[derive(Debug, Default)]
pub struct SchemaBuilder {
    slots: Vec<Slot>,
    numbers: HashMap<TypeId, u32>,
    /// Types without a definition of their own that are being described, since the last definition was entered.
    unnamed: Vec<TypeId>,
    /// What was wrong first.
    problem: Option<BadSchema>,
}

/// Why a method has no schema: its program is wrong, and hears so when its server starts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadSchema {
    /// A type that has no name of its own in JSON contains itself.
    Endless {
        /// The type.
        ty: &'static str,
    },
    /// The default of a field, or what an attribute has for it, is refused by its own `Serialize`.
    Default {
        /// The value's type.
        ty: &'static str,
        /// What `Serialize` says.
        error: String,
    },
    /// What an attribute says cannot be said of its field.
    Attribute {
        /// Which: `min`, `example`.
        which: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A constraint cannot be checked: its pattern is none or is too large, its bound is no value of the field's type.
    Constraint(String),
    /// A type of another crate does not write what it is known to write, because of a feature of that crate.
    Foreign {
        /// The type.
        ty: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A method's only argument is a struct, so its fields are the request, and what is said of the argument has no place.
    LoneStruct {
        /// The argument.
        argument: &'static str,
    },
    /// What was described breaks a rule that whoever reads a schema checks.
    Refused(SchemaError),
}

impl fmt::Display for BadSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BadSchema::Endless { ty } => write!(
                f,
                "`{ty}` contains itself without a struct with named fields or an enum between; give it a named field"
            ),
            BadSchema::Default { ty, error } => {
                write!(f, "a default, bound or example of type `{ty}` cannot be written: {error}")
            }
            BadSchema::Attribute { which, problem } => write!(f, "`{which}`: {problem}"),
            BadSchema::Constraint(problem) => write!(f, "{problem}"),
            BadSchema::Foreign { ty, advice } => {
                write!(f, "`{ty}` does not write what it is known to write: {advice}")
            }
            BadSchema::LoneStruct { argument } => write!(
                f,
                "`{argument}` is a struct and the only argument, so in JSON its fields are the request: what is said of \
                 `{argument}` belongs to them"
            ),
            BadSchema::Refused(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for BadSchema {}

#[derive(Debug)]
struct Slot {
    name: String,
    /// `None` while the type is being described.
    definition: Option<Definition>,
    /// Those of the definition.
    attributes: Attributes,
}

impl Slot {
    fn definition(self) -> Option<Definition> {
        let attributes = self.attributes;
        Some(match self.definition? {
            definition if attributes.is_empty() => definition,
            Definition::Struct(def) => Definition::Struct(StructDef { attributes, ..def }),
            Definition::Enum(def) => Definition::Enum(EnumDef { attributes, ..def }),
        })
    }
}

impl SchemaBuilder {
    /// A builder without definitions.
    pub fn new() -> SchemaBuilder {
        SchemaBuilder::default()
    }

    /// The struct `T`: described by `fields` when it is met for the first time. `name` is for people; the arguments of a
    /// generic type are added to it.
    pub fn structure<T: 'static>(
        &mut self,
        name: &str,
        arguments: &[Type],
        doc: &str,
        fields: impl FnOnce(&mut SchemaBuilder) -> Vec<Field>,
    ) -> Type {
        let name = self.generic_name(name, arguments);
        self.define(TypeId::of::<T>(), name.clone(), |schema| {
            Definition::Struct(StructDef { doc: doc.to_owned(), ..StructDef::new(name, fields(schema)) })
        })
    }

    /// The enum `T`: described by `variants` when it is met for the first time. For `name` see
    /// [`structure`](Self::structure).
    pub fn enumeration<T: 'static>(
        &mut self,
        name: &str,
        arguments: &[Type],
        doc: &str,
        variants: impl FnOnce(&mut SchemaBuilder) -> Vec<Variant>,
    ) -> Type {
        let name = self.generic_name(name, arguments);
        self.define(TypeId::of::<T>(), name.clone(), |schema| {
            Definition::Enum(EnumDef { doc: doc.to_owned(), ..EnumDef::new(name, variants(schema)) })
        })
    }

    /// A type `T` that has no definition of its own because it is written as its content is: a newtype, a tuple struct.
    /// It must not contain itself without a struct or an enum between: that has no finite description, and
    /// [`finish`](Self::finish) says so.
    pub fn unnamed<T: 'static>(&mut self, content: impl FnOnce(&mut SchemaBuilder) -> Type) -> Type {
        self.guarded::<T, _>(content).unwrap_or_else(|| {
            self.refuse(BadSchema::Endless { ty: type_name::<T>() });
            Type::Unit
        })
    }

    /// What `content` gives for a type without a definition of its own; `None` if the type is being looked at already.
    pub(super) fn guarded<T: 'static, R>(
        &mut self,
        content: impl FnOnce(&mut SchemaBuilder) -> R,
    ) -> Option<R> {
        let id = TypeId::of::<T>();
        if self.unnamed.contains(&id) {
            return None;
        }
        self.unnamed.push(id);
        let result = content(self);
        self.unnamed.pop();
        Some(result)
    }

    /// Notes why there is no schema, if nothing was wrong before.
    pub(crate) fn refuse(&mut self, problem: BadSchema) {
        self.problem.get_or_insert(problem);
    }

    /// Sets the attributes of the definition that `ty` refers to; its description may still be under way.
    pub(super) fn set_attributes(&mut self, ty: &Type, attributes: Attributes) {
        if let Type::Ref(number) = ty
            && let Some(slot) = self.slots.get_mut(*number as usize)
        {
            slot.attributes = attributes;
        }
    }

    /// A value that goes into the schema, encoded.
    pub(crate) fn encoded<T: Serialize>(&mut self, value: &T) -> Option<Vec<u8>> {
        let mut written = Vec::new();
        let refused = |error: CodecError| {
            let (ty, error) = (type_name::<T>(), error.to_string());
            self.refuse(BadSchema::Default { ty, error });
        };
        codec::write(value, &mut written).map_err(refused).ok()?;
        Some(written)
    }

    /// The request of a method with these arguments: the only argument itself if it is a struct, otherwise a struct of
    /// that name whose fields the arguments are.
    pub fn request(&mut self, name: &str, arguments: Vec<Field>) -> Type {
        if let [argument] = arguments.as_slice()
            && let Type::Ref(number) = argument.ty
            && let Some(slot) = self.slots.get(number as usize)
            && let Some(Definition::Struct(_)) = &slot.definition
        {
            return Type::Ref(number);
        }
        self.add(name.to_owned(), Some(Definition::Struct(StructDef::new(name, arguments))))
    }

    /// The variants of an enum that was described; none of another type.
    pub(crate) fn variants_mut(&mut self, ty: &Type) -> impl Iterator<Item = &mut Variant> {
        let slot = match ty {
            Type::Ref(number) => self.slots.get_mut(*number as usize),
            _ => None,
        };
        let variants = match slot.and_then(|slot| slot.definition.as_mut()) {
            Some(Definition::Enum(def)) => def.variants.as_mut_slice(),
            _ => &mut [],
        };
        variants.iter_mut()
    }

    /// The schema of a method. `request` and `response` were described by this builder.
    ///
    /// # Errors
    /// When a type or a default cannot be described, or when the schema is one that its readers would refuse.
    pub fn finish(self, doc: &str, request: Type, response: Type) -> Result<MethodSchema, BadSchema> {
        let method = MethodSchema::new(request, response, Vec::new());
        self.complete(MethodSchema { doc: doc.to_owned(), ..method })
    }

    /// The schema of a method that also has errors, items or attributes: `method` with the definitions that this builder has
    /// made. All its types were described by this builder. The schema is canonical: the same in every process.
    ///
    /// # Errors
    /// As of [`finish`](Self::finish).
    pub fn complete(self, method: MethodSchema) -> Result<MethodSchema, BadSchema> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let definitions = self.slots.into_iter().filter_map(Slot::definition).collect();
        let described = MethodSchema { definitions, ..method }.encode();
        let checked = MethodSchema::decode(&described).map_err(BadSchema::Refused)?;
        Ok(checked.canonical())
    }

    fn define(
        &mut self,
        id: TypeId,
        name: String,
        describe: impl FnOnce(&mut SchemaBuilder) -> Definition,
    ) -> Type {
        if let Some(number) = self.numbers.get(&id) {
            return Type::Ref(*number);
        }
        let number = self.slots.len() as u32;
        self.numbers.insert(id, number);
        let ty = self.add(name, None);
        // From here a type without definition may come again: the way to it leads through this definition, which is finite.
        let outside = std::mem::take(&mut self.unnamed);
        let definition = describe(self);
        self.unnamed = outside;
        self.slots[number as usize].definition = Some(definition);
        ty
    }

    fn add(&mut self, name: String, definition: Option<Definition>) -> Type {
        self.slots.push(Slot { name, definition, attributes: Attributes::new() });
        Type::Ref(self.slots.len() as u32 - 1)
    }

    fn generic_name(&self, name: &str, arguments: &[Type]) -> String {
        if arguments.is_empty() {
            return name.to_owned();
        }
        format!("{name}<{}>", self.names(arguments))
    }

    fn names(&self, types: &[Type]) -> String {
        let names: Vec<String> = types.iter().map(|ty| self.name(ty)).collect();
        names.join(", ")
    }

    /// How Rust would write a type, more or less.
    fn name(&self, ty: &Type) -> String {
        match ty {
            Type::Unit => "()".to_owned(),
            Type::Option(inner) => format!("Option<{}>", self.name(inner)),
            Type::List(item) => format!("Vec<{}>", self.name(item)),
            Type::Array(item, length) => format!("[{}; {length}]", self.name(item)),
            Type::Tuple(items) => format!("({})", self.names(items)),
            Type::Map(key, value) => format!("Map<{}, {}>", self.name(key), self.name(value)),
            Type::Ref(number) => match self.slots.get(*number as usize) {
                Some(slot) => slot.name.clone(),
                None => "?".to_owned(),
            },
            Type::Bool | Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::U128 | Type::Char => {
                format!("{ty:?}").to_lowercase()
            }
            Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::I128 | Type::F32 | Type::F64 => {
                format!("{ty:?}").to_lowercase()
            }
            Type::Logical(Logical::SET, list) => self.name(list).replacen("Vec", "Set", 1),
            Type::Logical(_, physical) => self.name(physical),
            Type::Presence(inner) => format!("Presence<{}>", self.name(inner)),
            other => format!("{other:?}"),
        }
    }
}
