//! A client's endpoints as its calls see them: one of them for a call, or why there is none. The tasks that keep them up end
//! with the pool.

use super::budget::Budget;
use super::choice::{Choice, Chosen, Wanted};
use super::follower::Follower;
use super::introduction::Introduction;
use super::members::Members;
use super::news::News;
use super::resolve::Resolve;
use super::reviewer::review_always;
use super::schemas::Schemas;
use super::supervisor::Supervision;
use crate::Status;
use crate::connection::{Address, Dial};
use crate::layer::MethodName;
use crate::service::Method;
use std::future::{Future, pending};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinSet;

type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What is said of all endpoints of a client.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) introduction: Introduction,
    /// After so long a connection is replaced.
    pub(crate) max_age: Duration,
    /// After so long a name is looked up again.
    pub(crate) look_again: Duration,
    /// After so long an idempotent call is sent to another endpoint as well.
    pub(crate) hedge_after: Option<Duration>,
    pub(crate) resolve: Resolve,
    pub(crate) dial: Dial,
}

/// All endpoints of a client. Its tasks end with it.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) members: Arc<Members>,
    pub(crate) budget: Budget,
    /// After so long an idempotent call is sent to another endpoint as well.
    pub(crate) hedge_after: Option<Duration>,
    schemas: Arc<Schemas>,
    /// A method is called that no endpoint offers.
    unknown: News,
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
        // None of them begins before all are there: that the first one cannot be reached does not mean that no other can.
        let mut begin: Vec<Task> = Vec::new();
        for address in addresses {
            match address {
                Address::Tcp(name) if settings.dial.looks_up(&name) => {
                    let follower = Follower::new(&name, members.clone(), settings.clone());
                    begin.push(Box::pin(follower.follow()));
                }
                address => {
                    let member = members.make(address, None);
                    members.exchange([member.clone()], &[]);
                    let supervision = Supervision::new(member, members.clone(), settings, Arc::default());
                    begin.push(Box::pin(supervision.supervise(pending())));
                }
            }
        }
        begin.push(Box::pin(review_always(members.clone())));
        let mut tasks = JoinSet::new();
        for task in begin {
            tasks.spawn_on(task, runtime);
        }
        Pool {
            members,
            budget: Budget::new(),
            hedge_after: settings.hedge_after,
            schemas: Arc::default(),
            unknown: News::default(),
            tasks,
        }
    }

    /// Owns a task more, which ends with the pool.
    pub(crate) fn own(
        &mut self,
        task: impl Future<Output = ()> + Send + 'static,
        runtime: &tokio::runtime::Handle,
    ) {
        self.tasks.spawn_on(task, runtime);
    }

    /// A ready endpoint that offers the method; none of `avoid` if there is another. Waits, without a bound of its own,
    /// while there is none but there may be one soon.
    pub(crate) async fn pick(&self, method: &'static Method, avoid: &[u64]) -> Result<Chosen, Status> {
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

    /// Another endpoint than these that answers and can take the call now.
    pub(crate) fn another(&self, method: &'static Method, than: &[u64]) -> Option<Chosen> {
        self.members.read().another(Wanted { method, schemas: &self.schemas, avoid: than })
    }

    fn look_for(&self, wanted: Wanted<'_>) -> Result<Option<Chosen>, Status> {
        match self.members.read().choose(wanted) {
            Choice::Member(chosen) => Ok(Some(chosen)),
            Choice::Wait => Ok(None),
            Choice::NotOffered => {
                let method = MethodName::of(wanted.method);
                if self.unknown.is_new() {
                    tracing::warn!(%method, "no endpoint offers a method that is called");
                }
                Err(Status::unimplemented(format!("no endpoint offers {method}")).not_executed())
            }
            Choice::Misfits(member, connection) => {
                let method = MethodName::of(wanted.method);
                let why = connection.offers.misfit(wanted.method).unwrap_or_default();
                let message = format!("no endpoint fits this caller's {method}: {member}: {why}");
                Err(Status::failed_precondition(message).not_executed())
            }
        }
    }
}
