//! `type = "rpc"`: the caller is whom a method of the operator's own names, which is called with parts of the request.
//!
//! What fills the method's fields is said as a route says it (`bind`), but that there is no body yet, and nobody who has claims.

use super::external::{CACHE, ExternalSpec, TIMEOUT};
use super::{AuthKind, required};
use crate::config::body::BodyTypes;
use crate::config::bound_fields;
use crate::config::call_policy::CallPolicy;
use crate::config::call_ref::{self, CallRef};
use crate::config::call_spec::CallSpec;
use crate::config::diagnostics::Diagnostic;
use crate::config::keys;
use crate::config::mode::CallMode;
use crate::config::outside::Outside;
use crate::config::reader::{Item, Reader, Section};
use crate::config::retry::RetrySpec;
use crate::config::route_backend::NamedBackend;
use crate::config::shape::{Entry, Shape};
use crate::config::stream_limits::StreamLimits;
use callgate_transcode::{Body, FieldSource, Pick, RequestBinding, ResponseBinding};
use std::ops::Range;
use std::sync::Arc;

pub(super) const KEYS: &[Entry] = &[
    super::kind(&["rpc"]),
    Entry::needed("call", call_ref::SHAPE, "the method, as a route names it"),
    Entry::new("backend", Shape::Text, "who offers it"),
    Entry::needed("bind", bound_fields::SHAPE, "what fills the method's fields"),
    TIMEOUT,
    CACHE,
];
const CALL: &str = "write the method that is asked: call = \"identity.check\"";
const BIND: &str = "write what it is told: bind = { token = { header = \"x-partner-token\" } }";

/// The field of the answer that has to be there, and has to be one text.
const NAME: &str = "name";

/// Callers by the word of a method.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RpcSpec {
    /// How it is asked.
    pub external: ExternalSpec,
    /// The call.
    pub call: Arc<CallSpec>,
    pub(in crate::config) written: RpcWritten,
}

/// Where that is written. All are equal: what only moved in its file has not changed.
#[derive(Clone, Debug)]
pub(in crate::config) struct RpcWritten {
    pub(in crate::config) backend: NamedBackend,
    pub(in crate::config) call: Range<usize>,
    pub(in crate::config) bound: Vec<Range<usize>>,
}

impl PartialEq for RpcWritten {
    fn eq(&self, _: &RpcWritten) -> bool {
        true
    }
}

impl Eq for RpcWritten {}

pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, item: &Item<'_>) -> Option<AuthKind> {
    let external = ExternalSpec::read(reader, section);
    let backend = NamedBackend::read(reader, section);
    let said = required(reader, section, item, "call", CALL);
    let span = said.as_ref().map(Item::span).unwrap_or_default();
    let call = said.and_then(|said| call_ref::read(reader, &said));
    required(reader, section, item, keys::BIND.name, BIND)?;
    let (fields, bound) = bound_fields::read(reader, section, &[], Vec::new());
    for (field, span) in fields.iter().zip(&bound) {
        if let Some(why) = never(&field.source) {
            let title = format!("`{}` would never be filled", field.field);
            reader.report(Diagnostic::new(title).at(reader.source, span.clone(), why));
        }
    }
    let request = RequestBinding { bound: fields, body: Body::None, ..RequestBinding::default() };
    let written = RpcWritten { backend, call: span, bound };
    Some(AuthKind::Rpc(RpcSpec { external, call: Arc::new(question(call?, request, external)), written }))
}

/// Why a source has nothing where it is asked who calls.
fn never(source: &FieldSource) -> Option<&'static str> {
    match source {
        FieldSource::Form(_) | FieldSource::Filename(_) | FieldSource::PartType(_) => {
            Some("who calls is asked before the body is read")
        }
        FieldSource::Claim(_) => Some("who calls is not known yet"),
        _ => None,
    }
}

/// The call by which it is asked. Which backend that goes to is known when all files are.
fn question(call: CallRef, request: RequestBinding, external: ExternalSpec) -> CallSpec {
    let name = Pick { field: NAME.to_owned(), values: Vec::new() };
    CallSpec {
        call,
        backend: String::new(),
        timeout: external.timeout,
        stream: StreamLimits::default(),
        mode: CallMode::Own,
        idempotent: None,
        idempotency_key: false,
        retry: RetrySpec::default(),
        policy: Arc::new(CallPolicy::default()),
        outside: request.bound.iter().map(Outside::of).collect(),
        request,
        body: BodyTypes::default(),
        response: ResponseBinding { picks: vec![name], ..ResponseBinding::default() },
        reply: None,
        websocket: None,
        tool: None,
    }
}
