//! What a route says of its replies beside what their body is: `response` has a status, headers, metadata that become headers, and
//! links, and says what a raw body is; `errors` has statuses; `etag` says what the entity tag is.
//!
//! All of it is checked as far as the files tell: which parameters the path has, which headers the gateway says itself, what can stand in a
//! URI. What a result has, only instances know. So the fields that are used here are gathered as [`Pick`]s, each once and with its place,
//! and are checked with the route's other bindings when an instance is there.

pub(super) mod errors;
pub(super) mod etag;
mod headers;
mod links;
mod page;
mod raw;
mod status;
mod stream;
mod template;

pub use errors::ErrorStatuses;
pub use etag::EtagSpec;
pub use headers::{HeaderSpec, HeaderValue};
pub use links::LinkSpec;
pub use raw::{ContentType, FileSpec, RawSpec};
pub use status::StatusSpec;
pub use stream::{EventsSpec, StreamForm};
pub use template::{Pair, Part, TextTemplate, UriTemplate, ValueSource};

use super::complaint::Complaint;
use super::field;
use super::keys;
use super::local_reply::MAX_HEADERS;
use super::matcher::Matcher;
use super::path::PathTemplate;
use super::reader::{Item, Reader, Section};
use super::shape::{Entry, Shape};
use callgate_transcode::{Pick, Response};
use std::ops::Range;
use std::sync::Arc;

/// The keys of `response`.
pub(super) const KEYS: &[Entry] = &[
    Entry::any(1, "wrap", Shape::Text, "the member of an object, which is then the body and has the result"),
    Entry::any(1, "field", Shape::Text, "the field of the result that is the body"),
    Entry::any(
        1,
        "raw",
        Shape::OneOf(&[Shape::Text, Shape::Only(true)]),
        "the field that is the body, nested with dots",
    ),
    Entry::beside("raw", "content_type", raw::CONTENT_TYPE, "what the body is: a media type"),
    Entry::beside("raw", "filename", Shape::Text, "the answer is a file of that name"),
    Entry::beside("filename", "inline", Shape::Boolean, "browsers show the file if they can"),
    Entry::any(1, "stream", stream::STREAM, "the form of a reply in items"),
    Entry::any(1, "events", stream::EVENTS, "what events say"),
    Entry::any(1, "status", status::SHAPE, "what a result is replied with"),
    Entry::any(
        1,
        "headers",
        Shape::Names(&[], &Shape::Text),
        "further headers, at most 32, whose values are templates",
    ),
    Entry::any(1, "metadata", Shape::texts(MAX_HEADERS), "what the method says beside its result"),
    Entry::any(1, "links", Shape::Names(&[], &Shape::Text), "links to other pages by their relations"),
];
/// What `response` may be.
pub(super) const SHAPE: Shape = Shape::Table(KEYS);
/// The most fields of a result that a route uses.
const MAX_FIELDS: usize = 16;

/// What a route says of its replies. It says something.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ReplySpec {
    /// The status of a result.
    pub status: StatusSpec,
    /// Headers, in the order of their names.
    pub headers: Vec<HeaderSpec>,
    /// What a method says beside its result that becomes headers: their names, in lower case, which are also those of the metadata.
    pub metadata: Vec<String>,
    /// The links of the header `Link`.
    pub links: Vec<LinkSpec>,
    /// What its body is, if that is a field of the result as it is; otherwise it is JSON.
    pub raw: Option<RawSpec>,
    /// The form in which its items are sent, if it comes in items; as the client wants them if nothing is said.
    pub stream: Option<StreamForm>,
    /// What events are made of, if its items are sent as such.
    pub events: Option<EventsSpec>,
    /// What its entity tag is, if it has one.
    pub etag: Option<EtagSpec>,
    /// The statuses of the method's errors.
    pub errors: ErrorStatuses,
    /// All that a method says beside its result is kept, for whoever shows it. No file says so.
    pub all_metadata: bool,
}

impl ReplySpec {
    /// The names of all headers that it makes.
    pub fn header_names(&self) -> impl Iterator<Item = &str> {
        self.headers.iter().map(|header| &*header.name).chain(self.metadata.iter().map(String::as_str))
    }

    /// Whether it is only for replies in items.
    pub fn is_of_items(&self) -> bool {
        self.stream.is_some() || self.events.is_some()
    }

    /// Whether it wants to know fields of each item.
    pub fn picks_of_items(&self) -> bool {
        self.events.is_some_and(|events| events.picks())
    }
}

/// What a route's keys say of replies.
#[derive(Debug, Default)]
pub(super) struct ReplyDraft {
    /// What of the result is the body.
    pub(super) shape: Response,
    /// What else is said; nothing as a rule.
    pub(super) reply: Option<Arc<ReplySpec>>,
    pub(super) fields: Fields,
    /// Where the names of errors stand.
    pub(super) errors: Vec<Range<usize>>,
}

/// The fields of the result that are used beside the body, with the place of each in the file.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) picks: Vec<Pick>,
    pub(super) places: Vec<Range<usize>>,
}

