//! Room for client connections in the process: how many there may be, and how many each worker has.
//!
//! `max_connections` is the bound that is asked for. The process may have fewer file descriptors than that takes; then the
//! bound in force is lower, so that some descriptors are left for the admin port and for connections to instances.
//!
//! Near the bound room is short: answers say `Connection: close`, so that busy clients make room without losing anything. At
//! the bound a newcomer takes the place of an idle connection (`idle.rs`), or is refused (`goodbye.rs`).

use crate::telemetry::PerWorker;
use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

/// Descriptors beside those of client and backend connections: listening sockets, the log, file watching, DNS look-ups, a
/// successor, newcomers that are being refused, and the admin port's connections.
const RESERVE: usize = 192;

/// Descriptors of a worker's runtime.
const OF_WORKER: usize = 8;

/// How many client connections there may be, and how many there are.
#[derive(Debug)]
pub struct Room {
    /// `max_connections`.
    wanted: usize,
    /// Descriptors that the process may have; none without a limit.
    descriptors: Option<usize>,
    /// The bound in force, never 0.
    bound: AtomicUsize,
    /// From so many connections on room is short.
    short: AtomicUsize,
    /// Places that are taken.
    taken: AtomicUsize,
    workers: PerWorker<Share>,
    refused: AtomicU64,
}

/// One worker's part.
#[derive(Debug, Default)]
struct Share {
    /// Its open connections.
    open: AtomicUsize,
    /// For how many sweeps its longest idle connection has been idle, and one more; 0 when none is. A hint.
    idle_for: AtomicU64,
}

impl Room {
    /// Room for as many connections as the settings ask for, in a process that may have so many descriptors.
    pub fn new(wanted: u64, workers: usize, descriptors: Option<usize>) -> Arc<Room> {
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let room = Room {
            wanted,
            descriptors,
            bound: AtomicUsize::new(wanted),
            short: AtomicUsize::new(short_from(wanted)),
            taken: AtomicUsize::new(0),
            workers: PerWorker::new(workers),
            refused: AtomicU64::new(0),
        };
        Arc::new(room)
    }

    /// Brings the bound in line with how many descriptors the connections to `endpoints` take, one a worker. The log says
    /// when it becomes another one.
    pub fn fit(&self, endpoints: usize) {
        let workers = self.workers.iter().count();
        let bound = self.descriptors.map_or(self.wanted, |all| fitting(self.wanted, all, workers, endpoints));
        if self.bound.swap(bound, Relaxed) == bound {
            return;
        }
        self.short.store(short_from(bound), Relaxed);
        let (wanted, descriptors) = (self.wanted, self.descriptors);
        if bound < wanted {
            tracing::warn!(
                max_connections = wanted,
                descriptors,
                endpoints,
                bound,
                "the limit of file descriptors is too low for max_connections: fewer connections are taken"
            );
        } else {
            tracing::info!(max_connections = wanted, descriptors, "max_connections fits again");
        }
    }

    /// The bound in force.
    pub fn bound(&self) -> usize {
        self.bound.load(Relaxed)
    }

    /// Whether clients should close their connections with the next answer.
    #[inline]
    pub fn is_short(&self) -> bool {
        self.taken.load(Relaxed) >= self.short.load(Relaxed)
    }

    /// A place with the worker that has the fewest connections; none at the bound.
    pub fn take(self: &Arc<Self>) -> Option<Place> {
        let bound = self.bound();
        self.taken.fetch_update(Relaxed, Relaxed, |taken| (taken < bound).then_some(taken + 1)).ok()?;
        let shares = self.workers.iter().enumerate();
        let (worker, share) = shares.min_by_key(|(_, share)| share.open.load(Relaxed))?;
        share.open.fetch_add(1, Relaxed);
        Some(Place { room: self.clone(), worker })
    }

    /// The workers, first the one whose longest idle connection has been idle for the longest time.
    pub fn by_idleness(&self) -> Vec<usize> {
        let shares = self.workers.iter().enumerate();
        let key = |share: &Share| Reverse((share.idle_for.load(Relaxed), share.open.load(Relaxed)));
        let mut order: Vec<_> = shares.map(|(worker, share)| (key(share), worker)).collect();
        order.sort_unstable();
        order.into_iter().map(|(_, worker)| worker).collect()
    }

