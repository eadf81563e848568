//! A worker's keeper: one task that looks after all its connections and instances ten times a second, and at once when
//! something about an instance has changed. So no connection needs a timer of its own, and no call looks at a clock.

use super::conn::Conn;
use super::health::{FULL, Finding, review};
use super::numbers::NumberMap;
use super::peer::{Peer, Surroundings};
use super::pick::LocalBackend;
use crate::telemetry::{EjectionReason, Standing};
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::time::Duration;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// From one look to the next.
const PACE: Duration = Duration::from_millis(100);

/// A worker's backends by their ids.
pub(super) type Backends = Rc<RefCell<NumberMap<u64, Rc<LocalBackend>>>>;

/// All open connections of a worker, those among them that take no calls any more.
pub(super) type Connections = Rc<RefCell<Vec<Weak<Conn>>>>;

/// Looks after everything until it is aborted.
pub(super) async fn keep(backends: Backends, surroundings: Surroundings) {
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = pace.tick() => look(&surroundings),
            () = surroundings.due.notified() => {}
        }
        let mut changed = false;
        for backend in backends.borrow().values() {
            changed |= backend.review(Instant::now());
        }
        if changed {
            surroundings.changed.notify_waiters();
        }
    }
}

/// Looks whether the peers are there.
fn look(surroundings: &Surroundings) {
    surroundings.connections.borrow_mut().retain(|weak| match weak.upgrade() {
        Some(conn) => {
            conn.look(PACE);
            true
        }
        None => false,
    });
}

impl LocalBackend {
    /// Reviews all instances side by side. Says whether others get calls than before.
    pub(super) fn review(&self, now: Instant) -> bool {
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
