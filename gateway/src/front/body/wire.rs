//! A body of HTTP/1.1, on the connection's socket: what has come with its head stays where it is, and others are put together in a
//! buffer of their own. One that is read piece by piece, beside what is written, is in `pieces.rs`.

mod pieces;

use super::Unread;
use super::content::{Bounds, Content};
use crate::failure::Failure;
use crate::front::connection::{Connection, Phase};
use crate::front::wire::Wire;
use callgate_http1::{BodyDecoder, BodyEvent, BodyLength, CONTINUE, Limits, Request};
use std::future::poll_fn;
use std::ops::Range;
use std::rc::Rc;
use std::task::Poll;

/// What is read at a time, in bytes.
const STEP: usize = 64 * 1024;

/// A long body has room for so many times what has come of it, up to its length. Each time that its buffer grows costs a copy.
const FOLD: usize = 16;

/// A body that was refused is read past, and its connection goes on, if no more than that is still to come, in bytes.
pub(super) const SHORT: u64 = 64 * 1024;

/// A body that comes behind its head.
pub(super) struct WireBody {
    wire: Rc<Wire>,
    length: BodyLength,
    decoder: BodyDecoder,
    /// So many of the bytes behind the head are done with.
    used: usize,
    /// It cannot be read to its end.
    is_broken: bool,
    waited: bool,
}

impl WireBody {
    /// That of a request whose head is there.
    #[inline]
    pub(super) fn new(wire: Rc<Wire>, head: &Request, limits: &Limits) -> WireBody {
        let length = head.body_length();
        let decoder = BodyDecoder::new(length, limits);
        WireBody { wire, length, decoder, used: 0, is_broken: false, waited: false }
    }

    /// Its connection.
    pub(super) fn connection(&self) -> &Rc<Connection> {
        &self.wire.connection
    }

    /// Whether it was not there at once.
    pub(super) fn waited(&self) -> bool {
        self.waited
    }

    /// Whether it cannot be read to its end.
    pub(super) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Whether its end was reached.
    pub(super) fn was_read(&self) -> bool {
        self.length == BodyLength::Empty || self.decoder.has_ended()
    }

    /// The least bytes that are still to come.
    pub(super) fn at_least(&self) -> u64 {
        self.decoder.at_least()
    }

    /// How many of the bytes behind the head it has taken.
    pub(super) fn used(&self) -> usize {
        self.used
    }

    /// Whether there is nothing to wait for.
    pub(super) fn is_there(&self, head: &Request) -> bool {
        match self.length {
            BodyLength::Known(length) => self.was_read() || head.rest().len() as u64 >= length,
            _ => self.was_read(),
        }
    }

    /// What of it has not come.
    pub(super) fn unread(&mut self, head: &Request) -> Unread {
        if !self.is_broken && self.pass(head).is_err() {
            self.is_broken = true;
        }
        // Whoever waits to be told to send may send or not: nobody can tell (RFC 9110, 10.1.1).
        let may_come = head.expects_continue() && self.used == 0 && !self.waited;
        match self.length {
            _ if self.was_read() => Unread::Nothing,
            BodyLength::Known(_) if !self.is_broken && !may_come && self.decoder.at_least() <= SHORT => {
                Unread::Little
            }
            _ => Unread::Much,
        }
    }

    /// Whether something has come with the head that is no part of it.
    pub(super) fn has_behind(&self, head: &Request) -> bool {
        self.used < head.rest().len()
    }

    /// Reads past the rest, of which there is little. Says whether its end was reached.
    pub(super) async fn discard(&mut self) -> bool {
        self.wire.connection.enter(Phase::Body);
        while !self.was_read() {
            if self.more_ahead(SHORT as usize).await.is_err() || self.pass_ahead().is_err() {
                return false;
            }
        }
        true
    }

    /// Reads it into `content`.
    pub(super) async fn collect(
        &mut self,
        content: &mut Content,
        head: &Request,
        bounds: &Bounds<'_>,
    ) -> Result<(), Failure> {
        let rest = head.rest();
        while let Some(piece) =
            next_piece(&mut self.decoder, rest, &mut self.used).inspect_err(|_| self.is_broken = true)?
        {
            content.put(rest, piece, bounds)?;
        }
        if self.was_read() {
            return Ok(());
        }
        content.gather(rest, bounds.buffers);
        self.tell_to_send(head).await;
        let read = match self.length {
            BodyLength::Known(_) => self.collect_known(content, bounds).await,
            _ => self.collect_chunks(content, bounds).await,
        };
        if self.waited {
            self.wire.connection.enter(Phase::Busy);
        }
        read
    }

