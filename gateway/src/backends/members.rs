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

    /// Who has it drain, `table` and `admin`; nobody when it does not.
    pub fn drained_by(&self) -> Vec<&'static str> {
        let words = [("table", self.drain), ("admin", self.endpoint.drained_by_admin.load(Relaxed))];
        words.into_iter().filter(|(_, drain)| *drain).map(|(word, _)| word).collect()
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
            let name = match &spec.addr {
                Address::At(_) => None,
                Address::Discovered(discovered) => discovered.name.host(),
            };
            let (endpoint, zone) = (known.endpoint(at, name, keep, workers), spec.placement.zone.clone());
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

    fn endpoint(&self, at: At<'_>, name: Option<&str>, keep: Keep, workers: usize) -> Arc<Endpoint> {
        let new = || Endpoint { name: name.map(Arc::from), ..Endpoint::new(at.addr(), workers) };
        match (self.0.get(&at), keep) {
            (None, _) => Arc::new(new()),
            (Some(before), Keep::Endpoints) => Arc::clone(before),
            (Some(before), Keep::Drains) => Arc::new(Endpoint {
                drained_by_admin: before.drained_by_admin.clone(),
                in_flight: before.in_flight.clone(),
                ..new()
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
        Wanted { at: At::of(addr), declared, weight: spec.placement.weight, priority: 0 }
    }

    /// What an endpoint stands for of which a source lists that; nothing where nobody says at which port it is.
    fn listed(one: &Listed, declared: usize, spec: &EndpointSpec, port: Option<u16>) -> Option<Wanted<'a>> {
        let port = one.port.or(port)?;
        let weight = one.weight.unwrap_or(spec.placement.weight);
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
mod tests;
