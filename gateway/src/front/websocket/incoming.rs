//! What a client sends: bytes of its socket, taken apart into frames, and the queue in which its messages wait as items of its call.
//!
//! While the queue has no room, no message is begun. Control frames before it are read, and so much more that the end of the connection is
//! seen. What has come of messages takes room of what all long bodies have together.

use crate::buffers::with_room;
use crate::front::wire::Wire;
use crate::transport::Piece;
use bytes::Bytes;
use callgate_http1::websocket::{Event, Fault, Reader};
use callgate_protocol::{Budget, Room};
use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::sync::mpsc::error::{SendError, TrySendError};
use tokio::sync::mpsc::{OwnedPermit, Sender};

/// What is read at a time, in bytes, and no more than that ahead of a message that cannot be taken.
const READ: usize = 16 * 1024;

/// So much of a message takes no room: it is bounded by the number of connections.
const FREE: usize = 4 * 1024;

/// A place in the queue that is waited for.
type Place = Pin<Box<dyn Future<Output = Result<OwnedPermit<Piece>, SendError<()>>>>>;

/// Why nothing more comes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The client has gone without a word.
    Gone,
    /// It has broken a rule.
    Fault(Fault),
    /// There is no room for its message.
    NoRoom,
}

/// What comes.
pub(super) struct Incoming {
    reader: Reader,
    /// What was read of the socket, from `at` on not taken apart.
    buffer: Vec<u8>,
    at: usize,
    /// Where messages go; nowhere when nobody takes them any more.
    items: Option<Sender<Piece>>,
    /// What waits for a place in the queue.
    backlog: VecDeque<Piece>,
    place: Option<Place>,
    budget: Arc<Budget>,
    /// So many bytes of a message have room.
    held: usize,
    room: Option<Room>,
    /// Something has come since it was last asked.
    heard: bool,
}

impl Incoming {
    /// With what has come already. Messages have so many bytes at most.
    pub(super) fn new(
        begun: Vec<u8>,
        max_message: usize,
        items: Sender<Piece>,
        budget: Arc<Budget>,
    ) -> Incoming {
        Incoming {
            reader: Reader::new(max_message),
            buffer: begun,
            at: 0,
            items: Some(items),
            backlog: VecDeque::new(),
            place: None,
            budget,
            held: 0,
            room: None,
            heard: false,
        }
    }

    /// The next message or control frame. A message waits until there is a place for it.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>, wire: &Wire) -> Poll<Result<Event, Lost>> {
        self.poll_backlog(cx);
        loop {
            let takes = self.backlog.is_empty();
            let mut input = &self.buffer[self.at..];
            let read = self.reader.read(&mut input, takes);
            self.at = self.buffer.len() - input.len();
            match read {
                Err(fault) => return Poll::Ready(Err(Lost::Fault(fault))),
                Ok(Some(event)) => return Poll::Ready(self.held(event)),
                Ok(None) if !self.hold(self.reader.held()) => return Poll::Ready(Err(Lost::NoRoom)),
                Ok(None) => {}
            }
            if self.buffer.len() - self.at >= READ {
                // A message waits at its beginning.
                return Poll::Pending;
            }
            self.buffer.drain(..self.at);
            self.at = 0;
            match wire.poll_read(cx, &mut self.buffer, READ) {
                Poll::Ready(Ok(1..)) => self.heard = true,
                Poll::Ready(_) => return Poll::Ready(Err(Lost::Gone)),
                Poll::Pending => {
                    if self.buffer.is_empty() {
                        wire.connection.open.buffers.give_back(std::mem::take(&mut self.buffer));
                    }
                    return Poll::Pending;
                }
            }
        }
    }

    /// Takes room for all of a message that is whole.
    fn held(&mut self, event: Event) -> Result<Event, Lost> {
        match &event {
            Event::Text(data) | Event::Binary(data) if !self.hold(data.capacity()) => Err(Lost::NoRoom),
            _ => Ok(event),
        }
    }

    /// Takes room for so many bytes, if they are many. Says whether there is so much.
    fn hold(&mut self, bytes: usize) -> bool {
        if bytes <= FREE.max(self.held) {
            return true;
        }
        let more = bytes - self.held;
        let holds = match &mut self.room {
            Some(room) => room.grow(more),
            None => {
                self.room = self.budget.take(more);
                self.room.is_some()
            }
        };
        if holds {
            self.held = bytes;
        }
        holds
    }

    /// Puts a message into the queue, with its room.
    pub(super) fn put(&mut self, message: Vec<u8>) {
        self.held = 0;
        let item = match self.room.take() {
            Some(room) => with_room(message, 0, room),
            None => Bytes::from(message),
        };
        if self.items.is_some() {
            self.backlog.push_back(Piece::Item(item));
        }
    }

    /// Drops a message.
    pub(super) fn discard(&mut self) {
        (self.held, self.room) = (0, None);
    }

    /// That was the last message.
    pub(super) fn end(&mut self) {
        if self.items.is_some() {
            self.backlog.push_back(Piece::End);
        }
    }

    /// Nobody takes messages any more.
    pub(super) fn close(&mut self) {
        (self.items, self.place) = (None, None);
        self.backlog.clear();
    }

    /// Puts what waits into the queue as that has places.
    pub(super) fn poll_backlog(&mut self, cx: &mut Context<'_>) {
        while let Some(items) = self.items.as_ref().filter(|_| !self.backlog.is_empty()) {
            if let Some(place) = &mut self.place {
                let Poll::Ready(placed) = place.as_mut().poll(cx) else { return };
                self.place = None;
                match (placed, self.backlog.pop_front()) {
                    (Ok(permit), Some(piece)) => drop(permit.send(piece)),
                    _ => self.close(),
                }
                continue;
            }
            let Some(piece) = self.backlog.pop_front() else { return };
            match items.try_send(piece) {
                Ok(()) => {}
                Err(TrySendError::Full(piece)) => {
                    self.place = Some(Box::pin(items.clone().reserve_owned()));
                    self.backlog.push_front(piece);
                }
                Err(TrySendError::Closed(_)) => self.close(),
            }
        }
    }

    /// Whether something has come since this was last asked.
    pub(super) fn was_heard(&mut self) -> bool {
        std::mem::take(&mut self.heard)
    }

    /// Whether the client cannot be heard, because its messages must wait.
    pub(super) fn is_held_up(&self) -> bool {
        self.buffer.len() - self.at >= READ
    }

    /// What of it is a buffer of the worker's.
    pub(super) fn into_buffer(self) -> Vec<u8> {
        self.buffer
    }
}
