//! The writers of one connection that were told to wait and could go on, but for room in the buffer that all share.

use std::collections::BTreeSet;

/// Calls whose writers wait for room. The one that has put nothing for the longest time comes first.
#[derive(Debug, Default)]
pub(in crate::connection) struct Turns {
    /// When each has put its last item, and its call.
    waiting: BTreeSet<(u64, u32)>,
    /// Items that were put.
    now: u64,
}

impl Turns {
    /// An item is put: gives the time of that.
    #[inline]
    pub(super) fn tick(&mut self) -> u64 {
        self.now += 1;
        self.now
    }

    /// A writer waits that has put its last item then.
    pub(super) fn wait(&mut self, last: u64, call: u32) {
        self.waiting.insert((last, call));
    }

    /// The call whose writer is the next. It may be over by now.
    pub(in crate::connection) fn next(&mut self) -> Option<u32> {
        self.waiting.pop_first().map(|(_, call)| call)
    }
}
