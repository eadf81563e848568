//! What the walk writes, and the bounds of what is read and of what is written.

use super::Walk;
use crate::convert::ConvertReason;
use crate::convert::error::Done;
use crate::layout::Fixed;
use callgate_protocol::check::Reason;
use callgate_protocol::limits::{MAX_DEPTH, MAX_ZERO_SIZED_ITEMS};

impl Walk<'_, '_> {
    pub(super) fn put(&mut self, bytes: &[u8]) -> Done {
        if self.dropping > 0 {
            return Ok(());
        }
        if self.out.len().saturating_add(bytes.len()) > self.end {
            return Err(ConvertReason::TooLong.into());
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }

    /// Keeps what a few bytes were just written of, as [`put`](Self::put) would have.
    pub(super) fn keep(&mut self, before: usize) -> Done {
        if self.dropping > 0 {
            self.out.truncate(before);
        }
        match self.out.len() > self.end {
            true => Err(ConvertReason::TooLong.into()),
            false => Ok(()),
        }
    }

    pub(super) fn put_fixed(&mut self, fixed: &Fixed) -> Done {
        if self.depth + fixed.depth > MAX_DEPTH {
            return Err(ConvertReason::TooDeep.into());
        }
        self.written_empty(fixed.zero_sized)?;
        self.put(&fixed.bytes)
    }

    pub(super) fn enter(&mut self) -> Done {
        self.depth += 1;
        match self.depth > MAX_DEPTH {
            true => Err(Reason::TooDeep.into()),
            false => Ok(()),
        }
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// How much was read and written.
    pub(super) fn mark(&self) -> (usize, usize) {
        (self.reader.offset(), self.out.len())
    }

    /// Counts a container that has no length or number of its own, on each side on which it took no bytes.
    pub(super) fn count_if_empty(&mut self, before: (usize, usize)) -> Done {
        let now = self.mark();
        if now.0 == before.0 {
            self.read_empty()?;
        }
        match now.1 == before.1 {
            true => self.written_empty(1),
            false => Ok(()),
        }
    }

    pub(super) fn read_empty(&mut self) -> Done {
        self.read_empty += 1;
        match self.read_empty > MAX_ZERO_SIZED_ITEMS {
            true => Err(Reason::TooManyZeroSizedItems.into()),
            false => Ok(()),
        }
    }

    pub(super) fn written_empty(&mut self, count: usize) -> Done {
        if self.dropping == 0 {
            self.written_empty += count;
        }
        match self.written_empty > MAX_ZERO_SIZED_ITEMS {
            true => Err(ConvertReason::TooManyZeroSizedItems.into()),
            false => Ok(()),
        }
    }
}
