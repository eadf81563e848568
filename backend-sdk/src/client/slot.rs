//! A place for a call on a connection: how many there are is what its peer accepts.

use super::connection::Connection;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::SemaphorePermit;

/// A call's place among those that the peer accepts at once. A call that waits for one counts as well.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(super) connection: Arc<Connection>,
    taken: bool,
}

impl Slot {
    /// Waits for a place, without a bound of its own. `None` when the connection takes no more calls.
    pub(super) async fn take(connection: Arc<Connection>) -> Option<Slot> {
        connection.load.fetch_add(1, Ordering::Relaxed);
        let mut slot = Slot { connection, taken: false };
        slot.connection.slots.acquire().await.ok()?.forget();
        slot.taken = true;
        Some(slot)
    }

    /// A place, if there is one now; else the connection comes back.
    pub(super) fn try_take(connection: Arc<Connection>) -> Result<Slot, Arc<Connection>> {
        let taken = connection.slots.try_acquire().map(SemaphorePermit::forget).is_ok();
        if !taken {
            return Err(connection);
        }
        connection.load.fetch_add(1, Ordering::Relaxed);
        Ok(Slot { connection, taken: true })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.connection.load.fetch_sub(1, Ordering::Relaxed);
        if self.taken {
            self.connection.slots.add_permits(1);
        }
    }
}
