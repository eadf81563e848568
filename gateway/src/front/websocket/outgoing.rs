//! What a client is sent, as its socket takes it: frames in a buffer, and behind them a long text that is not copied.

use crate::buffers::Buffers;
use crate::call::Json;
use crate::front::wire::Wire;
use bytes::{Buf, Bytes};
use callgate_http1::websocket;
use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

/// Frames that are there are sent together, up to so many bytes.
const FULL: usize = 64 * 1024;

/// A text up to this many bytes is copied behind its head.
const SMALL: usize = 4 * 1024;

/// What goes.
pub(super) struct Outgoing {
    /// Frames, from `at` on not written.
    out: Vec<u8>,
    at: usize,
    /// What a text whose head stands in `out` has left.
    pieces: VecDeque<Bytes>,
    /// Frames that come behind that.
    behind: Vec<u8>,
    /// Something was written that may not have left.
    unflushed: bool,
    /// Something was written since it was last asked.
    moved: bool,
    buffers: Rc<Buffers>,
}

impl Outgoing {
    pub(super) fn new(buffers: Rc<Buffers>) -> Outgoing {
        let (out, behind) = (Vec::new(), Vec::new());
        Outgoing { out, at: 0, pieces: VecDeque::new(), behind, unflushed: false, moved: false, buffers }
    }

    /// Whether the socket is to take some of it before more is put.
    pub(super) fn is_full(&self) -> bool {
        !self.pieces.is_empty() || self.out.len() - self.at >= FULL
    }

    /// Puts a text that may be long.
    pub(super) fn text(&mut self, text: Bytes) {
        if text.len() <= SMALL || !self.pieces.is_empty() {
            return websocket::text(self.frames(), &text);
        }
        websocket::text_head(self.frames(), text.len());
        self.pieces.push_back(text);
    }

    /// Puts a message of bytes, which is copied.
    pub(super) fn binary(&mut self, data: &[u8]) {
        websocket::binary(self.frames(), data);
    }

    /// Puts a result, unless it is nothing. Says how many bytes it has.
    pub(super) fn result(&mut self, json: Json) -> usize {
        match json {
            Json::Short(json) => {
                let text = json.body();
                if !text.is_empty() {
                    websocket::text(self.frames(), text);
                }
                text.len()
            }
            Json::Long(pieces) => {
                let length = pieces.iter().map(Bytes::len).sum();
                if length > 0 {
                    websocket::text_head(self.frames(), length);
                    self.pieces.extend(pieces);
                }
                length
            }
        }
    }

    pub(super) fn ping(&mut self) {
        websocket::ping(self.frames(), b"");
    }

    pub(super) fn pong(&mut self, data: &[u8]) {
        websocket::pong(self.frames(), data);
    }

    pub(super) fn close(&mut self, code: Option<u16>, reason: &str) {
        websocket::close(self.frames(), code, reason);
    }

    /// Where the next frame goes.
    fn frames(&mut self) -> &mut Vec<u8> {
        let frames = if self.pieces.is_empty() { &mut self.out } else { &mut self.behind };
        if frames.capacity() == 0 {
            *frames = self.buffers.take();
        }
        frames
    }

    /// Writes it, until all has left.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>, wire: &Wire) -> Poll<io::Result<()>> {
        loop {
            let frames = &self.out[self.at..];
            let piece = self.pieces.front().map_or(&[][..], |piece| piece);
            if frames.is_empty() && piece.is_empty() {
                if self.pieces.pop_front().is_some() {
                    continue;
                }
                self.buffers.give_back(std::mem::replace(&mut self.out, std::mem::take(&mut self.behind)));
                self.at = 0;
                if self.out.is_empty() {
                    break;
                }
                continue;
            }
            let written = ready!(wire.poll_write(cx, frames, piece))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let of_frames = written.min(frames.len());
            self.at += of_frames;
            if let Some(piece) = self.pieces.front_mut().filter(|_| written > of_frames) {
                piece.advance(written - of_frames);
            }
            (self.unflushed, self.moved) = (true, true);
        }
        if self.unflushed {
            ready!(wire.poll_flush(cx))?;
            self.unflushed = false;
        }
        Poll::Ready(Ok(()))
    }

    /// Whether something waits for the socket, which has taken some of it since this was last asked.
    pub(super) fn is_moving(&mut self) -> bool {
        let waits = self.at < self.out.len() || !self.pieces.is_empty() || self.unflushed;
        std::mem::take(&mut self.moved) && waits
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.buffers.give_back(std::mem::take(&mut self.out));
    }
}
