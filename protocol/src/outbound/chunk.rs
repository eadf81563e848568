//! The next bytes to write, as they lie: what long messages have stays where it is, and is written from there.

use bytes::Bytes;
use std::io::IoSlice;

/// Bytes of a message that are not copied. They belong behind the first `at` bytes of what the message was written into.
#[derive(Debug)]
pub struct Aside {
    /// Where they belong.
    pub at: usize,
    /// The bytes.
    pub bytes: Bytes,
}

impl Aside {
    /// How many bytes that is.
    #[inline]
    pub(crate) fn len(aside: &Option<Aside>) -> usize {
        aside.as_ref().map_or(0, |aside| aside.bytes.len())
    }
}

/// The next bytes to write, in up to three pieces, one behind the other.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a>(pub(super) [&'a [u8]; 3]);

impl<'a> Chunk<'a> {
    /// All of it in one piece.
    #[inline]
    pub(super) fn one(bytes: &'a [u8]) -> Chunk<'a> {
        Chunk([bytes, &[], &[]])
    }

    /// The bytes, if they are one piece.
    #[inline]
    pub fn as_one(&self) -> Option<&'a [u8]> {
        let [first, second, third] = self.0;
        (second.is_empty() && third.is_empty()).then_some(first)
    }

    /// The pieces, for one write of all.
    pub fn io_slices(&self) -> [IoSlice<'a>; 3] {
        self.0.map(IoSlice::new)
    }

    /// How many bytes there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.0.iter().map(|piece| piece.len()).sum()
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of all of them.
    pub fn to_vec(&self) -> Vec<u8> {
        self.0.concat()
    }
}
