//! A request's body, as it comes: read within its limits of size, memory and time when a route wants it, and read past when not.
//!
//! Most bodies have come with their head, or right behind it. They grow with what has come and never by what a head promises.
//!
//! ```text
//! content  what was read, and the room that it takes
//! coding   what a body comes to that is compressed
//! items    a body that is a stream of items, which is read beside its call
//! form_begin  what stands before such items, where they are a form's file
//! pieces   what of such a body is the next item
//! source   where it comes from
//! wire     a body of HTTP/1.1, on the connection's socket
//! stream   a body of HTTP/2, on a stream of its own
//! ```

mod coding;
mod content;
mod form_begin;
mod items;
mod pieces;
mod source;
mod stream;
mod wire;

pub use coding::decoded;
pub(super) use content::LONG_OF_MANY;
pub(super) use stream::StreamBody;

use super::media_type::{self, Media};
use super::wire::Wire;
use crate::call;
use crate::coding::Coding;
use crate::config::{BodyTypes, StreamLimits};
use crate::failure::Failure;
use crate::telemetry::ByProtocol;
use crate::worker::Shared;
use bytes::Bytes;
use callgate_http1::{Limits, Request};
use callgate_transcode::FormField;
use content::{Bounds, Content};
use form_begin::FormBegin;
use items::{ItemReader, Items};
use pieces::{Left, Splitter};
use source::Source;
use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use tokio::time::timeout;
use wire::WireBody;

/// A body that is read once, however often its request is looked up.
pub(super) struct RequestBody {
    content: Content,
    source: RefCell<Source>,
    /// What it has if it is a stream of items. On the heap: few bodies are.
    items: Option<Box<Items>>,
    /// How it is read.
    media: Media,
    /// It was decoded in steps.
    stepped: bool,
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
    #[inline]
    pub(super) fn of_wire(wire: Rc<Wire>, head: &Request, limits: &Limits) -> RequestBody {
        RequestBody::new(Source::Wire(WireBody::new(wire, head, limits)))
    }

    /// That of a request of HTTP/2.
    pub(super) fn of_stream(stream: StreamBody) -> RequestBody {
        RequestBody::new(Source::Stream(stream))
    }

    #[inline]
    fn new(source: Source) -> RequestBody {
        let (content, media) = (Content::default(), Media::default());
        RequestBody { content, source: RefCell::new(source), items: None, media, stepped: false }
    }

    /// How it is read, if it was.
    pub(super) fn media(&self) -> &Media {
        &self.media
    }

    /// By what its request has come.
    #[inline]
    pub(super) fn protocol(&self, head: &Request) -> ByProtocol {
        self.source.borrow().protocol(head)
    }

    /// Whether it was not there at once, so that time has passed with it.
    pub(super) fn waited(&self) -> bool {
        self.source.borrow().waited() || self.stepped
    }

    /// Whether there is nothing to wait for.
    pub(super) fn is_there(&self, head: &Request) -> bool {
        self.source.borrow().is_there(head)
    }

    /// The body's bytes, if it was read; there are none of one that has not begun.
    pub(super) fn bytes<'a>(&'a self, head: &'a Request) -> &'a [u8] {
        self.content.bytes(head.rest())
    }

    /// The same for somebody who may still need them when the exchange has ended.
    pub(super) fn shared(&self, head: &Request) -> call::SharedBody {
        self.content.shared(head.rest())
    }

    /// What its call is given, where it is no form.
    #[inline]
    pub(super) fn of_call<'a>(&'a self, head: &'a Request) -> call::Body<'a> {
        match &self.items {
            None => self.content.of_call(head.rest()),
            Some(items) => call::Body::Stream(&items.stream, &[]),
        }
    }

