//! The time limits of a worker's connections.
//!
//! A timer for each wait would be made and dropped with every request. So each connection notes what it waits for and since when, and
//! one sweep of the worker tells those that wait too long: the limits are kept to within [`SWEEP`].

use super::connection::{Awaited, Connection, Due, Http2, LEAVES_WITHIN, OpenConnections, Phase, Stream};
use super::pace::Least;
use crate::config::{Http2Settings, ServerSettings};
use crate::worker::Worker;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};

/// Time between two sweeps.
const SWEEP: Duration = Duration::from_millis(250);

/// A stream that waits for the socket has so many windows at least.
const TURNS: u64 = 4;
/// What of a stream goes at a time, in bytes, unless its client asks for more.
const FRAME: u64 = 16 * 1024;

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
    /// How old a connection of HTTP/2 may become.
    age: u64,
    head: u64,
    body: u64,
    /// What a client must take of a reply, if anything.
    takes: Option<Least>,
    /// What a client must send of a body, if anything.
    sends: Option<Least>,
}

/// Tells the connections that have waited too long.
pub(super) async fn sweep(worker: &Worker, open: &OpenConnections) {
    let settings = &worker.shared.settings;
    let limits = TimeLimits::by(&settings.server, &settings.http2);
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
    fn by(server: &ServerSettings, http2: &Http2Settings) -> TimeLimits {
        TimeLimits {
            handshake: sweeps(server.handshake_timeout),
            idle: sweeps(server.idle_timeout),
            age: sweeps(http2.max_connection_age),
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
            Phase::Busy if connection.pace.is_blocked() && !connection.pace.is_free() => {
                Some(self.idle).filter(|_| self.takes.is_none())
            }
            Phase::Head | Phase::Lingering => Some(self.head),
            Phase::Body => Some(self.body),
            Phase::Busy | Phase::WebSocket | Phase::Closed => None,
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
    if let Some(http2) = connection.http2.get() {
        look_at_http2(connection, http2, limits, worker);
    }
    let waited = now - connection.since.get();
    let sends = phase == Phase::Body;
    let least = match phase {
        Phase::WebSocket => None,
        Phase::Body => limits.sends,
        _ => limits.takes,
    };
    let is_slow = least.is_some_and(|least| connection.pace.is_too_slow(now, least));
    if is_slow && !sends {
        note_slow(worker, connection);
    }
    let is_late = limits.of(connection).is_some_and(|limit| waited > limit);
    if is_late && phase == Phase::Head && !connection.expired.get() {
        note_late(worker, connection);
    }
    if is_slow || is_late {
        match connection.http2.get() {
            // Its client is to hear of it, and a request may have come that needs a reply: so it can be written to.
            Some(http2) if phase == Phase::Idle && !is_slow => http2.fall_due(Due::Idle),
            _ => connection.expired.set(true),
        }
        connection.wake();
    } else if waited == REST_AFTER && phase == Phase::Idle {
        connection.resting.set(true);
        connection.wake();
    }
}

/// Looks at what HTTP/2 adds to a connection: its streams, its age, and a head that does not come to its end.
fn look_at_http2(connection: &Connection, http2: &Http2, limits: &TimeLimits, worker: &Worker) {
    let now = connection.open.sweeps.get();
    let streams = http2.streams.borrow();
    let count = |what| streams.iter().filter(|(_, stream)| stream.awaited.get() == what).count() as u64;
    let (sending, reading) = (count(Awaited::Window), count(Awaited::Body));
    for (_, stream) in streams.iter() {
        let sharing = if stream.awaited.get() == Awaited::Body { reading } else { sending };
        if is_stalled(stream, sharing, limits) {
            stream.expire();
        }
    }
    if connection.phase.get() == Phase::Lingering {
        return;
    }
    let is_late = http2.head_since.get().is_some_and(|since| now - since > limits.head);
    if is_late && http2.due.get() != Some(Due::Head) {
        note_late(worker, connection);
    }
    if !http2.leaves.get() && (worker.shared.draining.load(Relaxed) || http2.is_old(now, limits.age)) {
        http2.leave(now);
        connection.wake();
    }
    // Whoever was told and does not answer is not waited for, if nothing is open.
    let waited = now - http2.leaves_since.get().max(connection.since.get());
    let is_left = http2.leaves.get() && connection.phase.get() == Phase::Idle && waited > LEAVES_WITHIN;
    if is_late || is_left {
        http2.fall_due(if is_late { Due::Head } else { Due::Left });
        connection.wake();
    }
}

/// Whether a stream's client has let it wait too long. The streams for which it has to do the same share the least that it must take, or send,
/// over a connection.
fn is_stalled(stream: &Stream, sharing: u64, limits: &TimeLimits) -> bool {
    let now = stream.connection.open.sweeps.get();
    let waited = now - stream.since.get();
    let share = |least: Least| Least { bytes: (least.bytes / sharing.max(1)).max(1), ..least };
    let (least, limit) = match stream.awaited.get() {
        Awaited::Nothing => return false,
        Awaited::Window if stream.pace.is_free() => return false,
        Awaited::Window if stream.connection.pace.is_blocked() => return waited > turn(sharing, limits),
        Awaited::Window => {
            let limit = if limits.takes.is_none() { limits.idle } else { u64::MAX };
            (limits.takes.map(share), limit)
        }
        Awaited::Body => (limits.sends.map(share), limits.body),
    };
    waited > limit || least.is_some_and(|least| stream.pace.is_too_slow(now, least))
}

/// While the socket itself takes nothing, that the connection waits too long is seen by itself, and a stream waits for its turn: so long that
/// a frame of each other one can leave before it, at the least rate that there may be. Whoever moves nothing for longer has no window.
fn turn(sharing: u64, limits: &TimeLimits) -> u64 {
    match limits.takes {
        Some(Least { bytes, sweeps }) => (TURNS * sweeps).max(sharing * FRAME * sweeps / bytes.max(1)),
        None => u64::MAX,
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
    use crate::config::{HalfClose, Settings, Source};
    use crate::front::connection::testing;
    use crate::worker::Shared;
    use std::io;
    use std::sync::Arc;
    use std::task::Poll;

    /// At which of so many sweeps a stream is to blame, if so many bytes move before each. A window is of four sweeps, and 1 KiB.
    fn stalls(what: Awaited, sharing: u64, moved: usize, is_blocked: bool, sweeps: u64) -> Option<u64> {
        let text = "[server]\nbody_timeout = \"1h\"\nmin_send_rate = \"1KiB/s\"\nmin_send_rate_window = \"1s\"\n\
                    min_body_rate = \"1KiB/s\"\nmin_body_rate_window = \"1s\"\n";
        let settings = Settings::parse(Source::new("gateway.toml", text), None).expect("sound settings");
        let limits = TimeLimits::by(&settings.server, &settings.http2);
        let open = testing::open();
        let connection = testing::register(&open, HalfClose::Cancel);
        let stream = connection.begin_stream().stream.clone();
        let waits = Poll::<io::Result<usize>>::Pending;
        if is_blocked {
            connection.pace.moved(&waits);
        }
        stream.awaits(what);
        (0..sweeps).find(|sweep| {
            open.sweeps.set(*sweep);
            if moved > 0 {
                stream.moved(moved);
            }
            stream.pace.moved(&waits);
            is_stalled(&stream, sharing, &limits)
        })
    }

    #[test]
    fn a_stream_stalls_by_its_share_of_what_its_client_must_move() {
        for what in [Awaited::Window, Awaited::Body] {
            assert_eq!(stalls(what, 1, 0, false, 100), Some(8), "{what:?}");
            for (sharing, enough) in [(1, 256), (4, 64), (300, 1), (5000, 1)] {
                assert_eq!(stalls(what, sharing, enough, false, 1000), None, "{what:?}, {sharing}");
                let least = stalls(what, sharing, enough - 1, false, 1000);
                assert_eq!(least, Some(8), "{what:?}, {sharing}");
            }
        }
        assert_eq!(stalls(Awaited::Nothing, 1, 0, false, 1000), None);
    }

    #[test]
    fn while_the_socket_takes_nothing_a_stream_waits_for_its_turn_and_not_for_ever() {
        // A frame of each stream before it, at the least rate that there may be.
        for (sharing, at) in [(1, 65), (4, 257)] {
            assert_eq!(stalls(Awaited::Window, sharing, 0, true, 1000), Some(at), "{sharing}");
            assert_eq!(stalls(Awaited::Window, sharing, 1, true, 1000), None, "{sharing}");
        }
        assert_eq!(stalls(Awaited::Body, 1, 0, true, 1000), Some(8), "of a body it takes nothing");
    }

    #[tokio::test(flavor = "local")]
    async fn a_connection_of_http_2_that_is_due_can_be_written_to() {
        let settings = Settings::parse(Source::new("gateway.toml", ""), None).expect("defaults");
        let limits = TimeLimits::by(&settings.server, &settings.http2);
        let worker = Worker::new(0, Arc::new(Shared::new(settings, Arc::default(), None)));
        let open = testing::open();
        let all: Vec<_> = (0..4).map(|_| testing::register(&open, HalfClose::Cancel)).collect();
        let [plain, idle, left, head] = &all[..] else { unreachable!() };
        for connection in [idle, left, head] {
            connection.http2();
        }
        open.sweeps.set(limits.idle);
        left.http2().leave(limits.idle - LEAVES_WITHIN);
        left.enter(Phase::Idle);
        left.since.set(0);
        head.enter(Phase::Busy);
        head.http2().head_since.set(Some(limits.idle - limits.head));
        let look = || all.iter().for_each(|connection| look_at(connection, &limits, &worker));
        let due = || [idle, left, head].map(|connection| connection.http2().due.get());
        look();
        assert_eq!(due(), [None, None, None]);
        open.sweeps.set(limits.idle + 1);
        for _ in 0..2 {
            look();
        }
        assert_eq!(due(), [Some(Due::Idle), Some(Due::Left), Some(Due::Head)]);
        assert_eq!([plain, idle, left, head].map(|it| it.expired.get()), [true, false, false, false]);
        assert_eq!(worker.shared.front.workers.of(0).late_heads.get(), 1);
    }

    #[test]
    fn limits_are_whole_sweeps_and_no_rate_is_none() {
        let text = "[server]\nheader_timeout = \"1ms\"\nbody_timeout = \"251ms\"\nmin_send_rate = 0\nmin_body_rate = \"1KiB/s\"\n";
        let settings = Settings::parse(Source::new("gateway.toml", text), None).expect("sound settings");
        let limits = TimeLimits::by(&settings.server, &settings.http2);
        assert_eq!((limits.handshake, limits.head, limits.body, limits.idle), (40, 1, 2, 300));
        assert!(limits.takes.is_none());
        let sends = limits.sends.expect("a rate");
        assert_eq!((sends.bytes, sends.sweeps), (10 * 1024, 40));
    }
}
