//! The time limits of a worker's connections.
//!
//! hyper's own timer for request heads is made anew for each request, and it has none for idle connections. Here each
//! connection notes what it waits for and since when, and one sweep of the worker closes those that wait too long: the
//! limits are kept to within [`SWEEP`].

use super::connection::{Connection, OpenConnections, Phase};
use super::pace::Least;
use crate::worker::Worker;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Time between two sweeps.
const SWEEP: Duration = Duration::from_millis(250);

/// A connection that has been idle for so many sweeps is put to rest.
const REST_AFTER: u64 = 4;

/// Says for how long a connection has been idle at most, by which acceptors choose the worker that makes room.
pub(super) fn tell_idleness(worker: &Worker, open: &OpenConnections) {
    let waited = open.longest_idle().map(|connection| open.sweeps.get() - connection.since.get());
    worker.shared.room.set_idle_for(worker.id, waited);
}

/// Closes the connections that have waited too long.
pub(super) async fn sweep(worker: &Worker, open: &OpenConnections) {
    let server = &worker.shared.settings.server;
    let sweeps = |limit: Duration| limit.as_millis().div_ceil(SWEEP.as_millis()) as u64;
    let (idle, head) = (sweeps(server.idle_timeout), sweeps(server.header_timeout));
    let least = Least {
        bytes: (server.min_send_rate as f64 * server.min_send_rate_window.as_secs_f64()) as u64,
        sweeps: sweeps(server.min_send_rate_window),
    };
    let mut tick = interval(SWEEP);
    // Time in which the process stood still is not the clients' fault.
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let now = open.sweeps.get() + 1;
        open.sweeps.set(now);
        for (_, connection) in open.all.borrow().iter() {
            if server.min_send_rate > 0 && connection.pace.is_blocked() {
                if connection.pace.is_too_slow(now, least) {
                    leave_slow(worker, connection);
                }
                continue;
            }
            let waited = now - connection.since.get();
            let limit = match connection.phase.get() {
                Phase::Idle => idle,
                // For its client to take more of a reply, which no rate asks it to.
                Phase::Busy if connection.pace.is_blocked() => idle,
                Phase::Head | Phase::Lingering => head,
                Phase::Busy | Phase::Closed => continue,
            };
            if waited > limit {
                connection.expired.set(true);
                connection.wake();
            } else if waited == REST_AFTER
                && connection.phase.get() == Phase::Idle
                && !connection.pace.is_blocked()
            {
                connection.resting.set(true);
                connection.wake();
            }
        }
        tell_idleness(worker, open);
    }
}

/// Ends the connection of a client that takes its answer too slowly.
fn leave_slow(worker: &Worker, connection: &Connection) {
    tracing::debug!(client = ?connection.peer, listener = connection.listener.id, "a client takes its answer more slowly than min_send_rate");
    worker.shared.front.workers.of(worker.id).slow_clients.increment();
    connection.slow.set(true);
    connection.expired.set(true);
    connection.wake();
}
