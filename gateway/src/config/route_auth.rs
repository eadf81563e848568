//! `auth`: who may call, as a route or a file says it: the names of authenticators, which are tried in that order. `anonymous` is the
//! word for callers who show nothing. `require` says what callers need beside (`require.rs`).

use super::auth::{ANONYMOUS, AuthSpec, Authenticators, Found};
use super::complaint::Complaint;
use super::diagnostics::Diagnostic;
use super::reader::{Item, Reader};
use super::shape::Shape;
use super::source::Source;
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use toml::de::DeValue;

const EXPECTED: &str = "the name of an authenticator such as \"staff\", or an array of such";
/// Authenticators of one route.
const MOST: usize = 8;

/// What `auth` of a route may be.
pub(super) const SHAPE: Shape = Shape::OneOf(&[Shape::Text, Shape::List(&Shape::Text, 1..=MOST)]);

/// Who may call a route. Without, it was not said: everybody.
#[derive(Clone, Debug, Default)]
pub struct RouteAuth(Option<Arc<Said>>);

/// What was said, once for all routes of a file that say nothing else.
#[derive(Debug)]
struct Said {
    names: Vec<(Box<str>, Range<usize>)>,
    admits_anonymous: bool,
    source: Arc<Source>,
    span: Range<usize>,
    /// The authenticators of these names, once all files are read.
    specs: OnceLock<Vec<Arc<AuthSpec>>>,
}

impl PartialEq for RouteAuth {
    fn eq(&self, other: &RouteAuth) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other) || one.says_like(other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}

impl Said {
    /// Whether it says the same. The names are compared too: a route's word and its file's are, before these are looked up.
    fn says_like(&self, other: &Said) -> bool {
        let (names, others) = (self.names.iter(), other.names.iter());
        self.admits_anonymous == other.admits_anonymous
            && names.map(|(name, _)| name).eq(others.map(|(name, _)| name))
            && self.specs.get() == other.specs.get()
    }
}

impl Eq for RouteAuth {}

impl RouteAuth {
    /// The authenticators, in the order in which they are tried.
    pub fn specs(&self) -> &[Arc<AuthSpec>] {
        self.0.as_ref().and_then(|said| said.specs.get()).map_or(&[], Vec::as_slice)
    }

    /// Whether it is said who may call.
    pub fn is_said(&self) -> bool {
        self.0.is_some()
    }

    /// Whether those may call who show nothing.
    pub fn admits_anonymous(&self) -> bool {
        self.0.as_ref().is_none_or(|said| said.admits_anonymous)
    }

    /// Their names, as the table has them.
    pub fn shown(&self) -> Vec<&str> {
        let names = self.specs().iter().map(|spec| &*spec.name);
        names.chain((self.is_said() && self.admits_anonymous()).then_some(ANONYMOUS)).collect()
    }

    /// Whether no caller ever has an identity.
    pub(super) fn identifies_nobody(&self) -> bool {
        self.0.as_ref().is_none_or(|said| said.names.is_empty())
    }

    /// Whether some caller may have such a claim. One that is not resolved may have any.
    pub(super) fn may_claim(&self, name: &str) -> bool {
        let specs = self.specs();
        let unresolved = self.0.as_ref().is_some_and(|said| specs.len() < said.names.len());
        unresolved || specs.iter().any(|spec| spec.kind.may_claim(name))
    }

    /// The same, or what the file says where this says nothing.
    pub(super) fn or(self, file: &RouteAuth) -> RouteAuth {
        RouteAuth(self.0.or_else(|| file.0.clone()))
    }

    /// Reads the `auth` of a route, or of a file where that is no table of authenticators.
    pub(super) fn read(reader: &mut Reader<'_>, item: &Item<'_>) -> RouteAuth {
        let before = reader.found.len();
        let names = match item.value.get_ref() {
            DeValue::Array(_) => reader.texts(item, "[\"staff\", \"anonymous\"]", name),
            _ => reader.text(item, EXPECTED, name).map(|name| vec![(name, item.span())]),
        };
        let mut names = names.unwrap_or_default();
        reader.twice("authenticator", names.iter().map(|(name, span)| (name, span)));
        if names.is_empty() && reader.found.len() == before {
            let complaint = Complaint::new("`auth` is empty", "nobody could call");
            reader.complain::<()>(item, complaint.help("to let everybody in write auth = \"anonymous\""));
        }
        if names.len() > MOST {
            let title = format!("`auth` has {} authenticators", names.len());
            reader.complain::<()>(item, Complaint::new(title, format!("expected at most {MOST}")));
        }
        let anonymous = names.iter().position(|(name, _)| &**name == ANONYMOUS);
        if let Some(at) = anonymous.filter(|at| at + 1 < names.len()) {
            let title = "`anonymous` stands last: it lets those in who show nothing";
            let diagnostic = Diagnostic::new(title).at(reader.source, names[at].1.clone(), "others follow");
            reader.report(diagnostic.note("a caller who shows something bad is refused in any case"));
        }
        names.retain(|(name, _)| &**name != ANONYMOUS);
        RouteAuth(Some(Arc::new(Said {
            names,
            admits_anonymous: anonymous.is_some(),
            source: Arc::clone(reader.source),
            span: item.span(),
            specs: OnceLock::new(),
        })))
    }

    /// Looks the names up. Where what is missing may stand in a file that could not be read, nothing is said of it.
    pub(super) fn resolve(&self, all: &Authenticators, incomplete: bool, found: &mut Vec<Diagnostic>) {
        let Some(said) = &self.0 else { return };
        said.specs.get_or_init(|| {
            let mut specs = Vec::with_capacity(said.names.len());
            for (name, span) in &said.names {
                match all.find(name) {
                    Found::Spec(spec) => specs.push(spec.clone()),
                    Found::Unknown if !incomplete => found.push(
                        Diagnostic::new(format!("unknown authenticator `{name}`"))
                            .at(&said.source, span.clone(), "declared in no file")
                            .help_names(name, all.names()),
                    ),
                    Found::Bad | Found::Unknown => {}
                }
            }
            specs
        });
    }

    /// Where it is said.
    pub(super) fn place(&self) -> Option<(&Arc<Source>, &Range<usize>)> {
        self.0.as_ref().map(|said| (&said.source, &said.span))
    }
}

fn name(text: &str) -> Result<Box<str>, Complaint> {
    match text.is_empty() {
        true => Err(Complaint::new("an authenticator without a name", "expected a name")),
        false => Ok(text.into()),
    }
}
