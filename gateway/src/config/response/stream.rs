//! What a route says of a reply in items: the form in which its client gets them (`stream` of `response`), and what of an item says more of
//! an event (`events`).

use super::super::complaint::Complaint;
use super::super::field;
use super::super::reader::{Reader, Section};
use super::Fields;
use crate::config::shape::{Entry, Shape, words};
use callgate_transcode::Response;
use std::ops::RangeInclusive;
use std::time::Duration;

/// The form of a reply in items.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StreamForm {
    /// Server-sent events.
    Sse,
    /// JSON, one item a line.
    Ndjson,
    /// A JSON array.
    Json,
}

/// What events are made of beside the item itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EventsSpec {
    /// The number of the field that says the event's type, among those that the route picks.
    pub event: Option<usize>,
    /// That of its id.
    pub id: Option<usize>,
    /// That of the time after which a client comes again, in milliseconds.
    pub retry: Option<usize>,
    /// A comment is sent after so long without an item.
    pub heartbeat: Duration,
}

const FORMS: [(&str, StreamForm); 3] =
    [("sse", StreamForm::Sse), ("ndjson", StreamForm::Ndjson), ("json", StreamForm::Json)];
/// The keys of `events`.
const OF_EVENTS: &[Entry] = &[
    Entry::new("event", Shape::Text, "the field of an item that is its event's type"),
    Entry::new("id", Shape::Text, "the field of an item that is its event's id"),
    Entry::new("retry", Shape::Text, "the field of an item that says after how long a client may come again"),
    Entry::new("heartbeat", Shape::Duration(BEATS), "how often a comment is sent while no item comes"),
];
/// What `events` of `response` may be.
pub(super) const EVENTS: Shape = Shape::Table(OF_EVENTS);
/// What `stream` of `response` may be.
pub(super) const STREAM: Shape = Shape::Words(&words(&FORMS));
/// How often a comment can be sent.
const BEATS: RangeInclusive<Duration> = Duration::from_millis(100)..=Duration::from_secs(3600);

impl StreamForm {
    /// All of them.
    pub const ALL: [StreamForm; 3] = [StreamForm::Ndjson, StreamForm::Sse, StreamForm::Json];

    /// As it is written.
    pub fn name(self) -> &'static str {
        FORMS.iter().find(|(_, form)| *form == self).map_or("", |(name, _)| name)
    }

    /// The media type.
    pub const fn media_type(self) -> &'static str {
        match self {
            StreamForm::Sse => "text/event-stream",
            StreamForm::Ndjson => "application/x-ndjson",
            StreamForm::Json => "application/json",
        }
    }
}

/// Events of nothing but items.
impl Default for EventsSpec {
    fn default() -> EventsSpec {
        EventsSpec { event: None, id: None, retry: None, heartbeat: Duration::from_secs(15) }
    }
}

impl EventsSpec {
    /// Whether they use the field of that number.
    pub fn has(&self, number: usize) -> bool {
        [self.event, self.id, self.retry].contains(&Some(number))
    }

    /// Whether fields of items are wanted.
    pub fn picks(&self) -> bool {
        self.event.or(self.id).or(self.retry).is_some()
    }
}

/// Reads `stream` and `events` of `response`, whose body has that shape.
pub(super) fn read(
    reader: &mut Reader<'_>,
    section: &Section<'_>,
    shape: &Response,
    fields: &mut Fields,
) -> (Option<StreamForm>, Option<EventsSpec>) {
    let (stream, events) = (section.get("stream"), section.get("events"));
    if let (Response::Raw(_), Some(item)) = (shape, stream.as_ref().or(events.as_ref())) {
        let complaint = Complaint::new("a raw answer has no form", "it is made of no items that are JSON");
        reader.complain::<()>(item, complaint.help("remove it: a stream of bytes is sent as it comes"));
        return (None, None);
    }
    let form = stream.and_then(|item| reader.choice(&item, &FORMS));
    let Some(item) = events else { return (form, None) };
    if let Some(form @ (StreamForm::Ndjson | StreamForm::Json)) = form {
        let title = format!("`events` has no effect: the route streams {}", form.media_type());
        let complaint = Complaint::new(title, "there are no events");
        reader.complain::<()>(&item, complaint.help("write stream = \"sse\", or leave `stream` out"));
    }
    let expected = "a table such as { event = \"kind\", id = \"seq\" }";
    let Some(table) = reader.table(&item, expected) else { return (form, None) };
    let own = reader.section("`events`", table, OF_EVENTS);
    let mut number = |reader: &mut Reader<'_>, key| {
        let item = own.get(key)?;
        let place = item.span();
        reader.text(&item, "the name of a field of an item", |text| match field::error(text) {
            Some(reason) => Err(Complaint::new(format!("`{key}` is a field of an item"), reason)),
            None => fields.number(text, &[], place),
        })
    };
    let mut spec = EventsSpec {
        event: number(reader, "event"),
        id: number(reader, "id"),
        retry: number(reader, "retry"),
        ..EventsSpec::default()
    };
    if let Some(heartbeat) = own.get("heartbeat").and_then(|item| reader.duration(&item)) {
        spec.heartbeat = heartbeat;
    }
    (form, Some(spec))
}
