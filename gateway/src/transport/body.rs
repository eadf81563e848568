//! A request's body: whole, as nearly all are, as it is or as the fields of a form; or a stream of items that come while the call is
//! under way.
//!
//! A stream is kept nowhere. So whoever has begun to read it has it, and the call cannot be sent again.

mod shared;

pub use shared::SharedBody;

use crate::failure::Failure;
use bytes::Bytes;
use callgate_transcode::FormField;
use std::cell::RefCell;
use std::rc::Rc;
use tokio::sync::mpsc::Receiver;

/// A request's body.
#[derive(Clone, Copy)]
pub enum Body<'a> {
    /// All of it. To a method whose caller streams it has no items: it is the method's arguments.
    Whole(&'a [u8]),
    /// The same, in a place of its own: what is sent of it as it is need not be copied.
    Shared(&'a SharedBody),
    /// All of it, as the fields of the form that it is.
    Form(&'a [FormField<'a>]),
    /// Its items, as they come, and the fields of the form of which they are the file, if they are. The method's arguments are then what
    /// those give, and path, query and bound fields.
    Stream(&'a BodyStream, &'a [FormField<'a>]),
}

/// What comes of a body that is a stream. A stream that ends without its [`End`](Piece::End) has broken off, and so breaks its call off:
/// nobody takes it for whole.
#[derive(Debug)]
pub enum Piece {
    /// The next item: JSON, or bytes where those of the body are the items.
    Item(Bytes),
    /// That was the last one.
    End,
    /// It has broken off: why. The call fails so.
    Failed(Box<Failure>),
}

/// Told of each item that was sent.
pub(super) type OnItem = Rc<dyn Fn()>;

/// The items of a body, in a queue that is bounded by whoever made it.
pub struct BodyStream {
    pieces: RefCell<Option<Receiver<Piece>>>,
    on_item: RefCell<Option<OnItem>>,
    is_optional: bool,
    /// The method's arguments, where they are no part of path, query and form: as a body has them.
    arguments: Bytes,
}

impl BodyStream {
    /// That of these pieces, of which none was read.
    pub fn new(pieces: Receiver<Piece>) -> BodyStream {
        let (pieces, on_item) = (RefCell::new(Some(pieces)), RefCell::default());
        BodyStream { pieces, on_item, is_optional: false, arguments: Bytes::new() }
    }

    /// The same beside arguments that are one JSON text.
    pub fn beside(arguments: Bytes, pieces: Receiver<Piece>) -> BodyStream {
        BodyStream { arguments, ..BodyStream::new(pieces) }
    }

    /// The same, but a method whose caller streams nothing takes it for a body that is empty. Then nobody reads it.
    pub fn optional(pieces: Receiver<Piece>) -> BodyStream {
        BodyStream { is_optional: true, ..BodyStream::new(pieces) }
    }

    /// What stands beside its items.
    pub fn arguments(&self) -> &[u8] {
        &self.arguments
    }

    /// Whether it is that.
    pub fn is_optional(&self) -> bool {
        self.is_optional
    }

    /// Somebody wants to know of each item that is sent.
    pub fn tell(&self, on_item: OnItem) {
        *self.on_item.borrow_mut() = Some(on_item);
    }

    /// Begins to read it, once. Gives whom to tell of each item that is sent, too.
    pub fn begin(&self) -> Option<(Receiver<Piece>, Option<OnItem>)> {
        Some((self.pieces.borrow_mut().take()?, self.on_item.borrow_mut().take()))
    }
}

impl<'a> Body<'a> {
    /// All of it, if it is that; a form is its fields, and a stream its items.
    #[inline]
    pub fn whole(&self) -> &'a [u8] {
        match self {
            Body::Whole(body) => body,
            Body::Shared(body) => body,
            Body::Form(_) | Body::Stream(..) => &[],
        }
    }

    /// Whether there is nothing to be sent any more: it was a stream, and somebody has begun to read it.
    #[inline]
    pub fn is_spent(&self) -> bool {
        match self {
            Body::Whole(_) | Body::Shared(_) | Body::Form(_) => false,
            Body::Stream(stream, _) => stream.pieces.borrow().is_none(),
        }
    }

    /// Whether it can be sent as often as it takes.
    #[inline]
    pub fn is_whole(&self) -> bool {
        !matches!(self, Body::Stream(..))
    }
}
