//! In which order the instances of a backend are asked whether they take a call.
//!
//! ```text
//! p2c         of two random ones the one that costs less: peak_ewma, least_request; cost, what a call costs
//! smooth_wrr  one after the other
//! random      a random one, by weight
//! ring_hash   the one that is the key's, by the ring
//! groups      who is asked at all: as a rule those of the gateway's own zone
//! ```

mod cost;
mod groups;
mod p2c;
mod random;
mod ring_hash;
mod smooth_wrr;

pub(super) use groups::Groups;

use super::instances::{Candidate, Instances, Part};
use super::ring::Ring;
use super::tried::Tried;
use crate::config::Balance;
use crate::telemetry::Diverted;
use cost::Costs;
use groups::Group;
use ring_hash::RingHash;
use smooth_wrr::SmoothWrr;
use std::sync::Arc;

/// A backend's balance.
pub(super) enum Balancer {
    P2c(Costs),
    SmoothWrr(SmoothWrr),
    Random,
    RingHash(RingHash),
}

impl Balancer {
    /// That balance of instances of these parts. The ring is there with every backend that hashes.
    pub(super) fn new(balance: &Balance, parts: &[Part], ring: Option<Arc<Ring>>) -> Balancer {
        match balance {
            Balance::PeakEwma => Balancer::P2c(Costs::ByLatency),
            Balance::LeastRequest => Balancer::P2c(Costs::Alike),
            Balance::RoundRobin => Balancer::SmoothWrr(SmoothWrr::of(parts)),
            Balance::Random => Balancer::Random,
            Balance::Hash(hash) => Balancer::RingHash(RingHash::new(hash, ring)),
        }
    }

    /// One of a group that gets calls and was not tried.
    #[inline]
    pub(super) fn choose<'b>(
        &self,
        instances: &'b Instances,
        group: &Group,
        tried: &Tried<'_>,
    ) -> Option<Candidate<'b>> {
        match self {
            Balancer::P2c(costs) => p2c::choose(*costs, instances, group, tried),
            Balancer::SmoothWrr(turns) => turns.choose(instances, group, tried),
            Balancer::Random => random::choose(instances, group, tried),
            Balancer::RingHash(ring) => match tried.key {
                Some(key) => ring.choose(key, instances, group, tried),
                None => {
                    let chosen = random::choose(instances, group, tried)?;
                    instances.divert(chosen.at, Diverted::NoKey);
                    Some(chosen)
                }
            },
        }
    }

    /// What calls cost by it.
    #[inline]
    pub(super) fn costs(&self) -> Costs {
        if let Balancer::P2c(costs) = self { *costs } else { Costs::Alike }
    }
}
