//! Admission to a backend: whether there is room for a call, and who goes on when one has ended.
//!
//! Without a bound and while the limit is not in force, that is an addition and a comparison in the worker's own memory.

use super::Gauge;
use super::admitted::{Admitted, Counts};
use super::limit::Samples;
use super::queue::Queue;

use crate::config::{OverloadSpec, Priority, When};
use crate::failure::ShedReason;
use crate::telemetry::{BackendStats, OverloadCounters};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What there is of the limits for calls that are not critical, while there are critical ones; and for dispensable ones. In
/// twentieths.
const DEFAULT_SHARE: usize = 19;
const SHEDDABLE_SHARE: usize = 16;

/// So long after the last critical call nothing is kept free any more.
const LAPSES_AFTER: Duration = Duration::from_secs(60);

/// How many calls may go on when one has ended: the next one, and one more, as the limit may have grown.
const AT_ONCE: usize = 2;

/// What one worker knows of the load of one backend. It outlives reloads, as long as there is a backend of that name.
pub struct Load {
    pub(super) samples: RefCell<Samples>,
    pub(super) queue: Queue,
    /// Calls that have waited, while they are on their way.
    interested: Cell<usize>,
    pub(super) reserve: Reserve,
}

/// Who lets a worker's calls in to a backend, by what the table says of that.
pub struct Admission {
    pub(super) load: Rc<Load>,
    pub(super) spec: OverloadSpec,
    /// Where its calls are counted.
    pub(super) counts: Rc<Counts>,
    stats: Arc<BackendStats>,
}

/// Whether something is kept free for critical calls: for as long as there were some lately. Each call brings its time along.
#[derive(Debug, Default)]
pub(super) struct Reserve {
    /// When the last critical call came.
    seen: Cell<Option<Instant>>,
}

impl Reserve {
    /// A call of that priority comes at `now`, or a moment ago.
    #[inline]
    pub(super) fn observe(&self, priority: Priority, now: Instant) {
        if priority == Priority::Critical {
            self.seen.set(Some(now));
        } else if self.seen.get().is_some_and(|seen| now >= seen + LAPSES_AFTER) {
            self.seen.set(None);
        }
    }

    #[inline]
    fn is_kept(&self) -> bool {
        self.seen.get().is_some()
    }
}

impl Default for Load {
    fn default() -> Load {
        let now = Instant::now();
        Load {
            samples: RefCell::new(Samples::new(now)),
            queue: Queue::new(now),
            interested: Cell::new(0),
            reserve: Reserve::default(),
        }
    }
}

/// Whether there is a bound for a backend's calls now, so that some may have to be turned away.
#[inline]
pub fn is_bounded(spec: &OverloadSpec, gauge: &Gauge) -> bool {
    spec.max_in_flight.is_some() || gauge.limit().most().is_some()
}

impl Load {
    /// What of a limit there is for calls of that priority.
    fn share(&self, most: usize, priority: Priority) -> usize {
        let twentieths = match priority {
            Priority::Critical => return most,
            Priority::Default if !self.reserve.is_kept() => return most,
            Priority::Default => DEFAULT_SHARE,
            Priority::Sheddable => SHEDDABLE_SHARE,
        };
        (most.saturating_mul(twentieths) / 20).max(1)
    }
}

impl Admission {
    /// That of worker number `worker`, with what it knows of the load.
    pub fn new(
        load: Rc<Load>,
        spec: OverloadSpec,
        gauge: Arc<Gauge>,
        stats: Arc<BackendStats>,
        worker: usize,
    ) -> Admission {
        Admission { load, spec, counts: Rc::new(Counts { gauge, worker }), stats }
    }

    /// Why a request that came at `now` need not even be read, if it would be turned away in any case.
    pub fn shed_early(&self, priority: Priority, now: Instant) -> Option<ShedReason> {
        self.load.reserve.observe(priority, now);
        self.would_shed(priority)
    }

    /// Why a call would be turned away that came now; nothing if there is room for it, or if it would wait.
    pub fn would_shed(&self, priority: Priority) -> Option<ShedReason> {
        let Admission { load, spec, .. } = self;
        let reason = self.room(priority).err().or_else(|| {
            let most = spec.max_in_flight?;
            (self.counts.gauge.count().get() >= load.share(most, priority)).then_some(ShedReason::Backend)
        })?;
        (!load.queue.takes(priority, &spec.queue)).then_some(reason)
    }

