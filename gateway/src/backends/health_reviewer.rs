//! A worker's health reviewer: one task that looks after all its connections and instances ten times a second, and at once after
//! those about which something has changed. So no connection needs a timer of its own, and no call looks at a clock.
//!
//! A thousand instances take it a millisecond. It looks after a few at a time, and lets requests be served in between.

use super::balance::Groups;
use super::endpoint_connection::Surroundings;
use super::local_backend::LocalBackend;
use super::local_endpoint::LocalEndpoint;
use crate::number_map::NumberMap;
use crate::telemetry::{EjectionReason, Standing};
use callgate_health::{FULL, Finding, review};
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::{Instant, MissedTickBehavior, interval};

/// From one look to the next.
const PACE: Duration = Duration::from_millis(100);

/// How many instances are looked after before requests have their turn again.
const AT_ONCE: usize = 32;

/// A worker's backends by their ids.
pub(super) type Backends = Rc<RefCell<NumberMap<u64, Rc<LocalBackend>>>>;

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
            surroundings.connections.look(PACE).await;
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
            looked_after += backend.instances.all.len();
            if looked_after >= AT_ONCE {
                looked_after = 0;
                yield_now().await;
            }
        }
    }
}

impl LocalBackend {
    /// Whether something about an instance has changed since the last review.
    fn is_due(&self) -> bool {
        self.instances.all.iter().any(|at| at.monitor.review().is_raised())
    }

    /// Whether another review would find what the last one has: no instance was called since it was connected to, and none is
    /// still eased in. So it is with most, where there are many.
    fn rests(&self) -> bool {
        self.rested.get() && self.instances.all.iter().all(|at| at.monitor.rests())
    }

    /// Reviews all instances side by side. Says whether others get calls than before.
    pub(super) fn review(&self, now: Instant) -> bool {
        self.instances.all.iter().for_each(|at| at.monitor.review().clear());
        let mut healths: Vec<_> = self.instances.all.iter().map(|at| at.monitor.health()).collect();
        let mut findings: Vec<Finding<'_>> = healths
            .iter_mut()
            .zip(&self.instances.all)
            .map(|(health, at)| Finding::new(health, at.is_callable(), at.is_well_elsewhere()))
            .collect();
        review(&mut findings, &self.spec, now.into_std());
        let outcomes: Vec<(bool, bool)> = findings.iter().map(|one| (one.ejected, one.recovered)).collect();
        let reasons: Vec<EjectionReason> = healths.iter().map(|health| health.reason()).collect();
        drop(healths);
        let mut live = Vec::with_capacity(self.instances.all.len());
        let mut probing = false;
        let typical = self.instances.typical_latency();
        for (place, at) in self.instances.all.iter().enumerate() {
            let (ejected, recovered) = outcomes[place];
            if recovered {
                at.monitor.forget_peak(now);
            }
            at.monitor.set_typical(typical);
            at.monitor.settle(now);
            at.note(ejected.then_some(reasons[place]), recovered);
            at.publish(now);
            probing |= at.monitor.is_probing();
            if at.is_callable() && at.monitor.is_in() {
                live.push(place);
            }
        }
        self.probing.set(probing);
        self.rested.set(self.instances.all.iter().all(|at| at.monitor.rests()));
        self.instances.compare_offers();
        let groups = Groups::of(&self.instances, &live);
        let changed = *self.groups.borrow() != groups;
        *self.groups.borrow_mut() = groups;
        changed
    }
}

impl LocalEndpoint {
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
        let standing = match self.link() {
            None if self.is_hopeful() => Standing::Connecting,
            None => Standing::Unreachable,
            Some(link) if !link.is_ready() => Standing::NotReady,
            Some(link) if link.is_silent() => Standing::Silent,
            Some(_) => health.standing(self.monitor.weight()).into(),
        };
        shown.stands(standing);
        let left = |until: std::time::Instant| until.saturating_duration_since(now.into_std());
        let left = health.ejected_until().map_or(Duration::ZERO, left);
        shown.ejected_for_ms.set(left.as_millis() as u64);
        let callable = matches!(standing, Standing::Well | Standing::SlowStart | Standing::Throttled);
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
    use crate::backends::endpoint::Endpoint;
    use crate::backends::testing::{instance, instance_at, link, local_of, surroundings};
    use crate::config::{BackendSpec, Balance, EndpointAddr, HealthSpec, Placement};
    use crate::transport::{Evidence, Link};
    use std::sync::Arc;
    use tokio::task::{JoinHandle, LocalSet, spawn_local};
    use tokio::time::sleep;

