//! What the page at `/` is made of: everything at one look, and rows of routes, backends and instances, in parts that stay small however
//! many there are. All of it is read where it is counted and kept; nothing is kept here.
//!
//! ```text
//! totals     the counters that say how traffic goes, added up
//! problems   what is not as it should be, each in a sentence, and why
//! rows       what rows of routes, backends and instances have in common
//! ```

mod backends;
mod instances;
mod problems;
mod routes;
mod rows;
mod totals;

pub(super) use backends::page as backends;
pub(super) use instances::page as instances;
pub(super) use routes::{page as routes, text as text_of_route};
pub(super) use totals::Totals;

use super::certificates;
use crate::control::Plane;
use crate::failure::Reason;
use crate::routes::Table;
use crate::telemetry::BUCKETS;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Everything at one look.
pub(super) fn page(plane: &Plane) -> Value {
    let shared = &plane.shared;
    let table = shared.table.load();
    let (problems, left_out) = problems::all(plane);
    let [certificates, ..] = certificates::scrape(shared);
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "ready": shared.is_ready(),
        "workers": shared.workers,
        "tables": {
            "hash": table.hash,
            "taken_at": plane.reloads.taken_at.get(),
            "routes": table.routes.len(),
            "backends": table.backends.len(),
        },
        "instances": by_state(&table),
        "connections": {
            "open": shared.front.workers.sum(|one| &one.connections),
            "max": shared.room.bound(),
        },
        "in_flight": shared.front.workers.sum(|one| &one.in_flight),
        "certificate_expires_at": certificates.iter().map(|(_, until)| *until).min(),
        "bounds": BUCKETS,
        "totals": Totals::of(plane).shown(),
        "failures_kept": shared.access_log.failures().map_or(0, |(failures, _)| failures.kept()),
        "problems": problems,
        "problems_left_out": left_out,
    })
}

/// How many instances stand so; those that drain are by themselves.
fn by_state(table: &Table) -> BTreeMap<&'static str, u64> {
    let mut states = BTreeMap::new();
    for backend in &table.backends {
        backend.members().iter().for_each(|member| *states.entry(instances::state(member)).or_default() += 1);
    }
    states
}

/// Why requests fail: each reason with what it means.
pub(super) fn reasons() -> Value {
    let reason = |reason: &Reason| {
        json!({
            "name": reason.name(),
            "status": reason.status(),
            "code": reason.code().name(),
            "means": reason.means(),
        })
    };
    json!({ "reasons": Reason::ALL.iter().map(reason).collect::<Vec<_>>() })
}

/// The last reloads.
pub(super) fn reloads(plane: &Plane) -> Value {
    let reloads = plane.reload_log.all().into_iter().map(|past| {
        json!({
            "at": past.at,
            "cause": past.cause,
            "outcome": past.outcome.name(),
            "hash": past.hash,
            "why": past.why,
            "changes": past.changes,
            "changes_left_out": past.left_out,
            "times": past.times,
        })
    });
    json!({ "hash": plane.shared.table.load().hash, "reloads": reloads.collect::<Vec<_>>() })
}
