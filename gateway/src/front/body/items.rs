//! A body that is a stream of items: each goes, as soon as it has come, into the queue from which its call takes them.
//!
//! What reads it has no task of its own. It runs within the one of its exchange, beside the call, and beside the reply where that has begun
//! (`RequestBody::beside`), and ends with them. Nothing is read while the queue has no room: so a method that is slow slows its client
//! down. Neither `max_body` nor a least rate applies. A client that is silent for `body_timeout` fails the call while it is waited for.

use super::content::LONG_OF_MANY;
use super::pieces::{Item, Left, Splitter};
use super::source::Source;
use crate::buffers::with_room;
use crate::call::{BodyStream, Piece};
use crate::config::BodyTypes;
use crate::failure::{Failure, ShedReason};
use crate::worker::Shared;
use bytes::Bytes;
use callgate_http1::Request;
use callgate_protocol::{Budget, Room};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::mpsc::{Sender, channel};
use tokio::time::{Instant, Sleep, sleep};

/// Items that wait for their call.
const QUEUE: usize = 16;

/// An item of more bytes waits alone: it is put into the queue when that is empty.
const LONG_ITEM: usize = 16 * 1024;

/// The same for raw bytes, which take no room of what all have together.
const LONG_RAW: usize = 4 * 1024;

/// While nothing is read, it is looked so often whether the client is there.
const LOOK: Duration = Duration::from_millis(50);

/// What a body has that is a stream of items.
pub(super) struct Items {
    pub(super) reader: RefCell<ItemReader>,
    /// Where its call takes them.
    pub(super) stream: BodyStream,
}

impl Items {
    /// Whether they are those of bodies that are read so.
    pub(super) fn is_of(&self, takes: &BodyTypes) -> bool {
        self.reader.borrow().splitter.is_of(takes)
    }
}

/// The queue has room, or nobody takes from it any more.
type Waiting = Pin<Box<dyn Future<Output = ()>>>;

/// Reads the items of one body.
pub(super) struct ItemReader {
    splitter: Splitter,
    left: Left,
    /// What has come and was not looked at.
    piece: Bytes,
    queue: Sender<Piece>,
    /// What is to be put into it next.
    next: Option<Piece>,
    waiting: Option<Waiting>,
    room: ItemRoom,
    timer: Timer,
    /// A client may be silent for so long.
    body_timeout: Duration,
    is_over: bool,
}

impl ItemReader {
    /// That of a body whose items are found so and that may have so many bytes, and the queue that it fills.
    /// `begun` has come of them already.
    pub(super) fn new(
        splitter: Splitter,
        left: Left,
        begun: Bytes,
        shared: &Shared,
    ) -> (ItemReader, BodyStream) {
        let (queue, pieces) = channel(QUEUE);
        let reader = ItemReader {
            splitter,
            left,
            piece: begun,
            queue,
            next: None,
            waiting: None,
            room: ItemRoom { budget: shared.bodies.clone(), held: 0, room: None },
            timer: Timer::new(),
            body_timeout: shared.settings.server.body_timeout,
            is_over: false,
        };
        (reader, BodyStream::new(pieces))
    }

    /// Where the bytes of its body are counted as they come.
    pub(super) fn counted(&self) -> Rc<Cell<u64>> {
        self.left.counted()
    }

