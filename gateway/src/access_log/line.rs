//! One line of the access log, as it grows. What it has is written where it is known, once; nothing is gathered first.

use super::Goes;
use crate::config::{AccessField, AccessFields, AccessLogFormat, AccessLogSettings};
use chrono::{DateTime, SecondsFormat, Utc};
use std::fmt::{Arguments, Write as _};
use std::io::Write as _;
use std::time::{Duration, SystemTime};

/// A text that is longer is cut: what clients send must not make lines long.
const LONGEST: usize = 512;

/// The most attempts that are told one by one.
const MOST_TRIES: usize = 16;

/// A line, without its end: as the log has it, and as it is kept with the last failures.
#[derive(Debug)]
pub struct Line {
    logged: Option<Text>,
    kept: Option<Text>,
}

/// The same as one text.
#[derive(Debug)]
struct Text {
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
    /// An empty one, which goes there.
    pub fn new(settings: &AccessLogSettings, goes: Goes) -> Line {
        let text = |format, fields| Text { out: Vec::with_capacity(512), format, fields };
        Line {
            logged: goes.logged.then(|| text(settings.format, settings.fields)),
            kept: goes.kept.then(|| text(AccessLogFormat::Json, AccessFields::all_but(AccessField::Query))),
        }
    }

    /// Whether it has that field, if there is something to say.
    #[inline]
    pub fn has(&self, field: AccessField) -> bool {
        self.logged.iter().chain(&self.kept).any(|text| text.fields.has(field))
    }

    /// Those of its texts that have that field.
    fn with(&mut self, field: AccessField) -> impl Iterator<Item = &mut Text> {
        self.logged.iter_mut().chain(&mut self.kept).filter(move |text| text.fields.has(field))
    }

    /// A text.
    pub fn text(&mut self, field: AccessField, text: &str) {
        self.with(field).for_each(|line| line.named(field.name(), text));
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
            self.text(field, &text);
        }
    }

    /// A number.
    pub fn number(&mut self, field: AccessField, number: u64) {
        self.with(field).for_each(|line| line.number(field.name(), number));
    }

    /// A time, in milliseconds with three decimals.
    pub fn millis(&mut self, field: AccessField, time: Duration) {
        self.with(field).for_each(|line| line.millis(field.name(), time));
    }

    /// A point in time, in UTC (RFC 3339), to the millisecond.
    pub fn time(&mut self, field: AccessField, time: SystemTime) {
        if self.has(field) {
            let text = DateTime::<Utc>::from(time).to_rfc3339_opts(SecondsFormat::Millis, true);
            self.text(field, &text);
        }
    }

    /// A header of the request. Whoever asks for the last failures has not asked for it.
    pub fn header(&mut self, name: &str, value: &[u8]) {
        if let Some(line) = &mut self.logged {
            line.named(&format!("header.{name}"), &String::from_utf8_lossy(value));
        }
    }

    /// The attempts, of which there are few.
    pub fn tries<'t>(&mut self, tries: impl Iterator<Item = TriedAt<'t>>) {
        let tries: Vec<TriedAt<'_>> = tries.take(MOST_TRIES).collect();
        if !tries.is_empty() {
            self.with(AccessField::Tries).for_each(|line| line.tries(AccessField::Tries.name(), &tries));
        }
    }

    /// All of it, with its end: as it is logged, and as it is kept.
    pub(super) fn end(self) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        (self.logged.map(Text::end), self.kept.map(Text::end))
    }
}

impl Text {
    fn number(&mut self, name: &str, number: u64) {
        self.key(name);
        // A buffer takes all.
        let _ = write!(self.out, "{number}");
    }

    fn millis(&mut self, name: &str, time: Duration) {
        self.key(name);
        put_millis(&mut self.out, time);
    }

    fn tries(&mut self, name: &str, tries: &[TriedAt<'_>]) {
        let mut text = String::new();
        for (n, TriedAt { endpoint, at, ended }) in tries.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            let (took, end) = (ended.map(|(took, _)| millis(took)), ended.map(|(_, end)| end));
            let _ = match self.format {
                AccessLogFormat::Json => {
                    let endpoint = serde_json::to_string(&endpoint.to_string()).unwrap_or_default();
                    let at = millis(*at);
                    let took = took.map(|took| format!(",\"ms\":{took}")).unwrap_or_default();
                    let end = end.unwrap_or("given_up");
                    write!(text, "{comma}{{\"endpoint\":{endpoint},\"at_ms\":{at}{took},\"end\":\"{end}\"}}")
                }
                AccessLogFormat::Logfmt => {
                    let took = took.map(|took| format!("/{took}ms")).unwrap_or_default();
                    write!(text, "{comma}{endpoint}{took}/{}", end.unwrap_or("given_up"))
                }
            };
        }
        match self.format {
            AccessLogFormat::Json => {
                self.key(name);
                let _ = write!(self.out, "[{text}]");
            }
            AccessLogFormat::Logfmt => self.named(name, &text),
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

    fn end(mut self) -> Vec<u8> {
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
        let settings = AccessLogSettings { format, ..AccessLogSettings::default() };
        Line::new(&settings, Goes { logged: true, kept: true })
    }

    fn filled(mut line: Line) -> [String; 2] {
        line.time(AccessField::Time, UNIX_EPOCH + Duration::from_millis(1_709_164_799_007));
        line.text(AccessField::Route, "/v1/\"a b\"\n");
        line.text(AccessField::Path, "not asked for");
        line.text(AccessField::Query, "a=secret");
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
        let (logged, kept) = line.end();
        [logged, kept].map(|text| String::from_utf8(text.expect("both are wanted")).expect("text"))
    }

    #[test]
    fn a_line_is_one_object_of_json_whatever_is_in_it() {
        let [text, _] = filled(line(AccessLogFormat::Json));
        assert_eq!((text.matches('\n').count(), text.ends_with("}\n")), (1, true));
        let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let expected = serde_json::json!({
            "time": "2024-02-28T23:59:59.007Z", "route": "/v1/\"a b\"\n", "status": 503, "duration_ms": 1234.005,
            "tries": [{ "endpoint": "h:1", "at_ms": 2.0, "ms": 0.007, "end": "lost" }, { "endpoint": "h:1", "at_ms": 2.0, "end": "given_up" }],
            "header.user-agent": "x\u{fffd}",
        });
        assert_eq!(read, expected);
        assert_eq!(line(AccessLogFormat::Json).end().0.as_deref(), Some(&b"{}\n"[..]));
    }

    #[test]
    fn what_is_kept_is_json_with_all_but_the_query_and_headers_whatever_is_logged() {
        let [_, kept] = filled(line(AccessLogFormat::Logfmt));
        let read: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
        assert_eq!((&read["path"], &read["status"]), (&"not asked for".into(), &503.into()));
        assert!(read["tries"].is_array() && !kept.contains("secret") && !kept.contains("header."), "{kept}");
    }

    #[test]
    fn a_line_is_pairs_of_logfmt() {
        let [text, _] = filled(line(AccessLogFormat::Logfmt));
        let expected = "time=2024-02-28T23:59:59.007Z route=\"/v1/\\\"a b\\\"\\n\" status=503 duration_ms=1234.005 \
                        tries=h:1/0.007ms/lost,h:1/given_up header.user-agent=x\u{fffd}\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_clients_send_does_not_make_lines_long() {
        let mut line = line(AccessLogFormat::Json);
        line.text(AccessField::Client, &"\u{20ac}".repeat(1000));
        assert!(line.end().0.is_some_and(|text| text.len() < 2 * LONGEST));
    }
}
