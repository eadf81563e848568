//! `clients`: whether a request may come from where its client is.

use super::{Arrival, Making, Passed, Step};
use crate::config::{RouteClients, RoutePolicy};
use crate::failure::Failure;

impl Step for RouteClients {
    fn shown(policy: &RoutePolicy) -> Option<String> {
        let lists: Vec<String> =
            policy.clients.lists().iter().map(|list| format!("clients {list}")).collect();
        (!lists.is_empty()).then(|| lists.join(", "))
    }

    fn next(policy: &RoutePolicy, _: Option<&RouteClients>, _: &mut Making<'_>) -> Option<RouteClients> {
        (!policy.clients.lists().is_empty()).then(|| policy.clients.clone())
    }

    fn check(&self, arrival: &Arrival<'_>, _: &mut Passed) -> Result<(), Failure> {
        let may_come = self.lists().iter().all(|list| list.admits(arrival.client));
        if may_come { Ok(()) } else { Err(Failure::ClientNotAllowed) }
    }
}
