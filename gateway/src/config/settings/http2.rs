//! HTTP/2: whether a listener speaks it (`http2` of `[[listeners]]`), and its bounds (`[http2]`).

use crate::config::complaint::Complaint;
use crate::config::reader::{Item, Reader, Section, set};
use crate::config::shape::{Entry, Shape, words};
use serde_json::Value;
use std::ops::RangeInclusive;
use std::time::Duration;
use toml::de::DeValue;

/// The keys of `[http2]`.
pub(super) const KEYS: &[Entry] = &[
    Entry::new(
        "max_concurrent_streams",
        Shape::Integer(STREAMS),
        "how many requests one HTTP/2 connection may have open at once",
    ),
    Entry::new(
        "max_connection_age",
        Shape::Duration(AGES),
        "when an HTTP/2 connection is so old, its client is told to make a new one",
    ),
];
/// Streams of one connection. Each can hold a request and its answer.
const STREAMS: RangeInclusive<u64> = 1..=1000;
const AGES: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(7 * 24 * 3600);
/// The word for it in the clear.
const PRIOR_KNOWLEDGE: &str = "prior_knowledge";

const CHOICES: [(&str, Http2); 1] = [(PRIOR_KNOWLEDGE, Http2::PriorKnowledge)];
/// What `http2` of a listener may be.
pub(super) const OF_LISTENER: Shape = Shape::OneOf(&[Shape::Boolean, Shape::Words(&words(&CHOICES))]);

/// Whether HTTP/2 is spoken over a listener's connections, and how it is chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Http2 {
    /// Never.
    Off,
    /// Within TLS: by clients that choose it (ALPN).
    Alpn,
    /// In the clear: by clients whose first bytes say so. All others speak HTTP/1.1.
    PriorKnowledge,
}

impl Http2 {
    /// As the settings write it.
    pub fn shown(self) -> Value {
        match self {
            Http2::Off => Value::from(false),
            Http2::Alpn => Value::from(true),
            Http2::PriorKnowledge => Value::from(PRIOR_KNOWLEDGE),
        }
    }
}

/// `[http2]`
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Http2Settings {
    /// How many streams a connection may have open.
    pub max_concurrent_streams: u32,
    /// When a connection is old enough that its client is told to make a new one.
    pub max_connection_age: Duration,
}

impl Default for Http2Settings {
    fn default() -> Http2Settings {
        Http2Settings { max_concurrent_streams: 100, max_connection_age: Duration::from_secs(3600) }
    }
}

impl Http2Settings {
    /// Replaces what the section says.
    pub(super) fn read(&mut self, reader: &mut Reader<'_>, section: &Section<'_>) {
        let streams = section.get("max_concurrent_streams").and_then(|item| reader.integer(&item));
        set(&mut self.max_concurrent_streams, streams.and_then(|streams| u32::try_from(streams).ok()));
        let age = section.get("max_connection_age").and_then(|item| reader.duration(&item));
        set(&mut self.max_connection_age, age);
    }
}

/// Reads `http2` of a listener, which has TLS or not.
pub(super) fn read(reader: &mut Reader<'_>, item: Option<&Item<'_>>, has_tls: bool) -> Http2 {
    let usual = if has_tls { Http2::Alpn } else { Http2::Off };
    let Some(item) = item else { return usual };
    let read = match (item.value.get_ref(), has_tls) {
        (DeValue::Boolean(false), _) => Some(Http2::Off),
        (DeValue::Boolean(true), true) => Some(Http2::Alpn),
        (DeValue::Boolean(true), false) => {
            let complaint =
                Complaint::new("HTTP/2 is chosen by TLS, and this listener has none", "no TLS here");
            let help = format!("for clients that know it beforehand write \"{PRIOR_KNOWLEDGE}\"");
            reader.complain(item, complaint.help(help))
        }
        (DeValue::String(_), true) => {
            let complaint =
                Complaint::new("within TLS clients choose HTTP/2 themselves", "this one has `tls`");
            reader.complain(item, complaint.help("write true or false"))
        }
        (DeValue::String(_), false) => reader.choice(item, &CHOICES),
        (_, true) => reader.wrong_type(item.key, item.value, "true or false"),
        (_, false) => reader.wrong_type(item.key, item.value, "false, or \"prior_knowledge\""),
    };
    read.unwrap_or(usual)
}
