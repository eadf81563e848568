//! Connections without a socket, for tests, and calls on them that nobody answers.

use super::long::{LongReply, Unsettled};
use super::{Conn, InFlight, LocalTranscoder, Monitor, Offer, Times};
use crate::backends::Endpoint;
use crate::backends::{Peer, Surroundings};
use crate::config::{BackendSpec, EndpointAddr, HealthSpec};
use crate::presence::Presence;
use crate::transport::callgate::Transcoder;
use crate::transport::callgate::catalog::Schema;
use callgate_protocol::schema::{Definition, Fingerprint, MethodSchema, StructDef, Type};
use callgate_protocol::{CallId, Hello, Limits, Metadata, MethodOffer, Outbound, ServiceOffer};
use callgate_transcode::{RequestBinding, RequestInput, RequestProgram, ResponseBinding, ResponseProgram};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A connection to an instance that offers nothing.
pub(crate) fn connection() -> Rc<Conn> {
    connection_of(Rc::new(Monitor::new(HealthSpec::default(), Rc::default())), 1)
}

/// An instance with a connection.
pub(crate) fn peer(spec: HealthSpec) -> Rc<Peer> {
    peer_at(spec, 1)
}

/// The same on that port.
pub(crate) fn peer_at(spec: HealthSpec, port: u16) -> Rc<Peer> {
    let monitor = Rc::new(Monitor::new(spec, Rc::default()));
    Peer::connected(connection_of(monitor.clone(), port), monitor)
}

/// Puts so many calls in flight; they are as long as what is given back.
pub(crate) fn occupy(conn: &Rc<Conn>, calls: usize) -> Vec<InFlight> {
    let empty = StructDef { name: "Empty".to_owned(), doc: String::new(), fields: Vec::new() };
    let schema = MethodSchema {
        doc: String::new(),
        request: Type::Ref(0),
        response: Type::Ref(0),
        definitions: vec![Definition::Struct(empty)],
    };
    let shared = Transcoder {
        call_id: CallId::of("s", "m"),
        request: RequestProgram::compile(&schema, &RequestBinding::default()).expect("nothing to bind"),
        response: ResponseProgram::compile(&schema, &ResponseBinding::default()).expect("nothing to bind"),
    };
    let transcoder = Rc::new(LocalTranscoder { shared: Arc::new(shared), idempotent: true });
    let now = Instant::now();
    let times = Times { now, deadline: now + Duration::from_secs(3600) };
    let input = RequestInput { path: &[], query: &[], body: b"" };
    let call = || conn.call(&transcoder, times, Metadata::default(), &input).expect("it fits the schema");
    std::iter::repeat_with(call).take(calls).collect()
}

/// A reply of that type from an instance of its own.
pub(crate) fn long_reply(response: Type, payload: Vec<u8>) -> (LongReply, Arc<Endpoint>) {
    let empty = StructDef { name: "Empty".to_owned(), doc: String::new(), fields: Vec::new() };
    let definitions = vec![Definition::Struct(empty)];
    let schema = MethodSchema { doc: String::new(), request: Type::Ref(0), response, definitions };
    let shared = Transcoder {
        call_id: CallId::of("s", "m"),
        request: RequestProgram::compile(&schema, &RequestBinding::default()).expect("nothing to bind"),
        response: ResponseProgram::compile(&schema, &ResponseBinding::default()).expect("nothing to bind"),
    };
    let transcoder = Rc::new(LocalTranscoder { shared: Arc::new(shared), idempotent: true });
    let (monitor, conn) = (Rc::new(Monitor::new(HealthSpec::default(), Rc::default())), connection());
    let endpoint = conn.endpoint.clone();
    let (took, at) = (Some(Duration::from_millis(1)), Instant::now());
    let epoch = monitor.sent();
    let call = Unsettled { monitor, endpoint: endpoint.clone(), worker: 0, epoch, took, at, settled: false };
    (LongReply { payload, room: None, transcoder, call }, endpoint)
}

/// An instance with a connection that offers those methods of the service `s`, which is of that version.
pub(crate) fn peer_with(spec: HealthSpec, version: &str, methods: &[&str]) -> Rc<Peer> {
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
    Peer::connected(connection_offering(monitor.clone(), 1, services), monitor)
}

fn connection_of(monitor: Rc<Monitor>, port: u16) -> Rc<Conn> {
    connection_offering(monitor, port, Vec::new())
}

fn connection_offering(monitor: Rc<Monitor>, port: u16, services: Vec<ServiceOffer>) -> Rc<Conn> {
    let spec = BackendSpec::new("b", Vec::new());
    let hello = Hello::new("peer", Limits::default(), services);
    let outbound = Outbound::new(&hello);
    let nothing = MethodSchema {
        doc: String::new(),
        request: Type::Unit,
        response: Type::Unit,
        definitions: Vec::new(),
    };
    let nothing = Arc::new(Schema::new(nothing).expect("it is sound"));
    let offer = Offer::new(hello, |_| Some(nothing.clone())).expect("no number twice");
    let addr = EndpointAddr::Tcp { host: "peer".to_owned(), port };
    let endpoint = Arc::new(Endpoint::new(addr, 1));
    let surroundings = Surroundings {
        offers: Arc::default(),
        supervisor: Arc::default(),
        worker: 0,
        catalog: Arc::default(),
        answers: callgate_protocol::Budget::new(0),
        changed: Rc::default(),
        due: Rc::default(),
        connections: Rc::default(),
        presence: Rc::new(Presence::new(Instant::now())),
    };
    Rc::new(Conn::new(endpoint, &surroundings, monitor, &spec, Arc::new(offer), outbound))
}
