//! Instances and backends without a socket, for tests.

use super::attempt::Attempt;
use super::backend::Backend;
use super::endpoint::Endpoint;
use super::endpoint_connection::Surroundings;
use super::local_backend::LocalBackend;
use super::local_endpoint::LocalEndpoint;
use super::members::Member;
use crate::config::{
    Address, BackendSpec, Balance, CallRef, Discovered, DiscoveryName, EndpointAddr, EndpointSpec,
    HealthSpec, Placement,
};
use crate::discovery::{List, Listed, Lists};
use crate::presence::Presence;
use crate::transport::callgate::Connections;
use crate::transport::memory::MemoryLink;
use crate::transport::{Binding, Body, Call, Link, MAX_STREAM, Times};
use callgate_protocol::Metadata;
use callgate_transcode::{RequestBinding, ResponseBinding};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

/// An instance that is connected.
pub(in crate::backends) fn instance(spec: HealthSpec) -> Rc<LocalEndpoint> {
    instance_at(spec, 1)
}

/// The same on that port.
pub(in crate::backends) fn instance_at(spec: HealthSpec, port: u16) -> Rc<LocalEndpoint> {
    connected(&BackendSpec { health: spec, ..BackendSpec::new("b", Vec::new()) }, port, |_| {})
}

/// An instance that offers those methods of the service `s`, which is of that version.
pub(in crate::backends) fn instance_with(
    spec: HealthSpec,
    version: &str,
    methods: &[&str],
) -> Rc<LocalEndpoint> {
    connected(&BackendSpec { health: spec, ..BackendSpec::new("b", Vec::new()) }, 1, |link| {
        link.is_version(version);
        link.offers_only(methods);
    })
}

/// An instance of that backend on that port, with a link that is made so.
pub(in crate::backends) fn connected(
    spec: &BackendSpec,
    port: u16,
    make: impl FnOnce(&MemoryLink),
) -> Rc<LocalEndpoint> {
    let addr = EndpointAddr::Tcp { host: "instance".to_owned(), port };
    let local = LocalEndpoint::new(Arc::new(Endpoint::new(addr, 1)), spec, 0, Rc::default());
    let link = MemoryLink::new(local.monitor.review().clone());
    make(&link);
    local.set_link(Some(Link::Memory(Rc::new(link))));
    Rc::new(local)
}

/// What the tasks of a worker's backends share, of one that connects to real sockets.
pub(in crate::backends) fn surroundings() -> Surroundings {
    let (changed, due) = (Rc::<Notify>::default(), Rc::<Notify>::default());
    let presence = Rc::new(Presence::new(Instant::now()));
    let budget = callgate_protocol::Budget::new(0);
    let (room, here) = (changed.clone(), presence.clone());
    let connections = Connections::new(Arc::default(), budget, Rc::default(), room, here, Arc::default());
    Surroundings {
        worker: 0,
        supervisor: Arc::default(),
        changed,
        due,
        offers: Arc::default(),
        connections: Rc::new(connections),
        presence,
        played: false,
    }
}

/// Plays an instance from now on, until it retires.
pub(in crate::backends) fn play(local: &Rc<LocalEndpoint>) {
    let link = Rc::new(MemoryLink::new(local.monitor.review().clone()));
    let instance = link.clone();
    local.set_supervisor(tokio::task::spawn_local(async move { instance.serve().await }).abort_handle());
    local.monitor.connected(Instant::now());
    local.set_link(Some(Link::Memory(link)));
}

/// The instances of a backend that a test plays.
pub(crate) fn links(backend: &LocalBackend) -> Vec<Rc<MemoryLink>> {
    backend.instances.all.iter().map(|at| link(at)).collect()
}

/// Nobody can be reached any more; `hopeful`: but perhaps soon.
pub(crate) fn disconnect(backend: &LocalBackend, hopeful: bool) {
    for at in &backend.instances.all {
        at.set_link(None);
        at.set_hopeful(hopeful);
        at.monitor.review().raise();
    }
}

