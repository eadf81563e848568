//! What bounds a call that streams: `max_stream` and `stream_idle` of a route or of a file.

use super::complaint::Complaint;
use super::keys;
use super::reader::{Item, Reader, Section};
use super::shape::{Entry, Shape};
use std::ops::RangeInclusive;
use std::time::Duration;
use toml::de::DeValue;

const TIMES: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(30 * 24 * 3600);
const BYTES: RangeInclusive<u64> = 1..=1 << 50;
const KEYS: &[Entry] = &[
    Entry::any(1, "time", Shape::Duration(TIMES), "how long a call that streams may take"),
    Entry::any(1, "bytes", Shape::Size(BYTES), "how many bytes its reply may have"),
];
/// What `max_stream` may be.
pub(super) const SHAPE: Shape = Shape::OneOf(&[Shape::Duration(TIMES), Shape::Table(KEYS)]);
/// What `stream_idle` may be.
pub(super) const IDLE: Shape = Shape::Duration(TIMES);

/// What bounds a call that streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamLimits {
    /// How long it may take, from its beginning to its last item; 1 ms to 30 days, by default 1 h.
    pub time: Duration,
    /// How many bytes the body of its reply may have; by default any number.
    pub bytes: Option<u64>,
    /// How long it may take until the next item of its reply has gone to the client; 1 ms to 30 days, by default for ever.
    pub idle: Option<Duration>,
}

impl Default for StreamLimits {
    fn default() -> StreamLimits {
        StreamLimits { time: Duration::from_secs(3600), bytes: None, idle: None }
    }
}

impl StreamLimits {
    /// Reads those of a route or of a file; what it does not say is as in `otherwise`.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        section: &Section<'_>,
        otherwise: StreamLimits,
    ) -> StreamLimits {
        let max = section.get(keys::MAX_STREAM.name).and_then(|item| most(reader, &item));
        let (time, bytes) = max.unwrap_or((otherwise.time, otherwise.bytes));
        let idle = section.get(keys::STREAM_IDLE.name).and_then(|item| reader.duration(&item));
        StreamLimits { time, bytes, idle: idle.or(otherwise.idle) }
    }
}

/// Reads `max_stream`: a time, or a table of a time and bytes.
fn most(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<(Duration, Option<u64>)> {
    let usual = StreamLimits::default();
    let DeValue::Table(table) = item.value.get_ref() else {
        return reader.duration(item).map(|time| (time, usual.bytes));
    };
    let section = reader.section("`max_stream`", table, KEYS);
    if table.is_empty() {
        let complaint = Complaint::new("`max_stream` is empty", "it bounds nothing");
        return reader
            .complain(item, complaint.help("write max_stream = { time = \"1h\", bytes = \"1GiB\" }"));
    }
    let time = section.get("time").and_then(|item| reader.duration(&item));
    let bytes = section.get("bytes").and_then(|item| reader.size(&item));
    Some((time.unwrap_or(usual.time), bytes.or(usual.bytes)))
}
