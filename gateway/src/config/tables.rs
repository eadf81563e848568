//! All watched files together: the backends, the routes, and whether the two fit.
//!
//! A table is taken whole or not at all. What spans files is checked here, after each file has been read by itself:
//! names declared twice, routes to backends that nobody declares, routes that no request could tell apart.

use super::action::ActionDraft;
use super::auth::{AuthSpec, Authenticators};
use super::backend::BackendSpec;
use super::balance::Params;
use super::certificate::{CertificateSpec, Certificates};
use super::conflicts;
use super::defaults::Defaults;
use super::destinations;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::files;
use super::name;
use super::reader::{Item, Reader};
use super::rewrites;
use super::route::{Draft, RouteSpec};
use super::route_backend::{Caller, FileBackend, SaidBackend, resolve};
use super::route_limits::SharedLimits;
use super::source::Source;
use super::tool_names;
use super::who_may_call;
use super::{accepted, file_keys};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// The sections of the gateway's own file, which people write here by mistake.
const SETTINGS: &[&str] = &["server", "admin", "tables", "log", "upgrade", "dns"];

/// Everything the watched files declare, checked.
#[derive(Clone, Debug)]
pub struct Tables {
    /// Tells this table from others.
    pub hash: TableHash,
    /// The backends, sorted by name.
    pub backends: Vec<BackendSpec>,
    /// The routes, in the order of the files. Those that call name a backend of [`Tables::backends`].
    pub routes: Vec<RouteSpec>,
    /// The certificates, in the order of the files. What is in their own files is not looked at here.
    pub certificates: Vec<CertificateSpec>,
    /// The authenticators, sorted by name. What is in their own files is not looked at here.
    pub authenticators: Vec<Arc<AuthSpec>>,
    /// The differences to tables before that are accepted, in all files.
    pub accepted: Vec<String>,
    /// The files it was read from, sorted.
    pub files: Vec<PathBuf>,
    /// Those of them in which nothing stands.
    pub empty: Vec<PathBuf>,
    /// Their texts, for what is wrong with them in view of an instance.
    pub(super) sources: Vec<Arc<Source>>,
}

impl Tables {
    /// Reads and checks all watched files. No file at all is an empty table.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with any of them, a watched path that leads nowhere among it.
    pub fn load(watch: &[PathBuf]) -> Result<Tables, Diagnostics> {
        let (sources, found) = read(watch);
        check(sources, found)
    }

    /// The same, unless the files are those of the table with this hash, as it is written: then they are not looked into.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load).
    pub fn load_unless(watch: &[PathBuf], hash: &str) -> Result<Option<Tables>, Diagnostics> {
        let (sources, found) = read(watch);
        if found.is_empty() && TableHash::of(&sources).to_string() == hash {
            return Ok(None);
        }
        check(sources, found).map(Some)
    }

    /// The files.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().map(Arc::as_ref)
    }

    /// Checks files that are already read.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with any of them.
    pub fn parse(sources: Vec<Source>) -> Result<Tables, Diagnostics> {
        check(sources, Vec::new())
    }
}

/// A short name of a table: 64 bits over the names and contents of its files, the same wherever these are the same.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct TableHash(u64);

impl TableHash {
    /// FNV-1a over each file's name (without its folder) and content, each with its length before it.
    fn of(sources: &[Source]) -> TableHash {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        let mut eat = |bytes: &[u8]| {
            let length = (bytes.len() as u64).to_le_bytes();
            for byte in length.iter().chain(bytes) {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
            }
        };
        for source in sources {
            eat(source.path().file_name().unwrap_or_default().as_encoded_bytes());
            eat(source.text().as_bytes());
        }
        TableHash(hash)
    }
}

impl fmt::Display for TableHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// What the files declare, before it is checked across files.
#[derive(Default)]
struct Declared {
    backends: BTreeMap<String, Declaration>,
    drafts: Vec<Draft>,
    /// What each file says of its routes' backend.
    files: Vec<SaidBackend>,
    limits: SharedLimits,
    certificates: Certificates,
    authenticators: Authenticators,
    accepted: Vec<String>,
    /// Some file could not be read, so that what is missing may stand there.
    incomplete: bool,
}

struct Declaration {
    source: Arc<Source>,
    span: Range<usize>,
    spec: Option<BackendSpec>,
}

impl Declaration {
    /// What is wrong with a backend in view of all routes.
    fn check(&self, params: &Params) -> Option<Diagnostic> {
        let spec = self.spec.as_ref()?;
        let diagnostic = spec.balance.check(&spec.name, params)?;
        Some(diagnostic.at(&self.source, self.span.clone(), "declared here"))
    }
}

/// Reads the watched files; what could not be read is among the diagnostics.
fn read(watch: &[PathBuf]) -> (Vec<Source>, Vec<Diagnostic>) {
    let gathered = files::gather(watch);
    let unreadable = gathered.unreadable.iter().map(|(path, error)| {
        Diagnostic::unreadable(path, error).help("`watch` in [tables] of gateway.toml names it")
    });
    let mut found: Vec<Diagnostic> = unreadable.collect();
    let mut sources = Vec::new();
    for path in &gathered.files {
        match files::source(path) {
            Ok(source) => sources.push(source),
            Err(diagnostic) => found.push(diagnostic),
        }
    }
    (sources, found)
}

