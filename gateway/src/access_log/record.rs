//! What a worker writes down of a request: values as they are, one behind the other. Nothing is formatted here. Lines are made of records by
//! the threads that write them, since a number or a time costs more to print than to keep.
//!
//! Records never leave the process, and only this file and [`read`] know their form: a field's number, a kind, and what the kind says. Numbers
//! have eight bytes, texts their length in two bytes before them.

mod read;

pub(super) use read::{Item, Try, Value, items};

use crate::config::{AccessField, AccessFields};
use std::fmt::{self, Arguments, Write};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A text that is longer is cut: what clients send must not make lines long.
pub(super) const LONGEST: usize = 512;

/// The most attempts that are told one by one.
const MOST_TRIES: usize = 16;

/// A time that is not known.
const UNKNOWN: u64 = u64::MAX;

/// A record, as it grows.
#[derive(Debug)]
pub struct Record {
    out: Vec<u8>,
    fields: AccessFields,
}

/// An attempt.
pub struct TriedAt<'t> {
    /// Where it went.
    pub endpoint: &'t str,
    /// How long after the request's head.
    pub at: Duration,
    /// How long it took, if that is known.
    pub took: Option<Duration>,
    /// What came of it.
    pub end: &'static str,
}

/// What an item is; before it stands the field's number, or 0 for a header.
const TEXT: u8 = 0;
const NUMBER: u8 = 1;
const TIME: u8 = 2;
const DATE: u8 = 3;
const TRIES: u8 = 4;
const HEADER: u8 = 5;

impl Record {
    /// An empty one, of these fields.
    pub fn new(fields: AccessFields) -> Record {
        Record { out: Vec::with_capacity(512), fields }
    }

    /// Whether it has that field, if there is something to say.
    #[inline]
    pub fn has(&self, field: AccessField) -> bool {
        self.fields.has(field)
    }

    /// A text.
    pub fn text(&mut self, field: AccessField, text: &str) {
        self.whole(field, cut(text, LONGEST).as_bytes());
    }

    /// A text that is known to be ASCII.
    pub fn ascii(&mut self, field: AccessField, text: &[u8]) {
        self.whole(field, text.get(..LONGEST).unwrap_or(text));
    }

    /// A text that is not longer than may be.
    #[inline]
    fn whole(&mut self, field: AccessField, text: &[u8]) {
        if self.has(field) {
            let [low, high] = (text.len() as u16).to_le_bytes();
            self.out.extend_from_slice(&[field as u8, TEXT, low, high]);
            self.out.extend_from_slice(text);
        }
    }

    /// A text of several parts.
    pub fn joined(&mut self, field: AccessField, parts: [&str; 3]) {
        if self.begin(field, TEXT) {
            self.put_grown(|tail| parts.iter().for_each(|part| tail.put(part)));
        }
    }

    /// The same, if there is one.
    pub fn maybe(&mut self, field: AccessField, text: Option<&str>) {
        if let Some(text) = text {
            self.text(field, text);
        }
    }

    /// What is shown so.
    pub fn shown(&mut self, field: AccessField, shown: Arguments<'_>) {
        if self.begin(field, TEXT) {
            self.put_shown(shown);
        }
    }

    /// A number.
    pub fn number(&mut self, field: AccessField, number: u64) {
        self.item(field, NUMBER, number);
    }

    /// A time, which is told in milliseconds with three decimals.
    pub fn millis(&mut self, field: AccessField, time: Duration) {
        self.item(field, TIME, micros(time));
    }

    /// A point in time.
    pub fn time(&mut self, field: AccessField, time: SystemTime) {
        self.item(field, DATE, micros(time.duration_since(UNIX_EPOCH).unwrap_or_default()));
    }

    /// A header of the request.
    pub fn header(&mut self, name: &str, value: &[u8]) {
        self.out.extend_from_slice(&[0, HEADER]);
        self.put_text(name);
        self.put_text(&String::from_utf8_lossy(value));
    }

