//! Rewrites that lead nowhere, or to another rewrite, as far as that can be seen before there is a request.
//!
//! A request is looked up again once. Where a rewrite leads depends on the request's parameters; what can be seen is where
//! it leads with parameters that are no literal of any route. Should one lead to a rewrite by a special value, as `/a/{x}`
//! to `/b/{x}` beside a rewrite of `/b/special`, that request fails when it comes.

use super::action::{ActionDraft, ActionSpec};
use super::conflicts::Claim;
use super::diagnostics::{Diagnostic, MAX_RENDERED};
use super::path::PathTemplate;
use super::suggest::{Work, list, nearest_within};
use super::target::{Piece, RewriteTarget};
use crate::method::Method;
use callgate_tls::Name;
use matchit::Router;
use std::collections::HashMap;
use std::ops::Range;

/// So many segments are compared with one another, for all rewrites together. It takes a tenth of a second.
const MOST_STEPS: usize = 1_000_000;

/// A segment that is no literal of any path, because none has this character.
const ANY: &str = "\u{1}";

/// Reports the rewrites that lead nowhere or to another rewrite. The claims are known not to be in conflict.
pub(super) fn check(claims: &[Claim<'_>], found: &mut Vec<Diagnostic>) {
    let mut search = Search { claims, left: MOST_STEPS, shown: MAX_RENDERED, work: Work::for_one_text() };
    for method in Method::ALL {
        let own = || claims.iter().filter(move |claim| claim.matcher.method == method);
        if !own().any(|claim| rewrite(claim).is_some()) {
            continue;
        }
        let mut trees: HashMap<Option<Name>, Router<&Claim<'_>>> = HashMap::new();
        for claim in own() {
            for host in claim.matcher.hosts.names() {
                // One that does not go in is in conflict, which is reported.
                let _ = trees.entry(host.cloned()).or_default().insert(claim.matcher.path.as_str(), claim);
            }
        }
        for claim in own() {
            let Some(target) = rewrite(claim) else { continue };
            let path = example(&target.pieces);
            let at = |host: &Option<Name>| Some(*trees.get(host)?.at(&path).ok()?.value);
            for host in claim.matcher.hosts.names() {
                match looked_up(host).iter().find_map(at) {
                    Some(next) if rewrite(next).is_some() => found.push(again(claim, next)),
                    Some(_) => continue,
                    None if search.reaches(&target.path, method) => continue,
                    None => found.push(search.nowhere(claim, target)),
                }
                break;
            }
        }
    }
}

/// Under which names requests of a host are looked up, in order.
fn looked_up(host: Option<&Name>) -> Vec<Option<Name>> {
    let wildcard = match host {
        Some(Name::Dns(name)) => name.split_once('.').map(|(_, rest)| Some(Name::Wildcard(rest.to_owned()))),
        _ => None,
    };
    [Some(host.cloned()), wildcard, Some(None)].into_iter().flatten().collect()
}

/// A path that a rewrite leads to.
fn example(pieces: &[Piece]) -> String {
    let text = |piece: &'_ Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Value(_) | Piece::Tail(_) => ANY.to_owned(),
    };
    pieces.iter().map(text).collect()
}

/// It leads to a rewrite, perhaps to itself.
fn again(claim: &Claim<'_>, next: &Claim<'_>) -> Diagnostic {
    let title = format!("the rewrite of `{}` leads to a rewrite", claim.matcher);
    let diagnostic =
        Diagnostic::new(title).at(&claim.draft.source, at(claim), "a request is looked up again once");
    if std::ptr::eq(claim.draft, next.draft) {
        return diagnostic.note("it leads to itself");
    }
    diagnostic
        .at(&next.draft.source, next.draft.span.clone(), "leads here")
        .help("write the path of the route that replies")
}

