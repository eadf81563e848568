//! Exact counts over all workers: the one thing that workers share on a request's way, and only where a bound is declared.

use super::Limit;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// How many there are of something, over all workers. On cache lines of its own.
#[derive(Debug, Default)]
#[repr(align(128))]
pub struct Count(AtomicUsize);

impl Count {
    /// Counts one more, unless there are `most` already.
    #[inline]
    pub fn take(&self, most: usize) -> bool {
        let one_more = |n| (n < most).then_some(n + 1);
        // Counting first and comparing then would turn others away while it counts back.
        self.0.fetch_update(Ordering::SeqCst, Ordering::Relaxed, one_more).is_ok()
    }

    /// Counts one off that was taken.
    #[inline]
    pub fn give_back(&self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }

    /// How many there are.
    #[inline]
    pub fn get(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// A backend's calls in flight, how many there may be, and who waits for one of them to end: the workers that have calls in
/// their queues.
///
/// Whoever finds no room says that it waits and looks once more; whoever ends a call counts it off and tells those that wait then. So one of the
/// two sees the other, as both orders are sequentially consistent.
#[derive(Debug)]
pub struct Gauge {
    /// The calls in flight, where there is a bound for them.
    count: Count,
    limit: Limit,
    /// How many workers wait.
    waiting: AtomicUsize,
    waiters: Box<[Waiter]>,
}

#[derive(Debug, Default)]
struct Waiter {
    waits: AtomicBool,
    /// Takes a lock for some instructions when somebody waits, and only then.
    notify: Notify,
}

impl Gauge {
    /// For so many workers.
    pub fn new(workers: usize) -> Gauge {
        let waiters = (0..workers).map(|_| Waiter::default()).collect();
        Gauge { count: Count::default(), limit: Limit::new(workers), waiting: AtomicUsize::new(0), waiters }
    }

    /// The count.
    pub fn count(&self) -> &Count {
        &self.count
    }

    /// The adaptive limit.
    pub fn limit(&self) -> &Limit {
        &self.limit
    }

    /// Says whether calls wait in that worker.
    pub(super) fn wait(&self, worker: usize, waits: bool) {
        if self.waiters[worker].waits.swap(waits, Ordering::SeqCst) == waits {
            return;
        }
        match waits {
            true => self.waiting.fetch_add(1, Ordering::SeqCst),
            false => self.waiting.fetch_sub(1, Ordering::SeqCst),
        };
    }

    /// Tells the other workers that a call has ended, those that wait for it.
    #[inline]
    pub(super) fn notify_others(&self, worker: usize) {
        if self.waiting.load(Ordering::SeqCst) == 0 {
            return;
        }
        for (other, waiter) in self.waiters.iter().enumerate() {
            if other != worker && waiter.waits.load(Ordering::SeqCst) {
                waiter.notify.notify_one();
            }
        }
    }

    /// Ready when another worker has told so.
    pub(super) fn notified(&self, worker: usize) -> Notified<'_> {
        self.waiters[worker].notify.notified()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering::Relaxed;

    #[test]
    fn threads_together_never_take_more_than_there_are() {
        const MOST: usize = 3;
        let (count, now, seen) = (Count::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        let taken: usize = std::thread::scope(|scope| {
            let threads = (0..4).map(|_| {
                scope.spawn(|| {
                    let mut taken = 0;
                    for _ in 0..20_000 {
                        if count.take(MOST) {
                            seen.fetch_max(now.fetch_add(1, Relaxed) + 1, Relaxed);
                            taken += 1;
                            now.fetch_sub(1, Relaxed);
                            count.give_back();
                        }
                    }
                    taken
                })
            });
            threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().expect("no panic")).sum()
        });
        assert!(seen.load(Relaxed) <= MOST, "{seen:?} at once");
        assert!(taken > 20_000, "hardly any were refused when alone: {taken}");
        assert_eq!(count.get(), 0);
    }

    #[test]
    fn only_those_are_told_that_wait() {
        let gauge = Gauge::new(3);
        gauge.wait(1, true);
        gauge.wait(1, true);
        gauge.notify_others(0);
        gauge.notify_others(1);
        gauge.wait(1, false);
        gauge.notify_others(0);
        assert_eq!(gauge.waiting.load(Relaxed), 0);
        let mut told: Vec<_> = (0..3).map(|worker| Box::pin(gauge.notified(worker))).collect();
        let ready: Vec<bool> = told.iter_mut().map(|one| one.as_mut().enable()).collect();
        assert_eq!(ready, [false, true, false]);
    }
}
