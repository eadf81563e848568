//! Whom a part of a route's calls goes to: a backend, the instances of a version, or both. Shared by `split`, `shadow` and
//! `fallback`, whose backends are looked up here when all files are read.

use super::call_policy::CallPolicy;
use super::complaint::Complaint;
use super::diagnostics::Diagnostic;
use super::reader::{Item, Reader, Section};
use super::route_backend;
use super::source::Source;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use toml::de::DeValue;

/// The longest version, in bytes.
const MAX_VERSION: usize = 64;

/// Whom calls go to. What is not said is as the route says.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Destination {
    /// The backend's name. Where there is one, a backend of that name is declared.
    pub backend: Option<String>,
    /// Only instances that say so of the method's service; 1 to 64 bytes.
    pub version: Option<String>,
    pub(super) spot: Spot,
}

/// Where something stands in its file. All are equal: what only moved has not changed.
#[derive(Clone, Debug, Default)]
pub(super) struct Spot(pub(super) Range<usize>);

impl PartialEq for Spot {
    fn eq(&self, _: &Spot) -> bool {
        true
    }
}

impl Eq for Spot {}

impl Destination {
    /// Reads the keys `backend` and `version` of something that stands there.
    pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, whole: Range<usize>) -> Destination {
        let backend = section.get("backend");
        let spot = Spot(backend.as_ref().map_or(whole, Item::span));
        let backend =
            backend.and_then(|item| reader.text(&item, "a backend's name", |text| Ok(text.to_owned())));
        let version = section.get("version").and_then(|item| version(reader, &item));
        Destination { backend, version, spot }
    }

    /// Whether it says anything. Where something must be said, it is reported already that it does not.
    fn is_said(&self) -> bool {
        self.backend.is_some() || self.version.is_some()
    }

    /// The same with nothing left unsaid.
    pub(super) fn within<'d>(
        &'d self,
        backend: &'d str,
        version: Option<&'d str>,
    ) -> (&'d str, Option<&'d str>) {
        (self.backend.as_deref().unwrap_or(backend), self.version.as_deref().or(version))
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.version.as_ref().map(|version| format!("@{version}")).unwrap_or_default();
        write!(f, "{}{at}", self.backend.as_deref().unwrap_or_default())
    }
}

/// Reads a version, as instances say it.
pub(super) fn version(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<String> {
    if let DeValue::Integer(number) = item.value.get_ref() {
        let complaint = Complaint::new("a version is a text", "in quotes?");
        return reader.complain(item, complaint.help(format!("write \"{number}\"")));
    }
    reader.text(item, "a version such as \"2\"", |text| {
        let well = (1..=MAX_VERSION).contains(&text.len()) && !text.chars().any(char::is_control);
        let bad = || Complaint::new("not a version", format!("expected 1 to {MAX_VERSION} bytes of text"));
        well.then(|| text.to_owned()).ok_or_else(bad)
    })
}

/// Looks at the destinations of a route's policy when all backends are known: each must be one of the sorted `names`, and none
/// without effect beside the route's own `backend`, where that was found.
pub(super) fn check(
    policy: &CallPolicy,
    source: &Arc<Source>,
    backend: Option<&str>,
    names: &Arc<[String]>,
    incomplete: bool,
    found: &mut Vec<Diagnostic>,
) {
    for destination in policy.destinations() {
        let Some(name) = destination.backend.as_ref().filter(|name| names.binary_search(name).is_err())
        else {
            continue;
        };
        if !incomplete {
            found.push(route_backend::unknown(name, source, destination.spot.0.clone(), names));
        }
    }
    if let Some(backend) = backend {
        twice(policy, source, backend, found);
        nowhere_else(policy, source, backend, found);
    }
}

/// Reports targets that go where another one goes.
fn twice(policy: &CallPolicy, source: &Arc<Source>, backend: &str, found: &mut Vec<Diagnostic>) {
    let split = &policy.split;
    let whither = |to: &Destination| {
        let (backend, version) = to.within(backend, split.version.as_deref());
        (backend.to_owned(), version.map(str::to_owned))
    };
    for (at, target) in split.targets.iter().enumerate().filter(|(_, target)| target.to.is_said()) {
        let mut before = split.targets[..at].iter();
        if let Some(first) = before.find(|other| whither(&other.to) == whither(&target.to)) {
            found.push(
                Diagnostic::new("two arms of `split` go to the same instances")
                    .at(source, target.to.spot.0.clone(), "again")
                    .at(source, first.to.spot.0.clone(), "first here")
                    .help("an arm may have a weight and headers: { weight = 5, header = [\"x-canary: yes\"], … }"),
            );
        }
    }
}

/// Reports a copy or a fallback that goes to where the calls themselves go.
fn nowhere_else(policy: &CallPolicy, source: &Arc<Source>, backend: &str, found: &mut Vec<Diagnostic>) {
    if !policy.split.targets.is_empty() {
        return;
    }
    let own = (backend, policy.split.version.as_deref());
    let shadow = policy.shadow.iter().map(|shadow| ("shadow", &shadow.to));
    let fallback = policy.fallback.iter().filter_map(|fallback| fallback.destination());
    for (key, to) in shadow.chain(fallback.map(|to| ("fallback", to))) {
        if to.is_said() && to.within(backend, None) == own {
            found.push(
                Diagnostic::new(format!("`{key}` names the instances that the route calls anyway"))
                    .at(source, to.spot.0.clone(), "expected others")
                    .help("write another backend, or another version"),
            );
        }
    }
}
