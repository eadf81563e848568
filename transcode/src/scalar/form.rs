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
pub(crate) enum Form {
    Decimal,
    Date,
    Time,
    Url,
    Email,
}

impl Form {
    /// The form of a logical type over a string, if it is one that is known.
    pub(crate) fn of(logical: Logical) -> Option<Form> {
        match logical {
            Logical::DECIMAL => Some(Form::Decimal),
            Logical::DATE => Some(Form::Date),
            Logical::TIME => Some(Form::Time),
            Logical::URL => Some(Form::Url),
            Logical::EMAIL => Some(Form::Email),
            _ => None,
        }
    }

    /// What it looks like, for messages: "expected …".
    pub(super) fn expected(self) -> &'static str {
        match self {
            Form::Decimal => "a decimal number or a string of it, such as \"12.50\"",
            Form::Date => "a date, such as \"2026-01-31\"",
            Form::Time => "a time of day, such as \"08:30:00\"",
            Form::Url => "a URL, such as \"https://example.com/a\"",
            Form::Email => "an e-mail address, such as \"ada@example.com\"",
        }
    }

    /// What it is, in short.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Form::Decimal => "a decimal number",
            Form::Date => "a date",
            Form::Time => "a time of day",
            Form::Url => "a URL",
            Form::Email => "an e-mail address",
        }
    }

    /// Whether the text is of the form; if not, what is wrong with it. One look at each byte.
    pub(crate) fn check(self, text: &str) -> Result<(), &'static str> {
        match self {
            Form::Decimal => decimal::parse(text).map(drop),
            Form::Date => calendar::parse_date(text).map(drop),
            Form::Time => calendar::parse_time(text).map(drop),
            Form::Url => address::check_url(text),
            Form::Email => address::check_email(text),
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
            Form::Decimal => Some(decimal::parse(a).ok()?.compare(decimal::parse(b).ok()?)),
            Form::Date => Some(calendar::parse_date(a).ok()?.cmp(&calendar::parse_date(b).ok()?)),
            Form::Time => Some(calendar::parse_time(a).ok()?.cmp(&calendar::parse_time(b).ok()?)),
            Form::Url | Form::Email => None,
        }
    }
}
