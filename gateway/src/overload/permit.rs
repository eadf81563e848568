//! A call's permit, from before an instance is chosen until its reply has been sent: asked for, waited for, given back.

use super::admission::Admission;
use super::admitted::{Admitted, Counts};
use super::limit::{Feedback, Observed};
use super::queue::{Rank, Turn, Word};
use crate::config::{Priority, When};
use crate::failure::ShedReason;
use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// A call's permit, given back when it is dropped.
pub struct Permit {
    admission: Rc<Admission>,
    priority: Priority,
    /// None before it is taken, and while it is given back to wait for another one.
    admitted: Option<Admitted>,
    /// Its place in the queue, and how long it may wait in all; once it has waited.
    waited: Option<(Rank, Instant)>,
    /// The attempt that is under way: its route, and when it was sent.
    under_way: Cell<Option<((u64, u64), Instant)>>,
    /// How the last attempt ended, and when.
    ended: Cell<Option<(Feedback, Instant)>>,
}

impl Permit {
    /// That of a call which comes at `now`, or a moment ago, and has none yet.
    #[inline]
    pub fn new(admission: Rc<Admission>, priority: Priority, now: Instant) -> Permit {
        admission.load.reserve.observe(priority, now);
        let (under_way, ended) = (Cell::new(None), Cell::new(None));
        Permit { admission, priority, admitted: None, waited: None, under_way, ended }
    }

    /// Lets the call in, if there is room at once.
    #[inline]
    pub fn take(&mut self) -> Result<(), ShedReason> {
        self.admitted = Some(self.admission.take(self.priority)?);
        Ok(())
    }

    /// Gives the permit up and waits for one anew, at the same place as before: no instance had room. `Ok(false)`: the
    /// deadline has come.
    pub async fn exchange(&mut self, deadline: Instant, room: &Notify) -> Result<bool, ShedReason> {
        let Admission { load, spec, .. } = &*self.admission;
        if !load.queue.takes(self.priority, &spec.queue) {
            return Err(ShedReason::Instance);
        }
        // Nobody else is let go on for it: there is no instance for them either.
        self.admitted = None;
        self.wait(deadline, ShedReason::Instance, room).await
    }

    /// An attempt of that route is sent.
    #[inline]
    pub fn is_sent(&self, route: (u64, u64), at: Instant) {
        self.under_way.set(Some((route, at)));
    }

    /// What became of an attempt.
    #[inline]
    pub fn observe(&self, it: &Observed) {
        self.under_way.set(None);
        let Admission { load, spec, .. } = &*self.admission;
        if spec.adaptive.when != When::Never {
            self.ended.set(Some((load.samples.borrow_mut().tried(it), it.sent + it.took)));
        }
    }

    /// Waits in the queue for a permit, where there was none at once for that reason. `room` is told when instances may have
    /// room though no call has ended. An error when none came; `Ok(false)`: the deadline has come.
    pub async fn wait(
        &mut self,
        deadline: Instant,
        reason: ShedReason,
        room: &Notify,
    ) -> Result<bool, ShedReason> {
        let admission = self.admission.clone();
        let (queue, spec) = (&admission.load.queue, &admission.spec.queue);
        if !queue.takes(self.priority, spec) {
            return Err(reason);
        }
        let now = Instant::now();
        let patience = queue.patience(self.priority, spec, now);
        let first = self.waited.is_none();
        if first {
            // From here on it is heard when a call ends elsewhere, also while this one looks for an instance.
            admission.set_interested(true);
        }
        let (rank, until) = *self.waited.get_or_insert_with(|| (queue.rank(self.priority), now + patience));
        let turn = queue.enter(rank, spec).ok_or(ShedReason::Queue)?;
        let stay = Stay { admission: &admission, turn };
        admission.publish();
        if first {
            // One may have ended before.
            admission.let_go_on();
        }
        match stay.word(until.min(deadline), room).await {
            Some(Word::Granted(admitted)) => {
                self.admitted = Some(admitted);
                admission.counters().served.increment();
                Ok(true)
            }
            Some(Word::Displaced) => Err(ShedReason::Queue),
            None if deadline <= until => Ok(false),
            None => Err(ShedReason::Queue),
        }
    }

    /// The call has ended, with its last attempt.
    fn ends(&self) {
        if let Some((route, sent)) = self.under_way.take() {
            // Whoever gives up has waited too long, or not long enough to say anything.
            self.observe(&Observed { route, sent, took: sent.elapsed(), feedback: Feedback::Late });
        }
        let Some((feedback, now)) = self.ended.get() else { return };
        let Admission { load, spec, counts, .. } = &*self.admission;
        load.samples.borrow_mut().ended(feedback, now, counts.gauge.limit(), &spec.adaptive);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.waited.is_some() {
            self.admission.set_interested(false);
        }
        if self.admitted.is_none() {
            return;
        }
        self.ends();
        self.admitted = None;
        if self.admission.load.queue.first().is_some() {
            self.admission.let_go_on();
        }
        let Counts { gauge, worker } = &*self.admission.counts;
        gauge.notify_others(*worker);
    }
}