    /// A worker says for how many sweeps its longest idle connection has been idle; none when it has no idle one.
    pub fn set_idle_for(&self, worker: usize, sweeps: Option<u64>) {
        self.workers.of(worker).idle_for.store(sweeps.map_or(0, |sweeps| sweeps + 1), Relaxed);
    }

    /// Counts a newcomer that was refused.
    pub fn count_refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// Newcomers that were refused.
    pub fn refused(&self) -> u64 {
        self.refused.load(Relaxed)
    }
}

/// A client connection's place, given back when it is dropped.
#[derive(Debug)]
pub struct Place {
    room: Arc<Room>,
    worker: usize,
}

impl Place {
    /// Whose connection it is.
    pub fn worker(&self) -> usize {
        self.worker
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.room.workers.of(self.worker).open.fetch_sub(1, Relaxed);
        self.room.taken.fetch_sub(1, Relaxed);
    }
}

/// From how many connections on room is short: nine tenths of the bound.
fn short_from(bound: usize) -> usize {
    bound - bound / 10
}

/// How many client connections fit beside everything else that takes descriptors. At least a quarter of them is for
/// clients: a process that has only a few descriptors shall serve as well as it can.
fn fitting(wanted: usize, descriptors: usize, workers: usize, endpoints: usize) -> usize {
    let others = RESERVE + workers.saturating_mul(OF_WORKER.saturating_add(endpoints));
    wanted.min(descriptors.saturating_sub(others).max(descriptors / 4)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_go_to_the_worker_with_the_fewest_up_to_the_bound_and_come_back() {
        let room = Room::new(3, 2, None);
        let places: Vec<Place> = std::iter::from_fn(|| room.take()).collect();
        assert_eq!(places.iter().map(Place::worker).collect::<Vec<_>>(), [0, 1, 0]);
        drop(places);
        assert_eq!(room.take().map(|place| place.worker()), Some(0));
    }

    #[test]
    fn room_is_short_from_nine_tenths_of_the_bound_on() {
        for (bound, short) in [(1, 1), (9, 9), (10, 9), (20, 18), (20_000, 18_000)] {
            let room = Room::new(bound, 1, None);
            let _most: Vec<_> = (1..short).map(|_| room.take().expect("there is room")).collect();
            assert!(!room.is_short(), "{bound}");
            let _one = room.take();
            assert!(room.is_short(), "{bound}");
        }
    }

    #[test]
    fn the_bound_leaves_descriptors_for_everything_else() {
        // What is wanted, descriptors, workers, endpoints; what fits.
        for (wanted, descriptors, workers, endpoints, expected) in [
            (20_000, 1_048_576, 8, 100, 20_000),
            (20_000, 20_000, 2, 10, 20_000 - 192 - 2 * 18),
            (20_000, 1024, 2, 2, 1024 - 192 - 2 * 10),
            (500, 1024, 2, 2, 500),
            // Too few for anything: a quarter.
            (20_000, 64, 2, 2, 16),
            (20_000, 1024, 8, 1000, 256),
            (20_000, 1, 1, 1, 1),
        ] {
            assert_eq!(fitting(wanted, descriptors, workers, endpoints), expected);
        }
    }

    #[test]
    fn a_table_with_more_endpoints_leaves_room_for_fewer_clients() {
        let room = Room::new(1000, 2, Some(1024));
        room.fit(10);
        assert_eq!(room.bound(), 1024 - 192 - 2 * 18);
        room.fit(50);
        assert_eq!(room.bound(), 1024 - 192 - 2 * 58);
    }

    #[test]
    fn the_worker_with_the_longest_idle_connection_is_asked_first() {
        let room = Room::new(9, 3, None);
        room.set_idle_for(0, None);
        room.set_idle_for(1, Some(0));
        room.set_idle_for(2, Some(7));
        assert_eq!(room.by_idleness(), [2, 1, 0]);
        let _place = room.take();
        room.set_idle_for(2, None);
        assert_eq!(room.by_idleness(), [1, 0, 2], "among those without, the one with the most connections");
    }
}
