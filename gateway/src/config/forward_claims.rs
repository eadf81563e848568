//! `forward_claims`: which claims of a caller go along with its call. Its name and its scopes always do.

use super::complaint::Complaint;
use super::keys;
use super::reader::{Reader, Section};
use super::shape::Shape;
use std::sync::Arc;

/// The most names of a list.
const MAX_NAMES: usize = 32;
/// The longest name, in bytes.
const MAX_NAME: usize = 255;

/// What `forward_claims` may be.
pub(super) const SHAPE: Shape = Shape::texts(MAX_NAMES);

/// The claims that go along with a route's calls; none unless a table lists them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ForwardClaims(Option<Arc<[Box<str>]>>);

impl ForwardClaims {
    /// Their names, each once.
    pub fn names(&self) -> &[Box<str>] {
        self.0.as_deref().unwrap_or_default()
    }

    /// Reads `forward_claims` of a route or of a file.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> ForwardClaims {
        let Some(item) = section.get(keys::FORWARD_CLAIMS.name) else { return ForwardClaims(None) };
        let names = reader.texts(&item, "[\"tenant\"]", name).unwrap_or_default();
        reader.twice("claim", names.iter().map(|(name, span)| (name, span)));
        if names.len() > MAX_NAMES {
            let label = format!("{} are too many", names.len());
            reader.complain::<()>(&item, Complaint::new(format!("more than {MAX_NAMES} claims"), label));
        }
        ForwardClaims(Some(names.into_iter().map(|(name, _)| name).collect()))
    }

    /// The same, or what the file says where this says nothing.
    pub(super) fn or(self, file: &ForwardClaims) -> ForwardClaims {
        ForwardClaims(self.0.or_else(|| file.0.clone()))
    }
}

fn name(text: &str) -> Result<Box<str>, Complaint> {
    match text.len() {
        1..=MAX_NAME => Ok(text.into()),
        _ => Err(Complaint::new("not a claim's name", format!("expected 1 to {MAX_NAME} bytes"))),
    }
}
