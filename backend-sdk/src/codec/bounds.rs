//! How much a message may ask of its reader. The guard ([`callgate_protocol::check`]) refuses a message that asks for more, in a walk of
//! its own. A reader with the same bounds needs no such walk before it.
//!
//! The bounds are never wider than those of the guard: what is read within them is a value that the guard accepts. They are
//! narrower in a few places, where the type that is read has a level more than its schema. So a refusal is no verdict, and the
//! guard is asked then.

use super::CodecError;
use callgate_protocol::limits::{MAX_DEPTH, MAX_ZERO_SIZED_ITEMS};

/// What is left of it.
pub(super) struct Bounds {
    /// Levels of containers that may be opened within each other.
    levels: usize,
    /// Values of no bytes.
    zero_sized: usize,
    /// Items of lists and maps. All that have bytes have at least one that is no other's.
    items: usize,
    /// Whether a key that a map has twice is refused.
    compares_keys: bool,
}

impl Bounds {
    /// Those of a message that is so many bytes long.
    pub(super) fn of_message(bytes: usize) -> Bounds {
        Bounds { levels: MAX_DEPTH, zero_sized: MAX_ZERO_SIZED_ITEMS, items: bytes, compares_keys: true }
    }

    /// None. They are for a message that the guard has accepted.
    pub(super) fn none() -> Bounds {
        Bounds { levels: usize::MAX, zero_sized: usize::MAX, items: usize::MAX, compares_keys: false }
    }

    /// A container begins.
    #[inline]
    pub(super) fn enter(&mut self) -> Result<(), CodecError> {
        self.levels = self.levels.checked_sub(1).ok_or(CodecError::OutOfBounds)?;
        Ok(())
    }

    /// A container ends.
    #[inline]
    pub(super) fn leave(&mut self) {
        self.levels += 1;
    }

    /// A value had no bytes.
    #[inline]
    pub(super) fn zero_sized(&mut self) -> Result<(), CodecError> {
        self.zero_sized = self.zero_sized.checked_sub(1).ok_or(CodecError::OutOfBounds)?;
        Ok(())
    }

    /// A list or a map says that it has so many items. So room for them may be allocated.
    #[inline]
    pub(super) fn claim(&mut self, items: usize) -> Result<(), CodecError> {
        self.items = self.items.checked_sub(items).ok_or(CodecError::OutOfBounds)?;
        Ok(())
    }

    /// Whether a key that a map has twice is refused.
    pub(super) fn compares_keys(&self) -> bool {
        self.compares_keys
    }
}
