//! Where a route's calls go when they do not just go to its backend: the arms of its split, its shadow, its fallback.
//!
//! A call takes an arm once, before it is sent: its retries stay there. Which arm is drawn anew for each call, by weight, so
//! that gateways and workers need not agree and no client is bound to an arm. A drawn arm of whose instances none takes calls
//! would refuse its share although others could serve it; so the draw is repeated among the others. An arm that a request has
//! named by its header is kept: whoever names it wants to see it, or see it fail.

use crate::backends::Backend;
use crate::config::{CallSpec, Destination, FallbackSpec, HeaderMatch, RespondSpec, Share};
use crate::telemetry::{ArmReason, ArmStats, FallbackStats, ShadowStats};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Where a route's calls go.
pub struct Traffic {
    /// At least one: where nothing is split, the route's backend.
    pub arms: Vec<Arm>,
    /// Where a share of them is copied to.
    pub shadow: Option<Shadow>,
    /// What is done when no instance is there.
    pub fallback: Option<Fallback>,
    /// The sum of all weights.
    total: u32,
}

/// Instances that calls go to.
#[derive(Clone)]
pub struct Place {
    /// Those of this backend.
    pub backend: Arc<Backend>,
    /// Of them those of this version, if any.
    pub version: Option<Box<str>>,
}

/// A part of a route's calls.
pub struct Arm {
    /// Where they go.
    pub place: Place,
    /// Its part of the sum of all weights.
    pub weight: u32,
    /// Requests that bear one of these take it, whatever the weights.
    pub headers: Vec<HeaderMatch>,
    /// What it counts.
    pub stats: Arc<ArmStats>,
}

/// A share of calls that is copied.
pub struct Shadow {
    /// Where the copies go.
    pub place: Place,
    /// How many calls are copied.
    pub share: Share,
    /// What became of the copies.
    pub stats: Arc<ShadowStats>,
}

/// What is done with a call for which there is no instance.
pub struct Fallback {
    /// Where it goes.
    pub to: FallbackTo,
    /// How many there were.
    pub stats: Arc<FallbackStats>,
}

/// See [`Fallback`].
pub enum FallbackTo {
    /// To other instances.
    Call(Place),
    /// To none: it is answered so.
    Answer(RespondSpec),
}

impl fmt::Display for Place {
    /// `shop`, or `shop@2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.backend.spec.name)?;
        self.version.iter().try_for_each(|version| write!(f, "@{version}"))
    }
}

impl fmt::Display for FallbackTo {
    /// As [`Place`], or `answer`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FallbackTo::Call(place) => place.fmt(f),
            FallbackTo::Answer(_) => f.write_str("answer"),
        }
    }
}

impl Traffic {
    /// What a call's lines come to with those backends; `None` where its calls just go to its backend. Counters of what stays
    /// are taken over from `old`.
    pub(super) fn next(
        spec: &CallSpec,
        backends: &HashMap<&str, &Arc<Backend>>,
        old: Option<&Traffic>,
        workers: usize,
    ) -> Option<Traffic> {
        let policy = &spec.policy;
        if policy.split.is_plain() && policy.shadow.is_none() && policy.fallback.is_none() {
            return None;
        }
        // The checks of the files have found each of them.
        let place = |to: &Destination, pinned: Option<&String>| {
            let backend = backends.get(to.backend.as_ref().unwrap_or(&spec.backend).as_str()).copied()?;
            let version = to.version.as_ref().or(pinned).map(|version| version.as_str().into());
            Some(Place { backend: backend.clone(), version })
        };
        let pinned = policy.split.version.as_ref();
        let mut arms: Vec<Arm> = Vec::new();
        let arm =
            |place, weight, headers| Arm { stats: arm_stats(&place, old, workers), place, weight, headers };
        for one in &policy.split.targets {
            arms.extend(place(&one.to, pinned).map(|place| arm(place, one.weight, one.headers.clone())));
        }
        if arms.is_empty() {
            arms.push(arm(place(&Destination::default(), pinned)?, 1, Vec::new()));
        }
        let shadow = policy.shadow.as_ref().and_then(|shadow| {
            let place = place(&shadow.to, None)?;
            Some(Shadow { stats: shadow_stats(&place, old, workers), place, share: shadow.share })
        });
        let fallback = policy.fallback.as_ref().and_then(|fallback| {
            let to = match fallback {
                FallbackSpec::Call(to) => FallbackTo::Call(place(to, None)?),
                FallbackSpec::Answer(answer) => FallbackTo::Answer(answer.clone()),
            };
            Some(Fallback { stats: fallback_stats(&to, old, workers), to })
        });
        let total = arms.iter().map(|arm| arm.weight).sum();
        Some(Traffic { arms, shadow, fallback, total })
    }

