//! Admission to a backend: a permit for each call, from before an instance is chosen until its answer is there.
//!
//! Without a bound and while the limit is not in force, that is an addition and a comparison in the worker's own memory.

use super::Gauge;
use super::limit::{Ending, Limit, Observed, Rules};
use super::queue::{Outcome, Queue, Rank, Turn};
use crate::backends::LocalBackend;
use crate::config::{OverloadSpec, Priority, When};
use crate::routes::Backend;
use crate::telemetry::{OverloadCounters, ShedReason};
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use tokio::time::{Instant, sleep_until};

/// What there is of the limits for calls that are not critical, once there are critical ones; and for dispensable ones. In
/// twentieths.
const DEFAULT_SHARE: usize = 19;
const SHEDDABLE_SHARE: usize = 16;

/// How many calls may go on when one has ended: the next one, and one more, as the limit may have grown.
const AT_ONCE: usize = 2;

/// What one worker knows of the load of one backend. It outlives reloads, as long as there is a backend of that name.
pub struct Overload {
    in_flight: Cell<usize>,
    limit: Limit,
    queue: Queue,
    /// Calls that have waited, while they are on their way.
    interested: Cell<usize>,
    /// There are critical calls, so that something is kept free for them.
    critical: Cell<bool>,
}

/// Where a call goes, and how much it matters.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The worker's number.
    pub worker: usize,
    /// How many workers there are.
    pub workers: usize,
    /// The backend.
    pub backend: &'a Backend,
    /// Of the call's route.
    pub priority: Priority,
}

/// A call's permit, given back when it is dropped.
pub struct Permit<'a> {
    place: Place<'a>,
    local: Rc<LocalBackend>,
    /// Where the call is counted too, if the backend's calls are counted.
    counted: Option<Arc<Gauge>>,
    /// Its place in the queue, and how long it may wait in all; once it has waited.
    waited: Option<(Rank, Instant)>,
    /// The try that is under way: its route, and when it was sent.
    under_way: Cell<Option<((u64, u64), Instant)>>,
    /// It is held: it has not been given back to wait for another one.
    held: bool,
}

impl Default for Overload {
    fn default() -> Overload {
        let now = Instant::now();
        Overload {
            in_flight: Cell::new(0),
            limit: Limit::new(now),
            queue: Queue::new(now),
            interested: Cell::new(0),
            critical: Cell::new(false),
        }
    }
}

/// Why a request to a backend need not even be read, if it would be turned away in any case.
pub fn shed_early(local: &LocalBackend, place: &Place<'_>) -> Option<ShedReason> {
    let (overload, spec) = (&local.calls.overload, &place.backend.spec.overload);
    let reason = overload.room(place).err().or_else(|| {
        let most = spec.max_in_flight?;
        (place.backend.gauge.count().get() >= overload.share(most, place.priority))
            .then_some(ShedReason::Backend)
    })?;
    (!overload.queue.takes(place.priority, &spec.queue)).then_some(reason)
}

impl Overload {
    /// What of a limit there is for calls of that priority.
    fn share(&self, most: usize, priority: Priority) -> usize {
        let twentieths = match priority {
            Priority::Critical => return most,
            Priority::Default if !self.critical.get() => return most,
            Priority::Default => DEFAULT_SHARE,
            Priority::Sheddable => SHEDDABLE_SHARE,
        };
        (most.saturating_mul(twentieths) / 20).max(1)
    }

    /// Whether the adaptive limit leaves room for a call.
    #[inline]
    fn room(&self, place: &Place<'_>) -> Result<(), ShedReason> {
        let Some(most) = self.limit.most() else {
            return Ok(());
        };
        if place.backend.spec.overload.adaptive.when == When::Never
            || self.in_flight.get() < self.share(most, place.priority)
        {
            return Ok(());
        }
        self.limit.binds();
        Err(ShedReason::Adaptive)
    }