/// Looks through all routes, for what the router cannot tell: within a bound of work, since there may be thousands of rewrites
/// beside thousands of routes.
struct Search<'c, 'd> {
    claims: &'c [Claim<'d>],
    /// Steps that may still be taken.
    left: usize,
    /// So many mistakes may still be shown, and get help.
    shown: usize,
    /// What may still be spent on finding what was meant.
    work: Work,
}

impl Search<'_, '_> {
    /// Whether there may be a path of that template that some route with the method matches. What is not found out within the
    /// bound is taken for sound.
    fn reaches(&mut self, path: &PathTemplate, method: Method) -> bool {
        for claim in self.claims {
            if self.left == 0 {
                return true;
            }
            self.left -= 1;
            if claim.matcher.method == method && may_match(path, &claim.matcher.path, &mut self.left) {
                return true;
            }
        }
        self.left == 0
    }

    /// No route has its target's path.
    fn nowhere(&mut self, claim: &Claim<'_>, target: &RewriteTarget) -> Diagnostic {
        let (method, path) = (claim.matcher.method, &target.path);
        let title = format!("the rewrite of `{}` leads nowhere", claim.matcher);
        let label = format!("no route matches `{method} {path}`");
        let diagnostic = Diagnostic::new(title).at(&claim.draft.source, at(claim), label);
        if self.shown == 0 {
            return diagnostic;
        }
        self.shown -= 1;
        let others: Vec<&str> =
            Method::ALL.into_iter().filter(|other| self.reaches(path, *other)).map(Method::as_str).collect();
        let prefix = claim.draft.prefix.as_deref();
        let behind = prefix.and_then(|prefix| PathTemplate::below(prefix, path.as_str()).ok());
        let behind = behind.filter(|path| self.reaches(path, method));
        if self.left == 0 {
            return diagnostic;
        }
        if !others.is_empty() {
            return diagnostic
                .note(format!("a rewrite keeps the method, and there is only {}", list(&others, "and")));
        }
        if let Some(behind) = behind {
            let note = "`prefix` is put before what the file's routes match, not before where they lead";
            return diagnostic.note(note).help(format!("write \"{behind}\""));
        }
        let paths =
            self.claims.iter().filter(|other| other.matcher.method == method && rewrite(other).is_none());
        let paths: Vec<(String, &PathTemplate)> =
            paths.map(|claim| (without_names(&claim.matcher.path), &claim.matcher.path)).collect();
        let shapes = paths.iter().map(|(shape, _)| shape.as_str());
        let near = nearest_within(&without_names(path), shapes, &mut self.work);
        match paths.iter().find(|(shape, _)| near == Some(shape)) {
            Some((_, near)) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        }
    }
}

/// Whether there may be a path that both templates match. Takes a step for each segment; where none is left it says no.
fn may_match(one: &PathTemplate, other: &PathTemplate, steps: &mut usize) -> bool {
    let (mut ones, mut others) = (one.segments(), other.segments());
    while *steps > 0 {
        *steps -= 1;
        match (ones.next(), others.next()) {
            (Some(a), Some(b)) if a.starts_with("{*") || b.starts_with("{*") => return true,
            (Some(a), Some(b)) if a == b || a.starts_with('{') || b.starts_with('{') => {}
            (None, None) => return true,
            _ => return false,
        }
    }
    false
}

/// A path as it is whatever its parameters are called.
fn without_names(path: &PathTemplate) -> String {
    let shape = |segment: &str| match segment.split_once('}') {
        Some((_, suffix)) => format!("/{{}}{suffix}"),
        None => format!("/{segment}"),
    };
    path.segments().map(shape).collect()
}

/// The target of a route that is a rewrite.
fn rewrite<'d>(claim: &Claim<'d>) -> Option<&'d RewriteTarget> {
    match &claim.draft.action {
        ActionDraft::Other(ActionSpec::Rewrite(target)) => Some(target),
        _ => None,
    }
}

fn at(claim: &Claim<'_>) -> Range<usize> {
    claim.draft.written.action.clone()
}
