//! Routes that no request could tell apart.
//!
//! The router that will serve the paths decides, so that what is accepted here is accepted there. It says less than a
//! person wants to know; which route was first, and where it is written, is found here.

use super::diagnostics::Diagnostic;
use super::method::Method;
use super::route::Draft;
use std::collections::HashMap;

/// Reports every route that an earlier one stands in the way of, by building the router's own trees.
pub(super) fn find(drafts: &[Draft], found: &mut Vec<Diagnostic>) {
    for method in Method::ALL {
        let mut router = matchit::Router::new();
        let mut taken: HashMap<&str, &Draft> = HashMap::new();
        for draft in drafts {
            let Some((_, path)) = draft.matched.as_ref().filter(|(own, _)| *own == method) else {
                continue;
            };
            let Err(error) = router.insert(path.as_str(), ()) else {
                taken.insert(path.as_str(), draft);
                continue;
            };
            let named = match &error {
                matchit::InsertError::Conflict { with } => taken.get(with.as_str()).copied(),
                _ => None,
            };
            // The router may name a path that nobody wrote; then the first that it would not take beside this one.
            let other = named
                .or_else(|| taken.iter().find(|(other, _)| clash(other, path.as_str())).map(|(_, d)| *d));
            found.push(conflict(method, draft, other));
        }
    }
}

fn clash(one: &str, other: &str) -> bool {
    let mut router = matchit::Router::new();
    router.insert(one, ()).is_err() || router.insert(other, ()).is_err()
}

fn conflict(method: Method, draft: &Draft, other: Option<&Draft>) -> Diagnostic {
    let path = |draft: &Draft| draft.matched.as_ref().map(|(_, path)| path.to_string()).unwrap_or_default();
    let own = path(draft);
    let Some(other) = other else {
        return Diagnostic::new(format!("`{method} {own}` conflicts with other routes")).at(
            &draft.source,
            draft.span.clone(),
            "cannot be told apart from them",
        );
    };
    let theirs = path(other);
    let (title, label) = if own == theirs {
        (format!("`{method} {own}` is routed twice"), "again")
    } else {
        (format!("`{method} {own}` conflicts with `{method} {theirs}`"), "takes the same requests")
    };
    let diagnostic = Diagnostic::new(title).at(&draft.source, draft.span.clone(), label).at(
        &other.source,
        other.span.clone(),
        "first here",
    );
    if own.contains("{*") != theirs.contains("{*") {
        return diagnostic.note("where one route has a tail, another cannot have a parameter");
    }
    diagnostic
}
