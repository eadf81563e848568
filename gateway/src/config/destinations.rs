//! Whether a route's calls, their copies and its fallback go where they can: looked at when the backends of all files are known.

use super::call_policy::CallPolicy;
use super::destination::DestinationSpec;
use super::diagnostics::Diagnostic;
use super::route_backend;
use super::source::Source;
use std::sync::Arc;

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
    let whither = |to: &DestinationSpec| {
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
