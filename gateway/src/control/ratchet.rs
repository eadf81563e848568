//! A ratchet: tables that let more callers come to a method than those in force are not taken, until one of them accepts exactly that. What was
//! in force is kept on disk where there is a folder for state, so that a restart opens nothing either.

use super::Plane;
use crate::config::{AcceptExposure, Diagnostics, Tables};
use crate::exposure::{Exposure, Record, Ways, asked, methods};
use std::sync::Arc;

/// The file in the folder for state.
const FILE: &str = "exposure";

/// Begins with what is in force in the gateway that this one succeeds; or with what was when the last one ended, as far as it was kept.
pub fn remember(plane: &Plane, before: Option<Record>) {
    if let Some(record) = before {
        return plane.exposure.store(Some(Arc::new(record)));
    }
    let Some(kept) = plane.state.read(FILE) else { return };
    match Record::parse(&kept) {
        Some(record) => plane.exposure.store(Some(Arc::new(record))),
        None => tracing::warn!(file = FILE, "who could call before cannot be read, and is not compared with"),
    }
}

/// The ways of tables, if these may be taken; nothing where nobody asks for that.
///
/// # Errors
///
/// They open ways that nobody has accepted: which, and how to accept them.
pub(super) fn check(plane: &Plane, tables: &Tables) -> Result<Option<Ways>, Diagnostics> {
    if plane.shared.settings.tables.accept_exposure == AcceptExposure::Any {
        return Ok(None);
    }
    let ways = Ways::of(tables, &plane.shared.settings.listeners);
    let exposure = plane.exposure.load_full().and_then(|record| record.opened_by(&ways));
    match exposure {
        Some(exposure) if !tables.accepted.contains(&exposure.hash()) => Err(refused(tables, &exposure)),
        _ => Ok(Some(ways)),
    }
}

/// What is said of tables that open ways, with the routes which these are.
pub fn refused(tables: &Tables, exposure: &Exposure) -> Diagnostics {
    let of_route = |opened: &crate::exposure::Opened| {
        let is_it = |route: &_| methods(route).contains(&opened.to) && asked(route) == opened.asks;
        (tables.routes.iter().position(is_it), opened.to_string())
    };
    let opened: Vec<_> = exposure.opened().iter().map(of_route).collect();
    tables.refuse_exposure(&opened, &exposure.hash())
}

/// Tables were taken: what they open is in force now, and is told if something was there to guard; in words.
pub(super) fn taken(plane: &Plane, tables: &Tables, ways: Option<Ways>) -> Vec<String> {
    let ways = ways.unwrap_or_else(|| Ways::of(tables, &plane.shared.settings.listeners));
    let before = plane.exposure.load_full();
    let all =
        before.iter().filter_map(|record| record.opened_by(&ways)).flat_map(|all| all.opened().to_vec());
    let mut told = Vec::new();
    for opened in all {
        told.push(format!("more callers can come: {opened}"));
        tracing::warn!(to = opened.to, asks = %opened.asks, "more callers can come than before, as the tables or the settings accept");
    }
    let record = match &before {
        Some(record) => record.next(ways),
        None => Record::begin(ways),
    };
    if before.as_deref() != Some(&record) {
        if plane.state.is_kept() {
            plane.state.write(FILE, &record.text());
        }
        plane.exposure.store(Some(Arc::new(record)));
    }
    told
}
