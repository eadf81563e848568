//! A worker's keeper: one task that looks after all its connections and instances ten times a second, and at once after those
//! about which something has changed. So no connection needs a timer of its own, and no call looks at a clock.
//!
//! A thousand instances take it a millisecond. It looks after a few at a time, and lets requests be served in between.

use super::health::{FULL, Finding, review};
use super::peer::{Peer, Surroundings};
use super::pick::LocalBackend;
use crate::number_map::NumberMap;
use crate::telemetry::{EjectionReason, Standing};
use crate::transport::callgate::Conn;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// From one look to the next.
const PACE: Duration = Duration::from_millis(100);

/// How many instances or connections are looked after before requests have their turn again.
const AT_ONCE: usize = 32;

/// A worker's backends by their ids.
pub(super) type Backends = Rc<RefCell<NumberMap<u64, Rc<LocalBackend>>>>;

/// All open connections of a worker, those among them that take no calls any more.
pub(super) type Connections = Rc<RefCell<Vec<Weak<Conn>>>>;

/// Looks after everything until it is aborted.
pub(super) async fn keep(backends: &Backends, surroundings: &Surroundings) {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let all = tokio::select! {
            _ = pace.tick() => true,
            () = surroundings.due.notified() => false,
        };
        surroundings.presence.see(Instant::now());
        if all {
            // What has come while the worker was away is read first.
            yield_now().await;
            look(&surroundings.connections).await;
        }
        let due = |backend: &LocalBackend| backend.is_due() || (all && !backend.rests());
        let due: Vec<u64> =
            backends.borrow().iter().filter(|(_, backend)| due(backend)).map(|(id, _)| *id).collect();
        let mut looked_after = 0;
        for id in due {
            // A table may come meanwhile.
            let Some(backend) = backends.borrow().get(&id).cloned() else { continue };
            if backend.review(Instant::now()) {
                surroundings.changed.notify_waiters();
            }
            looked_after += backend.peers.len();
            if looked_after >= AT_ONCE {
                looked_after = 0;
                yield_now().await;
            }
        }
    }
}

/// Looks whether the peers are there.
async fn look(connections: &Connections) {
    connections.borrow_mut().retain(|weak| weak.strong_count() > 0);
    let mut at = 0;
    loop {
        let some: Vec<_> = connections.borrow().iter().skip(at).take(AT_ONCE).cloned().collect();
        if some.is_empty() {
            return;
        }
        // Those that are made meanwhile come last, and need no look yet.
        at += some.len();
        some.iter().filter_map(Weak::upgrade).for_each(|conn| conn.look(PACE));
        yield_now().await;
    }
}

impl LocalBackend {
    /// Whether something about an instance has changed since the last review.
    fn is_due(&self) -> bool {
        self.peers.iter().any(|peer| peer.monitor.is_due())
    }

    /// Whether another review would find what the last one has: no instance was called since it was connected to, and none is
    /// still eased in. So it is with most, where there are many.
    fn rests(&self) -> bool {
        self.rested.get() && self.peers.iter().all(|peer| peer.monitor.rests())
    }

    /// Reviews all instances side by side. Says whether others get calls than before.
    pub(super) fn review(&self, now: Instant) -> bool {
        self.peers.iter().for_each(|peer| peer.monitor.reviewed());
        let mut healths: Vec<_> = self.peers.iter().map(|peer| peer.monitor.health()).collect();
        let mut findings: Vec<Finding<'_>> = healths
            .iter_mut()
            .zip(&self.peers)
            .map(|(health, peer)| Finding::new(health, peer.is_callable(), peer.is_well_elsewhere()))
            .collect();
        review(&mut findings, &self.spec, now);
        let outcomes: Vec<(bool, bool)> = findings.iter().map(|one| (one.ejected, one.recovered)).collect();
        let reasons: Vec<EjectionReason> = healths.iter().map(|health| health.reason()).collect();
        drop(healths);
        let mut live = Vec::with_capacity(self.peers.len());
        let mut probing = false;
        let typical = self.typical();
        for (at, peer) in self.peers.iter().enumerate() {
            let (ejected, recovered) = outcomes[at];
            if recovered {
                peer.monitor.forget_peak(now);
            }
            peer.monitor.set_typical(typical);
            peer.monitor.settle(now);
            peer.note(ejected.then_some(reasons[at]), recovered);
            peer.publish(now);
            probing |= peer.monitor.is_probing();
            if peer.is_callable() && peer.monitor.is_in() {
                live.push(at);
            }
        }
        self.probing.set(probing);
        self.rested.set(self.peers.iter().all(|peer| peer.monitor.rests()));
        self.compare_offers();
        let groups = self.group(&live);
        let changed = *self.groups.borrow() != groups;
        *self.groups.borrow_mut() = groups;
        changed
    }

    /// What its instances take, in seconds: the median, of an even number the lower one; 0 as long as nobody knows.
    fn typical(&self) -> f32 {
        let callable = self.peers.iter().filter(|peer| peer.is_callable());
        let mut usual: Vec<f32> = callable.filter_map(|peer| peer.monitor.usual()).collect();
        usual.sort_unstable_by(f32::total_cmp);
        usual.get(usual.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
    }
}

impl Peer {
    /// Whether there is a connection on which it could be called.
    fn is_callable(&self) -> bool {
        self.conn().is_some_and(|conn| conn.is_ready() && !conn.is_doubtful())
    }

    /// Whether another worker has found it well since this was last asked.
    fn is_well_elsewhere(&self) -> bool {
        let recovered = self.endpoint.signals.recovered();
        self.seen_recovered.replace(recovered) != recovered
    }

