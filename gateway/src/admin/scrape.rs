//! `/metrics`: all that is counted, as Prometheus reads it.

use super::{auth, certificates, limits, traffic};
use crate::config::Priority;
use crate::control::{Kind, Plane};
use crate::routes::{Action, Route};
use crate::telemetry::{EndpointScrape, Scrape, TlsScrape, render};
use std::sync::Arc;

/// The scrape.
pub(super) fn metrics(plane: &Plane) -> String {
    let shared = &plane.shared;
    let table = shared.table.load();
    let rewrites = table.routes.iter().filter_map(|route| match &route.action {
        Action::Rewrite(rewrite) => Some((route, rewrite.rewritten.sum(|one| one))),
        _ => None,
    });
    let priority = |route: &Arc<Route>| {
        let call = route.action.call();
        call.map_or(Priority::Default, |call| call.spec.policy.priority).name()
    };
    let backends = table.backends.iter();
    let members: Vec<_> =
        table.backends.iter().map(|backend| (&backend.spec.name, backend.members_now())).collect();
    let endpoints = members.iter().flat_map(|(backend, members)| {
        members.iter().map(move |member| EndpointScrape {
            backend,
            address: member.endpoint.addr.to_string(),
            draining: member.drains(),
            stats: &member.endpoint.stats,
        })
    });
    let names = plane.names.all();
    let fits = plane.fits.found();
    let [certificates, backend_certificates, revoked] = certificates::scrape(shared);
    let access_log = shared.access_log.stats();
    render(&Scrape {
        unfit: Kind::ALL.map(|kind| (kind.name(), fits.count(kind))),
        front: &shared.front,
        listeners: shared.listeners.iter().map(|one| one.scrape()).collect(),
        tls: shared
            .listeners
            .iter()
            .filter_map(|one| Some(TlsScrape { listener: &one.id, stats: &one.tls.as_ref()?.stats }))
            .collect(),
        max_connections: shared.room.bound(),
        refused_connections: shared.room.refused(),
        answer_memory: shared.answers.used(),
        certificates,
        backend_certificates,
        revoked,
        certificate_stats: &shared.certificates.stats,
        reloads: &plane.reloads,
        upgrades: &plane.upgrades,
        log: &plane.log,
        access_log: access_log.as_deref(),
        spans: shared.traces.as_ref().map_or_else(Vec::new, |traces| traces.fates().collect()),
        panics: shared.supervisor.panics().map(|(task, n)| (task.name(), n)).collect(),
        table_hash: &table.hash,
        traffic: table.routes.iter().filter_map(|route| traffic::scrape(route)).collect(),
        routes: table
            .routes
            .iter()
            .map(|route| (route.matcher.name(), route.matcher.method.as_str(), route.stats.as_ref()))
            .collect(),
        rewrites: rewrites
            .map(|(route, n)| (route.matcher.name(), route.matcher.method.as_str(), n))
            .collect(),
        limits: limits::scrape(&table),
        authenticators: auth::scrape(&table),
        fetches: auth::fetches(&table),
        priorities: table.routes.iter().map(priority).collect(),
        concurrency_limits: backends.clone().map(|backend| backend.gauge.limit().most()).collect(),
        backends: backends.map(|backend| (backend.spec.name.as_str(), backend.stats.as_ref())).collect(),
        endpoints: endpoints.collect(),
        names: names.iter().map(|name| name.scrape()).collect(),
    })
}
