//! The schema of a method's messages: what travels with the connection, so that nobody hands out descriptor files.
//!
//! bincode writes values without names or types; whoever reads them must know the exact shape. A backend tells the
//! shape of each method, the gateway compiles it into programs and caches these by the schema's fingerprint. A schema
//! also carries what JSON needs and bincode does not: names, documentation, defaults for missing fields, and attributes.

mod attributes;
mod canonical;
mod decode;
mod encode;
mod error;
mod map_keys;
mod meaning;
mod normal;
mod shapes;
mod types;
mod validate;
mod wire_form;

use sha2::{Digest, Sha256};
use std::fmt;

pub use attributes::{Attributes, Span};
pub use error::SchemaError;
pub use map_keys::MapKeys;
pub use shapes::Flattened;
pub use types::{Definition, EnumDef, Field, Logical, Shape, StructDef, Type, Variant};

/// The shape of one method: what it takes, what it gives, and the definitions that these refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodSchema {
    /// The method's documentation; may be empty.
    pub doc: String,
    /// Always a [`Type::Ref`] to a [`Definition::Struct`]. For a method with one argument that is a struct it is that
    /// struct; otherwise its fields are the method's arguments. On the wire both are the arguments one after another.
    pub request: Type,
    /// What the caller streams beside its arguments, where the method takes a stream.
    pub request_items: Option<Type>,
    /// What the method returns when it succeeds; for a method that gives a stream, each of its items.
    pub response: Type,
    /// How the method fails by its own account: a [`Type::Ref`] to a [`Definition::Enum`]. Each variant is one error, its
    /// content are the error's details.
    pub error: Option<Type>,
    /// What [`Type::Ref`] points into.
    pub definitions: Vec<Definition>,
    /// What else is known of the method.
    pub attributes: Attributes,
}

/// The first 16 bytes of SHA-256 over an encoded schema, or over its wire form: an identity.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// The fingerprint of these bytes.
    pub fn of(encoded: &[u8]) -> Fingerprint {
        let digest = Sha256::digest(encoded);
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        Fingerprint(short)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl MethodSchema {
    /// The schema of a method that takes and gives this, without documentation, streams, errors and attributes.
    pub fn new(request: Type, response: Type, definitions: Vec<Definition>) -> MethodSchema {
        MethodSchema {
            doc: String::new(),
            request,
            request_items: None,
            response,
            error: None,
            definitions,
            attributes: Attributes::default(),
        }
    }

    /// Its bytes: what SCHEMA carries and what the fingerprint is taken of.
    pub fn encode(&self) -> Vec<u8> {
        encode::method(self, encode::FORMAT)
    }

    /// The one way to write this schema: definitions in the order in which they are first used (by the request, the items, the
    /// response, the error; each one's content before what follows it), unused ones left out; defaults, examples, minimum
    /// and maximum with shortest varints, and with maps and sets in the order of their encoded keys and items. What a
    /// server offers is canonical; what a reader is given need not be.
    pub fn canonical(&self) -> MethodSchema {
        canonical::of(self)
    }

    /// The identity of all that the schema says, by which compiled programs are cached.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.encode())
    }

    /// The identity of what the bytes of messages depend on, and of the names of fields, arguments and variants: the same
    /// for schemas that differ in documentation, names of definitions, aliases, defaults, attributes, logical types, or
    /// the order of definitions. Whoever has the types compiled in compares this one.
    pub fn wire_fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.wire_form())
    }

    /// The bytes of which the wire fingerprint is. No schema has these bytes.
    pub fn wire_form(&self) -> Vec<u8> {
        wire_form::of(self)
    }

    /// Reads and checks a schema: references lead somewhere, names are unique, map keys can be JSON keys, defaults are
    /// values of their field's type. Whoever holds a decoded schema may rely on all of it.
    pub fn decode(bytes: &[u8]) -> Result<MethodSchema, SchemaError> {
        decode::method(bytes)
    }

    /// The definition that a [`Type::Ref`] names. `None` only for an index that no checked schema contains.
    pub fn definition(&self, index: u32) -> Option<&Definition> {
        self.definitions.get(index as usize)
    }

    /// The struct that a request is.
    pub fn request_struct(&self) -> Option<&StructDef> {
        match self.request {
            Type::Ref(index) => match self.definition(index) {
                Some(Definition::Struct(def)) => Some(def),
                _ => None,
            },
            _ => None,
        }
    }

    /// The enum of the method's errors, where it has a type for them.
    pub fn error_enum(&self) -> Option<&EnumDef> {
        match self.error {
            Some(Type::Ref(index)) => match self.definition(index) {
                Some(Definition::Enum(def)) => Some(def),
                _ => None,
            },
            _ => None,
        }
    }
}

#[cfg(test)]
mod attribute_tests;
#[cfg(test)]
mod canonical_tests;
#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod shapes_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wire_form_tests;