    /// Tells a client to send that waits for that.
    async fn tell_to_send(&mut self, head: &Request) {
        if head.expects_continue() && head.rest().is_empty() {
            // From here on nobody else reads what comes.
            self.wait();
            // A client that has gone is found by the read.
            let _ = self.wire.write_all(CONTINUE, &[]).await;
        }
    }

    /// Its client is waited for.
    fn wait(&mut self) {
        if !std::mem::replace(&mut self.waited, true) {
            self.wire.connection.enter(Phase::Body);
        }
    }

    /// The rest of a body whose length is known: what was read ahead, and then straight into its buffer.
    async fn collect_known(&mut self, content: &mut Content, bounds: &Bounds<'_>) -> Result<(), Failure> {
        self.take_ahead(content, bounds)?;
        let mut bytes = std::mem::take(content.buffer());
        while !self.was_read() {
            let left = usize::try_from(self.decoder.at_least()).unwrap_or(usize::MAX);
            if bytes.len() >= STEP && bytes.capacity() - bytes.len() < left.min(STEP) {
                bytes.reserve(left.min(bytes.len() * FOLD));
            }
            let mut used = bytes.len();
            self.more(&mut bytes, left).await?;
            while next_piece(&mut self.decoder, &bytes, &mut used)?.is_some() {}
        }
        *content.buffer() = bytes;
        Ok(())
    }

    /// The rest of a body that comes in chunks: what was read ahead is looked at, and the pieces are put together.
    async fn collect_chunks(&mut self, content: &mut Content, bounds: &Bounds<'_>) -> Result<(), Failure> {
        while !self.was_read() {
            self.take_ahead(content, bounds)?;
            if !self.was_read() {
                self.more_ahead(STEP).await?;
            }
        }
        Ok(())
    }

    /// Takes the pieces that were read ahead.
    fn take_ahead(&mut self, content: &mut Content, bounds: &Bounds<'_>) -> Result<(), Failure> {
        let wire = self.wire.clone();
        let mut ahead = wire.ahead().borrow_mut();
        let mut used = 0;
        while let Some(piece) =
            next_piece(&mut self.decoder, &ahead, &mut used).inspect_err(|_| self.is_broken = true)?
        {
            content.put(&ahead, piece, bounds)?;
        }
        ahead.drain(..used);
        Ok(())
    }

    /// Reads past what has come.
    fn pass(&mut self, head: &Request) -> Result<(), Failure> {
        while next_piece(&mut self.decoder, head.rest(), &mut self.used)?.is_some() {}
        self.pass_ahead()
    }

    fn pass_ahead(&mut self) -> Result<(), Failure> {
        let mut ahead = self.wire.ahead().borrow_mut();
        let mut used = 0;
        while !self.decoder.has_ended() && next_piece(&mut self.decoder, &ahead, &mut used)?.is_some() {}
        ahead.drain(..used);
        Ok(())
    }

    /// Reads ahead, at most so many bytes.
    async fn more_ahead(&mut self, most: usize) -> Result<(), Failure> {
        let wire = self.wire.clone();
        let mut ahead = wire.ahead().take();
        if ahead.capacity() == 0 {
            ahead = wire.connection.open.buffers.take();
        }
        let read = self.more(&mut ahead, most).await;
        wire.ahead().replace(ahead);
        read
    }

    /// Reads more, at most so many bytes.
    async fn more(&mut self, out: &mut Vec<u8>, most: usize) -> Result<(), Failure> {
        let connection = &self.wire.connection;
        let waited = &mut self.waited;
        let read = poll_fn(|cx| {
            let read = self.wire.poll_read(cx, out, most);
            if read.is_pending() {
                if !std::mem::replace(waited, true) {
                    connection.enter(Phase::Body);
                }
                if connection.expired.get() {
                    return Poll::Ready(Err(Failure::BodyTimeout));
                }
            }
            connection.pace.moved(&read);
            read.map(|read| match read {
                Ok(1..) => Ok(()),
                _ => Err(Failure::ClientGone),
            })
        })
        .await;
        self.is_broken |= read.is_err();
        read
    }
}

/// The next piece of a body in `bytes`, of which so many are done with. Without one the body has ended, or more must come.
fn next_piece(
    decoder: &mut BodyDecoder,
    bytes: &[u8],
    used: &mut usize,
) -> Result<Option<Range<usize>>, Failure> {
    if decoder.has_ended() {
        return Ok(None);
    }
    let from = *used;
    let decoded = decoder.next(&bytes[from..]).map_err(Failure::Refused)?;
    *used += decoded.used;
    Ok(match decoded.event {
        Some(BodyEvent::Piece(range)) => Some(from + range.start..from + range.end),
        Some(BodyEvent::End) | None => None,
    })
}
