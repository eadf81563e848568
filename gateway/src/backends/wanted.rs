//! What an instance must offer to be given a call: the method, and perhaps of a certain version. Instances of one backend may
//! differ in both, as they do during a roll-out; so a pick passes over those that cannot run the call.
//!
//! Mostly they do not differ, and then nothing has to be looked up: reviews note it where they do.

use super::peer::Peer;
use super::pick::{LocalBackend, Tried};
use crate::config::CallRef;
use crate::routes::CallAction;
use crate::transport::callgate::Conn;

/// What an instance must offer to be given a call.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The method.
    pub(crate) call: &'a CallRef,
    /// The version of the method's service; none: any.
    pub(crate) version: Option<&'a str>,
    /// The route, by which connections keep what they know.
    pub(crate) route: u64,
    pub(crate) slot: usize,
}

impl<'a> Wanted<'a> {
    /// What a route's calls want.
    pub fn new(call: &'a CallAction, version: Option<&'a str>) -> Wanted<'a> {
        Wanted { call: &call.spec.call, version, route: call.route, slot: call.slot }
    }

    /// Whether the instance is known not to offer it.
    #[inline]
    fn is_missing_at(&self, peer: &Peer) -> bool {
        (self.version.is_some() || peer.differs.get())
            && peer.conn().is_some_and(|conn| !self.is_offered_on(&conn))
    }

    fn is_offered_on(&self, conn: &Conn) -> bool {
        self.version.is_none_or(|version| conn.version(self.call) == Some(version)) && conn.offers(self)
    }
}

impl Tried<'_> {
    /// Whether the instance cannot run the call: it lacks the method, or is of another version.
    #[inline]
    pub(crate) fn rules_out(&self, peer: &Peer) -> bool {
        self.lacking.contains(&peer.endpoint.id)
            || self.wanted.is_some_and(|wanted| wanted.is_missing_at(peer))
    }
}

impl LocalBackend {
    /// Whether some instance would take the call as one of its share: it is there, well or to be tried, and can run it.
    pub fn takes(&self, tried: &Tried<'_>) -> bool {
        self.peers.iter().any(|peer| {
            let there = peer.conn().is_some_and(|conn| conn.is_ready() && !conn.is_doubtful());
            let may = || peer.monitor.is_in() || peer.monitor.wants_probe(tried.fragile);
            there && may() && !tried.rules_out(peer)
        })
    }

    /// The endpoints that are connected and lack the method, whatever their version.
    pub fn lacking(&self, tried: &Tried<'_>) -> Vec<u64> {
        let Some(wanted) = &tried.wanted else { return Vec::new() };
        let lacks = |peer: &&std::rc::Rc<Peer>| peer.conn().is_some_and(|conn| !conn.offers(wanted));
        self.peers.iter().filter(lacks).map(|peer| peer.endpoint.id).collect()
    }

