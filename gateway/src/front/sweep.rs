//! The time limits of a worker's connections.
//!
//! A timer for each wait would be made and dropped with every request. So each connection notes what it waits for and since when, and
//! one sweep of the worker tells those that wait too long: the limits are kept to within [`SWEEP`].

use super::connection::{Connection, OpenConnections, Phase};
use super::pace::Least;
use crate::config::ServerSettings;
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

/// The limits of a worker's connections, in sweeps.
struct TimeLimits {
    handshake: u64,
    idle: u64,
    head: u64,
    body: u64,
    /// What a client must take of a reply, if anything.
    takes: Option<Least>,
    /// What a client must send of a body, if anything.
    sends: Option<Least>,
}

/// Tells the connections that have waited too long.
pub(super) async fn sweep(worker: &Worker, open: &OpenConnections) {
    let limits = TimeLimits::by(&worker.shared.settings.server);
    let mut tick = interval(SWEEP);
    // Time in which the process stood still is not the clients' fault.
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        open.sweeps.set(open.sweeps.get() + 1);
        open.date.refresh();
        for (_, connection) in open.all.borrow().iter() {
            look_at(connection, &limits, worker);
        }
        tell_idleness(worker, open);
    }
}

impl TimeLimits {
    fn by(server: &ServerSettings) -> TimeLimits {
        TimeLimits {
            handshake: sweeps(server.handshake_timeout),
            idle: sweeps(server.idle_timeout),
            head: sweeps(server.header_timeout),
            body: sweeps(server.body_timeout),
            takes: least(server.min_send_rate, server.min_send_rate_window),
            sends: least(server.min_body_rate, server.min_body_rate_window),
        }
    }

    /// For how many sweeps a connection may wait for what it waits for.
    fn of(&self, connection: &Connection) -> Option<u64> {
        match connection.phase.get() {
            Phase::Handshake => Some(self.handshake),
            Phase::Idle => Some(self.idle),
            // For its client to take more of a reply.
            Phase::Busy if connection.pace.is_blocked() => Some(self.idle).filter(|_| self.takes.is_none()),
            Phase::Head | Phase::Lingering => Some(self.head),
            Phase::Body => Some(self.body),
            Phase::Busy | Phase::Closed => None,
        }
    }
}

fn sweeps(limit: Duration) -> u64 {
    limit.as_millis().div_ceil(SWEEP.as_millis()) as u64
}

fn least(rate: u64, window: Duration) -> Option<Least> {
    let bytes = (rate as f64 * window.as_secs_f64()) as u64;
    (rate > 0).then(|| Least { bytes, sweeps: sweeps(window) })
}

/// Wakes a connection that has waited too long, or that has been idle for a while.
fn look_at(connection: &Connection, limits: &TimeLimits, worker: &Worker) {
    let (now, phase) = (connection.open.sweeps.get(), connection.phase.get());
    let waited = now - connection.since.get();
    let sends = phase == Phase::Body;
    let least = if sends { limits.sends } else { limits.takes };
    let is_slow = least.is_some_and(|least| connection.pace.is_too_slow(now, least));
    if is_slow && !sends {
        note_slow(worker, connection);
    }
    let is_late = limits.of(connection).is_some_and(|limit| waited > limit);
    if is_late && phase == Phase::Head && !connection.expired.get() {
        note_late(worker, connection);
    }
    if is_slow || is_late {
        connection.expired.set(true);
        connection.wake();
    } else if waited == REST_AFTER && phase == Phase::Idle {
        connection.resting.set(true);
        connection.wake();
    }
}

/// Notes that a client takes its reply too slowly.
fn note_slow(worker: &Worker, connection: &Connection) {
    tracing::debug!(client = ?connection.client.get(), listener = connection.listener.id, "a client takes its answer more slowly than min_send_rate");
    worker.shared.front.workers.of(worker.id).slow_clients.increment();
    connection.slow.set(true);
}

/// Notes that a client has begun a request, and that its head does not come.
fn note_late(worker: &Worker, connection: &Connection) {
    tracing::info!(client = ?connection.client.get(), listener = connection.listener.id, "the head of a request has not come within header_timeout");
    worker.shared.front.workers.of(worker.id).late_heads.increment();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Settings, Source};

    #[test]
    fn limits_are_whole_sweeps_and_no_rate_is_none() {
        let text = "[server]\nheader_timeout = \"1ms\"\nbody_timeout = \"251ms\"\nmin_send_rate = 0\nmin_body_rate = \"1KiB/s\"\n";
        let settings = Settings::parse(Source::new("gateway.toml", text), None).expect("sound settings");
        let limits = TimeLimits::by(&settings.server);
        assert_eq!((limits.handshake, limits.head, limits.body, limits.idle), (40, 1, 2, 300));
        assert!(limits.takes.is_none());
        let sends = limits.sends.expect("a rate");
        assert_eq!((sends.bytes, sends.sweeps), (10 * 1024, 40));
    }
}
