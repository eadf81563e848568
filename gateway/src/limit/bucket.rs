//! The token buckets of one limit, one for each key, exact over all workers.
//!
//! governor says whether a request may pass (GCRA: a bucket is one time, at which it will be full again); where that time
//! is kept is ours ([`Cells`]): governor's own stores keep every key that ever came. Nor is the clock asked: governor sees
//! each request at its own time zero, and the times that it is given and gives are counted from there.

use super::cells::{Cells, Changed};
use crate::config::{LimitBy, RateLimitSpec};
use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};
use std::cell::Cell;
use std::hash::{BuildHasher, Hash, RandomState};
use std::num::NonZeroU32;
use std::time::Duration;
use tokio::time::Instant;

/// The buckets of one limit. They live as long as its lines do not change.
#[derive(Debug)]
pub struct Buckets {
    spec: RateLimitSpec,
    quota: Quota,
    cells: Cells,
    /// Of this process and this limit only, so that nobody can choose keys that share a set.
    seed: RandomState,
    /// What times are counted from.
    epoch: Instant,
}

/// What became of one request at one bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// There was a token, which it has taken.
    pub admitted: bool,
    /// How many are left.
    pub remaining: u32,
    /// When there is one more than that, or the first one.
    pub next: Duration,
    /// Another key's bucket was forgotten for this one.
    pub evicted: bool,
}

impl Buckets {
    /// Full buckets for every key. All memory is taken at once.
    pub fn new(spec: RateLimitSpec, now: Instant) -> Buckets {
        let interval = spec.rate.interval();
        let burst = NonZeroU32::new(spec.burst).unwrap_or(NonZeroU32::MIN);
        // An interval is never zero.
        let quota = Quota::with_period(interval).unwrap_or(Quota::per_hour(NonZeroU32::MIN));
        let keys = if spec.by == LimitBy::Route { 1 } else { spec.max_keys as usize };
        Buckets {
            quota: quota.allow_burst(burst),
            cells: Cells::new(keys),
            seed: RandomState::new(),
            epoch: now,
            spec,
        }
    }

    /// Whether they are those of this limit, too: what a limit does about a refusal is not theirs.
    pub fn fit(&self, spec: &RateLimitSpec) -> bool {
        *spec == RateLimitSpec { dry_run: spec.dry_run, ..self.spec.clone() }
    }

    /// The memory that they take, in bytes.
    pub fn bytes(&self) -> usize {
        self.cells.bytes()
    }

    /// For how many keys there is a bucket that is not full, about.
    pub fn keys(&self, now: Instant) -> u64 {
        self.cells.count(self.nanos(now))
    }

    /// Takes a token out of a key's bucket, if there is one.
    pub fn take(&self, key: &impl Hash, now: Instant) -> Outcome {
        self.attempt(key, now, true)
    }

    /// What taking one would come to, which leaves all as it is.
    pub fn look(&self, key: &impl Hash, now: Instant) -> Outcome {
        self.attempt(key, now, false)
    }

    fn attempt(&self, key: &impl Hash, now: Instant, takes: bool) -> Outcome {
        let attempt = Attempt {
            cells: &self.cells,
            takes,
            now: self.nanos(now),
            full_in: Cell::new(0),
            evicted: Cell::new(false),
        };
        let limiter: RateLimiter<_, _, _, NoOpMiddleware<Nanos>> =
            RateLimiter::new(self.quota, attempt, Still);
        let admitted = limiter.check_key(&self.seed.hash_one(key)).is_ok();
        let attempt = limiter.into_state_store();
        let interval = self.quota.replenish_interval().as_nanos() as u64;
        // What is in the bucket, in the time that it takes to come in.
        let inside = (interval * u64::from(self.spec.burst)).saturating_sub(attempt.full_in.get());
        let remaining = inside / interval;
        Outcome {
            admitted,
            remaining: u32::try_from(remaining).unwrap_or(u32::MAX),
            next: Duration::from_nanos((remaining + 1) * interval - inside),
            evicted: attempt.evicted.get(),
        }
    }

    /// Gives a token back that was taken at `now`.
    pub fn give_back(&self, key: &impl Hash, now: Instant) {
        let interval = self.quota.replenish_interval().as_nanos() as u64;
        self.cells.take_off(self.seed.hash_one(key), self.nanos(now), interval);
    }

    fn nanos(&self, now: Instant) -> u64 {
        u64::try_from(now.saturating_duration_since(self.epoch).as_nanos()).unwrap_or(u64::MAX / 2)
    }
}

/// One request's view of the cells: times from its own on.
struct Attempt<'a> {
    cells: &'a Cells,
    /// Otherwise it only looks.
    takes: bool,
    now: u64,
    /// In how many nanoseconds the bucket will be full, after the request.
    full_in: Cell<u64>,
    evicted: Cell<bool>,
}

impl StateStore for Attempt<'_> {
    type Key = u64;

    fn measure_and_replace<T, F, E>(&self, hash: &u64, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let decide = |time: Option<u64>| {
            let from_now = time.map(|time| time - self.now);
            self.full_in.set(from_now.unwrap_or(0));
            let (value, next) = decide(from_now.map(Nanos::from))?;
            self.full_in.set(next.as_u64());
            Ok((value, self.now + next.as_u64()))
        };
        if !self.takes {
            return decide(self.cells.look(*hash, self.now)).map(|(value, _)| value);
        }
        let (value, changed) = self.cells.change(*hash, self.now, decide)?;
        self.evicted.set(changed == Changed::Evicted);
        Ok(value)
    }
}

/// The clock that governor is given: each request is its own time zero.
#[derive(Clone, Debug)]
struct Still;

impl Clock for Still {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(0)
    }
}
