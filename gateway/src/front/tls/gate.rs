//! How many handshakes a worker has in progress. One more than there may be takes the place of the one that has waited longest: a good
//! client needs a few milliseconds, and so those that wait longest are the ones that hold back.

use crate::front::connection::{Connection, Over};
use crate::telemetry::Counter;
use crate::worker::Worker;
use std::future::Future;

/// A handshake in progress, counted until it is dropped.
pub(super) struct Handshake<'c> {
    connection: &'c Connection,
    in_progress: &'c Counter,
}

impl<'c> Handshake<'c> {
    /// Begins one. Where there are too many, the oldest is told to end.
    pub(super) fn begin(
        worker: &Worker,
        connection: &'c Connection,
        in_progress: &'c Counter,
    ) -> Handshake<'c> {
        in_progress.increment();
        let most = worker.shared.settings.server.max_handshakes as usize / worker.shared.workers;
        connection.begin_handshake(most.max(1));
        Handshake { connection, in_progress }
    }

    /// Waits for a part of it, unless it is over.
    pub(super) async fn unless_over<T>(&self, part: impl Future<Output = T>) -> Result<T, Over> {
        self.connection.unless_over(part).await
    }
}

impl Drop for Handshake<'_> {
    fn drop(&mut self) {
        self.in_progress.decrement();
        self.connection.end_handshake();
        // It may have come to a good end at the last moment.
        self.connection.crowded_out.set(false);
    }
}
