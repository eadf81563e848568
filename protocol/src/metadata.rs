//! Metadata of a message: request id, trace context and the like, beside its payload.
//!
//! On the wire it is a block behind its length (u16), which calls, replies and ends of streams have with flag METADATA only. A
//! failure has the block in a field of its own. An entry is a key byte, for key 0 a name (a length byte, then the name), and a value behind its length; whoever does not know a key
//! skips its entry. Names are lower-case ASCII. Of several entries of one name the first counts.

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
    /// The address of the client for whom a gateway calls.
    pub const CLIENT: u8 = 5;
    /// The last of those that have a name.
    pub(super) const LAST: u8 = CLIENT;

    /// The name of a numbered key, in the form in which [`super::Metadata::iter`] gives it.
    pub const fn name(key: u8) -> Option<&'static str> {
        match key {
            REQUEST_ID => Some("request-id"),
            TRACEPARENT => Some("traceparent"),
            TRACESTATE => Some("tracestate"),
            CALLER => Some("caller"),
            CLIENT => Some("client"),
            _ => None,
        }
    }

    /// The numbered key of that name.
    pub(super) const fn number(name: &str) -> Option<u8> {
        let mut number = 1;
        while number <= LAST {
            if let Some(own) = self::name(number)
                && is_same(own.as_bytes(), name.as_bytes())
            {
                return Some(number);
            }
            number += 1;
        }
        None
    }

    const fn is_same(one: &[u8], other: &[u8]) -> bool {
        let mut at = 0;
        while at < one.len() && at < other.len() && one[at] == other[at] {
            at += 1;
        }
        at == one.len() && at == other.len()
    }
}

/// The metadata of a message, as it lies in the frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Metadata<'a> {
    block: &'a [u8],
}

impl<'a> Metadata<'a> {
    /// Whether there is none.
    #[inline]
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

    /// The entries, one after another.
    pub(crate) fn block(&self) -> &'a [u8] {
        self.block
    }

    /// Bytes that it takes in a message.
    #[inline]
    pub(crate) fn size(&self) -> usize {
        if self.is_empty() { 0 } else { 2 + self.block.len() }
    }

    /// Writes it, if there is any: then the message must have flag METADATA.
    #[inline]
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        if !self.is_empty() {
            out.extend_from_slice(&(self.block.len() as u16).to_le_bytes());
            out.extend_from_slice(self.block);
        }
    }

    /// Reads the block of a message that has flag METADATA.
    pub(crate) fn decode(reader: &mut Reader<'a>) -> Result<Metadata<'a>, ProtocolError> {
        let length = u16::from_le_bytes(reader.array()?);
        if usize::from(length) > MAX_METADATA {
            return Err(WireError::IntegerOutOfRange.into());
        }
        Ok(Metadata { block: reader.take(length.into())? })
    }
}

/// Entries of an unknown number, and of a name that is none, have no name here.
fn entry<'a>(reader: &mut Reader<'a>) -> Result<(Option<&'a str>, &'a [u8]), WireError> {
    let key = reader.u8()?;
    let name = if key == key::NAMED {
        let length = reader.u8()?;
        let name = std::str::from_utf8(reader.take(length.into())?).ok();
        name.filter(|name| is_metadata_name(name))
    } else {
        key::name(key)
    };
    Ok((name, reader.bytes()?))
}

/// Whether a metadata entry can have that name: 1 to 255 lower-case letters, digits, `-`, `_` and `.`, all ASCII.
pub const fn is_metadata_name(name: &str) -> bool {
    let (bytes, mut at) = (name.as_bytes(), 0);
    while at < bytes.len() {
        if !matches!(bytes[at], b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.') {
            return false;
        }
        at += 1;
    }
    !bytes.is_empty() && bytes.len() <= 255
}

/// The name of entries that is known when the program is made, and is none of those with a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetadataName(&'static str);

impl MetadataName {
    /// That name.
    ///
    /// # Panics
    /// [It is none](is_metadata_name), or has a number. In a constant that is an error of the compiler.
    pub const fn new(name: &'static str) -> MetadataName {
        assert!(is_metadata_name(name), "a metadata entry cannot have that name");
        assert!(key::number(name).is_none(), "that name has a number");
        MetadataName(name)
    }

    /// As text.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// The entries by which a gateway tells a method who calls. No client may say these itself.
pub mod identity {
    use super::MetadataName;

    /// The caller's name.
    pub const NAME: MetadataName = MetadataName::new("identity");
    /// Who says so: the name of an authenticator.
    pub const BY: MetadataName = MetadataName::new("identity-by");
    /// What the caller may do by its own word, with spaces between; nothing without any.
    pub const SCOPES: MetadataName = MetadataName::new("identity-scopes");
    /// What else is known of the caller, of what the gateway was told to say: a JSON object.
    pub const CLAIMS: MetadataName = MetadataName::new("identity-claims");
    /// All of them.
    pub const ALL: [MetadataName; 4] = [NAME, BY, SCOPES, CLAIMS];
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

    /// Takes all entries of others in the place of its own, and keeps its room.
    pub fn fill(&mut self, with: Metadata<'_>) {
        self.block.clear();
        self.block.extend_from_slice(with.block);
    }

    /// The entries of a block that has come; none if it is longer than [`MAX_METADATA`].
    pub(crate) fn of_block(block: &[u8]) -> MetadataBuf {
        MetadataBuf { block: if block.len() > MAX_METADATA { Vec::new() } else { block.to_vec() } }
    }

