//! What is known beside what workers share: how the tables in force came about, what names list, what fits. Control writes it, the
//! admin port shows it, upgrades hand some of it over; no request needs it.

use super::admin_tokens::AdminTokensInForce;
use super::reload_log::ReloadLog;
use super::unfit::Fits;
use crate::auth::KeySets;
use crate::discovery::Names;
use crate::exposure::Record;
use crate::state::State;
use crate::telemetry::log::LogStats;
use crate::telemetry::{ReloadStats, UpgradeStats};
use crate::worker::Shared;
use arc_swap::ArcSwapOption;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// The control plane's own, and what it shares with the workers.
pub struct Plane {
    /// What workers share.
    pub shared: Arc<Shared>,
    /// What the names list that endpoints give.
    pub names: Arc<Names>,
    /// What authenticators have at URLs.
    pub key_sets: Arc<KeySets>,
    /// Which routes do not fit what instances offer.
    pub fits: Fits,
    /// The reloads' counters.
    pub reloads: ReloadStats,
    /// The last reloads.
    pub reload_log: ReloadLog,
    /// The upgrades' counters.
    pub upgrades: UpgradeStats,
    /// What is kept on disk.
    pub state: State,
    /// What is asked of those who ask on the admin port.
    pub admin_tokens: Arc<AdminTokensInForce>,
    /// Who could call what, which tables to come are compared with; nothing before the first ones.
    pub exposure: ArcSwapOption<Record>,
    /// What the log has lost.
    pub log: Arc<LogStats>,
    /// Why the tables were last refused, rendered; none when the files in place are in force.
    pub last_error: ArcSwapOption<String>,
    /// The files that refused tables name, if they were refused for what is in them.
    pub unsound: ArcSwapOption<Vec<PathBuf>>,
    /// Why tables that were read wait to be taken, if some do.
    pub waiting: ArcSwapOption<String>,
}

impl Plane {
    /// One that has taken no tables yet.
    pub fn new(shared: Arc<Shared>, state: State, log: Arc<LogStats>) -> Plane {
        Plane {
            names: Arc::new(Names::default()),
            key_sets: Arc::default(),
            fits: Fits::default(),
            reloads: ReloadStats::default(),
            reload_log: ReloadLog::default(),
            upgrades: UpgradeStats::default(),
            state,
            admin_tokens: Arc::new(AdminTokensInForce::new(&shared.settings.admin)),
            exposure: ArcSwapOption::empty(),
            log,
            last_error: ArcSwapOption::empty(),
            unsound: ArcSwapOption::empty(),
            waiting: ArcSwapOption::empty(),
            shared,
        }
    }

    /// The files are refused for that, or they are in force; gives what was so before.
    pub(super) fn tell_error(&self, error: Option<String>) -> Option<Arc<String>> {
        self.shared.tables_are_refused.store(error.is_some(), Relaxed);
        self.last_error.swap(error.map(Arc::new))
    }
}
