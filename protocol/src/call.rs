//! The head of a CALL: which method, how much time is left, and metadata.
//!
//! ```text
//! 0..4   Call ID, u32 little endian
//! 4..8   time left in milliseconds, u32 little endian; 0: no deadline
//! 8..10  with flag METADATA only: length of the block, u16 little endian; then the block
//! …      the arguments in profile 1
//! ```
//! With the frame's header that is 18 bytes beside the payload.

use crate::call_id::CallId;
use crate::frame::ProtocolError;
use crate::wire::{Reader, WireError};

pub use crate::metadata::{Metadata, MetadataBuf, key};

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
    /// Bytes that it takes in a message.
    #[inline]
    pub fn size(&self) -> usize {
        8 + self.metadata.size()
    }

    /// Writes the head; whether [`METADATA`](crate::frame::flag::METADATA) has to be set follows from the metadata.
    #[inline]
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.call_id.get().to_le_bytes());
        // 0 would say that there is no deadline.
        let timeout = self.timeout_ms.map_or(0, |ms| ms.max(1));
        out.extend_from_slice(&timeout.to_le_bytes());
        self.metadata.encode(out);
    }

    /// Splits the body of a CALL into head and payload.
    pub(crate) fn decode(body: &'a [u8], has_metadata: bool) -> Result<(Self, &'a [u8]), ProtocolError> {
        let mut reader = Reader::new(body);
        let number = u32::from_le_bytes(reader.array()?);
        let call_id = CallId::pinned(number).ok_or(WireError::IntegerOutOfRange)?;
        let timeout = u32::from_le_bytes(reader.array()?);
        let metadata = if has_metadata { Metadata::decode(&mut reader)? } else { Metadata::default() };
        let head = CallHead { call_id, timeout_ms: (timeout > 0).then_some(timeout), metadata };
        Ok((head, reader.take(reader.remaining())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_head_survives_its_encoding_and_has_the_size_that_it_says() {
        let mut metadata = MetadataBuf::default();
        assert!(metadata.push_named("tenant", b"t"));
        for (given, sent) in
            [(None, None), (Some(0), Some(1)), (Some(1), Some(1)), (Some(u32::MAX), Some(u32::MAX))]
        {
            for metadata in [Metadata::default(), metadata.as_metadata()] {
                let head = CallHead { call_id: CallId::of("s", "m"), timeout_ms: given, metadata };
                let mut bytes = Vec::new();
                head.encode(&mut bytes);
                assert_eq!(bytes.len(), head.size());
                let read = CallHead::decode(&bytes, !metadata.is_empty());
                assert_eq!(read, Ok((CallHead { timeout_ms: sent, ..head }, &[][..])));
            }
        }
    }
}
