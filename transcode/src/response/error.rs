//! The errors that a method declares: which one it failed with, its code, and its details as JSON.

use super::decode::Decoder;
use super::{DecodeError, ResponseBinding};
use crate::layout::{Errors, Layout, Node, Variant};
use crate::scalar::Style;
use callgate_protocol::Code;
use callgate_protocol::check::Reason;
use callgate_protocol::wire::Reader;
use std::sync::Arc;

/// Reads the errors of one method, for one route.
#[derive(Debug)]
pub struct ErrorProgram {
    layout: Arc<Layout>,
    style: Style,
}

/// An error that a method failed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodError<'a> {
    /// The name of the method's error type in the schema, which may be empty: `QuoteError`.
    pub error: &'a str,
    /// The name of the variant, as JSON has it: `OutOfStock`.
    pub variant: &'a str,
    /// The variant's code.
    pub code: Code,
    /// The variant's content: its one value, an array of several, or an object of fields. `None` if it has no content.
    pub details: Option<String>,
}

impl ErrorProgram {
    /// Makes the program of a layout. `None` if the method declares no error type. Values are written as in results of the
    /// route.
    pub fn bind(layout: Arc<Layout>, binding: &ResponseBinding) -> Option<ErrorProgram> {
        layout.errors.as_ref()?;
        let style = Style { int64: binding.int64, decimal: binding.decimal, discard: false };
        Some(ErrorProgram { layout, style })
    }

    /// Reads an encoded error. All of it is checked, within the bounds of [`callgate_protocol::check`], and with
    /// [`DecodeReason::TooLong`](super::DecodeReason::TooLong) for details that would be longer than `most` bytes; by how many
    /// is bounded by the message: six times its length.
    ///
    /// # Errors
    /// The bytes are not a value of the method's error type, or hold a value that JSON cannot show.
    pub fn decode(&self, error: &[u8], most: usize) -> Result<MethodError<'_>, DecodeError> {
        let (errors, number, variant, offset) = self.variant(error)?;
        let mut details = Vec::new();
        let mut decoder = Decoder::new(&self.layout, error, &mut details, self.style, most);
        let read = decoder.content(offset, variant.content).and_then(|()| decoder.end());
        read.map_err(|reason| DecodeError { offset: decoder.offset(), reason })?;
        Ok(MethodError {
            error: &errors.name,
            variant: &variant.name,
            code: errors.codes.get(number).copied().unwrap_or(Code::Unknown),
            // What the decoder writes is UTF-8.
            details: variant.content.and(String::from_utf8(details).ok()),
        })
    }

    /// The errors, the number of this one, and where its content begins.
    fn variant(&self, error: &[u8]) -> Result<(&Errors, usize, &Variant, usize), DecodeError> {
        let mut reader = Reader::new(error);
        let number = reader.varint(32).map_err(|error| DecodeError { offset: 0, reason: error.into() })?;
        let offset = reader.offset();
        let errors = self.layout.errors.as_ref();
        let variants = errors.and_then(|errors| match self.layout.node(errors.node) {
            Node::Enum(table) => Some((errors, &table.variants)),
            _ => None,
        });
        let found = variants.and_then(|(errors, variants)| {
            let variant = variants.get(number as usize)?;
            Some((errors, number as usize, variant, offset))
        });
        found.ok_or(DecodeError { offset, reason: Reason::UnknownVariant.into() })
    }
}
