//! A client's endpoints as its calls see them: one of them for a call, or why there is none. The tasks that keep them up end
//! with the pool.

use super::budget::Budget;
use super::choice::{Choice, Chosen, Wanted};
use super::follower::Follower;
use super::members::{Members, NameState, Seat, State};
use super::offers::Offer;
use super::resolve::Resolve;
use super::reviewer::review_always;
use super::schemas::Schemas;
use super::supervisor::Supervision;
use crate::Status;
use crate::connection::{Address, Dial};
use crate::service::Method;
use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

/// Members and names whose state is told to people at once.
const MAX_TOLD: usize = 8;

/// What is said of all endpoints of a client.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// How this process names itself.
    pub(crate) identity: Arc<str>,
    /// After so long a connection is replaced.
    pub(crate) max_age: Duration,
    /// After so long a name is looked up again.
    pub(crate) look_again: Duration,
    pub(crate) resolve: Resolve,
    pub(crate) dial: Dial,
}

/// All endpoints of a client. Its tasks end with it.
#[derive(Debug)]
pub(crate) struct Pool {
    members: Arc<Members>,
    pub(crate) budget: Budget,
    schemas: Arc<Schemas>,
    /// A supervisor for each address, a follower for each name, and the reviewer.
    tasks: JoinSet<()>,
}

impl Pool {
    pub(crate) fn new(
        addresses: Vec<Address>,
        settings: &Settings,
        runtime: &tokio::runtime::Handle,
    ) -> Pool {
        let members = Arc::new(Members::new());
        let mut tasks = JoinSet::new();
        for address in addresses {
            match address {
                Address::Tcp(name) if settings.dial.looks_up(&name) => {
                    let follower = Follower::new(&name, members.clone(), settings.clone());
                    tasks.spawn_on(follower.follow(), runtime);
                }
                address => {
                    let member = members.make(address, None);
                    members.exchange([member.clone()], &[]);
                    let supervision = Supervision::new(member, members.clone(), settings, Arc::default());
                    tasks.spawn_on(supervision.supervise(pending()), runtime);
                }
            }
        }
        tasks.spawn_on(review_always(members.clone()), runtime);
        Pool { members, budget: Budget::new(), schemas: Arc::default(), tasks }
    }

    /// Owns a task more, which ends with the pool.
    pub(crate) fn own(
        &mut self,
        task: impl Future<Output = ()> + Send + 'static,
        runtime: &tokio::runtime::Handle,
    ) {
        self.tasks.spawn_on(task, runtime);
    }

    /// A ready endpoint that offers the method; not `avoid` if there is another. Waits, without a bound of its own,
    /// while there is none but there may be one soon.
    pub(crate) async fn pick(&self, method: &'static Method, avoid: Option<u64>) -> Result<Chosen, Status> {
        let wanted = Wanted { method, schemas: &self.schemas, avoid };
        if let Some(chosen) = self.look_for(wanted)? {
            return Ok(chosen);
        }
        // Subscribed before the next look, so that no change is missed between the two.
        let mut changed = self.members.changes();
        loop {
            if let Some(chosen) = self.look_for(wanted)? {
                return Ok(chosen);
            }
            // The sender is in `self`; it does not go away meanwhile.
            let _ = changed.changed().await;
        }
    }

    fn look_for(&self, wanted: Wanted<'_>) -> Result<Option<Chosen>, Status> {
        match self.members.read().choose(wanted) {
            Choice::Member(chosen) => Ok(Some(chosen)),
            Choice::Wait => Ok(None),
            Choice::NotOffered => {
                let Method { service, name, .. } = wanted.method;
                Err(Status::unimplemented(format!("no endpoint offers {service}.{name}")).not_executed())
            }
            Choice::Misfits(member, connection) => {
                let Method { service, name, .. } = wanted.method;
                let why = connection.offers.misfit(wanted.method).unwrap_or_default();
                let message = format!("no endpoint fits this caller's {service}.{name}: {member}: {why}");
                Err(Status::failed_precondition(message).not_executed())
            }
        }
    }

    /// Why no endpoint is ready, for people.
    pub(crate) fn why_none(&self, method: &'static Method) -> String {
        let table = self.members.read();
        let of_names = table.names.iter().filter_map(|name| match &name.state {
            NameState::Unknown => Some(format!("{}: it is being looked up", name.name)),
            NameState::Failed(error) => Some(format!("{}: {error}", name.name)),
            NameState::Listed => None,
        });
        let mut all = of_names.chain(table.seats.iter().map(|seat| why_not(seat, method)));
        let mut told: Vec<String> = all.by_ref().take(MAX_TOLD).collect();
        let more = all.count();
        if more > 0 {
            told.push(format!("and {more} more"));
        }
        told.join("; ")
    }
}

/// Why a member takes no call, for people.
fn why_not(seat: &Seat, method: &'static Method) -> String {
    let member = &seat.member;
    match &seat.state {
        State::Connecting => format!("{member}: connecting"),
        State::Ready(connection) if !connection.is_open() => {
            format!("{member}: the connection is going down")
        }
        State::Ready(connection) if connection.is_full() => {
            format!("{member}: it has all the calls that it accepts")
        }
        State::Ready(connection) if !connection.is_ready() => format!("{member}: it wants no calls for now"),
        State::Ready(connection) if connection.offers.known(method) == Some(Offer::NotYet) => {
            format!("{member}: it was asked for its schema")
        }
        State::Ready(_) => format!("{member}: ready"),
        State::Down(reason) => format!("{member}: {reason}"),
    }
}
