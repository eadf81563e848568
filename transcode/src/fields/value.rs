//! What a field's value is: how it is read where it lies in a message, as what people compare it with.

use crate::layout::{Layout, Node, NodeId};
use crate::scalar::{Int, Scalar, TextForm, compare, decimal_of};
use callgate_protocol::wire::{Reader, WireError};
use std::cmp::Ordering;

/// The type of a field, as far as somebody who compares values has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// `true` or `false`.
    Bool,
    /// An integer of any size, or a float.
    Number,
    /// A string, or a character.
    Text,
    /// An enum some of whose variants are strings in JSON: the names of those.
    Variant(Box<[Box<str>]>),
    /// A text of a form, of which several may say the same value.
    Form(Form),
    /// Several values of one such type.
    List(Box<FieldType>),
    /// Any other: what it is, for messages.
    Other(&'static str),
}

/// A form of texts: values of it are compared by what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form(Scalar);

/// A value in a message.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FieldValue<'a> {
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Integer(i128),
    /// One that is larger than those.
    Large(u128),
    /// A float.
    Float(f64),
    /// The bytes of a string, or the name of a variant.
    Text(&'a [u8]),
    /// A text of a form, in bytes of the form's own.
    Formed(&'a [u8]),
}

impl Form {
    /// What it looks like, for messages: "expected …".
    pub fn expected(self) -> &'static str {
        self.0.expected()
    }

    /// The bytes that stand for what a text says, if it is of the form.
    pub fn read(self, text: &str) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        self.0.put_text(text, &mut bytes).ok().map(|()| bytes)
    }

    /// The same for a number, as JSON writes it: of decimal numbers it says one.
    pub fn read_number(self, token: &str) -> Option<Vec<u8>> {
        match self.0 {
            Scalar::Text(TextForm::Decimal) => self.read(&decimal_of(token)?),
            _ => None,
        }
    }

    /// Whether there is an order of its values.
    pub fn has_order(self) -> bool {
        let text = matches!(self.0, Scalar::Text(TextForm::Date | TextForm::Decimal | TextForm::Time));
        text || matches!(self.0, Scalar::Timestamp | Scalar::Duration)
    }

    /// How two of its values compare. Without an order, those that differ are neither.
    pub fn compare(self, one: &[u8], other: &[u8]) -> Option<Ordering> {
        match self.has_order() {
            true => compare(self.0, one, other),
            false => (one == other).then_some(Ordering::Equal),
        }
    }
}

impl FieldType {
    /// That of a node that has nothing around it.
    pub(super) fn of(layout: &Layout, node: NodeId) -> FieldType {
        match layout.node(node) {
            Node::Scalar(Scalar::Bool) => FieldType::Bool,
            Node::Scalar(Scalar::Int(_) | Scalar::F32 | Scalar::F64) => FieldType::Number,
            Node::Scalar(Scalar::String | Scalar::Char) => FieldType::Text,
            // URLs and addresses are what they are written as.
            Node::Scalar(Scalar::Text(form)) if !Form(Scalar::Text(*form)).has_order() => FieldType::Text,
            Node::Scalar(Scalar::Bytes) => FieldType::Other("bytes"),
            Node::Scalar(scalar) => FieldType::Form(Form(*scalar)),
            Node::Enum(table) if table.has_unit && table.tagged.is_none() => {
                let units = table.variants.iter().filter(|variant| variant.content.is_none());
                FieldType::Variant(units.map(|variant| variant.name.clone()).collect())
            }
            Node::List(item) | Node::Set(item) | Node::Array(item, _) => {
                let item = guarded(layout, *item);
                match FieldType::of(layout, item) {
                    FieldType::List(_) | FieldType::Other(_) => FieldType::Other("a list of such items"),
                    item => FieldType::List(Box::new(item)),
                }
            }
            Node::Enum(_) => FieldType::Other("an enum whose variants all have content"),
            Node::Struct(_) => FieldType::Other("an object"),
            Node::Map(..) => FieldType::Other("a map"),
            Node::Tuple(_) => FieldType::Other("an array with a type for each place"),
            Node::Json => FieldType::Other("any JSON"),
            Node::Unit => FieldType::Other("always null"),
            Node::Option(_) | Node::Presence(_) | Node::Guarded(..) => {
                FieldType::Other("a value that may be null")
            }
        }
    }
}

/// The node of a value of which more is asked than its type.
pub(super) fn guarded(layout: &Layout, node: NodeId) -> NodeId {
    match layout.node(node) {
        Node::Guarded(inner, _) => *inner,
        _ => node,
    }
}

/// Reads a value; `None` of a variant with content, and of what is of another type than was said.
#[inline]
pub(super) fn read<'a>(
    layout: &'a Layout,
    node: &'a Node,
    reader: &mut Reader<'a>,
) -> Result<Option<FieldValue<'a>>, WireError> {
    let scalar = match node {
        Node::Scalar(scalar) => *scalar,
        Node::Enum(table) => {
            let number = usize::try_from(reader.varint(32)?).unwrap_or(usize::MAX);
            let variant = table.variants.get(number).filter(|variant| variant.content.is_none());
            return Ok(variant.map(|variant| FieldValue::Text(variant.name.as_bytes())));
        }
        Node::Guarded(inner, _) => return read(layout, layout.node(*inner), reader),
        _ => return Ok(None),
    };
    let start = reader.offset();
    Ok(Some(match scalar {
        Scalar::Bool => FieldValue::Bool(reader.bool()?),
        Scalar::Int(int) => int.read(reader)?,
        Scalar::F32 => FieldValue::Float(f64::from(f32::from_le_bytes(reader.array()?))),
        Scalar::F64 => FieldValue::Float(f64::from_le_bytes(reader.array()?)),
        Scalar::Char => {
            reader.char()?;
            FieldValue::Text(reader.since(start))
        }
        Scalar::String => FieldValue::Text(reader.bytes()?),
        Scalar::Text(form) if !Form(Scalar::Text(form)).has_order() => FieldValue::Text(reader.bytes()?),
        scalar => {
            super::walk::pass_scalar(scalar, reader).map_err(|_| WireError::Truncated)?;
            FieldValue::Formed(reader.since(start))
        }
    }))
}

impl Int {
    #[inline]
    fn read<'a>(self, reader: &mut Reader<'_>) -> Result<FieldValue<'a>, WireError> {
        Ok(FieldValue::Integer(match self {
            Int::U8 => reader.u8()?.into(),
            Int::U16 | Int::U32 | Int::U64 => reader.varint(64)?.into(),
            Int::I8 => (reader.u8()? as i8).into(),
            Int::I16 | Int::I32 | Int::I64 => reader.zigzag(64)?.into(),
            Int::I128 => reader.zigzag128()?,
            Int::U128 => {
                let value = reader.varint128()?;
                return Ok(i128::try_from(value).map_or(FieldValue::Large(value), FieldValue::Integer));
            }
        }))
    }
}
