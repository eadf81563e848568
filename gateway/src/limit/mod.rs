//! Rate limits: whether a request may pass, before its body is read.
//!
//! ```text
//! bucket  the token buckets of one limit
//! cells   where they are kept: so much memory and no more
//! ```
//! A route's limits are asked in the order of the file. The first that refuses ends it, and those before it get the
//! tokens back that they gave: a request that is refused uses up nothing.

mod bucket;
mod cells;
#[cfg(test)]
mod tests;

pub use bucket::{Buckets, Outcome};

use crate::config::{LimitBy, Matcher, RateLimit};
use crate::telemetry::LimitStats;
use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;
use tokio::time::Instant;

/// How often a limit that only counts says so in the log, at most.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What has a bucket of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key<'k> {
    /// Everybody, or everybody who has none: all of them share one.
    None,
    /// A client address, as [`client`] makes it.
    Client(IpAddr),
    /// What a header says.
    Text(&'k [u8]),
    /// A caller: the name of the authenticator that knows it, and its own.
    Caller(&'k str, &'k str),
    /// What a caller claims.
    Claim(Cow<'k, str>),
}

/// The key of a client address.
pub fn client(address: IpAddr) -> Key<'static> {
    Key::Client(block(address))
}

/// What counts as one client. Who has one address of IPv6 has as a rule a /64 of them, and an address of IPv4 is the same however it
/// is written.
pub fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(prefix))
        }
        v4 => v4,
    }
}

/// A limit of a route.
#[derive(Debug)]
pub struct Limit {
    /// What the files say.
    pub limit: RateLimit,
    /// What the log calls the route.
    route: String,
    /// What it is called.
    pub policy: String,
    /// The buckets, other routes' too if the limit is shared.
    pub buckets: Arc<Buckets>,
    /// What it counts for this route.
    pub stats: Arc<LimitStats>,
    /// When it was last told what would have been refused, in nanoseconds since `born`; 0 for never.
    told: AtomicU64,
    born: Instant,
}

/// All limits of a route; none as a rule.
#[derive(Debug, Default)]
pub struct Limits {
    all: Vec<Limit>,
    /// The value of `RateLimit-Policy`; empty when all of them only count.
    policies: String,
}

/// Buckets by the name of their limit, for all routes that share them.
pub struct SharedBuckets(HashMap<String, Arc<Buckets>>);

/// What a route's limits say of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict<'l> {
    /// Why it may not pass.
    pub refused: Option<Refused<'l>>,
    /// The value of `RateLimit`; empty when all limits only count.
    pub field: String,
    /// The limits that only count and would have refused it, one behind the other.
    pub would_refuse: String,
}

/// A limit has refused a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused<'l> {
    /// The limit's name.
    pub policy: &'l str,
    /// When there will be a token, in seconds, at least 1.
    pub retry_after: u64,
    /// The value of `RateLimit-Policy`.
    pub policies: &'l str,
}

impl SharedBuckets {
    /// Those of the limits that are in force.
    pub fn of<'l>(limits: impl Iterator<Item = &'l Limits>) -> SharedBuckets {
        let named =
            limits.flat_map(Limits::iter).filter_map(|limit| Some((limit.limit.shared.clone()?, limit)));
        SharedBuckets(named.map(|(name, limit)| (name, limit.buckets.clone())).collect())
    }

    fn take(&mut self, name: &str, limit: &RateLimit, now: Instant) -> Arc<Buckets> {
        if let Some(buckets) = self.0.get(name).filter(|buckets| buckets.fit(&limit.spec)) {
            return buckets.clone();
        }
        let buckets = Arc::new(Buckets::new(limit.spec.clone(), now));
        self.0.insert(name.to_owned(), buckets.clone());
        buckets
    }
}

impl Limits {
    /// The limits of a route that takes those requests. What did not change against those of the route `before` keeps its buckets and counters.
    pub fn next(
        limits: &[RateLimit],
        matcher: &Matcher,
        before: Option<&Limits>,
        shared: &mut SharedBuckets,
        workers: usize,
    ) -> Limits {
        let now = Instant::now();
        let limit = |limit: &RateLimit| {
            let policy = limit.policy();
            let old = before.and_then(|before| before.iter().find(|old| old.policy == policy));
            let buckets = match &limit.shared {
                Some(name) => shared.take(name, limit, now),
                None => match old.filter(|old| old.buckets.fit(&limit.spec)) {
                    Some(old) => old.buckets.clone(),
                    None => Arc::new(Buckets::new(limit.spec.clone(), now)),
                },
            };
            let stats = old.map_or_else(|| Arc::new(LimitStats::new(workers)), |old| old.stats.clone());
            let (route, told) = (matcher.to_string(), AtomicU64::new(0));
            Limit { limit: limit.clone(), route, policy, buckets, stats, told, born: now }
        };
        let all: Vec<Limit> = limits.iter().map(limit).collect();
        let mut policies = String::new();
        for Limit { limit, policy, .. } in all.iter().filter(|limit| !limit.limit.spec.dry_run) {
            let rate = limit.spec.rate;
            item(&mut policies, policy, format_args!("q={};w={}", rate.tokens, rate.per.as_secs()));
        }
        Limits { all, policies }
    }

