//! A request's body: whole, as nearly all are, as it is or as the fields of a form; or a stream of pieces that come while the call is
//! under way.
//!
//! A stream is kept nowhere. So whoever has begun to read it has it, and the call cannot be sent again.

use bytes::Bytes;
use callgate_transcode::FormField;
use std::cell::RefCell;
use tokio::sync::mpsc::Receiver;

/// A request's body.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    /// All of it.
    Whole(&'a [u8]),
    /// All of it, as the fields of the form that it is.
    Form(&'a [FormField<'a>]),
    /// Its pieces, as they come.
    Stream(&'a BodyStream),
}

/// The pieces of a body, in a queue that is bounded by whoever made it.
pub struct BodyStream(RefCell<Option<Receiver<Bytes>>>);

impl BodyStream {
    /// That of these pieces, of which none was read.
    pub fn new(pieces: Receiver<Bytes>) -> BodyStream {
        BodyStream(RefCell::new(Some(pieces)))
    }

    /// Begins to read it, once.
    pub fn begin(&self) -> Option<Receiver<Bytes>> {
        self.0.borrow_mut().take()
    }
}

impl Body<'_> {
    /// Whether there is nothing to be sent any more: it was a stream, and somebody has begun to read it.
    #[inline]
    pub fn is_spent(&self) -> bool {
        match self {
            Body::Whole(_) | Body::Form(_) => false,
            Body::Stream(stream) => stream.0.borrow().is_none(),
        }
    }

    /// Whether it can be sent as often as it takes.
    #[inline]
    pub fn is_whole(&self) -> bool {
        !matches!(self, Body::Stream(_))
    }
}
