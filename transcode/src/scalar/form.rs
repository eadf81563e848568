//! Logical types whose value is a string of a grammar: on the wire and in JSON it is the same text. The forms are chosen so that
//! what common libraries write is accepted.

mod address;
mod calendar;
pub(crate) mod decimal;

use crate::layout::shown;
use crate::violation::Refusal;
use callgate_protocol::schema::Logical;
use std::cmp::Ordering;

/// Which grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextForm {
    /// A decimal number.
    Decimal,
    /// A date.
    Date,
    /// A time of day.
    Time,
    /// A URL.
    Url,
    /// An e-mail address.
    Email,
}

impl TextForm {
    /// The form of a logical type over a string, if it is one that is known.
    pub(crate) fn of(logical: Logical) -> Option<TextForm> {
        match logical {
            Logical::DECIMAL => Some(TextForm::Decimal),
            Logical::DATE => Some(TextForm::Date),
            Logical::TIME => Some(TextForm::Time),
            Logical::URL => Some(TextForm::Url),
            Logical::EMAIL => Some(TextForm::Email),
            _ => None,
        }
    }

    /// What it looks like, for messages: "expected …".
    pub(super) fn expected(self) -> &'static str {
        match self {
            TextForm::Decimal => "a decimal number or a string of it, such as \"12.50\"",
            TextForm::Date => "a date, such as \"2026-01-31\"",
            TextForm::Time => "a time of day, such as \"08:30:00\"",
            TextForm::Url => "a URL, such as \"https://example.com/a\"",
            TextForm::Email => "an e-mail address, such as \"ada@example.com\"",
        }
    }

    /// What it is, in short: `a decimal number`.
    pub fn name(self) -> &'static str {
        match self {
            TextForm::Decimal => "a decimal number",
            TextForm::Date => "a date",
            TextForm::Time => "a time of day",
            TextForm::Url => "a URL",
            TextForm::Email => "an e-mail address",
        }
    }

    /// Whether the text is of the form; one look at each byte.
    ///
    /// # Errors
    /// It is not: what is wrong with it.
    pub fn check(self, text: &str) -> Result<(), &'static str> {
        match self {
            TextForm::Decimal => decimal::parse(text).map(drop),
            TextForm::Date => calendar::parse_date(text).map(drop),
            TextForm::Time => calendar::parse_time(text).map(drop),
            TextForm::Url => address::check_url(text),
            TextForm::Email => address::check_email(text),
        }
    }

    /// The same, in words for whoever sent it.
    pub(super) fn accept(self, text: &str) -> Result<(), Refusal> {
        self.check(text).map_err(|problem| {
            Refusal::value(format!("not {}: {problem}, got \"{}\"", self.name(), shown(text)))
        })
    }

    /// The order of two texts by what they stand for. `None` where one is not of the form, or the form has no order.
    pub(super) fn compare(self, a: &str, b: &str) -> Option<Ordering> {
        match self {
            TextForm::Decimal => Some(decimal::parse(a).ok()?.compare(decimal::parse(b).ok()?)),
            TextForm::Date => Some(calendar::parse_date(a).ok()?.cmp(&calendar::parse_date(b).ok()?)),
            TextForm::Time => Some(calendar::parse_time(a).ok()?.cmp(&calendar::parse_time(b).ok()?)),
            TextForm::Url | TextForm::Email => None,
        }
    }
}
