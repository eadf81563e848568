//! One line of a record: as JSON, or as logfmt.

use super::record::{Item, Try, Value, items};
use crate::config::{AccessFields, AccessLogFormat};
use chrono::{DateTime, SecondsFormat, Utc};
use std::io::Write;
use std::time::Duration;

/// How lines are made of records, and of what.
#[derive(Clone, Copy, Debug)]
pub struct Form {
    /// How they are written.
    pub format: AccessLogFormat,
    /// What they have.
    pub fields: AccessFields,
    /// Whether they have headers of requests.
    pub headers: bool,
}

impl Form {
    /// The line of that record, with its end.
    pub fn of(self, record: &[u8]) -> Vec<u8> {
        let mut line = Line { out: Vec::with_capacity(2 * record.len()), format: self.format };
        for item in items(record) {
            match item {
                Item::Field(field, value) if self.fields.has(field) => line.value(field.name(), &value),
                Item::Header(name, value) if self.headers => line.text(&format!("header.{name}"), value),
                _ => {}
            }
        }
        line.end()
    }
}

struct Line {
    out: Vec<u8>,
    format: AccessLogFormat,
}

impl Line {
    // A buffer takes all that is written.
    fn value(&mut self, name: &str, value: &Value<'_>) {
        match value {
            Value::Text(text) => self.text(name, text),
            Value::Date(date) => {
                let date = DateTime::<Utc>::from(*date);
                self.text(name, &date.to_rfc3339_opts(SecondsFormat::Millis, true));
            }
            Value::Number(number) => {
                self.key(name);
                let _ = write!(self.out, "{number}");
            }
            Value::Time(time) => {
                self.key(name);
                self.out.extend_from_slice(millis(*time).as_bytes());
            }
            Value::Tries(tries) => match self.format {
                AccessLogFormat::Json => {
                    let tries: Vec<String> = tries.iter().map(json).collect();
                    self.key(name);
                    let _ = write!(self.out, "[{}]", tries.join(","));
                }
                AccessLogFormat::Logfmt => {
                    let tries: Vec<String> = tries.iter().map(logfmt).collect();
                    self.text(name, &tries.join(","));
                }
            },
        }
    }

    fn text(&mut self, name: &str, text: &str) {
        self.key(name);
        match self.format {
            AccessLogFormat::Logfmt if is_plain(text) => self.out.extend_from_slice(text.as_bytes()),
            // A text can always be written. A text of JSON has no line end.
            _ => drop(serde_json::to_writer(&mut self.out, text)),
        }
    }

    fn key(&mut self, name: &str) {
        let (first, next, after) = match self.format {
            AccessLogFormat::Json => ("{\"", ",\"", "\":"),
            AccessLogFormat::Logfmt => ("", " ", "="),
        };
        let before = if self.out.is_empty() { first } else { next };
        [before, name, after].iter().for_each(|part| self.out.extend_from_slice(part.as_bytes()));
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

fn json(tried: &Try<'_>) -> String {
    let endpoint = serde_json::to_string(tried.endpoint).unwrap_or_default();
    let took = tried.took.map(|took| format!(",\"ms\":{}", millis(took))).unwrap_or_default();
    format!("{{\"endpoint\":{endpoint},\"at_ms\":{}{took},\"end\":\"{}\"}}", millis(tried.at), tried.end)
}

fn logfmt(tried: &Try<'_>) -> String {
    let took = tried.took.map(|took| format!("/{}ms", millis(took))).unwrap_or_default();
    format!("{}{took}/{}", tried.endpoint, tried.end)
}

/// Whether a value of logfmt needs no quotes.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte > b' ' && byte != 0x7f && byte != b'"' && byte != b'=' && byte != b'\\')
}

fn millis(time: Duration) -> String {
    let micros = time.as_micros();
    format!("{}.{:03}", micros / 1000, micros % 1000)
}

#[cfg(test)]
mod tests {
    use super::super::record::{Record, TriedAt};
    use super::*;
    use crate::config::AccessField;
    use std::time::UNIX_EPOCH;

    fn filled() -> Record {
        let mut record = Record::new(AccessFields::all_but(AccessField::Query));
        record.time(AccessField::Time, UNIX_EPOCH + Duration::from_millis(1_709_164_799_007));
        record.text(AccessField::Route, "/v1/\"a b\"\n");
        record.text(AccessField::Path, "not asked for");
        record.text(AccessField::Query, "a=secret");
        record.number(AccessField::Status, 503);
        record.millis(AccessField::DurationMs, Duration::from_micros(1_234_005));
        let ended = [(Some(Duration::from_micros(7)), "lost"), (None, "given_up")];
        record.tries(ended.into_iter().map(|(took, end)| TriedAt {
            endpoint: "h:1",
            at: Duration::from_millis(2),
            took,
            end,
        }));
        record.header("user-agent", b"x\xff");
        record
    }

    fn line(form: Form, record: &Record) -> String {
        String::from_utf8(form.of(record.bytes())).expect("text")
    }

    const JSON: AccessLogFormat = AccessLogFormat::Json;

    #[test]
    fn a_line_is_one_object_of_json_whatever_is_in_it() {
        let form = Form { format: JSON, fields: AccessFields::default(), headers: true };
        let text = line(form, &filled());
        assert_eq!((text.matches('\n').count(), text.ends_with("}\n")), (1, true));
        let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let expected = serde_json::json!({
            "time": "2024-02-28T23:59:59.007Z", "route": "/v1/\"a b\"\n", "status": 503, "duration_ms": 1234.005,
            "tries": [{ "endpoint": "h:1", "at_ms": 2.0, "ms": 0.007, "end": "lost" }, { "endpoint": "h:1", "at_ms": 2.0, "end": "given_up" }],
            "header.user-agent": "x\u{fffd}",
        });
        assert_eq!(read, expected);
        assert_eq!(line(form, &Record::new(AccessFields::default())), "{}\n");
    }

    #[test]
    fn a_line_is_pairs_of_logfmt() {
        let form = Form { format: AccessLogFormat::Logfmt, fields: AccessFields::default(), headers: true };
        let expected = "time=2024-02-28T23:59:59.007Z route=\"/v1/\\\"a b\\\"\\n\" status=503 duration_ms=1234.005 \
                        tries=h:1/0.007ms/lost,h:1/given_up header.user-agent=x\u{fffd}\n";
        assert_eq!(line(form, &filled()), expected);
    }

    #[test]
    fn each_reader_has_its_own_fields() {
        let all = Form { format: JSON, fields: AccessFields::all_but(AccessField::Query), headers: false };
        let read: serde_json::Value = serde_json::from_str(&line(all, &filled())).expect("JSON");
        assert_eq!((&read["path"], &read["status"]), (&"not asked for".into(), &503.into()));
        assert!(read.get("query").is_none() && read.get("header.user-agent").is_none());
    }
}
