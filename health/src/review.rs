//! All instances of a backend side by side: who is left, who is tried again, who is well. Done when something about one of
//! them has changed, and ten times a second for what time brings.

use super::record::Trouble;
use super::{FORGIVEN_AFTER, GOOD_AGAIN, Health, HealthSpec, SLOW_FLOOR, State};
use core::time::Duration;
use std::time::Instant;

/// So much more in percent must fail than with the instance that does best.
const WORSE_BY: u32 = 25;

/// An instance that gives no replies has its slow ones forgotten, one by one; otherwise it would never get calls again.
const FADES_AFTER: Duration = Duration::from_millis(250);

/// An instance under review.
pub struct Finding<'h> {
    /// What is thought of it; changed by the review.
    pub health: &'h mut Health,
    /// Whether there is a connection on which it could be called.
    pub reachable: bool,
    /// Another one who calls it has found it well since the last review.
    pub well_elsewhere: bool,
    /// Set when it was ejected, be it for a failed probe.
    pub ejected: bool,
    /// Set when it is well after it was ejected.
    pub recovered: bool,
}

impl<'h> Finding<'h> {
    /// What is known of an instance before the review.
    pub fn new(health: &'h mut Health, reachable: bool, well_elsewhere: bool) -> Finding<'h> {
        Finding { health, reachable, well_elsewhere, ejected: false, recovered: false }
    }
}

/// Reviews the instances of a backend.
pub fn review(instances: &mut [Finding<'_>], spec: &HealthSpec, now: Instant) {
    for instance in instances.iter_mut() {
        pass_time(instance, spec, now);
    }
    compare_latencies(instances, spec);
    if instances.iter().any(|one| does_well(one, spec)) {
        leave_the_worst(instances, spec, now);
    } else {
        leave_nobody(instances, now);
    }
}

/// Ejects those that are in trouble, the worst first, as many as may be; the others among them are throttled.
fn leave_the_worst(instances: &mut [Finding<'_>], spec: &HealthSpec, now: Instant) {
    let room = room(instances.len(), spec);
    let out = |one: &Finding<'_>| matches!(one.health.state, State::Ejected { .. } | State::Probing { .. });
    let mut ejected = instances.iter().filter(|one| out(one)).count();
    for at in in_trouble(instances, spec) {
        let health = &mut *instances[at].health;
        match health.trouble(spec) {
            Some(Trouble::Eject(reason)) if ejected < room => {
                health.eject(reason, spec, now);
                instances[at].ejected = true;
                ejected += 1;
            }
            Some(_) if health.state == State::Well => health.enter(State::Throttled, now),
            _ => {}
        }
    }
}

/// When no instance that can be called does well, all are used alike: whether there are too few left or all fail, nothing is
/// gained by leaving some, and the first that recovers should be found soon. What is known of them is kept for then.
fn leave_nobody(instances: &mut [Finding<'_>], now: Instant) {
    for instance in instances.iter_mut() {
        if let State::Ejected { .. } | State::Throttled = instance.health.state {
            instance.health.enter(State::Well, now);
            instance.health.eased_in_from = None;
        }
    }
}

fn does_well(one: &Finding<'_>, spec: &HealthSpec) -> bool {
    one.reachable && one.health.state == State::Well && one.health.trouble(spec).is_none()
}

/// How many may be ejected at once: at least one, as long as another one is left.
fn room(instances: usize, spec: &HealthSpec) -> usize {
    match spec.max_ejected as usize {
        0 => 0,
        percent => (instances * percent / 100).max(1).min(instances.saturating_sub(1)),
    }
}

/// What an instance comes to by itself.
fn pass_time(instance: &mut Finding<'_>, spec: &HealthSpec, now: Instant) {
    let health = &mut *instance.health;
    if now.saturating_duration_since(*health.unasked_since.get_or_insert(now)) >= FADES_AFTER {
        health.record.fade();
        health.unasked_since = Some(now);
    }
    match health.state {
        State::Throttled | State::Ejected { .. } if health.good >= GOOD_AGAIN => {
            instance.recovered = true;
            health.recover(now);
        }
        State::Ejected { until } if now >= until || instance.well_elsewhere => health.probe(now),
        State::Probing { failed: true, .. } => {
            instance.ejected = true;
            health.eject(health.reason, spec, now);
        }
        State::Probing { .. } if health.good >= GOOD_AGAIN => {
            instance.recovered = true;
            health.recover(now);
        }
        State::Well if health.ejections > 0 => {
            let after = health.ejected_for(spec).max(FORGIVEN_AFTER);
            if now.saturating_duration_since(health.counted_at.max(health.since)) >= after {
                health.ejections -= 1;
                health.counted_at = now;
            }
        }
        _ => {}
    }
}

/// Finds what is slow in this backend. Of an even number the lower median counts, so that one of two can be the slow one.
fn compare_latencies(instances: &mut [Finding<'_>], spec: &HealthSpec) {
    let measured = instances.iter().filter(|one| one.reachable && one.health.latency > 0.0);
    let mut latencies: Vec<f32> = measured.map(|one| one.health.latency).collect();
    latencies.sort_unstable_by(f32::total_cmp);
    let slow_above = match latencies.len() {
        0 | 1 => f32::INFINITY,
        n => {
            let median = latencies[(n - 1) / 2];
            (median * spec.slow_factor as f32).max(median + SLOW_FLOOR)
        }
    };
    for instance in instances {
        instance.health.slow_above = slow_above;
    }
}

/// Those that do worse than another one that can be called, the worst first.
fn in_trouble(instances: &[Finding<'_>], spec: &HealthSpec) -> Vec<usize> {
    let stays = |one: &Finding<'_>| matches!(one.health.state, State::Well | State::Throttled);
    let candidates = (0..instances.len()).filter(|&at| {
        let one = &instances[at];
        stays(one) && one.health.trouble(spec).is_some()
    });
    let mut troubled: Vec<usize> = candidates.collect();
    if troubled.is_empty() {
        return troubled;
    }
    let reachable = instances.iter().filter(|one| one.reachable && stays(one));
    let failing: Vec<(u32, u32)> = reachable.map(|one| one.health.record.failing()).collect();
    let best_lately = failing.iter().map(|(lately, _)| *lately).min();
    let best = failing.iter().map(|(_, all)| *all).min();
    let (Some(best_lately), Some(best)) = (best_lately, best) else {
        return Vec::new();
    };
    troubled.retain(|&at| {
        let health = &instances[at].health;
        let (lately, all) = health.record.failing();
        health.record.is_slow() || lately >= best_lately + WORSE_BY || all >= best + WORSE_BY
    });
    troubled.sort_by_key(|&at| std::cmp::Reverse(instances[at].health.record.failing()));
    troubled
}