impl Fields {
    /// The number of a field, which must be able to have these values. It is used there.
    fn number(&mut self, name: &str, values: &[String], place: Range<usize>) -> Result<usize, Complaint> {
        if let Some(at) = self.picks.iter().position(|pick| pick.field == name) {
            self.picks[at].values.extend_from_slice(values);
            return Ok(at);
        }
        if self.picks.len() == MAX_FIELDS {
            let title = format!("more than {MAX_FIELDS} fields of the result");
            return Err(Complaint::new(title, "one too many"));
        }
        self.picks.push(Pick { field: name.to_owned(), values: values.to_vec() });
        self.places.push(place);
        Ok(self.picks.len() - 1)
    }
}

impl ReplyDraft {
    /// Reads `response`, `errors` and `etag` of a route. `matcher` is its method and path, if they could be read.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        section: &Section<'_>,
        matcher: Option<&Matcher>,
    ) -> ReplyDraft {
        let before = reader.found.len();
        let mut draft = ReplyDraft::default();
        let path = matcher.map(|matcher| &matcher.path);
        let mut reply = draft.read_response(reader, section, path).unwrap_or_default();
        (reply.errors, draft.errors) = ErrorStatuses::read(reader, section);
        let method = matcher.map(|matcher| matcher.method);
        reply.etag = etag::read(reader, section, method, &mut draft.fields);
        if let (true, Some(item)) = (reply.is_of_items(), section.get(keys::ETAG.name)) {
            let complaint = Complaint::new("a stream has no entity tag", "the route streams its replies");
            reader.complain::<()>(
                &item,
                complaint.help("remove `etag`, or `stream` and `events` of `response`"),
            );
        }
        if reader.found.len() == before && reply != ReplySpec::default() {
            draft.reply = Some(Arc::new(reply));
        }
        draft
    }

    fn read_response(
        &mut self,
        reader: &mut Reader<'_>,
        section: &Section<'_>,
        path: Option<&PathTemplate>,
    ) -> Option<ReplySpec> {
        let item = section.get(keys::RESPONSE.name)?;
        let table = reader.table(&item, "a table such as { wrap = \"result\" }")?;
        let own = reader.section("`response`", table, KEYS);
        self.shape = read_shape(reader, &own, &item).unwrap_or_default();
        if table.is_empty() {
            let complaint = Complaint::new("`response` is empty", "it says nothing");
            reader.complain::<()>(&item, complaint.help("remove it, or write response = { status = 201 }"));
        }
        let fields = &mut self.fields;
        let (stream, events) = stream::read(reader, &own, &self.shape, fields);
        let reply = ReplySpec {
            stream,
            events,
            headers: headers::read(reader, &own, path, fields),
            metadata: headers::read_metadata(reader, &own),
            links: links::read(reader, &own, path, fields),
            raw: raw::read(reader, &own, &self.shape, path, fields),
            status: status::read(reader, &own, fields),
            ..ReplySpec::default()
        };
        check(reader, &own, &reply);
        Some(reply)
    }
}

/// What of the result is the body.
fn read_shape(reader: &mut Reader<'_>, section: &Section<'_>, item: &Item<'_>) -> Option<Response> {
    match (section.get("wrap"), section.get("field"), section.get("raw")) {
        (None, None, None) => None,
        (None, None, Some(raw)) => raw::read_shape(reader, &raw),
        (Some(wrap), None, None) => reader.text(&wrap, "the member's name", |text| match text {
            "" => Err(Complaint::new("`wrap` is the member's name", "there is none")),
            _ => Ok(Response::Wrap(text.to_owned())),
        }),
        (None, Some(field), None) => reader.text(&field, "a field's name", |text| match field::error(text) {
            Some(reason) => Err(Complaint::new("`field` is a field's name", reason)),
            None => Ok(Response::Field(text.to_owned())),
        }),
        (Some(_), Some(_), None) => {
            reader.complain(item, Complaint::new("`response` has either `wrap` or `field`", "it has both"))
        }
        (_, _, Some(raw)) => {
            let complaint = Complaint::new("a raw answer is no JSON", "`wrap` and `field` have no effect");
            reader.complain(&raw, complaint.help("write raw = \"content\" alone"))
        }
    }
}

/// Refuses what only goes wrong together.
fn check(reader: &mut Reader<'_>, section: &Section<'_>, reply: &ReplySpec) {
    if let Some(item) = section.get("metadata") {
        for name in reply.metadata.iter().filter(|name| reply.headers.iter().any(|own| own.name == **name)) {
            let title = format!("`{name}` is a header twice");
            reader.complain::<()>(&item, Complaint::new(title, "it is among `headers` too"));
        }
    }
    let redirects = reply.status.all().find(|status| (300..400).contains(status));
    let leads = reply.header_names().any(|name| name == "location");
    if let (Some(status), false, Some(item)) = (redirects, leads, section.get("status")) {
        let complaint =
            Complaint::new(format!("a reply with status {status} leads elsewhere"), "but where to?");
        reader.complain::<()>(&item, complaint.help("write headers = { location = \"/v1/…\" } beside it"));
    }
}
