//! `callgate check --diff`: whether a gateway that runs would take the tables, as far as that depends on who could come before.

use crate::cli::{Failure, admin};
use crate::config::{AcceptExposure, Settings, Tables};
use crate::control::refuse_exposure;
use crate::exposure::{Record, Ways};

/// Compares the tables, and the listeners of these settings, with what is in force there.
pub(super) fn check(tables: &Tables, settings: &Settings, url: &str) -> Result<(), Failure> {
    if settings.tables.accept_exposure == AcceptExposure::Any {
        return Ok(());
    }
    let page = admin::page(url, "/exposure")?;
    let record = Record::parse(&page);
    let record =
        record.ok_or_else(|| Failure::NotAsked(format!("{url}: its page /exposure cannot be read")))?;
    match record.opened_by(&Ways::of(tables, &settings.listeners)) {
        Some(exposure) if !tables.accepted.contains(&exposure.hash()) => {
            Err(refuse_exposure(tables, &exposure).into())
        }
        _ => Ok(()),
    }
}