    /// Notes whether its instances differ in what they offer.
    pub(crate) fn compare_offers(&self) {
        let mut digests = self.peers.iter().filter_map(|peer| peer.conn()).map(|conn| conn.offer_digest());
        let first = digests.next();
        let differ = digests.any(|other| Some(other) != first);
        self.peers.iter().for_each(|peer| peer.differs.set(differ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::health::Verdict;
    use crate::backends::pick::Pick;
    use crate::backends::pick::tests::local_of;
    use crate::config::{Balance, HealthSpec, Placing};
    use crate::transport::callgate::testing::peer_with;
    use std::time::Duration;
    use tokio::time::Instant;

    const PICKS: usize = 10_000;

    /// Instances of those versions with those methods.
    fn backend(instances: &[(&str, &[&str])]) -> LocalBackend {
        let spec = HealthSpec { slow_start: Duration::from_millis(1), ..HealthSpec::default() };
        let peers = instances.iter().map(|(version, methods)| peer_with(spec, version, methods)).collect();
        let placings = vec![Placing::default(); instances.len()];
        let backend = local_of(Balance::PeakEwma, spec, &placings, peers);
        backend.review(later(1));
        backend
    }

    fn later(seconds: u64) -> Instant {
        Instant::now() + Duration::from_secs(seconds)
    }

    fn method(name: &str) -> CallRef {
        CallRef::Name { service: "s".to_owned(), method: name.to_owned() }
    }

    fn tried<'a>(call: &'a CallRef, version: Option<&'a str>) -> Tried<'a> {
        Tried { wanted: Some(Wanted { call, version, route: 1, slot: 0 }), ..Tried::default() }
    }

    /// How often each instance is picked, the first time that a call asks.
    fn picked(backend: &LocalBackend, tried: &Tried<'_>) -> Vec<usize> {
        let mut picked = vec![0; backend.peers.len()];
        for _ in 0..PICKS {
            if let Pick::Ready(conn) = backend.pick(tried) {
                let at = backend.peers.iter().position(|peer| peer.endpoint.id == conn.endpoint.id);
                picked[at.expect("it is one of them")] += 1;
            }
        }
        picked
    }

    #[test]
    fn an_instance_that_lacks_the_method_is_not_even_picked_and_the_others_share_its_calls() {
        let backend = backend(&[("", &["a", "b"]), ("", &["a"]), ("", &["a", "b"]), ("", &[])]);
        let (a, b) = (method("a"), method("b"));
        let of_b = picked(&backend, &tried(&b, None));
        assert_eq!((of_b[1], of_b[3], of_b[0] + of_b[2]), (0, 0, PICKS));
        // Six standard deviations.
        assert!(of_b[0].abs_diff(PICKS / 2) < 300, "{of_b:?}");
        let of_a = Tried {
            wanted: Some(Wanted { route: 2, ..tried(&a, None).wanted.expect("set") }),
            ..Tried::default()
        };
        let of_a = picked(&backend, &of_a);
        assert!(of_a[3] == 0 && of_a[..3].iter().all(|n| n.abs_diff(PICKS / 3) < 300), "{of_a:?}");
    }

    #[test]
    fn only_instances_of_the_version_are_picked_and_none_if_there_is_none() {
        let backend = backend(&[("1", &["a"]), ("2", &["a"]), ("1", &["a"]), ("2", &[])]);
        let call = method("a");
        assert_eq!(picked(&backend, &tried(&call, Some("2"))), [0, PICKS, 0, 0]);
        let ones = picked(&backend, &tried(&call, Some("1")));
        assert_eq!((ones[0] + ones[2], ones[1] + ones[3]), (PICKS, 0));
        for version in ["3", ""] {
            assert!(matches!(backend.pick(&tried(&call, Some(version))), Pick::None), "{version:?}");
            assert!(!backend.takes(&tried(&call, Some(version))));
        }
        assert!(backend.takes(&tried(&call, Some("2"))));
    }

    #[test]
    fn a_version_is_wanted_also_where_all_instances_are_alike_and_a_method_by_its_number_too() {
        let backend = backend(&[("1", &["a"]), ("1", &["a"])]);
        assert!(backend.peers.iter().all(|peer| !peer.differs.get()));
        let by_number = CallRef::Number(callgate_protocol::CallId::of("s", "a"));
        for call in [&method("a"), &by_number] {
            assert!(matches!(backend.pick(&tried(call, Some("2"))), Pick::None));
            assert!(matches!(backend.pick(&tried(call, Some("1"))), Pick::Ready(_)));
        }
    }

    #[test]
    fn a_version_whose_only_instance_is_ejected_takes_no_share_until_it_is_to_be_tried() {
        let backend = backend(&[("1", &["a"]), ("1", &["a"]), ("2", &["a"])]);
        let call = method("a");
        let wanted = tried(&call, Some("2"));
        let monitor = &backend.peers[2].monitor;
        (0..5).for_each(|_| {
            monitor.ended(monitor.sent(), Verdict::Failed, Some(Duration::from_millis(1)), Instant::now())
        });
        backend.review(later(1));
        assert!(!backend.takes(&wanted));
        // Whoever has chosen it by name still gets it.
        assert_eq!(picked(&backend, &wanted), [0, 0, PICKS]);
        backend.review(later(3));
        assert!(backend.takes(&wanted), "its probe is due");
        assert!(backend.takes(&tried(&call, Some("1"))));
    }

    #[test]
    fn who_lacks_the_method_is_known_without_being_tried() {
        let backend = backend(&[("1", &["a"]), ("2", &["b"])]);
        let (a, c) = (method("a"), method("c"));
        let ids: Vec<u64> = backend.peers.iter().map(|peer| peer.endpoint.id).collect();
        assert_eq!(backend.lacking(&tried(&a, None)), [ids[1]]);
        let of_c = Tried {
            wanted: Some(Wanted { route: 3, ..tried(&c, None).wanted.expect("set") }),
            ..Tried::default()
        };
        assert_eq!(backend.lacking(&of_c), ids);
        assert!(matches!(backend.pick(&of_c), Pick::None));
    }
}
