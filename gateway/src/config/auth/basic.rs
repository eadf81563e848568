//! `type = "basic"`: the caller is a user with a password, of `Authorization: Basic` (RFC 7617). A file has a hash of each.

use super::AuthKind;
use super::api_key::ListFile;
use crate::config::reader::{Item, Reader, Section};
use crate::config::shape::{Entry, Shape};

pub(super) const KEYS: &[Entry] =
    &[super::kind(&["basic"]), Entry::needed("file", Shape::Text, "the file of users")];

/// Callers by name and password.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BasicSpec {
    /// Who has which password.
    pub file: ListFile,
}

pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, item: &Item<'_>) -> Option<AuthKind> {
    let file = ListFile::read(reader, section, item, "a file of users", "/etc/callgate/users.toml")?;
    Some(AuthKind::Basic(BasicSpec { file }))
}
