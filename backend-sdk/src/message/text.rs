//! Texts that mean more than their characters: decimals, dates, times of day, URLs, e-mail addresses. On the wire and in JSON
//! each is its text; a value of such a type is always of its form, by the gateway's own rules.
//!
//! They are for programs that only pass such values on, or that have no crate for them. With the features `chrono`, `time`,
//! `rust_decimal` and `url` the types of these crates go over the wire in the same form.

use super::{MapKey, Message, SchemaBuilder};
use callgate_protocol::schema::{Logical, Type};
use callgate_transcode::TextForm;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::str::FromStr;

/// A text is not of the form that its type has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidText {
    form: TextForm,
    problem: &'static str,
}

impl fmt::Display for InvalidText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not {}: {}", self.form.name(), self.problem)
    }
}

impl std::error::Error for InvalidText {}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = $form:ident, $logical:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text, if it is of the form.
            ///
            /// # Errors
            /// It is not; the error says why.
            pub fn new(text: impl Into<String>) -> Result<$name, InvalidText> {
                let (text, form) = (text.into(), TextForm::$form);
                match form.check(&text) {
                    Ok(()) => Ok($name(text)),
                    Err(problem) => Err(InvalidText { form, problem }),
                }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl Message for $name {
            fn describe(_: &mut SchemaBuilder) -> Type {
                Type::Logical(Logical::$logical, Box::new(Type::String))
            }
        }

        impl MapKey for $name {}

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidText;

            fn from_str(text: &str) -> Result<$name, InvalidText> {
                $name::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidText;

            fn try_from(text: String) -> Result<$name, InvalidText> {
                $name::new(text)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$name, D::Error> {
                $name::new(String::deserialize(deserializer)?).map_err(D::Error::custom)
            }
        }
    )*};
}

texts! {
    /// A decimal number, exact to its last digit: `12.50`. At most 64 digits; zeros at its end are kept. Two are equal when their
    /// texts are: `1.5` is not `1.50`.
    ///
    /// ```
    /// let price: callgate_sdk::Decimal = "12.50".parse()?;
    /// assert_eq!(price.as_str(), "12.50");
    /// assert!("12,50".parse::<callgate_sdk::Decimal>().is_err());
    /// # Ok::<(), callgate_sdk::message::InvalidText>(())
    /// ```
    ///
    /// To reckon with it take a crate for that: with the feature `rust_decimal` its `Decimal` is a message.
    Decimal = Decimal, DECIMAL;
    /// A date: `2026-01-31`, of the years 0000 to 9999.
    ///
    /// ```
    /// let day: callgate_sdk::Date = "2026-02-28".parse()?;
    /// assert!("2026-02-29".parse::<callgate_sdk::Date>().is_err(), "there is no such day");
    /// # Ok::<(), callgate_sdk::message::InvalidText>(())
    /// ```
    ///
    /// With the feature `chrono` its `NaiveDate` is a message, and with `time` its `Date` by [`wire`](mod@crate::wire).
    Date = Date, DATE;
    /// A time of day without a zone: `08:30`, `08:30:15` or `08:30:15.25`. Two are equal when their texts are.
    ///
    /// ```
    /// let opens: callgate_sdk::Time = "08:30".parse()?;
    /// # Ok::<(), callgate_sdk::message::InvalidText>(())
    /// ```
    Time = Time, TIME;
    /// A URL: a scheme, a colon, and printable ASCII behind it.
    ///
    /// ```
    /// let page: callgate_sdk::Url = "https://example.com/a?b=c".parse()?;
    /// # Ok::<(), callgate_sdk::message::InvalidText>(())
    /// ```
    Url = Url, URL;
    /// An e-mail address, as the HTML Standard accepts it in a form.
    ///
    /// ```
    /// let to: callgate_sdk::Email = "ada@example.com".parse()?;
    /// # Ok::<(), callgate_sdk::message::InvalidText>(())
    /// ```
    Email = Email, EMAIL;
}

/// By the calendar.
impl Ord for Date {
    fn cmp(&self, other: &Date) -> std::cmp::Ordering {
        // Of one length, the greatest part first.
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Date {
    fn partial_cmp(&self, other: &Date) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
