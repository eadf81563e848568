//! Where a secret is kept: the key of a certificate, a token. It never stands in a table.

use super::complaint::Complaint;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::files;
use super::places::path;
use super::reader::{Item, Reader};
use super::shape::{Entry, Shape};
use super::source::{Source, shown};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use toml::de::DeValue;

const KEYS: &[Entry] = &[
    Entry::one(1, "env", Shape::Text, "the variable of the environment that holds it"),
    Entry::one(1, "file", Shape::Text, "the file that holds it"),
];

/// Where it is, in a table.
pub(super) const KEPT: Shape = Shape::Table(KEYS);
/// The same, or the path of its file.
pub(super) const KEPT_OR_PATH: Shape = Shape::OneOf(&[Shape::Text, KEPT]);

/// Where a secret is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SecretSource {
    /// In a file. Absolute.
    File(PathBuf),
    /// In a variable of the environment.
    Env(String),
}

impl SecretSource {
    /// The file, if it is one.
    pub fn file(&self) -> Option<&Path> {
        match self {
            SecretSource::File(path) => Some(path),
            SecretSource::Env(_) => None,
        }
    }

    /// For people.
    pub(super) fn shown(&self) -> String {
        match self {
            SecretSource::File(path) => shown(path),
            SecretSource::Env(name) => format!("the variable `{name}`"),
        }
    }

    /// Reads a path, or which of both it is. Told what is `expected`, and what the `file` is.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        item: &Item<'_>,
        expected: &str,
        file: &str,
    ) -> Option<SecretSource> {
        let source = Arc::clone(reader.source);
        let place = |text: &str| path(source.path(), text, file).map(SecretSource::File);
        let table = match item.value.get_ref() {
            DeValue::Table(table) => table,
            DeValue::String(_) => return reader.text(item, expected, place),
            _ => return reader.wrong_type(item.key, item.value, expected),
        };
        let section = reader.section(&format!("`{}`", item.key), table, KEYS);
        match (section.get("env"), section.get("file")) {
            (Some(env), None) => reader.text(&env, "the name of a variable", variable),
            (None, Some(path)) => reader.text(&path, "a path", place),
            (env, _) => {
                let label = if env.is_some() { "it has both" } else { "it has neither" };
                let title = format!("`{}` has either `env` or `file`", item.key);
                reader.complain(item, Complaint::new(title, label))
            }
        }
    }

    /// The secret, which is `what`; the source is named there.
    pub(super) fn load(
        &self,
        what: &str,
        source: &Arc<Source>,
        span: &Range<usize>,
    ) -> Result<Vec<u8>, Diagnostics> {
        match self {
            SecretSource::File(path) => files::named(path, source, span),
            SecretSource::Env(name) => match std::env::var_os(name) {
                Some(secret) => Ok(secret.into_encoded_bytes()),
                None => {
                    let missing = Diagnostic::new(format!("the variable `{name}` is not set"));
                    let missing = missing.at(source, span.clone(), "named here");
                    Err(missing.help(format!("it holds {what}")).into())
                }
            },
        }
    }
}

fn variable(text: &str) -> Result<SecretSource, Complaint> {
    match text.is_empty() || text.contains(['=', '\0']) {
        true => Err(Complaint::new(format!("`{text}` is not a variable's name"), "expected a name")),
        false => Ok(SecretSource::Env(text.to_owned())),
    }
}
