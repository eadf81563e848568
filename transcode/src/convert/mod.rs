//! Messages of one schema → messages of another, without JSON between: for a caller whose types are compiled in and an
//! instance of another version.
//!
//! A [`Converter`] is compiled of two types: the one that is written and the one that is wanted. Fields and variants
//! are found by name, as the gateway finds them in JSON, so they may have moved. A field that is not written takes its
//! default; one that is not wanted is read, checked and dropped. What cannot be converted at all is a [`Misfit`]; what
//! one message alone makes impossible is a [`ConvertError`]. Both name the field.
//!
//! `compile` makes the program and `fields` finds fields and variants in it; `run` is the walk, `int` and `scalar` what
//! it does with values of one token; `error` is what people are told.

mod compile;
mod error;
mod fields;
mod int;
mod run;
mod scalar;

pub use error::{ConvertError, ConvertReason, Misfit};

use crate::layout::Fixed;
use callgate_protocol::schema::{MethodSchema, Type};
use int::Int;

/// A program that turns values of one type into values of another.
#[derive(Debug)]
pub struct Converter {
    ops: Vec<Op>,
    root: OpId,
}

impl Converter {
    /// Compiles the way from a type of one schema to a type of another. Both schemas must be such as
    /// [`MethodSchema::decode`] accepts. Work and memory are bounded, and grow with the pairs of definitions that
    /// meet.
    ///
    /// # Errors
    /// Some value of `from` has nothing in `to` that it could become, whatever it is: a field is needed that is not
    /// there, or has another type.
    pub fn compile(from: (&MethodSchema, &Type), to: (&MethodSchema, &Type)) -> Result<Converter, Misfit> {
        compile::program(from, to)
    }

    /// Appends the converted message to `out`, of `most` bytes at most.
    ///
    /// # Errors
    /// `message` is not exactly one value of the type that was to be read, or this one has nothing that it could
    /// become. What was appended is then no message.
    pub fn run(&self, message: &[u8], out: &mut Vec<u8>, most: usize) -> Result<(), ConvertError> {
        run::message(self, message, out, most)
    }
}

/// The index of an operation. A pair of definitions has one, so that recursion is an index and not a pointer.
type OpId = u32;

/// What is done with one value.
#[derive(Debug)]
enum Op {
    /// No bytes on either side.
    Unit,
    /// A value of one token, of the same type on both sides: checked, and copied as it lies.
    Copy(Type),
    /// An integer of another type: by its value.
    Int(Int, Int),
    /// f32 to f64.
    Widen,
    /// A value that is certainly there to one that may be missing: the bytes that say so, and then the value.
    Given(&'static [u8], OpId),
    /// An option.
    Maybe(Maybe),
    /// A presence: what stands for absent, which `None` refuses, and then as for an option.
    Presence(Option<Fixed>, Maybe),
    /// A length and items.
    List(OpId),
    /// The same, where no item may be there twice.
    Set(OpId),
    /// So many items.
    Array(OpId, u32),
    /// An item for each place.
    Tuple(Box<[OpId]>),
    /// A length, and then key and value in turn.
    Map(OpId, OpId),
    /// Fields one after another.
    Struct(Struct),
    /// By the written number.
    Enum(Box<[Variant]>),
}

/// A value that may be missing, and what stands for it.
#[derive(Debug)]
struct Maybe {
    /// What stands for none; `None` where a value is wanted.
    none: Option<Fixed>,
    /// What is written before a value.
    some: &'static [u8],
    value: OpId,
}

/// A struct, or the content of a variant with fields.
#[derive(Debug)]
struct Struct {
    /// What stands before all that comes from the message.
    first: Fixed,
    /// The written fields, in their order.
    steps: Box<[Step]>,
    /// Which of the kept fields stands in each wanted place; `None` when they stand in the order in which they are
    /// written.
    order: Option<Box<[u32]>>,
}

/// One written field.
#[derive(Debug)]
struct Step {
    name: Box<str>,
    op: OpId,
    /// `None` for a field that is dropped. Otherwise the fields that nobody has written and that stand behind it.
    kept: Option<Fixed>,
}

/// One written variant.
#[derive(Debug)]
struct Variant {
    name: Box<str>,
    /// The wanted variant; `None` when there is none.
    wanted: Option<(u32, Content)>,
}

/// What follows a variant's number.
#[derive(Debug)]
enum Content {
    Unit,
    Value(OpId),
    Tuple(Box<[OpId]>),
    Fields(Struct),
}
