//! One line of the access log, as it grows. What it has is written where it is known, once; nothing is gathered first.

use crate::config::{AccessField, AccessFields, AccessLogFormat, AccessLogSettings};
use chrono::{DateTime, SecondsFormat, Utc};
use std::fmt::{Arguments, Write as _};
use std::io::Write as _;
use std::time::{Duration, SystemTime};

/// A text that is longer is cut: what clients send must not make lines long.
const LONGEST: usize = 512;

/// The most attempts that are told one by one.
const MOST_TRIES: usize = 16;

/// A line, without its end.
#[derive(Debug)]
pub struct Line {
    out: Vec<u8>,
    format: AccessLogFormat,
    fields: AccessFields,
}

/// An attempt.
pub struct TriedAt<'t> {
    /// Where it went.
    pub endpoint: &'t dyn std::fmt::Display,
    /// How long after the request's head.
    pub at: Duration,
    /// How long it took, and what came of it; nothing if it was given up.
    pub ended: Option<(Duration, &'static str)>,
}

impl Line {
    /// An empty one.
    pub fn new(settings: &AccessLogSettings) -> Line {
        Line { out: Vec::with_capacity(512), format: settings.format, fields: settings.fields }
    }

    /// Whether it has that field, if there is something to say.
    #[inline]
    pub fn has(&self, field: AccessField) -> bool {
        self.fields.has(field)
    }

    /// A text.
    pub fn text(&mut self, field: AccessField, text: &str) {
        if self.has(field) {
            self.named(field.name(), text);
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
        if self.has(field) {
            let mut text = String::new();
            // A text takes all.
            let _ = text.write_fmt(shown);
            self.named(field.name(), &text);
        }
    }

    /// A number.
    pub fn number(&mut self, field: AccessField, number: u64) {
        if self.has(field) {
            self.key(field.name());
            let _ = write!(self.out, "{number}");
        }
    }

    /// A time, in milliseconds with three decimals.
    pub fn millis(&mut self, field: AccessField, time: Duration) {
        if self.has(field) {
            self.key(field.name());
            put_millis(&mut self.out, time);
        }
    }

    /// A point in time, in UTC (RFC 3339), to the millisecond.
    pub fn time(&mut self, field: AccessField, time: SystemTime) {
        if self.has(field) {
            let text = DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Millis, true);
            self.named(field.name(), &text);
        }
    }

    /// A header of the request.
    pub fn header(&mut self, name: &str, value: &[u8]) {
        self.named(&format!("header.{name}"), &String::from_utf8_lossy(value));
    }

    /// The attempts, of which there are few.
    pub fn tries<'t>(&mut self, tries: impl Iterator<Item = TriedAt<'t>>) {
        let field = AccessField::Tries;
        if !self.has(field) {
            return;
        }
        let mut tries = tries.take(MOST_TRIES).peekable();
        if tries.peek().is_none() {
            return;
        }
        let mut text = String::new();
        for (n, TriedAt { endpoint, at, ended }) in tries.enumerate() {
            let (at, took, end) =
                (millis(at), ended.map(|(took, _)| millis(took)), ended.map(|(_, end)| end));
            let _ = match self.format {
                AccessLogFormat::Json => {
                    let comma = if n == 0 { "" } else { "," };
                    let endpoint = serde_json::to_string(&endpoint.to_string()).unwrap_or_default();
                    let took = took.map(|took| format!(",\"ms\":{took}")).unwrap_or_default();
                    let end = end.unwrap_or("given_up");
                    write!(text, "{comma}{{\"endpoint\":{endpoint},\"at_ms\":{at}{took},\"end\":\"{end}\"}}")
                }
                AccessLogFormat::Logfmt => {
                    let comma = if n == 0 { "" } else { "," };
                    let took = took.map(|took| format!("/{took}ms")).unwrap_or_default();
                    write!(text, "{comma}{endpoint}{took}/{}", end.unwrap_or("given_up"))
                }
            };
        }
        match self.format {
            AccessLogFormat::Json => {
                self.key(field.name());
                let _ = write!(self.out, "[{text}]");
            }
            AccessLogFormat::Logfmt => self.named(field.name(), &text),
        }
    }

    fn named(&mut self, name: &str, text: &str) {
        let text = cut(text);
        self.key(name);
        match self.format {
            AccessLogFormat::Logfmt if is_plain(text) => self.out.extend_from_slice(text.as_bytes()),
            // A buffer takes all, and a text can always be written. A text of JSON has no line end.
            _ => drop(serde_json::to_writer(&mut self.out, text)),
        }
    }

    fn key(&mut self, name: &str) {
        match self.format {
            AccessLogFormat::Json => {
                let before = if self.out.is_empty() { '{' } else { ',' };
                let _ = write!(self.out, "{before}\"{name}\":");
            }
            AccessLogFormat::Logfmt => {
                let before = if self.out.is_empty() { "" } else { " " };
                let _ = write!(self.out, "{before}{name}=");
            }
        }
    }

    /// All of it, with its end.
    pub(super) fn end(mut self) -> Vec<u8> {
        let end: &[u8] = match self.format {
            AccessLogFormat::Json if self.out.is_empty() => b"{}\n",
            AccessLogFormat::Json => b"}\n",
            AccessLogFormat::Logfmt => b"\n",
        };
        self.out.extend_from_slice(end);
        self.out
    }
}

