//! A field that tells apart three things that `Option` takes for two: not told, told to be nothing, and told.

use super::{Message, SchemaBuilder};
use callgate_protocol::schema::{Attributes, Type};
use serde::{Deserialize, Serialize};

/// What a caller says of a field: nothing, that it is to be nothing, or its value. A PATCH needs it: a member that is missing
/// leaves the field as it is, and one that is `null` clears it.
///
/// It is the type of a field only, not of an argument's part or of a list's items, and there is no `Option` directly in it.
/// The field needs no `#[serde(default)]`: JSON without the member is [`Absent`](Presence::Absent).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Presence<T> {
    /// The member is not there.
    #[default]
    Absent,
    /// The member is `null`.
    Null,
    /// The member has a value.
    Value(T),
}

impl<T: Message> Message for Presence<T> {
    fn describe(schema: &mut SchemaBuilder) -> Type {
        Type::Presence(Box::new(T::describe(schema)))
    }

    fn attributes(schema: &mut SchemaBuilder) -> Attributes {
        T::attributes(schema)
    }
}
