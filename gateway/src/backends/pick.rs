//! Which instance a call goes to. There is one rule of who could take it, and a backend's `balance` says in which order these
//! are asked:
//!
//! ```text
//! two     of two random ones the one that costs less: peak_ewma, least_request
//! turns   one after the other
//! any     a random one, by weight
//! key     the one that is the key's, by the ring
//! groups  who is asked at all: as a rule those of the gateway's own zone
//! ```
//! An instance that is new, has recovered or is shunned has its turn only in part of the cases (its health's weight). Where the
//! order finds none, all instances are looked at, and the best one that is left is taken.

mod any;
mod groups;
mod key;
mod turns;
mod two;

pub(super) use groups::Groups;

use super::peer::Peer;
use super::wanted::Wanted;
use crate::backends::Backend;
use crate::call::CallState;
use crate::config::{Balance, HealthSpec};
use crate::telemetry::{BackendStats, Diverted};
use crate::transport::callgate::Conn;
use groups::Group;
use key::ByKey;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use turns::Turns;

/// A backend, as one worker sees it.
pub struct LocalBackend {
    pub(super) name: String,
    pub(super) peers: Vec<Rc<Peer>>,
    /// What the table says of each of them.
    parts: Vec<Part>,
    pub(super) spec: HealthSpec,
    order: Order,
    /// The peers that get calls, as the last review saw it. Only a help for the quick choice: whoever is chosen is looked at
    /// again.
    pub(super) groups: RefCell<Groups>,
    /// Some peer has to be probed.
    pub(super) probing: Cell<bool>,
    /// The last review found nothing that time could change.
    pub(super) rested: Cell<bool>,
    /// What its calls have come to; kept when a new table changes the backend.
    pub calls: Rc<CallState>,
    stats: Arc<BackendStats>,
}

/// In which order instances are asked.
enum Order {
    PeakEwma,
    LeastRequest,
    Turns(Turns),
    Any,
    Key(ByKey),
}

/// An instance's part in its backend.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    weight: u32,
    /// What calls in flight there count, beside those of an instance of average weight.
    lightness: f32,
    /// It is in another zone than the gateway, and others are not.
    away: bool,
}

