//! The instances of a backend in one worker, and which of them could take a call at all: one rule, whatever the balance.

use super::local_endpoint::LocalEndpoint;
use super::members::{Member, Members};
use super::tried::Tried;
use crate::telemetry::{BackendStats, Diverted};
use crate::transport::Link;
use std::rc::Rc;
use std::sync::Arc;

/// The instances of a backend, in the order of its members.
pub(super) struct Instances {
    pub(super) all: Vec<Rc<LocalEndpoint>>,
    /// What the table says of each of them.
    pub(super) parts: Vec<Part>,
    stats: Arc<BackendStats>,
}

/// An instance's part in its backend.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    pub(super) weight: u32,
    /// What a call in flight there counts, beside one at an instance of average weight.
    pub(super) per_call: f32,
    /// Those of a higher rank are for what the others cannot take; from 0 without a gap.
    pub(super) rank: u16,
    /// What is said of a call that it gets though its rank is not the first.
    outside: Diverted,
}

/// An instance that could take the call.
pub(super) struct Candidate<'b> {
    pub(super) place: usize,
    pub(super) at: &'b Rc<LocalEndpoint>,
    pub(super) link: Link,
}

/// In which order instances are taken when the balance finds none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tier {
    /// It gets calls, and this one has not been there.
    Fresh,
    /// It has refused this one.
    Tried,
    /// It is ejected or does not answer.
    LastResort,
}

impl Instances {
    /// Those of a backend of these members, for a gateway of that zone.
    pub(super) fn new(
        members: &Members,
        all: Vec<Rc<LocalEndpoint>>,
        stats: Arc<BackendStats>,
        zone: Option<&str>,
    ) -> Instances {
        Instances { all, parts: parts(members, zone), stats }
    }