    /// Counts a call in, if there is room for it.
    #[inline]
    fn take(&self, place: &Place<'_>) -> Result<Option<Arc<Gauge>>, ShedReason> {
        self.room(place)?;
        let counted = match place.backend.spec.overload.max_in_flight {
            None => None,
            Some(most) if place.backend.gauge.count().take(self.share(most, place.priority)) => {
                Some(place.backend.gauge.clone())
            }
            Some(_) => return Err(ShedReason::Backend),
        };
        let in_flight = self.in_flight.get() + 1;
        self.in_flight.set(in_flight);
        self.limit.reaches(in_flight);
        Ok(counted)
    }

    fn give_back(&self, counted: Option<Arc<Gauge>>) {
        self.in_flight.set(self.in_flight.get() - 1);
        if let Some(gauge) = counted {
            gauge.count().give_back();
        }
    }

    /// Lets calls go on that wait, as far as there is room.
    fn let_go_on(&self, place: &Place<'_>) {
        for _ in 0..AT_ONCE {
            let Some(next) = self.queue.first() else { return };
            let Ok(counted) = self.take(&Place { priority: next.priority, ..*place }) else { return };
            self.queue.grant(counted);
            self.publish(place);
        }
    }

    /// Writes down how many wait, for the admin port.
    fn publish(&self, place: &Place<'_>) {
        counters(place).queued.set(self.queue.len() as u64);
    }

    /// One call more or less wants to hear when others end elsewhere.
    fn is_interested(&self, place: &Place<'_>, is: bool) {
        let all = self.interested.get();
        self.interested.set(if is { all + 1 } else { all - 1 });
        if is_counted(&place.backend.spec.overload) {
            place.backend.gauge.wait(place.worker, self.interested.get() > 0);
        }
    }
}

/// Whether a call that ends makes room in other workers too.
#[inline]
fn is_counted(spec: &OverloadSpec) -> bool {
    spec.max_in_flight.is_some() || spec.max_per_instance.is_some()
}

fn counters<'a>(place: &Place<'a>) -> &'a OverloadCounters {
    &place.backend.stats.0.of(place.worker).overload
}