/// What a pick has to know of a call: where it has been in vain, by the ids of the endpoints, and what it asks for.
#[derive(Debug, Default)]
pub struct Tried<'a> {
    /// They have not accepted it, refused or failed it, and may do better when they are asked again.
    pub refused: Vec<u64>,
    /// They do not offer its method.
    pub lacking: Vec<u64>,
    /// The call could not be repeated if it failed: no instance is probed with it.
    pub fragile: bool,
    /// The hash of its key, where its backend spreads calls by that.
    pub key: Option<u64>,
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
struct Candidate<'b> {
    place: usize,
    peer: &'b Peer,
    conn: Rc<Conn>,
}

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
    /// A backend with the peers of its endpoints, in their order, for a gateway of that zone.
    pub(super) fn new(
        backend: &Backend,
        peers: Vec<Rc<Peer>>,
        calls: Rc<CallState>,
        zone: Option<&str>,
    ) -> LocalBackend {
        let spec = &backend.spec;
        let parts = parts(backend, zone);
        let order = match &spec.balance {
            Balance::PeakEwma => Order::PeakEwma,
            Balance::LeastRequest => Order::LeastRequest,
            Balance::RoundRobin => Order::Turns(Turns::of(&parts)),
            Balance::Random => Order::Any,
            Balance::Hash(hash) => Order::Key(ByKey::new(hash, backend.ring.clone())),
        };
        LocalBackend {
            name: spec.name.clone(),
            peers,
            parts,
            spec: spec.health,
            order,
            groups: RefCell::default(),
            probing: Cell::new(false),
            rested: Cell::new(false),
            calls,
            stats: backend.stats.clone(),
        }
    }

    /// Whether every instance is being drained, so that none will be there however long a call waits.
    pub fn drains(&self) -> bool {
        // A name without an answer leads to none.
        !self.peers.is_empty() && self.peers.iter().all(|peer| peer.is_retired())
    }

    /// Picks the connection for a call. Instances that refused the call come last but for those that are ejected, those that
    /// lack its method not at all.
    #[inline]
    pub fn pick(&self, tried: &Tried<'_>) -> Pick {
        if self.probing.get()
            && let Some(conn) = self.probe(tried)
        {
            return Pick::Ready(conn);
        }
        let groups = self.groups.borrow();
        let Some(chosen) = self.choose(&groups, tried) else { return self.nowhere(tried) };
        if self.parts[chosen.place].away {
            self.divert(chosen.peer, Diverted::OtherZone);
        }
        Pick::Ready(chosen.conn)
    }

    #[inline]
    fn choose(&self, groups: &Groups, tried: &Tried<'_>) -> Option<Candidate<'_>> {
        let (first, other) = groups.in_order(tried.key);
        if let Some(chosen) = self.of_group(first, tried) {
            return Some(chosen);
        }
        let (tier, best) = self.of_all(tried)?;
        // Those of the one group can take no more. Which of the other does is for the order to say.
        let elsewhere = tier == Tier::Fresh && other.has(best.place);
        if elsewhere && let Some(chosen) = self.of_group(other, tried) {
            return Some(chosen);
        }
        if tier == Tier::LastResort {
            best.peer.counters().health.last_resorts.increment();
        }
        Some(best)
    }

    /// By the backend's order, one of a group that gets calls and was not tried.
    #[inline]
    fn of_group(&self, group: &Group, tried: &Tried<'_>) -> Option<Candidate<'_>> {
        match &self.order {
            Order::PeakEwma | Order::LeastRequest => self.of_two(group, tried),
            Order::Turns(turns) => self.in_turn(turns, group, tried),
            Order::Any => self.any(group, tried),
            Order::Key(by) => match tried.key {
                Some(key) => self.by_key(by, key, group, tried),
                None => {
                    let chosen = self.any(group, tried)?;
                    self.divert(chosen.peer, Diverted::NoKey);
                    Some(chosen)
                }
            },
        }
    }

    /// Counts a call that does not go where it went if all were well.
    fn divert(&self, to: &Peer, why: Diverted) {
        self.stats.0.of(to.worker).diverted(why);
    }

    /// An instance that waits for a call to be tried with.
    fn probe(&self, tried: &Tried<'_>) -> Option<Rc<Conn>> {
        let mut peers = self.peers.iter().filter(|peer| peer.monitor.wants_probe(tried.fragile));
        peers.find_map(|peer| {
            let conn = usable(peer)?;
            (!tried.has(peer)).then_some(conn)
        })
    }

    /// The instance at that place, if it gets calls and was not tried.
    #[inline]
    fn eligible(&self, place: usize, tried: &Tried<'_>) -> Option<Candidate<'_>> {
        let peer = self.peers.get(place)?;
        let conn = usable(peer)?;
        (peer.monitor.is_in() && !tried.has(peer)).then_some(Candidate { place, peer, conn })
    }

    /// The best one of all that have room.
    fn of_all(&self, tried: &Tried<'_>) -> Option<(Tier, Candidate<'_>)> {
        let n = self.peers.len();
        let start = if n > 1 { fastrand::usize(..n) } else { 0 };
        let mut best: Option<((Tier, bool, f32), Candidate<'_>)> = None;
        for place in (0..n).map(|offset| (start + offset) % n) {
            let peer = &*self.peers[place];
            let Some(conn) = peer.conn().filter(|conn| conn.is_ready() && conn.has_room()) else { continue };
            if tried.rules_out(peer) {
                continue;
            }
            let tier = match peer.monitor.is_in() && !conn.is_doubtful() {
                false => Tier::LastResort,
                true if tried.refused.contains(&peer.endpoint.id) => Tier::Tried,
                true => Tier::Fresh,
            };
            let candidate = Candidate { place, peer, conn };
            let key = (tier, self.parts[place].away, self.weighted_cost(&candidate));
            if best.as_ref().is_none_or(|(known, _)| key < *known) {
                best = Some((key, candidate));
            }
        }
        best.map(|((tier, ..), chosen)| (tier, chosen))
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
    #[inline]
    fn has(&self, peer: &Peer) -> bool {
        self.refused.contains(&peer.endpoint.id) || self.rules_out(peer)
    }
}

/// The connection of an instance that wants calls, answers and has room.
#[inline]
fn usable(peer: &Peer) -> Option<Rc<Conn>> {
    peer.conn().filter(|conn| conn.is_ready() && !conn.is_doubtful() && conn.has_room())
}

/// What the table says of each instance, for a gateway of that zone. Where none is in the zone, all zones are alike.
fn parts(backend: &Backend, zone: Option<&str>) -> Vec<Part> {
    let placings = || backend.members().map(|(_, spec)| &spec.placing);
    let total: u64 = placings().map(|placing| u64::from(placing.weight)).sum();
    let average = total as f32 / placings().count().max(1) as f32;
    let at_home = |of: Option<&str>| of.is_some() && of == zone;
    let zoned = placings().any(|placing| at_home(placing.zone.as_deref()));
    placings()
        .map(|placing| Part {
            weight: placing.weight,
            lightness: average / placing.weight as f32,
            away: zoned && !at_home(placing.zone.as_deref()),
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests;
