//! Where a route's calls go when they do not just go to its backend: the targets of its split, its shadow, its fallback.
//!
//! A call takes a target once, before it is sent: its retries stay there. Which target is drawn anew for each call, by weight, so
//! that gateways and workers need not agree and no client is bound to a target. Where the split goes by a key, a number that follows from the key
//! takes the place of chance: gateways and workers then agree without a word. A drawn target of whose instances none takes calls
//! would refuse its share although others could serve it; so the draw is repeated among the others. A target that a request has
//! named by its header is kept: whoever names it wants to see it, or see it fail.

use crate::backends::Backend;
use crate::config::{CallSpec, DestinationSpec, FallbackSpec, HeaderMatch, RespondSpec, Share};
use crate::telemetry::{FallbackStats, ShadowStats, TargetReason, TargetStats};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// Where a route's calls go.
pub struct Traffic {
    /// At least one: where nothing is split, the route's backend.
    pub targets: Vec<Target>,
    /// Where a share of them is copied to.
    pub shadow: Option<Shadow>,
    /// What is done when no instance is there.
    pub fallback: Option<Fallback>,
    /// The sum of all weights.
    total: u32,
}

/// Instances that calls go to.
#[derive(Clone)]
pub struct Destination {
    /// Those of this backend.
    pub backend: Arc<Backend>,
    /// Of them those of this version, if any.
    pub version: Option<Box<str>>,
}

/// A part of a route's calls.
pub struct Target {
    /// Where they go.
    pub to: Destination,
    /// Its part of the sum of all weights.
    pub weight: u32,
    /// Requests that bear one of these take it, whatever the weights.
    pub headers: Vec<HeaderMatch>,
    /// What it counts.
    pub stats: Arc<TargetStats>,
}

/// A share of calls that is copied.
pub struct Shadow {
    /// Where the copies go.
    pub to: Destination,
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
    Call(Destination),
    /// To none: it is answered so.
    Reply(Arc<RespondSpec>),
}

impl fmt::Display for Destination {
    /// `shop`, or `shop@2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.backend.spec.name)?;
        self.version.iter().try_for_each(|version| write!(f, "@{version}"))
    }
}

impl fmt::Display for FallbackTo {
    /// As [`Destination`], or `reply`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FallbackTo::Call(to) => to.fmt(f),
            FallbackTo::Reply(_) => f.write_str("answer"),
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
        let resolved = |to: &DestinationSpec, pinned: Option<&String>| {
            let backend = backends.get(to.backend.as_ref().unwrap_or(&spec.backend).as_str()).copied()?;
            let version = to.version.as_ref().or(pinned).map(|version| version.as_str().into());
            Some(Destination { backend: backend.clone(), version })
        };
        let pinned = policy.split.version.as_ref();
        let mut targets: Vec<Target> = Vec::new();
        let target =
            |to, weight, headers| Target { stats: target_stats(&to, old, workers), to, weight, headers };
        for one in &policy.split.targets {
            targets.extend(resolved(&one.to, pinned).map(|to| target(to, one.weight, one.headers.clone())));
        }
        if targets.is_empty() {
            targets.push(target(resolved(&DestinationSpec::default(), pinned)?, 1, Vec::new()));
        }
        let shadow = policy.shadow.as_ref().and_then(|shadow| {
            let to = resolved(&shadow.to, None)?;
            Some(Shadow { stats: shadow_stats(&to, old, workers), to, share: shadow.share })
        });
        let fallback = policy.fallback.as_ref().and_then(|fallback| {
            let to = match fallback {
                FallbackSpec::Call(to) => FallbackTo::Call(resolved(to, None)?),
                FallbackSpec::Reply(reply) => FallbackTo::Reply(Arc::new(reply.clone())),
            };
            Some(Fallback { stats: fallback_stats(&to, old, workers), to })
        });
        let total = targets.iter().map(|target| target.weight).sum();
        Some(Traffic { targets, shadow, fallback, total })
    }

    /// The ids of all backends that calls, copies and the fallback go to.
    pub(super) fn backend_ids(&self) -> impl Iterator<Item = u64> {
        let shadow = self.shadow.iter().map(|shadow| &shadow.to);
        let fallback = self.fallback.iter().filter_map(|fallback| match &fallback.to {
            FallbackTo::Call(to) => Some(to),
            FallbackTo::Reply(_) => None,
        });
        let all = self.targets.iter().map(|target| &target.to).chain(shadow).chain(fallback);
        all.map(|to| to.backend.id)
    }

    /// The target that a call takes, by its place, and why: by what headers its request bears, or else by weight among those that have
    /// instances which take calls. Where none has, the one that was drawn first. What has a `lot` is always drawn alike.
    pub fn choose(
        &self,
        bears: impl Fn(&HeaderMatch) -> bool,
        takes: impl Fn(&Destination) -> bool,
        lot: Option<u64>,
    ) -> (usize, TargetReason) {
        if self.targets.len() == 1 {
            return (0, TargetReason::Weight);
        }
        if let Some(named) = self.targets.iter().position(|target| target.headers.iter().any(&bears)) {
            return (named, TargetReason::Header);
        }
        let drawn = self.draw(self.total, lot, |_| true);
        if takes(&self.targets[drawn].to) {
            return (drawn, TargetReason::Weight);
        }
        // Chosen by a mask, so that no memory is asked for: there are at most 32.
        let able =
            self.targets.iter().enumerate().filter(|(_, target)| target.weight > 0 && takes(&target.to));
        let (able, total) =
            able.fold((0u32, 0), |(able, total), (at, target)| (able | 1 << at, total + target.weight));
        if total == 0 {
            return (drawn, TargetReason::Weight);
        }
        (self.draw(total, lot, |at| able & 1 << at != 0), TargetReason::Spill)
    }

    /// The place of one of the targets with such numbers, by weight; `total` is the sum of theirs, and not 0.
    fn draw(&self, total: u32, lot: Option<u64>, among: impl Fn(usize) -> bool) -> usize {
        let total = total.max(1);
        // Less than the total.
        let mut left = lot.map_or_else(|| fastrand::u32(..total), |lot| (lot % u64::from(total)) as u32);
        for (at, target) in self.targets.iter().enumerate().filter(|(at, _)| among(*at)) {
            if left < target.weight {
                return at;
            }
            left -= target.weight;
        }
        // What is drawn is below the sum.
        0
    }
}

fn target_stats(to: &Destination, old: Option<&Traffic>, workers: usize) -> Arc<TargetStats> {
    let name = to.to_string();
    let mut before = old.into_iter().flat_map(|old| &old.targets);
    let same = before.find(|target| target.to.to_string() == name);
    same.map_or_else(|| Arc::new(TargetStats::new(workers)), |target| target.stats.clone())
}

fn shadow_stats(to: &Destination, old: Option<&Traffic>, workers: usize) -> Arc<ShadowStats> {
    let same = old.and_then(|old| old.shadow.as_ref());
    let same = same.filter(|shadow| shadow.to.to_string() == to.to_string());
    same.map_or_else(|| Arc::new(ShadowStats::new(workers)), |shadow| shadow.stats.clone())
}

fn fallback_stats(to: &FallbackTo, old: Option<&Traffic>, workers: usize) -> Arc<FallbackStats> {
    let same = old.and_then(|old| old.fallback.as_ref());
    let same = same.filter(|fallback| fallback.to.to_string() == to.to_string());
    same.map_or_else(|| Arc::new(FallbackStats::new(workers)), |fallback| fallback.stats.clone())
}

#[cfg(test)]
mod tests;