/// A call's stay in the queue, however it ends.
struct Stay<'a> {
    admission: &'a Admission,
    turn: Rc<Turn>,
}

impl Stay<'_> {
    /// What it is told; `None` when the time is up.
    async fn word(&self, until: Instant, room: &Notify) -> Option<Word> {
        let admission = self.admission;
        let mut time = std::pin::pin!(sleep_until(until));
        loop {
            tokio::select! {
                biased;
                word = poll_fn(|cx| self.turn.poll(cx)) => return Some(word),
                () = admission.counts.gauge.notified(admission.counts.worker) => admission.let_go_on(),
                () = room.notified() => admission.let_go_on(),
                () = &mut time => return None,
            }
        }
    }
}

impl Drop for Stay<'_> {
    fn drop(&mut self) {
        match self.turn.take() {
            // The call went away in the moment in which it was its turn.
            Some(Word::Granted(admitted)) => {
                drop(admitted);
                self.admission.let_go_on();
            }
            Some(Word::Displaced) => {}
            None => self.admission.load.queue.leave(&self.turn),
        }
        self.admission.publish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{OverloadSpec, QueueSpec};
    use crate::overload::Gauge;
    use crate::telemetry::BackendStats;
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::task::yield_now;

    const TIMEOUT: Duration = Duration::from_millis(100);

    /// What two workers admit to a backend that takes one call at a time.
    fn workers() -> (Arc<Gauge>, [Rc<Admission>; 2]) {
        let queue = QueueSpec { size: 2, timeout: TIMEOUT };
        let spec = OverloadSpec { max_in_flight: Some(1), queue, ..OverloadSpec::default() };
        let (gauge, stats) = (Arc::new(Gauge::new(2)), Arc::new(BackendStats::new(2)));
        let of = |worker| Admission::new(Rc::default(), spec, gauge.clone(), stats.clone(), worker);
        (gauge.clone(), [0, 1].map(|worker| Rc::new(of(worker))))
    }

    fn permit(admission: &Rc<Admission>) -> Permit {
        Permit::new(admission.clone(), Priority::Default, Instant::now())
    }

    /// Whether that worker hears when a call ends at the other.
    fn hears(gauge: &Gauge, worker: usize) -> bool {
        gauge.notify_others(1 - worker);
        Box::pin(gauge.notified(worker)).as_mut().enable()
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_waits_goes_on_when_one_ends_at_another_worker_and_hears_of_none_later() {
        let (gauge, [here, there]) = workers();
        let mut first = permit(&there);
        first.take().expect("there is room");
        let mut second = permit(&here);
        let reason = second.take().expect_err("there is no more");
        assert_eq!(reason, ShedReason::Backend);
        assert!(!hears(&gauge, 0), "nobody waits yet");
        let (began, room) = (Instant::now(), Notify::new());
        let ends = async {
            yield_now().await;
            assert_eq!(here.counters().queued.get(), 1);
            drop(first);
        };
        let (waited, ()) = tokio::join!(second.wait(began + 10 * TIMEOUT, reason, &room), ends);
        assert_eq!((waited, began.elapsed()), (Ok(true), Duration::ZERO));
        assert_eq!((here.counters().queued.get(), here.counters().served.get()), (0, 1));
        assert!(hears(&gauge, 0), "it is still on its way");
        drop(second);
        assert!(!hears(&gauge, 0));
        assert_eq!(gauge.count().get(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_is_told_why_it_does_not_go_on() {
        let (_gauge, [here, there]) = workers();
        let mut first = permit(&there);
        first.take().expect("there is room");
        let room = Notify::new();
        for (patience, expected) in
            [(2 * TIMEOUT, Err(ShedReason::Queue)), (TIMEOUT, Ok(false)), (TIMEOUT / 2, Ok(false))]
        {
            let began = Instant::now();
            let mut second = permit(&here);
            let reason = second.take().expect_err("there is no more");
            assert_eq!(second.wait(began + patience, reason, &room).await, expected, "{patience:?}");
            assert_eq!(began.elapsed(), patience.min(TIMEOUT));
        }
        let mut sheddable = Permit::new(here.clone(), Priority::Sheddable, Instant::now());
        let reason = sheddable.take().expect_err("there is no more");
        assert_eq!(sheddable.wait(Instant::now() + TIMEOUT, reason, &room).await, Err(ShedReason::Backend));
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_has_ended_when_it_had_taken_its_time_whenever_that_is_told() {
        let (_gauge, [here, _]) = workers();
        let mut one = permit(&here);
        one.take().expect("there is room");
        let (sent, took) = (Instant::now(), 2 * TIMEOUT);
        one.is_sent((0, 1), sent);
        one.observe(&Observed { route: (0, 1), sent, took, feedback: Feedback::Answered });
        assert_eq!(one.ended.get(), Some((Feedback::Answered, sent + took)));
        assert_eq!(one.under_way.get(), None);
    }
}
