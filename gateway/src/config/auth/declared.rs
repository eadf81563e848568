//! The authenticators that all files declare: each once, and found by its name when all of them are read.

use super::{ANONYMOUS, AuthKind, AuthSpec, one};
use crate::config::diagnostics::Diagnostic;
use crate::config::keys;
use crate::config::name;
use crate::config::reader::{Reader, Section};
use crate::config::route_backend::{self, Caller, FileBackend};
use crate::config::source::Source;
use serde_json::Value;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use toml::de::DeValue;

/// The authenticators of all files.
#[derive(Default)]
pub(in crate::config) struct Authenticators {
    declared: BTreeMap<String, Declared>,
    /// All their names, once somebody has named another.
    names: OnceCell<Arc<[String]>>,
}

struct Declared {
    source: Arc<Source>,
    span: Range<usize>,
    /// The number of its file.
    file: usize,
    /// None when it could not be read; reported already.
    spec: Option<Arc<AuthSpec>>,
}

/// What is known of a name.
pub(in crate::config) enum Found<'a> {
    Spec(&'a Arc<AuthSpec>),
    /// It could not be read, which is reported.
    Bad,
    Unknown,
}

impl Authenticators {
    /// Whether there are none, so that nobody is asked who he is.
    pub(in crate::config) fn are_none(&self) -> bool {
        self.declared.is_empty()
    }

    /// The one of that name.
    pub(in crate::config) fn find(&self, name: &str) -> Found<'_> {
        match self.declared.get(name) {
            Some(Declared { spec: Some(spec), .. }) => Found::Spec(spec),
            Some(_) => Found::Bad,
            None => Found::Unknown,
        }
    }

    /// The names of all.
    pub(in crate::config) fn names(&self) -> &Arc<[String]> {
        self.names.get_or_init(|| self.declared.keys().cloned().collect())
    }

    /// Finds the backends of those that call a method, when all files are read. Nobody else has one of them yet.
    pub(in crate::config) fn resolve(
        &mut self,
        files: &[FileBackend],
        names: &Arc<[String]>,
        incomplete: bool,
        found: &mut Vec<Diagnostic>,
    ) {
        for Declared { source, span, file, spec } in self.declared.values_mut() {
            let Some(AuthSpec { kind: AuthKind::Rpc(rpc), said, .. }) = spec.as_mut().and_then(Arc::get_mut)
            else {
                continue;
            };
            let (what, backend) = ("authenticator", &rpc.written.backend);
            let caller = Caller { what, source, span, backend, split: None };
            let file = files.get(*file).unwrap_or(&FileBackend::Unsaid);
            match route_backend::resolve(&caller, file, names, incomplete, found) {
                Some(name) => {
                    // Whichever way it is found, it is whom one trusts.
                    said.insert(keys::BACKEND.name.to_owned(), Value::from(name.as_str()));
                    Arc::make_mut(&mut rpc.call).backend = name;
                }
                None => *spec = None,
            }
        }
    }

    /// All of them, sorted by name.
    pub(in crate::config) fn finish(self) -> Vec<Arc<AuthSpec>> {
        self.declared.into_values().filter_map(|declared| declared.spec).collect()
    }

    /// Reads those of the file of that number. Where its `auth` is no table, it is the word of who may call the file's routes.
    pub(in crate::config) fn read(&mut self, reader: &mut Reader<'_>, section: &Section<'_>, file: usize) {
        let Some(auth) = section.get(keys::AUTH) else { return };
        let DeValue::Table(all) = auth.value.get_ref() else { return };
        for (key, value) in all {
            let name = key.get_ref().as_ref();
            let reserved = (name == ANONYMOUS).then_some("it is the word for callers who show nothing");
            if let Some(reason) = name::error(name).or(reserved) {
                let title = format!("`{name}` cannot name an authenticator");
                reader.report(Diagnostic::new(title).at(reader.source, key.span(), reason));
            }
            let item = auth.named(key, value);
            let spec = one(reader, name, &item).map(Arc::new);
            if let Some(first) = self.declared.get(name) {
                reader.report(
                    Diagnostic::new(format!("authenticator `{name}` is declared twice"))
                        .at(reader.source, key.span(), "again")
                        .at(&first.source, first.span.clone(), "first here"),
                );
                continue;
            }
            let declared = Declared { source: Arc::clone(reader.source), span: key.span(), file, spec };
            self.declared.insert(name.to_owned(), declared);
        }
    }
}
