//! `/config` and `/exposure`: what is in force as a whole, and who could call what by it.

use super::{auth, settings};
use crate::control::Plane;
use serde_json::{Value, json};

/// Settings and tables in force.
pub(super) fn config(plane: &Plane) -> Value {
    let table = plane.shared.table.load();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "tables": {
            "hash": table.hash,
            "taken_at": plane.reloads.taken_at.get(),
            "routes": table.routes.len(),
            "backends": table.backends.len(),
            "waiting": plane.waiting.load_full().map(|why| why.as_ref().clone()),
            "authenticators": auth::page(&table, &plane.fits.found()),
            "last_error": plane.last_error.load_full().map(|error| error.as_ref().clone()),
        },
        "settings": settings::of(&plane.shared.settings),
    })
}

/// What was in force of who may call, as it is kept; nothing before the first tables.
pub(super) fn exposure(plane: &Plane) -> String {
    let record = plane.exposure.load_full();
    record.map(|record| String::from_utf8_lossy(&record.text()).into_owned()).unwrap_or_default()
}
