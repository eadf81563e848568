//! Changes of members, from what sources list into the backends that name them. No route and no table is touched: a backend
//! gets other members, and the workers are told which one it was.
//!
//! The control task alone does this, as it alone takes tables: so a reload never races a source.

use super::{Plane, aside};
use crate::backends::Backend;
use crate::config::{BackendSpec, DiscoveryName};
use crate::discovery::{Follower, Names};
use crate::routes::Table;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// From one time that changes are taken up to the next. What changes in between is taken up together.
const PACE: Duration = Duration::from_millis(50);

/// Has the backends in force follow what their sources list.
pub(super) struct MemberUpdates {
    follower: Follower,
    /// The backends in force, by the names that they have looked up.
    by_name: HashMap<DiscoveryName, Vec<Arc<Backend>>>,
    /// How many members all backends have.
    members: usize,
    /// Some list has changed, and was not taken up.
    waiting: bool,
    next: Instant,
}

impl MemberUpdates {
    /// Of no backend yet.
    pub(super) fn new(plane: &Plane) -> MemberUpdates {
        let (names, shared) = (plane.names.clone(), &plane.shared);
        let follower = Follower::new(names, &shared.settings.dns, shared.supervisor.clone());
        MemberUpdates { follower, by_name: HashMap::new(), members: 0, waiting: false, next: Instant::now() }
    }

    /// Follows the names of these backends as well, and waits until each was asked for, for as long as that may take at most.
    /// Must be called on a runtime.
    pub(super) async fn prepare<'b>(&mut self, backends: impl IntoIterator<Item = &'b BackendSpec>) {
        self.follower.follow(backends.into_iter().flat_map(BackendSpec::discovery_names));
        self.follower.first_answers().await;
    }

    /// That table is in force: only the names of its backends are followed, and only those backends follow them.
    pub(super) fn follow_table(&mut self, table: &Table) {
        self.by_name.clear();
        for backend in &table.backends {
            for name in backend.spec.discovery_names() {
                self.by_name.entry(name.clone()).or_default().push(backend.clone());
            }
        }
        self.follower.keep(|name| self.by_name.contains_key(name));
        self.members = count(table);
    }

    /// Waits until changes are to be taken up. Cancel safe.
    pub(super) async fn due(&mut self, names: &Names) {
        if !self.waiting {
            names.changed().await;
            self.waiting = true;
        }
        sleep_until(self.next).await;
    }

    /// Takes up what has changed.
    pub(super) async fn take_up(&mut self, plane: &Arc<Plane>) {
        self.waiting = false;
        self.next = Instant::now() + PACE;
        let changed = plane.names.take_changed();
        let concerned = changed.iter().filter_map(|name| self.by_name.get(name)).flatten();
        // One that names several of them, or one twice, is looked at once.
        let concerned: BTreeMap<u64, Arc<Backend>> =
            concerned.map(|backend| (backend.id, backend.clone())).collect();
        let before = self.members;
        let followed = aside(plane, move |plane| {
            concerned.values().fold(before, |members, backend| follow(plane, backend, members))
        });
        match followed.await {
            Some(members) => self.members = members,
            // It has failed inside: they are still to be taken up.
            None => plane.names.note_changed(changed),
        }
    }
}

/// Has one backend follow what its sources list, and tells who has to know; how many members all have then.
fn follow(plane: &Plane, backend: &Backend, members: usize) -> usize {
    let shared = &plane.shared;
    let before = backend.members().len();
    if !backend.follow(&plane.names.lists_of(&backend.spec), shared.workers) {
        return members;
    }
    let members = members + backend.members().len() - before;
    shared.room.fit(members);
    // Fails only when no worker runs yet; they begin with what is in force.
    let _ = shared.members_changed.send(backend.id);
    shared.offer_changes.note(&backend.spec.name);
    members
}

/// How many members all backends of a table have.
pub(super) fn count(table: &Table) -> usize {
    table.backends.iter().map(|backend| backend.members().len()).sum()
}

#[cfg(test)]
mod tests;