    /// The same for the form that it is, or of which its items are the file.
    pub(super) fn of_form<'a>(&'a self, fields: &'a [FormField<'a>]) -> call::Body<'a> {
        match &self.items {
            None => call::Body::Form(fields),
            Some(items) => call::Body::Stream(&items.stream, fields),
        }
    }

    /// Reads the body, within the limits, if it is of a type that the route takes. One that is a stream, which has limits of its own, only
    /// begins here.
    pub(super) async fn read(
        &mut self,
        head: &Request,
        shared: &Shared,
        (takes, limits): (&BodyTypes, &StreamLimits),
    ) -> Result<(), Failure> {
        if takes.stream() || self.items.is_some() {
            // On the heap: few bodies are streams.
            return Box::pin(self.begin_items(head, shared, (takes, limits))).await;
        }
        let was_read = self.source.get_mut().was_read();
        if was_read && self.content.is_empty() {
            return Ok(());
        }
        if self.source.get_mut().is_broken() {
            return Err(Failure::BodyTimeout);
        }
        self.media = media_type::of(head.fields(), takes)?;
        if was_read {
            return Ok(());
        }
        let coding = coding::of(head.fields(), shared.settings.server.compressed_bodies)?;
        let source = self.source.get_mut();
        let (most, at_least) = (shared.settings.server.max_body, source.at_least());
        if at_least > most {
            return Err(Failure::BodyTooLarge(most));
        }
        let connection = source.connection().clone();
        let (budget, buffers) = (&shared.bodies, &connection.open.buffers);
        let bounds = Bounds { most: most as usize, free: source.free(), budget, buffers };
        self.content.hold(at_least as usize, &bounds)?;
        let mut read = source.collect(&mut self.content, head, &bounds).await;
        if let Some(coding) = coding.filter(|_| read.is_ok()) {
            // On the heap: few bodies are compressed.
            read = Box::pin(self.decode(coding, head, &bounds)).await;
        }
        match read {
            Ok(()) => self.content.is_whole(),
            Err(_) => self.content = Content::default(),
        }
        read
    }

    /// Puts other bytes in the place of those that were read, which are no fewer: from here on it is of the request that is made of it.
    pub(super) fn replace(&mut self, bytes: Vec<u8>) {
        self.content.replace(bytes);
    }

    /// Puts what the bytes come to in their place.
    async fn decode(&mut self, coding: Coding, head: &Request, bounds: &Bounds<'_>) -> Result<(), Failure> {
        let (decoded, stepped) = coding::decode(coding, self.content.bytes(head.rest()), bounds).await?;
        self.stepped = stepped;
        let encoded = std::mem::replace(&mut self.content, decoded);
        bounds.buffers.give_back(encoded.into_buffer());
        Ok(())
    }

    /// Begins to read it as a stream of items, which stand behind the fields of a form if they are its file. From here on
    /// [`beside`](Self::beside) reads it.
    async fn begin_items(
        &mut self,
        head: &Request,
        shared: &Shared,
        (takes, limits): (&BodyTypes, &StreamLimits),
    ) -> Result<(), Failure> {
        let is_begun = self.items.is_some() || !self.content.is_empty();
        if is_begun {
            // It is looked up again. By a table in which it is read otherwise it cannot be read again.
            let goes_on = self.items.as_ref().is_some_and(|items| items.is_of(takes));
            return if goes_on { Ok(()) } else { Err(Failure::NoInstance) };
        }
        let source = self.source.get_mut();
        if source.is_broken() {
            return Err(Failure::BodyTimeout);
        }
        self.media = media_type::of(head.fields(), takes)?;
        coding::of(head.fields(), false)?;
        let mut left = Left::new(limits.bytes, source.at_least())?;
        let mut begun = Bytes::new();
        let splitter = match &self.media {
            Media::Items(form) => Splitter::json(*form),
            Media::RawItems => Splitter::Raw,
            Media::FormItems(boundary, file) => Splitter::file(boundary, file),
            _ => return Ok(()),
        };
        source.begin_pieces(head).await;
        if let Media::FormItems(boundary, file) = &self.media {
            let connection = source.connection().clone();
            let (budget, buffers) = (&shared.bodies, &connection.open.buffers);
            let most = shared.settings.server.max_body as usize;
            let bounds = Bounds { most, free: source.free(), budget, buffers };
            let form = FormBegin { boundary, file, body_timeout: shared.settings.server.body_timeout };
            let read = timeout(limits.time, form.read(source, head, &mut self.content, &bounds, &mut left));
            begun = match read.await.unwrap_or(Err(Failure::BodyTimeout)) {
                Ok(begun) => begun,
                Err(failure) => {
                    source.end_pieces();
                    source.breaks();
                    self.content = Content::default();
                    return Err(failure);
                }
            };
        }
        let (reader, stream) = ItemReader::new(splitter, left, begun, shared);
        self.items = Some(Box::new(Items { reader: RefCell::new(reader), stream }));
        Ok(())
    }

    /// Runs what is given, and reads the items of the body beside it, where it is a stream.
    pub(super) async fn beside<F: Future>(&self, head: &Request, what: F) -> F::Output {
        let mut what = pin!(what);
        poll_fn(|cx| {
            if let Some(items) = &self.items {
                items.reader.borrow_mut().poll(cx, &mut self.source.borrow_mut(), head);
            }
            what.as_mut().poll(cx)
        })
        .await
    }

    /// Where the bytes of one that is a stream are counted as they come.
    pub(super) fn counted(&self) -> Option<Rc<Cell<u64>>> {
        self.items.as_ref().map(|items| items.reader.borrow().counted())
    }

    /// Whether it is a stream that is still read.
    pub(super) fn is_streaming(&self) -> bool {
        self.items.as_ref().is_some_and(|items| !items.reader.borrow().is_over())
    }

    /// Nobody takes its items any more: what has not come of it is like what has not come of any body.
    pub(super) fn stop_streaming(&mut self) {
        if self.items.take().is_some() {
            self.source.get_mut().end_pieces();
        }
    }

    /// What of it has not come that is in the way of the next request: nothing on a stream of its own.
    pub(super) fn unread(&mut self, head: &Request) -> Unread {
        self.source.get_mut().unread(head)
    }

    /// Whether something has come with the head that is no part of it.
    pub(super) fn has_behind(&self, head: &Request) -> bool {
        self.source.borrow().has_behind(head)
    }

    /// Reads past the rest, of which there is little. Says whether its end was reached.
    pub(super) async fn discard(&mut self) -> bool {
        self.source.get_mut().discard().await
    }

    /// What of it is still to come on a stream of its own, if that is so little that it is read past.
    pub(super) fn into_rest(self, head: &Request) -> Option<StreamBody> {
        match self.source.into_inner() {
            Source::Stream(stream) if stream.unread(head) == Unread::Little => Some(stream),
            _ => None,
        }
    }

    /// How many of the bytes behind the head it has taken. Its buffer is given back.
    pub(super) fn finish(&mut self) -> usize {
        self.stop_streaming();
        let buffer = std::mem::take(&mut self.content).into_buffer();
        let source = self.source.get_mut();
        source.connection().open.buffers.give_back(buffer);
        source.used()
    }
}
