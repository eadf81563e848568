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
const STRING: &[u8] = &[0x0f];
const BYTES: &[u8] = &[0x10];
const UNIT: &[u8] = &[0x00];

/// A method of the service.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    pub name: &'static str,
    arguments: &'static [Field],
    response: &'static [u8],
}

/// The methods; tests/conformance/README.md says what each does.
pub const METHODS: &[Method] = &[
    Method { name: "echo", arguments: &[("text", STRING)], response: STRING },
    Method { name: "large", arguments: &[("size", U32)], response: BYTES },
    Method { name: "fail", arguments: &[("code", U8), ("message", STRING)], response: UNIT },
    Method { name: "hold", arguments: &[("key", STRING)], response: UNIT },
    Method { name: "held", arguments: &[("key", STRING)], response: U32 },
    Method { name: "ready", arguments: &[("ready", BOOL)], response: UNIT },
    Method { name: "drain", arguments: &[], response: UNIT },
];

/// `echo`, the one method that a tested connector calls.
pub const ECHO: Method = METHODS[0];

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
        // The request is definition 0. No items, no error type, no attributes.
        let mut out = [&[format][..], &blob(doc), &[0x25, 0, 0], self.response, &[0, 1, 0x30, 0, 0]].concat();
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
