//! Rewrites that lead nowhere, or to another rewrite, as far as that can be seen before there is a request.
//!
//! A request is looked up again once. Where a rewrite leads depends on the request's parameters; what can be seen is where
//! it leads with parameters that are no literal of any route. Should one lead to a rewrite by a special value, as `/a/{x}`
//! to `/b/{x}` beside a rewrite of `/b/special`, that request fails when it comes.

use super::conflicts::Claim;
use super::diagnostics::{Diagnostic, list, nearest};
use super::method::Method;
use super::path::PathTemplate;
use super::target::{Piece, RewriteTarget};
use matchit::Router;

/// A segment that is no literal of any path, because none has this character.
const ANY: &str = "\u{1}";

/// Reports the rewrites that lead nowhere or to another rewrite. The claims are known not to be in conflict.
pub(super) fn check(claims: &[Claim<'_>], found: &mut Vec<Diagnostic>) {
    for method in Method::ALL {
        let own = || claims.iter().filter(move |claim| claim.method == method);
        if !own().any(|claim| is_rewrite(claim)) {
            continue;
        }
        let mut router = Router::new();
        for claim in own() {
            // One that does not go in is in conflict, which is reported.
            let _ = router.insert(claim.path.as_str(), claim);
        }
        for claim in own() {
            let Some(target) = claim.fixed.and_then(|fixed| fixed.rewrite()) else { continue };
            match router.at(&example(&target.pieces)) {
                Ok(next) if is_rewrite(next.value) => found.push(again(claim, next.value)),
                Ok(_) => {}
                Err(_) if own().any(|other| may_match(&target.path, other.path)) => {}
                Err(_) => found.push(nowhere(claim, target, claims)),
            }
        }
    }
}

/// A path that a rewrite leads to.
fn example(pieces: &[Piece]) -> String {
    let text = |piece: &'_ Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Value(_) | Piece::Tail(_) => ANY.to_owned(),
    };
    pieces.iter().map(text).collect()
}

/// Whether there may be a path that both templates match.
fn may_match(one: &PathTemplate, other: &PathTemplate) -> bool {
    let (mut ones, mut others) = (one.segments(), other.segments());
    loop {
        match (ones.next(), others.next()) {
            (Some(a), Some(b)) if a.starts_with("{*") || b.starts_with("{*") => return true,
            (Some(a), Some(b)) if a == b || a.starts_with('{') || b.starts_with('{') => {}
            (None, None) => return true,
            _ => return false,
        }
    }
}

/// It leads to a rewrite, perhaps to itself.
fn again(claim: &Claim<'_>, next: &Claim<'_>) -> Diagnostic {
    let title = format!("the rewrite of `{} {}` leads to a rewrite", claim.method, claim.path);
    let diagnostic = Diagnostic::new(title).at(claim.source, at(claim), "a request is looked up again once");
    if std::ptr::eq(claim, next) {
        return diagnostic.note("it leads to itself");
    }
    diagnostic
        .at(next.source, next.span.clone(), "leads here")
        .help("write the path of the route that answers")
}

/// No route has its target's path.
fn nowhere(claim: &Claim<'_>, target: &RewriteTarget, claims: &[Claim<'_>]) -> Diagnostic {
    let (method, path) = (claim.method, &target.path);
    let title = format!("the rewrite of `{method} {}` leads nowhere", claim.path);
    let label = format!("no route matches `{method} {path}`");
    let diagnostic = Diagnostic::new(title).at(claim.source, at(claim), label);
    let reaches = |path: &PathTemplate, other: Method| {
        claims.iter().any(|claim| claim.method == other && may_match(path, claim.path))
    };
    let others: Vec<&str> =
        Method::ALL.into_iter().filter(|other| reaches(path, *other)).map(Method::as_str).collect();
    if !others.is_empty() {
        return diagnostic
            .note(format!("a rewrite keeps the method, and there is only {}", list(&others, "and")));
    }
    let prefix = claim.fixed.and_then(|fixed| fixed.prefix.as_ref());
    let behind = prefix.and_then(|prefix| PathTemplate::below(prefix, path.as_str()).ok());
    if let Some(behind) = behind.filter(|path| reaches(path, method)) {
        let note = "`prefix` is put before what the file's routes match, not before where they lead";
        return diagnostic.note(note).help(format!("write \"{behind}\""));
    }
    let paths = claims.iter().filter(|other| other.method == method && !is_rewrite(other));
    let paths: Vec<(String, &PathTemplate)> =
        paths.map(|claim| (without_names(claim.path), claim.path)).collect();
    let near = nearest(&without_names(path), paths.iter().map(|(shape, _)| shape.as_str()));
    match paths.iter().find(|(shape, _)| near == Some(shape)) {
        Some((_, near)) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

/// A path as it is whatever its parameters are called.
fn without_names(path: &PathTemplate) -> String {
    let shape =
        |segment: &str| if segment.starts_with('{') { "/{}".to_owned() } else { format!("/{segment}") };
    path.segments().map(shape).collect()
}

fn is_rewrite(claim: &Claim<'_>) -> bool {
    claim.fixed.is_some_and(|fixed| fixed.rewrite().is_some())
}

fn at(claim: &Claim<'_>) -> std::ops::Range<usize> {
    claim.fixed.map_or_else(|| claim.span.clone(), |fixed| fixed.answer_span.clone())
}
