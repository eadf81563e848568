//! What a schema says beyond types and names, in a form that grows: pairs of a tag and bytes. A reader skips the tags that
//! it does not know, and keeps them, because the fingerprint is of all bytes.

use crate::Code;
use crate::wire::{Reader, put_varint};

/// The attributes of a method, a definition, a field or a variant: each tag once, in rising order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    all: Vec<(u32, Vec<u8>)>,
}

/// From how many to how many: characters, bytes or entries, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The fewest.
    pub min: u64,
    /// The most, where there is a bound.
    pub max: Option<u64>,
}

impl Span {
    fn read(bytes: &[u8]) -> Option<Span> {
        let mut reader = Reader::new(bytes);
        let min = reader.varint(64).ok()?;
        let max = match reader.bool().ok()? {
            true => Some(reader.varint(64).ok()?),
            false => None,
        };
        let ordered = max.is_none_or(|max| min <= max);
        (reader.remaining() == 0 && ordered).then_some(Span { min, max })
    }

    fn bytes(self) -> Vec<u8> {
        let mut out = Vec::new();
        put_varint(&mut out, self.min);
        out.push(u8::from(self.max.is_some()));
        self.max.iter().for_each(|max| put_varint(&mut out, *max));
        out
    }
}

/// Where an attribute is: by its tag. The getters below give `None` for a value that is malformed, which no schema has that
/// was read with [`MethodSchema::decode`](super::MethodSchema::decode).
impl Attributes {
    /// Not to be used any more, and why. On all four.
    pub const DEPRECATED: u32 = 1;
    /// An encoded value of the field's type, as an example.
    pub const EXAMPLE: u32 = 2;
    /// The least value that the field may have: an encoded value of the type that [`Type::content`](super::Type::content)
    /// gives of the field's.
    pub const MINIMUM: u32 = 3;
    /// The greatest, likewise.
    pub const MAXIMUM: u32 = 4;
    /// How many characters a string may have, or bytes a byte string: a [`Span`].
    pub const LENGTH: u32 = 5;
    /// How many entries a list, set or map may have: a [`Span`].
    pub const ITEMS: u32 = 6;
    /// A regular expression that is found in the string.
    pub const PATTERN: u32 = 7;
    /// What the field's number counts: `ms`, `EUR`.
    pub const UNIT: u32 = 8;
    /// The field's value is never shown.
    pub const SECRET: u32 = 9;
    /// On a variant of an enum: the canonical code of the error that it is.
    pub const CODE: u32 = 10;
    /// On an enum: in JSON a value is an object, whose member of this name says which variant it is.
    pub const TAG: u32 = 11;
    /// On an enum with a tag: the member of this name holds the variant's content. Without it the content's members stand
    /// beside the tag.
    pub const CONTENT: u32 = 12;
    /// On a field: in JSON the members of its value stand beside the other fields.
    pub const FLATTEN: u32 = 13;

    /// No attributes.
    pub const fn new() -> Attributes {
        Attributes { all: Vec::new() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// All of them, tags rising.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &[u8])> {
        self.all.iter().map(|(tag, value)| (*tag, value.as_slice()))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The bytes of one.
    pub fn get(&self, tag: u32) -> Option<&[u8]> {
        let at = self.all.binary_search_by_key(&tag, |(tag, _)| *tag).ok()?;
        Some(&self.all[at].1)
    }

    /// With this one, in place of one of the same tag.
    pub fn with(mut self, tag: u32, value: impl Into<Vec<u8>>) -> Attributes {
        match self.all.binary_search_by_key(&tag, |(tag, _)| *tag) {
            Ok(at) => self.all[at].1 = value.into(),
            Err(at) => self.all.insert(at, (tag, value.into())),
        }
        self
    }

    /// With one whose tag is greater than all that are there; the same attributes again if it is not.
    pub(super) fn push(&mut self, tag: u32, value: &[u8]) -> bool {
        let rising = self.all.last().is_none_or(|(last, _)| *last < tag);
        if rising {
            self.all.push((tag, value.to_vec()));
        }
        rising
    }

    fn text(&self, tag: u32) -> Option<&str> {
        std::str::from_utf8(self.get(tag)?).ok()
    }

    /// Why it is not to be used any more; may be empty.
    pub fn deprecated(&self) -> Option<&str> {
        self.text(Self::DEPRECATED)
    }

    /// An encoded value of the field's type.
    pub fn example(&self) -> Option<&[u8]> {
        self.get(Self::EXAMPLE)
    }

    /// The encoded least value.
    pub fn minimum(&self) -> Option<&[u8]> {
        self.get(Self::MINIMUM)
    }

    /// The encoded greatest value.
    pub fn maximum(&self) -> Option<&[u8]> {
        self.get(Self::MAXIMUM)
    }

    /// How many characters or bytes.
    pub fn length(&self) -> Option<Span> {
        Span::read(self.get(Self::LENGTH)?)
    }

    /// How many entries.
    pub fn items(&self) -> Option<Span> {
        Span::read(self.get(Self::ITEMS)?)
    }

    /// The regular expression.
    pub fn pattern(&self) -> Option<&str> {
        self.text(Self::PATTERN)
    }

    /// The unit.
    pub fn unit(&self) -> Option<&str> {
        self.text(Self::UNIT)
    }

    /// Whether the value is never shown.
    pub fn is_secret(&self) -> bool {
        self.get(Self::SECRET).is_some()
    }

    /// The code of the error that the variant is.
    pub fn code(&self) -> Option<Code> {
        match self.get(Self::CODE)? {
            [0] => None,
            [number] => Some(Code::from_number(*number)),
            _ => None,
        }
    }

    /// With [`deprecated`](Self::deprecated).
    pub fn with_deprecated(self, why: &str) -> Attributes {
        self.with(Self::DEPRECATED, why)
    }

    /// With [`example`](Self::example).
    pub fn with_example(self, encoded: impl Into<Vec<u8>>) -> Attributes {
        self.with(Self::EXAMPLE, encoded)
    }

    /// With [`minimum`](Self::minimum).
    pub fn with_minimum(self, encoded: impl Into<Vec<u8>>) -> Attributes {
        self.with(Self::MINIMUM, encoded)
    }

    /// With [`maximum`](Self::maximum).
    pub fn with_maximum(self, encoded: impl Into<Vec<u8>>) -> Attributes {
        self.with(Self::MAXIMUM, encoded)
    }

    /// With [`length`](Self::length).
    pub fn with_length(self, span: Span) -> Attributes {
        self.with(Self::LENGTH, span.bytes())
    }

    /// With [`items`](Self::items).
    pub fn with_items(self, span: Span) -> Attributes {
        self.with(Self::ITEMS, span.bytes())
    }

    /// With [`pattern`](Self::pattern).
    pub fn with_pattern(self, pattern: &str) -> Attributes {
        self.with(Self::PATTERN, pattern)
    }

    /// With [`unit`](Self::unit).
    pub fn with_unit(self, unit: &str) -> Attributes {
        self.with(Self::UNIT, unit)
    }

    /// With [`is_secret`](Self::is_secret).
    pub fn with_secret(self) -> Attributes {
        self.with(Self::SECRET, Vec::new())
    }

    /// With [`code`](Self::code).
    pub fn with_code(self, code: Code) -> Attributes {
        self.with(Self::CODE, vec![code as u8])
    }
}
