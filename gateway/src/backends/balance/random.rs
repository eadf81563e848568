//! A random instance, by weight.

use super::groups::Group;
use crate::backends::instances::{Candidate, Instances};
use crate::backends::tried::Tried;

/// So often another one is drawn in the place of one that cannot take the call, or whose turn it is not.
const DRAWS: usize = 8;

/// A random one of a group.
pub(super) fn choose<'b>(
    instances: &'b Instances,
    group: &Group,
    tried: &Tried<'_>,
) -> Option<Candidate<'b>> {
    let mut spare = None;
    for _ in 0..DRAWS {
        let Some(candidate) = instances.eligible(group.draw()?, tried) else { continue };
        if candidate.at.monitor.has_turn() {
            return Some(candidate);
        }
        // Where it is nobody's turn, as when all are new, somebody has it.
        spare = Some(candidate);
    }
    spare
}
