//! Calls that the gateway makes for itself: each asks the method that an authenticator names who calls. They are no routes, as no request
//! leads to them; else they are like those of routes, with a slot among these, so that connections keep what they know of them.

use super::action::CallAction;
use super::route::Route;
use crate::auth::{Authenticator, Authenticators};
use crate::backends::Backend;
use crate::config::AuthKind;
use std::collections::HashSet;
use std::sync::Arc;

/// Such a call.
pub struct OwnCall {
    /// Who asks so.
    pub authenticator: Arc<Authenticator>,
    /// What is asked. Its id is that of the authenticator.
    pub call: CallAction,
}

/// The slots of those calls that stay in a table with these authenticators: no route may take them.
pub(super) fn kept(before: &[OwnCall], next: &Authenticators) -> HashSet<usize> {
    let stays = |own: &&OwnCall| next.iter().any(|one| one.id == own.authenticator.id);
    before.iter().filter(stays).map(|own| own.call.slot).collect()
}

/// Those of the next table, which has these routes and backends.
pub(super) fn next_own_calls(
    before: &[OwnCall],
    authenticators: &Authenticators,
    (routes, backends): (&[Arc<Route>], &[Arc<Backend>]),
) -> Vec<OwnCall> {
    let known = |id: u64| before.iter().find(|own| own.authenticator.id == id).map(|own| own.call.slot);
    let mut taken = kept(before, authenticators);
    taken.extend(routes.iter().map(|route| route.slot));
    let mut free = (0..).filter(|slot| !taken.contains(slot));
    let own_call = |authenticator: &Arc<Authenticator>| {
        let AuthKind::Rpc(spec) = &authenticator.spec.kind else { return None };
        // The checks of the files have found it.
        let backend = backends.iter().find(|backend| backend.spec.name == spec.call.backend)?.clone();
        let slot = known(authenticator.id).or_else(|| free.next())?;
        let call =
            CallAction { route: authenticator.id, slot, spec: spec.call.clone(), backend, traffic: None };
        Some(OwnCall { authenticator: authenticator.clone(), call })
    };
    authenticators.iter().filter_map(own_call).collect()
}

#[cfg(test)]
mod tests {
    use super::super::next::tests::next;
    use super::super::table::Table;

    const ASKED: &str = "[backends.a]\nendpoints = ['127.0.0.1:1']\n[backends.b]\nendpoints = ['127.0.0.1:2']\n\
        [auth.one]\ntype = 'rpc'\nbackend = 'a'\ncall = 's.one'\nbind = { t = { header = 'x-a' } }\n\
        [[routes]]\nmatch = 'GET /a'\nbackend = 'b'\ncall = 's.a'\nauth = 'one'\n";

    fn own(table: &Table) -> Vec<(&str, &str, usize)> {
        let all = table.own_calls.iter();
        all.map(|own| (&*own.authenticator.spec.name, &*own.call.backend.spec.name, own.call.slot)).collect()
    }

    #[test]
    fn an_authenticators_call_has_a_slot_of_its_own_for_as_long_as_it_asks_the_same() {
        let first = next(&Table::empty(), ASKED);
        assert_eq!(own(&first), [("one", "a", 1)]);
        let more =
            format!("{ASKED}[[routes]]\nmatch = 'GET /b'\nbackend = 'b'\ncall = 's.b'\nauth = 'one'\n");
        let second = next(&first, &more);
        assert_eq!(own(&second), [("one", "a", 1)], "no route takes its slot");
        let slots: Vec<usize> = second.routes.iter().map(|route| route.slot).collect();
        assert_eq!(slots, [0, 2]);
        let ids: Vec<u64> = [0, 2].map(|slot| second.route_ids[slot]).to_vec();
        assert_eq!(ids, second.routes.iter().map(|route| route.id).collect::<Vec<_>>());
        assert_eq!(second.route_ids[1], second.own_calls[0].authenticator.id);
        assert_eq!(
            second.own_calls[0].call.route, first.own_calls[0].call.route,
            "what is known of it holds"
        );
        // Another set of instances: the same call, which goes there.
        let third = next(&second, &more.replace("127.0.0.1:1", "127.0.0.1:9"));
        assert_eq!(own(&third), [("one", "a", 1)]);
        assert_eq!(third.own_calls[0].call.route, second.own_calls[0].call.route);
        assert_eq!(third.own_calls[0].call.backend.id, third.backends[0].id);
        let fourth = next(&third, &more.replace("s.one", "s.other"));
        assert_ne!(fourth.own_calls[0].call.route, third.own_calls[0].call.route, "another question");
        let id = fourth.own_calls[0].authenticator.id;
        assert!(fourth.own_call(id).is_some() && fourth.own_call(0).is_none());
        assert_eq!(fourth.calls().count(), 3);
        assert!(fourth.written_at(2).starts_with("t.toml:5:"), "{}", fourth.written_at(2));
    }
}