    /// Counts and logs what a review came to, and tells the other workers.
    fn note(&self, ejected: Option<EjectionReason>, recovered: bool) {
        let (endpoint, health) = (&self.endpoint.addr, &self.counters().health);
        if let Some(reason) = ejected {
            health.ejected(reason);
            tracing::warn!(%endpoint, reason = reason.name(), worker = self.worker, "an instance is ejected");
        }
        if recovered {
            health.recoveries.increment();
            self.endpoint.signals.raise_recovered();
            // What it has raised itself is no news to it.
            self.seen_recovered.set(self.endpoint.signals.recovered());
            tracing::info!(%endpoint, worker = self.worker, "an instance is well again");
        }
    }

    /// Writes down how it stands, for the admin port.
    fn publish(&self, now: Instant) {
        let shown = &self.counters().health;
        let health = self.monitor.health();
        let standing = match self.conn() {
            None if self.is_hopeful() => Standing::Connecting,
            None => Standing::Unreachable,
            Some(conn) if !conn.is_ready() => Standing::NotReady,
            Some(conn) if conn.is_doubtful() => Standing::Silent,
            Some(_) => health.standing(self.monitor.weight()),
        };
        shown.stands(standing);
        let left =
            health.ejected_until().map_or(Duration::ZERO, |until| until.saturating_duration_since(now));
        shown.ejected_for_ms.set(left.as_millis() as u64);
        let callable = matches!(standing, Standing::Well | Standing::SlowStart | Standing::Shunned);
        let share = u64::from(self.monitor.weight()) * 100 / u64::from(FULL);
        shown.share.set(if callable { share } else { 0 });
        let (failures, of) = health.failures();
        shown.failures.set(failures.into());
        shown.of_calls.set(of.into());
        shown.latency_us.set(health.latency().as_micros() as u64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::health::Verdict;
    use crate::backends::pick::Groups;
    use crate::backends::pick::tests::local_of;
    use crate::config::{Balance, HealthSpec, Placing};
    use crate::presence::Presence;
    use crate::transport::callgate::testing::peer;
    use std::sync::Arc;
    use tokio::sync::Notify;
    use tokio::task::{JoinHandle, LocalSet, spawn_local};
    use tokio::time::sleep;

    fn surroundings() -> Surroundings {
        let (changed, due) = (Rc::<Notify>::default(), Rc::<Notify>::default());
        let (catalog, offers) = (Arc::default(), Arc::default());
        let presence = Rc::new(Presence::new(Instant::now()));
        let (supervisor, answers) = (Arc::default(), callgate_protocol::Budget::new(0));
        let connections = Rc::default();
        Surroundings { worker: 0, catalog, supervisor, answers, changed, due, offers, connections, presence }
    }

    /// Backends of one instance each, each of which waits for a review.
    fn backends(n: u64) -> Backends {
        let backend = |id| {
            let peer = peer(HealthSpec::default());
            peer.monitor.ask_for_review();
            let local =
                local_of(Balance::default(), HealthSpec::default(), &[Placing::default()], vec![peer]);
            (id, Rc::new(local))
        };
        Rc::new(RefCell::new((0..n).map(backend).collect()))
    }

    fn begin(backends: &Backends, surroundings: Surroundings) -> JoinHandle<()> {
        let backends = backends.clone();
        spawn_local(async move { keep(&backends, &surroundings).await })
    }

    async fn until_none_is_due(backends: &Backends) -> usize {
        let mut turns = 0;
        while backends.borrow().values().any(|backend| backend.is_due()) {
            turns += 1;
            yield_now().await;
        }
        turns
    }

    #[tokio::test(start_paused = true)]
    async fn others_have_their_turns_while_many_are_looked_after() {
        const FEW: usize = 10;
        LocalSet::new()
            .run_until(async {
                let backends = backends((FEW * AT_ONCE) as u64);
                let keeper = begin(&backends, surroundings());
                let turns = until_none_is_due(&backends).await;
                assert!(turns >= FEW, "{turns} turns");
                keeper.abort();
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_review_that_is_asked_for_does_not_wait_for_the_next_look_and_is_of_no_other() {
        LocalSet::new()
            .run_until(async {
                let (backends, surroundings) = (backends(2), surroundings());
                let keeper = begin(&backends, surroundings.clone());
                until_none_is_due(&backends).await;
                let looked = Instant::now();
                let other = backends.borrow()[&1].clone();
                *other.groups.borrow_mut() = Groups::default();
                backends.borrow()[&0].peers[0].monitor.ask_for_review();
                surroundings.due.notify_one();
                until_none_is_due(&backends).await;
                assert_eq!(looked.elapsed(), Duration::ZERO);
                assert!(*other.groups.borrow() == Groups::default(), "nobody has asked for its review");
                keeper.abort();
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn instances_that_nobody_calls_are_left_alone_until_somebody_does() {
        LocalSet::new()
            .run_until(async {
                let spec = HealthSpec { slow_start: PACE, ..HealthSpec::default() };
                let local =
                    Rc::new(local_of(Balance::default(), spec, &[Placing::default()], vec![peer(spec)]));
                let backends = Rc::new(RefCell::new(NumberMap::from_iter([(0, local.clone())])));
                let keeper = begin(&backends, surroundings());
                sleep(PACE * 5).await;
                assert!(local.rests());
                let found = local.groups.take();
                sleep(PACE * 5).await;
                assert!(*local.groups.borrow() == Groups::default(), "nothing has happened");
                let (monitor, now) = (&local.peers[0].monitor, Instant::now());
                monitor.ended(monitor.sent(), Verdict::Good, Some(PACE), now);
                sleep(PACE * 2).await;
                assert!(*local.groups.borrow() == found);
                keeper.abort();
            })
            .await;
    }
}
