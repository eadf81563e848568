//! Which member a call goes to.
//!
//! Power of two choices, as the gateway has it: of two random members the one with fewer calls under way, each weighed by the
//! share that it is to get. If not both of them could take the call, all are looked at and the best one is taken, even one that
//! is ejected, or one that does not answer. An idempotent call has been to each that answers before it comes to one again.

use super::connection::Connection;
use super::members::{Member, NameState, Seat, State, Table};
use super::offers::Offer;
use super::schemas::Schemas;
use super::trial::Trial;
use crate::service::Method;
use callgate_health::FULL;
use std::sync::Arc;

/// Where that many calls have piled up, another member is not spared because it is new: this one may be gone.
const PILED: usize = 16;

/// What a call has to say for itself.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) method: &'static Method,
    pub(crate) schemas: &'a Arc<Schemas>,
    /// The members that have failed it, or have it.
    pub(crate) avoid: &'a [u64],
}

/// A member that takes the call, and the way there.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) connection: Arc<Connection>,
    pub(crate) trial: Trial,
}

/// Where a call can go.
pub(crate) enum Choice {
    /// There.
    Member(Chosen),
    /// Nowhere yet.
    Wait,
    /// Nowhere: those that are there do not offer the method.
    NotOffered,
    /// Nowhere: those that are there offer the method with types that do not fit, such as this one.
    Misfits(Arc<Member>, Arc<Connection>),
}

/// In which order members are taken when not both of two random ones could take the call.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Tier {
    /// It gets calls, and this one has not been there.
    Fresh,
    /// It gets calls, and has all that it accepts.
    Full,
    /// It has failed this one, which must not run twice: one that is ejected would rather run it in vain.
    TriedOnce,
    /// It is ejected.
    LastResort,
    /// It has failed this one, or has it. One that is ejected may be well again, and knows nothing of this one yet.
    Tried,
    /// It does not answer, and may be gone.
    Silent,
}

impl Table {
    /// A member for the call.
    pub(crate) fn choose(&self, wanted: Wanted<'_>) -> Choice {
        if self.probing
            && let Some(probed) = self.probe(wanted)
        {
            return Choice::Member(probed);
        }
        self.of_two(wanted).map_or_else(|| self.of_all(wanted), Choice::Member)
    }

    /// A member that waits for a call to be tried with. One that cannot be repeated is taken only if others have not come for a
    /// while.
    fn probe(&self, wanted: Wanted<'_>) -> Option<Chosen> {
        self.seats.iter().filter(|seat| seat.weight == 0).find_map(|seat| {
            let connection = seat.usable()?;
            let fits = (wanted.method.idempotent || seat.impatient) && !wanted.has_tried(seat);
            if !fits || connection.is_full() || connection.is_silent() || !wanted.fits(connection) {
                return None;
            }
            let trial = Trial::probe(&seat.member)?;
            Some(Chosen { connection: connection.clone(), trial })
        })
    }

    /// The better one of two random members, if both get calls and could take this one.
    fn of_two(&self, wanted: Wanted<'_>) -> Option<Chosen> {
        let n = self.seats.len();
        if n < 2 {
            return None;
        }
        let first = fastrand::usize(..n);
        let second = (first + fastrand::usize(1..n)) % n;
        let (a, b) = (&self.seats[first], &self.seats[second]);
        let of_a = a.usable().filter(|way| wanted.tier(a, way) == Tier::Fresh && wanted.fits(way))?;
        let of_b = b.usable().filter(|way| wanted.tier(b, way) == Tier::Fresh && wanted.fits(way))?;
        let (load_a, load_b) = (of_a.load(), of_b.load());
        let takes_a = match (a.has_turn(), b.has_turn()) {
            (true, true) => load_a <= load_b,
            (true, false) if load_a <= PILED => true,
            (false, true) if load_b <= PILED => false,
            _ => a.cost(of_a) <= b.cost(of_b),
        };
        Some(if takes_a { Chosen::new(a, of_a) } else { Chosen::new(b, of_b) })
    }

    /// A member that answers, has neither the call nor has failed it, and can take it now; be it one that is ejected.
    pub(crate) fn another(&self, wanted: Wanted<'_>) -> Option<Chosen> {
        match self.choose(wanted) {
            Choice::Member(chosen) => Some(chosen),
            _ => None,
        }
        .filter(|Chosen { connection, trial }| {
            let tried = wanted.avoid.contains(&trial.member.id);
            !tried && !connection.is_silent() && !connection.is_full()
        })
    }

    /// The best one of all members.
    fn of_all(&self, wanted: Wanted<'_>) -> Choice {
        let n = self.seats.len();
        let (mut there, mut misfit) = (false, None);
        let mut hopeful = self.names.iter().any(|name| name.state == NameState::Unknown);
        let mut best: Option<((Tier, f32), &Seat, &Arc<Connection>)> = None;
        // Of equals the first is taken, so that no member is always it.
        let start = if n > 1 { fastrand::usize(..n) } else { 0 };
        for seat in self.seats.iter().cycle().skip(start).take(n) {
            let Some(connection) = seat.usable() else {
                // One with a connection may want calls again, or have another connection soon.
                hopeful |= !matches!(seat.state, State::Down(_));
                continue;
            };
            there = true;
            match connection.offer(wanted.method, wanted.schemas) {
                Offer::Fits => {}
                Offer::NotYet => {
                    hopeful = true;
                    continue;
                }
                Offer::Misfits => {
                    misfit = misfit.or(Some((seat, connection)));
                    continue;
                }
                Offer::None => continue,
            }
            let key = (wanted.tier(seat, connection), seat.cost(connection));
            if best.as_ref().is_none_or(|(known, ..)| key < *known) {
                best = Some((key, seat, connection));
            }
        }
        match best {
            Some((_, seat, connection)) => Choice::Member(Chosen::new(seat, connection)),
            None if there && !hopeful => match misfit {
                Some((seat, connection)) => Choice::Misfits(seat.member.clone(), connection.clone()),
                None => Choice::NotOffered,
            },
            None => Choice::Wait,
        }
    }
}

impl Wanted<'_> {
    fn has_tried(&self, seat: &Seat) -> bool {
        self.avoid.contains(&seat.member.id)
    }

    fn fits(&self, connection: &Connection) -> bool {
        connection.offer(self.method, self.schemas) == Offer::Fits
    }

    fn tier(&self, seat: &Seat, connection: &Connection) -> Tier {
        if connection.is_silent() {
            Tier::Silent
        } else if self.has_tried(seat) {
            if self.method.idempotent { Tier::Tried } else { Tier::TriedOnce }
        } else if seat.weight == 0 {
            Tier::LastResort
        } else if connection.is_full() {
            Tier::Full
        } else {
            Tier::Fresh
        }
    }
}

impl Seat {
    /// Whether it is the turn of a member of its weight.
    fn has_turn(&self) -> bool {
        self.weight == FULL || fastrand::u8(..) < self.weight
    }

    /// What the next call there costs, beside those that are there, by the share that it is to get.
    fn cost(&self, connection: &Connection) -> f32 {
        (connection.load() + 1) as f32 / f32::from(self.weight.max(1))
    }
}

impl Chosen {
    fn new(seat: &Seat, connection: &Arc<Connection>) -> Chosen {
        Chosen { connection: connection.clone(), trial: Trial::new(seat.member.clone()) }
    }

    /// The member's id.
    pub(crate) fn id(&self) -> u64 {
        self.trial.member.id
    }
}
