//! A call's permit, from before an instance is chosen until its answer is there: asked for, waited for, given back.

use super::Gauge;
use super::admit::{Overload, Place, counters};
use super::limit::{Ending, Observed};
use super::queue::{Outcome, Rank, Turn};
use crate::backends::LocalBackend;
use crate::config::When;
use crate::failure::ShedReason;
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

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
    /// How the last try ended, and when.
    ended: Cell<Option<(Ending, Instant)>>,
    /// It is held: it has not been given back to wait for another one.
    held: bool,
}

impl<'a> Permit<'a> {
    /// That of a call which comes at `now`, or a moment ago, and has none yet.
    #[inline]
    pub fn new(place: Place<'a>, local: Rc<LocalBackend>, now: Instant) -> Permit<'a> {
        local.calls.overload.reserve.observe(place.priority, now);
        let (under_way, ended) = (Cell::new(None), Cell::new(None));
        Permit { place, local, counted: None, waited: None, under_way, ended, held: false }
    }

    /// Lets the call in, if there is room at once.
    #[inline]
    pub fn take(&mut self) -> Result<(), ShedReason> {
        self.counted = self.overload().take(&self.place)?;
        self.held = true;
        Ok(())
    }

    /// Gives the permit up and waits for one anew, at the same place as before: no instance had room. `Ok(false)`: the
    /// deadline has come.
    pub async fn exchange(&mut self, deadline: Instant, room: &Notify) -> Result<bool, ShedReason> {
        if !self.overload().queue.takes(self.place.priority, &self.place.backend.spec.overload.queue) {
            return Err(ShedReason::Instance);
        }
        // Nobody else is let go on for it: there is no instance for them either.
        let counted = self.counted.take();
        self.overload().give_back(&self.place, counted);
        self.held = false;
        self.wait(deadline, ShedReason::Instance, room).await
    }

    /// A try of that route is sent.
    #[inline]
    pub fn is_sent(&self, route: (u64, u64), at: Instant) {
        self.under_way.set(Some((route, at)));
    }

    /// What became of a try.
    #[inline]
    pub fn observe(&self, it: &Observed) {
        self.under_way.set(None);
        if self.place.backend.spec.overload.adaptive.when != When::Never {
            self.ended.set(Some((self.overload().samples.borrow_mut().tried(it), it.sent + it.took)));
        }
    }

    /// The call has ended, with its last try.
    fn ends(&self) {
        if let Some((route, sent)) = self.under_way.take() {
            // Whoever gives up has waited too long, or not long enough to say anything.
            self.observe(&Observed { route, sent, took: sent.elapsed(), ending: Ending::Late });
        }
        let Some((ending, now)) = self.ended.get() else { return };
        let backend = self.place.backend;
        let samples = &self.overload().samples;
        samples.borrow_mut().ended(ending, now, backend.gauge.limit(), &backend.spec.overload.adaptive);
    }

    fn overload(&self) -> &Overload {
        &self.local.calls.overload
    }

    /// Waits in the queue for a permit, where there was none at once for that reason. `room` is told when instances may have
    /// room though no call has ended. An error when none came; `Ok(false)`: the deadline has come.
    pub async fn wait(
        &mut self,
        deadline: Instant,
        reason: ShedReason,
        room: &Notify,
    ) -> Result<bool, ShedReason> {
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
        if first {
            // One may have ended before.
            overload.let_go_on(&place);
        }
        let outcome = stay.outcome(until.min(deadline), room).await;
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
        self.ends();
        let counted = self.counted.take();
        let overload = self.overload();
        overload.give_back(&self.place, counted);
        if overload.queue.first().is_some() {
            overload.let_go_on(&self.place);
        }
        self.place.backend.gauge.ring(self.place.worker);
    }
}

/// A call's stay in the queue, however it ends.
struct Stay<'p, 'a> {
    permit: &'p mut Permit<'a>,
    turn: Rc<Turn>,
}

impl Stay<'_, '_> {
    /// What becomes of it; `None` when the time is up.
    async fn outcome(&mut self, until: Instant, room: &Notify) -> Option<Outcome> {
        let (place, local) = (self.permit.place, self.permit.local.clone());
        let mut time = std::pin::pin!(sleep_until(until));
        loop {
            tokio::select! {
                biased;
                outcome = poll_fn(|cx| self.turn.poll(cx)) => return Some(outcome),
                () = place.backend.gauge.rung(place.worker) => local.calls.overload.let_go_on(&place),
                () = room.notified() => local.calls.overload.let_go_on(&place),
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
                overload.give_back(&place, counted);
                overload.let_go_on(&place);
            }
            Some(Outcome::Displaced) => {}
            None => overload.queue.leave(&self.turn),
        }
        overload.publish(&place);
    }
}
