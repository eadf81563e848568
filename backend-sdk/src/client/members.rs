//! Who a client's endpoints are: one member for each address, how things stand with it, and what its calls have shown.
//!
//! Calls read one table under one lock: what they need is worked out by those who change it. The supervisors write down
//! connections, the followers of names who is a member, and the reviewer how large a share each member gets.

use super::connection::Connection;
use super::news::News;
use super::outage::Outage;
use super::trial::Judged;
use crate::connection::Address;
use callgate_health::{FULL, Health};
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// All members of a client.
#[derive(Debug)]
pub(crate) struct Members {
    table: RwLock<Table>,
    next_id: AtomicU64,
    /// Told when something has changed that who waits for a member wants to know.
    changed: watch::Sender<()>,
    /// What the ends of calls tell the reviewer.
    pub(crate) signals: Arc<Signals>,
    outage: Outage,
}

/// What calls read.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) seats: Vec<Seat>,
    pub(crate) names: Vec<Name>,
    /// Some member has to be probed.
    pub(crate) probing: bool,
}

/// A member, and how things stand with it.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) member: Arc<Member>,
    pub(crate) state: State,
    /// How much of its share it gets, of [`FULL`]; none while it is ejected.
    pub(crate) weight: u8,
    /// It has waited long enough for a probe to take any call for one.
    pub(crate) impatient: bool,
}

/// The connection of a member.
#[derive(Debug)]
pub(crate) enum State {
    /// It is being connected to: for the first time, or after a connection that has ended for this reason.
    Connecting(Option<String>),
    /// There is one.
    Ready(Arc<Connection>),
    /// The last try to connect has failed; another will follow.
    Down(String),
}

/// A server's address.
#[derive(Debug)]
pub(crate) struct Member {
    /// Of no other member.
    pub(crate) id: u64,
    pub(crate) address: Address,
    /// The name that stands for it, if it was found by one.
    name: Option<Arc<str>>,
    judged: Mutex<Judged>,
    pub(crate) signals: Arc<Signals>,
    /// It has no room for calls.
    pub(crate) full: News,
    /// It has not answered in time.
    pub(crate) late: News,
    /// It gives no sign of life.
    pub(crate) silent: News,
}

/// A name that was given as an endpoint.
#[derive(Debug)]
pub(crate) struct Name {
    pub(crate) name: Arc<str>,
    pub(crate) state: NameState,
}

/// What came of looking a name up last.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NameState {
    /// It was not looked up yet.
    Unknown,
    /// It stands for members.
    Listed,
    /// That has failed. The last good list, if there was one, is used.
    Failed(String),
}

/// What the ends of calls and the reviewer tell each other.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// Told when a review is due.
    pub(crate) due: Notify,
    /// When this process was last found to have been away.
    pub(crate) back: Mutex<Option<Instant>>,
}

impl Members {
    /// None yet.
    pub(crate) fn new() -> Members {
        Members {
            table: RwLock::default(),
            next_id: AtomicU64::new(0),
            changed: watch::Sender::new(()),
            signals: Arc::default(),
            outage: Outage::default(),
        }
    }

    /// A member that is not in the table yet.
    pub(crate) fn make(&self, address: Address, name: Option<Arc<str>>) -> Arc<Member> {
        let health = Health::new(Instant::now().into_std());
        Arc::new(Member {
            id: self.next_id.fetch_add(1, Ordering::Relaxed),
            address,
            name,
            judged: Mutex::new(Judged::new(health)),
            signals: self.signals.clone(),
            full: News::default(),
            late: News::default(),
            silent: News::default(),
        })
    }

    /// Takes members in and leaves others out, in one step. Those that are left out get no more calls, and end those that
    /// they have.
    pub(crate) fn exchange(&self, new: impl IntoIterator<Item = Arc<Member>>, gone: &[u64]) {
        let mut table = self.write();
        let left = table.seats.extract_if(.., |seat| gone.contains(&seat.member.id)).collect::<Vec<_>>();
        table.seats.extend(new.into_iter().map(Seat::new));
        drop(table);
        left.iter().filter_map(Seat::connection).for_each(|connection| connection.stop());
        self.tell_change();
    }

    /// Writes down how things stand with a member. Says whether it still is one.
    pub(crate) fn set(&self, id: u64, state: State) -> bool {
        let is_member = {
            let mut table = self.write();
            let seat = table.seats.iter_mut().find(|seat| seat.member.id == id);
            seat.map(|seat| seat.state = state).is_some()
        };
        self.tell_change();
        is_member
    }

    /// Writes down what came of looking a name up.
    pub(crate) fn set_name(&self, of: &Arc<str>, state: NameState) {
        let mut table = self.write();
        match table.names.iter_mut().find(|known| Arc::ptr_eq(&known.name, of)) {
            Some(known) => known.state = state,
            None => table.names.push(Name { name: of.clone(), state }),
        }
        drop(table);
        self.tell_change();
    }

    /// Something about a member has changed that calls go by. Nobody says so who has locked the table.
    pub(crate) fn tell_change(&self) {
        self.outage.look(self);
        self.signals.due.notify_one();
        self.changed.send_replace(());
    }

    /// For who waits for a member.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// The member of that id, if it still is one.
    pub(crate) fn get(&self, id: u64) -> Option<Arc<Member>> {
        self.read().seats.iter().find(|seat| seat.member.id == id).map(|seat| seat.member.clone())
    }

    /// The table, to read it.
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The table, to change it. Nobody asks for it, or to read it, who has locked a member.
    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    fn new(member: Arc<Member>) -> Seat {
        Seat { member, state: State::Connecting(None), weight: FULL, impatient: false }
    }

    /// Its connection, if there is one.
    pub(crate) fn connection(&self) -> Option<&Arc<Connection>> {
        if let State::Ready(connection) = &self.state { Some(connection) } else { None }
    }

    /// Its connection, if that accepts calls and the peer wants some.
    #[inline]
    pub(crate) fn usable(&self) -> Option<&Arc<Connection>> {
        self.connection().filter(|connection| connection.is_open() && connection.is_ready())
    }

    /// Whether calls can be made on it, and are answered as far as is known.
    pub(crate) fn answers(&self) -> bool {
        self.usable().is_some_and(|connection| !connection.is_silent())
    }
}

impl Member {
    /// What was given as the endpoint that it is of.
    pub(crate) fn endpoint(&self) -> &str {
        match (&self.name, &self.address) {
            (Some(name), _) => name,
            (None, Address::Tcp(host_and_port)) => host_and_port,
            (None, Address::Unix(_)) => "",
        }
    }

    /// What its calls have shown.
    #[inline]
    pub(crate) fn judged(&self) -> MutexGuard<'_, Judged> {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.address)?;
        self.name.as_ref().map_or(Ok(()), |name| write!(f, " ({name})"))
    }
}
