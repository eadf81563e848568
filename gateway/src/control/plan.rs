//! What tables would change that are not in force: made as the next table is made, compared with the one in force, and dropped.
//!
//! It goes by what decides when tables are taken: the [diff](crate::routes::Table::next) that says which objects stay, the
//! [ratchet](crate::exposure), and the look at which routes [fit](super::fit).

use super::{Plane, fit};
use crate::backends::{Backend, Endpoint};
use crate::config::{AcceptExposure, Tables};
use crate::exposure::{Exposure, Ways};
use crate::routes::{CallAction, Table};
use std::collections::HashSet;
use std::sync::Arc;

/// What tables would change.
pub struct Plan {
    /// The table in force.
    pub before: Arc<Table>,
    /// The one that there would be.
    pub next: Table,
    /// What would open.
    pub opens: Option<Exposure>,
    /// Whether that is accepted.
    pub accepted: bool,
    /// What would close, in words.
    pub closes: Vec<String>,
    /// Whose connections would close.
    pub leaves: Vec<Leaves>,
    /// Routes that would not fit living instances.
    pub unfit: Vec<Misfit>,
}

/// An instance that would be left.
pub struct Leaves {
    /// The backend.
    pub backend: String,
    /// Where it is.
    pub endpoint: Arc<Endpoint>,
    /// It stays in the tables, and is connected to anew.
    pub comes_again: bool,
}

/// A route that would not fit.
pub struct Misfit {
    /// Where it is written.
    pub place: String,
    /// The method that it calls.
    pub call: String,
    /// Why.
    pub why: String,
    /// At which instances.
    pub instances: Vec<String>,
    /// It is so already.
    pub is_known: bool,
}

/// What those tables would change.
pub fn plan(plane: &Plane, tables: Tables) -> Plan {
    let shared = &plane.shared;
    let before = shared.table.load_full();
    let ways = Ways::of(&tables, &shared.settings.listeners);
    let record = plane.exposure.load_full();
    let opens = record.as_ref().and_then(|record| record.opened_by(&ways));
    let any = shared.settings.tables.accept_exposure == AcceptExposure::Any;
    let accepted = opens.as_ref().is_none_or(|opens| any || tables.accepted.contains(&opens.hash()));
    let closes = record.iter().flat_map(|record| record.closed_by(&ways)).map(|closed| closed.to_string());
    let closes = closes.collect();
    let next = Table::next(&before, tables, &plane.names.lists(), shared.workers);
    let leaves = leaves(&before, &next);
    let unfit = unfit(plane, &before, &next);
    Plan { before, next, opens, accepted, closes, leaves, unfit }
}

/// The instances of the one table that are the same objects in the other are not left.
fn leaves(before: &Table, next: &Table) -> Vec<Leaves> {
    let endpoints = |table: &Table| -> Vec<(String, Arc<Endpoint>)> {
        let of = |backend: &Arc<Backend>| {
            let members = backend.members_now();
            let name = backend.spec.name.clone();
            members.iter().map(|member| (name.clone(), member.endpoint.clone())).collect::<Vec<_>>()
        };
        table.backends.iter().flat_map(of).collect()
    };
    let after = endpoints(next);
    let ids: HashSet<u64> = after.iter().map(|(_, endpoint)| endpoint.id).collect();
    let gone = endpoints(before).into_iter().filter(|(_, endpoint)| !ids.contains(&endpoint.id));
    gone.map(|(backend, endpoint)| {
        let again = |(name, other): &(String, Arc<Endpoint>)| *name == backend && other.addr == endpoint.addr;
        let comes_again = after.iter().any(again);
        Leaves { comes_again, backend, endpoint }
    })
    .collect()
}

fn unfit(plane: &Plane, before: &Table, next: &Table) -> Vec<Misfit> {
    let (known, found) = (plane.fits.found(), fit::found(next));
    let ids: HashSet<u64> = before.calls().map(|(_, call)| call.route).collect();
    let of = |(place, call): (usize, &CallAction)| {
        let is_known =
            |why: &str| ids.contains(&call.route) && known.of(call).iter().any(|one| *one.why == *why);
        let misfits = found.of(call);
        let misfit = |one: super::Unfit| Misfit {
            place: next.written_at(place),
            call: call.spec.call.to_string(),
            is_known: is_known(&one.why),
            why: one.why.to_string(),
            instances: one.instances,
        };
        misfits.into_iter().map(misfit).collect::<Vec<_>>()
    };
    next.calls().flat_map(of).collect()
}
