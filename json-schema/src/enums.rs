//! An enum: names, objects with a variant's name, or objects with a tag.

use crate::Mode;
use crate::fields::put_words;
use crate::method::Describer;
use crate::object::Object;
use callgate_protocol::schema::{Definition, EnumDef, Flattened, Shape, Type, Variant};
use serde_json::{Value, json};

impl Describer<'_, '_, '_> {
    /// The schema of a definition, without what is said of it.
    pub(crate) fn definition(&mut self, definition: &Definition, mode: Mode) -> Value {
        match definition {
            Definition::Struct(def) => {
                let mut object = Object::default();
                self.put_fields(&mut object, &def.fields, (mode, &[], true));
                let mut schema = object.schema(mode);
                put_words(&mut schema, &def.doc, &def.attributes, Vec::new());
                schema
            }
            Definition::Enum(def) => self.enumeration(def, mode),
        }
    }

    fn enumeration(&mut self, def: &EnumDef, mode: Mode) -> Value {
        let mut schemas = Vec::new();
        let mut said = Vec::new();
        let tag = def.attributes.tag();
        if tag.is_none() {
            schemas.extend(names(def, &mut said));
        }
        for variant in &def.variants {
            match tag {
                Some(tag) => schemas.push(self.tagged(def, tag, variant, mode)),
                None => schemas.extend(self.external(variant, mode)),
            }
        }
        let mut schema = match schemas.len() {
            // Without a variant there is no value.
            0 => json!({ "not": {} }),
            1 => schemas.remove(0),
            _ => json!({ "oneOf": schemas }),
        };
        let doc = schema.get("description").and_then(Value::as_str).map(str::to_owned);
        said.extend(doc.filter(|_| schema.get("oneOf").is_none()));
        put_words(&mut schema, &def.doc, &def.attributes, said);
        schema
    }

    /// A variant with content: an object with its name.
    fn external(&mut self, variant: &Variant, mode: Mode) -> Option<Value> {
        let content = self.content(&variant.shape, mode)?;
        let name = &variant.name;
        let mut schema = json!({ "type": "object", "properties": { name: content }, "required": [name] });
        // On the way out there never is more either: another member would be another variant.
        schema["additionalProperties"] = false.into();
        put_words(&mut schema, &variant.doc, &variant.attributes, Vec::new());
        Some(schema)
    }

    /// What a variant contains; `None` for nothing.
    pub(crate) fn content(&mut self, shape: &Shape, mode: Mode) -> Option<Value> {
        Some(match shape {
            Shape::Unit => return None,
            Shape::Newtype(ty) => self.ty(ty, mode),
            Shape::Tuple(types) => self.tuple(types, mode),
            Shape::Struct(fields) => {
                let mut object = Object::default();
                self.put_fields(&mut object, fields, (mode, &[], true));
                object.schema(mode)
            }
        })
    }

    /// A variant whose object says by a member which one it is.
    fn tagged(&mut self, def: &EnumDef, tag: &str, variant: &Variant, mode: Mode) -> Value {
        let mut object = Object::default();
        object.put(tag, json!({ "type": "string", "const": variant.name }), true);
        match (def.attributes.content(), &variant.shape) {
            (_, Shape::Unit) => {}
            (Some(of), shape) => {
                let may_miss = |ty: &Type| matches!(ty.understood(), Type::Option(_));
                let needed = !(mode.reads() && matches!(shape, Shape::Newtype(ty) if may_miss(ty)));
                if let Some(content) = self.content(shape, mode) {
                    object.put(of, content, needed);
                }
            }
            (None, Shape::Struct(fields)) => self.put_fields(&mut object, fields, (mode, &[], true)),
            (None, Shape::Newtype(ty)) => self.put_beside(&mut object, ty, mode),
            // The protocol has none beside a tag.
            (None, Shape::Tuple(_)) => {}
        }
        let mut schema = object.schema(mode);
        put_words(&mut schema, &variant.doc, &variant.attributes, Vec::new());
        schema
    }

    /// Adds the members of a variant's value beside its tag.
    fn put_beside(&mut self, object: &mut Object, ty: &Type, mode: Mode) {
        let schema = self.method.schema;
        match schema.flattened(ty.understood()) {
            Some(Flattened::Struct(index)) => {
                if let Some(Definition::Struct(def)) = schema.definition(index) {
                    self.put_fields(object, &def.fields, (mode, &[], true));
                }
            }
            Some(Flattened::Map(_, value)) => {
                let value = self.ty(value, mode);
                object.open(value);
            }
            _ => {}
        }
    }

    /// The schema of an enum's variants without content, which are what a text can say of it.
    pub(crate) fn names_alone(&mut self, index: u32) -> Option<Value> {
        match self.method.schema.definition(index)? {
            Definition::Enum(def) => names(def, &mut Vec::new()),
            Definition::Struct(_) => None,
        }
    }
}

/// The variants without content, by their names. What is said of each goes to `said`.
fn names(def: &EnumDef, said: &mut Vec<String>) -> Option<Value> {
    let units = || def.variants.iter().filter(|variant| variant.shape == Shape::Unit);
    let names: Vec<&str> = units().map(|variant| variant.name.as_str()).collect();
    let words = |variant: &Variant| {
        let why = variant.attributes.deprecated().map(|why| format!("deprecated. {why}"));
        let said: Vec<&str> = [Some(variant.doc.trim()), why.as_deref()].into_iter().flatten().collect();
        let said = said.join(" ");
        (!said.trim().is_empty()).then(|| format!("- `{}`: {}", variant.name, said.trim()))
    };
    let list: Vec<String> = units().filter_map(words).collect();
    if !list.is_empty() {
        said.push(list.join("\n"));
    }
    (!names.is_empty()).then(|| json!({ "type": "string", "enum": names }))
}
