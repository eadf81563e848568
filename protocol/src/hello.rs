//! The handshake: each side says who it is, what it accepts, and what it offers.
//!
//! A HELLO's body is a sequence of fields (tag, length, value), so that a later version can add some and an earlier
//! one skips them. An offer's value holds such fields again.

use crate::call_id::CallId;
use crate::frame::{ProtocolError, VERSION};
use crate::limits::Limits;
use crate::schema::Fingerprint;
use crate::wire::{Reader, WireError, put_field};

const VERSIONS: u8 = 1;
const MAX_FRAME_FIELD: u8 = 2;
const MAX_MESSAGE_FIELD: u8 = 3;
const MAX_CALLS_FIELD: u8 = 4;
const IDENTITY: u8 = 5;
const SERVICE: u8 = 6;

const SERVICE_NAME: u8 = 1;
const SERVICE_METHOD: u8 = 2;
const SERVICE_VERSION: u8 = 3;

const METHOD_NAME: u8 = 1;
const METHOD_CALL_ID: u8 = 2;
const METHOD_SCHEMA: u8 = 3;
const METHOD_FLAGS: u8 = 4;

const METHOD_IDEMPOTENT: u8 = 0x01;

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
    /// The fingerprint of its schema, by which it can be asked for.
    pub schema: Fingerprint,
    /// Running it twice does what running it once does.
    pub idempotent: bool,
}

impl Hello {
    /// A HELLO of this crate's version.
    pub fn new(identity: impl Into<String>, limits: Limits, services: Vec<ServiceOffer>) -> Hello {
        Hello {
            versions: (VERSION, VERSION),
            limits,
            identity: identity.into(),
            services,
        }
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
        for service in &self.services {
            put_field(out, SERVICE, &service.encode());
        }
    }

    /// Reads a HELLO and settles the version: an error when there is no common one.
    pub(crate) fn decode(body: &[u8]) -> Result<Hello, ProtocolError> {
        let mut reader = Reader::new(body);
        let mut versions = None;
        let mut limits = Limits::default();
        let mut identity = String::new();
        let mut services = Vec::new();
        while let Some((tag, value)) = reader.field()? {
            match tag {
                VERSIONS => {
                    let mut range = Reader::new(value);
                    versions = Some((
                        u16::from_le_bytes(range.array()?),
                        u16::from_le_bytes(range.array()?),
                    ));
                }
                MAX_FRAME_FIELD => limits.max_frame = number(value)?,
                MAX_MESSAGE_FIELD => limits.max_message = number(value)?,
                MAX_CALLS_FIELD => limits.max_calls = number(value)?,
                IDENTITY => identity = text(value)?,
                SERVICE => services.push(ServiceOffer::decode(value)?),
                _ => {}
            }
        }
        let (min, max) = versions.ok_or(WireError::Truncated)?;
        if !(min..=max).contains(&VERSION) {
            return Err(ProtocolError::NoCommonVersion { min, max });
        }
        Ok(Hello {
            versions: (min, max),
            limits: limits.clamped(),
            identity,
            services,
        })
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

    fn decode(bytes: &[u8]) -> Result<ServiceOffer, ProtocolError> {
        let mut reader = Reader::new(bytes);
        let mut service = ServiceOffer {
            name: String::new(),
            version: String::new(),
            methods: Vec::new(),
        };
        while let Some((tag, value)) = reader.field()? {
            match tag {
                SERVICE_NAME => service.name = text(value)?,
                SERVICE_VERSION => service.version = text(value)?,
                SERVICE_METHOD => service.methods.push(MethodOffer::decode(value)?),
                _ => {}
            }
        }
        Ok(service)
    }
}

impl MethodOffer {
    fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        put_field(&mut out, METHOD_NAME, self.name.as_bytes());
        put_field(&mut out, METHOD_CALL_ID, &self.call_id.get().to_le_bytes());
        put_field(&mut out, METHOD_SCHEMA, &self.schema.0);
        if self.idempotent {
            put_field(&mut out, METHOD_FLAGS, &[METHOD_IDEMPOTENT]);
        }
        out
    }

    fn decode(bytes: &[u8]) -> Result<MethodOffer, ProtocolError> {
        let mut reader = Reader::new(bytes);
        let (mut name, mut call_id, mut schema, mut idempotent) = (String::new(), None, None, false);
        while let Some((tag, value)) = reader.field()? {
            match tag {
                METHOD_NAME => name = text(value)?,
                METHOD_CALL_ID => call_id = CallId::pinned(number(value)?),
                METHOD_SCHEMA => schema = Some(Fingerprint(Reader::new(value).array()?)),
                METHOD_FLAGS => idempotent = Reader::new(value).u8()? & METHOD_IDEMPOTENT != 0,
                _ => {}
            }
        }
        Ok(MethodOffer {
            name,
            call_id: call_id.ok_or(WireError::Truncated)?,
            schema: schema.ok_or(WireError::Truncated)?,
            idempotent,
        })
    }
}

fn number(value: &[u8]) -> Result<u32, WireError> {
    Ok(u32::from_le_bytes(Reader::new(value).array()?))
}

fn text(value: &[u8]) -> Result<String, WireError> {
    String::from_utf8(value.to_vec()).map_err(|_| WireError::InvalidUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(crate) fn example() -> Hello {
        let method = MethodOffer {
            name: "add".into(),
            call_id: CallId::of("calc", "add"),
            schema: Fingerprint::of(b"x"),
            idempotent: true,
        };
        let service = ServiceOffer {
            name: "calc".into(),
            version: "1.2".into(),
            methods: vec![method],
        };
        Hello::new(
            "shop/0.1.0",
            Limits {
                max_frame: 4096,
                ..Limits::default()
            },
            vec![service],
        )
    }

    fn encoded(hello: &Hello) -> Vec<u8> {
        let mut out = Vec::new();
        hello.encode(&mut out);
        out
    }

    #[test]
    fn a_hello_survives_its_encoding_and_unknown_fields_are_skipped() {
        let mut bytes = encoded(&example());
        put_field(&mut bytes, 250, b"of a later version");
        assert_eq!(Hello::decode(&bytes), Ok(example()));
    }

    #[test]
    fn a_peer_without_a_common_version_is_refused() {
        let hello = Hello {
            versions: (2, 3),
            ..example()
        };
        assert_eq!(
            Hello::decode(&encoded(&hello)),
            Err(ProtocolError::NoCommonVersion { min: 2, max: 3 })
        );
    }

    #[test]
    fn a_newer_peer_that_still_speaks_ours_is_accepted() {
        let hello = Hello {
            versions: (1, 9),
            ..example()
        };
        assert!(Hello::decode(&encoded(&hello)).is_ok());
    }
}
