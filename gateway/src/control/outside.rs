//! What tables name that is somewhere else, and is asked for again and again: the members of backends, and keys.

use super::Plane;
use super::key_fetches::KeyFetches;
use super::members::MemberUpdates;
use crate::config::{AuthSpec, BackendSpec};
use crate::routes::Table;

/// What is asked for.
pub(super) struct Outside {
    pub(super) members: MemberUpdates,
    keys: KeyFetches,
}

impl Outside {
    /// Nothing yet.
    pub(super) fn new(plane: &Plane) -> Outside {
        Outside { members: MemberUpdates::new(plane), keys: KeyFetches::new(plane) }
    }

    /// Asks for what these name as well, and waits for the first answers, for as long as that may take at most. Must be called on a runtime.
    pub(super) async fn prepare<'t>(
        &mut self,
        backends: impl IntoIterator<Item = &'t BackendSpec>,
        authenticators: impl IntoIterator<Item = &'t AuthSpec>,
    ) {
        tokio::join!(self.members.prepare(backends), self.keys.prepare(authenticators));
    }

    /// That table is in force: only what it names is asked for.
    pub(super) fn follow_table(&mut self, table: &Table) {
        self.members.follow_table(table);
        self.keys.follow_table(table);
    }
}
