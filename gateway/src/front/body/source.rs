//! Where a body comes from: the connection's socket, or a stream of its own.

use super::Unread;
use super::content::{Bounds, Content, LONG, LONG_OF_MANY};
use super::stream::StreamBody;
use super::wire::WireBody;
use crate::failure::Failure;
use crate::front::connection::Connection;
use crate::telemetry::ByProtocol;
use bytes::Bytes;
use callgate_http1::{Request, Version};
use std::rc::Rc;
use std::task::{Context, Poll};

/// Where a body comes from.
pub(super) enum Source {
    Wire(WireBody),
    Stream(StreamBody),
}

impl Source {
    /// By what its request has come.
    #[inline]
    pub(super) fn protocol(&self, head: &Request) -> ByProtocol {
        match (self, head.version()) {
            (Source::Stream(_), _) => ByProtocol::Http2,
            (Source::Wire(_), Version::Http10) => ByProtocol::Http10,
            (Source::Wire(_), Version::Http11) => ByProtocol::Http11,
        }
    }

    pub(super) fn connection(&self) -> &Rc<Connection> {
        match self {
            Source::Wire(wire) => wire.connection(),
            Source::Stream(stream) => stream.connection(),
        }
    }

    /// Whether it was not there at once.
    pub(super) fn waited(&self) -> bool {
        match self {
            Source::Wire(wire) => wire.waited(),
            Source::Stream(stream) => stream.waited(),
        }
    }

    /// Whether there is nothing to wait for.
    pub(super) fn is_there(&self, head: &Request) -> bool {
        match self {
            Source::Wire(wire) => wire.is_there(head),
            Source::Stream(stream) => stream.is_there(),
        }
    }

    /// Whether its end was reached.
    pub(super) fn was_read(&self) -> bool {
        match self {
            Source::Wire(wire) => wire.was_read(),
            Source::Stream(stream) => stream.was_read(),
        }
    }

    /// Whether it cannot be read to its end.
    pub(super) fn is_broken(&self) -> bool {
        match self {
            Source::Wire(wire) => wire.is_broken(),
            Source::Stream(stream) => stream.is_broken(),
        }
    }

    /// It is read no further, because of what has come.
    pub(super) fn breaks(&mut self) {
        match self {
            Source::Wire(wire) => wire.breaks(),
            Source::Stream(stream) => stream.breaks(),
        }
    }

    /// The least bytes that are still to come.
    pub(super) fn at_least(&self) -> u64 {
        match self {
            Source::Wire(wire) => wire.at_least(),
            Source::Stream(stream) => stream.at_least(),
        }
    }

    /// So many bytes of it take no room.
    pub(super) fn free(&self) -> usize {
        match self {
            Source::Wire(_) => LONG,
            Source::Stream(_) => LONG_OF_MANY,
        }
    }

    /// Reads it into `content`.
    pub(super) async fn collect(
        &mut self,
        content: &mut Content,
        head: &Request,
        bounds: &Bounds<'_>,
    ) -> Result<(), Failure> {
        match self {
            Source::Wire(wire) => wire.collect(content, head, bounds).await,
            Source::Stream(stream) => stream.collect(content, head, bounds).await,
        }
    }

    /// From now on it is read piece by piece. A client that waits to be told to send is told.
    pub(super) async fn begin_pieces(&mut self, head: &Request) {
        match self {
            Source::Wire(wire) => wire.begin_pieces(head).await,
            Source::Stream(stream) => stream.begin_pieces(head),
        }
    }

    /// The next piece of it that comes; none at its end. The time of the client is not looked at.
    pub(super) fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
        head: &Request,
    ) -> Poll<Result<Option<Bytes>, Failure>> {
        match self {
            Source::Wire(wire) => wire.poll_piece(cx, head),
            Source::Stream(stream) => stream.poll_piece(cx),
        }
    }

    /// Whether the client has left, though nothing is read of the body. That of a stream of its own is seen there.
    pub(super) fn has_left(&self) -> bool {
        match self {
            Source::Wire(wire) => wire.has_left(),
            Source::Stream(_) => false,
        }
    }

    /// It is not read piece by piece any more.
    pub(super) fn end_pieces(&mut self) {
        match self {
            Source::Wire(wire) => wire.end_pieces(),
            Source::Stream(stream) => stream.end_pieces(),
        }
    }

    /// What of it has not come that is in the way of the next request: nothing on a stream of its own.
    pub(super) fn unread(&mut self, head: &Request) -> Unread {
        match self {
            Source::Wire(wire) => wire.unread(head),
            Source::Stream(_) => Unread::Nothing,
        }
    }

    /// Whether something has come with the head that is no part of it.
    pub(super) fn has_behind(&self, head: &Request) -> bool {
        match self {
            Source::Wire(wire) => wire.has_behind(head),
            Source::Stream(_) => false,
        }
    }

    /// Reads past the rest, of which there is little. Says whether its end was reached.
    pub(super) async fn discard(&mut self) -> bool {
        match self {
            Source::Wire(wire) => wire.discard().await,
            Source::Stream(_) => true,
        }
    }

    /// How many of the bytes behind the head it has taken.
    pub(super) fn used(&self) -> usize {
        match self {
            Source::Wire(wire) => wire.used(),
            Source::Stream(_) => 0,
        }
    }
}
