//! A field as a member of an object: its value, what is asked of it, what is said of it.

use crate::method::Describer;
use crate::types::nullable;
use crate::values::Kind;
use crate::words::description;
use crate::{Mode, constraints, scalars};
use callgate_protocol::schema::{Attributes, Field, Type};
use serde_json::Value;

impl Describer<'_, '_, '_> {
    /// The schema of a field's value.
    pub(crate) fn field(&mut self, field: &Field, mode: Mode) -> Value {
        let content = self.ty(field.ty.content(), mode);
        self.finish(field, content, mode)
    }

    /// The schema of a field's value where it is a text in a path or a query, as OpenAPI's tools write it; `None` where it is none.
    /// Options are not told: there is the text, or not.
    pub(crate) fn text(&mut self, field: &Field, item: bool) -> Option<Value> {
        let mut content = field.ty.content();
        if item {
            content = match content.physical() {
                Type::List(item) => item.content(),
                _ => return None,
            };
        }
        let schema = self.text_of(content)?;
        if item {
            return Some(schema);
        }
        let mut said = Vec::new();
        let mut schema = schema;
        constraints::put(&mut schema, field, &self.method.values, &mut said);
        self.say(&mut schema, field, said, Mode::IN);
        Some(schema)
    }

    fn text_of(&mut self, content: &Type) -> Option<Value> {
        match content {
            Type::Ref(index) => self.names_alone(*index),
            Type::Option(_) | Type::Presence(_) => None,
            content => scalars::as_text(content),
        }
    }

    /// What is asked and said of a field, around the schema of its content.
    fn finish(&mut self, field: &Field, mut schema: Value, mode: Mode) -> Value {
        let mut said = Vec::new();
        if mode.reads() {
            constraints::put(&mut schema, field, &self.method.values, &mut said);
        }
        if matches!(field.ty.understood(), Type::Option(_) | Type::Presence(_)) {
            schema = nullable(schema);
        }
        self.say(&mut schema, field, said, mode);
        schema
    }

    /// Adds documentation, default, example and marks.
    fn say(&self, schema: &mut Value, field: &Field, mut said: Vec<String>, mode: Mode) {
        let values = &self.method.values;
        if let Some(unit) = field.attributes.unit() {
            said.push(format!("Unit: {unit}."));
        }
        let is_secret = field.attributes.is_secret();
        if is_secret && schema["type"] == "string" && schema.get("format").is_none() {
            schema["format"] = "password".into();
        }
        // A field is never absent on the way out.
        if mode.reads()
            && let Some(default) = values.get(field, Kind::Default).filter(|_| !is_secret)
        {
            schema["default"] = default.clone();
        }
        if let Some(example) = values.get(field, Kind::Example).filter(|_| !is_secret) {
            schema["examples"] = vec![example.clone()].into();
        }
        put_words(schema, &field.doc, &field.attributes, said);
    }
}

/// Adds documentation and what is deprecated.
pub(crate) fn put_words(schema: &mut Value, doc: &str, attributes: &Attributes, mut said: Vec<String>) {
    if let Some(why) = attributes.deprecated() {
        schema["deprecated"] = true.into();
        said.push(format!("Deprecated. {why}").trim_end().to_owned());
    }
    if let Some(text) = description(doc, &said) {
        schema["description"] = text.into();
    }
}
