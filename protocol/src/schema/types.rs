//! What a schema is made of: types, and the definitions of structs and enums that these refer to.

use super::Attributes;
use crate::Code;

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
    /// A length, then key and value in turn. The key is of a type that [`MapKeys`](super::MapKeys) allow.
    Map(Box<Type>, Box<Type>),
    /// The definition of that index; the way to name structs and enums, and to recurse.
    Ref(u32),
    /// The physical type, whose values mean more than it says. On the wire there is only the physical value. Who does not
    /// know the logical type reads the physical one.
    Logical(Logical, Box<Type>),
    /// Absent, null or a value: a varint 0, 1, or 2 and the value, as of an enum. Only fields have this type, and there is
    /// no option and no presence directly in it. JSON: the member is missing, or `null`, or the value.
    Presence(Box<Type>),
}

/// What a logical type is, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Logical(pub u32);

impl Logical {
    /// A decimal number over a string: `-?(0|[1-9][0-9]*)(\.[0-9]+)?`, at most 64 digits. Its scale is kept.
    pub const DECIMAL: Logical = Logical(1);
    /// A date over a string: `2026-11-29`.
    pub const DATE: Logical = Logical(2);
    /// A time of day over a string: `08:30`, `08:30:15` or `08:30:15.25`.
    pub const TIME: Logical = Logical(3);
    /// An absolute URI over a string.
    pub const URL: Logical = Logical(4);
    /// An e-mail address over a string.
    pub const EMAIL: Logical = Logical(5);
    /// A set over a list: its order means nothing.
    pub const SET: Logical = Logical(6);

    /// Whether the logical type is known and stands over the physical type that is its own.
    pub fn is_of(self, physical: &Type) -> bool {
        match self {
            Logical::DECIMAL | Logical::DATE | Logical::TIME | Logical::URL | Logical::EMAIL => {
                matches!(physical, Type::String)
            }
            Logical::SET => matches!(physical, Type::List(_)),
            _ => false,
        }
    }
}

impl Type {
    /// What is on the wire: the type without the logical types around it.
    pub fn physical(&self) -> &Type {
        let mut ty = self;
        while let Type::Logical(_, inner) = ty {
            ty = inner;
        }
        ty
    }

    /// What a reader makes of it: the type without the logical types around it that it does not know or that stand over
    /// another physical type than their own.
    pub fn understood(&self) -> &Type {
        let mut ty = self;
        while let Type::Logical(logical, inner) = ty
            && !logical.is_of(inner)
        {
            ty = inner;
        }
        ty
    }

    /// What constraints speak of: the type of the value that is there when the field has one, so without options and
    /// presence.
    pub fn content(&self) -> &Type {
        let mut ty = self.understood();
        while let Type::Option(inner) | Type::Presence(inner) = ty {
            ty = inner.understood();
        }
        ty
    }
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
    /// What else is known of it.
    pub attributes: Attributes,
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
    /// What else is known of it.
    pub attributes: Attributes,
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
    /// What else is known of it.
    pub attributes: Attributes,
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
    /// What else is known of it.
    pub attributes: Attributes,
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

impl StructDef {
    /// A struct without documentation and attributes.
    pub fn new(name: impl Into<String>, fields: Vec<Field>) -> StructDef {
        StructDef { name: name.into(), doc: String::new(), fields, attributes: Attributes::default() }
    }
}

impl EnumDef {
    /// An enum without documentation and attributes.
    pub fn new(name: impl Into<String>, variants: Vec<Variant>) -> EnumDef {
        EnumDef { name: name.into(), doc: String::new(), variants, attributes: Attributes::default() }
    }
}

impl Field {
    /// A field without aliases, documentation, default and attributes.
    pub fn new(name: impl Into<String>, ty: Type) -> Field {
        Field {
            name: name.into(),
            aliases: Vec::new(),
            doc: String::new(),
            ty,
            default: None,
            attributes: Attributes::default(),
        }
    }
}

impl Variant {
    /// A variant without aliases, documentation and attributes.
    pub fn new(name: impl Into<String>, shape: Shape) -> Variant {
        Variant {
            name: name.into(),
            aliases: Vec::new(),
            doc: String::new(),
            shape,
            attributes: Attributes::default(),
        }
    }
}

impl Variant {
    /// The code of the error that it is, where its enum is a method's error. Without an attribute that is one which neither
    /// blames the server nor asks to try again, for the method expects this error.
    pub fn error_code(&self) -> Code {
        self.attributes.code().unwrap_or(Code::FailedPrecondition)
    }
}

impl Definition {
    /// Its attributes, whichever kind it is of.
    pub fn attributes(&self) -> &Attributes {
        match self {
            Definition::Struct(def) => &def.attributes,
            Definition::Enum(def) => &def.attributes,
        }
    }
}
