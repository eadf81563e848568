//! bincode → JSON: a method's result as the HTTP body.
//!
//! `decode` is one walk, which most messages need no more than a microsecond of. `steps` makes the same JSON in steps, between
//! which others can work; `pieces` are the texts that are longer than a step. `picks` are single fields as texts, for what is said of
//! a result beside the body. `raw` is a field that is the body itself.

mod decode;
mod error;
mod picks;
mod pieces;
mod raw;
mod steps;

use crate::binding::{Response, ResponseBinding};
use crate::json::{RawString, put_json_string};
use crate::layout::{Layout, Node, NodeId, Struct};
use crate::path;
use crate::scalar::{Style, TextForm};
use crate::violation::BindError;
use callgate_protocol::check::Reason;
use callgate_protocol::schema::MethodSchema;
use callgate_protocol::wire::WireError;
use decode::Decoder;
use picks::Picks;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

pub use error::{ErrorProgram, MethodError};
pub use picks::{MAX_PICKED, Picked, Picking};
pub use steps::{Decoding, MIN_STEP};

/// Why a message cannot be shown as JSON. It is the backend's fault, never the client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// The offset in bytes behind what was read when it was noticed.
    pub offset: usize,
    /// What is wrong.
    pub reason: DecodeReason,
}

/// What is wrong with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeReason {
    /// It is not a value of its schema.
    Message(Reason),
    /// A time stamp outside of the years 0000 to 9999, which RFC 3339 cannot write.
    YearOutOfRange,
    /// A `Json` value whose text is not a JSON document, or nests too deep.
    InvalidJson,
    /// A map with the same key twice, of which each reader of JSON would make something else.
    DuplicateKey,
    /// A text that is not of its logical type.
    InvalidText(TextForm),
    /// Its JSON is longer than was asked for.
    TooLong,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let offset = self.offset;
        match self.reason {
            DecodeReason::Message(reason) => {
                fmt::Display::fmt(&callgate_protocol::check::CheckError { offset, reason }, f)
            }
            DecodeReason::YearOutOfRange => {
                write!(f, "a time stamp outside of the years 0000 to 9999 at byte {offset}")
            }
            DecodeReason::InvalidJson => write!(f, "a Json value that is not JSON at byte {offset}"),
            DecodeReason::DuplicateKey => {
                write!(f, "a map with the same key twice, noticed at byte {offset}")
            }
            DecodeReason::InvalidText(form) => {
                write!(f, "a text that is not {} at byte {offset}", form.name())
            }
            DecodeReason::TooLong => write!(f, "more JSON than there may be, noticed at byte {offset}"),
        }
    }
}

impl std::error::Error for DecodeError {}

impl From<Reason> for DecodeReason {
    fn from(reason: Reason) -> Self {
        DecodeReason::Message(reason)
    }
}

impl From<WireError> for DecodeReason {
    fn from(error: WireError) -> Self {
        DecodeReason::Message(Reason::Wire(error))
    }
}

/// Writes results of one method as JSON, as one route wants them.
#[derive(Debug)]
pub struct ResponseProgram {
    layout: Arc<Layout>,
    root: NodeId,
    /// What stands before the value: empty, or `{"name":`.
    before: Vec<u8>,
    /// What stands behind it: empty, or `}`.
    after: &'static [u8],
    /// The fields, from the outside in, of which the last is the body.
    field: Vec<u32>,
    /// That one is the body as it is, and not as JSON.
    raw: bool,
    style: Style,
    empty: bool,
    picks: Option<Box<Picks>>,
}

impl ResponseProgram {
    /// Compiles the program, with a layout of its own.
    ///
    /// # Errors
    /// Those of [`Layout::new`] and [`bind`](Self::bind).
    pub fn compile(schema: &MethodSchema, binding: &ResponseBinding) -> Result<ResponseProgram, BindError> {
        ResponseProgram::bind(Arc::new(Layout::new(schema)?), binding)
    }

