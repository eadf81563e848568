//! What `#[message(min = 1)]` and its kin become: attributes of the schema. The macros call these functions; nobody writes them by
//! hand.
//!
//! Which constraint suits which type is said by traits, so that the compiler finds what does not, and says what does.

use super::{BadSchema, Message, Presence, SchemaBuilder};
use callgate_protocol::schema::{Attributes, Field, Span, Type, Variant};
use serde::Serialize;
use std::any::type_name;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::Display;
use std::str::FromStr;
use std::sync::Arc;

/// A type whose values have an order that people expect: it may have `min` and `max`.
#[diagnostic::on_unimplemented(
    message = "`min` and `max` do not suit `{Self}`",
    label = "its values have no least and no greatest",
    note = "they are for numbers, decimals, dates, times of day, time stamps and durations, and for an `Option` or `Presence` of these",
    note = "how long a text is: `length(min = 1, max = 64)`; how many entries a list has: `items(min = 1, max = 10)`"
)]
pub trait Ordered {
    /// What the bounds are written as.
    type Bound: Serialize;
}

/// A type whose values have a length in characters or bytes: it may have `length`.
#[diagnostic::on_unimplemented(
    message = "`length` does not suit `{Self}`",
    label = "its values have no characters and are no bytes",
    note = "it is for texts and `Bytes`, and for an `Option` or `Presence` of these",
    note = "how many entries a list, set or map has: `items(min = 1, max = 10)`; how large a number is: `min = 1, max = 10`"
)]
pub trait HasLength {}

/// A type whose values are texts: it may have a `pattern`.
#[diagnostic::on_unimplemented(
    message = "`pattern` does not suit `{Self}`",
    label = "its values are no texts",
    note = "it is for `String` and other texts, and for an `Option` or `Presence` of these"
)]
pub trait HasCharacters {}

/// A type whose values have entries: it may have `items`.
#[diagnostic::on_unimplemented(
    message = "`items` does not suit `{Self}`",
    label = "its values have no entries",
    note = "it is for lists, sets and maps, and for an `Option` or `Presence` of these",
    note = "how long a text is: `length(min = 1, max = 64)`"
)]
pub trait HasItems {}

/// A type that is read from a text, so that bounds and examples may be written as one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not written as a text here",
    note = "write a value of the type: `min = 5`, `example = Some(\"…\".to_owned())`"
)]
pub trait FromText: Sized {
    /// Reads it; the error is for people.
    fn from_text(text: &str) -> Result<Self, String>;
}

impl<T: FromStr<Err: Display>> FromText for T {
    fn from_text(text: &str) -> Result<T, String> {
        text.parse().map_err(|error: T::Err| error.to_string())
    }
}

macro_rules! themselves {
    ($($ty:ty)*) => {$(
        impl Ordered for $ty {
            type Bound = $ty;
        }
    )*};
}

themselves! {
    u8 u16 u32 u64 u128 usize
    i8 i16 i32 i64 i128 isize
    f32 f64
    std::time::Duration
    super::Timestamp super::Decimal super::Date super::Time
}

#[cfg(feature = "chrono")]
themselves!(chrono::NaiveDate chrono::NaiveTime);
#[cfg(feature = "rust_decimal")]
themselves!(rust_decimal::Decimal);

macro_rules! nonzero {
    ($($ty:ident)*) => {$(
        impl Ordered for std::num::NonZero<$ty> {
            type Bound = $ty;
        }
    )*};
}

nonzero!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);

macro_rules! has {
    ($has:ident: $($({$($generics:tt)*})? $ty:ty),* $(,)?) => {
        $(impl $(<$($generics)*>)? $has for $ty {})*
        impl<T: $has> $has for Option<T> {}
        impl<T: $has> $has for Presence<T> {}
    };
}

