//! What a caller may ask: rules over a request's decoded fields and the caller's claims. They are written as conditions in a small part
//! of CEL, compiled for the schema of each instance, and decided over the bytes that the instance reads.
//!
//! It knows no socket, no clock and no file. Nothing in it runs without a bound: a rule has no loops, and its source, its depth and its
//! parts are counted when it is read.
//!
//! - [`Rule`]: a condition that was read, or a [`RuleError`] that points at the place. Most mistakes are found here.
//! - [`Program`]: the rules of a route, compiled for one schema, or a [`Misfit`]. Fields that the schema lacks, and comparisons of fields
//!   with what they never are, are found here.
//! - [`Denied`]: what a program says of a request that it does not let pass.
//!
//! What is read and is not there denies the whole rule, whatever stands around it; so does a claim of another type than the rule needs.
//! Only `has` looks whether something is there. Conditions are decided from left to right, and what is decided already reads no more.

mod bind;
mod check;
mod error;
mod expr;
mod lexer;
mod literal;
mod number;
mod parser;
mod program;
mod rule;
mod value;

pub use bind::Misfit;
pub use error::RuleError;
pub use program::{Denied, Program, Why};
pub use rule::{MAX_LENGTH, MAX_RULES, Rule};
