//! Fields by their names, nested with dots, as routes name them; and those that a text can fill.

use crate::Mode;
use crate::method::Describer;
use crate::object::{below, is_required};
use callgate_protocol::schema::{Definition, Field, Flattened, MethodSchema, Type};
use serde_json::Value;

/// Fields that are told for a query; more are left to the description of the method.
const MAX_LEAVES: usize = 200;

/// A field that was found.
#[derive(Clone, Copy, Debug)]
pub struct Found<'m> {
    /// The field.
    pub field: &'m Field,
    /// It must be given: neither it nor a struct around it can be missing.
    pub required: bool,
}

/// A field that a text can fill, or several of one name.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Its name, nested with dots.
    pub name: String,
    /// The schema of the text, or of the list of these.
    pub schema: Value,
    /// What is said of it.
    pub description: Option<String>,
    /// It must be given.
    pub required: bool,
    /// Its text is a JSON document.
    pub is_json: bool,
    /// It is not to be used any more.
    pub deprecated: bool,
}

/// Finds the field of a name in the struct of that index.
pub(crate) fn find<'m>(schema: &'m MethodSchema, index: u32, name: &str) -> Option<Found<'m>> {
    let (mut index, mut name, mut required) = (index, name, true);
    loop {
        let (field, within, rest) = step(schema, index, name)?;
        required &= within && is_required(field, Mode::IN);
        let Some(rest) = rest else { return Some(Found { field, required }) };
        let Type::Ref(next) = field.ty.content() else { return None };
        (index, name) = (*next, rest);
    }
}

/// The first field of a name, whether it stands where it must be given, and what follows its dot.
fn step<'m, 'n>(
    schema: &'m MethodSchema,
    index: u32,
    name: &'n str,
) -> Option<(&'m Field, bool, Option<&'n str>)> {
    let mut members = Vec::new();
    members_of(schema, index, true, &mut members);
    let whole = members.iter().find(|(field, _)| field.name == name);
    if let Some((field, within)) = whole {
        return Some((field, *within, None));
    }
    members.into_iter().find_map(|(field, within)| Some((field, within, Some(below(name, &field.name)?))))
}

/// The fields of a struct, and of those that are flattened in it, with whether they are there whenever the struct is.
fn members_of<'m>(schema: &'m MethodSchema, index: u32, within: bool, into: &mut Vec<(&'m Field, bool)>) {
    let Some(Definition::Struct(def)) = schema.definition(index) else { return };
    for field in &def.fields {
        if !field.attributes.is_flattened() {
            into.push((field, within));
            continue;
        }
        match schema.flattened(field.ty.understood()) {
            Some(Flattened::Struct(inner)) => {
                members_of(schema, inner, within && field.default.is_none(), into);
            }
            Some(Flattened::OptionalStruct(inner)) => members_of(schema, inner, false, into),
            Some(Flattened::Map(..)) | None => {}
        }
    }
}

impl Describer<'_, '_, '_> {
    /// The fields of a struct that texts can fill, but for those `without`, which come from elsewhere. `left`: whether there are
    /// others that must be given and that no text can fill.
    pub(crate) fn leaves(&mut self, index: u32, without: &[&str]) -> (Vec<Leaf>, bool) {
        let mut leaves = Leaves { all: Vec::new(), around: vec![index], left: false };
        self.put_leaves(index, without, ("", true), &mut leaves);
        (leaves.all, leaves.left)
    }

    fn put_leaves(
        &mut self,
        index: u32,
        without: &[&str],
        (prefix, needed): (&str, bool),
        into: &mut Leaves,
    ) {
        let mut members = Vec::new();
        members_of(self.method.schema, index, true, &mut members);
        for (field, within) in members {
            if without.contains(&field.name.as_str()) || into.all.len() >= MAX_LEAVES {
                continue;
            }
            let required = needed && within && is_required(field, Mode::IN);
            let name = format!("{prefix}{}", field.name);
            if let Some(leaf) = self.leaf(field, name.clone(), required) {
                into.all.push(leaf);
                continue;
            }
            match field.ty.content() {
                Type::Ref(inner) if self.is_struct(*inner) && !into.around.contains(inner) => {
                    let rest: Vec<&str> =
                        without.iter().filter_map(|name| below(name, &field.name)).collect();
                    into.around.push(*inner);
                    self.put_leaves(*inner, &rest, (&format!("{name}."), required), into);
                    into.around.pop();
                }
                _ => into.left |= required,
            }
        }
    }

    /// A field as texts fill it.
    pub(crate) fn leaf(&mut self, field: &Field, name: String, required: bool) -> Option<Leaf> {
        let is_json = matches!(field.ty.content(), Type::Json);
        let mut schema = match self.text(field, false) {
            Some(schema) => schema,
            None => {
                let items = self.text(field, true)?;
                let mut schema = serde_json::json!({ "type": "array", "items": items });
                crate::constraints::put(&mut schema, field, &self.method.values, &mut Vec::new());
                schema
            }
        };
        let description = match schema.as_object_mut().and_then(|schema| schema.remove("description")) {
            Some(Value::String(text)) => Some(text),
            _ => crate::words::description(&field.doc, &[]),
        };
        let deprecated = field.attributes.deprecated().is_some();
        Some(Leaf { name, schema, description, required, is_json, deprecated })
    }

    fn is_struct(&self, index: u32) -> bool {
        matches!(self.method.schema.definition(index), Some(Definition::Struct(_)))
    }
}

struct Leaves {
    all: Vec<Leaf>,
    /// The structs that are being looked at, from the outside in.
    around: Vec<u32>,
    left: bool,
}
