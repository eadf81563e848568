//! Admission to a backend: whether there is room for a call, and who goes on when one has ended.
//!
//! Without a bound and while the limit is not in force, that is an addition and a comparison in the worker's own memory.

use super::Gauge;
use super::limit::Samples;
use super::queue::Queue;
use crate::backends::{Backend, LocalBackend};
use crate::config::{Priority, When};
use crate::failure::ShedReason;
use crate::telemetry::OverloadCounters;
use std::cell::{Cell, RefCell};
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
pub struct Overload {
    pub(super) samples: RefCell<Samples>,
    pub(super) queue: Queue,
    /// Calls that have waited, while they are on their way.
    pub(super) interested: Cell<usize>,
    pub(super) reserve: Reserve,
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

/// Where a call goes, and how much it matters.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The worker's number.
    pub worker: usize,
    /// The backend.
    pub backend: &'a Backend,
    /// Of the call's route.
    pub priority: Priority,
}

impl Default for Overload {
    fn default() -> Overload {
        let now = Instant::now();
        Overload {
            samples: RefCell::new(Samples::new(now)),
            queue: Queue::new(now),
            interested: Cell::new(0),
            reserve: Reserve::default(),
        }
    }
}

/// Whether there is a bound for a backend's calls now, so that some may have to be turned away.
#[inline]
pub fn is_bounded(backend: &Backend) -> bool {
    backend.spec.overload.max_in_flight.is_some() || backend.gauge.limit().most().is_some()
}

/// Why a request to a backend that came at `now` need not even be read, if it would be turned away in any case.
pub fn shed_early(local: &LocalBackend, place: &Place<'_>, now: Instant) -> Option<ShedReason> {
    let (overload, spec) = (&local.calls.overload, &place.backend.spec.overload);
    overload.reserve.observe(place.priority, now);
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
            Priority::Default if !self.reserve.is_kept() => return most,
            Priority::Default => DEFAULT_SHARE,
            Priority::Sheddable => SHEDDABLE_SHARE,
        };
        (most.saturating_mul(twentieths) / 20).max(1)
    }

    /// Whether the adaptive limit leaves room for a call.
    #[inline]
    fn room(&self, place: &Place<'_>) -> Result<(), ShedReason> {
        let limit = place.backend.gauge.limit();
        let Some(most) = limit.most() else {
            return Ok(());
        };
        if place.backend.spec.overload.adaptive.when == When::Never
            || limit.in_flight() < self.share(most, place.priority)
        {
            return Ok(());
        }
        limit.binds();
        Err(ShedReason::Adaptive)
    }

    /// Counts a call in, if there is room for it.
    #[inline]
    pub(super) fn take(&self, place: &Place<'_>) -> Result<Option<Arc<Gauge>>, ShedReason> {
        self.room(place)?;
        let counted = match place.backend.spec.overload.max_in_flight {
            None => None,
            Some(most) if place.backend.gauge.count().take(self.share(most, place.priority)) => {
                Some(place.backend.gauge.clone())
            }
            Some(_) => return Err(ShedReason::Backend),
        };
        place.backend.gauge.limit().counts_in(place.worker);
        Ok(counted)
    }

    pub(super) fn give_back(&self, place: &Place<'_>, counted: Option<Arc<Gauge>>) {
        place.backend.gauge.limit().counts_out(place.worker);
        if let Some(gauge) = counted {
            gauge.count().give_back();
        }
    }

    /// Lets calls go on that wait, as far as there is room.
    pub(super) fn let_go_on(&self, place: &Place<'_>) {
        for _ in 0..AT_ONCE {
            let Some(next) = self.queue.first() else { return };
            let Ok(counted) = self.take(&Place { priority: next.priority, ..*place }) else { return };
            self.queue.grant(counted);
            self.publish(place);
        }
    }

    /// Writes down how many wait, for the admin port.
    pub(super) fn publish(&self, place: &Place<'_>) {
        counters(place).queued.set(self.queue.len() as u64);
    }

    /// One call more or less wants to hear when others end elsewhere.
    pub(super) fn is_interested(&self, place: &Place<'_>, is: bool) {
        let all = self.interested.get();
        self.interested.set(if is { all + 1 } else { all - 1 });
        place.backend.gauge.wait(place.worker, self.interested.get() > 0);
    }
}

pub(super) fn counters<'a>(place: &Place<'a>) -> &'a OverloadCounters {
    &place.backend.stats.0.of(place.worker).overload
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_kept_free_for_critical_calls_for_as_long_as_some_come() {
        let (overload, begin) = (Overload::default(), Instant::now());
        let share = |priority, at| {
            overload.reserve.observe(priority, begin + at);
            overload.share(100, priority)
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
}
