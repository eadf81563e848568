//! Which backend a route or an authenticator calls: the one that it names, or else its file's, or else the only one there is. A file's is the one
//! that its top names, or else the only one that it declares; so a file that is whole by itself stays so beside others.

use super::complaint::Complaint;
use super::diagnostics::Diagnostic;
use super::keys;
use super::reader::{Reader, Section};
use super::source::Source;
use super::suggest::list_of_few;
use std::ops::Range;
use std::sync::Arc;
use toml::de::DeValue;

/// The backend that a route or an authenticator names.
#[derive(Clone, Debug)]
pub(super) enum NamedBackend {
    /// None: its file's, or else the only one there is.
    Only,
    /// This one, named there.
    Named(String, Range<usize>),
    /// One that could not be read; reported already.
    Bad,
}

impl NamedBackend {
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>) -> NamedBackend {
        match section.get(keys::BACKEND.name) {
            None => NamedBackend::Only,
            Some(item) => match reader.text(&item, "a backend's name", |text| Ok(text.to_owned())) {
                Some(name) => NamedBackend::Named(name, item.span()),
                None => NamedBackend::Bad,
            },
        }
    }
}

/// The backend of a file's routes that name none.
pub(super) enum FileBackend {
    /// The file says nothing of it.
    Unsaid,
    /// The file's only backend, or the one that it names at its top; there is one of that name.
    Is(String),
    /// None that there is: reported already.
    Bad,
}

/// What a file says of its routes' backend, before all files are read.
pub(super) enum SaidBackend {
    /// At its top, there.
    Named(String, Arc<Source>, Range<usize>),
    /// Nothing, and it declares exactly this one.
    OnlyOf(String),
    /// Nothing.
    Unsaid,
    /// What cannot be read; reported already.
    Bad,
}

impl SaidBackend {
    /// Reads `backend` at the top of a file that declares these.
    pub(super) fn read<'n>(
        reader: &mut Reader<'_>,
        section: &Section<'_>,
        mut declared: impl Iterator<Item = &'n str>,
    ) -> SaidBackend {
        let Some(item) = section.get(keys::BACKEND.name) else {
            return match (declared.next(), declared.next()) {
                (Some(only), None) => SaidBackend::OnlyOf(only.to_owned()),
                _ => SaidBackend::Unsaid,
            };
        };
        if let DeValue::Table(_) = item.value.get_ref() {
            let complaint = Complaint::new(
                "`backend` at the top of a file is the name of its routes' backend",
                "this is a table",
            );
            reader.report(
                Diagnostic::new(complaint.title)
                    .at(reader.source, item.key_span, complaint.label)
                    .help("a backend is declared as [backends.NAME]"),
            );
            return SaidBackend::Bad;
        }
        match reader.text(&item, "a backend's name", |text| Ok(text.to_owned())) {
            Some(name) => SaidBackend::Named(name, Arc::clone(reader.source), item.span()),
            None => SaidBackend::Bad,
        }
    }

    /// Looks the backend up among the sorted `names`. One that nobody declares is reported once, and not at each route;
    /// where some file could not be read, it may be declared there.
    pub(super) fn resolve(
        self,
        names: &Arc<[String]>,
        incomplete: bool,
        found: &mut Vec<Diagnostic>,
    ) -> FileBackend {
        match self {
            SaidBackend::Unsaid => FileBackend::Unsaid,
            SaidBackend::Bad => FileBackend::Bad,
            SaidBackend::OnlyOf(name) => FileBackend::Is(name),
            SaidBackend::Named(name, ..) if names.binary_search(&name).is_ok() => FileBackend::Is(name),
            SaidBackend::Named(name, source, span) => {
                if !incomplete {
                    found.push(unknown(&name, &source, span, names));
                }
                FileBackend::Bad
            }
        }
    }
}

/// Says that no file declares a backend.
pub(super) fn unknown(
    name: &str,
    source: &Arc<Source>,
    span: Range<usize>,
    names: &Arc<[String]>,
) -> Diagnostic {
    let diagnostic =
        Diagnostic::new(format!("unknown backend `{name}`")).at(source, span, "declared in no file");
    if name.contains([':', '/']) {
        return diagnostic.help(format!(
            "a backend is called by its name; where its instances listen stands with it: [backends.NAME] with endpoints = [\"{name}\"]"
        ));
    }
    diagnostic.help_names(name, names)
}

/// Says that it might call several.
fn ambiguous(caller: &Caller<'_>, names: &Arc<[String]>) -> Diagnostic {
    let one = list_of_few(names, "or").map_or_else(String::new, |few| format!(" with one of {few}"));
    Diagnostic::new(format!("which backend does this {} call?", caller.what))
        .at(caller.source, caller.span.clone(), "names none, and there are several")
        .help(format!("write backend = \"…\"{one}; at the top of the file it holds for all of its routes"))
}

/// What calls a backend: a route or an authenticator.
pub(super) struct Caller<'a> {
    /// Which of the two.
    pub(super) what: &'static str,
    /// Where it stands.
    pub(super) source: &'a Arc<Source>,
    pub(super) span: &'a Range<usize>,
    /// The backend that it names.
    pub(super) backend: &'a NamedBackend,
    /// The first one that its split names, if it has one.
    pub(super) split: Option<&'a str>,
}

/// The backend that is called; one of the sorted `names`; what it could not be found for is reported.
pub(super) fn resolve(
    caller: &Caller<'_>,
    file: &FileBackend,
    names: &Arc<[String]>,
    incomplete: bool,
    found: &mut Vec<Diagnostic>,
) -> Option<String> {
    let Caller { what, source, span, backend, split } = caller;
    match backend {
        NamedBackend::Bad => return None,
        NamedBackend::Named(name, _) if names.binary_search(name).is_ok() => return Some(name.clone()),
        NamedBackend::Named(..) if incomplete => return None,
        NamedBackend::Named(name, at) => {
            found.push(unknown(name, source, at.clone(), names));
            return None;
        }
        NamedBackend::Only => {}
    }
    if let Some(name) = split {
        return Some((*name).to_owned());
    }
    match (file, &**names) {
        (FileBackend::Is(name), _) => Some(name.clone()),
        (FileBackend::Bad, _) => None,
        (FileBackend::Unsaid, _) if incomplete => None,
        (FileBackend::Unsaid, [only]) => Some(only.clone()),
        (FileBackend::Unsaid, []) => {
            found.push(
                Diagnostic::new(format!("there is no backend for this {what}"))
                    .at(source, (*span).clone(), "calls no one")
                    .help("declare one: [backends.shop] with endpoints = [\"127.0.0.1:7101\"]"),
            );
            None
        }
        (FileBackend::Unsaid, _) => {
            found.push(ambiguous(caller, names));
            None
        }
    }
}
