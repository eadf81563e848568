//! A random instance, by weight.

use super::{Candidate, Group, LocalBackend, Tried};

/// So often another one is drawn in the place of one that cannot take the call, or whose turn it is not.
const DRAWS: usize = 8;

impl LocalBackend {
    /// A random one of a group.
    pub(super) fn any(&self, group: &Group, tried: &Tried<'_>) -> Option<Candidate<'_>> {
        let mut spare = None;
        for _ in 0..DRAWS {
            let Some(candidate) = self.eligible(group.draw()?, tried) else { continue };
            if candidate.peer.monitor.has_turn() {
                return Some(candidate);
            }
            // Where it is nobody's turn, as when all are new, somebody has it.
            spare = Some(candidate);
        }
        spare
    }
}
