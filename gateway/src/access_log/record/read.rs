//! What a record says, as it is read.

use super::{DATE, HEADER, NUMBER, TEXT, TIME, UNKNOWN};
use crate::config::AccessField;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What is known of a request, read out of a record.
#[derive(Debug, PartialEq)]
pub(in crate::access_log) enum Item<'r> {
    Field(AccessField, Value<'r>),
    /// A header of the request, and its value.
    Header(&'r str, &'r str),
}

#[derive(Debug, PartialEq)]
pub(in crate::access_log) enum Value<'r> {
    Text(&'r str),
    Number(u64),
    Time(Duration),
    Date(SystemTime),
    Tries(Vec<Try<'r>>),
}

/// An attempt, as it is read.
#[derive(Debug, PartialEq)]
pub(in crate::access_log) struct Try<'r> {
    pub(in crate::access_log) endpoint: &'r str,
    pub(in crate::access_log) at: Duration,
    pub(in crate::access_log) took: Option<Duration>,
    pub(in crate::access_log) end: &'r str,
}

/// What a record says.
pub(in crate::access_log) fn items(record: &[u8]) -> impl Iterator<Item = Item<'_>> {
    let mut rest = Rest(record);
    std::iter::from_fn(move || rest.item())
}

/// What is left of a record.
struct Rest<'r>(&'r [u8]);

impl<'r> Rest<'r> {
    fn item(&mut self) -> Option<Item<'r>> {
        let [field, kind] = self.take::<2>()?;
        if kind == HEADER {
            return Some(Item::Header(self.text()?, self.text()?));
        }
        let value = match kind {
            TEXT => Value::Text(self.text()?),
            NUMBER => Value::Number(self.number()?),
            TIME => Value::Time(self.time()?),
            DATE => Value::Date(UNIX_EPOCH + self.time()?),
            _ => {
                let [count] = self.take::<1>()?;
                Value::Tries((0..count).map(|_| self.tried()).collect::<Option<_>>()?)
            }
        };
        Some(Item::Field(*AccessField::ALL.get(usize::from(field))?, value))
    }

    fn tried(&mut self) -> Option<Try<'r>> {
        let (endpoint, at, took, end) = (self.text()?, self.time()?, self.number()?, self.text()?);
        Some(Try { endpoint, at, took: (took != UNKNOWN).then(|| Duration::from_micros(took)), end })
    }

    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn time(&mut self) -> Option<Duration> {
        self.number().map(Duration::from_micros)
    }

    fn text(&mut self) -> Option<&'r str> {
        let length = self.take().map(u16::from_le_bytes)?;
        let (text, rest) = self.0.split_at_checked(length.into())?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}