    /// Whether it reads nothing any more.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Reads on, as long as something has come and there is room for it.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, source: &mut Source, head: &Request) {
        if self.is_over || self.poll_over(cx, source, head).is_pending() {
            return;
        }
        self.is_over = true;
        source.end_pieces();
    }

    /// Reads on, until nothing more is to be read.
    fn poll_over(&mut self, cx: &mut Context<'_>, source: &mut Source, head: &Request) -> Poll<()> {
        loop {
            if self.next.is_some() {
                match self.poll_put(cx) {
                    Poll::Ready(true) => return Poll::Ready(()),
                    Poll::Ready(false) => self.timer.stop(),
                    // Nothing is read, so nothing else shows that the client leaves.
                    Poll::Pending if source.has_left() => return Poll::Ready(()),
                    Poll::Pending => {
                        ready!(self.timer.poll(cx, LOOK));
                        continue;
                    }
                }
            }
            self.next = Some(match self.poll_next(cx, source, head) {
                Poll::Ready(Ok(piece)) => piece,
                Poll::Ready(Err(failure)) => {
                    source.breaks();
                    Piece::Failed(Box::new(failure))
                }
                Poll::Pending if self.queue.is_closed() => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            });
        }
    }

    /// Puts the next piece into the queue. Says whether nothing follows it, or nobody takes it.
    fn poll_put(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let long = if self.splitter.is_raw() { LONG_RAW } else { LONG_ITEM };
        let wanted = match &self.next {
            Some(Piece::Item(item)) if item.len() > long => QUEUE,
            _ => 1,
        };
        if self.waiting.is_none() && self.queue.capacity() < wanted {
            let queue = self.queue.clone();
            self.waiting = Some(Box::pin(async move { drop(queue.reserve_many(wanted).await) }));
        }
        if let Some(waiting) = &mut self.waiting {
            ready!(waiting.as_mut().poll(cx));
            self.waiting = None;
        }
        let Some(piece) = self.next.take() else { return Poll::Ready(false) };
        let is_last = !matches!(piece, Piece::Item(_));
        Poll::Ready(self.queue.try_send(piece).is_err() || is_last)
    }

    /// The next piece.
    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut Source,
        head: &Request,
    ) -> Poll<Result<Piece, Failure>> {
        loop {
            if let Some(item) = self.splitter.next(&mut self.piece)? {
                return Poll::Ready(self.room.put(item).map(Piece::Item));
            }
            self.room.hold(self.splitter.kept())?;
            match source.poll_piece(cx, head) {
                Poll::Ready(piece) => {
                    self.timer.stop();
                    match piece? {
                        Some(piece) => {
                            self.left.take(piece.len())?;
                            self.piece = piece;
                        }
                        None => return Poll::Ready(self.last()),
                    }
                }
                Poll::Pending => {
                    return self.timer.poll(cx, self.body_timeout).map(|()| Err(Failure::BodyTimeout));
                }
            }
        }
    }

    /// The last item, if there is one behind the others, or the end.
    fn last(&mut self) -> Result<Piece, Failure> {
        match self.splitter.end()? {
            Some(item) => self.room.put(item).map(Piece::Item),
            None => Ok(Piece::End),
        }
    }
}

/// The room that an item takes of what all long bodies have together, unless it is short.
struct ItemRoom {
    budget: Arc<Budget>,
    /// So many bytes have room.
    held: usize,
    room: Option<Room>,
}

impl ItemRoom {
    /// Takes room for so many bytes of the item that comes.
    fn hold(&mut self, bytes: usize) -> Result<(), Failure> {
        if bytes <= self.held.max(LONG_OF_MANY) {
            return Ok(());
        }
        let more = bytes - self.held;
        let holds = match &mut self.room {
            Some(room) => room.grow(more),
            None => {
                self.room = self.budget.take(more);
                self.room.is_some()
            }
        };
        self.held = bytes;
        if holds { Ok(()) } else { Err(Failure::Shed(ShedReason::Memory)) }
    }

    /// The item that has come, which has its room until it was sent.
    fn put(&mut self, item: Item) -> Result<Bytes, Failure> {
        let item = match item {
            Item::Json(item) => item,
            // Few bytes wait, and nothing was put together.
            Item::Raw(bytes) => return Ok(bytes),
        };
        self.hold(item.len())?;
        self.held = 0;
        Ok(match self.room.take() {
            Some(room) => with_room(item, 0, room),
            None => item.into(),
        })
    }
}

/// The time that something is waited for.
struct Timer {
    sleep: Pin<Box<Sleep>>,
    runs: bool,
}

impl Timer {
    fn new() -> Timer {
        Timer { sleep: Box::pin(sleep(Duration::ZERO)), runs: false }
    }

    /// It is waited for no longer.
    fn stop(&mut self) {
        self.runs = false;
    }

    /// Waits until it was waited for so long. Then it begins anew.
    fn poll(&mut self, cx: &mut Context<'_>, most: Duration) -> Poll<()> {
        if !std::mem::replace(&mut self.runs, true) {
            self.sleep.as_mut().reset(Instant::now() + most);
        }
        ready!(self.sleep.as_mut().poll(cx));
        self.stop();
        Poll::Ready(())
    }
}
