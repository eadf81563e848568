//! The service `conformance`: its methods, their schemas as the page has them written, and how it is offered.

use crate::value::{blob, number};
use sha2::{Digest, Sha256};

/// The service's name.
pub const SERVICE: &str = "conformance";

/// The first 16 bytes of a SHA-256.
pub type Fingerprint = [u8; 16];

/// The name of a definition or field, and its type as a schema writes it.
type Field = (&'static str, &'static [u8]);

const BOOL: &[u8] = &[0x01];
const U8: &[u8] = &[0x02];
const U32: &[u8] = &[0x04];
const U64: &[u8] = &[0x05];
const STRING: &[u8] = &[0x0f];
const BYTES: &[u8] = &[0x10];
const UNIT: &[u8] = &[0x00];

/// A method of the service.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    pub name: &'static str,
    arguments: &'static [Field],
    /// What the caller streams.
    items: Option<&'static [u8]>,
    response: &'static [u8],
}

impl Method {
    /// One that does not stream, or whose service does.
    const fn new(name: &'static str, arguments: &'static [Field], response: &'static [u8]) -> Method {
        Method { name, arguments, items: None, response }
    }

    /// The same of which the caller streams such items.
    const fn taking(self, items: &'static [u8]) -> Method {
        Method { items: Some(items), ..self }
    }
}

/// The methods; tests/conformance/README.md says what each does.
pub const METHODS: &[Method] = &[
    Method::new("echo", &[("text", STRING)], STRING),
    Method::new("large", &[("size", U32)], BYTES),
    Method::new("fail", &[("code", U8), ("message", STRING)], UNIT),
    Method::new("hold", &[("key", STRING)], UNIT),
    Method::new("held", &[("key", STRING)], U32),
    Method::new("ready", &[("ready", BOOL)], UNIT),
    Method::new("drain", &[], UNIT),
    Method::new("count", &[("to", U32)], U32),
    Method::new("sum", &[], U64).taking(U32),
    Method::new("chat", &[], STRING).taking(STRING),
];

/// `echo`, the method that a tested connector calls.
pub const ECHO: Method = METHODS[0];

/// `chat`, which it calls if it speaks streams.
pub const CHAT: Method = METHODS[9];

impl Method {
    /// The Call ID that it has where no other is pinned.
    pub fn call_id(&self) -> u32 {
        let name = format!("{SERVICE}.{}", self.name);
        let hash = name
            .bytes()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        hash.max(1)
    }

    /// The schema with this documentation.
    pub fn schema(&self, doc: &str) -> Vec<u8> {
        self.encode(1, doc)
    }

    /// The fingerprint of the wire form.
    pub fn wire(&self) -> Fingerprint {
        fingerprint(&self.encode(0, ""))
    }

    fn encode(&self, format: u8, doc: &str) -> Vec<u8> {
        let items = self.items.map_or_else(|| vec![0], |items| [&[1], items].concat());
        // The request is definition 0. No error type, no attributes.
        let mut out =
            [&[format][..], &blob(doc), &[0x25, 0], &items, self.response, &[0, 1, 0x30, 0, 0]].concat();
        out.extend(number(self.arguments.len() as u64));
        for (name, kind) in self.arguments {
            // No aliases, no documentation, no default, no attributes.
            out.extend([&blob(name)[..], &[0, 0], kind, &[0, 0]].concat());
        }
        out.extend([0, 0]);
        out
    }
}

/// The fingerprint of a schema's bytes.
pub fn fingerprint(bytes: &[u8]) -> Fingerprint {
    let mut first = [0; 16];
    first.copy_from_slice(&Sha256::digest(bytes)[..16]);
    first
}

/// A method as it is offered, field by field, so that a case may leave one out or add one.
#[derive(Clone, Debug)]
pub struct Offer(Vec<(u8, Vec<u8>)>);

impl Offer {
    /// `echo`, with a schema of this documentation.
    pub fn echo(doc: &str) -> Offer {
        Offer::new("echo", ECHO.call_id(), fingerprint(&ECHO.schema(doc)), ECHO.wire())
    }

    /// `chat`, which streams both ways.
    pub fn chat() -> Offer {
        Offer::new("chat", CHAT.call_id(), fingerprint(&CHAT.schema("")), CHAT.wire()).and(4, &[0x06])
    }

    /// A method.
    pub fn new(name: &str, call_id: u32, document: Fingerprint, wire: Fingerprint) -> Offer {
        let id = call_id.to_le_bytes();
        Offer(vec![(1, name.into()), (2, id.to_vec()), (3, document.to_vec()), (5, wire.to_vec())])
    }

    /// The same with this field in place of those with its tag.
    #[must_use]
    pub fn set(self, tag: u8, value: &[u8]) -> Offer {
        self.without(tag).and(tag, value)
    }

    /// The same with this field after the others.
    #[must_use]
    pub fn and(mut self, tag: u8, value: &[u8]) -> Offer {
        self.0.push((tag, value.to_vec()));
        self
    }

    /// The same without the fields of that tag.
    #[must_use]
    pub fn without(mut self, tag: u8) -> Offer {
        self.0.retain(|field| field.0 != tag);
        self
    }
}

/// A service in HELLO: the value of a field 6.
pub fn service(name: &str, methods: &[Offer]) -> Vec<u8> {
    let mut out = fields(&[(1, name.into())]);
    for Offer(method) in methods {
        out.extend(fields(&[(2, fields(method))]));
    }
    out
}

/// Fields as HELLO has them: a tag, then a blob.
pub fn fields(fields: &[(u8, Vec<u8>)]) -> Vec<u8> {
    fields.iter().flat_map(|(tag, value)| [vec![*tag], blob(value)].concat()).collect()
}