    /// Lets a call in, if there is room for it.
    #[inline]
    pub(super) fn take(&self, priority: Priority) -> Result<Admitted, ShedReason> {
        self.room(priority)?;
        let exactly = match self.spec.max_in_flight {
            None => false,
            Some(most) if self.counts.gauge.count().take(self.load.share(most, priority)) => true,
            Some(_) => return Err(ShedReason::Backend),
        };
        Ok(Admitted::count(&self.counts, exactly))
    }

    /// Lets calls go on that wait, as far as there is room.
    pub(super) fn let_go_on(&self) {
        for _ in 0..AT_ONCE {
            let Some(next) = self.load.queue.first() else { return };
            let Ok(admitted) = self.take(next.priority) else { return };
            self.load.queue.grant(admitted);
            self.publish();
        }
    }

    /// Writes down how many wait, for the admin port.
    pub(super) fn publish(&self) {
        self.counters().queued.set(self.load.queue.len() as u64);
    }

    pub(super) fn counters(&self) -> &OverloadCounters {
        &self.stats.0.of(self.counts.worker).overload
    }

    /// One call more or less wants to hear when others end elsewhere.
    pub(super) fn set_interested(&self, is: bool) {
        let all = &self.load.interested;
        all.set(if is { all.get() + 1 } else { all.get() - 1 });
        self.counts.gauge.wait(self.counts.worker, all.get() > 0);
    }

    /// Whether the adaptive limit leaves room for a call.
    #[inline]
    fn room(&self, priority: Priority) -> Result<(), ShedReason> {
        let limit = self.counts.gauge.limit();
        let Some(most) = limit.most() else {
            return Ok(());
        };
        if self.spec.adaptive.when == When::Never || limit.in_flight() < self.load.share(most, priority) {
            return Ok(());
        }
        limit.binds();
        Err(ShedReason::Adaptive)
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// That of the first of so many workers for a backend of its own.
    pub(in crate::overload) fn admission(spec: OverloadSpec, workers: usize) -> Rc<Admission> {
        let (gauge, stats) = (Arc::new(Gauge::new(workers)), Arc::new(BackendStats::new(workers)));
        Rc::new(Admission::new(Rc::default(), spec, gauge, stats, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::AdaptiveSpec;

    #[test]
    fn a_part_is_kept_free_for_critical_calls_for_as_long_as_some_come() {
        let (load, begin) = (Load::default(), Instant::now());
        let share = |priority, at| {
            load.reserve.observe(priority, begin + at);
            load.share(100, priority)
        };
        let second = Duration::from_secs(1);
        for (priority, at, expected) in [
            (Priority::Default, Duration::ZERO, 100),
            (Priority::Critical, second, 100),
            (Priority::Default, 2 * second, 95),
            (Priority::Critical, 30 * second, 100),
            (Priority::Default, 30 * second + LAPSES_AFTER - second, 95),
            (Priority::Default, 30 * second + LAPSES_AFTER, 100),
            (Priority::Sheddable, 30 * second + LAPSES_AFTER, 80),
            (Priority::Critical, 200 * second, 100),
            (Priority::Default, 200 * second, 95),
        ] {
            assert_eq!(share(priority, at), expected, "{priority:?} after {at:?}");
        }
    }

    #[test]
    fn calls_are_bounded_where_the_table_says_so() {
        for (max_in_flight, expected) in [(None, false), (Some(7), true)] {
            let spec = OverloadSpec { max_in_flight, ..OverloadSpec::default() };
            assert_eq!(is_bounded(&spec, &Gauge::new(1)), expected);
        }
    }

    #[test]
    fn as_many_calls_are_let_in_as_the_adaptive_limit_says() {
        let adaptive = AdaptiveSpec { when: When::Always, ..AdaptiveSpec::default() };
        let admission = testing::admission(OverloadSpec { adaptive, ..OverloadSpec::default() }, 1);
        admission.counts.gauge.limit().limited_to(2);
        let first = admission.take(Priority::Default).expect("there is room");
        let _second = admission.take(Priority::Default).expect("there is room");
        let refused = |_| admission.take(Priority::Default).err();
        assert_eq!([0, 1].map(refused), [Some(ShedReason::Adaptive); 2]);
        drop(first);
        assert!(admission.take(Priority::Default).is_ok());
    }
}
