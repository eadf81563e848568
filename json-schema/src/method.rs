//! A method's schema that is being described.

use crate::find::{self, Found, Leaf};
use crate::identity::Identity;
use crate::values::Values;
use crate::{Components, Mode, Object};
use callgate_protocol::Code;
use callgate_protocol::schema::{Definition, MethodSchema, StructDef, Type};
use serde_json::Value;

/// A method's schema, with what is worked out of it once.
#[derive(Debug)]
pub struct Method<'m> {
    /// The schema.
    pub schema: &'m MethodSchema,
    pub(crate) values: Values,
    pub(crate) identities: Vec<Identity>,
}

/// An error that a method declares.
#[derive(Clone, Debug)]
pub struct DeclaredError {
    /// Its name.
    pub name: String,
    /// Its documentation; may be empty.
    pub doc: String,
    /// Its code.
    pub code: Code,
    /// What its details are, if it has some.
    pub details: Option<Value>,
}

/// A method and the components that its types become, while it is described.
pub(crate) struct Describer<'d, 'm, 'c> {
    pub(crate) method: &'d Method<'m>,
    pub(crate) components: &'c mut Components,
    /// Definitions that have a name and are still to be described.
    pub(crate) pending: Vec<(u32, Mode, String)>,
}

impl<'m> Method<'m> {
    /// Of that schema, which was checked.
    pub fn new(schema: &'m MethodSchema) -> Method<'m> {
        Method { schema, values: Values::of(schema), identities: Identity::all(schema) }
    }

    /// The schema of a type of the method.
    pub fn ty(&self, components: &mut Components, ty: &Type, mode: Mode) -> Value {
        self.describe(components, |describer| describer.ty(ty, mode))
    }

    /// The request as an object, without the fields of those names (nested with dots), which come from elsewhere.
    pub fn request(&self, components: &mut Components, without: &[&str], mode: Mode) -> Object {
        let mut object = Object::default();
        if let Some(request) = self.request_struct() {
            self.describe(components, |describer| {
                describer.put_fields(&mut object, &request.fields, (mode, without, true));
            });
        }
        object
    }

    /// The schema of a field's value.
    pub fn field(&self, components: &mut Components, found: Found<'m>, mode: Mode) -> Value {
        self.describe(components, |describer| describer.field(found.field, mode))
    }

    /// The request's field of that name, nested with dots.
    pub fn find(&self, name: &str) -> Option<Found<'m>> {
        let Type::Ref(index) = self.schema.request else { return None };
        find::find(self.schema, index, name)
    }

    /// The result's field of that name, nested with dots.
    pub fn find_in_result(&self, name: &str) -> Option<Found<'m>> {
        let Type::Ref(index) = self.schema.response.content() else { return None };
        find::find(self.schema, *index, name)
    }

    /// The request's field of that name as a text fills it, or several texts.
    pub fn leaf(&self, components: &mut Components, found: Found<'m>, name: &str) -> Option<Leaf> {
        self.describe(components, |describer| describer.leaf(found.field, name.to_owned(), found.required))
    }

    /// The request's fields that texts can fill, but for those `without`; and whether others must be given.
    pub fn leaves(&self, components: &mut Components, without: &[&str]) -> (Vec<Leaf>, bool) {
        let Type::Ref(index) = self.schema.request else { return (Vec::new(), false) };
        self.describe(components, |describer| describer.leaves(index, without))
    }

    /// The errors that it declares.
    pub fn errors(&self, components: &mut Components, mode: Mode) -> Vec<DeclaredError> {
        let Some(def) = self.schema.error_enum() else { return Vec::new() };
        self.describe(components, |describer| {
            let variants = def.variants.iter();
            variants
                .map(|variant| DeclaredError {
                    name: variant.name.clone(),
                    doc: variant.doc.clone(),
                    code: variant.error_code(),
                    details: describer.content(&variant.shape, mode),
                })
                .collect()
        })
    }

    /// Whether a value of the type is bytes or a text, as raw bodies are; and whether it is bytes.
    pub fn content_of(&self, ty: &Type) -> Option<bool> {
        match ty.content().physical() {
            Type::Bytes => Some(true),
            Type::String => Some(false),
            _ => None,
        }
    }

    fn request_struct(&self) -> Option<&'m StructDef> {
        match self.schema.request {
            Type::Ref(index) => match self.schema.definition(index) {
                Some(Definition::Struct(def)) => Some(def),
                _ => None,
            },
            _ => None,
        }
    }

    /// Describes something, and then all definitions that it has named.
    fn describe<T>(
        &self,
        components: &mut Components,
        what: impl FnOnce(&mut Describer<'_, 'm, '_>) -> T,
    ) -> T {
        let mut describer = Describer { method: self, components, pending: Vec::new() };
        let described = what(&mut describer);
        while let Some((index, mode, name)) = describer.pending.pop() {
            if let Some(definition) = self.schema.definition(index) {
                let schema = describer.definition(definition, mode);
                describer.components.put(name, schema);
            }
        }
        described
    }
}

#[cfg(test)]
mod tests;
