//! `type = "api_key"`: the caller is whose key a header has. A file has the hash of each.

use super::{AuthKind, required};
use crate::config::complaint::Complaint;
use crate::config::metadata::is_token;
use crate::config::places::path;
use crate::config::reader::{Item, Reader, Section};
use crate::config::shape::{Entry, Shape};
use crate::fields::{AUTHORIZATION, FieldName, X_API_KEY};
use std::ops::Range;
use std::path::PathBuf;

pub(super) const KEYS: &[Entry] = &[
    super::kind(&["api_key"]),
    Entry::needed("file", Shape::Text, "the file of keys"),
    Entry::new("header", Shape::Text, "the header that has the key"),
];
/// The longest name of a header, in bytes.
const MAX_NAME: usize = 64;
const PATH: &str = "a path such as \"/etc/callgate/keys.toml\"";

/// Callers by their keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiKeySpec {
    /// The header that has the key. Of `Authorization` it is the bearer token.
    pub header: FieldName,
    /// Who has which key.
    pub file: ListFile,
}

/// A file with a list of those who may call.
#[derive(Clone, Debug)]
pub struct ListFile {
    /// Absolute.
    pub path: PathBuf,
    /// Where it is named.
    pub(in crate::config) span: Range<usize>,
}

impl PartialEq for ListFile {
    fn eq(&self, other: &ListFile) -> bool {
        self.path == other.path
    }
}

impl Eq for ListFile {}

impl ListFile {
    pub(super) fn read(
        reader: &mut Reader<'_>,
        section: &Section<'_>,
        item: &Item<'_>,
        what: &str,
        example: &str,
    ) -> Option<ListFile> {
        let said =
            required(reader, section, item, "file", &format!("write where they are: file = \"{example}\""))?;
        let source = reader.source.path().to_path_buf();
        let path = reader.text(&said, PATH, |text| path(&source, text, what))?;
        Some(ListFile { path, span: said.span() })
    }
}

impl ApiKeySpec {
    /// Whether a key is a bearer token.
    pub fn is_bearer(&self) -> bool {
        self.header == AUTHORIZATION
    }
}

pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, item: &Item<'_>) -> Option<AuthKind> {
    let file = ListFile::read(reader, section, item, "a file of API keys", "/etc/callgate/keys.toml");
    let header = match section.get("header") {
        None => Some(FieldName::from(X_API_KEY.as_str())),
        Some(item) => reader.text(&item, "a header's name such as \"x-api-key\"", header),
    };
    Some(AuthKind::ApiKey(ApiKeySpec { header: header?, file: file? }))
}

fn header(text: &str) -> Result<FieldName, Complaint> {
    match (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(is_token) {
        true => Ok(text.into()),
        false => Err(Complaint::new("not a header's name", "names are letters, digits and !#$%&'*+-.^_`|~")),
    }
}
