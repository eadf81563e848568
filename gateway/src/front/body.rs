//! A request's body, as it comes: read within its limits of size, memory and time when a route wants it, and read past when not.
//!
//! Most bodies have come with their head, or right behind it. They grow with what has come and never by what a head promises.
//!
//! ```text
//! content  what was read, and the room that it takes
//! coding   what a body comes to that is compressed
//! wire     a body of HTTP/1.1, on the connection's socket
//! stream   a body of HTTP/2, on a stream of its own
//! ```

mod coding;
mod content;
mod stream;
mod wire;

pub(super) use content::SharedBody;
pub(super) use stream::StreamBody;

use super::connection::Connection;
use super::media_type::{self, Media};
use super::wire::Wire;
use crate::config::BodyTypes;
use crate::failure::Failure;
use crate::telemetry::ByProtocol;
use crate::worker::Shared;
use callgate_http1::{Limits, Request, Version};
use coding::Coding;
use content::{Bounds, Content, LONG, LONG_OF_MANY};
use std::rc::Rc;
use wire::WireBody;

/// A body that is read once, however often its request is looked up.
pub(super) struct RequestBody {
    content: Content,
    source: Source,
    /// How it is read.
    media: Media,
    /// It was decoded in steps.
    stepped: bool,
}

/// Where it comes from.
enum Source {
    Wire(WireBody),
    Stream(StreamBody),
}

/// What of a body has not come, when its request has a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// Nothing: what follows is the next request.
    Nothing,
    /// So little that it is read past.
    Little,
    /// Much, or nobody knows how much.
    Much,
}

impl RequestBody {
    /// That of a request of HTTP/1.1 whose head is there.
    pub(super) fn of_wire(wire: Rc<Wire>, head: &Request, limits: &Limits) -> RequestBody {
        RequestBody::new(Source::Wire(WireBody::new(wire, head, limits)))
    }

    /// That of a request of HTTP/2.
    pub(super) fn of_stream(stream: StreamBody) -> RequestBody {
        RequestBody::new(Source::Stream(stream))
    }

    fn new(source: Source) -> RequestBody {
        RequestBody { content: Content::default(), source, media: Media::default(), stepped: false }
    }

    /// How it is read, if it was.
    pub(super) fn media(&self) -> &Media {
        &self.media
    }

    /// By what its request has come.
    #[inline]
    pub(super) fn protocol(&self, head: &Request) -> ByProtocol {
        match (&self.source, head.version()) {
            (Source::Stream(_), _) => ByProtocol::Http2,
            (Source::Wire(_), Version::Http10) => ByProtocol::Http10,
            (Source::Wire(_), Version::Http11) => ByProtocol::Http11,
        }
    }

    /// Whether it was not there at once, so that time has passed with it.
    pub(super) fn waited(&self) -> bool {
        let waited = match &self.source {
            Source::Wire(wire) => wire.waited(),
            Source::Stream(stream) => stream.waited(),
        };
        waited || self.stepped
    }

    /// Whether there is nothing to wait for.
    pub(super) fn is_there(&self, head: &Request) -> bool {
        match &self.source {
            Source::Wire(wire) => wire.is_there(head),
            Source::Stream(stream) => stream.is_there(),
        }
    }

    /// The body's bytes, if it was read; there are none of one that has not begun.
    pub(super) fn bytes<'a>(&'a self, head: &'a Request) -> &'a [u8] {
        self.content.bytes(head.rest())
    }

    /// The same for somebody who may still need them when the exchange has ended.
    pub(super) fn shared(&self, head: &Request) -> SharedBody {
        self.content.shared(head.rest())
    }

