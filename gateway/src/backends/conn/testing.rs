//! Connections without a socket, for tests.

use super::{Conn, Monitor, Offer};
use crate::backends::peer::Peer;
use crate::config::{BackendSpec, EndpointAddr, HealthSpec};
use crate::routes::Endpoint;
use callgate_protocol::{Hello, Limits, Outbound};
use std::rc::Rc;
use std::sync::Arc;

/// A connection to an instance that offers nothing.
pub(in crate::backends) fn connection() -> Rc<Conn> {
    connection_of(Rc::new(Monitor::new(HealthSpec::default(), Rc::default())))
}

/// An instance with a connection.
pub(in crate::backends) fn peer(spec: HealthSpec) -> Rc<Peer> {
    let monitor = Rc::new(Monitor::new(spec, Rc::default()));
    Peer::connected(connection_of(monitor.clone()), monitor)
}

fn connection_of(monitor: Rc<Monitor>) -> Rc<Conn> {
    let spec = BackendSpec::new("b", Vec::new());
    let hello = Hello::new("peer", Limits::default(), Vec::new());
    let outbound = Outbound::new(&hello);
    let offer = Offer::new(hello, |_| None).expect("no methods, no trouble");
    let addr = EndpointAddr::Tcp { host: "peer".to_owned(), port: 1 };
    let endpoint = Arc::new(Endpoint::new(addr, 1));
    Rc::new(Conn::new(endpoint, 0, monitor, &spec, Arc::new(offer), outbound))
}
