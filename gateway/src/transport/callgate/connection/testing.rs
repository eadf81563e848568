//! Connections without a socket, for tests, and calls on them that nobody answers.

use super::{Connection, ConnectionSpec, WorkerSide};
use crate::config::{CallRef, EndpointAddr};
use crate::presence::Presence;
use crate::transport::callgate::catalog::Schema;
use crate::transport::callgate::in_flight::Machine;
use crate::transport::callgate::offer::Offer;
use crate::transport::reply::LongReply;
use crate::transport::{Binding, Body, Call, Link, MAX_STREAM, OnWritten, PendingReply, Times, Unsent};
use callgate_protocol::schema::{Definition, Fingerprint, MethodSchema, StructDef, Type};
use callgate_protocol::{
    CallId, Event, Hello, Limits, Metadata, MethodOffer, ServiceOffer, StreamCredit, Streaming,
};
use callgate_transcode::{RequestBinding, Response, ResponseBinding, ResponseProgram};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A connection to an instance that offers the method `s.m`, which takes and returns nothing.
pub(crate) fn connection() -> Rc<Connection> {
    streaming(Streaming::default(), schema(Type::Ref(0)))
}

/// The same of which somebody streams, with that schema.
pub(crate) fn streaming(streams: Streaming, schema: MethodSchema) -> Rc<Connection> {
    streaming_within(Limits::default(), streams, schema)
}

/// The same to an instance that has those limits.
pub(crate) fn streaming_within(limits: Limits, streams: Streaming, schema: MethodSchema) -> Rc<Connection> {
    let spec = ConnectionSpec {
        connect_timeout: Duration::from_secs(3),
        ping_interval: Duration::from_secs(5),
        ping_timeout: Duration::from_secs(2),
        max_calls: 1024,
    };
    let method = MethodOffer {
        name: "m".to_owned(),
        call_id: CallId::of("s", "m"),
        schema: Fingerprint::of(b""),
        wire: Fingerprint::of(b"wire"),
        idempotent: true,
        streams,
    };
    let service = ServiceOffer { name: "s".to_owned(), version: "1".to_owned(), methods: vec![method] };
    let hello = Hello { limits, ..speaking("peer", vec![service]) };
    let mut machine = Machine::new(&speaking("gateway", Vec::new()));
    machine.on_event(Event::Hello(hello.clone())).expect("it is the first");
    let schema = Arc::new(Schema::new(schema).expect("it is sound"));
    let offer = Offer::new(hello, |_| Ok(schema.clone())).expect("no number twice");
    let addr = EndpointAddr::Tcp { host: "peer".to_owned(), port: 1 };
    let presence = Rc::new(Presence::new(Instant::now()));
    let worker = WorkerSide {
        transcoders: Rc::default(),
        buffers: Rc::default(),
        room: Rc::default(),
        presence,
        supervisor: Arc::default(),
    };
    Rc::new(Connection::new(addr, &spec, &worker, Rc::default(), Arc::new(offer), machine))
}

/// What a side says that speaks streams.
pub(crate) fn speaking(identity: &str, services: Vec<ServiceOffer>) -> Hello {
    Hello::new(identity, Limits::default(), services).speaking_streams(StreamCredit::default())
}

/// Puts so many calls in flight; they are as long as what is given back.
pub(crate) fn occupy(connection: &Rc<Connection>, calls: usize) -> Vec<PendingReply> {
    let now = Instant::now();
    let times = Times { now, deadline: now + Duration::from_secs(3600), stream: MAX_STREAM };
    std::iter::repeat_with(|| call(connection, Body::Whole(b""), times).expect("it fits the schema"))
        .take(calls)
        .collect()
}

/// Makes a call with that body.
pub(crate) fn call(
    connection: &Rc<Connection>,
    body: Body<'_>,
    times: Times,
) -> Result<PendingReply, Unsent> {
    call_with(&RequestBinding::default(), connection, body, times, None)
}

/// The same, whose maker is told when it was written.
pub(crate) fn call_told(
    connection: &Rc<Connection>,
    body: Body<'_>,
    times: Times,
    on_written: Option<&OnWritten>,
) -> Result<PendingReply, Unsent> {
    call_with(&RequestBinding::default(), connection, body, times, on_written)
}

/// The same by a route that binds requests so.
pub(crate) fn call_as(
    request: &RequestBinding,
    connection: &Rc<Connection>,
    body: Body<'_>,
    times: Times,
) -> Result<PendingReply, Unsent> {
    call_with(request, connection, body, times, None)
}

fn call_with(
    request: &RequestBinding,
    connection: &Rc<Connection>,
    body: Body<'_>,
    times: Times,
    on_written: Option<&OnWritten>,
) -> Result<PendingReply, Unsent> {
    let call = CallRef::Name { service: "s".to_owned(), method: "m".to_owned() };
    let response = ResponseBinding::default();
    let binding = Binding {
        id: 1,
        slot: 0,
        call: &call,
        request,
        response: &response,
        reply: None,
        rules: &crate::config::Rules::NONE,
    };
    let metadata = Metadata::default();
    let call =
        Call { binding, path: &[], query: &[], bound: &[], body, metadata, identity: None, on_written };
    Link::Callgate(connection.clone()).call(&call, |_| times)
}

/// A reply of that type.
pub(crate) fn long_reply(response: Type, payload: Vec<u8>) -> LongReply {
    long_reply_of(response, Response::Whole, payload)
}

/// A reply of which that is the body.
pub(crate) fn long_reply_of(response: Type, shape: Response, payload: Vec<u8>) -> LongReply {
    let binding = ResponseBinding { shape, ..ResponseBinding::default() };
    let program = ResponseProgram::compile(&schema(response), &binding);
    LongReply::new(payload, None, Rc::new(program.expect("it can be bound")))
}

/// A method that takes nothing.
pub(crate) fn schema(response: Type) -> MethodSchema {
    let empty = StructDef::new("Empty", Vec::new());
    let definitions = vec![Definition::Struct(empty)];
    MethodSchema::new(Type::Ref(0), response, definitions)
}
