//! Why a schema was refused, in words for whoever runs the instance that sent it.

use super::encode::FORMAT;
use crate::limits::{MAX_ATTRIBUTES, MAX_DEFAULTS, MAX_NAME, MAX_SCHEMA_PARTS, MAX_TYPE_NESTING};
use crate::wire::WireError;
use std::fmt;

/// Why a schema was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchemaError {
    /// The bytes are not an encoding.
    Wire(WireError),
    /// The encoding is of a later format.
    UnknownFormat(u8),
    /// A type, definition or shape has a tag that is not known.
    UnknownTag(u8),
    /// Bytes are left over.
    TrailingBytes,
    /// A type expression nests deeper than 32.
    TooDeep,
    /// More types, fields, variants, definitions, aliases and attributes than [`MAX_SCHEMA_PARTS`].
    TooManyParts,
    /// A name or alias of a field or variant is longer than [`MAX_NAME`]: how long it is.
    NameTooLong(usize),
    /// A reference names no definition.
    DanglingRef(u32),
    /// The request is not a struct.
    RequestIsNoStruct,
    /// A name or alias occurs twice in one struct or enum.
    DuplicateName(String),
    /// A map's key cannot be a JSON key.
    BadMapKey,
    /// A default is not a value of its field's type.
    BadDefault(String),
    /// Presence somewhere else than directly as the type of a field, or directly over option or presence.
    MisplacedPresence,
    /// The error is not an enum.
    ErrorIsNoEnum,
    /// The tags of attributes do not rise: the one that does not.
    AttributesOutOfOrder(u32),
    /// A known attribute has a value that it cannot have there.
    BadAttribute {
        /// Which attribute.
        tag: u32,
        /// The name of what it belongs to; empty for the method.
        owner: String,
    },
    /// A tagged enum or a struct with flattened fields has no JSON shape that can be read back.
    BadShape {
        /// The name of the definition; empty where it has none.
        owner: String,
        /// What is wrong with it.
        why: String,
    },
    /// All objects that are tagged or have flattened fields have more members together than [`MAX_SCHEMA_PARTS`].
    TooManyMembers,
    /// All attributes together are longer than [`MAX_ATTRIBUTES`].
    AttributesTooLong,
    /// All defaults together are longer than [`MAX_DEFAULTS`].
    DefaultsTooLong,
    /// The bytes are not those of the fingerprint under which they were sent.
    WrongFingerprint,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SchemaError::Wire(error) => write!(f, "not a schema: {error}"),
            SchemaError::UnknownFormat(n) => write!(f, "schema format {n} is not known (known: {FORMAT})"),
            SchemaError::UnknownTag(n) => write!(f, "unknown tag {n} in a schema"),
            SchemaError::TrailingBytes => write!(f, "bytes after the end of the schema"),
            SchemaError::TooDeep => write!(f, "a type nests deeper than {MAX_TYPE_NESTING}"),
            SchemaError::TooManyParts => write!(f, "more than {MAX_SCHEMA_PARTS} types, fields and variants"),
            SchemaError::NameTooLong(n) => {
                write!(f, "a name of {n} bytes, where at most {MAX_NAME} are allowed")
            }
            SchemaError::DanglingRef(n) => write!(f, "reference to definition {n}, which does not exist"),
            SchemaError::RequestIsNoStruct => write!(f, "the request is not a struct"),
            SchemaError::DuplicateName(name) => write!(f, "the name `{name}` occurs twice"),
            SchemaError::BadMapKey => write!(f, "a map's key cannot be written as a JSON key"),
            SchemaError::BadDefault(name) => write!(f, "the default of `{name}` is not a value of its type"),
            SchemaError::MisplacedPresence => {
                write!(
                    f,
                    "presence is the type of fields only, and has no option and no presence directly in it"
                )
            }
            SchemaError::ErrorIsNoEnum => write!(f, "the error is not an enum"),
            SchemaError::AttributesOutOfOrder(tag) => {
                write!(f, "attribute {tag} does not follow in rising order")
            }
            SchemaError::BadAttribute { tag, owner } if owner.is_empty() => {
                write!(f, "attribute {tag} of the method does not belong there or is malformed")
            }
            SchemaError::BadAttribute { tag, owner } => {
                write!(f, "attribute {tag} of `{owner}` does not belong there or is malformed")
            }
            SchemaError::BadShape { owner, why } => write!(f, "`{owner}` cannot be written as JSON: {why}"),
            SchemaError::TooManyMembers => {
                write!(f, "tagged and flattened objects have more than {MAX_SCHEMA_PARTS} members together")
            }
            SchemaError::AttributesTooLong => {
                write!(f, "the attributes are longer than {MAX_ATTRIBUTES} bytes together")
            }
            SchemaError::DefaultsTooLong => {
                write!(f, "the defaults are longer than {MAX_DEFAULTS} bytes together")
            }
            SchemaError::WrongFingerprint => write!(f, "the schema's bytes are not of its fingerprint"),
        }
    }
}

impl std::error::Error for SchemaError {}

impl From<WireError> for SchemaError {
    fn from(error: WireError) -> Self {
        SchemaError::Wire(error)
    }
}