    /// Reads the body, within the limits, if it is of a type that the route takes.
    pub(super) async fn read(
        &mut self,
        head: &Request,
        shared: &Shared,
        takes: &BodyTypes,
    ) -> Result<(), Failure> {
        let was_read = self.was_read();
        if was_read && self.content.is_empty() {
            return Ok(());
        }
        if self.is_broken() {
            return Err(Failure::BodyTimeout);
        }
        self.media = media_type::of(head.fields(), takes)?;
        if was_read {
            return Ok(());
        }
        let coding = coding::of(head.fields(), shared.settings.server.compressed_bodies)?;
        let most = shared.settings.server.max_body;
        let at_least = self.at_least();
        if at_least > most {
            return Err(Failure::BodyTooLarge(most));
        }
        let connection = self.connection().clone();
        let free = match &self.source {
            Source::Wire(_) => LONG,
            Source::Stream(_) => LONG_OF_MANY,
        };
        let (budget, buffers) = (&shared.bodies, &connection.open.buffers);
        let bounds = Bounds { most: most as usize, free, budget, buffers };
        self.content.hold(at_least as usize, &bounds)?;
        let content = &mut self.content;
        let mut read = match &mut self.source {
            Source::Wire(wire) => wire.collect(content, head, &bounds).await,
            Source::Stream(stream) => stream.collect(content, head, &bounds).await,
        };
        if let Some(coding) = coding.filter(|_| read.is_ok()) {
            // On the heap: few bodies are compressed.
            read = Box::pin(self.decode(coding, head, &bounds)).await;
        }
        if read.is_err() {
            self.content = Content::default();
        }
        read
    }

    /// Puts what the bytes come to in their place.
    async fn decode(&mut self, coding: Coding, head: &Request, bounds: &Bounds<'_>) -> Result<(), Failure> {
        let (decoded, stepped) = coding.decode(self.content.bytes(head.rest()), bounds).await?;
        self.stepped = stepped;
        let encoded = std::mem::replace(&mut self.content, decoded);
        bounds.buffers.give_back(encoded.into_buffer());
        Ok(())
    }

    /// What of it has not come that is in the way of the next request: nothing on a stream of its own.
    pub(super) fn unread(&mut self, head: &Request) -> Unread {
        match &mut self.source {
            Source::Wire(wire) => wire.unread(head),
            Source::Stream(_) => Unread::Nothing,
        }
    }

    /// Whether something has come with the head that is no part of it.
    pub(super) fn has_behind(&self, head: &Request) -> bool {
        match &self.source {
            Source::Wire(wire) => wire.has_behind(head),
            Source::Stream(_) => false,
        }
    }

    /// Reads past the rest, of which there is little. Says whether its end was reached.
    pub(super) async fn discard(&mut self) -> bool {
        match &mut self.source {
            Source::Wire(wire) => wire.discard().await,
            Source::Stream(_) => true,
        }
    }

    /// What of it is still to come on a stream of its own, if that is so little that it is read past.
    pub(super) fn into_rest(self, head: &Request) -> Option<StreamBody> {
        match self.source {
            Source::Stream(stream) if stream.unread(head) == Unread::Little => Some(stream),
            _ => None,
        }
    }

    /// How many of the bytes behind the head it has taken. Its buffer is given back.
    pub(super) fn finish(&mut self) -> usize {
        let buffer = std::mem::take(&mut self.content).into_buffer();
        self.connection().open.buffers.give_back(buffer);
        match &self.source {
            Source::Wire(wire) => wire.used(),
            Source::Stream(_) => 0,
        }
    }

    fn connection(&self) -> &Rc<Connection> {
        match &self.source {
            Source::Wire(wire) => wire.connection(),
            Source::Stream(stream) => stream.connection(),
        }
    }

    fn was_read(&self) -> bool {
        match &self.source {
            Source::Wire(wire) => wire.was_read(),
            Source::Stream(stream) => stream.was_read(),
        }
    }

    fn is_broken(&self) -> bool {
        match &self.source {
            Source::Wire(wire) => wire.is_broken(),
            Source::Stream(stream) => stream.is_broken(),
        }
    }

    /// The least bytes that are still to come.
    fn at_least(&self) -> u64 {
        match &self.source {
            Source::Wire(wire) => wire.at_least(),
            Source::Stream(stream) => stream.at_least(),
        }
    }
}
