//! HELLO: ours, which a case may bend in any way, and the tested side's, which is read by the rules of the page.

use crate::frame::{Frame, kind};
use crate::service::{Fingerprint, fields};
use crate::value::Reader;
use crate::verdict::{Step, breaks, rule, section};
use std::collections::BTreeSet;

/// The tags of HELLO's fields.
pub mod tag {
    pub const VERSIONS: u8 = 1;
    pub const MAX_FRAME: u8 = 2;
    pub const MAX_MESSAGE: u8 = 3;
    pub const MAX_CALLS: u8 = 4;
    pub const IDENTITY: u8 = 5;
    pub const SERVICE: u8 = 6;
    pub const STREAMS: u8 = 7;
    pub const TOKEN: u8 = 8;
    pub const CODECS: u8 = 9;
    pub const FEATURES: u8 = 10;
    pub const WINDOW: u8 = 11;
}

/// The largest body of HELLO and SCHEMA.
pub const MAX_CONTROL: usize = 1 << 20;

/// Our HELLO, field by field.
#[derive(Clone, Debug)]
pub struct Hello(Vec<(u8, Vec<u8>)>);

impl Default for Hello {
    fn default() -> Hello {
        Hello::new()
    }
}

impl Hello {
    /// One that speaks version 1 and tells nothing else but who it is.
    pub fn new() -> Hello {
        Hello(vec![(tag::VERSIONS, vec![1, 0, 1, 0]), (tag::IDENTITY, b"conformance".to_vec())])
    }

    /// The same with this field in place of those with its tag.
    #[must_use]
    pub fn set(mut self, tag: u8, value: impl Into<Vec<u8>>) -> Hello {
        self.0.retain(|field| field.0 != tag);
        self.and(tag, value)
    }

    /// The same with this field after the others.
    #[must_use]
    pub fn and(mut self, tag: u8, value: impl Into<Vec<u8>>) -> Hello {
        self.0.push((tag, value.into()));
        self
    }

    /// The same without the fields of that tag.
    #[must_use]
    pub fn without(mut self, tag: u8) -> Hello {
        self.0.retain(|field| field.0 != tag);
        self
    }

    /// The same with its fields in the opposite order.
    #[must_use]
    pub fn reversed(mut self) -> Hello {
        self.0.reverse();
        self
    }

    /// The same with that max_frame.
    #[must_use]
    pub fn max_frame(self, bytes: u32) -> Hello {
        self.set(tag::MAX_FRAME, bytes.to_le_bytes())
    }

    /// The same with that max_message.
    #[must_use]
    pub fn max_message(self, bytes: u32) -> Hello {
        self.set(tag::MAX_MESSAGE, bytes.to_le_bytes())
    }

    /// The same with that max_calls.
    #[must_use]
    pub fn max_calls(self, calls: u32) -> Hello {
        self.set(tag::MAX_CALLS, calls.to_le_bytes())
    }

    /// The same with that window.
    #[must_use]
    pub fn window(self, bytes: u32) -> Hello {
        self.set(tag::WINDOW, bytes.to_le_bytes())
    }

    /// The same of a side that speaks streams, with that initial credit for each.
    #[must_use]
    pub fn streams(self, credit: Credit) -> Hello {
        self.set(tag::STREAMS, [credit.items.to_le_bytes(), credit.bytes.to_le_bytes()].concat())
    }

    /// The initial credit that it tells, if it speaks streams.
    pub fn credit(&self) -> Option<Credit> {
        let field = self.0.iter().find(|field| field.0 == tag::STREAMS)?;
        credit(&field.1).ok()
    }

    /// The frame.
    pub fn frame(&self) -> Frame {
        Frame::new(kind::HELLO, 0, fields(&self.0))
    }

    /// The limits that are in force by it, moved to their bounds; of several fields with one tag the first counts.
    pub fn limits(&self) -> Limits {
        let said = |tag, default| {
            let field = self.0.iter().find(|field| field.0 == tag);
            field.and_then(|field| Reader(&field.1).u32().ok()).unwrap_or(default)
        };
        let told = [tag::MAX_FRAME, tag::MAX_MESSAGE, tag::MAX_CALLS, tag::WINDOW];
        Limits::moved([
            said(told[0], 1 << 16),
            said(told[1], 1 << 24),
            said(told[2], 1024),
            said(told[3], 1 << 26),
        ])
    }
}

/// What a side accepts.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub max_frame: usize,
    pub max_message: usize,
    pub max_calls: usize,
    /// The bytes that messages in parts may have together.
    pub window: usize,
}

impl Limits {
    /// Moves to their bounds what a HELLO says: max_frame, max_message, max_calls, window.
    fn moved([frame, message, calls, window]: [u32; 4]) -> Limits {
        let max_message = message.clamp(1024, 1 << 26) as usize;
        Limits {
            max_frame: frame.clamp(1024, 1 << 16) as usize,
            max_message,
            max_calls: calls.max(1) as usize,
            window: (window as usize).clamp(max_message, 1 << 26),
        }
    }
}

/// Credit for a stream.
#[derive(Clone, Copy, Debug)]
pub struct Credit {
    pub items: u32,
    pub bytes: u32,
}

fn credit(value: &[u8]) -> Result<Credit, String> {
    let mut reader = Reader(value);
    Ok(Credit { items: reader.u32()?, bytes: reader.u32()? })
}

/// A method that the tested side offers.
#[derive(Clone, Debug)]
pub struct Offered {
    /// `service.method`
    pub name: String,
    pub call_id: u32,
    /// Bits 0x02 and 0x04 of its flags: the caller streams, the service streams.
    pub streams: u8,
    pub document: Fingerprint,
    pub wire: Fingerprint,
}

