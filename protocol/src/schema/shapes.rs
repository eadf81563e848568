//! Which JSON shapes a schema may ask for: enums with a tag, and fields whose members stand beside the others. What could not
//! be read back is refused here, so that whoever compiles a schema may rely on it.

use super::{Definition, EnumDef, Field, MethodSchema, SchemaError, Shape, Type};
use crate::limits::{MAX_SCHEMA_PARTS, MAX_TYPE_NESTING};
use std::collections::HashSet;

type Result = std::result::Result<(), SchemaError>;

/// What a flattened field is, or the content of a variant beside its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flattened<'a> {
    /// The struct of that index. Its fields stand beside the others.
    Struct(u32),
    /// The same, which may be none: then none of its fields is there.
    OptionalStruct(u32),
    /// A map of this key and value. It takes the members that are nobody else's.
    Map(&'a Type, &'a Type),
}

impl MethodSchema {
    /// What a value of the type is where its members stand beside others. `None` if it has no members, or not always the same.
    pub fn flattened<'a>(&'a self, ty: &'a Type) -> Option<Flattened<'a>> {
        let of_struct = |ty: &Type| match ty.physical() {
            Type::Ref(index) => {
                let is_struct = matches!(self.definition(*index), Some(Definition::Struct(_)));
                is_struct.then_some(*index)
            }
            _ => None,
        };
        match ty.physical() {
            Type::Map(key, value) => Some(Flattened::Map(key, value)),
            Type::Option(inner) => of_struct(inner).map(Flattened::OptionalStruct),
            ty => of_struct(ty).map(Flattened::Struct),
        }
    }
}

pub(super) fn check(schema: &MethodSchema) -> Result {
    let mut shapes = Shapes { schema, left: MAX_SCHEMA_PARTS };
    (0..).zip(&schema.definitions).try_for_each(|(index, definition)| match definition {
        Definition::Struct(def) => shapes.object(|| def.name.clone(), &def.fields, None, Some(index)),
        Definition::Enum(def) => shapes.enumeration(def),
    })
}

/// All objects of a schema share one allowance of members: a struct counts anew wherever it is flattened, and a few structs
/// that flatten each other twice would be very many.
struct Shapes<'a> {
    schema: &'a MethodSchema,
    left: usize,
}

impl<'a> Shapes<'a> {
    fn enumeration(&mut self, def: &'a EnumDef) -> Result {
        let tag = def.attributes.tag().filter(|_| def.attributes.content().is_none());
        for variant in &def.variants {
            let owner = || format!("{}.{}", def.name, variant.name);
            match (&variant.shape, tag) {
                (Shape::Struct(fields), tag) => self.object(owner, fields, tag, None)?,
                (Shape::Newtype(ty), Some(tag)) => {
                    let mut object = Object::new(owner(), Some(tag));
                    match self.schema.flattened(ty) {
                        Some(of @ (Flattened::Struct(_) | Flattened::Map(..))) => {
                            self.flattened(&mut object, of)?;
                        }
                        _ => return Err(object.bad("beside a tag the content must be a struct or a map")),
                    }
                }
                (Shape::Tuple(_), Some(_)) => {
                    let object = Object::new(owner(), None);
                    return Err(
                        object.bad("beside a tag the content must have names, and it is several values")
                    );
                }
                (Shape::Unit | Shape::Newtype(_) | Shape::Tuple(_), _) => {}
            }
        }
        Ok(())
    }

    /// The object of a struct, of which `itself` is the index, or of a variant.
    fn object(
        &mut self,
        owner: impl FnOnce() -> String,
        fields: &'a [Field],
        tag: Option<&'a str>,
        itself: Option<u32>,
    ) -> Result {
        if tag.is_none() && !fields.iter().any(|field| field.attributes.is_flattened()) {
            return Ok(());
        }
        let mut object = Object::new(owner(), tag);
        object.inside.extend(itself);
        self.fields(&mut object, fields)
    }

    fn fields(&mut self, object: &mut Object<'a>, fields: &'a [Field]) -> Result {
        for field in fields {
            self.count(1 + field.aliases.len())?;
            if !field.attributes.is_flattened() {
                object.add(&field.name)?;
                field.aliases.iter().try_for_each(|alias| object.add(alias))?;
                continue;
            }
            let Some(of) = self.schema.flattened(&field.ty) else {
                let name = &field.name;
                return Err(object.bad(format!(
                    "`{name}` is flattened, and it is neither a struct, nor an option of one, nor a map"
                )));
            };
            self.flattened(object, of)?;
        }
        Ok(())
    }

    fn flattened(&mut self, object: &mut Object<'a>, of: Flattened<'a>) -> Result {
        let index = match of {
            Flattened::Map(..) if std::mem::replace(&mut object.has_rest, true) => {
                return Err(object.bad("only one map can take the members that are left"));
            }
            Flattened::Map(..) => return Ok(()),
            Flattened::Struct(index) | Flattened::OptionalStruct(index) => index,
        };
        let Some(Definition::Struct(def)) = self.schema.definition(index) else { return Ok(()) };
        if object.inside.contains(&index) {
            return Err(object.bad(format!("`{}` is flattened into itself", def.name)));
        }
        if object.inside.len() > MAX_TYPE_NESTING {
            return Err(object.bad(format!("structs are flattened more than {MAX_TYPE_NESTING} deep")));
        }
        object.inside.push(index);
        self.fields(object, &def.fields)?;
        object.inside.pop();
        Ok(())
    }

    fn count(&mut self, members: usize) -> Result {
        self.left = self.left.checked_sub(members).ok_or(SchemaError::TooManyMembers)?;
        Ok(())
    }
}

/// A JSON object whose members are being put together.
struct Object<'a> {
    owner: String,
    names: HashSet<&'a str>,
    has_rest: bool,
    /// The structs that are being flattened, from the outside in.
    inside: Vec<u32>,
}

impl<'a> Object<'a> {
    fn new(owner: String, tag: Option<&'a str>) -> Object<'a> {
        Object { owner, names: tag.into_iter().collect(), has_rest: false, inside: Vec::new() }
    }

    fn add(&mut self, name: &'a str) -> Result {
        match self.names.insert(name) {
            true => Ok(()),
            false => Err(self.bad(format!("`{name}` would stand in one object twice"))),
        }
    }

    fn bad(&self, why: impl Into<String>) -> SchemaError {
        SchemaError::BadShape { owner: self.owner.clone(), why: why.into() }
    }
}