    /// The instance at that place, if it gets calls and was not tried.
    #[inline]
    pub(super) fn eligible(&self, place: usize, tried: &Tried<'_>) -> Option<Candidate<'_>> {
        let at = self.all.get(place)?;
        let link = usable(at)?;
        (at.monitor.is_in() && !tried.has(at)).then_some(Candidate { place, at, link })
    }

    /// An instance that waits for a call to be tried with.
    pub(super) fn probe(&self, tried: &Tried<'_>) -> Option<Candidate<'_>> {
        let mut all = self.all.iter().enumerate().filter(|(_, at)| at.monitor.wants_probe(tried.fragile));
        all.find_map(|(place, at)| {
            let link = usable(at)?;
            (!tried.has(at)).then_some(Candidate { place, at, link })
        })
    }

    /// The best one of all that have room, and of equals the one that costs least.
    pub(super) fn best<'b>(
        &'b self,
        tried: &Tried<'_>,
        cost: impl Fn(&Candidate<'b>) -> f32,
    ) -> Option<(Tier, Candidate<'b>)> {
        let n = self.all.len();
        let start = if n > 1 { fastrand::usize(..n) } else { 0 };
        let mut best: Option<((Tier, u16, f32), Candidate<'b>)> = None;
        for place in (0..n).map(|offset| (start + offset) % n) {
            let at = &self.all[place];
            let Some((link, tier)) = self.tier(at, tried) else { continue };
            let candidate = Candidate { place, at, link };
            let key = (tier, self.parts[place].rank, cost(&candidate));
            if best.as_ref().is_none_or(|(known, _)| key < *known) {
                best = Some((key, candidate));
            }
        }
        best.map(|((tier, ..), chosen)| (tier, chosen))
    }

    /// In which order an instance is taken when the balance finds none, if it has room and can run the call; and the link to it.
    pub(super) fn tier(&self, at: &LocalEndpoint, tried: &Tried<'_>) -> Option<(Link, Tier)> {
        let link = at.open_link().filter(|_| !tried.rules_out(at))?;
        let tier = if !at.monitor.is_in() || link.is_silent() {
            Tier::LastResort
        } else if tried.refused.contains(&at.endpoint.id) {
            Tier::Tried
        } else {
            Tier::Fresh
        };
        Some((link, tier))
    }

    /// Whether some instance would take the call as one of its share: it is there, well or to be tried, and can run it.
    pub(super) fn take(&self, tried: &Tried<'_>) -> bool {
        self.all.iter().any(|at| {
            let may = || at.monitor.is_in() || at.monitor.wants_probe(tried.fragile);
            at.is_callable() && may() && !tried.rules_out(at)
        })
    }

    /// The endpoints that are connected and lack the method or do not fit the route, whatever their version.
    pub(super) fn lacking(&self, tried: &Tried<'_>) -> Vec<u64> {
        let Some(wanted) = &tried.wanted else { return Vec::new() };
        let lacks = |at: &&Rc<LocalEndpoint>| at.link().is_some_and(|link| !link.offers(&wanted.binding));
        self.all.iter().filter(lacks).map(|at| at.endpoint.id).collect()
    }

    /// Why the route was found not to fit one of them.
    pub(super) fn misfit(&self, tried: &Tried<'_>) -> Option<Rc<str>> {
        let wanted = tried.wanted.as_ref()?;
        self.all.iter().find_map(|at| at.link()?.misfit(&wanted.binding))
    }

    /// Notes whether they differ in what they offer.
    pub(super) fn compare_offers(&self) {
        let mut digests = self.all.iter().filter_map(|at| at.link()).map(|link| link.offer_digest());
        let first = digests.next();
        let differ = digests.any(|other| Some(other) != first);
        self.all.iter().for_each(|at| at.differs.set(differ));
    }

    /// What they take, in seconds: the median, of an even number the lower one; 0 as long as nobody knows.
    pub(super) fn typical_latency(&self) -> f32 {
        let callable = self.all.iter().filter(|at| at.is_callable());
        let mut latencies: Vec<f32> = callable.filter_map(|at| at.monitor.latency()).collect();
        latencies.sort_unstable_by(f32::total_cmp);
        latencies.get(latencies.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
    }

    /// Counts a call that goes to an instance of another rank than the first.
    #[inline]
    pub(super) fn note_rank(&self, chosen: &Candidate<'_>) {
        if self.parts[chosen.place].rank > 0 {
            self.divert(chosen.at, self.parts[chosen.place].outside);
        }
    }

    /// Counts a call that does not go where it went if all were well.
    pub(super) fn divert(&self, to: &LocalEndpoint, why: Diverted) {
        self.stats.0.of(to.worker).diverted(why);
    }
}

/// The link to an instance that wants calls, answers and has room.
#[inline]
fn usable(at: &LocalEndpoint) -> Option<Link> {
    at.open_link().filter(|link| !link.is_silent())
}

/// What is said of each instance, for a gateway of that zone. Priorities go before zones; where none is in the zone, all zones are
/// alike.
fn parts(members: &Members, zone: Option<&str>) -> Vec<Part> {
    let total: u64 = members.iter().map(|one| u64::from(one.weight)).sum();
    let average = total as f32 / members.len().max(1) as f32;
    let at_home = |of: &Member| of.zone.is_some() && of.zone.as_deref() == zone;
    let zoned = members.iter().any(at_home);
    let key = |one: &Member| (one.priority, zoned && !at_home(one));
    let mut ranks: Vec<(u16, bool)> = members.iter().map(key).collect();
    ranks.sort_unstable();
    ranks.dedup();
    let part = |one: &Member| Part {
        weight: one.weight,
        per_call: average / one.weight as f32,
        rank: ranks.binary_search(&key(one)).map_or(0, |rank| u16::try_from(rank).unwrap_or(u16::MAX)),
        outside: match ranks.first() {
            Some((lowest, _)) if one.priority > *lowest => Diverted::Standby,
            _ => Diverted::OtherZone,
        },
    };
    members.iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use crate::backends::testing::{instance_at, instance_with, link, local_of};
    use crate::config::{Balance, HealthSpec, Placement};
    use crate::transport::Evidence;
    use std::time::Duration;
    use tokio::time::Instant;

    #[test]
    fn what_instances_take_is_the_lower_median_of_those_that_can_be_called() {
        for (seconds, away, expected) in [
            (&[][..], None, 0.0),
            (&[0], None, 0.0),
            (&[3], None, 3.0),
            (&[4, 1], None, 1.0),
            (&[9, 2, 4], None, 4.0),
            (&[9, 2, 4, 5], None, 4.0),
            (&[9, 2, 4], Some(2), 2.0),
            (&[9, 0, 4, 5], None, 5.0),
        ] {
            let all: Vec<_> =
                (1..).zip(seconds).map(|(port, _)| instance_at(HealthSpec::default(), port)).collect();
            for (at, seconds) in all.iter().zip(seconds).filter(|(_, seconds)| **seconds > 0) {
                let took = Some(Duration::from_secs(*seconds));
                at.monitor.ended(at.monitor.sent(), Evidence::Good, took, Instant::now());
            }
            away.into_iter().for_each(|place: usize| link(&all[place]).set_ready(false));
            let placements = vec![Placement::default(); all.len()];
            let backend = local_of(Balance::default(), HealthSpec::default(), &placements, all);
            assert_eq!(backend.instances.typical_latency(), expected, "{seconds:?}");
        }
    }

    #[test]
    fn instances_differ_where_one_offers_something_else_than_another_that_is_there() {
        for (offers, away, differ) in [
            (&["a", "a", "a"], None, false),
            (&["a", "a", "b"], None, true),
            (&["a", "a", "b"], Some(2), false),
            (&["b", "a", "a"], Some(2), true),
        ] {
            let one = |method: &&str| instance_with(HealthSpec::default(), "1", &[method]);
            let all: Vec<_> = offers.iter().map(one).collect();
            away.into_iter().for_each(|place: usize| all[place].set_link(None));
            let placements = vec![Placement::default(); all.len()];
            let backend = local_of(Balance::default(), HealthSpec::default(), &placements, all);
            backend.instances.compare_offers();
            let seen: Vec<bool> = backend.instances.all.iter().map(|at| at.differs.get()).collect();
            assert_eq!(seen, [differ; 3], "{offers:?} without {away:?}");
        }
    }
}
