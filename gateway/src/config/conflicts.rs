//! Routes that no request could tell apart.
//!
//! The router that will serve the paths decides, so that what is accepted here is accepted there. It says less than a
//! person wants to know; which route was first, and where it is written, is found here.

use super::diagnostics::Diagnostic;
use super::hosts;
use super::matcher::Matcher;
use super::route::Draft;
use crate::method::Method;
use callgate_tls::Name;
use std::collections::HashMap;

/// So many pairs of routes are tried to find out which stands in whose way, for all conflicts together. It takes a tenth of a
/// second.
const MOST_COMPARED: usize = 20_000;

/// All routes whose requests are known, in the order in which they are written.
pub(super) fn claims(drafts: &[Draft]) -> Vec<Claim<'_>> {
    drafts.iter().filter_map(|draft| Some(Claim { matcher: draft.matcher.as_ref()?, draft })).collect()
}

/// What a route wants to take, whatever it does with it.
#[derive(Clone, Copy)]
pub(super) struct Claim<'d> {
    pub(super) matcher: &'d Matcher,
    pub(super) draft: &'d Draft,
}

/// The routes of a method that are found under one host.
#[derive(Default)]
struct Tree<'c, 'd> {
    router: matchit::Router<()>,
    taken: HashMap<&'c str, &'c Claim<'d>>,
    in_order: Vec<&'c Claim<'d>>,
}

/// Reports every route that an earlier one stands in the way of, by building the router's own trees.
pub(super) fn find(claims: &[Claim<'_>], found: &mut Vec<Diagnostic>) {
    let mut pairs = MOST_COMPARED;
    for method in Method::ALL {
        let mut trees: HashMap<Option<&Name>, Tree<'_, '_>> = HashMap::new();
        for claim in claims.iter().filter(|claim| claim.matcher.method == method) {
            let path = claim.matcher.path.as_str();
            for host in claim.matcher.hosts.names() {
                let tree = trees.entry(host).or_default();
                let Err(error) = tree.router.insert(path, ()) else {
                    tree.taken.insert(path, claim);
                    tree.in_order.push(claim);
                    continue;
                };
                let named = match &error {
                    matchit::InsertError::Conflict { with } => tree.taken.get(with.as_str()).copied(),
                    _ => None,
                };
                // The router may name a path that nobody wrote; then the first that it would not take beside this one.
                let other = named.or_else(|| first_clash(&tree.in_order, path, &mut pairs));
                found.push(conflict(claim, host, other));
                break;
            }
        }
    }
}

/// The first of the routes that stands in the way of a path; none where the pairs are used up before.
fn first_clash<'c, 'd>(taken: &[&'c Claim<'d>], path: &str, pairs: &mut usize) -> Option<&'c Claim<'d>> {
    for one in taken {
        *pairs = pairs.checked_sub(1)?;
        if clash(one.matcher.path.as_str(), path) {
            return Some(one);
        }
    }
    None
}

fn clash(one: &str, other: &str) -> bool {
    let mut router = matchit::Router::new();
    router.insert(one, ()).is_err() || router.insert(other, ()).is_err()
}

/// A route of that host, which another one stands in the way of.
fn conflict(claim: &Claim<'_>, host: Option<&Name>, other: Option<&Claim<'_>>) -> Diagnostic {
    let Matcher { method, path: own, .. } = claim.matcher;
    let host = host.map(hosts::shown).unwrap_or_default();
    let (source, span) = (&claim.draft.source, claim.draft.span.clone());
    let Some(other) = other else {
        return Diagnostic::new(format!("`{method} {host}{own}` conflicts with other routes")).at(
            source,
            span,
            "cannot be told apart from them",
        );
    };
    let theirs = &other.matcher.path;
    let (title, label) = if own == theirs {
        (format!("`{method} {host}{own}` is routed twice"), "again")
    } else {
        (
            format!("`{method} {host}{own}` conflicts with `{method} {host}{theirs}`"),
            "takes the same requests",
        )
    };
    let diagnostic = Diagnostic::new(title).at(source, span, label).at(
        &other.draft.source,
        other.draft.span.clone(),
        "first here",
    );
    if own.has_tail() != theirs.has_tail() {
        return diagnostic.note("where one route has a tail, another cannot have a parameter");
    }
    diagnostic
}
