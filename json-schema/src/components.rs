//! The named schemas of a document. One that is met again has the name that it got first.

use crate::Mode;
use crate::identity::Identity;
use serde_json::{Map, Value, json};
use std::collections::HashMap;

/// The longest name, in characters, without the number that tells it from others.
const MAX_NAME: usize = 80;

/// Schemas by name, and where they stand in the document.
#[derive(Debug)]
pub struct Components {
    /// What references begin with.
    place: String,
    names: HashMap<(Identity, Mode), String>,
    /// How many have each name.
    taken: HashMap<String, usize>,
    schemas: Map<String, Value>,
}

impl Components {
    /// None yet; references to them begin so, as `#/components/schemas/` does.
    pub fn new(place: &str) -> Components {
        let (names, taken) = Default::default();
        Components { place: place.to_owned(), names, taken, schemas: Map::new() }
    }

    /// All of them.
    pub fn into_schemas(self) -> Map<String, Value> {
        self.schemas
    }

    /// Adds one that is no method's, if there is none of that name. A reference to it.
    pub fn add(&mut self, name: &str, schema: impl FnOnce() -> Value) -> Value {
        if !self.schemas.contains_key(name) {
            self.schemas.insert(name.to_owned(), schema());
            self.taken.entry(name.to_owned()).or_insert(1);
        }
        self.reference(name)
    }

    pub(crate) fn reference(&self, name: &str) -> Value {
        json!({ "$ref": format!("{}{name}", self.place) })
    }

    /// The name of a definition, and whether it is new and so still to be described.
    pub(crate) fn name(&mut self, identity: Identity, mode: Mode, own: &str) -> (String, bool) {
        let key = (identity, identity.mode(mode));
        if let Some(name) = self.names.get(&key) {
            return (name.clone(), false);
        }
        let name = self.free(&wanted(own, key.1));
        self.names.insert(key, name.clone());
        (name, true)
    }

    pub(crate) fn put(&mut self, name: String, schema: Value) {
        self.schemas.insert(name, schema);
    }

    /// That name, or with a number behind it where others have it.
    fn free(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        loop {
            let count = self.taken.entry(name.clone()).or_insert(0);
            *count += 1;
            if *count == 1 {
                return name;
            }
            let number = *count;
            name = format!("{wanted}_{number}");
            if !self.taken.contains_key(&name) {
                self.taken.insert(name.clone(), 1);
                return name;
            }
        }
    }
}

/// The name that a type gives, in the characters that OpenAPI has for names. What is read has another one than what is written,
/// whether or not both are there, so that a route more renames nothing.
fn wanted(own: &str, mode: Mode) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let mut name: String = own.chars().take(MAX_NAME).map(plain).collect();
    if name.is_empty() {
        name.push_str("Type");
    }
    if mode.reads() {
        name.push_str("Input");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_each_is_given_once() {
        let mut components = Components::new("#/");
        let mut name = |bytes: &[u8], mode, own: &str| {
            let identity = Identity::of_bytes(bytes);
            components.name(identity, mode, own)
        };
        for (bytes, mode, own, expected) in [
            (b"a", Mode::OUT, "Order", ("Order", true)),
            (b"a", Mode::OUT, "Order", ("Order", false)),
            (b"a", Mode::IN, "Order", ("OrderInput", true)),
            (b"b", Mode::OUT, "Order", ("Order_2", true)),
            (b"c", Mode::OUT, "Order_2", ("Order_2_2", true)),
            (b"d", Mode::OUT, "Order", ("Order_3", true)),
            (b"e", Mode::OUT, "Page<Ünit>", ("Page__nit_", true)),
            (b"f", Mode::OUT, "", ("Type", true)),
        ] {
            assert_eq!(name(bytes, mode, own), (expected.0.to_owned(), expected.1));
        }
    }
}
