//! The schema of a method's messages: what travels with the connection, so that nobody hands out descriptor files.
//!
//! bincode writes values without names or types; whoever reads them must know the exact shape. A backend tells the
//! shape of each method, the gateway compiles it into programs and caches these by the schema's fingerprint. A schema
//! also carries what JSON needs and bincode does not: names, documentation, and defaults for missing fields.

mod decode;
mod encode;
mod validate;

use sha2::{Digest, Sha256};
use std::fmt;

pub use decode::SchemaError;

/// The shape of one method: what it takes, what it gives, and the definitions that these refer to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodSchema {
    /// The method's documentation; may be empty.
    pub doc: String,
    /// Always a [`Type::Ref`] to a [`Definition::Struct`]. For a method with one argument that is a struct it is that
    /// struct; otherwise its fields are the method's arguments. On the wire both are the arguments one after another.
    pub request: Type,
    /// What the method returns when it succeeds.
    pub response: Type,
    /// What [`Type::Ref`] points into.
    pub definitions: Vec<Definition>,
}

/// The type of a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// No bytes; JSON `null`.
    Unit,
    /// One byte, 0 or 1.
    Bool,
    /// One byte.
    U8,
    /// Varint.
    U16,
    /// Varint.
    U32,
    /// Varint; `usize` too.
    U64,
    /// Varint.
    U128,
    /// One byte, two's complement.
    I8,
    /// Zigzag varint.
    I16,
    /// Zigzag varint.
    I32,
    /// Zigzag varint; `isize` too.
    I64,
    /// Zigzag varint.
    I128,
    /// Four bytes.
    F32,
    /// Eight bytes.
    F64,
    /// The character's UTF-8, 1 to 4 bytes.
    Char,
    /// Length in bytes, then UTF-8.
    String,
    /// Length, then bytes. JSON: base64.
    Bytes,
    /// Sixteen bytes behind their length (so 17). JSON: the hyphenated form.
    Uuid,
    /// Seconds since 1970-01-01T00:00:00Z as a zigzag varint (64 bits), then nanoseconds below 10⁹ as a varint
    /// (32 bits). JSON: RFC 3339.
    Timestamp,
    /// Seconds as a varint (64 bits), then nanoseconds below 10⁹ as a varint (32 bits). JSON: `"1.5s"`.
    Duration,
    /// Variant 0 (varint) and 4 bytes, or variant 1 and 16 bytes. JSON: the usual text.
    IpAddr,
    /// Four bytes. JSON: the usual text.
    Ipv4Addr,
    /// Sixteen bytes. JSON: the usual text.
    Ipv6Addr,
    /// Any JSON: its text as a string.
    Json,
    /// A byte 0; or a byte 1 and the value.
    Option(Box<Type>),
    /// A length, then the items. Sets too.
    List(Box<Type>),
    /// The items, as many as the number says.
    Array(Box<Type>, u32),
    /// The items, one after another.
    Tuple(Vec<Type>),
    /// A length, then key and value in turn. The key is of a type that [`MapKeys`] allow.
    Map(Box<Type>, Box<Type>),
    /// The definition of that index; the way to name structs and enums, and to recurse.
    Ref(u32),
}

/// A struct or an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Definition {
    /// Fields one after another. JSON: an object.
    Struct(StructDef),
    /// The variant's number as a varint (32 bits), then its content. JSON: serde's external form.
    Enum(EnumDef),
}

/// A struct with named fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructDef {
    /// The type's name, for people; not necessarily unique.
    pub name: String,
    /// Its documentation; may be empty.
    pub doc: String,
    /// In wire order; names and aliases are unique.
    pub fields: Vec<Field>,
}

/// An enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumDef {
    /// The type's name, for people; not necessarily unique.
    pub name: String,
    /// Its documentation; may be empty.
    pub doc: String,
    /// The variant's index is its number on the wire; names and aliases are unique.
    pub variants: Vec<Variant>,
}

/// A named field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in JSON.
    pub name: String,
    /// Further names that JSON may use for it on the way in.
    pub aliases: Vec<String>,
    /// Its documentation; may be empty.
    pub doc: String,
    /// The type of its value.
    pub ty: Type,
    /// The encoded value that stands for a missing field; a missing field without one is an error, but for options.
    pub default: Option<Vec<u8>>,
}

/// One variant of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name in JSON.
    pub name: String,
    /// Further names that JSON may use for it on the way in.
    pub aliases: Vec<String>,
    /// Its documentation; may be empty.
    pub doc: String,
    /// What follows its number.
    pub shape: Shape,
}

/// What a variant contains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Nothing. JSON: `"Name"`.
    Unit,
    /// One value. JSON: `{"Name": value}`.
    Newtype(Type),
    /// Several values. JSON: `{"Name": [...]}`.
    Tuple(Vec<Type>),
    /// Named fields. JSON: `{"Name": {...}}`.
    Struct(Vec<Field>),
}

/// The first 16 bytes of SHA-256 over an encoded schema: its identity, by which compiled programs are cached.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint(pub [u8; 16]);

impl Fingerprint {
    /// The fingerprint of a schema's encoded bytes.
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

impl Definition {
    /// Whether it is an enum whose variants are all units.
    fn is_of_units(&self) -> bool {
        match self {
            Definition::Struct(_) => false,
            Definition::Enum(def) => def.variants.iter().all(|variant| variant.shape == Shape::Unit),
        }
    }
}

impl MethodSchema {
    /// The canonical bytes: what SCHEMA carries and what the fingerprint is taken of.
    pub fn encode(&self) -> Vec<u8> {
        encode::method(self)
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
}

/// Which types of a schema JSON can write as an object's key. All enums are looked through when it is made: looked through
/// anew for every map, a large one would cost its size each time.
#[derive(Clone, Debug)]
pub struct MapKeys {
    /// By definition: whether it is an enum whose variants are all units.
    of_units: Vec<bool>,
}

impl MapKeys {
    /// The keys of a schema.
    pub fn of(schema: &MethodSchema) -> MapKeys {
        MapKeys { of_units: schema.definitions.iter().map(Definition::is_of_units).collect() }
    }

    /// Whether values of this type can be keys of a JSON object: bool, integers, char, strings, and what JSON writes
    /// as a string (UUID, time stamp, duration, IP address, an enum whose variants are all units).
    pub fn allow(&self, ty: &Type) -> bool {
        match ty {
            Type::Bool | Type::U8 | Type::U16 | Type::U32 | Type::U64 | Type::U128 => true,
            Type::I8 | Type::I16 | Type::I32 | Type::I64 | Type::I128 => true,
            Type::Char | Type::String | Type::Uuid | Type::Timestamp | Type::Duration => true,
            Type::IpAddr | Type::Ipv4Addr | Type::Ipv6Addr => true,
            Type::Ref(index) => self.of_units.get(*index as usize) == Some(&true),
            _ => false,
        }
    }
}

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod tests;