    /// All of them, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Limit> {
        self.all.iter()
    }

    /// Asks all limits about a request that came at `now` and whose keys are those, and counts for that worker what they say. Without one
    /// they only say how they stand: no token is taken.
    pub fn ask<'k>(
        &self,
        worker: Option<usize>,
        now: Instant,
        key: impl Fn(&LimitBy) -> Key<'k>,
    ) -> Verdict<'_> {
        let (mut field, mut would_refuse) = (String::new(), String::new());
        // Takes no memory until a limit that only counts has given no token.
        let mut gave_none = Vec::new();
        for (at, limit) in self.all.iter().enumerate() {
            let spec = &limit.limit.spec;
            let key_of_limit = key(&spec.by);
            let outcome = match worker {
                Some(_) => limit.buckets.take(&key_of_limit, now),
                None => limit.buckets.look(&key_of_limit, now),
            };
            worker.iter().for_each(|worker| limit.count(*worker, outcome, now));
            if spec.dry_run {
                if !outcome.admitted {
                    gave_none.push(at);
                    would_refuse.push_str(if would_refuse.is_empty() { "" } else { ", " });
                    would_refuse.push_str(&limit.policy);
                }
                continue;
            }
            let next = seconds(outcome.next);
            if outcome.admitted {
                item(&mut field, &limit.policy, format_args!("r={};t={next}", outcome.remaining));
                continue;
            }
            let gave = |before: &usize| !gave_none.contains(before);
            for before in (0..at).filter(|_| worker.is_some()).filter(gave).map(|before| &self.all[before]) {
                before.buckets.give_back(&key(&before.limit.spec.by), now);
            }
            // What the others said holds no more.
            field.clear();
            item(&mut field, &limit.policy, format_args!("r=0;t={next}"));
            let refused = Refused { policy: &limit.policy, retry_after: next, policies: &self.policies };
            return Verdict { refused: Some(refused), field, would_refuse };
        }
        Verdict { refused: None, field, would_refuse }
    }
}

impl Limit {
    fn count(&self, worker: usize, outcome: Outcome, now: Instant) {
        let counters = self.stats.0.of(worker);
        if outcome.evicted {
            counters.evicted.increment();
        }
        match (outcome.admitted, self.limit.spec.dry_run) {
            (true, _) => counters.allowed.increment(),
            (false, false) => counters.limited.increment(),
            (false, true) => {
                counters.would_limit.increment();
                self.tell(now);
            }
        }
    }

    /// Says now and then that requests would have been refused. Never whose: keys may be secrets.
    fn tell(&self, now: Instant) {
        if self.is_to_be_told(now) {
            let so_far = self.stats.0.sum(|one| &one.would_limit);
            let (route, policy) = (&self.route, &self.policy);
            tracing::info!(route, policy, so_far, "requests would have been limited, but for dry_run");
        }
    }

    /// Whether it is time to say so, which whoever asks then does.
    fn is_to_be_told(&self, now: Instant) -> bool {
        let now = now.saturating_duration_since(self.born).as_nanos() as u64;
        let told = self.told.load(Relaxed);
        let due = told == 0 || now.saturating_sub(told) >= TELL_EVERY.as_nanos() as u64;
        due && self.told.compare_exchange(told, now.max(1), Relaxed, Relaxed).is_ok()
    }
}

/// Adds an item to a list of RFC 9651: a string, which is made of nothing that needs an escape, and its parameters.
fn item(list: &mut String, policy: &str, parameters: std::fmt::Arguments<'_>) {
    let comma = if list.is_empty() { "" } else { ", " };
    // Writing to memory does not fail.
    let _ = write!(list, "{comma}\"{policy}\";{parameters}");
}

/// Seconds, rounded up; at least 1.
fn seconds(time: Duration) -> u64 {
    (time.as_secs() + u64::from(time.subsec_nanos() > 0)).max(1)
}
