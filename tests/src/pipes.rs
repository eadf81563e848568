//! Bytes that are known by their places, so that both ends of a long body can tell whether they are all there and in order.

use std::sync::OnceLock;

/// They repeat after so many: a prime, so that pieces which changed their places are seen.
const PERIOD: usize = 1_000_003;

fn period() -> &'static [u8] {
    static BYTES: OnceLock<Vec<u8>> = OnceLock::new();
    BYTES.get_or_init(|| {
        (0..PERIOD as u64).map(|n| (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
    })
}

/// As many of the bytes from that place on as there are before they repeat, and `most` at most.
pub fn from(place: u64, most: usize) -> &'static [u8] {
    let begin = (place % PERIOD as u64) as usize;
    &period()[begin..PERIOD.min(begin.saturating_add(most))]
}

/// So many of them from that place on.
pub fn bytes(mut place: u64, length: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let part = from(place, length - bytes.len());
        bytes.extend_from_slice(part);
        place += part.len() as u64;
    }
    bytes
}

/// Reads them from their beginning on.
#[derive(Debug, Default)]
pub struct Check {
    /// How many have come.
    pub read: u64,
    /// Another one has come than is there.
    pub differs: bool,
}

impl Check {
    /// These are next.
    pub fn next(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let expected = from(self.read, bytes.len());
            self.differs |= !bytes.starts_with(expected);
            self.read += expected.len() as u64;
            bytes = &bytes[expected.len()..];
        }
    }
}
