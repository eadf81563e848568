//! The handshake: each side says who it is, what it accepts, and what it offers.
//!
//! A HELLO's body is a sequence of fields (tag, length, value), so that a later version can add some and an earlier
//! one skips them. An offer's value holds such fields again. Of several fields that may stand once the first counts.

mod offer;

use crate::first::First;
use crate::frame::{ProtocolError, VERSION};
use crate::limits::{Limits, StreamCredit};
use crate::token::Token;
use crate::wire::{Reader, WireError, put_field};
use offer::Seen;

pub use offer::{MethodOffer, ServiceOffer, Streaming};

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

fn number(value: &[u8]) -> Result<u32, WireError> {
    Ok(u32::from_le_bytes(Reader::new(value).array()?))
}

fn text(value: &[u8]) -> Result<String, WireError> {
    String::from_utf8(value.to_vec()).map_err(|_| WireError::InvalidUtf8)
}

#[cfg(test)]
pub(crate) mod tests;