/// The beginning of a text, cut between two characters.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Whether a value of logfmt needs no quotes.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte > b' ' && byte != 0x7f && byte != b'"' && byte != b'=' && byte != b'\\')
}

fn put_millis(out: &mut Vec<u8>, time: Duration) {
    let micros = time.as_micros();
    let _ = write!(out, "{}.{:03}", micros / 1000, micros % 1000);
}

fn millis(time: Duration) -> String {
    let micros = time.as_micros();
    format!("{}.{:03}", micros / 1000, micros % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    fn line(format: AccessLogFormat) -> Line {
        Line::new(&AccessLogSettings { format, ..AccessLogSettings::default() })
    }

    fn filled(mut line: Line) -> String {
        line.time(AccessField::Time, UNIX_EPOCH + Duration::from_millis(1_709_164_799_007));
        line.text(AccessField::Route, "/v1/\"a b\"\n");
        line.text(AccessField::Path, "not asked for");
        line.maybe(AccessField::Reason, None);
        line.number(AccessField::Status, 503);
        line.millis(AccessField::DurationMs, Duration::from_micros(1_234_005));
        let ended = [Some((Duration::from_micros(7), "lost")), None];
        line.tries(ended.into_iter().map(|ended| TriedAt {
            endpoint: &"h:1",
            at: Duration::from_millis(2),
            ended,
        }));
        line.header("user-agent", b"x\xff");
        String::from_utf8(line.end()).expect("text")
    }

    #[test]
    fn a_line_is_one_object_of_json_whatever_is_in_it() {
        let text = filled(line(AccessLogFormat::Json));
        assert_eq!((text.matches('\n').count(), text.ends_with("}\n")), (1, true));
        let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let expected = serde_json::json!({
            "time": "2024-02-28T23:59:59.007Z", "route": "/v1/\"a b\"\n", "status": 503, "duration_ms": 1234.005,
            "tries": [{ "endpoint": "h:1", "at_ms": 2.0, "ms": 0.007, "end": "lost" }, { "endpoint": "h:1", "at_ms": 2.0, "end": "given_up" }],
            "header.user-agent": "x\u{fffd}",
        });
        assert_eq!(read, expected);
        assert_eq!(line(AccessLogFormat::Json).end(), b"{}\n");
    }

    #[test]
    fn a_line_is_pairs_of_logfmt() {
        let text = filled(line(AccessLogFormat::Logfmt));
        let expected = "time=2024-02-28T23:59:59.007Z route=\"/v1/\\\"a b\\\"\\n\" status=503 duration_ms=1234.005 \
                        tries=h:1/0.007ms/lost,h:1/given_up header.user-agent=x\u{fffd}\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_clients_send_does_not_make_lines_long() {
        let mut line = line(AccessLogFormat::Json);
        line.text(AccessField::Client, &"\u{20ac}".repeat(1000));
        assert!(line.end().len() < 2 * LONGEST);
    }
}
