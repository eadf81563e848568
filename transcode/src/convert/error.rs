//! What people are told about types that do not fit, and about messages that cannot become what is wanted.

use crate::json::push_segment;
use crate::layout::shown;
use callgate_protocol::check::{CheckError, Reason};
use callgate_protocol::limits::{MAX_DEPTH, MAX_ZERO_SIZED_ITEMS};
use callgate_protocol::schema::{Definition, MethodSchema, Type};
use callgate_protocol::wire::WireError;
use std::borrow::Cow;
use std::fmt;

/// How many containers of a type are spelled out.
const SPELLED: usize = 3;

/// So many of the innermost segments of a pointer are told.
const SEGMENTS: usize = 16;

/// One step of a pointer.
#[derive(Clone, Debug)]
pub(super) enum Segment<'a> {
    Name(Cow<'a, str>),
    Index(u64),
    /// Any item of a list, or any entry of a map.
    Any,
}

/// A pointer of segments that were met from the inside out.
pub(super) fn pointer<'a>(inside_out: impl Iterator<Item = Segment<'a>>) -> String {
    let mut segments: Vec<_> = inside_out.take(SEGMENTS + 1).collect();
    let mut pointer = String::new();
    if segments.len() > SEGMENTS {
        segments.truncate(SEGMENTS);
        pointer.push_str("/…");
    }
    for segment in segments.into_iter().rev() {
        match segment {
            Segment::Name(name) => push_segment(&mut pointer, &name),
            Segment::Index(index) => push_segment(&mut pointer, &index.to_string()),
            Segment::Any => pointer.push_str("/*"),
        }
    }
    pointer
}

/// Why one type cannot be converted to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// Where, like a JSON Pointer, with `*` for any item, key or value.
    pub pointer: String,
    /// What is wrong there, in a sentence without a full stop.
    pub detail: String,
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        place(f, &self.pointer)?;
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Misfit {}

/// Why a message cannot be converted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvertError {
    /// JSON Pointer (RFC 6901) of the value; the end of it, behind `/…`, when it is long.
    pub pointer: String,
    /// What is wrong with it.
    pub reason: ConvertReason,
}

/// What is wrong with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConvertReason {
    /// It is not a value of its own type.
    Message(CheckError),
    /// It says none where a value is wanted.
    None,
    /// An integer does not fit the wanted type.
    OutOfRange(String),
    /// The wanted enum has no variant of this name.
    UnknownVariant(String),
    /// A map has a key twice, or a set an item; or would have it when it is converted.
    Twice,
    /// It would be longer than was asked for.
    TooLong,
    /// It would nest deeper than messages may.
    TooDeep,
    /// It would have more values without bytes than messages may.
    TooManyZeroSizedItems,
}

impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        place(f, &self.pointer)?;
        match &self.reason {
            ConvertReason::Message(error) => write!(f, "{error}"),
            ConvertReason::None => write!(f, "there is no value, and one is wanted"),
            ConvertReason::OutOfRange(what) => f.write_str(what),
            ConvertReason::UnknownVariant(name) => {
                write!(f, "the variant `{name}` is not one of those that are wanted")
            }
            ConvertReason::Twice => {
                write!(f, "a key or an item of a set is there twice when it is converted")
            }
            ConvertReason::TooLong => write!(f, "the converted message is too long"),
            ConvertReason::TooDeep => write!(f, "the converted message nests deeper than {MAX_DEPTH}"),
            ConvertReason::TooManyZeroSizedItems => {
                write!(f, "the converted message has more than {MAX_ZERO_SIZED_ITEMS} values without bytes")
            }
        }
    }
}

impl std::error::Error for ConvertError {}

/// The message itself has the empty pointer, of which nobody needs to be told.
fn place(f: &mut fmt::Formatter<'_>, pointer: &str) -> fmt::Result {
    match pointer {
        "" => Ok(()),
        pointer => write!(f, "`{pointer}`: "),
    }
}

/// What went wrong, and where, from the inside out.
pub(super) struct Failure {
    segments: Vec<Segment<'static>>,
    reason: ConvertReason,
}

/// Boxed, so that what succeeds does not carry it about.
pub(super) type Done = Result<(), Box<Failure>>;

impl Failure {
    #[cold]
    pub(super) fn at(mut self: Box<Self>, segment: Segment<'static>) -> Box<Failure> {
        self.segments.push(segment);
        self
    }

    /// What went wrong when so many bytes were read.
    pub(super) fn told(self, offset: usize) -> ConvertError {
        let reason = match self.reason {
            ConvertReason::Message(error) => ConvertReason::Message(CheckError { offset, ..error }),
            other => other,
        };
        ConvertError { pointer: pointer(self.segments.into_iter()), reason }
    }
}

impl From<ConvertReason> for Box<Failure> {
    #[cold]
    fn from(reason: ConvertReason) -> Self {
        Box::new(Failure { segments: Vec::new(), reason })
    }
}

impl From<Reason> for Box<Failure> {
    #[cold]
    fn from(reason: Reason) -> Self {
        // Where it is is known at the end of the walk, which is here.
        ConvertReason::Message(CheckError { offset: 0, reason }).into()
    }
}

impl From<WireError> for Box<Failure> {
    #[cold]
    fn from(error: WireError) -> Self {
        Reason::Wire(error).into()
    }
}

/// A type in words.
pub(super) fn words(schema: &MethodSchema, ty: &Type) -> String {
    spelled(schema, ty, SPELLED)
}

fn spelled(schema: &MethodSchema, ty: &Type, left: usize) -> String {
    let inner = |ty: &Type| match left.checked_sub(1) {
        Some(left) => spelled(schema, ty, left),
        None => "…".to_owned(),
    };
    match ty {
        Type::Option(ty) => format!("option of {}", inner(ty)),
        Type::Presence(ty) => format!("presence of {}", inner(ty)),
        // Whoever is told this has no other name for it than its own.
        Type::Logical(_, ty) => inner(ty),
        Type::List(ty) => format!("list of {}", inner(ty)),
        Type::Array(ty, length) => format!("array of {length} times {}", inner(ty)),
        Type::Tuple(types) => format!("tuple of {}", types.len()),
        Type::Map(key, value) => format!("map of {} to {}", inner(key), inner(value)),
        Type::Ref(index) => match schema.definition(*index) {
            Some(Definition::Struct(def)) => format!("struct {}", shown(&def.name)).trim_end().to_owned(),
            Some(Definition::Enum(def)) => format!("enum {}", shown(&def.name)).trim_end().to_owned(),
            None => "nothing".to_owned(),
        },
        // `U8` and `IpAddr` are read by everybody as what they are.
        scalar => format!("{scalar:?}").to_lowercase(),
    }
}
