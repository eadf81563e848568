//! Connections without a socket, for tests.

use super::{Conn, Monitor, Offer};
use crate::backends::peer::Peer;
use crate::config::{BackendSpec, EndpointAddr, HealthSpec};
use crate::routes::Endpoint;
use callgate_protocol::schema::{Fingerprint, MethodSchema, Type};
use callgate_protocol::{CallId, Hello, Limits, MethodOffer, Outbound, ServiceOffer};
use std::rc::Rc;
use std::sync::Arc;

/// A connection to an instance that offers nothing.
pub(in crate::backends) fn connection() -> Rc<Conn> {
    connection_of(Rc::new(Monitor::new(HealthSpec::default(), Rc::default())))
}

/// An instance with a connection.
pub(in crate::backends) fn peer(spec: HealthSpec) -> Rc<Peer> {
    peer_offering(spec, Vec::new())
}

/// An instance with a connection that offers those methods of the service `s`, which is of that version.
pub(in crate::backends) fn peer_with(spec: HealthSpec, version: &str, methods: &[&str]) -> Rc<Peer> {
    let method = |name: &&str| MethodOffer {
        name: (*name).to_owned(),
        call_id: CallId::of("s", name),
        schema: Fingerprint::of(b""),
        idempotent: false,
    };
    let methods = methods.iter().map(method).collect();
    peer_offering(spec, vec![ServiceOffer { name: "s".to_owned(), version: version.to_owned(), methods }])
}

fn peer_offering(spec: HealthSpec, services: Vec<ServiceOffer>) -> Rc<Peer> {
    let monitor = Rc::new(Monitor::new(spec, Rc::default()));
    Peer::connected(connection_offering(monitor.clone(), services), monitor)
}

fn connection_of(monitor: Rc<Monitor>) -> Rc<Conn> {
    connection_offering(monitor, Vec::new())
}

fn connection_offering(monitor: Rc<Monitor>, services: Vec<ServiceOffer>) -> Rc<Conn> {
    let spec = BackendSpec::new("b", Vec::new());
    let hello = Hello::new("peer", Limits::default(), services);
    let outbound = Outbound::new(&hello);
    let nothing = MethodSchema {
        doc: String::new(),
        request: Type::Unit,
        response: Type::Unit,
        definitions: Vec::new(),
    };
    let offer = Offer::new(hello, |_| Some(Arc::new(nothing.clone()))).expect("no number twice");
    let addr = EndpointAddr::Tcp { host: "peer".to_owned(), port: 1 };
    let endpoint = Arc::new(Endpoint::new(addr, 1));
    Rc::new(Conn::new(endpoint, 0, monitor, &spec, Arc::new(offer), outbound))
}
