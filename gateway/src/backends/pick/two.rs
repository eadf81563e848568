//! Of two random instances the one that costs less. A call costs what the calls in flight there make it wait, times what the
//! instance lately took at most; less where it leaves with a write that waits anyway.
//!
//! The two are drawn by weight, and of idle equals the first is taken. Where one of them is not idle, calls in flight count by
//! weight, as seats go to parties by the method of Sainte-Laguë: so shares are by weight whether there is much to do or little.

use super::{Candidate, Group, LocalBackend, Order, Tried};
use crate::backends::health::FULL;

/// Where that many calls have piled up, another instance is not spared because it is new: this one may be gone.
const PILED: usize = 16;

impl LocalBackend {
    /// The better one of two of a group.
    #[inline]
    pub(super) fn of_two(&self, group: &Group, tried: &Tried<'_>) -> Option<Candidate<'_>> {
        let (first, second) = group.draw_two()?;
        let Some(second) = second else { return self.eligible(first, tried) };
        match (self.eligible(first, tried), self.eligible(second, tried)) {
            (Some(a), Some(b)) => Some(match (a.peer.monitor.has_turn(), b.peer.monitor.has_turn()) {
                (true, true) if a.conn.in_flight() + b.conn.in_flight() == 0 => {
                    cheaper(a, b, |one| self.price(one))
                }
                (true, true) => cheaper(a, b, |one| self.cost(one)),
                (true, false) if a.conn.load() <= PILED => a,
                (false, true) if b.conn.load() <= PILED => b,
                _ => cheaper(a, b, |one| self.weighted_cost(one)),
            }),
            (Some(one), None) | (None, Some(one)) => one.peer.monitor.has_turn().then_some(one),
            (None, None) => None,
        }
    }

    /// What a call costs there, beside the others and whatever its weight.
    #[inline]
    fn price(&self, one: &Candidate<'_>) -> f32 {
        match self.order {
            Order::PeakEwma => one.peer.monitor.price(),
            _ => 1.0,
        }
    }

    /// What a further call there costs.
    #[inline]
    fn cost(&self, one: &Candidate<'_>) -> f32 {
        let load = one.conn.load();
        let (base, in_flight) = (1 + load.min(1), load - load.min(1));
        let seats = (in_flight as f32 + 0.5) * self.parts[one.place].lightness - 0.5;
        (base as f32 + seats) * self.price(one)
    }

    /// The same where its health's weight is to count as well.
    pub(super) fn weighted_cost(&self, one: &Candidate<'_>) -> f32 {
        self.cost(one) * f32::from(FULL) / f32::from(one.peer.monitor.weight().max(1))
    }
}

fn cheaper<'b>(a: Candidate<'b>, b: Candidate<'b>, cost: impl Fn(&Candidate<'b>) -> f32) -> Candidate<'b> {
    if cost(&b) < cost(&a) { b } else { a }
}