    /// The ids of all backends that it leads to.
    pub(super) fn backend_ids(&self) -> impl Iterator<Item = u64> {
        let shadow = self.shadow.iter().map(|shadow| &shadow.place);
        let fallback = self.fallback.iter().filter_map(|fallback| match &fallback.to {
            FallbackTo::Call(place) => Some(place),
            FallbackTo::Answer(_) => None,
        });
        let places = self.arms.iter().map(|arm| &arm.place).chain(shadow).chain(fallback);
        places.map(|place| place.backend.id)
    }

    /// The arm that a call takes, and why: by what headers its request bears, or else by weight among those that have
    /// instances which take calls. Where none has, the one that was drawn first.
    pub fn choose(
        &self,
        bears: impl Fn(&HeaderMatch) -> bool,
        takes: impl Fn(&Place) -> bool,
    ) -> (&Arm, ArmReason) {
        if let [only] = self.arms.as_slice() {
            return (only, ArmReason::Weight);
        }
        if let Some(named) = self.arms.iter().find(|arm| arm.headers.iter().any(&bears)) {
            return (named, ArmReason::Header);
        }
        let drawn = self.draw(self.total, |_| true);
        if takes(&drawn.place) {
            return (drawn, ArmReason::Weight);
        }
        // Chosen by a mask, so that no memory is asked for: there are at most 32.
        let able = self.arms.iter().enumerate().filter(|(_, arm)| arm.weight > 0 && takes(&arm.place));
        let (able, total) =
            able.fold((0u32, 0), |(able, total), (at, arm)| (able | 1 << at, total + arm.weight));
        if total == 0 {
            return (drawn, ArmReason::Weight);
        }
        (self.draw(total, |at| able & 1 << at != 0), ArmReason::Spill)
    }

    /// One of the arms at such places, by weight; `total` is the sum of theirs, and not 0.
    fn draw(&self, total: u32, among: impl Fn(usize) -> bool) -> &Arm {
        let mut left = fastrand::u32(..total.max(1));
        for (_, arm) in self.arms.iter().enumerate().filter(|(at, _)| among(*at)) {
            if left < arm.weight {
                return arm;
            }
            left -= arm.weight;
        }
        // What is drawn is below the sum.
        &self.arms[0]
    }
}

fn arm_stats(place: &Place, old: Option<&Traffic>, workers: usize) -> Arc<ArmStats> {
    let name = place.to_string();
    let mut before = old.into_iter().flat_map(|old| &old.arms);
    let same = before.find(|arm| arm.place.to_string() == name);
    same.map_or_else(|| Arc::new(ArmStats::new(workers)), |arm| arm.stats.clone())
}

fn shadow_stats(place: &Place, old: Option<&Traffic>, workers: usize) -> Arc<ShadowStats> {
    let same = old.and_then(|old| old.shadow.as_ref());
    let same = same.filter(|shadow| shadow.place.to_string() == place.to_string());
    same.map_or_else(|| Arc::new(ShadowStats::new(workers)), |shadow| shadow.stats.clone())
}

fn fallback_stats(to: &FallbackTo, old: Option<&Traffic>, workers: usize) -> Arc<FallbackStats> {
    let same = old.and_then(|old| old.fallback.as_ref());
    let same = same.filter(|fallback| fallback.to.to_string() == to.to_string());
    same.map_or_else(|| Arc::new(FallbackStats::new(workers)), |fallback| fallback.stats.clone())
}

#[cfg(test)]
mod tests;
