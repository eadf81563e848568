//! The handshake: each side says who it is, what it accepts, and what it offers.
//!
//! A HELLO's body is a sequence of fields (tag, length, value), so that a later version can add some and an earlier
//! one skips them. An offer's value holds such fields again. Of several fields that may stand once the first counts.

use crate::call_id::CallId;
use crate::first::First;
use crate::frame::{ProtocolError, VERSION};
use crate::limits::{Limits, StreamCredit};
use crate::name::{is_method_name, is_service_name};
use crate::schema::Fingerprint;
use crate::token::Token;
use crate::wire::{Reader, WireError, put_field};
use std::collections::HashSet;

const VERSIONS: u8 = 1;
const MAX_FRAME_FIELD: u8 = 2;
const MAX_MESSAGE_FIELD: u8 = 3;
const MAX_CALLS_FIELD: u8 = 4;
const IDENTITY: u8 = 5;
const SERVICE: u8 = 6;
const STREAMS: u8 = 7;
// 9 codecs and 10 features are kept for later: see docs/protocol.md.
const TOKEN: u8 = 8;
const WINDOW: u8 = 11;

const SERVICE_NAME: u8 = 1;
const SERVICE_METHOD: u8 = 2;
const SERVICE_VERSION: u8 = 3;

const METHOD_NAME: u8 = 1;
const METHOD_CALL_ID: u8 = 2;
const METHOD_SCHEMA: u8 = 3;
const METHOD_FLAGS: u8 = 4;
const METHOD_WIRE: u8 = 5;

const METHOD_IDEMPOTENT: u8 = 0x01;
const METHOD_CALLER_STREAMS: u8 = 0x02;
const METHOD_SERVICE_STREAMS: u8 = 0x04;
/// As in a frame's flags: who does not know one of these bits must not use the method.
const METHOD_CRITICAL: u8 = 0x0f;

/// What a side says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The oldest and the newest version that it speaks. The highest common one is spoken.
    pub versions: (u16, u16),
    /// What it accepts.
    pub limits: Limits,
    /// Who it is, for logs and status pages: `shop/0.1.0 pid 4711`.
    pub identity: String,
    /// What it offers; empty for a caller.
    pub services: Vec<ServiceOffer>,
    /// That it speaks streams, and how much of each it takes before it gives more credit. `None`: it speaks none, and does not
    /// see what of the peer needs them.
    pub streams: Option<StreamCredit>,
    /// What a caller brings along to be let in. Not to be sent where others may read it.
    pub token: Option<Token>,
}

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

impl Hello {
    /// A HELLO of this crate's version, of a side that speaks no streams.
    pub fn new(identity: impl Into<String>, limits: Limits, services: Vec<ServiceOffer>) -> Hello {
        Hello {
            versions: (VERSION, VERSION),
            limits,
            identity: identity.into(),
            services,
            streams: None,
            token: None,
        }
    }

    /// The same of a side that speaks streams.
    #[must_use]
    pub fn speaking_streams(self, credit: StreamCredit) -> Hello {
        Hello { streams: Some(credit), ..self }
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let mut versions = [0; 4];
        versions[..2].copy_from_slice(&self.versions.0.to_le_bytes());
        versions[2..].copy_from_slice(&self.versions.1.to_le_bytes());
        put_field(out, VERSIONS, &versions);
        put_field(out, MAX_FRAME_FIELD, &self.limits.max_frame.to_le_bytes());
        put_field(out, MAX_MESSAGE_FIELD, &self.limits.max_message.to_le_bytes());
        put_field(out, MAX_CALLS_FIELD, &self.limits.max_calls.to_le_bytes());
        put_field(out, IDENTITY, self.identity.as_bytes());
        if let Some(credit) = self.streams {
            let numbers = [credit.items.to_le_bytes(), credit.bytes.to_le_bytes()];
            put_field(out, STREAMS, &numbers.concat());
        }
        if let Some(token) = &self.token {
            put_field(out, TOKEN, token.as_bytes());
        }
        put_field(out, WINDOW, &self.limits.window.to_le_bytes());
        for service in &self.services {
            put_field(out, SERVICE, &service.encode());
        }
    }

    /// Reads a HELLO and settles the version: an error when there is no common one. A side that does not speak streams itself skips
    /// what it says of them.
    pub(crate) fn decode(body: &[u8], speaks_streams: bool) -> Result<Hello, ProtocolError> {
        let streams = if speaks_streams { credit(body)? } else { None };
        let mut reader = Reader::new(body);
        let mut versions = None;
        let mut limits = Limits::default();
        let mut identity = String::new();
        let (mut services, mut token) = (Vec::new(), None);
        let (mut first, mut seen) = (First::default(), Seen::new(streams.is_some()));
        while let Some((tag, value)) = reader.field()? {
            match tag {
                SERVICE => services.push(ServiceOffer::decode(value, &mut seen)?),
                _ if !first.is(tag) => {}
                VERSIONS => {
                    let mut range = Reader::new(value);
                    versions = Some((u16::from_le_bytes(range.array()?), u16::from_le_bytes(range.array()?)));
                }
                MAX_FRAME_FIELD => limits.max_frame = number(value)?,
                MAX_MESSAGE_FIELD => limits.max_message = number(value)?,
                MAX_CALLS_FIELD => limits.max_calls = number(value)?,
                IDENTITY => identity = text(value)?,
                TOKEN => token = Some(Token::brought(value)),
                WINDOW => limits.window = number(value)?,
                _ => {}
            }
        }
        let (min, max) = versions.ok_or(WireError::Truncated)?;
        if !(min..=max).contains(&VERSION) {
            return Err(ProtocolError::NoCommonVersion { min, max });
        }
        Ok(Hello { versions: (min, max), limits: limits.clamped(), identity, services, streams, token })
    }
}

/// The credit for streams that a HELLO tells. What is offered depends on it, wherever it stands.
fn credit(body: &[u8]) -> Result<Option<StreamCredit>, ProtocolError> {
    let mut reader = Reader::new(body);
    while let Some((tag, value)) = reader.field()? {
        if tag == STREAMS {
            let mut numbers = Reader::new(value);
            let mut number = || Ok::<u32, WireError>(u32::from_le_bytes(numbers.array()?));
            return Ok(Some(StreamCredit { items: number()?, bytes: number()? }.clamped()));
        }
    }
    Ok(None)
}

/// What a HELLO has offered so far.
struct Seen<'a> {
    /// The flags of methods that are understood.
    understood: u8,
    services: HashSet<&'a [u8]>,
    call_ids: HashSet<CallId>,
}

impl Seen<'_> {
    fn new(streams: bool) -> Self {
        let of_streams = if streams { METHOD_CALLER_STREAMS | METHOD_SERVICE_STREAMS } else { 0 };
        let understood = METHOD_IDEMPOTENT | of_streams;
        Seen { understood, services: HashSet::new(), call_ids: HashSet::new() }
    }
}

impl ServiceOffer {
    fn encode(&self) -> Vec<u8> {
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

    fn decode<'a>(bytes: &'a [u8], seen: &mut Seen<'a>) -> Result<ServiceOffer, ProtocolError> {
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

fn number(value: &[u8]) -> Result<u32, WireError> {
    Ok(u32::from_le_bytes(Reader::new(value).array()?))
}

fn text(value: &[u8]) -> Result<String, WireError> {
    String::from_utf8(value.to_vec()).map_err(|_| WireError::InvalidUtf8)
}

#[cfg(test)]
pub(crate) mod tests;