/// All can be reached again, those of that link.
pub(crate) fn reconnect(backend: &LocalBackend, links: &[Rc<MemoryLink>]) {
    for (at, link) in backend.instances.all.iter().zip(links) {
        at.set_link(Some(Link::Memory(link.clone())));
        at.monitor.review().raise();
    }
}

/// The link to an instance.
pub(in crate::backends) fn link(at: &LocalEndpoint) -> Rc<MemoryLink> {
    match at.link() {
        Some(Link::Memory(link)) => link,
        _ => panic!("it is connected otherwise"),
    }
}

/// Puts so many calls in flight; they are as long as what is given back.
pub(in crate::backends) fn occupy(at: &Rc<LocalEndpoint>, calls: usize) -> Vec<Attempt> {
    let link = at.link().expect("it is connected");
    let now = Instant::now();
    let times = Times { now, deadline: now + Duration::from_secs(3600), stream: MAX_STREAM };
    std::iter::repeat_with(|| attempt(at, &link, times)).take(calls).collect()
}

/// Sends a call.
pub(in crate::backends) fn attempt(at: &Rc<LocalEndpoint>, link: &Link, times: Times) -> Attempt {
    let call = CallRef::Name { service: "s".to_owned(), method: "a".to_owned() };
    let (request, response) = (RequestBinding::default(), ResponseBinding::default());
    let binding = Binding {
        id: 1,
        slot: 0,
        call: &call,
        request: &request,
        response: &response,
        reply: None,
        rules: &crate::config::Rules::NONE,
    };
    let call = Call {
        on_written: None,
        binding,
        path: &[],
        query: &[],
        bound: &[],
        body: Body::Whole(b""),
        metadata: Metadata::default(),
        identity: None,
    };
    Attempt::send(at, link, &call, |_| times).expect("there is room")
}

/// A backend of instances that a source lists with these priorities, all connected.
pub(in crate::backends) fn local_by_priority(
    balance: Balance,
    health: HealthSpec,
    priorities: &[u16],
) -> LocalBackend {
    let listed = (1..).zip(priorities).map(|(port, priority)| Listed {
        port: Some(port),
        weight: Some(1),
        priority: *priority,
        ..std::net::IpAddr::from([127, 0, 0, 1]).into()
    });
    let lists = Lists::from([(DiscoveryName::Service("s".to_owned()), Arc::new(List::of(listed.collect())))]);
    let endpoint = EndpointSpec::from(Address::Discovered(Discovered {
        name: DiscoveryName::Service("s".to_owned()),
        port: None,
    }));
    let spec = BackendSpec { balance, health, ..BackendSpec::new("b", vec![endpoint]) };
    let backend = Arc::new(Backend::new(spec, &lists, None, 1));
    let members = backend.members_now();
    let own = |one: &Member| {
        let local = LocalEndpoint::new(one.endpoint.clone(), &backend.spec, 0, Rc::default());
        local.set_link(Some(Link::Memory(Rc::new(MemoryLink::new(local.monitor.review().clone())))));
        Rc::new(local)
    };
    let own = members.iter().map(own).collect();
    LocalBackend::new(backend.clone(), members, own, Rc::default(), 0, Some("a"))
}

/// A backend of these instances, for a gateway of zone `a`.
pub(in crate::backends) fn local_of(
    balance: Balance,
    health: HealthSpec,
    placements: &[Placement],
    instances: Vec<Rc<LocalEndpoint>>,
) -> LocalBackend {
    let specs = instances.iter().zip(placements).map(|(at, placement)| EndpointSpec {
        placement: placement.clone(),
        ..EndpointSpec::from(at.endpoint.addr.clone())
    });
    let spec = BackendSpec { balance, health, ..BackendSpec::new("b", specs.collect()) };
    let backend = Arc::new(Backend::new(spec, &Lists::default(), None, 1));
    let members = backend.members_now();
    LocalBackend::new(backend, members, instances, Rc::default(), 0, Some("a"))
}