    /// The attempts, of which there are few.
    pub fn tries<'t>(&mut self, tries: impl Iterator<Item = TriedAt<'t>>) {
        let mut tries = tries.take(MOST_TRIES).peekable();
        if tries.peek().is_none() || !self.begin(AccessField::Tries, TRIES) {
            return;
        }
        let count = self.out.len();
        self.out.push(0);
        for TriedAt { endpoint, at, took, end } in tries {
            self.out[count] += 1;
            self.put_text(endpoint);
            self.put_time(at);
            self.put_number(took.map_or(UNKNOWN, micros));
            self.put_text(end);
        }
    }

    /// Its bytes.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.out
    }

    /// A field whose value is a number.
    #[inline]
    fn item(&mut self, field: AccessField, kind: u8, number: u64) {
        if self.has(field) {
            let mut item = [field as u8, kind, 0, 0, 0, 0, 0, 0, 0, 0];
            item[2..].copy_from_slice(&number.to_le_bytes());
            self.out.extend_from_slice(&item);
        }
    }

    fn begin(&mut self, field: AccessField, kind: u8) -> bool {
        let has = self.has(field);
        if has {
            self.out.extend_from_slice(&[field as u8, kind]);
        }
        has
    }

    fn put_number(&mut self, number: u64) {
        self.out.extend_from_slice(&number.to_le_bytes());
    }

    fn put_time(&mut self, time: Duration) {
        self.put_number(micros(time));
    }

    fn put_text(&mut self, text: &str) {
        let text = cut(text, LONGEST);
        self.out.extend_from_slice(&(text.len() as u16).to_le_bytes());
        self.out.extend_from_slice(text.as_bytes());
    }

    fn put_shown(&mut self, shown: Arguments<'_>) {
        // What does not fit is cut, and that is no failure.
        self.put_grown(|tail| {
            let _ = tail.write_fmt(shown);
        });
    }

    /// A text that `grow` puts together.
    fn put_grown(&mut self, grow: impl FnOnce(&mut Tail<'_>)) {
        let length = self.out.len();
        self.out.extend_from_slice(&[0; 2]);
        grow(&mut Tail { out: &mut self.out, left: LONGEST });
        let written = (self.out.len() - length - 2) as u16;
        self.out[length..length + 2].copy_from_slice(&written.to_le_bytes());
    }
}

/// The end of a record, where a text grows up to the longest.
struct Tail<'o> {
    out: &'o mut Vec<u8>,
    left: usize,
}

impl Tail<'_> {
    fn put(&mut self, text: &str) {
        let text = cut(text, self.left);
        self.left -= text.len();
        self.out.extend_from_slice(text.as_bytes());
    }
}

impl Write for Tail<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text);
        Ok(())
    }
}

fn micros(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000_000).saturating_add(time.subsec_micros().into())
}

/// The beginning of a text, cut between two characters.
fn cut(text: &str, most: usize) -> &str {
    if text.len() <= most {
        return text;
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_down_is_read() {
        let mut record = Record::new(AccessFields::default());
        record.text(AccessField::Route, "/v1/é");
        record.text(AccessField::Query, "nobody has asked for it");
        record.maybe(AccessField::Reason, None);
        record.shown(AccessField::Call, format_args!("{}.{}", "a", 1));
        record.number(AccessField::Status, 503);
        record.millis(AccessField::DurationMs, Duration::from_nanos(1_234_567));
        record.time(AccessField::Time, UNIX_EPOCH + Duration::from_millis(7));
        record.header("user-agent", b"x\xff");
        let tried = |took, end| TriedAt { endpoint: "h:1", at: Duration::from_millis(2), took, end };
        let took = Some(Duration::from_micros(7));
        record.tries([tried(took, "lost"), tried(None, "given_up")].into_iter());
        let read: Vec<_> = items(record.bytes()).collect();
        let tried = |took, end| Try { endpoint: "h:1", at: Duration::from_millis(2), took, end };
        let tries = vec![tried(took, "lost"), tried(None, "given_up")];
        assert_eq!(
            read,
            [
                Item::Field(AccessField::Route, Value::Text("/v1/é")),
                Item::Field(AccessField::Call, Value::Text("a.1")),
                Item::Field(AccessField::Status, Value::Number(503)),
                Item::Field(AccessField::DurationMs, Value::Time(Duration::from_micros(1_234))),
                Item::Field(AccessField::Time, Value::Date(UNIX_EPOCH + Duration::from_millis(7))),
                Item::Header("user-agent", "x\u{fffd}"),
                Item::Field(AccessField::Tries, Value::Tries(tries)),
            ]
        );
    }

    #[test]
    fn what_clients_send_does_not_make_records_long() {
        let (mut record, long) = (Record::new(AccessFields::default()), "\u{20ac}".repeat(1000));
        record.text(AccessField::Identity, &long);
        record.shown(AccessField::Client, format_args!("{}{long}", "x"));
        let read: Vec<_> = items(record.bytes()).collect();
        for item in &read {
            let Item::Field(_, Value::Text(text)) = item else { panic!("{item:?}") };
            assert!(text.len() > LONGEST - 4 && text.len() <= LONGEST, "{}", text.len());
        }
        assert_eq!(read.len(), 2);
    }

    #[test]
    fn a_record_that_was_cut_ends_there() {
        let mut record = Record::new(AccessFields::default());
        record.tries([TriedAt { endpoint: "h:1", at: Duration::ZERO, took: None, end: "lost" }].into_iter());
        for end in 0..record.bytes().len() {
            assert_eq!(items(&record.bytes()[..end]).count(), 0, "{end}");
        }
    }
}
