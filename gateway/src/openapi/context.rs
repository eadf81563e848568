//! What operations of one document share: schemas, names that are taken.

use super::{common, components, problem};
use crate::config::{ErrorTypes, Matcher};
use callgate_json_schema::Components;
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashSet};

/// What all operations of a document share.
pub(super) struct Context<'a> {
    /// Schemas by name.
    pub(super) components: Components,
    /// What the `type` of errors begins with.
    pub(super) error_types: &'a ErrorTypes,
    pub(super) schemes: Map<String, Value>,
    ids: HashSet<String>,
    pub(super) tags: BTreeSet<String>,
}

impl<'a> Context<'a> {
    pub(super) fn new(error_types: &'a ErrorTypes) -> Context<'a> {
        let mut components = components();
        components.add(problem::NAME, problem::schema);
        let (schemes, ids, tags) = Default::default();
        Context { components, error_types, schemes, ids, tags }
    }

    /// The tags of all operations.
    pub(super) fn tags(&self) -> Value {
        self.tags.iter().map(|tag| json!({ "name": tag })).collect()
    }

    /// All that operations refer to.
    pub(super) fn components(self) -> Value {
        let mut all = json!({ "schemas": self.components.into_schemas(), "responses": common::components() });
        if !self.schemes.is_empty() {
            all["securitySchemes"] = self.schemes.into();
        }
        all
    }

    /// An id that no other operation has: that name, or with the route behind it.
    pub(super) fn id(&mut self, name: Option<String>, matcher: &Matcher) -> String {
        let words =
            matcher.name().split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let words = words.map(str::to_owned);
        let method = matcher.method.as_str().to_ascii_lowercase();
        let path = std::iter::once(method).chain(words).collect::<Vec<_>>().join("_");
        let mut id = name.clone().unwrap_or_else(|| path.clone());
        if self.ids.contains(&id) {
            id = name.map_or(path.clone(), |name| format!("{name}.{path}"));
        }
        while !self.ids.insert(id.clone()) {
            id.push('_');
        }
        id
    }
}
