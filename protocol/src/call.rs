//! The head of a CALL: which method, how much time is left, and metadata.
//!
//! ```text
//! 0..4   Call ID, u32 little endian
//! 4..8   time left in milliseconds, u32 little endian; 0: no deadline
//! 8..10  with flag METADATA only: length of the block, u16 little endian; then the block
//! …      the arguments in profile 1
//! ```
//! With the frame's header that is 18 bytes beside the payload. A metadata entry is a key byte, for key 0 a name (a
//! length byte, then ASCII), and a value behind its length; whoever does not know a key skips its entry.

use crate::call_id::CallId;
use crate::frame::ProtocolError;
use crate::limits::MAX_METADATA;
use crate::wire::{Reader, WireError, put_bytes};

/// Keys of metadata entries that have a number instead of a name.
pub mod key {
    /// An entry with its own name.
    pub const NAMED: u8 = 0;
    /// The request's id, as the caller knows it.
    pub const REQUEST_ID: u8 = 1;
    /// W3C trace context.
    pub const TRACEPARENT: u8 = 2;
    /// W3C trace context, the vendors' part.
    pub const TRACESTATE: u8 = 3;
    /// Who calls.
    pub const CALLER: u8 = 4;

    /// The name of a numbered key, in the form in which [`super::Metadata::iter`] gives it.
    pub const fn name(key: u8) -> Option<&'static str> {
        match key {
            REQUEST_ID => Some("request-id"),
            TRACEPARENT => Some("traceparent"),
            TRACESTATE => Some("tracestate"),
            CALLER => Some("caller"),
            _ => None,
        }
    }
}

/// What a CALL says before its payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallHead<'a> {
    /// The method.
    pub call_id: CallId,
    /// The time that is left for the answer, in milliseconds; `None` without a deadline. 0 is sent as 1.
    pub timeout_ms: Option<u32>,
    /// Request id, trace context and the like.
    pub metadata: Metadata<'a>,
}

impl<'a> CallHead<'a> {
    /// Writes the head; whether [`METADATA`](crate::frame::flag::METADATA) has to be set follows from the metadata.
    #[inline]
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.call_id.get().to_le_bytes());
        // 0 would say that there is no deadline.
        let timeout = self.timeout_ms.map_or(0, |ms| ms.max(1));
        out.extend_from_slice(&timeout.to_le_bytes());
        if !self.metadata.is_empty() {
            out.extend_from_slice(&(self.metadata.block.len() as u16).to_le_bytes());
            out.extend_from_slice(self.metadata.block);
        }
    }

    /// Splits the body of a CALL into head and payload.
    pub(crate) fn decode(body: &'a [u8], has_metadata: bool) -> Result<(Self, &'a [u8]), ProtocolError> {
        let mut reader = Reader::new(body);
        let number = u32::from_le_bytes(reader.array()?);
        let call_id = CallId::pinned(number).ok_or(WireError::IntegerOutOfRange)?;
        let timeout = u32::from_le_bytes(reader.array()?);
        let block = if has_metadata {
            let length = u16::from_le_bytes(reader.array()?);
            if usize::from(length) > MAX_METADATA {
                return Err(WireError::IntegerOutOfRange.into());
            }
            reader.take(length.into())?
        } else {
            &[]
        };
        let head =
            CallHead { call_id, timeout_ms: (timeout > 0).then_some(timeout), metadata: Metadata { block } };
        Ok((head, reader.take(reader.remaining())?))
    }
}

/// The metadata of a call, as it lies in the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Metadata<'a> {
    block: &'a [u8],
}

impl<'a> Metadata<'a> {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.block.is_empty()
    }

    /// The value of that name (`request-id`, `traceparent`, …), if it is there.
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// All entries with a known or spelled-out name. A block that is cut short ends early.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let mut reader = Reader::new(self.block);
        std::iter::from_fn(move || {
            loop {
                if let (Some(name), value) = entry(&mut reader).ok()? {
                    return Some((name, value));
                }
            }
        })
    }
}

fn entry<'a>(reader: &mut Reader<'a>) -> Result<(Option<&'a str>, &'a [u8]), WireError> {
    let key = reader.u8()?;
    let name = if key == key::NAMED {
        let length = reader.u8()?;
        std::str::from_utf8(reader.take(length.into())?).ok()
    } else {
        key::name(key)
    };
    Ok((name, reader.bytes()?))
}

/// Metadata under construction. Reused from call to call it allocates nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataBuf {
    block: Vec<u8>,
}

impl MetadataBuf {
    /// No entries, and room for so many bytes of them.
    pub fn with_capacity(bytes: usize) -> MetadataBuf {
        MetadataBuf { block: Vec::with_capacity(bytes) }
    }

    /// Takes out all entries.
    pub fn clear(&mut self) {
        self.block.clear();
    }

    /// Adds an entry under a numbered key. Says `false`, and adds nothing, when the block would grow past
    /// [`MAX_METADATA`].
    pub fn push(&mut self, key: u8, value: &[u8]) -> bool {
        self.add(|block| {
            block.push(key);
            put_bytes(block, value);
        })
    }