/// The tested side's HELLO.
#[derive(Clone, Debug)]
pub struct Told {
    pub limits: Limits,
    /// The initial credit that it gives for each stream, if it says that it speaks them.
    pub streams: Option<Credit>,
    /// Whether it says which codecs it has for compressed messages.
    pub codecs: bool,
    pub methods: Vec<Offered>,
}

impl Told {
    /// Reads its body by the rules.
    ///
    /// # Errors
    /// When it breaks one.
    pub fn read(body: &[u8]) -> Step<Told> {
        let fields = split(body, "HELLO")?;
        let versions = number_of(&fields, tag::VERSIONS, 4)?;
        let range = versions.map(|value| (value & 0xffff, value >> 16));
        rule(range.is_some_and(|(oldest, newest)| oldest <= 1 && newest >= 1), section::HANDSHAKE, || {
            format!("HELLO says versions {range:?}, where 1 should be among them")
        })?;
        let identity = first(&fields, tag::IDENTITY).unwrap_or_default();
        rule(std::str::from_utf8(identity).is_ok(), section::HANDSHAKE, || {
            "its identity is not UTF-8".into()
        })?;
        // The bytes between this program and the tested side go over plain TCP.
        rule(first(&fields, tag::TOKEN).is_none(), section::LET_IN, || {
            "HELLO brings a token along over plain TCP".into()
        })?;
        let mut limits = [1 << 16, 1 << 24, 1024, 1 << 26];
        for (limit, tag) in
            limits.iter_mut().zip([tag::MAX_FRAME, tag::MAX_MESSAGE, tag::MAX_CALLS, tag::WINDOW])
        {
            *limit = number_of(&fields, tag, 4)?.unwrap_or(*limit);
        }
        let streams = match first(&fields, tag::STREAMS).map(credit) {
            Some(Err(problem)) => {
                return breaks(section::HANDSHAKE, format!("field 7 of HELLO is too short: {problem}"));
            }
            told => told.and_then(Result::ok),
        };
        let mut told = Told {
            limits: Limits::moved(limits),
            streams,
            codecs: first(&fields, tag::CODECS).is_some(),
            methods: Vec::new(),
        };
        let mut services = BTreeSet::new();
        for (_, value) in fields.iter().filter(|(tag, _)| *tag == tag::SERVICE) {
            let name = told.service(value)?;
            rule(services.insert(name.clone()), section::HANDSHAKE, || {
                format!("service `{name}` is offered twice")
            })?;
        }
        Ok(told)
    }

    fn service(&mut self, value: &[u8]) -> Step<String> {
        let fields = split(value, "a service of HELLO")?;
        let service = text(&fields, 1, "a service")?;
        for (_, value) in fields.iter().filter(|(tag, _)| *tag == 2) {
            let fields = split(value, "a method of HELLO")?;
            let name = format!("{service}.{}", text(&fields, 1, "a method")?);
            let call_id = number_of(&fields, 2, 4)?.unwrap_or(0);
            let fingerprint = |tag| match first(&fields, tag).map(Fingerprint::try_from) {
                Some(Ok(fingerprint)) => Ok(fingerprint),
                _ => {
                    breaks(section::HANDSHAKE, format!("`{name}` lacks a fingerprint of 16 bytes, tag {tag}"))
                }
            };
            let streams = first(&fields, 4).and_then(|flags| flags.first()).unwrap_or(&0) & 0x06;
            rule(streams == 0 || self.streams.is_some(), section::STREAMS, || {
                format!("`{name}` streams, but HELLO does not say that streams are spoken")
            })?;
            let method = Offered { call_id, streams, document: fingerprint(3)?, wire: fingerprint(5)?, name };
            rule(call_id != 0, section::HANDSHAKE, || format!("`{}` has no Call ID, or 0", method.name))?;
            let twice =
                self.methods.iter().find(|other| other.name == method.name || other.call_id == call_id);
            rule(twice.is_none(), section::HANDSHAKE, || {
                format!("`{}` has the name or the Call ID of another method", method.name)
            })?;
            self.methods.push(method);
        }
        Ok(service)
    }
}

/// Cuts fields apart; a field that ends early breaks the handshake.
fn split<'a>(body: &'a [u8], what: &str) -> Step<Vec<(u8, &'a [u8])>> {
    let mut reader = Reader(body);
    let mut fields = Vec::new();
    while !reader.is_empty() {
        match reader.byte().and_then(|tag| Ok((tag, reader.blob()?))) {
            Ok(field) => fields.push(field),
            Err(problem) => return breaks(section::HANDSHAKE, format!("{what} cannot be read: {problem}")),
        }
    }
    Ok(fields)
}

fn first<'a>(fields: &[(u8, &'a [u8])], tag: u8) -> Option<&'a [u8]> {
    fields.iter().find(|field| field.0 == tag).map(|field| field.1)
}

fn number_of(fields: &[(u8, &[u8])], tag: u8, size: usize) -> Step<Option<u32>> {
    let Some(value) = first(fields, tag) else { return Ok(None) };
    match Reader(value).u32() {
        Ok(number) if value.len() == size => Ok(Some(number)),
        _ => breaks(
            section::HANDSHAKE,
            format!("the field {tag} of HELLO has {} bytes, not {size}", value.len()),
        ),
    }
}

fn text(fields: &[(u8, &[u8])], tag: u8, what: &str) -> Step<String> {
    let text = first(fields, tag).map(|value| String::from_utf8(value.to_vec()));
    match text {
        Some(Ok(text)) => Ok(text),
        _ => breaks(section::HANDSHAKE, format!("{what} of HELLO has no name in UTF-8")),
    }
}
