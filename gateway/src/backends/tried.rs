//! What a pick has to know of a call: what an instance must offer to be given it, and where it has been in vain.
//!
//! Instances of one backend may differ in the methods that they offer, in their schemas and in their versions, as they do during a
//! roll-out; so a pick passes over those that cannot run the call. Mostly they do not differ, and then nothing has to be looked up: reviews note
//! it where they do.

use super::local_endpoint::LocalEndpoint;
use crate::transport::{Binding, Link};

/// What an instance must offer to be given a call.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The call's route, and with it the method.
    pub binding: Binding<'a>,
    /// The version of the method's service; none: any.
    pub version: Option<&'a str>,
}

/// What a pick has to know of a call: where it has been in vain, by the ids of the endpoints, and what it asks for.
#[derive(Debug, Default)]
pub struct Tried<'a> {
    /// They have not accepted it, refused or failed it, and may do better when they are asked again.
    pub refused: Vec<u64>,
    /// They do not offer its method, or its route does not fit them.
    pub lacking: Vec<u64>,
    /// The call could not be repeated if it failed: no instance is probed with it.
    pub fragile: bool,
    /// The hash of its key, where its backend spreads calls by that.
    pub key: Option<u64>,
    /// What an instance must offer; nothing is known of that without it.
    pub wanted: Option<Wanted<'a>>,
}

impl Wanted<'_> {
    /// Whether the instance is known not to offer it.
    #[inline]
    fn is_missing_at(&self, at: &LocalEndpoint) -> bool {
        (self.version.is_some() || at.differs.get())
            && at.link().is_some_and(|link| !self.is_offered_on(&link))
    }

    fn is_offered_on(&self, link: &Link) -> bool {
        self.version.is_none_or(|version| link.version(self.binding.call) == Some(version))
            && link.offers(&self.binding)
    }
}

impl Tried<'_> {
    /// Whether the instance is no choice as long as there is another: it cannot run the call, or has had it in vain.
    #[inline]
    pub(super) fn has(&self, at: &LocalEndpoint) -> bool {
        self.refused.contains(&at.endpoint.id) || self.rules_out(at)
    }

    /// Whether the instance cannot run the call: it lacks the method, or is of another version.
    #[inline]
    pub(super) fn rules_out(&self, at: &LocalEndpoint) -> bool {
        self.lacking.contains(&at.endpoint.id) || self.wanted.is_some_and(|wanted| wanted.is_missing_at(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::local_backend::{LocalBackend, Pick};
    use crate::backends::testing::{instance_with, local_of};
    use crate::config::{Balance, CallRef, HealthSpec, Placement};
    use crate::transport::Evidence;
    use callgate_transcode::{RequestBinding, ResponseBinding};
    use std::sync::LazyLock;
    use std::time::Duration;
    use tokio::time::Instant;

    static REQUEST: LazyLock<RequestBinding> = LazyLock::new(RequestBinding::default);
    static RESPONSE: LazyLock<ResponseBinding> = LazyLock::new(ResponseBinding::default);

    const PICKS: usize = 10_000;

    /// Instances of those versions with those methods.
    fn backend(instances: &[(&str, &[&str])]) -> LocalBackend {
        let spec = HealthSpec { slow_start: Duration::from_millis(1), ..HealthSpec::default() };
        let peers =
            instances.iter().map(|(version, methods)| instance_with(spec, version, methods)).collect();
        let placements = vec![Placement::default(); instances.len()];
        let backend = local_of(Balance::PeakEwma, spec, &placements, peers);
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
        by_route(1, call, version)
    }

    /// What the calls of the route of that id want.
    fn by_route<'a>(id: u64, call: &'a CallRef, version: Option<&'a str>) -> Tried<'a> {
        let binding = Binding {
            id,
            slot: 0,
            call,
            request: &REQUEST,
            response: &RESPONSE,
            reply: None,
            rules: &crate::config::Rules::NONE,
        };
        Tried { wanted: Some(Wanted { binding, version }), ..Tried::default() }
    }

    /// How often each instance is picked, the first time that a call asks.
    fn picked(backend: &LocalBackend, tried: &Tried<'_>) -> Vec<usize> {
        let mut picked = vec![0; backend.instances.all.len()];
        for _ in 0..PICKS {
            if let Pick::Ready(chosen) = backend.pick(tried) {
                let at = backend.instances.all.iter().position(|at| at.endpoint.id == chosen.endpoint().id);
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
        let of_a = by_route(2, &a, None);
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
        assert!(backend.instances.all.iter().all(|at| !at.differs.get()));
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
        let monitor = &backend.instances.all[2].monitor;
        (0..5).for_each(|_| {
            monitor.ended(monitor.sent(), Evidence::Failed, Some(Duration::from_millis(1)), Instant::now())
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
        let ids: Vec<u64> = backend.instances.all.iter().map(|at| at.endpoint.id).collect();
        assert_eq!(backend.lacking(&tried(&a, None)), [ids[1]]);
        let of_c = by_route(3, &c, None);
        assert_eq!(backend.lacking(&of_c), ids);
        assert!(matches!(backend.pick(&of_c), Pick::None));
    }
}