    /// Adds an entry under a name of at most 255 bytes; the numbered names get their number. Says `false`, and adds
    /// nothing, when the name is longer or the block would grow past [`MAX_METADATA`].
    pub fn push_named(&mut self, name: &str, value: &[u8]) -> bool {
        let numbered = (1..=key::CALLER).find(|&number| key::name(number) == Some(name));
        if let Some(number) = numbered {
            return self.push(number, value);
        }
        let Ok(length) = u8::try_from(name.len()) else {
            return false;
        };
        self.add(|block| {
            block.push(key::NAMED);
            block.push(length);
            block.extend_from_slice(name.as_bytes());
            put_bytes(block, value);
        })
    }

    /// The entries, for a [`CallHead`].
    pub fn as_metadata(&self) -> Metadata<'_> {
        Metadata { block: &self.block }
    }

    fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> bool {
        let before = self.block.len();
        write(&mut self.block);
        let fits = self.block.len() <= MAX_METADATA;
        if !fits {
            self.block.truncate(before);
        }
        fits
    }
}

impl From<Metadata<'_>> for MetadataBuf {
    fn from(metadata: Metadata<'_>) -> Self {
        MetadataBuf { block: metadata.block.to_vec() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_found_by_name_and_unknown_numbers_are_skipped() {
        let mut buf = MetadataBuf::default();
        assert!(buf.push(200, b"a later version's"));
        assert!(buf.push(key::REQUEST_ID, b"r1"));
        assert!(buf.push_named("tenant", b"t"));
        assert!(buf.push_named("caller", b"c"));
        let metadata = buf.as_metadata();
        assert_eq!(metadata.get("request-id"), Some(&b"r1"[..]));
        assert_eq!(metadata.get("tenant"), Some(&b"t"[..]));
        assert_eq!(metadata.get("caller"), Some(&b"c"[..]));
        assert_eq!(metadata.get("absent"), None);
        assert_eq!(metadata.iter().count(), 3);
    }

    #[test]
    fn the_names_that_have_numbers_are_these_and_are_sent_as_numbers() {
        let names = [
            (key::REQUEST_ID, "request-id"),
            (key::TRACEPARENT, "traceparent"),
            (key::TRACESTATE, "tracestate"),
            (key::CALLER, "caller"),
        ];
        for (number, name) in names {
            assert_eq!(key::name(number), Some(name));
            let (mut by_name, mut by_number) = (MetadataBuf::default(), MetadataBuf::default());
            assert!(by_name.push_named(name, b"v") && by_number.push(number, b"v"));
            assert_eq!(by_name, by_number, "{name}");
            assert_eq!(by_name.as_metadata().get(name), Some(&b"v"[..]));
        }
        assert_eq!((key::name(key::NAMED), key::name(key::CALLER + 1)), (None, None));
    }

    #[test]
    fn metadata_that_is_used_again_begins_empty_and_keeps_its_room() {
        let mut buf = MetadataBuf::with_capacity(100);
        assert!(buf.block.capacity() >= 100);
        assert!(buf.push_named("tenant", b"t"));
        let copy = MetadataBuf::from(buf.as_metadata());
        assert_eq!(copy, buf);
        buf.clear();
        assert!(buf.as_metadata().is_empty() && !copy.as_metadata().is_empty());
    }

    #[test]
    fn a_block_of_sixteen_kibibytes_is_the_longest() {
        let body = |length: u16| {
            let head = [&7_u32.to_le_bytes()[..], &9_u32.to_le_bytes(), &length.to_le_bytes()].concat();
            [head, vec![0; length.into()], b"payload".to_vec()].concat()
        };
        for (length, fits) in [(0, true), (16_383, true), (16_384, true), (16_385, false), (u16::MAX, false)]
        {
            let body = body(length);
            let payload = CallHead::decode(&body, true).map(|(_, payload)| payload);
            let refused = ProtocolError::Malformed(WireError::IntegerOutOfRange);
            assert_eq!(payload, if fits { Ok(&b"payload"[..]) } else { Err(refused) }, "{length}");
        }
    }

    #[test]
    fn a_head_survives_its_encoding() {
        for (given, sent) in
            [(None, None), (Some(0), Some(1)), (Some(1), Some(1)), (Some(u32::MAX), Some(u32::MAX))]
        {
            let head =
                CallHead { call_id: CallId::of("s", "m"), timeout_ms: given, metadata: Metadata::default() };
            let mut bytes = Vec::new();
            head.encode(&mut bytes);
            let read = CallHead::decode(&bytes, false);
            assert_eq!(read, Ok((CallHead { timeout_ms: sent, ..head }, &[][..])));
        }
    }

    #[test]
    fn metadata_is_bounded() {
        let mut buf = MetadataBuf::default();
        assert!(!buf.push(key::CALLER, &vec![0; MAX_METADATA]));
        assert!(buf.as_metadata().is_empty());
        assert!(!buf.push_named(&"n".repeat(256), b""));
    }
}
