//! Which fault befalls which instance, when and for how long: drawn from a seed, before anything runs.
//!
//! All kinds come in turn, each round in an order of its own, so that a short plan has each of them. An instance has one
//! fault at a time, and one instance at least has none at any time.

use clap::ValueEnum;
use fastrand::Rng;
use std::fmt;
use std::time::Duration;

/// How long an instance counts as not healthy after its fault, so that the gateway may find it again.
pub(crate) const SETTLE: Duration = Duration::from_secs(2);

/// What can be done to an instance or to the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Kind {
    /// SIGKILL, and started again after a while
    Kill,
    /// SIGSTOP, and SIGCONT after a while
    Stop,
    /// SIGTERM, and started again after its end
    Drain,
    /// SIGTERM, and started again with the other schema
    Reschema,
    /// Every call takes longer
    Slow,
    /// Half of the calls run and fail
    Fail,
    /// Half of the calls fail and say that they have not run
    Refuse,
    /// Idempotent calls are never answered
    Hang,
    /// The tables change: orders, timeouts, routes
    Reload,
    /// The endpoint is taken out of the table, and comes back
    Remove,
    /// The endpoint is marked `drain = true` in the table for a while
    DrainTable,
    /// Another gateway process takes over
    Upgrade,
}

impl Kind {
    /// Those that run unless others are asked for.
    pub(crate) const USUAL: [Kind; 11] = [
        Kind::Kill,
        Kind::Stop,
        Kind::Drain,
        Kind::Reschema,
        Kind::Slow,
        Kind::Fail,
        Kind::Refuse,
        Kind::Reload,
        Kind::Remove,
        Kind::DrainTable,
        Kind::Upgrade,
    ];

    /// How long it lasts, in milliseconds; nothing for what is done in one step.
    fn lasts(self) -> std::ops::RangeInclusive<u64> {
        match self {
            Kind::Kill => 100..=3000,
            // Longer than the routes' timeout as a rule: whoever only waits for SIGCONT has failed.
            Kind::Stop => 3000..=8000,
            Kind::Drain | Kind::Reschema => 0..=1500,
            Kind::Hang => 3000..=8000,
            Kind::Slow | Kind::Fail | Kind::Refuse => 1000..=4000,
            Kind::Remove | Kind::DrainTable => 500..=3000,
            Kind::Reload | Kind::Upgrade => 0..=0,
        }
    }

    /// Whether the instance itself fails, and not what the gateway is told of it.
    pub(crate) fn is_of_instance(self) -> bool {
        self.has_target() && !matches!(self, Kind::Remove | Kind::DrainTable)
    }

    fn has_target(self) -> bool {
        !matches!(self, Kind::Reload | Kind::Upgrade)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.to_possible_value().as_ref().map_or("", |value| value.get_name()))
    }
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// When, from the beginning.
    pub(crate) at: Duration,
    /// For how long.
    pub(crate) lasts: Duration,
    /// What.
    pub(crate) kind: Kind,
    /// The instance; none where the gateway itself is meant.
    pub(crate) target: Option<usize>,
    /// What else the fault has to decide.
    pub(crate) dice: u64,
}

/// Draws the faults, in the order in which they begin, spread over `length`.
pub(crate) fn plan(
    seed: u64,
    kinds: &[Kind],
    faults: usize,
    length: Duration,
    instances: usize,
) -> Vec<Fault> {
    let mut rng = Rng::with_seed(seed);
    let mut free_at = vec![Duration::ZERO; instances];
    let mut round: Vec<Kind> = Vec::new();
    let mut plan = Vec::new();
    for number in 0..if kinds.is_empty() { 0 } else { faults } {
        if round.is_empty() {
            round = kinds.to_vec();
            rng.shuffle(&mut round);
        }
        let Some(kind) = round.pop() else { break };
        let share = (number as f64 + rng.f64()) / faults as f64;
        let mut at = length.mul_f64(share * 0.9);
        let lasts = Duration::from_millis(rng.u64(kind.lasts()));
        let target = kind.has_target().then(|| {
            let (target, free) = free_instance(&free_at, at, &mut rng);
            at = at.max(free);
            free_at[target] = at + lasts + SETTLE;
            target
        });
        plan.push(Fault { at, lasts, kind, target, dice: rng.u64(..) });
    }
    plan.sort_by_key(|fault| fault.at);
    plan
}

/// An instance for a fault at that time, or as soon as there is one beside which another stays healthy; and when.
fn free_instance(free_at: &[Duration], at: Duration, rng: &mut Rng) -> (usize, Duration) {
    let mut ends: Vec<Duration> = free_at.to_vec();
    ends.sort();
    // From the second end on there are two without a fault, so that one may have the next.
    let at = at.max(ends.get(1).copied().unwrap_or_default());
    let free: Vec<usize> = (0..free_at.len()).filter(|&instance| free_at[instance] <= at).collect();
    (free.get(rng.usize(..free.len().max(1))).copied().unwrap_or_default(), at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(seed: u64) -> Vec<Fault> {
        plan(seed, &Kind::USUAL, 100, Duration::from_secs(100), 4)
    }

    #[test]
    fn a_seed_gives_the_same_faults_and_another_gives_others() {
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }

    #[test]
    fn one_instance_at_least_has_no_fault_at_any_time_and_none_has_two() {
        for seed in 0..50 {
            let plan = drawn(seed);
            for fault in plan.iter().filter(|fault| fault.target.is_some()) {
                let going_on = |other: &&Fault| {
                    other.target.is_some()
                        && other.at <= fault.at
                        && fault.at < other.at + other.lasts + SETTLE
                };
                let mut targets: Vec<_> = plan.iter().filter(going_on).map(|other| other.target).collect();
                let faults = targets.len();
                targets.sort();
                targets.dedup();
                assert_eq!(targets.len(), faults, "seed {seed}: two on one instance");
                assert!(faults < 4, "seed {seed}: all have one");
            }
        }
    }

    #[test]
    fn a_short_plan_has_every_kind() {
        let plan = plan(3, &Kind::USUAL, Kind::USUAL.len(), Duration::from_secs(10), 4);
        let mut kinds: Vec<Kind> = plan.iter().map(|fault| fault.kind).collect();
        kinds.sort();
        let mut usual = Kind::USUAL.to_vec();
        usual.sort();
        assert_eq!(kinds, usual);
    }
}
