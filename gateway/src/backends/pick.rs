//! Which instance a call goes to: of two random ones the one that costs less.
//!
//! A call costs what the calls in flight there make it wait, times what the slow ones among the instance's last calls show;
//! less where it leaves with a write that waits anyway.
//! An instance that is new, has recovered or is shunned has its turn only in part of the cases (its weight).

use super::conn::Conn;
use super::peer::Peer;
use super::wanted::Wanted;
use crate::call::CallState;
use crate::config::HealthSpec;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

/// Where that many calls have piled up, another instance is not spared because it is new: this one may be gone.
const PILED: usize = 16;

/// A backend, as one worker sees it.
pub struct LocalBackend {
    pub(super) name: String,
    pub(super) peers: Vec<Rc<Peer>>,
    pub(super) spec: HealthSpec,
    /// Places of the peers that get calls, as the last review saw it. Only a help for the quick choice: whoever is chosen is
    /// looked at again.
    pub(super) live: RefCell<Vec<usize>>,
    /// Some peer has to be probed.
    pub(super) probing: Cell<bool>,
    /// What its calls have come to; kept when a new table changes the backend.
    pub calls: Rc<CallState>,
}

/// The instances that a call has been to in vain, by the ids of their endpoints.
#[derive(Debug, Default)]
pub struct Tried<'a> {
    /// They have not accepted it, refused or failed it, and may do better when they are asked again.
    pub refused: Vec<u64>,
    /// They do not offer its method.
    pub lacking: Vec<u64>,
    /// The call could not be repeated if it failed: no instance is probed with it.
    pub fragile: bool,
    /// What an instance must offer; nothing is known of that without it.
    pub wanted: Option<Wanted<'a>>,
}

/// Where a call can go.
pub enum Pick {
    /// On this connection.
    Ready(Rc<Conn>),
    /// Nowhere yet, but a connection is being made: wait for [`Pool::changed`](super::Pool::changed).
    Wait,
    /// Nowhere: every instance is at its bound of calls in flight.
    Busy,
    /// Nowhere: no instance is there, or none that wants calls.
    None,
}

/// An instance that could take the call.
type Candidate<'b> = (&'b Peer, Rc<Conn>);

/// In which order instances are taken when the quick choice finds none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    /// It gets calls, and this one has not been there.
    Fresh,
    /// It has refused this one.
    Tried,
    /// It is ejected or does not answer.
    LastResort,
}

impl LocalBackend {
    pub(super) fn new(
        name: String,
        peers: Vec<Rc<Peer>>,
        spec: HealthSpec,
        calls: Rc<CallState>,
    ) -> LocalBackend {
        LocalBackend { name, peers, spec, live: RefCell::default(), probing: Cell::new(false), calls }
    }

    /// Whether every instance is being drained, so that none will be there however long a call waits.
    pub fn drains(&self) -> bool {
        // A name without an answer leads to none.
        !self.peers.is_empty() && self.peers.iter().all(|peer| peer.is_retired())
    }

    /// Picks the connection for a call. Instances that refused the call come last but for those that are ejected, those that
    /// lack its method not at all.
    pub fn pick(&self, tried: &Tried<'_>) -> Pick {
        if self.probing.get()
            && let Some(conn) = self.probe(tried)
        {
            return Pick::Ready(conn);
        }
        match self.of_two(tried).or_else(|| self.of_all(tried)) {
            Some((_, conn)) => Pick::Ready(conn),
            None => self.nowhere(tried),
        }
    }

    /// An instance that waits for a call to be tried with.
    fn probe(&self, tried: &Tried<'_>) -> Option<Rc<Conn>> {
        let mut peers = self.peers.iter().filter(|peer| peer.monitor.wants_probe(tried.fragile));
        peers.find_map(|peer| {
            let conn = usable(peer)?;
            (!tried.has(peer)).then_some(conn)
        })
    }

    /// The better one of two that get calls and were not tried.
    #[inline]
    fn of_two(&self, tried: &Tried<'_>) -> Option<Candidate<'_>> {
        let live = self.live.borrow();
        let at = |place: usize| {
            let peer = self.peers.get(live[place])?;
            let conn = usable(peer)?;
            (peer.monitor.is_in() && !tried.has(peer)).then_some((&**peer, conn))
        };
        let (first, second) = match live.len() {
            0 => return None,
            1 => return at(0),
            n => {
                let first = fastrand::usize(..n);
                (first, (first + 1 + fastrand::usize(..n - 1)) % n)
            }
        };
        match (at(first), at(second)) {
            (Some(a), Some(b)) => Some(match (a.0.monitor.has_turn(), b.0.monitor.has_turn()) {
                (true, true) => cheaper(a, b, |(peer, conn)| peer.monitor.cost(conn.load())),
                (true, false) if a.1.load() <= PILED => a,
                (false, true) if b.1.load() <= PILED => b,
                _ => cheaper(a, b, |(peer, conn)| peer.monitor.weighted_cost(conn.load())),
            }),
            (Some(one), None) | (None, Some(one)) => one.0.monitor.has_turn().then_some(one),
            (None, None) => None,
        }
    }

    /// The best one of all that have room.
    fn of_all(&self, tried: &Tried<'_>) -> Option<Candidate<'_>> {
        let n = self.peers.len();
        let start = if n > 1 { fastrand::usize(..n) } else { 0 };
        let mut best: Option<((Tier, u64), Candidate<'_>)> = None;
        for peer in (0..n).filter_map(|offset| self.peers.get((start + offset) % n)) {
            let Some(conn) = peer.conn().filter(|conn| conn.is_ready() && conn.has_room()) else { continue };
            if tried.rules_out(peer) {
                continue;
            }
            let tier = match peer.monitor.is_in() && !conn.is_doubtful() {
                false => Tier::LastResort,
                true if tried.refused.contains(&peer.endpoint.id) => Tier::Tried,
                true => Tier::Fresh,
            };
            let key = (tier, peer.monitor.weighted_cost(conn.load()));
            if best.as_ref().is_none_or(|(known, _)| key < *known) {
                best = Some((key, (peer, conn)));
            }
        }
        let ((tier, _), chosen) = best?;
        if tier == Tier::LastResort {
            chosen.0.counters().health.last_resorts.increment();
        }
        Some(chosen)
    }

    fn nowhere(&self, tried: &Tried<'_>) -> Pick {
        let mut offering = self.peers.iter().filter(|peer| !tried.rules_out(peer));
        if offering.clone().any(|peer| peer.conn().is_some_and(|conn| conn.is_ready())) {
            return Pick::Busy;
        }
        if offering.any(|peer| peer.is_hopeful() && peer.conn().is_none()) { Pick::Wait } else { Pick::None }
    }
}

impl Tried<'_> {
    fn has(&self, peer: &Peer) -> bool {
        self.refused.contains(&peer.endpoint.id) || self.rules_out(peer)
    }
}

/// The connection of an instance that wants calls, answers and has room.
#[inline]
fn usable(peer: &Peer) -> Option<Rc<Conn>> {
    peer.conn().filter(|conn| conn.is_ready() && !conn.is_doubtful() && conn.has_room())
}

fn cheaper<'b>(a: Candidate<'b>, b: Candidate<'b>, cost: impl Fn(&Candidate<'b>) -> u64) -> Candidate<'b> {
    if cost(&b) < cost(&a) { b } else { a }
}

#[cfg(test)]
mod tests;