    /// Adds an entry under a numbered key. Says `false`, and adds nothing, when the block would grow past
    /// [`MAX_METADATA`].
    pub fn push(&mut self, key: u8, value: &[u8]) -> bool {
        self.add(|block| {
            block.push(key);
            put_bytes(block, value);
        })
    }

    /// Adds an entry under a name; the numbered names get their number. Says `false`, and adds nothing, when
    /// [that is no name](is_metadata_name) or the block would grow past [`MAX_METADATA`].
    pub fn push_named(&mut self, name: &str, value: &[u8]) -> bool {
        match key::number(name) {
            Some(number) => self.push(number, value),
            None => is_metadata_name(name) && self.spell(name, value),
        }
    }

    /// The same under a name of which all of that is known.
    #[inline]
    pub fn push_known(&mut self, name: MetadataName, value: &[u8]) -> bool {
        self.spell(name.0, value)
    }

    fn spell(&mut self, name: &str, value: &[u8]) -> bool {
        self.add(|block| {
            block.push(key::NAMED);
            block.push(name.len() as u8);
            block.extend_from_slice(name.as_bytes());
            put_bytes(block, value);
        })
    }

    /// Adds entries that were written before. Says `false`, and adds nothing, when the block would grow past [`MAX_METADATA`].
    #[inline]
    pub fn push_all(&mut self, entries: Metadata<'_>) -> bool {
        let fits = self.block.len() + entries.block.len() <= MAX_METADATA;
        if fits {
            self.block.extend_from_slice(entries.block);
        }
        fits
    }

    /// Puts an entry in the place of all entries of its name. Says `false`, and changes nothing, when
    /// [that is no name](is_metadata_name) or the block would grow past [`MAX_METADATA`]. Entries of unknown numbers go.
    pub fn set_named(&mut self, name: &str, value: &[u8]) -> bool {
        if self.as_metadata().get(name).is_none() {
            return self.push_named(name, value);
        }
        let mut set = MetadataBuf::with_capacity(self.block.len() + value.len());
        let others = self.as_metadata().iter().filter(|(other, _)| *other != name);
        let fits = others.fold(true, |fit, (other, value)| fit && set.push_named(other, value));
        let fits = fits && set.push_named(name, value);
        if fits {
            *self = set;
        }
        fits
    }

    /// The entries, for a message.
    #[inline]
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
    fn of_several_entries_of_one_name_the_first_counts() {
        let mut buf = MetadataBuf::default();
        assert!(buf.push_named("tenant", b"first") && buf.push_named("tenant", b"second"));
        assert_eq!(buf.as_metadata().get("tenant"), Some(&b"first"[..]));
    }

    #[test]
    fn a_name_that_is_not_lower_case_ascii_is_not_written_and_is_skipped_when_it_is_read() {
        for (name, is_name) in [
            ("x-tenant_1.a", true),
            ("7", true),
            ("Tenant", false),
            ("größe", false),
            ("a b", false),
            ("", false),
            (&*"n".repeat(255), true),
        ] {
            assert_eq!(MetadataBuf::default().push_named(name, b"v"), is_name, "{name}");
            let mut block = vec![key::NAMED, name.len() as u8];
            block.extend_from_slice(name.as_bytes());
            put_bytes(&mut block, b"v");
            assert_eq!(Metadata { block: &block }.get(name).is_some(), is_name, "{name}");
        }
    }

    #[test]
    fn the_names_that_have_numbers_are_these_and_are_sent_as_numbers() {
        let names = [
            (key::REQUEST_ID, "request-id"),
            (key::TRACEPARENT, "traceparent"),
            (key::TRACESTATE, "tracestate"),
            (key::CALLER, "caller"),
            (key::CLIENT, "client"),
        ];
        for (number, name) in names {
            assert_eq!(key::name(number), Some(name));
            let (mut by_name, mut by_number) = (MetadataBuf::default(), MetadataBuf::default());
            assert!(by_name.push_named(name, b"v") && by_number.push(number, b"v"));
            assert_eq!(by_name, by_number, "{name}");
            assert_eq!(by_name.as_metadata().get(name), Some(&b"v"[..]));
        }
        assert_eq!((key::name(key::NAMED), key::name(key::LAST + 1)), (None, None));
    }

    #[test]
    fn metadata_that_is_used_again_begins_empty_and_keeps_its_room() {
        let mut buf = MetadataBuf::with_capacity(100);
        assert!(buf.block.capacity() >= 100);
        assert!(buf.push_named("tenant", b"t"));
        let copy = MetadataBuf::from(buf.as_metadata());
        assert_eq!(copy, buf);
        assert!(buf.push_named("tenant", b"u"));
        buf.fill(copy.as_metadata());
        assert_eq!(copy, buf);
        buf.clear();
        assert!(buf.as_metadata().is_empty() && !copy.as_metadata().is_empty());
    }

    #[test]
    fn an_entry_that_is_set_is_the_only_one_of_its_name() {
        let mut buf = MetadataBuf::default();
        assert!(buf.set_named("tenant", b"first") && buf.push_named("caller", b"c"));
        assert!(buf.push_named("tenant", b"second") && buf.set_named("tenant", b"third"));
        let entries: Vec<_> = buf.as_metadata().iter().collect();
        assert_eq!(entries, [("caller", &b"c"[..]), ("tenant", &b"third"[..])]);
        let before = buf.clone();
        for (name, value) in
            [("Tenant", vec![]), ("tenant", vec![0; MAX_METADATA]), ("other", vec![0; MAX_METADATA])]
        {
            assert!(!buf.set_named(name, &value), "{name}");
            assert_eq!(buf, before, "{name}");
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
