//! What JSON a method takes and gives, as JSON Schema (draft 2020-12): the words of `docs/json.md` for programs.
//!
//! A [`Method`] is a schema that is being described. Its structs and enums become named schemas of [`Components`], which all
//! methods of a document share: what is the same in two of them is there once. What is read and what is written are not the same
//! JSON (a number of 64 bits may come as a string, a field with a default may be missing), so each type has up to two: see [`Mode`].
//!
//! Work and memory are bounded by the size of the schemas, which the protocol bounds.

#![deny(clippy::print_stderr, clippy::print_stdout)]

mod components;
mod constraints;
mod enums;
mod fields;
mod find;
mod identity;
mod method;
mod object;
mod scalars;
mod types;
mod values;
mod words;

#[cfg(test)]
mod testing;

pub use components::Components;
pub use find::{Found, Leaf};
pub use method::{DeclaredError, Method};
pub use object::Object;
pub use words::{description, summary};

use callgate_transcode::{Decimal, Int64, UnknownFields};

/// Whether JSON is read or written, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// It is read from requests.
    In(UnknownFields),
    /// It is written to replies.
    Out(Int64, Decimal),
}

impl Mode {
    /// As results are written where nothing else is said.
    pub const OUT: Mode = Mode::Out(Int64::Number, Decimal::String);
    /// As requests are read where nothing else is said.
    pub const IN: Mode = Mode::In(UnknownFields::Reject);

    pub(crate) fn reads(self) -> bool {
        matches!(self, Mode::In(_))
    }
}
