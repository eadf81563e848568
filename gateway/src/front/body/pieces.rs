//! What of a streamed body is the next item: a JSON text, or bytes as they have come. And how many bytes the body may still have.

use crate::config::BodyTypes;
use crate::failure::Failure;
use bytes::Bytes;
use callgate_protocol::limits::MAX_MESSAGE;
use callgate_transcode::{ItemError, ItemForm, ItemSplitter};

/// An item of raw bytes has no more than these, so that it goes in one frame.
const LONGEST: usize = 60 * 1024;

/// Finds the items of one body.
pub(super) enum Splitter {
    /// JSON texts.
    Json(Box<ItemSplitter>),
    /// Bytes, cut as they come.
    Raw,
}

impl Splitter {
    /// Of JSON texts that stand in that form.
    pub(super) fn json(form: ItemForm) -> Splitter {
        Splitter::Json(Box::new(ItemSplitter::new(form, MAX_MESSAGE as usize)))
    }

    /// Whether it finds the items of bodies that are read so.
    pub(super) fn is_of(&self, takes: &BodyTypes) -> bool {
        match self {
            Splitter::Json(_) => *takes == BodyTypes::Items,
            Splitter::Raw => matches!(takes, BodyTypes::RawItems(_)),
        }
    }

    /// How many bytes are kept of an item that has not come whole.
    pub(super) fn kept(&self) -> usize {
        match self {
            Splitter::Json(splitter) => splitter.kept(),
            Splitter::Raw => 0,
        }
    }

    /// The next item, and takes what it has looked at from `piece`, which is next in the body. Without an item all was looked at.
    pub(super) fn next(&mut self, piece: &mut Bytes) -> Result<Option<Item>, Failure> {
        let splitter = match self {
            Splitter::Json(splitter) => splitter,
            Splitter::Raw if piece.is_empty() => return Ok(None),
            Splitter::Raw => return Ok(Some(Item::Raw(piece.split_to(piece.len().min(LONGEST))))),
        };
        let mut bytes = &piece[..];
        let item = splitter.next(&mut bytes).map_err(refused)?;
        let used = piece.len() - bytes.len();
        drop(piece.split_to(used));
        Ok(item.map(Item::Json))
    }

    /// The last item, if there is one behind the others.
    pub(super) fn end(&mut self) -> Result<Option<Item>, Failure> {
        match self {
            Splitter::Json(splitter) => Ok(splitter.end().map_err(refused)?.map(Item::Json)),
            Splitter::Raw => Ok(None),
        }
    }
}

/// An item that was found.
#[derive(Debug)]
pub(super) enum Item {
    /// A text that was put together.
    Json(Vec<u8>),
    /// Bytes where they have come.
    Raw(Bytes),
}

/// What a client is told of a body that is no stream of items.
fn refused(error: ItemError) -> Failure {
    match error {
        ItemError::TooLong => Failure::MessageTooLarge(u64::from(MAX_MESSAGE)),
        ItemError::Malformed(violation) => Failure::Invalid(vec![violation]),
    }
}

/// How many bytes a body may still have.
pub(super) struct Left {
    left: u64,
    longest: u64,
}

impl Left {
    /// Of a body that may have so many bytes, or any number, and has these at least.
    ///
    /// # Errors
    /// That is more.
    pub(super) fn new(longest: Option<u64>, at_least: u64) -> Result<Left, Failure> {
        let longest = longest.unwrap_or(u64::MAX);
        if at_least > longest {
            Err(Failure::BodyTooLarge(longest))
        } else {
            Ok(Left { left: longest, longest })
        }
    }

    /// So many have come.
    ///
    /// # Errors
    /// They are too many.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Failure> {
        self.left = self.left.checked_sub(bytes as u64).ok_or(Failure::BodyTooLarge(self.longest))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_bytes_are_cut_as_they_come_and_at_their_bound() {
        let mut piece = Bytes::from(vec![7; 2 * LONGEST + 1]);
        let mut lengths = Vec::new();
        while let Some(Item::Raw(item)) = Splitter::Raw.next(&mut piece).expect("nothing is refused") {
            lengths.push(item.len());
        }
        assert_eq!(
            (lengths, Splitter::Raw.end().expect("it ends").is_none()),
            (vec![LONGEST, LONGEST, 1], true)
        );
    }

    #[test]
    fn a_body_has_as_many_bytes_as_it_may_and_no_more() {
        assert!(matches!(Left::new(Some(9), 10), Err(Failure::BodyTooLarge(9))));
        let mut left = Left::new(Some(10), 10).expect("it may have these");
        left.take(4).expect("it may have these");
        left.take(6).expect("and these");
        assert!(matches!(left.take(1), Err(Failure::BodyTooLarge(10))));
        let mut any = Left::new(None, u64::MAX).expect("any number");
        any.take(usize::MAX).expect("any number");
    }
}
