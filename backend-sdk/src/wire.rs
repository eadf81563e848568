//! Types that go over the wire as another type: those whose own `Serialize` writes something else than the protocol has for them.
//!
//! A field of such a type has `#[serde(with = "callgate_sdk::wire")]`. `Option` and `Vec` of it need no more:
//!
//! ```
//! use callgate_sdk::Message;
//! use serde::{Deserialize, Serialize};
//! use std::net::SocketAddr;
//! use std::time::SystemTime;
//!
//! #[derive(Serialize, Deserialize, Message)]
//! struct Visit {
//!     #[serde(with = "callgate_sdk::wire")]
//!     at: SystemTime,
//!     #[serde(with = "callgate_sdk::wire")]
//!     from: Option<SocketAddr>,
//! }
//! ```
//!
//! An argument or a result of a method takes the other type itself, and converts: `Timestamp::from(SystemTime::now())`.

mod std_types;
#[cfg(feature = "chrono")]
mod with_chrono;
#[cfg(feature = "time")]
mod with_time;

use crate::{Message, Presence};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why a value cannot be converted; `?` makes one of any error, and `into()` of a text.
pub type WireError = Box<dyn std::error::Error + Send + Sync>;

/// A type that goes over the wire as another one. A field of it has `#[serde(with = "callgate_sdk::wire")]`.
///
/// The SDK has it for `SystemTime` (as a [`Timestamp`](crate::Timestamp)) and `SocketAddr` (as a `String`); with the feature
/// `chrono` for `DateTime<Utc>`; with the feature `time` for its `OffsetDateTime`, `Date` and `Time`. It can be implemented for
/// types of your own:
///
/// ```
/// use callgate_sdk::Wire;
/// use callgate_sdk::wire::WireError;
///
/// /// In JSON and on the wire it is a text: `#ff8000`.
/// #[derive(Debug, PartialEq)]
/// struct Colour(u32);
///
/// impl Wire for Colour {
///     type As = String;
///
///     fn to_wire(&self) -> Result<String, WireError> {
///         Ok(format!("#{:06x}", self.0))
///     }
///
///     fn from_wire(text: String) -> Result<Colour, WireError> {
///         let digits = text.strip_prefix('#').ok_or("a colour begins with `#`")?;
///         Ok(Colour(u32::from_str_radix(digits, 16)?))
///     }
/// }
///
/// assert_eq!(Colour::from_wire("#ff8000".to_owned())?, Colour(0xff8000));
/// # Ok::<(), WireError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "it is not known as what `{Self}` goes over the wire",
    note = "known are SystemTime and SocketAddr; with the SDK's feature `chrono` DateTime<Utc>; with its feature `time` OffsetDateTime, \
            Date and Time; Option and Vec of these",
    note = "for a type of your own implement `callgate_sdk::Wire`"
)]
pub trait Wire: Sized {
    /// The type on the wire, and in the schema.
    type As: Message;

    /// What is written.
    ///
    /// # Errors
    /// The other type has no such value. The message is then not sent.
    fn to_wire(&self) -> Result<Self::As, WireError>;

    /// What was written.
    ///
    /// # Errors
    /// It is no value of this type. For a method's arguments that is `invalid_argument`, and the caller is shown the error.
    fn from_wire(wire: Self::As) -> Result<Self, WireError>;
}

/// What goes over the wire for a `T`. By this name the derive finds it, whatever the path to this module is.
pub type As<T> = <T as Wire>::As;

/// Writes a field; `#[serde(with = "callgate_sdk::wire")]` calls it.
///
/// # Errors
/// As of [`Wire::to_wire`].
pub fn serialize<T: Wire, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
    value.to_wire().map_err(S::Error::custom)?.serialize(serializer)
}

/// Reads a field; `#[serde(with = "callgate_sdk::wire")]` calls it.
///
/// # Errors
/// As of [`Wire::from_wire`].
pub fn deserialize<'de, T: Wire, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    T::from_wire(T::As::deserialize(deserializer)?).map_err(D::Error::custom)
}

impl<T: Wire> Wire for Option<T> {
    type As = Option<T::As>;

    fn to_wire(&self) -> Result<Self::As, WireError> {
        self.as_ref().map(T::to_wire).transpose()
    }

    fn from_wire(wire: Self::As) -> Result<Self, WireError> {
        wire.map(T::from_wire).transpose()
    }
}

impl<T: Wire> Wire for Vec<T> {
    type As = Vec<T::As>;

    fn to_wire(&self) -> Result<Self::As, WireError> {
        self.iter().map(T::to_wire).collect()
    }

    fn from_wire(wire: Self::As) -> Result<Self, WireError> {
        wire.into_iter().map(T::from_wire).collect()
    }
}

impl<T: Wire> Wire for Presence<T> {
    type As = Presence<T::As>;

    fn to_wire(&self) -> Result<Self::As, WireError> {
        Ok(match self {
            Presence::Absent => Presence::Absent,
            Presence::Null => Presence::Null,
            Presence::Value(value) => Presence::Value(value.to_wire()?),
        })
    }

    fn from_wire(wire: Self::As) -> Result<Self, WireError> {
        Ok(match wire {
            Presence::Absent => Presence::Absent,
            Presence::Null => Presence::Null,
            Presence::Value(value) => Presence::Value(T::from_wire(value)?),
        })
    }
}
