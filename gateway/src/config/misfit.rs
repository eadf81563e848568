//! What a living instance has against the tables, shown where it is written in them.

use super::diagnostics::{Diagnostic, Diagnostics};
use super::route::{RouteSpec, Written};
use super::tables::Tables;

/// A part of a route that something is wrong with.
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

/// What is wrong with a route.
#[derive(Debug)]
pub(crate) struct Misfit<'t> {
    pub(crate) route: &'t RouteSpec,
    pub(crate) part: RoutePart,
    pub(crate) title: String,
    pub(crate) label: String,
    pub(crate) help: Option<String>,
}

impl Tables {
    /// All of it as it is shown; `Ok` where nothing is wrong.
    pub(crate) fn diagnose(&self, misfits: Vec<Misfit<'_>>) -> Result<(), Diagnostics> {
        let diagnostic = |misfit: Misfit<'_>| {
            let Misfit { route, part, title, label, help } = misfit;
            let Written { place, matched, action, mode, body, bound, response, picked, errors } =
                &route.written;
            let of_rule = |at, part| route.action.call()?.policy.rules.place(at, &part);
            let spot = match part {
                RoutePart::Match => matched,
                RoutePart::Call => action,
                RoutePart::Mode => mode,
                RoutePart::Body => body,
                RoutePart::Bound(at) => bound.get(at).unwrap_or(matched),
                RoutePart::Response => response,
                RoutePart::Picked(at) => picked.get(at).unwrap_or(response),
                RoutePart::Error(at) => errors.get(at).unwrap_or(action),
                RoutePart::Rule(at, start, end) => &of_rule(at, start..end).unwrap_or(action.clone()),
            };
            let diagnostic = Diagnostic::new(title);
            let source = self.sources.iter().find(|source| source.path() == &*place.file);
            let diagnostic = match source {
                Some(source) => diagnostic.at(source, spot.clone(), label),
                None => diagnostic.note(label),
            };
            help.into_iter().fold(diagnostic, Diagnostic::help)
        };
        Diagnostics::none_or(misfits.into_iter().map(diagnostic).collect())
    }
}
