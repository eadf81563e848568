//! A struct as an object: its members, those of flattened fields among them, without those that come from elsewhere.

use crate::Mode;
use crate::method::Describer;
use crate::types::nullable;
use callgate_protocol::schema::{Definition, Field, Flattened, Type};
use callgate_transcode::UnknownFields;
use serde_json::{Map, Value, json};

/// An object's schema that is being put together.
#[derive(Clone, Debug, Default)]
pub struct Object {
    /// The schemas of its members.
    pub properties: Map<String, Value>,
    /// The members that must be there.
    pub required: Vec<String>,
    /// What further members are, where a map takes them.
    rest: Option<Value>,
}

impl Object {
    /// Whether it has no members and takes none.
    pub fn is_empty(&self) -> bool {
        self.properties.is_empty() && self.rest.is_none()
    }

    /// Its schema.
    pub fn schema(self, mode: Mode) -> Value {
        let mut schema = json!({ "type": "object" });
        if !self.properties.is_empty() {
            schema["properties"] = self.properties.into();
        }
        if !self.required.is_empty() {
            schema["required"] = self.required.into();
        }
        match self.rest {
            Some(rest) => schema["additionalProperties"] = rest,
            // What is written may have more members in a later version.
            None if mode == Mode::In(UnknownFields::Reject) => {
                schema["additionalProperties"] = false.into();
            }
            None => {}
        }
        schema
    }

    /// Further members are of that schema.
    pub(crate) fn open(&mut self, rest: Value) {
        self.rest = Some(rest);
    }

    pub(crate) fn put(&mut self, name: &str, schema: Value, required: bool) {
        self.properties.insert(name.to_owned(), schema);
        if required {
            self.required.push(name.to_owned());
        }
    }
}

impl Describer<'_, '_, '_> {
    /// Adds fields as members. `without`: names, nested with dots, of those that come from elsewhere. `needed`: whether what has no
    /// default must be there.
    pub(crate) fn put_fields(
        &mut self,
        object: &mut Object,
        fields: &[Field],
        (mode, without, needed): (Mode, &[&str], bool),
    ) {
        for field in fields {
            if field.attributes.is_flattened() {
                self.put_flattened(object, field, (mode, without, needed));
                continue;
            }
            if without.contains(&field.name.as_str()) {
                continue;
            }
            let inner: Vec<&str> = without.iter().filter_map(|name| below(name, &field.name)).collect();
            let required = needed && is_required(field, mode);
            match self.parted(field, mode, &inner) {
                Some((schema, any_needed)) => object.put(&field.name, schema, required && any_needed),
                None => {
                    let schema = self.field(field, mode);
                    object.put(&field.name, schema, required);
                }
            }
        }
    }

    /// The members of a flattened field.
    fn put_flattened(
        &mut self,
        object: &mut Object,
        field: &Field,
        (mode, without, needed): (Mode, &[&str], bool),
    ) {
        let schema = self.method.schema;
        let (index, needed) = match schema.flattened(field.ty.understood()) {
            Some(Flattened::Struct(index)) => (index, needed && !(mode.reads() && field.default.is_some())),
            Some(Flattened::OptionalStruct(index)) => (index, false),
            Some(Flattened::Map(_, value)) => {
                let value = self.ty(value, mode);
                object.open(value);
                return;
            }
            None => return,
        };
        // The protocol bounds how deep structs are flattened, and how many members that makes.
        if let Some(Definition::Struct(def)) = schema.definition(index) {
            self.put_fields(object, &def.fields, (mode, without, needed));
        }
    }

    /// A field of which parts come from elsewhere: without these, and whether something of it is still needed.
    fn parted(&mut self, field: &Field, mode: Mode, without: &[&str]) -> Option<(Value, bool)> {
        if without.is_empty() {
            return None;
        }
        let Type::Ref(index) = field.ty.content() else { return None };
        let Some(Definition::Struct(def)) = self.method.schema.definition(*index) else { return None };
        let mut object = Object::default();
        self.put_fields(&mut object, &def.fields, (mode, without, true));
        let needed = !object.required.is_empty();
        let mut schema = object.schema(mode);
        if matches!(field.ty.understood(), Type::Option(_) | Type::Presence(_)) {
            schema = nullable(schema);
        }
        Some((schema, needed))
    }
}

/// Whether the member of a field must be there.
pub(crate) fn is_required(field: &Field, mode: Mode) -> bool {
    match field.ty.understood() {
        Type::Presence(_) => false,
        Type::Option(_) if mode.reads() => false,
        _ => !(mode.reads() && field.default.is_some()),
    }
}

/// What a name says within a field.
pub(crate) fn below<'a>(name: &'a str, field: &str) -> Option<&'a str> {
    name.strip_prefix(field)?.strip_prefix('.')
}
