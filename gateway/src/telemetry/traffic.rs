//! What a route counts of where its calls go: by which target of its split, as copies, to its fallback.

use super::counter::{Counter, PerWorker};
use super::families::{COUNTER, counter, family};
use super::labels::labels;
use prometheus::proto::MetricFamily;

labels! {
    /// Why a call takes a target of its route's split.
    TargetReason {
        /// The weights have drawn it.
        Weight = "weight",
        /// The request bears one of its headers.
        Header = "header",
        /// The weights have drawn another one, which has no instance that takes calls.
        Spill = "spill",
    }
}

labels! {
    /// What became of a copy.
    ShadowOutcome {
        /// It was answered with a result.
        Ok = "ok",
        /// It was answered with a failure, or with what is no value of the schema.
        Failed = "failed",
        /// It was not answered by the deadline of the call that it is a copy of.
        Late = "late",
        /// The connection was lost, or the instance did not accept it.
        Lost = "lost",
        /// No instance was there, or none with room for it: it was not sent.
        NoInstance = "no_instance",
        /// The request does not fit the method there: it was not sent.
        Unfit = "unfit",
        /// Too many were under way: it was not sent.
        Dropped = "dropped",
    }
}

/// What a target counts.
#[derive(Debug)]
pub struct TargetStats(pub PerWorker<TargetCounters>);

/// One worker's share of a target's counters.
#[derive(Debug, Default)]
pub struct TargetCounters([Counter; TargetReason::ALL.len()]);

impl TargetCounters {
    /// Counts a call that takes it.
    #[inline]
    pub fn taken(&self, reason: TargetReason) {
        self.0[reason as usize].increment();
    }
}

impl TargetStats {
    /// All zero.
    pub fn new(workers: usize) -> TargetStats {
        TargetStats(PerWorker::new(workers))
    }

    /// Calls that took it, by reason.
    pub fn by_reason(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        TargetReason::ALL.iter().map(|reason| (reason.name(), self.0.sum(|one| &one.0[*reason as usize])))
    }
}

/// What is counted of copies.
#[derive(Debug)]
pub struct ShadowStats(pub PerWorker<ShadowCounters>);

/// One worker's share of the counters of copies.
#[derive(Debug, Default)]
pub struct ShadowCounters([Counter; ShadowOutcome::ALL.len()]);

impl ShadowCounters {
    /// Counts a copy that has ended, or was not sent.
    #[inline]
    pub fn ended(&self, outcome: ShadowOutcome) {
        self.0[outcome as usize].increment();
    }
}

impl ShadowStats {
    /// All zero.
    pub fn new(workers: usize) -> ShadowStats {
        ShadowStats(PerWorker::new(workers))
    }

    /// Copies by outcome.
    pub fn outcomes(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let all = ShadowOutcome::ALL.iter();
        all.map(|outcome| (outcome.name(), self.0.sum(|one| &one.0[*outcome as usize])))
    }
}

/// Calls that took a fallback.
#[derive(Debug)]
pub struct FallbackStats(pub PerWorker<Counter>);

impl FallbackStats {
    /// None yet.
    pub fn new(workers: usize) -> FallbackStats {
        FallbackStats(PerWorker::new(workers))
    }

    /// How many.
    pub fn taken(&self) -> u64 {
        self.0.sum(|one| one)
    }
}

/// What a scrape shows of a route whose calls do not just go to its backend.
pub struct TrafficScrape<'a> {
    /// Its path.
    pub route: &'a str,
    /// Its HTTP method.
    pub method: &'static str,
    /// The targets of its split by name.
    pub targets: Vec<(String, &'a TargetStats)>,
    /// Where copies go, and how they ended.
    pub shadow: Option<(String, &'a ShadowStats)>,
    /// Where the fallback leads, and how many calls took it.
    pub fallback: Option<(String, &'a FallbackStats)>,
}

/// The families of all such routes.
pub(super) fn traffic(routes: &[TrafficScrape<'_>], families: &mut Vec<MetricFamily>) {
    let mut split = family(
        "callgate_route_split_total",
        "Calls of routes with a split or a version, by the target that they took and why.",
        COUNTER,
    );
    let mut shadows = family(
        "callgate_shadow_calls_total",
        "Copies of calls to the route's shadow, by what became of them.",
        COUNTER,
    );
    let mut fallbacks = family(
        "callgate_fallbacks_total",
        "Calls that took the route's fallback because no instance was there.",
        COUNTER,
    );
    for TrafficScrape { route, method, targets, shadow, fallback } in routes {
        let labels = [("route", *route), ("method", *method)];
        for (target, stats) in targets {
            let target = ("arm", target.as_str());
            for (reason, n) in stats.by_reason() {
                counter(&mut split, &[labels[0], labels[1], target, ("by", reason)], n as f64);
            }
        }
        if let Some((to, stats)) = shadow {
            for (outcome, n) in stats.outcomes() {
                counter(&mut shadows, &[labels[0], labels[1], ("to", to), ("outcome", outcome)], n as f64);
            }
        }
        if let Some((to, stats)) = fallback {
            counter(&mut fallbacks, &[labels[0], labels[1], ("to", to)], stats.taken() as f64);
        }
    }
    families.extend([split, shadows, fallbacks]);
}