has!(HasLength: super::Bytes, String, Box<str>, Arc<str>, Cow<'static, str>, super::Decimal, super::Date, super::Time, super::Url, super::Email);
has!(HasCharacters: String, Box<str>, Arc<str>, Cow<'static, str>, super::Decimal, super::Date, super::Time, super::Url, super::Email);
has!(HasItems: {T} Vec<T>, {T} VecDeque<T>, {T} BTreeSet<T>, {T, S} HashSet<T, S>, {K, V} BTreeMap<K, V>, {K, V, S} HashMap<K, V, S>);

#[cfg(feature = "url")]
impl HasLength for url::Url {}
#[cfg(feature = "url")]
impl HasCharacters for url::Url {}

macro_rules! around {
    ($($around:ident)*) => {$(
        impl<T: Ordered> Ordered for $around<T> {
            type Bound = T::Bound;
        }
    )*};
}

around!(Option Presence Box Arc);

/// The least value.
pub fn minimum<T: Ordered>(
    schema: &mut SchemaBuilder,
    attributes: Attributes,
    least: T::Bound,
) -> Attributes {
    match schema.encoded(&least) {
        Some(least) => attributes.with_minimum(least),
        None => attributes,
    }
}

/// The greatest.
pub fn maximum<T: Ordered>(schema: &mut SchemaBuilder, attributes: Attributes, most: T::Bound) -> Attributes {
    match schema.encoded(&most) {
        Some(most) => attributes.with_maximum(most),
        None => attributes,
    }
}

/// The least value, as a text.
pub fn minimum_text<T>(schema: &mut SchemaBuilder, attributes: Attributes, least: &str) -> Attributes
where
    T: Ordered<Bound: FromText>,
{
    match read::<T::Bound>(schema, "min", least) {
        Some(least) => minimum::<T>(schema, attributes, least),
        None => attributes,
    }
}

/// The greatest, as a text.
pub fn maximum_text<T>(schema: &mut SchemaBuilder, attributes: Attributes, most: &str) -> Attributes
where
    T: Ordered<Bound: FromText>,
{
    match read::<T::Bound>(schema, "max", most) {
        Some(most) => maximum::<T>(schema, attributes, most),
        None => attributes,
    }
}

/// How many characters or bytes.
pub fn length<T: HasLength>(
    schema: &mut SchemaBuilder,
    attributes: Attributes,
    min: usize,
    max: Option<usize>,
) -> Attributes {
    attributes.with_length(span(schema, "length", min, max))
}

/// How many entries.
pub fn items<T: HasItems>(
    schema: &mut SchemaBuilder,
    attributes: Attributes,
    min: usize,
    max: Option<usize>,
) -> Attributes {
    attributes.with_items(span(schema, "items", min, max))
}

/// What is found in the text. Whether it is a pattern is seen when the schema is finished.
pub fn pattern<T: HasCharacters>(_: &mut SchemaBuilder, attributes: Attributes, pattern: &str) -> Attributes {
    attributes.with_pattern(pattern)
}

/// An example.
pub fn example<T: Message>(schema: &mut SchemaBuilder, attributes: Attributes, example: T) -> Attributes {
    match schema.encoded(&example) {
        Some(example) => attributes.with_example(example),
        None => attributes,
    }
}

/// An example, as a text.
pub fn example_text<T: Message + FromText>(
    schema: &mut SchemaBuilder,
    attributes: Attributes,
    text: &str,
) -> Attributes {
    match read(schema, "example", text) {
        Some(value) => example::<T>(schema, attributes, value),
        None => attributes,
    }
}

fn read<T: FromText>(schema: &mut SchemaBuilder, which: &'static str, text: &str) -> Option<T> {
    let read = T::from_text(text);
    let refused = |error| {
        let ty = type_name::<T>();
        schema.refuse(BadSchema::Attribute { which, problem: format!("{text:?} is no `{ty}`: {error}") });
    };
    read.map_err(refused).ok()
}

fn span(schema: &mut SchemaBuilder, which: &'static str, min: usize, max: Option<usize>) -> Span {
    if max.is_some_and(|max| max < min) {
        schema.refuse(BadSchema::Attribute {
            which,
            problem: format!("the most is less than the least, {min}"),
        });
    }
    Span { min: min as u64, max: max.map(|max| max as u64) }
}

/// The field with these attributes.
pub fn with_attributes(field: Field, attributes: Attributes) -> Field {
    Field { attributes, ..field }
}

/// The variant with these.
pub fn variant_with_attributes(variant: Variant, attributes: Attributes) -> Variant {
    Variant { attributes, ..variant }
}

impl SchemaBuilder {
    /// The attributes of a type that is written as its content is. One that contains itself has none; `describe` tells of it.
    #[doc(hidden)]
    pub fn attributes_within<T: 'static>(
        &mut self,
        content: impl FnOnce(&mut SchemaBuilder) -> Attributes,
    ) -> Attributes {
        self.guarded::<T, _>(content).unwrap_or_default()
    }

    /// Adds attributes to the definition that a type refers to.
    #[doc(hidden)]
    pub fn attribute(&mut self, ty: &Type, attributes: Attributes) {
        self.set_attributes(ty, attributes);
    }
}
