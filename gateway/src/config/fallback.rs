//! `fallback` of a route: a second backend, or a fixed reply, for when the first has no instance.

use super::complaint::Complaint;
use super::destination::DestinationSpec;
use super::keys;
use super::local_reply::{RespondSpec, respond};
use super::reader::{Reader, Section};
use super::shape::{Entry, Shape};

/// Those of a backend, and those of a reply.
const KEYS: &[Entry] = &[
    Entry::any(1, "backend", Shape::Text, "calls go there"),
    Entry::beside("backend", "version", Shape::Text, "calls go there"),
    respond::STATUS.or_any(1),
    respond::BODY.or_any(1),
    respond::JSON.or_any(1),
    respond::CONTENT_TYPE.or_any(1),
    respond::HEADERS.or_any(1),
];
/// What `fallback` may be.
pub(super) const SHAPE: Shape = Shape::Table(KEYS);
const EXAMPLES: &str = "a table such as { backend = \"other\" } or { status = 200, json = [] }";

/// What is done with a call for which there is no instance.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FallbackSpec {
    /// It goes there. The backend is named.
    Call(DestinationSpec),
    /// It is answered so.
    Reply(RespondSpec),
}

impl FallbackSpec {
    /// Where the call goes, if it goes anywhere.
    pub(super) fn destination(&self) -> Option<&DestinationSpec> {
        match self {
            FallbackSpec::Call(to) => Some(to),
            FallbackSpec::Reply(_) => None,
        }
    }

    /// The fixed reply, if it is one.
    pub(super) fn reply(&self) -> Option<&RespondSpec> {
        match self {
            FallbackSpec::Call(_) => None,
            FallbackSpec::Reply(reply) => Some(reply),
        }
    }

    /// Reads `fallback` of a route.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> Option<FallbackSpec> {
        let item = section.get(keys::FALLBACK.name)?;
        let table = reader.table(&item, EXAMPLES)?;
        let before = reader.found.len();
        let inner = reader.section("`fallback`", table, KEYS);
        let backend = inner.get("backend").or(inner.get("version"));
        let reply = respond::KEYS.iter().find_map(|entry| inner.get(entry.key));
        match (backend, reply) {
            (Some(_), None) if inner.get("backend").is_some() => {
                Some(FallbackSpec::Call(DestinationSpec::read(reader, &inner, item.span())))
            }
            (None, Some(_)) => RespondSpec::of(reader, &inner).map(FallbackSpec::Reply),
            // A key that nobody knows may be what was meant.
            (None, None) if reader.found.len() > before => None,
            (backend, reply) => {
                let label = match (backend.is_some(), reply.is_some()) {
                    (true, true) => "it has both",
                    (true, false) => "which backend?",
                    _ => "it has neither",
                };
                let complaint = Complaint::new("`fallback` is either a backend or a reply", label);
                reader.complain(
                    &item,
                    complaint.help("write { backend = \"other\" }, or { status = 200, json = [] }"),
                )
            }
        }
    }
}
