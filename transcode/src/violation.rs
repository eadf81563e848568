//! What is told to people: violations to the client who sent a request, bind errors to whoever wrote a route.

use crate::json::{Locator, push_segment};
use std::fmt;

/// One thing that is wrong with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// JSON Pointer (RFC 6901) of the field; within the body's document for what the body holds.
    pub pointer: String,
    /// What kind of mistake it is.
    pub kind: ViolationKind,
    /// What is wrong with it, in a sentence without a full stop.
    pub detail: String,
    /// The line in the body, from 1; `None` for what is not in the body.
    pub line: Option<u32>,
    /// The column in the body, in characters from 1; `None` for what is not in the body.
    pub column: Option<u32>,
}

/// What kind of mistake a violation is, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViolationKind {
    /// The body or the query is not UTF-8.
    NotUtf8,
    /// The body is not JSON (RFC 8259).
    MalformedJson,
    /// The body or the message nests deeper than it may.
    TooDeep,
    /// The message is longer than it may be, or has too many values without content.
    TooLarge,
    /// The method has no such field.
    UnknownField,
    /// The method needs the field.
    MissingField,
    /// The field is given twice, or an object has the key twice.
    DuplicateField,
    /// There is a body where the route takes none.
    UnexpectedBody,
    /// The value is of another JSON type than the field.
    WrongType,
    /// The number is not in the range of the field's type.
    OutOfRange,
    /// The enum has no such variant, or it is not written so.
    UnknownVariant,
    /// The value has the right JSON type and is none of the field's values.
    InvalidValue,
    /// The value breaks a constraint of the field: its range, length, pattern, number of items; or a set has an item twice.
    Constraint,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.pointer, self.detail)?;
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, " (line {line}, column {column})"),
            _ => Ok(()),
        }
    }
}

/// Why a route's binding does not suit a method's schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindError(pub(crate) String);

impl fmt::Display for BindError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BindError {}

/// Where a violation is, before anybody has looked for line and column.
#[derive(Clone, Debug)]
pub(crate) enum At {
    /// Not in the body: the pointer.
    Field(String),
    /// The value, or the place in the syntax, at this offset of the body.
    Value(usize),
    /// The member whose key begins at this offset of the body.
    Member(usize),
    /// A member of this name that the object at this offset of the body does not have.
    Missing(usize, String),
}

impl At {
    fn offset(&self) -> usize {
        match self {
            At::Field(_) => 0,
            At::Value(offset) | At::Member(offset) | At::Missing(offset, _) => *offset,
        }
    }
}

/// A violation whose place in the body is still an offset.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) at: At,
    pub(crate) refusal: Refusal,
}

/// Why a value is refused, wherever it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) kind: ViolationKind,
    pub(crate) detail: String,
}

impl Refusal {
    #[cold]
    pub(crate) fn new(kind: ViolationKind, detail: impl Into<String>) -> Refusal {
        Refusal { kind, detail: detail.into() }
    }

    /// The value has the right type and cannot be one of the field's.
    #[cold]
    pub(crate) fn value(detail: impl Into<String>) -> Refusal {
        Refusal::new(ViolationKind::InvalidValue, detail)
    }

    /// The same without what may repeat a part of the value.
    #[cold]
    pub(crate) fn hushed(self) -> Refusal {
        let detail = match self.kind {
            ViolationKind::MalformedJson => "not JSON",
            ViolationKind::UnknownField => "unknown field",
            ViolationKind::UnknownVariant => "unknown variant",
            ViolationKind::OutOfRange => "out of range",
            ViolationKind::InvalidValue => "not a value of the field's type",
            // Their words name types, fields of the schema, places and numbers only.
            _ => return self,
        };
        Refusal::new(self.kind, format!("{detail} (the field is secret, so nothing of it is shown)"))
    }

    /// The same, with words before its own.
    #[cold]
    pub(crate) fn of(self, whose: impl fmt::Display) -> Refusal {
        Refusal { kind: self.kind, detail: format!("{whose}: {}", self.detail) }
    }
}

/// Finds the places of all in one scan of the body; they come out in the body's order, behind those outside of it.
pub(crate) fn located(body: &str, mut pending: Vec<Pending>) -> Vec<Violation> {
    pending.sort_by_key(|pending| (!matches!(pending.at, At::Field(_)), pending.at.offset()));
    let mut locator = Locator::new(body);
    let locate = |Pending { at, refusal: Refusal { kind, detail } }| {
        locator.advance(at.offset());
        let (line, column) = locator.line_and_column();
        let in_body = !matches!(at, At::Field(_));
        Violation {
            pointer: match at {
                At::Field(pointer) => pointer,
                At::Value(_) => locator.pointer(),
                At::Member(_) => locator.member_pointer(),
                At::Missing(_, name) => {
                    let mut pointer = locator.pointer();
                    push_segment(&mut pointer, &name);
                    pointer
                }
            },
            kind,
            detail,
            line: in_body.then_some(line),
            column: in_body.then_some(column),
        }
    };
    pending.into_iter().map(locate).collect()
}
