//! The members of a backend: the instances that its endpoints in the table stand for. Those whose address is written down are
//! there as long as the table says so; the others come from discovery sources, which are asked again and again.
//!
//! Members never change: a change makes the next ones, and puts them in their place. What stays of them is the same object,
//! so that neither connections nor health are touched, and what all workers read of the others costs nothing.

use super::endpoint::Endpoint;
use super::ring::Ring;
use crate::config::{Address, BackendSpec, Balance, EndpointAddr, EndpointSpec};
use crate::discovery::{Listed, Lists};
use std::collections::{HashMap, HashSet};
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::slice;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// The members of a backend at one time.
pub struct Members {
    /// Rises with every change.
    pub generation: u64,
    all: Box<[Member]>,
    /// Which member is a key's, by its place; there if the backend's calls are spread by keys.
    pub(super) ring: Option<Arc<Ring>>,
}

/// One member: an instance, and its part in the backend. A source that knows more of its instances adds it here.
#[derive(Clone)]
pub struct Member {
    /// The instance.
    pub endpoint: Arc<Endpoint>,
    /// The place in [`BackendSpec::endpoints`] of what stands for it.
    pub declared: usize,
    /// How many times as many calls it gets as one of weight 1; 1 to 1000.
    pub weight: u32,
    /// Those of a higher number are used while the others cannot take all calls; 0 where nobody says more.
    pub priority: u16,
    /// Where it is, if anybody says so.
    pub zone: Option<Arc<str>>,
    /// No new calls go there, by what the table says of it.
    pub drain: bool,
}

impl Member {
    /// Whether no new calls go there, by what the table says of it or because an operator has said so.
    pub fn drains(&self) -> bool {
        self.drain || self.endpoint.drained_by_admin.load(Relaxed)
    }
}

/// How much of the members before is taken over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Their endpoints, with all connections.
    Endpoints,
    /// The connection settings are others: only what operators have said of them, and their calls in flight.
    Drains,
}

impl Members {
    /// The members of a backend by what sources list; the first ones, or after those that it had with other settings.
    pub(super) fn new(
        spec: &BackendSpec,
        lists: &Lists,
        before: Option<(&Members, Keep)>,
        workers: usize,
    ) -> Members {
        let known = Known::of(before.map(|(members, _)| members));
        let wanted = wanted(spec, lists, &known);
        let keep = before.map_or(Keep::Endpoints, |(_, keep)| keep);
        Members::of(spec, wanted, before.map(|(members, _)| members), &known, keep, workers)
    }

    /// The members after these, with the same settings; none if they are the same.
    pub(super) fn next(&self, spec: &BackendSpec, lists: &Lists, workers: usize) -> Option<Members> {
        let known = Known::of(Some(self));
        let wanted = wanted(spec, lists, &known);
        if wanted.len() == self.all.len() && wanted.iter().zip(&self.all).all(|(one, member)| one.is(member))
        {
            return None;
        }
        Some(Members::of(spec, wanted, Some(self), &known, Keep::Endpoints, workers))
    }

    fn of(
        spec: &BackendSpec,
        wanted: Vec<Wanted<'_>>,
        before: Option<&Members>,
        known: &Known<'_>,
        keep: Keep,
        workers: usize,
    ) -> Members {
        let member = |Wanted { at, declared, weight, priority }: Wanted<'_>| {
            let spec = &spec.endpoints[declared];
            let (endpoint, zone) = (known.endpoint(at, keep, workers), spec.placing.zone.clone());
            Member { endpoint, declared, weight, priority, zone, drain: spec.drain }
        };
        let all: Box<[Member]> = wanted.into_iter().map(member).collect();
        let ring = matches!(spec.balance, Balance::Hash(_)).then(|| {
            let members = all.iter().map(|one| (one.endpoint.clone(), one.weight)).collect();
            Ring::after(before.and_then(|before| before.ring.as_ref()), members)
        });
        Members { generation: before.map_or(0, |before| before.generation) + 1, all, ring }
    }

    /// All of them, in the order of the backend's endpoints.
    pub fn iter(&self) -> slice::Iter<'_, Member> {
        self.all.iter()
    }

    /// How many there are.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks")]
    pub fn len(&self) -> usize {
        self.all.len()
    }
}

impl<'m> IntoIterator for &'m Members {
    type Item = &'m Member;
    type IntoIter = slice::Iter<'m, Member>;

    fn into_iter(self) -> slice::Iter<'m, Member> {
        self.iter()
    }
}

/// Where an instance is, in a form that is quick to compare: most have an IP address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At<'a> {
    Ip(SocketAddr),
    Other(&'a EndpointAddr),
}

