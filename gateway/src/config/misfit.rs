//! What a living instance has against the tables, shown where it is written in them.

use super::destination::Spot;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::route::RouteSpec;
use super::tables::Tables;

/// Where in its file each part of a route stands. All are equal: what only moved has not changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spots {
    pub(super) matched: Spot,
    pub(super) call: Spot,
    pub(super) body: Spot,
    pub(super) response: Spot,
}

/// A part of a route that something is wrong with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RoutePart {
    Match,
    Call,
    Body,
    Response,
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
            let Spots { matched, call, body, response } = &route.spots;
            let spot = match part {
                RoutePart::Match => matched,
                RoutePart::Call => call,
                RoutePart::Body => body,
                RoutePart::Response => response,
            };
            let diagnostic = Diagnostic::new(title);
            let source = self.sources.iter().find(|source| source.path() == &*route.place.file);
            let diagnostic = match source {
                Some(source) => diagnostic.at(source, spot.0.clone(), label),
                None => diagnostic.note(label),
            };
            help.into_iter().fold(diagnostic, Diagnostic::help)
        };
        Diagnostics::none_or(misfits.into_iter().map(diagnostic).collect())
    }
}

impl RouteSpec {
    /// Everything that its calls, their copies and its fallback go to: the backend, and of that one a version, if it is pinned.
    pub(crate) fn places(&self) -> Vec<(&str, Option<&str>)> {
        let policy = &self.policy;
        let pinned = policy.split.version.as_deref();
        let own = Some((self.backend.as_str(), pinned)).filter(|_| policy.split.arms.is_empty());
        let arms = policy.split.arms.iter().map(|arm| arm.to.within(&self.backend, pinned));
        let shadow = policy.shadow.iter().map(|shadow| shadow.to.within(&self.backend, None));
        let fallback = policy.fallback.iter().filter_map(|fallback| fallback.destination());
        own.into_iter()
            .chain(arms)
            .chain(shadow)
            .chain(fallback.map(|to| to.within(&self.backend, None)))
            .collect()
    }
}
