//! What a side offers in HELLO: services, their methods, and in which directions those stream.

use super::{number, text};
use crate::call_id::CallId;
use crate::first::First;
use crate::frame::ProtocolError;
use crate::name::{is_method_name, is_service_name};
use crate::schema::Fingerprint;
use crate::wire::{Reader, WireError, put_field};
use std::collections::HashSet;

pub(super) const SERVICE_NAME: u8 = 1;
pub(super) const SERVICE_METHOD: u8 = 2;
pub(super) const SERVICE_VERSION: u8 = 3;

pub(super) const METHOD_NAME: u8 = 1;
pub(super) const METHOD_CALL_ID: u8 = 2;
pub(super) const METHOD_SCHEMA: u8 = 3;
pub(super) const METHOD_FLAGS: u8 = 4;
pub(super) const METHOD_WIRE: u8 = 5;

pub(super) const METHOD_IDEMPOTENT: u8 = 0x01;
pub(super) const METHOD_CALLER_STREAMS: u8 = 0x02;
pub(super) const METHOD_SERVICE_STREAMS: u8 = 0x04;
/// As in a frame's flags: who does not know one of these bits must not use the method.
pub(super) const METHOD_CRITICAL: u8 = 0x0f;

/// A service that a backend offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceOffer {
    /// The name before the full stop in `orders.quote`.
    pub name: String,
    /// The version that the backend gives it; may be empty.
    pub version: String,
    /// Its methods.
    pub methods: Vec<MethodOffer>,
}

/// A method that a backend offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodOffer {
    /// The name behind the full stop in `orders.quote`.
    pub name: String,
    /// Its number.
    pub call_id: CallId,
    /// The fingerprint of its schema as a document, by which it can be asked for.
    pub schema: Fingerprint,
    /// The fingerprint of what its schema says of bytes: the same as a caller's, if that has the types compiled in.
    pub wire: Fingerprint,
    /// Running it twice does what running it once does.
    pub idempotent: bool,
    /// Who streams beside the arguments and in the place of the result.
    pub streams: Streaming,
}

/// In which directions the calls of a method stream items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Streaming {
    /// The caller sends items, beside its arguments.
    pub caller: bool,
    /// The service sends items, in the place of its result.
    pub service: bool,
}

impl Streaming {
    /// Whether nobody streams.
    pub fn is_plain(self) -> bool {
        self == Streaming::default()
    }
}

/// What a HELLO has offered so far.
pub(super) struct Seen<'a> {
    /// The flags of methods that are understood.
    understood: u8,
    services: HashSet<&'a [u8]>,
    call_ids: HashSet<CallId>,
}

impl Seen<'_> {
    pub(super) fn new(streams: bool) -> Self {
        let of_streams = if streams { METHOD_CALLER_STREAMS | METHOD_SERVICE_STREAMS } else { 0 };
        let understood = METHOD_IDEMPOTENT | of_streams;
        Seen { understood, services: HashSet::new(), call_ids: HashSet::new() }
    }
}

impl ServiceOffer {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_field(&mut out, SERVICE_NAME, self.name.as_bytes());
        if !self.version.is_empty() {
            put_field(&mut out, SERVICE_VERSION, self.version.as_bytes());
        }
        for method in &self.methods {
            put_field(&mut out, SERVICE_METHOD, &method.encode());
        }
        out
    }

    pub(super) fn decode<'a>(bytes: &'a [u8], seen: &mut Seen<'a>) -> Result<ServiceOffer, ProtocolError> {
        let mut reader = Reader::new(bytes);
        let (mut name, mut version, mut methods) = (None, String::new(), Vec::new());
        let (mut first, mut names) = (First::default(), HashSet::new());
        while let Some((tag, value)) = reader.field()? {
            match tag {
                SERVICE_METHOD => {
                    let Some(method) = MethodOffer::decode(value, seen.understood)? else { continue };
                    if !seen.call_ids.insert(method.call_id) {
                        return Err(ProtocolError::OfferedTwice(format!("Call ID {}", method.call_id)));
                    }
                    if !names.insert(method.name.clone()) {
                        return Err(ProtocolError::OfferedTwice(format!("method {}", method.name)));
                    }
                    methods.push(method);
                }
                _ if !first.is(tag) => {}
                SERVICE_NAME => name = Some(value),
                SERVICE_VERSION => version = text(value)?,
                _ => {}
            }
        }
        let encoded = name.ok_or(WireError::Truncated)?;
        let name = text(encoded)?;
        if !is_service_name(&name) {
            return Err(ProtocolError::BadName(name));
        }
        if !seen.services.insert(encoded) {
            return Err(ProtocolError::OfferedTwice(format!("service {name}")));
        }
        Ok(ServiceOffer { name, version, methods })
    }
}

impl MethodOffer {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_field(&mut out, METHOD_NAME, self.name.as_bytes());
        put_field(&mut out, METHOD_CALL_ID, &self.call_id.get().to_le_bytes());
        put_field(&mut out, METHOD_SCHEMA, &self.schema.0);
        let flags = [
            (self.idempotent, METHOD_IDEMPOTENT),
            (self.streams.caller, METHOD_CALLER_STREAMS),
            (self.streams.service, METHOD_SERVICE_STREAMS),
        ];
        let flags = flags.iter().filter(|(is_so, _)| *is_so).fold(0, |all, (_, flag)| all | flag);
        if flags != 0 {
            put_field(&mut out, METHOD_FLAGS, &[flags]);
        }
        put_field(&mut out, METHOD_WIRE, &self.wire.0);
        out
    }

    /// `None` for a method that can only be called by a later version, or by a side that speaks streams.
    fn decode(bytes: &[u8], understood: u8) -> Result<Option<MethodOffer>, ProtocolError> {
        let mut reader = Reader::new(bytes);
        let (mut name, mut call_id, mut schema, mut wire, mut flags) = (None, None, None, None, 0);
        let mut first = First::default();
        while let Some((tag, value)) = reader.field()? {
            match tag {
                _ if !first.is(tag) => {}
                METHOD_NAME => name = Some(text(value)?),
                METHOD_CALL_ID => call_id = CallId::pinned(number(value)?),
                METHOD_SCHEMA => schema = Some(Fingerprint(Reader::new(value).array()?)),
                METHOD_FLAGS => flags = Reader::new(value).u8()?,
                METHOD_WIRE => wire = Some(Fingerprint(Reader::new(value).array()?)),
                _ => {}
            }
        }
        if flags & METHOD_CRITICAL & !understood != 0 {
            return Ok(None);
        }
        let name = name.ok_or(WireError::Truncated)?;
        if !is_method_name(&name) {
            return Err(ProtocolError::BadName(name));
        }
        Ok(Some(MethodOffer {
            name,
            call_id: call_id.ok_or(WireError::Truncated)?,
            schema: schema.ok_or(WireError::Truncated)?,
            wire: wire.ok_or(WireError::Truncated)?,
            idempotent: flags & METHOD_IDEMPOTENT != 0,
            streams: Streaming {
                caller: flags & METHOD_CALLER_STREAMS != 0,
                service: flags & METHOD_SERVICE_STREAMS != 0,
            },
        }))
    }
}