impl Hash for At<'_> {
    // In two steps, where the derived one takes five: a thousand members are hashed three times for each change.
    fn hash<H: Hasher>(&self, state: &mut H) {
        match self {
            At::Ip(at) => {
                let ip = match at.ip() {
                    IpAddr::V4(ip) => u128::from(ip.to_bits()),
                    IpAddr::V6(ip) => ip.to_bits(),
                };
                state.write_u128(ip);
                state.write_u16(at.port());
            }
            At::Other(addr) => addr.hash(state),
        }
    }
}

impl<'a> At<'a> {
    fn of(addr: &'a EndpointAddr) -> At<'a> {
        match addr {
            EndpointAddr::Tcp { host, port } => {
                host.parse().map_or(At::Other(addr), |ip| At::Ip(SocketAddr::new(ip, *port)))
            }
            EndpointAddr::Unix(_) => At::Other(addr),
        }
    }

    fn of_endpoint(endpoint: &'a Endpoint) -> At<'a> {
        endpoint.socket.map_or(At::Other(&endpoint.addr), At::Ip)
    }

    fn addr(self) -> EndpointAddr {
        match self {
            At::Ip(at) => EndpointAddr::Tcp { host: at.ip().to_string(), port: at.port() },
            At::Other(addr) => addr.clone(),
        }
    }
}

/// The members before, by where they are.
struct Known<'m>(HashMap<At<'m>, &'m Arc<Endpoint>>);

impl<'m> Known<'m> {
    fn of(members: Option<&'m Members>) -> Known<'m> {
        let all = members.into_iter().flat_map(Members::iter);
        Known(all.map(|member| (At::of_endpoint(&member.endpoint), &member.endpoint)).collect())
    }

    /// Whether there is a connection to it that answers.
    fn answers(&self, at: &At<'_>) -> bool {
        self.0.get(at).is_some_and(|endpoint| endpoint.answers())
    }

    fn endpoint(&self, at: At<'_>, keep: Keep, workers: usize) -> Arc<Endpoint> {
        match (self.0.get(&at), keep) {
            (None, _) => Arc::new(Endpoint::new(at.addr(), workers)),
            (Some(before), Keep::Endpoints) => Arc::clone(before),
            (Some(before), Keep::Drains) => Arc::new(Endpoint {
                drained_by_admin: before.drained_by_admin.clone(),
                in_flight: before.in_flight.clone(),
                ..Endpoint::new(at.addr(), workers)
            }),
        }
    }
}

/// What is to be a member.
#[derive(Debug)]
struct Wanted<'a> {
    at: At<'a>,
    declared: usize,
    weight: u32,
    priority: u16,
}

impl<'a> Wanted<'a> {
    /// What an endpoint with an address of its own stands for.
    fn written(addr: &'a EndpointAddr, declared: usize, spec: &EndpointSpec) -> Wanted<'a> {
        Wanted { at: At::of(addr), declared, weight: spec.placing.weight, priority: 0 }
    }

    /// What an endpoint stands for of which a source lists that; nothing where nobody says at which port it is.
    fn listed(one: &Listed, declared: usize, spec: &EndpointSpec, port: Option<u16>) -> Option<Wanted<'a>> {
        let port = one.port.or(port)?;
        let weight = one.weight.unwrap_or(spec.placing.weight);
        Some(Wanted { at: At::Ip(SocketAddr::new(one.ip, port)), declared, weight, priority: one.priority })
    }

    fn is(&self, member: &Member) -> bool {
        let Member { endpoint, declared, weight, priority, .. } = member;
        (self.at, self.declared, self.weight, self.priority)
            == (At::of_endpoint(endpoint), *declared, *weight, *priority)
    }
}

/// What are to be the members, each once, in the order of the endpoints. What an endpoint with an address of its own says of an
/// instance goes before what a source says that lists it too; of two sources, the first one counts. Instances whose removal is
/// not confirmed are members as long as they answer.
fn wanted<'a>(spec: &'a BackendSpec, lists: &Lists, known: &Known<'_>) -> Vec<Wanted<'a>> {
    let written = spec.endpoints.iter().filter_map(|endpoint| match &endpoint.addr {
        Address::At(addr) => Some(At::of(addr)),
        Address::Discovered(_) => None,
    });
    let mut taken: HashSet<At<'_>> = written.collect();
    let mut all = Vec::with_capacity(spec.endpoints.len());
    for (declared, endpoint) in spec.endpoints.iter().enumerate() {
        let discovered = match &endpoint.addr {
            Address::At(addr) => {
                all.push(Wanted::written(addr, declared, endpoint));
                continue;
            }
            Address::Discovered(discovered) => discovered,
        };
        let Some(list) = lists.get(&discovered.name) else { continue };
        let of = |one: &Listed| Wanted::listed(one, declared, endpoint, discovered.port);
        let unconfirmed = list.unconfirmed.iter().filter_map(of).filter(|one| known.answers(&one.at));
        let found = list.listed.iter().filter_map(of).chain(unconfirmed);
        all.extend(found.filter(|one| taken.insert(one.at)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::Backend;
    use crate::config::{DiscoveryName, HashBy, HashSpec, Source, Tables};
    use crate::discovery::List;
    use crate::telemetry::Standing;

    const ENDPOINTS: &str =
        r#"{ address = "dns:shop:7101", drain = true }, "127.0.0.2:7101", "dns:more:7101", "dns:shop:7102""#;

    fn spec(endpoints: &str) -> BackendSpec {
        let text = format!("[backends.shop]\nendpoints = [{endpoints}]\n");
        Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables").backends.remove(0)
    }

    fn list(addresses: &[&str]) -> List {
        let ips = addresses.iter().map(|text| text.parse::<std::net::IpAddr>().expect("an address"));
        List::of(ips.map(Listed::from).collect())
    }

    fn lists(all: &[(&str, &[&str])]) -> Lists {
        let one = |(host, addresses): &(&str, &[&str])| {
            (DiscoveryName::Host((*host).to_owned()), Arc::new(list(addresses)))
        };
        all.iter().map(one).collect()
    }

    /// The members, with whether they drain.
    fn shown(backend: &Backend) -> Vec<(String, bool)> {
        backend.members().iter().map(|one| (one.endpoint.addr.to_string(), one.drains())).collect()
    }

    fn addresses(backend: &Backend) -> Vec<String> {
        shown(backend).into_iter().map(|(addr, _)| addr).collect()
    }

    #[test]
    fn a_name_stands_for_all_that_it_lists_which_inherits_what_is_said_of_it() {
        let answers = lists(&[("shop", &["127.0.0.1", "127.0.0.2", "::1"]), ("more", &["127.0.0.1"])]);
        let expected = [
            ("127.0.0.1:7101", true),
            ("[::1]:7101", true),
            ("127.0.0.2:7101", false),
            ("127.0.0.1:7102", false),
            ("127.0.0.2:7102", false),
            ("[::1]:7102", false),
        ];
        let backend = Backend::new(spec(ENDPOINTS), &answers, None, 1);
        assert_eq!(shown(&backend), expected.map(|(addr, drains)| (addr.to_owned(), drains)));
        let none = Backend::new(spec(ENDPOINTS), &Lists::default(), None, 1);
        assert_eq!(addresses(&none), ["127.0.0.2:7101"], "a name without an answer stands for none");
    }

    #[test]
    fn the_records_of_a_service_say_port_weight_and_priority_of_its_instances() {
        let at = |last: u8, port, weight, priority| Listed {
            port: Some(port),
            weight: Some(weight),
            priority,
            ..std::net::IpAddr::from([10, 0, 0, last]).into()
        };
        let of = |listed: &[Listed]| {
            Lists::from([(
                DiscoveryName::Service("_shop._tcp".to_owned()),
                Arc::new(List::of(listed.to_vec())),
            )])
        };
        let endpoints =
            r#"{ address = "srv:_shop._tcp", zone = "z" }, { address = "10.0.0.2:2", weight = 9 }"#;
        let lists = of(&[at(1, 1, 5, 0), at(1, 2, 7, 1), at(2, 2, 5, 0)]);
        let backend = Backend::new(spec(endpoints), &lists, None, 1);
        let shown = |backend: &Backend| -> Vec<(String, u32, u16, Option<String>)> {
            let members = backend.members();
            let one = |one: &Member| {
                (
                    one.endpoint.addr.to_string(),
                    one.weight,
                    one.priority,
                    one.zone.as_deref().map(str::to_owned),
                )
            };
            members.iter().map(one).collect()
        };
        let z = || Some("z".to_owned());
        let expected = [
            ("10.0.0.1:1".to_owned(), 5, 0, z()),
            ("10.0.0.1:2".to_owned(), 7, 1, z()),
            ("10.0.0.2:2".to_owned(), 9, 0, None),
        ];
        assert_eq!(shown(&backend), expected);
        let endpoint = backend.endpoints().remove(0);
        assert!(
            backend.follow(&of(&[at(1, 1, 6, 2), at(1, 2, 7, 1)]), 1),
            "another weight, another priority"
        );
        assert_eq!(shown(&backend)[0], ("10.0.0.1:1".to_owned(), 6, 2, z()));
        assert!(Arc::ptr_eq(&endpoint, &backend.endpoints()[0]));
    }

    #[test]
    fn where_a_list_changes_all_other_members_are_the_same_objects() {
        let first = lists(&[("more", &["10.0.0.1", "10.0.0.2"])]);
        let backend = Backend::new(spec(ENDPOINTS), &first, None, 1);
        let (id, before) = (backend.id, backend.members_now());
        before.all[2].endpoint.drained_by_admin.store(true, Relaxed);
        assert!(backend.follow(&lists(&[("more", &["10.0.0.2", "10.0.0.3"])]), 1));
        let after = backend.members_now();
        assert_eq!((backend.id, after.generation), (id, before.generation + 1));
        let texts = ["127.0.0.2:7101", "10.0.0.2:7101", "10.0.0.3:7101"];
        assert_eq!(shown(&backend), texts.map(|text| (text.to_owned(), text == "10.0.0.2:7101")));
        assert!(Arc::ptr_eq(&before.all[0].endpoint, &after.all[0].endpoint));
        assert!(Arc::ptr_eq(&before.all[2].endpoint, &after.all[1].endpoint), "with its connections");
        assert!(backend.follow(&first, 1));
        assert!(
            !Arc::ptr_eq(&before.all[1].endpoint, &backend.members().all[1].endpoint),
            "it has come anew"
        );
    }

    #[test]
    fn lists_that_change_no_member_change_nothing() {
        let answers = lists(&[("more", &["127.0.0.2"]), ("unlisted", &["10.0.0.1"])]);
        let backend = Backend::new(spec(ENDPOINTS), &Lists::default(), None, 1);
        let before = backend.members_now();
        assert!(!backend.follow(&answers, 1), "the address is listed by itself");
        assert!(Arc::ptr_eq(&before, &backend.members_now()));
    }

    #[test]
    fn what_vanishes_with_most_others_stays_until_that_is_confirmed_if_its_connections_answer() {
        let before = list(&["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
        let of =
            |list: &List| Lists::from([(DiscoveryName::Host("more".to_owned()), Arc::new(list.clone()))]);
        let backend = Backend::new(spec(ENDPOINTS), &of(&before), None, 1);
        let members = backend.members_now();
        let connect = |place: usize| members.all[place].endpoint.stats.0.of(0);
        connect(1).connections.increment();
        connect(2).connections.increment();
        connect(2).health.stands(Standing::Silent);
        let after = before.next(list(&["10.0.0.9"]).listed);
        assert!(backend.follow(&of(&after), 1));
        assert_eq!(addresses(&backend), ["127.0.0.2:7101", "10.0.0.9:7101", "10.0.0.1:7101"]);
        assert!(Arc::ptr_eq(&members.all[1].endpoint, &backend.members().all[2].endpoint));
        let confirmed = after.next(list(&["10.0.0.9"]).listed);
        assert!(backend.follow(&of(&confirmed), 1));
        assert_eq!(addresses(&backend), ["127.0.0.2:7101", "10.0.0.9:7101"]);
    }

    #[test]
    fn what_a_table_no_longer_lists_is_gone_at_once() {
        let before = Backend::new(spec("'10.0.0.1:1', '10.0.0.2:1'"), &Lists::default(), None, 1);
        for endpoint in before.endpoints() {
            endpoint.stats.0.of(0).connections.increment();
        }
        let after = Backend::new(spec("'10.0.0.3:1'"), &Lists::default(), Some(&before), 1);
        assert_eq!(addresses(&after), ["10.0.0.3:1"]);
    }

    #[test]
    fn a_ring_is_there_where_calls_are_spread_by_keys_and_stays_while_the_members_do() {
        let hash = BackendSpec { balance: by_client(), ..spec(ENDPOINTS) };
        let backend = Backend::new(hash.clone(), &Lists::default(), None, 1);
        let ring = backend.members().ring.clone().expect("a ring");
        let again =
            Backend::new(BackendSpec { retry_budget: 7, ..hash }, &Lists::default(), Some(&backend), 1);
        assert!(again.members().ring.as_ref().is_some_and(|other| Arc::ptr_eq(&ring, other)));
        assert!(Backend::new(spec(ENDPOINTS), &Lists::default(), None, 1).members().ring.is_none());
    }

    fn by_client() -> Balance {
        Balance::Hash(HashSpec { by: HashBy::Client, load_factor: None })
    }
}