    /// Makes the program of a layout, which is little work.
    ///
    /// # Errors
    /// The binding's field, or one that it picks, does not exist in the result; or what is picked is not one text.
    pub fn bind(layout: Arc<Layout>, binding: &ResponseBinding) -> Result<ResponseProgram, BindError> {
        let root = layout.response;
        let mut program = ResponseProgram {
            empty: matches!(layout.node(root), Node::Unit) && binding.shape == Response::Whole,
            picks: Picks::bind(&layout, &binding.picks)?.map(Box::new),
            layout,
            root,
            before: Vec::new(),
            after: b"",
            field: Vec::new(),
            raw: false,
            style: Style { int64: binding.int64, decimal: binding.decimal, discard: false },
        };
        match &binding.shape {
            Response::Whole => {}
            Response::Wrap(name) => {
                program.before.push(b'{');
                put_json_string(&mut program.before, name);
                program.before.push(b':');
                program.after = b"}";
            }
            Response::Field(name) => {
                let found = path::resolve_or_tell(&program.layout, root, name)
                    .map_err(|error| BindError(format!("the response's field `{name}`: {error}")))?;
                program.field = found.steps;
            }
            Response::Raw(name) => {
                program.field = raw::resolve(&program.layout, root, name.as_deref())?;
                program.raw = true;
            }
        }
        Ok(program)
    }

    /// Appends the JSON of `message` to `out`. All of the message is checked, also what is not shown; the bounds are
    /// those of [`callgate_protocol::check`]. On an error `out` may hold a part of the JSON.
    ///
    /// # Errors
    /// The message is not a value of its schema, or holds a value that JSON cannot show.
    pub fn decode(&self, message: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
        self.decode_within(message, out, usize::MAX)
    }

    /// The same that gives up with [`DecodeReason::TooLong`] when there are more than `most` bytes in `out`; by how many is
    /// bounded by the message: six times its length.
    ///
    /// # Errors
    /// As [`decode`](Self::decode), and when it gives up.
    pub fn decode_within(&self, message: &[u8], out: &mut Vec<u8>, most: usize) -> Result<(), DecodeError> {
        // Names and punctuation, of which messages have none, are more than half of most answers. To grow costs a copy.
        out.reserve(message.len().saturating_mul(5) / 2);
        out.extend_from_slice(&self.before);
        let mut decoder = Decoder::new(&self.layout, message, out, self.style, most);
        let result = match self.field.as_slice() {
            field if self.raw => decoder.raw(self.root, field),
            [] => decoder.value(self.root),
            field => decoder.field(self.root, field),
        };
        result
            .and_then(|()| decoder.end())
            .map_err(|reason| DecodeError { offset: decoder.offset(), reason })?;
        out.extend_from_slice(self.after);
        Ok(())
    }

    /// Whether the body is a field as it is, and no JSON.
    #[inline]
    pub fn is_raw(&self) -> bool {
        self.raw
    }

    /// Where in a message that [is raw](Self::is_raw) the body lies; empty where the field is absent. All of the message is checked.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn raw_body(&self, message: &[u8]) -> Result<Range<usize>, DecodeError> {
        let (mut decoding, mut nothing) = (self.begin(message), Vec::new());
        while !decoding.advance(&mut nothing, message.len().max(MIN_STEP))? {}
        Ok(decoding.raw_body())
    }

    /// Begins to write the same JSON in steps. Of a body that [is raw](Self::is_raw) nothing is written:
    /// [`Decoding::raw_body`] tells where it lies.
    pub fn begin<'a>(&'a self, message: &'a [u8]) -> Decoding<'a> {
        Decoding::new(self, message)
    }

    /// Whether the binding picks fields.
    #[inline]
    pub fn has_picks(&self) -> bool {
        self.picks.is_some()
    }

    /// The fields that the binding picks, of a message that was [decoded](Self::decode). One walk, up to the last of them.
    ///
    /// # Errors
    /// As [`decode`](Self::decode).
    pub fn pick(&self, message: &[u8]) -> Result<Picked, DecodeError> {
        self.picks.as_ref().map_or_else(|| Ok(Picked::default()), |picks| picks.read(self, message))
    }

    /// The same in steps: a walk for each field.
    pub fn begin_picking<'a>(&'a self, message: &'a [u8]) -> Picking<'a> {
        Picking::new(self, message)
    }

    /// Whether the method returns nothing and the route adds nothing, so that there is no body to send.
    pub fn is_empty(&self) -> bool {
        self.empty
    }
}

/// Whether a key, as it is written, is a member that an object has already: its tag, or one of the members of `table`.
fn is_member(key: &[u8], tag: Option<&str>, table: Option<&Struct>) -> bool {
    let quoted = std::str::from_utf8(key).unwrap_or_default();
    let raw = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
    let name = RawString { raw, escaped: raw.contains('\\') }.decode();
    is_member_named(&name, tag, table)
}

/// The same for its text.
fn is_member_named(name: &str, tag: Option<&str>, table: Option<&Struct>) -> bool {
    tag == Some(name) || table.is_some_and(|table| table.find(name).is_some())
}
