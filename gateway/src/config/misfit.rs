//! What a living instance has against the tables, shown where it is written in them.

use super::auth::{AuthKind, AuthSpec};
use super::call_spec::CallSpec;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::route::{RouteSpec, Written};
use super::source::Source;
use super::tables::Tables;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// A part of a route, or of an authenticator, that something is wrong with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RoutePart {
    Match,
    Call,
    Mode,
    Body,
    /// The field of `bind` of that place.
    Bound(usize),
    Response,
    /// A field of the result, by its number among those that the response picks.
    Picked(usize),
    /// An error that has a status, by its number.
    Error(usize),
    /// A rule, by its number, and from where to where in it.
    Rule(usize, usize, usize),
}

/// What makes calls.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Caller<'t> {
    Route(&'t RouteSpec),
    /// It asks a method who calls.
    Authenticator(&'t AuthSpec),
}

impl<'t> Caller<'t> {
    /// Its call, if it makes one.
    fn call(self) -> Option<&'t CallSpec> {
        match self {
            Caller::Route(route) => route.action.call().map(|call| &**call),
            Caller::Authenticator(spec) => match &spec.kind {
                AuthKind::Rpc(rpc) => Some(&rpc.call),
                _ => None,
            },
        }
    }
}

impl fmt::Display for Caller<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Caller::Route(route) => write!(f, "`{}`", route.matcher),
            Caller::Authenticator(spec) => write!(f, "authenticator `{}`", spec.name),
        }
    }
}

/// What is wrong with one of these.
#[derive(Debug)]
pub(crate) struct Misfit<'t> {
    pub(crate) of: Caller<'t>,
    pub(crate) part: RoutePart,
    pub(crate) title: String,
    pub(crate) label: String,
    pub(crate) help: Option<String>,
}

impl Tables {
    /// All calls of routes and authenticators.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (Caller<'_>, &CallSpec)> {
        let routes = self.routes.iter().map(Caller::Route);
        let authenticators = self.authenticators.iter().map(|spec| Caller::Authenticator(spec));
        routes.chain(authenticators).filter_map(|caller| Some((caller, caller.call()?)))
    }

    /// All of it as it is shown; `Ok` where nothing is wrong.
    pub(crate) fn diagnose(&self, misfits: Vec<Misfit<'_>>) -> Result<(), Diagnostics> {
        let diagnostic = |misfit: Misfit<'_>| {
            let Misfit { of, part, title, label, help } = misfit;
            let (source, spot) = match of {
                Caller::Route(route) => (self.source_of(route), of_route(route, part)),
                Caller::Authenticator(spec) => (Some(&spec.written.source), of_authenticator(spec, part)),
            };
            let diagnostic = Diagnostic::new(title);
            let diagnostic = match source {
                Some(source) => diagnostic.at(source, spot, label),
                None => diagnostic.note(label),
            };
            help.into_iter().fold(diagnostic, Diagnostic::help)
        };
        Diagnostics::none_or(misfits.into_iter().map(diagnostic).collect())
    }

    fn source_of(&self, route: &RouteSpec) -> Option<&Arc<Source>> {
        self.sources.iter().find(|source| source.path() == &*route.written.place.file)
    }
}

/// Where a part of a route is written.
fn of_route(route: &RouteSpec, part: RoutePart) -> Range<usize> {
    let Written { matched, action, mode, body, bound, response, picked, errors, .. } = &route.written;
    let of_rule = |at, part| route.action.call()?.policy.rules.place(at, &part);
    match part {
        RoutePart::Match => matched,
        RoutePart::Call => action,
        RoutePart::Mode => mode,
        RoutePart::Body => body,
        RoutePart::Bound(at) => bound.get(at).unwrap_or(matched),
        RoutePart::Response => response,
        RoutePart::Picked(at) => picked.get(at).unwrap_or(response),
        RoutePart::Error(at) => errors.get(at).unwrap_or(action),
        RoutePart::Rule(at, start, end) => return of_rule(at, start..end).unwrap_or(action.clone()),
    }
    .clone()
}

/// Where a part of an authenticator is written that asks a method.
fn of_authenticator(spec: &AuthSpec, part: RoutePart) -> Range<usize> {
    match (&spec.kind, part) {
        (AuthKind::Rpc(rpc), RoutePart::Bound(at)) => rpc.written.bound.get(at).unwrap_or(&rpc.written.call),
        (AuthKind::Rpc(rpc), _) => &rpc.written.call,
        _ => &spec.written.span,
    }
    .clone()
}
