//! The next bytes to write, as they lie: what long messages have stays where it is, and is written from there.

use super::buffer::MOST_ASIDE;
use bytes::Bytes;
use std::io::IoSlice;

/// As many pieces a [`Chunk`] has at most.
pub const PIECES: usize = 2 * MOST_ASIDE + 1;

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

/// The next bytes to write, in up to [`PIECES`] pieces, one behind the other.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// What lies in one piece.
    pub(super) bytes: &'a [u8],
    /// So many bytes of what the places of `asides` count have left already.
    pub(super) written: usize,
    /// What belongs between those bytes, in order.
    pub(super) asides: &'a [Aside],
}

impl<'a> Chunk<'a> {
    /// The bytes, if they are one piece.
    #[inline]
    pub fn as_one(&self) -> Option<&'a [u8]> {
        self.asides.is_empty().then_some(self.bytes)
    }

    /// The pieces.
    pub fn pieces(self) -> impl Iterator<Item = &'a [u8]> {
        let Chunk { bytes, written, asides } = self;
        let begins = std::iter::once(0).chain(asides.iter().map(move |aside| aside.at - written));
        let ends = asides.iter().map(move |aside| aside.at - written).chain([bytes.len()]);
        let copied = begins.zip(ends).map(move |(begin, end)| &bytes[begin..end]);
        let left = asides.iter().map(|aside| &aside.bytes[..]).chain([&[][..]]);
        copied.zip(left).flat_map(|(copied, left)| [copied, left]).filter(|piece| !piece.is_empty())
    }

    /// The pieces, for one write of all.
    pub fn io_slices<'b>(&self, room: &'b mut [IoSlice<'a>; PIECES]) -> &'b [IoSlice<'a>] {
        let mut used = 0;
        for (slot, piece) in room.iter_mut().zip(self.pieces()) {
            *slot = IoSlice::new(piece);
            used += 1;
        }
        &room[..used]
    }

    /// How many bytes there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.bytes.len() + self.asides.iter().map(|aside| aside.bytes.len()).sum::<usize>()
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A copy of all of them.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.len());
        self.pieces().for_each(|piece| all.extend_from_slice(piece));
        all
    }
}
