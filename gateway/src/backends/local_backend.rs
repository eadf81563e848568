//! A backend, as one worker sees it: which of its instances a call goes to, and what a worker keeps of the calls to it.
//!
//! There is one rule of who could take a call, and a backend's [`balance`](super::balance) says in which order these are asked. An
//! instance that is new, has recovered or is throttled has its turn only in part of the cases (its health's weight). Where the
//! order finds none, all instances are looked at, and the best one that is left is taken.

use super::attempt::Attempt;
use super::backend::Backend;
use super::balance::{Balancer, Groups};
use super::call_state::CallState;
use super::endpoint::Endpoint;
use super::instances::{Candidate, Instances, Tier};
use super::local_endpoint::LocalEndpoint;
use super::members::Members;
use super::tried::Tried;
use crate::config::HealthSpec;
use crate::overload::Admission;
use crate::telemetry::BackendCounters;
use crate::transport::{Call, Link, Times, Unsent};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use tokio::time::Instant;

/// A backend, as one worker sees it.
pub struct LocalBackend {
    /// As all workers share it.
    pub(super) shared: Arc<Backend>,
    /// Its members, as this worker has taken them up.
    pub(super) members: Arc<Members>,
    /// The worker's side of each of them.
    pub(super) instances: Instances,
    pub(super) spec: HealthSpec,
    balancer: Balancer,
    /// The instances that get calls, as the last review saw it. Only a help for the quick choice: whoever is chosen is looked at
    /// again.
    pub(super) groups: RefCell<Groups>,
    /// Some instance has to be probed.
    pub(super) probing: Cell<bool>,
    /// The last review found nothing that time could change.
    pub(super) rested: Cell<bool>,
    /// What its calls have come to; kept when a new table changes the backend.
    pub calls: Rc<CallState>,
    /// Who lets calls in.
    pub admission: Rc<Admission>,
    worker: usize,
}

/// Where a call can go.
pub enum Pick {
    /// To this instance.
    Ready(Chosen),
    /// Nowhere yet, but a connection is being made: wait for [`Pool::changed`](super::Pool::changed).
    Wait,
    /// Nowhere: every instance is at its bound of calls in flight.
    Busy,
    /// Nowhere: no instance is there, or none that wants calls.
    None,
}

/// An instance that a call can go to, and the way there.
pub struct Chosen {
    at: Rc<LocalEndpoint>,
    link: Link,
}

impl LocalBackend {
    /// What it is called.
    pub fn name(&self) -> &str {
        &self.shared.spec.name
    }

    /// A backend of worker number `worker` with these members and the worker's side of them, in their order, for a gateway of that
    /// zone.
    pub(super) fn new(
        shared: Arc<Backend>,
        members: Arc<Members>,
        endpoints: Vec<Rc<LocalEndpoint>>,
        calls: Rc<CallState>,
        worker: usize,
        zone: Option<&str>,
    ) -> LocalBackend {
        let Backend { spec, stats, gauge, .. } = &*shared;
        let instances = Instances::new(&members, endpoints, stats.clone(), zone);
        let (load, gauge, stats) = (calls.load.clone(), gauge.clone(), stats.clone());
        LocalBackend {
            spec: spec.health,
            balancer: Balancer::new(&spec.balance, &instances.parts, members.ring.clone()),
            instances,
            groups: RefCell::default(),
            probing: Cell::new(false),
            rested: Cell::new(false),
            calls,
            admission: Rc::new(Admission::new(load, spec.overload, gauge, stats, worker)),
            worker,
            members,
            shared,
        }
    }

    /// What this worker counts of it.
    #[inline]
    pub fn counters(&self) -> &BackendCounters {
        self.shared.stats.0.of(self.worker)
    }

    /// Whether every instance is being drained, so that none will be there however long a call waits.
    pub fn drains(&self) -> bool {
        // A name without an answer leads to none.
        !self.instances.all.is_empty() && self.instances.all.iter().all(|at| at.is_retired())
    }

    /// Whether some instance would take the call as one of its share: it is there, well or to be tried, and can run it.
    pub fn takes(&self, tried: &Tried<'_>) -> bool {
        self.instances.take(tried)
    }

    /// The endpoints that are connected and lack the method or do not fit the route, whatever their version.
    pub fn lacking(&self, tried: &Tried<'_>) -> Vec<u64> {
        self.instances.lacking(tried)
    }

    /// Why the route was found not to fit one of them.
    pub fn misfit(&self, tried: &Tried<'_>) -> Option<Rc<str>> {
        self.instances.misfit(tried)
    }

    /// Picks the instance for a call. Instances that refused the call come last but for those that are ejected, those that lack
    /// its method not at all.
    #[inline]
    pub fn pick(&self, tried: &Tried<'_>) -> Pick {
        if self.probing.get()
            && let Some(candidate) = self.instances.probe(tried)
        {
            return Pick::Ready(Chosen::from(candidate));
        }
        let groups = self.groups.borrow();
        let Some(chosen) = self.choose(&groups, tried) else { return self.nowhere(tried) };
        self.instances.note_rank(&chosen);
        Pick::Ready(Chosen::from(chosen))
    }

    #[inline]
    fn choose(&self, groups: &Groups, tried: &Tried<'_>) -> Option<Candidate<'_>> {
        let (first, other) = groups.in_order(tried.key);
        if let Some(chosen) = self.balancer.choose(&self.instances, first, tried) {
            return Some(chosen);
        }
        let (tier, best) = self.best(tried)?;
        // Those of the one group can take no more. Which of the other does is for the order to say.
        let elsewhere = tier == Tier::Fresh && other.has(best.place);
        if elsewhere && let Some(chosen) = self.balancer.choose(&self.instances, other, tried) {
            return Some(chosen);
        }
        if tier == Tier::LastResort {
            best.at.counters().health.last_resorts.increment();
        }
        Some(best)
    }

    /// The best one of all that have room.
    fn best(&self, tried: &Tried<'_>) -> Option<(Tier, Candidate<'_>)> {
        let costs = self.balancer.costs();
        self.instances.best(tried, |one| costs.weighted(&self.instances, one))
    }

    pub(super) fn nowhere(&self, tried: &Tried<'_>) -> Pick {
        let mut offering = self.instances.all.iter().filter(|at| !tried.rules_out(at));
        if offering.clone().any(|at| at.link().is_some_and(|link| link.is_ready())) {
            return Pick::Busy;
        }
        if offering.any(|at| at.is_hopeful() && at.link().is_none()) { Pick::Wait } else { Pick::None }
    }
}

impl From<Candidate<'_>> for Chosen {
    #[inline]
    fn from(candidate: Candidate<'_>) -> Chosen {
        Chosen { at: candidate.at.clone(), link: candidate.link }
    }
}

impl Chosen {
    /// Where it is.
    pub fn endpoint(&self) -> &Endpoint {
        &self.at.endpoint
    }

    /// Whether it may be gone: it does not answer.
    pub fn is_silent(&self) -> bool {
        self.link.is_silent()
    }

    /// When something was last heard of it.
    pub fn heard_at(&self) -> Instant {
        self.link.heard_at()
    }

    /// Sends a call there. `times` is asked once the instance has said whether running the method twice does what running it
    /// once does.
    #[inline]
    pub fn send(&self, call: &Call<'_>, times: impl FnOnce(bool) -> Times) -> Result<Attempt, Unsent> {
        Attempt::send(&self.at, &self.link, call, times)
    }
}

#[cfg(test)]
pub(super) mod tests;