fn check(sources: Vec<Source>, mut found: Vec<Diagnostic>) -> Result<Tables, Diagnostics> {
    let hash = TableHash::of(&sources);
    let sources: Vec<Arc<Source>> = sources.into_iter().map(Arc::new).collect();
    let mut declared = Declared { incomplete: !found.is_empty(), ..Declared::default() };
    for source in &sources {
        let mut reader = Reader::new(source);
        match reader.document() {
            Some(document) => declared.read(&mut reader, document.get_ref()),
            None => declared.incomplete = true,
        }
        found.append(&mut reader.found);
    }
    let claims = conflicts::claims(&declared.drafts);
    conflicts::find(&claims, &mut found);
    // Where a route cannot be read, nobody knows what it would have matched.
    let all_are_known = claims.len() == declared.drafts.len();
    if all_are_known && !declared.incomplete {
        rewrites::check(&claims, &mut found);
    }
    let names: Arc<[String]> = declared.backends.keys().cloned().collect();
    let resolve_file = |said: SaidBackend| said.resolve(&names, declared.incomplete, &mut found);
    let files: Vec<FileBackend> = declared.files.into_iter().map(resolve_file).collect();
    declared.authenticators.resolve(&files, &names, declared.incomplete, &mut found);
    tool_names::check(&declared.drafts, &mut found);
    who_may_call::check(&declared.drafts, &declared.authenticators, declared.incomplete, &mut found);
    let mut routes = Vec::with_capacity(declared.drafts.len());
    for mut draft in declared.drafts {
        if draft.policy.rate_limits.are_wanted() {
            let limits = &mut Arc::make_mut(&mut draft.policy).rate_limits;
            limits.resolve(&declared.limits, &draft.source, declared.incomplete, &mut found);
        }
        found.extend(who_may_call::limits(&draft));
        found.extend(who_may_call::split(&draft));
        who_may_call::bound(&draft, &mut found);
        who_may_call::headers(&draft, &mut found);
        who_may_call::rules(&draft, &mut found);
        let ActionDraft::Call(call) = &draft.action else {
            routes.extend(draft.finish(None));
            continue;
        };
        let file = files.get(draft.file).unwrap_or(&FileBackend::Unsaid);
        let (source, span, split) = (&draft.source, &draft.span, call.policy.split.first_of_named());
        let caller = Caller { what: "route", source, span, backend: &call.backend, split };
        let backend = resolve(&caller, file, &names, declared.incomplete, &mut found);
        let named = backend.as_deref();
        destinations::check(&call.policy, &draft.source, named, &names, declared.incomplete, &mut found);
        routes.extend(backend.and_then(|name| draft.finish(Some(name))));
    }
    if found.is_empty() {
        let params = Params::of(&routes);
        found.extend(declared.backends.values().filter_map(|declaration| declaration.check(&params)));
    }
    let certificates = declared.certificates.finish(&mut found);
    Diagnostics::none_or(found)?;
    let path = |source: &Arc<Source>| source.path().to_path_buf();
    Ok(Tables {
        hash,
        backends: declared.backends.into_values().filter_map(|declaration| declaration.spec).collect(),
        routes,
        certificates,
        authenticators: declared.authenticators.finish(),
        accepted: declared.accepted,
        files: sources.iter().map(path).collect(),
        empty: sources.iter().filter(|source| source.text().trim().is_empty()).map(path).collect(),
        sources,
    })
}

impl Declared {
    /// Reads one file.
    fn read(&mut self, reader: &mut Reader<'_>, document: &DeTable<'_>) {
        let elsewhere = "a setting of the gateway itself; it belongs into gateway.toml and needs a restart";
        let section =
            reader.section_beside("a table file", document, file_keys::entries(), SETTINGS, elsewhere);
        let number = self.files.len();
        let file = Defaults::read(reader, &section, number);
        let own = section.get("backends").and_then(|item| match item.value.get_ref() {
            DeValue::Table(backends) => Some(backends),
            _ => None,
        });
        let own = own.into_iter().flat_map(|backends| backends.keys().map(|key| key.get_ref().as_ref()));
        self.files.push(SaidBackend::read(reader, &section, own));
        if let Some(item) = section.get("backends")
            && let Some(backends) = reader.table(&item, "tables, each written [backends.name]")
        {
            self.backends(reader, &item, backends);
        }
        self.limits.read(reader, &section);
        self.certificates.read(reader, &section);
        self.authenticators.read(reader, &section, number);
        self.accepted.extend(accepted::read(reader, &section));
        if let Some(item) = section.get("routes")
            && let Some(routes) = reader.array(&item, "tables, each written [[routes]]")
        {
            self.drafts.reserve(routes.len());
            for route in routes {
                match route.get_ref() {
                    DeValue::Table(table) => {
                        self.drafts.extend(Draft::read(reader, table, route.span(), &file));
                    }
                    _ => drop(reader.wrong_type::<()>("routes", route, "tables, each written [[routes]]")),
                }
            }
        }
    }

    fn backends(&mut self, reader: &mut Reader<'_>, of: &Item<'_>, backends: &DeTable<'_>) {
        for (key, value) in backends {
            let name = key.get_ref().as_ref();
            let item = of.named(key, value);
            if let Some(reason) = name::error(name) {
                reader.report(Diagnostic::new(format!("`{name}` cannot name a backend")).at(
                    reader.source,
                    key.span(),
                    reason,
                ));
            }
            let spec = reader
                .table(&item, "a table, written [backends.name]")
                .and_then(|table| BackendSpec::read(reader, name, table, &item));
            match self.backends.get(name) {
                Some(first) => reader.report(
                    Diagnostic::new(format!("backend `{name}` is declared twice"))
                        .at(reader.source, key.span(), "again")
                        .at(&first.source, first.span.clone(), "first here"),
                ),
                None => {
                    let declaration =
                        Declaration { source: Arc::clone(reader.source), span: key.span(), spec };
                    self.backends.insert(name.to_owned(), declaration);
                }
            }
        }
    }
}