    /// Backends of one instance each, each of which waits for a review.
    fn backends(n: u64) -> Backends {
        let spec = HealthSpec::default();
        let backend = |id| {
            let one = instance(spec);
            one.monitor.review().raise();
            (id, Rc::new(local_of(Balance::default(), spec, &[Placement::default()], vec![one])))
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
                let reviewer = begin(&backends, surroundings());
                let turns = until_none_is_due(&backends).await;
                assert!(turns >= FEW, "{turns} turns");
                reviewer.abort();
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_review_that_is_asked_for_does_not_wait_for_the_next_look_and_is_of_no_other() {
        LocalSet::new()
            .run_until(async {
                let (backends, surroundings) = (backends(2), surroundings());
                let reviewer = begin(&backends, surroundings.clone());
                until_none_is_due(&backends).await;
                let looked = Instant::now();
                let other = backends.borrow()[&1].clone();
                *other.groups.borrow_mut() = Groups::default();
                backends.borrow()[&0].instances.all[0].monitor.review().raise();
                surroundings.due.notify_one();
                until_none_is_due(&backends).await;
                assert_eq!(looked.elapsed(), Duration::ZERO);
                assert!(*other.groups.borrow() == Groups::default(), "nobody has asked for its review");
                reviewer.abort();
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn instances_that_nobody_calls_are_left_alone_until_somebody_does() {
        LocalSet::new()
            .run_until(async {
                let spec = HealthSpec { slow_start: PACE, ..HealthSpec::default() };
                let local = Rc::new(local_of(
                    Balance::default(),
                    spec,
                    &[Placement::default()],
                    vec![instance(spec)],
                ));
                let backends = Rc::new(RefCell::new(NumberMap::from_iter([(0, local.clone())])));
                let reviewer = begin(&backends, surroundings());
                sleep(PACE * 5).await;
                assert!(local.rests());
                let found = local.groups.take();
                sleep(PACE * 5).await;
                assert!(*local.groups.borrow() == Groups::default(), "nothing has happened");
                let (monitor, now) = (&local.instances.all[0].monitor, Instant::now());
                monitor.ended(monitor.sent(), Evidence::Good, Some(PACE), now);
                sleep(PACE * 2).await;
                assert!(*local.groups.borrow() == found);
                reviewer.abort();
            })
            .await;
    }

    #[tokio::test(start_paused = true)]
    async fn how_an_instance_stands_and_what_it_gets_is_written_down() {
        let (spec, now) = (HealthSpec::default(), Instant::now());
        let all: Vec<_> = (1..4).map(|port| instance_at(spec, port)).collect();
        let backend = local_of(Balance::default(), spec, &vec![Placement::default(); 3], all);
        let at = &backend.instances.all[0];
        let (link, shown) = (link(at), &at.counters().health);
        let stands_at = |seconds: f32| {
            backend.review(now + Duration::from_secs_f32(seconds));
            (shown.standing(), shown.share.get(), shown.ejected_for_ms.get())
        };
        assert_eq!(stands_at(0.0), (Standing::SlowStart, 10, 0));
        assert_eq!(stands_at(5.0), (Standing::SlowStart, 49, 0));
        assert_eq!(stands_at(10.0), (Standing::Well, 100, 0));
        link.set_ready(false);
        assert_eq!(stands_at(10.0), (Standing::NotReady, 0, 0));
        link.set_ready(true);
        link.falls_silent();
        assert_eq!(stands_at(10.0), (Standing::Silent, 0, 0));
        link.gives_a_sign();
        at.set_link(None);
        assert_eq!(stands_at(10.0), (Standing::Unreachable, 0, 0));
        at.set_hopeful(true);
        assert_eq!(stands_at(10.0), (Standing::Connecting, 0, 0));
        at.set_link(Some(Link::Memory(link)));
        let call = |evidence| {
            let half_a_second = Some(Duration::from_millis(500));
            at.monitor.ended(at.monitor.sent(), evidence, half_a_second, now);
        };
        call(Evidence::Good);
        (0..5).for_each(|_| call(Evidence::Failed));
        assert_eq!(stands_at(10.0), (Standing::Ejected, 0, 1000));
        assert_eq!(stands_at(10.25), (Standing::Ejected, 0, 750));
        assert_eq!(stands_at(11.0), (Standing::Probing, 0, 0));
        let figures = [&shown.failures, &shown.of_calls, &shown.latency_us].map(|figure| figure.get());
        assert_eq!(figures, [5, 6, 500_000]);
    }

    #[test]
    fn what_one_worker_finds_well_again_the_others_hear_once_and_itself_not() {
        let addr = EndpointAddr::Unix("/run/shop.sock".into());
        let (endpoint, spec) = (Arc::new(Endpoint::new(addr, 2)), BackendSpec::new("b", Vec::new()));
        let [here, there] =
            [0, 1].map(|worker| LocalEndpoint::new(endpoint.clone(), &spec, worker, Rc::default()));
        assert!(!here.is_well_elsewhere() && !there.is_well_elsewhere());
        here.note(None, true);
        assert!(!here.is_well_elsewhere());
        assert!(there.is_well_elsewhere() && !there.is_well_elsewhere());
        let recoveries = [&here, &there].map(|at| at.counters().health.recoveries.get());
        assert_eq!(recoveries, [1, 0]);
    }
}
