//! A route of a table in force, and how one becomes that of the next table: what stays the same is the same object, and what
//! keeps its place (method, hosts and path) goes on counting.

use super::action::Action;
use super::every_reply::EveryReply;
use crate::auth::Authenticators;
use crate::backends::Backend;
use crate::config::{
    Matcher, Place, RouteAuth, RouteClients, RoutePolicy, RouteRequire, RouteSpec, Rules, Written,
};
use crate::ids::next_id;
use crate::limit::SharedBuckets;
use crate::steps::{Making, Steps};
use crate::telemetry::RouteStats;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A route and what belongs to it.
pub struct Route {
    /// Which route this is: a changed route is another.
    pub id: u64,
    /// Its place in tables that workers keep by route; below the number of routes that ever were at once.
    pub slot: usize,
    /// The requests that it takes.
    pub matcher: Matcher,
    /// What the files say of these, whatever is done with them.
    pub policy: Arc<RoutePolicy>,
    /// What they pass first.
    pub steps: Steps,
    /// Whether its answers are compressed for clients that take it so.
    pub compresses: bool,
    /// What is done with them.
    pub action: Action,
    /// What all replies to them say; nothing as a rule.
    pub every_reply: Option<Box<EveryReply>>,
    /// Where it is written.
    pub place: Place,
    /// What it counts.
    pub stats: Arc<RouteStats>,
}

/// What a route asks of its clients before it does anything.
#[derive(PartialEq)]
pub(super) struct Demands<'r> {
    clients: &'r RouteClients,
    client_certificate: bool,
    auth: &'r RouteAuth,
    require: &'r RouteRequire,
    rules: Option<&'r Rules>,
}

impl Route {
    /// What it asks of its clients.
    pub(super) fn demands(&self) -> Demands<'_> {
        let RoutePolicy { clients, client_certificate, auth, require, .. } = &*self.policy;
        let rules =
            self.action.call().map(|action| &action.spec.policy.rules).filter(|rules| !rules.are_none());
        Demands { clients, client_certificate: *client_certificate, auth, require, rules }
    }

    /// Whether it shows another route to its clients: one of its file, or of all, that can be asked where it is.
    pub fn shows(&self, other: &Route, all: bool) -> bool {
        let (hosts, others) = (self.matcher.hosts.listed(), other.matcher.hosts.listed());
        let meets = hosts.is_empty() || others.is_empty() || hosts.iter().any(|host| others.contains(host));
        meets && (all || self.place.file == other.place.file)
    }

    fn is(&self, spec: &RouteSpec) -> bool {
        (&self.matcher, &self.policy) == (&spec.matcher, &spec.policy) && self.action.spec() == spec.action
    }
}

/// The routes of the next table, which has those backends and authenticators. They follow from those before; some slots are taken by what
/// is no route.
pub(super) fn next_routes(
    (before, mut taken): (&[Arc<Route>], HashSet<usize>),
    specs: Vec<RouteSpec>,
    (backends, authenticators): (&[Arc<Backend>], &Authenticators),
    workers: usize,
) -> Vec<Arc<Route>> {
    let known: HashMap<&Matcher, &Arc<Route>> = before.iter().map(|route| (&route.matcher, route)).collect();
    let backends: HashMap<&str, &Arc<Backend>> = backends.iter().map(|b| (b.spec.name.as_str(), b)).collect();
    let stay = specs.iter().filter_map(|spec| known.get(&spec.matcher));
    taken.extend(stay.map(|route| route.slot));
    let mut free = (0..).filter(|slot| !taken.contains(slot));
    let limits = before.iter().flat_map(|route| route.steps.rate_limits());
    let mut shared = SharedBuckets::of(limits);
    let mut routes = Vec::with_capacity(specs.len());
    for spec in specs {
        let old = known.get(&spec.matcher).copied();
        let slot = old.map_or_else(|| free.next().unwrap_or_default(), |old| old.slot);
        // Programs depend on the route's own lines only, so a changed backend does not make it another route.
        let same = old.filter(|old| old.is(&spec));
        let id = same.map_or_else(next_id, |old| old.id);
        let before = old.map(|old| &old.action);
        let Some(action) = Action::next((id, slot), &spec.action, &backends, before, workers) else {
            continue;
        };
        if let Some(same) = same.filter(|same| same.action.calls_like(&action)) {
            routes.push(same.clone());
            continue;
        }
        let RouteSpec { matcher, policy, action: said, written: Written { place, .. } } = spec;
        let mut making = Making { matcher: &matcher, shared: &mut shared, authenticators, workers };
        let steps = Steps::next(&policy, old.map(|old| &old.steps), &mut making);
        let every_reply = EveryReply::of(&policy, &action);
        // The counters have one place for a status of the route's own.
        let status = said.own_status();
        let stats = old.filter(|old| old.action.spec().own_status() == status).map(|old| old.stats.clone());
        let stats = stats.unwrap_or_else(|| Arc::new(RouteStats::answering(workers, status)));
        let compresses = policy.compress.unwrap_or_default();
        routes.push(Arc::new(Route {
            id,
            slot,
            matcher,
            policy,
            steps,
            compresses,
            action,
            every_reply,
            place,
            stats,
        }));
    }
    routes
}

#[cfg(test)]
mod tests {
    use super::super::next::tests::next;
    use super::super::table::Table;
    use super::*;
    use std::time::Duration;

    #[test]
    fn what_stays_goes_on_counting_and_a_status_of_its_own_is_counted_as_such() {
        const TEXT: &str = "[[routes]]\nmatch = 'GET /a'\nrespond = { status = 418, body = 'tea' }\n\
                            [[routes]]\nmatch = 'GET /b'\nredirect = { to = '/a' }\n";
        let first = next(&Table::empty(), TEXT);
        first.routes[0].stats.0.of(0).answered(418, Duration::ZERO);
        let second = next(&first, &TEXT.replace("tea", "coffee").replace("'/a' }", "'/a', status = 302 }"));
        let stats = |table: &Table, at: usize| table.routes[at].stats.clone();
        assert!(Arc::ptr_eq(&stats(&first, 0), &stats(&second, 0)), "another body");
        assert!(!Arc::ptr_eq(&stats(&first, 1), &stats(&second, 1)), "another status");
        let third = next(&second, &format!("# A line more.\n{}", TEXT.replace("tea", "coffee")));
        assert!(Arc::ptr_eq(&second.routes[0], &third.routes[0]), "only moved");
        assert_eq!(stats(&third, 0).by_status().collect::<Vec<_>>(), [(418, 1)]);
    }
}
