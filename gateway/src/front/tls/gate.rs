//! How many handshakes a worker has in progress. One more than there may be takes the place of the one that has waited longest: a good
//! client needs a few milliseconds, and so those that wait longest are the ones that hold back.

use super::failure::Failed;
use crate::front::connection::Connection;
use crate::telemetry::Counter;
use crate::worker::Worker;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

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

    /// Waits for a part of it; or until there is no more time for it, or no more room.
    pub(super) async fn unless_late<T>(&self, part: impl Future<Output = T>) -> Result<T, Failed> {
        let connection = self.connection;
        let mut part = pin!(part);
        poll_fn(|cx| {
            connection.remember(cx.waker());
            match part.as_mut().poll(cx) {
                Poll::Ready(done) => Poll::Ready(Ok(done)),
                Poll::Pending if connection.crowded_out.get() => Poll::Ready(Err(Failed::crowded_out())),
                Poll::Pending if connection.expired.get() => Poll::Ready(Err(Failed::late())),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

impl Drop for Handshake<'_> {
    fn drop(&mut self) {
        self.in_progress.decrement();
        self.connection.end_handshake();
    }
}
