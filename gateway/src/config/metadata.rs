//! Which headers of a request go along with its call as metadata: only those that a table lists by name, because a header
//! may carry credentials that no backend is meant to see.

use super::complaint::Complaint;
use super::keys;
use super::reader::{Reader, Section};
use super::shape::Shape;
use crate::fields::FieldName;
use callgate_protocol::identity;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The most names of a list.
const MAX_NAMES: usize = 32;
/// The longest name, in bytes: as long as the protocol has room for.
const MAX_NAME: usize = 255;

/// What `metadata` may be.
pub(super) const SHAPE: Shape = Shape::texts(MAX_NAMES);

/// The headers that go along with a route's calls; none unless a table lists them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MetadataSpec(Option<Arc<[FieldName]>>);

impl MetadataSpec {
    /// Their names in lower case, which are also those of the metadata; each once.
    pub fn names(&self) -> &[FieldName] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Reads `metadata` of a route or of a file.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> MetadataSpec {
        let Some(item) = section.get(keys::METADATA.name) else {
            return MetadataSpec(None);
        };
        let names = reader.texts(&item, "[\"x-tenant\"]", name).unwrap_or_default();
        if names.len() > MAX_NAMES {
            let label = format!("{} are too many", names.len());
            reader.complain::<()>(&item, Complaint::new(format!("more than {MAX_NAMES} headers"), label));
        }
        let mut seen = BTreeSet::new();
        let mut list = Vec::new();
        for (name, span) in names {
            if seen.insert(name.clone()) {
                list.push(FieldName::from(&*name));
                continue;
            }
            let title = format!("`{name}` is listed twice");
            let twice = super::diagnostics::Diagnostic::new(title).at(reader.source, span, "again");
            reader.report(twice.note("header names are the same in upper and lower case"));
        }
        MetadataSpec(Some(list.into()))
    }

    /// The same, or what the file says where this says nothing.
    pub(super) fn or(self, file: &MetadataSpec) -> MetadataSpec {
        MetadataSpec(self.0.or_else(|| file.0.clone()))
    }
}

/// A header's name in lower case, if it may be listed.
fn name(text: &str) -> Result<String, Complaint> {
    if text.is_empty() || !text.bytes().all(is_token) {
        return Err(Complaint::new(
            format!("`{text}` is not a header's name"),
            "names are letters, digits and !#$%&'*+-.^_`|~",
        ));
    }
    if text.len() > MAX_NAME {
        return Err(Complaint::new("a name this long", format!("at most {MAX_NAME} bytes")));
    }
    let name = text.to_ascii_lowercase();
    let reason = match name.as_str() {
        "traceparent" | "tracestate" => "goes along with every call",
        "request-id" | "x-request-id" => "the request's id goes along with every call, as `request-id`",
        "caller" => "in a call's metadata it names the service that calls, which no client may say",
        "client-subject" | "client-names" | "client-sha256" => {
            "in a call's metadata it says who the client is by its certificate, which no client may write"
        }
        "client" => "goes along with every call: the client's address, as the gateway knows it",
        _ if identity::ALL.iter().any(|entry| entry.as_str() == name) => {
            "in a call's metadata it says who the caller is, which no client may write"
        }
        _ => return Ok(name),
    };
    Err(Complaint::new(format!("`{name}` cannot be listed"), reason))
}

/// RFC 9110, section 5.6.2: what a header's name is made of.
pub(super) fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
