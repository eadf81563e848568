//! What the admin port shows of rate limits.

use crate::limit::{Limit, Limits};
use crate::routes::{Route, Table};
use crate::telemetry::LimitScrape;
use serde_json::{Value, json};
use tokio::time::Instant;

/// The limits of all routes, for the scrape.
pub(super) fn scrape(table: &Table) -> Vec<LimitScrape<'_>> {
    let now = Instant::now();
    let limits = table.routes.iter().flat_map(|route| of(route).map(move |limit| (route, limit)));
    let scrapes = limits.map(|(route, limit)| LimitScrape {
        route: route.matcher.name(),
        method: route.matcher.method.as_str(),
        policy: &limit.policy,
        stats: &limit.stats,
        keys: limit.buckets.keys(now),
    });
    scrapes.collect()
}

/// The limits of a route.
pub(super) fn page(route: &Route) -> Vec<Value> {
    let now = Instant::now();
    of(route).map(|limit| self::limit(limit, now)).collect()
}

fn of(route: &Route) -> impl Iterator<Item = &Limit> {
    route.steps.rate_limits().flat_map(Limits::iter)
}

fn limit(limit: &Limit, now: Instant) -> Value {
    let spec = &limit.limit.spec;
    let counted: serde_json::Map<String, Value> =
        limit.stats.outcomes().map(|(outcome, n)| (outcome.to_owned(), n.into())).into_iter().collect();
    json!({
        "policy": limit.policy,
        "rate": spec.rate.to_string(),
        "burst": spec.burst,
        "by": spec.by.to_string(),
        "shared": limit.limit.shared.is_some(),
        "dry_run": spec.dry_run,
        "requests": counted,
        "keys": limit.buckets.keys(now),
        "max_keys": spec.max_keys,
        "evictions": limit.stats.evicted(),
        "memory_bytes": limit.buckets.bytes(),
    })
}