impl<'a> Permit<'a> {
    /// Lets a call in, at once or after a moment in the queue. `Ok(None)`: its deadline has come.
    #[inline]
    pub async fn of(
        place: Place<'a>,
        local: &Rc<LocalBackend>,
        deadline: Instant,
    ) -> Result<Option<Permit<'a>>, ShedReason> {
        let overload = &local.calls.overload;
        if place.priority == Priority::Critical {
            overload.critical.set(true);
        }
        let mut permit = Permit {
            place,
            local: local.clone(),
            counted: None,
            waited: None,
            under_way: Cell::new(None),
            held: false,
        };
        match overload.take(&place) {
            Ok(counted) => (permit.counted, permit.held) = (counted, true),
            Err(reason) => {
                if !permit.wait(deadline, reason).await? {
                    return Ok(None);
                }
            }
        }
        Ok(Some(permit))
    }

    /// Gives the permit up and waits for one anew, at the same place as before: no instance had room. `Ok(false)`: the
    /// deadline has come.
    pub async fn exchange(&mut self, deadline: Instant) -> Result<bool, ShedReason> {
        if !self.overload().queue.takes(self.place.priority, &self.place.backend.spec.overload.queue) {
            return Err(ShedReason::Instance);
        }
        // Nobody else is let go on for it: there is no instance for them either.
        let counted = self.counted.take();
        self.overload().give_back(counted);
        self.held = false;
        self.wait(deadline, ShedReason::Instance).await
    }

    /// Whether the call was in the queue.
    #[inline]
    pub fn has_waited(&self) -> bool {
        self.waited.is_some()
    }

    /// A try of that route is sent.
    #[inline]
    pub fn is_sent(&self, route: (u64, u64), at: Instant) {
        self.under_way.set(Some((route, at)));
    }

    /// What became of a try.
    #[inline]
    pub fn observe(&self, call: &Observed) {
        self.under_way.set(None);
        let Place { workers, backend, .. } = self.place;
        let adaptive = &backend.spec.overload.adaptive;
        if adaptive.when == When::Never {
            return;
        }
        let limit = &self.overload().limit;
        if limit.observe(call, &Rules::of(adaptive, workers)) {
            counters(&self.place).limit.set(limit.most().unwrap_or_default() as u64);
        }
    }

    fn overload(&self) -> &Overload {
        &self.local.calls.overload
    }

    /// Waits in the queue for a permit. An error when none came.
    async fn wait(&mut self, deadline: Instant, reason: ShedReason) -> Result<bool, ShedReason> {
        let (place, local) = (self.place, self.local.clone());
        let (overload, spec) = (&local.calls.overload, &place.backend.spec.overload.queue);
        if !overload.queue.takes(place.priority, spec) {
            return Err(reason);
        }
        let now = Instant::now();
        let patience = overload.queue.patience(place.priority, spec, now);
        let first = self.waited.is_none();
        if first {
            // From here on it is heard when a call ends elsewhere, also while this one looks for an instance.
            overload.is_interested(&place, true);
        }
        let (rank, until) =
            *self.waited.get_or_insert_with(|| (overload.queue.rank(place.priority), now + patience));
        let turn = overload.queue.enter(rank, spec).ok_or(ShedReason::Queue)?;
        let mut stay = Stay { permit: self, turn };
        overload.publish(&place);
        if first && is_counted(&place.backend.spec.overload) {
            // One may have ended before.
            overload.let_go_on(&place);
        }
        let outcome = stay.outcome(until.min(deadline)).await;
        let counters = counters(&place);
        match outcome {
            Some(Outcome::Granted(counted)) => {
                (stay.permit.counted, stay.permit.held) = (counted, true);
                counters.served.increment();
                Ok(true)
            }
            Some(Outcome::Displaced) => Err(ShedReason::Queue),
            None if deadline <= until => Ok(false),
            None => Err(ShedReason::Queue),
        }
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        if self.waited.is_some() {
            self.overload().is_interested(&self.place, false);
        }
        if !self.held {
            return;
        }
        if let Some((route, sent)) = self.under_way.take() {
            // Whoever gives up has waited too long, or not long enough to say anything.
            self.observe(&Observed { route, sent, took: sent.elapsed(), ending: Ending::Late });
        }
        let counted = self.counted.take();
        let overload = self.overload();
        overload.give_back(counted);
        if overload.queue.first().is_some() {
            overload.let_go_on(&self.place);
        }
        if is_counted(&self.place.backend.spec.overload) {
            self.place.backend.gauge.ring(self.place.worker);
        }
    }
}

/// A call's stay in the queue, however it ends.
struct Stay<'p, 'a> {
    permit: &'p mut Permit<'a>,
    turn: Rc<Turn>,
}

impl Stay<'_, '_> {
    /// What becomes of it; `None` when the time is up.
    async fn outcome(&mut self, until: Instant) -> Option<Outcome> {
        let (place, local) = (self.permit.place, self.permit.local.clone());
        let counted = is_counted(&place.backend.spec.overload);
        let mut time = std::pin::pin!(sleep_until(until));
        loop {
            tokio::select! {
                biased;
                outcome = poll_fn(|cx| self.turn.poll(cx)) => return Some(outcome),
                () = place.backend.gauge.rung(place.worker), if counted => local.calls.overload.let_go_on(&place),
                () = &mut time => return None,
            }
        }
    }
}

impl Drop for Stay<'_, '_> {
    fn drop(&mut self) {
        let (place, local) = (self.permit.place, self.permit.local.clone());
        let overload = &local.calls.overload;
        match self.turn.take() {
            // The call went away in the moment in which it was its turn.
            Some(Outcome::Granted(counted)) => {
                overload.give_back(counted);
                overload.let_go_on(&place);
            }
            Some(Outcome::Displaced) => {}
            None => overload.queue.leave(&self.turn),
        }
        overload.publish(&place);
    }
}
