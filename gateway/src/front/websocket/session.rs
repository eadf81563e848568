//! A WebSocket that is open: what its client says goes to its method, and what that says to the client, until one of them ends it.
//!
//! Each side may say its last word first. The client's is the end of the call's items: the method may still answer that for a while. A
//! method that has ended, or failed, ends the WebSocket with a code that says how. Whoever has said its last word hears nothing more of
//! what is dropped here: a call that is not over is cancelled by that.

use super::clock::{Clock, Due};
use super::farewell;
use super::incoming::{Incoming, Lost};
use super::messages::{self, Message};
use super::method::{Method, Said};
use super::outgoing::Outgoing;
use super::quota::{Quota, TooMany};
use crate::config::Messages;
use crate::failure::Failure;
use crate::front::opened::Opened;
use crate::front::wire::Wire;
use crate::telemetry::WebSocketEnd;
use crate::transport::Stop;
use crate::worker::Worker;
use callgate_http1::websocket::{Close, Event, code};
use std::task::{Context, Poll};

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Both sides speak.
    Open,
    /// The client has said its last word, which had that code.
    Left(Option<u16>),
    /// We have said ours, and wait for the client's.
    Closing,
    /// Nobody says anything more.
    Closed,
}

/// What is said in a WebSocket.
pub(super) struct Session<'s> {
    wire: &'s Wire,
    told: &'s dyn Fn(&Failure),
    incoming: Incoming,
    outgoing: Outgoing,
    method: Method,
    messages: Messages,
    /// Whether the method takes items of its caller, once that is known.
    reads: Option<bool>,
    /// The client has sent a message.
    has_said: bool,
    quota: Quota,
    pub(super) stage: Stage,
    clock: Clock,
    /// A ping has left, and nothing has come since.
    asked: bool,
    ended: Option<WebSocketEnd>,
}

impl<'s> Session<'s> {
    pub(super) fn new(
        worker: &Worker,
        wire: &'s Wire,
        opened: Opened,
        begun: Vec<u8>,
        told: &'s dyn Fn(&Failure),
    ) -> Session<'s> {
        let most = usize::try_from(worker.shared.settings.server.max_body).unwrap_or(usize::MAX);
        let Opened { call, items, messages, limits, counted, .. } = opened;
        Session {
            wire,
            told,
            incoming: Incoming::new(begun, most, items, worker.shared.bodies.clone()),
            outgoing: Outgoing::new(wire.connection.open.buffers.clone()),
            method: Method::Running(call),
            messages,
            reads: None,
            has_said: false,
            quota: Quota::new(limits.bytes, counted),
            stage: Stage::Open,
            clock: Clock::new(worker, limits.idle),
            asked: false,
            ended: None,
        }
    }

    /// Goes on until it has ended: how.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<WebSocketEnd> {
        self.wire.connection.remember(cx.waker());
        loop {
            let flushed = match self.outgoing.poll_flush(cx, self.wire) {
                Poll::Ready(Ok(())) => true,
                Poll::Ready(Err(_)) => return self.gone(WebSocketEnd::Gone),
                Poll::Pending => false,
            };
            if flushed && self.stage == Stage::Closed {
                return Poll::Ready(self.ended.unwrap_or(WebSocketEnd::Gone));
            }
            let mut goes_on = match self.poll_client(cx) {
                Ok(goes_on) => goes_on,
                Err(end) => return self.gone(end),
            };
            if flushed {
                goes_on |= self.poll_method(cx);
            }
            if let Poll::Ready(due) = self.clock.poll(cx, &self.wire.connection.open) {
                goes_on = true;
                if let Err(end) = self.falls_due(due) {
                    return self.gone(end);
                }
            }
            if !goes_on {
                return Poll::Pending;
            }
        }
    }

    /// It ends without a last word of the client.
    fn gone(&mut self, end: WebSocketEnd) -> Poll<WebSocketEnd> {
        Poll::Ready(self.ended.unwrap_or(end))
    }

    /// Hears what the client has said; while it takes what it is told. Says whether it was anything.
    fn poll_client(&mut self, cx: &mut Context<'_>) -> Result<bool, WebSocketEnd> {
        let mut any = false;
        while self.stage != Stage::Closed && !self.outgoing.is_full() {
            match self.incoming.poll(cx, self.wire) {
                Poll::Pending => break,
                Poll::Ready(Ok(event)) => self.hear(event),
                Poll::Ready(Err(Lost::Gone)) => return Err(WebSocketEnd::Gone),
                Poll::Ready(Err(Lost::Fault(fault))) => {
                    self.close(Some(fault.code()), fault.detail());
                    self.stage = Stage::Closed;
                }
                Poll::Ready(Err(Lost::NoRoom)) => {
                    self.close(
                        Some(code::TRY_LATER),
                        "there is no memory left for messages; try again later",
                    );
                    self.stage = Stage::Closed;
                }
            }
            any = true;
        }
        Ok(any)
    }

    /// Hears one thing that the client has said.
    fn hear(&mut self, event: Event) {
        self.asked = false;
        match event {
            Event::Text(_) | Event::Binary(_) if self.stage == Stage::Open => self.say(event),
            Event::Text(_) | Event::Binary(_) => self.incoming.discard(),
            Event::Ping(ping) => self.outgoing.pong(ping.bytes()),
            Event::Pong(_) => {}
            Event::Close(Close { code, .. }) => self.leave(code),
        }
    }

    /// The client says something to the method.
    fn say(&mut self, message: Event) {
        self.has_said = true;
        if self.reads == Some(false) {
            return self.takes_nothing();
        }
        if let Err(too_many) = self.quota.came(messages::length(&message)) {
            return self.ends_too_long(too_many);
        }
        match messages::item(self.messages, message) {
            Ok(item) => self.incoming.put(item),
            Err(why) => self.close(Some(code::UNSUPPORTED), why),
        }
    }

    fn takes_nothing(&mut self) {
        self.close(Some(code::UNSUPPORTED), "this takes no messages; it only sends some");
    }

    /// The client says its last word.
    fn leave(&mut self, code: Option<u16>) {
        match self.stage {
            Stage::Open => {
                self.ended = Some(WebSocketEnd::Client);
                self.stage = Stage::Left(code);
                if farewell::is_final(code) || self.reads == Some(false) {
                    return self.close(code, "");
                }
                self.incoming.end();
                self.clock.leaves();
            }
            Stage::Closing => self.stage = Stage::Closed,
            Stage::Left(_) | Stage::Closed => {}
        }
    }

    /// Takes what the method says, when the client has taken what is there. Says whether it was anything.
    fn poll_method(&mut self, cx: &mut Context<'_>) -> bool {
        self.incoming.poll_backlog(cx);
        let mut any = false;
        while !self.outgoing.is_full() {
            let Poll::Ready(said) = self.method.poll(cx) else { return any };
            any = true;
            match said {
                Said::Begins { reads } => self.begins(reads),
                Said::Item(item) => match messages::message(self.messages, item) {
                    Ok(message) => self.tell(&message),
                    Err(failure) => self.fail(&failure),
                },
                Said::Result(replied) => {
                    self.quota.result(self.outgoing.result(replied.json));
                    self.done();
                }
                Said::Ends => self.done(),
                Said::Fails(failure) => self.fail(&failure),
            }
        }
        any
    }

    /// The method's items come.
    fn begins(&mut self, reads: bool) {
        self.reads = Some(reads);
        self.clock.item();
        match self.stage {
            _ if !reads && self.has_said => self.takes_nothing(),
            Stage::Left(code) if !reads => self.close(code, ""),
            _ => {}
        }
    }

    /// Sends an item of the method.
    fn tell(&mut self, message: &Message) {
        let (Message::Text(data) | Message::Binary(data)) = message;
        if let Err(too_many) = self.quota.goes(data.len()) {
            return self.ends_too_long(too_many);
        }
        self.clock.item();
        match message {
            Message::Text(text) => self.outgoing.text(text.clone()),
            Message::Binary(data) => self.outgoing.binary(data),
        }
    }

    fn ends_too_long(&mut self, TooMany(most): TooMany) {
        let stopped = self.method.stop(Stop::Bytes(most));
        self.fail(&stopped.unwrap_or(Failure::StreamTooLong(most)));
    }

    /// The method has ended well.
    fn done(&mut self) {
        let code = if let Stage::Left(code) = self.stage { code } else { Some(code::NORMAL) };
        self.close(code, "");
    }

    fn fail(&mut self, failure: &Failure) {
        (self.told)(failure);
        let (code, reason) = farewell::of(failure);
        self.close(Some(code), &reason);
    }

    /// Says our last word. Nobody is listened to any more but for the client's own.
    fn close(&mut self, code: Option<u16>, reason: &str) {
        self.method.end();
        self.incoming.close();
        self.incoming.discard();
        if matches!(self.stage, Stage::Closing | Stage::Closed) {
            return;
        }
        self.outgoing.close(code, reason);
        self.ended.get_or_insert(WebSocketEnd::of(code));
        self.stage = if let Stage::Left(_) = self.stage { Stage::Closed } else { Stage::Closing };
        self.clock.closes();
    }

    /// Does what it is time for.
    fn falls_due(&mut self, due: Due) -> Result<(), WebSocketEnd> {
        match (due, self.stage) {
            (Due::Idle, _) => {
                self.method.stop(Stop::Idle).inspect(|failure| self.fail(failure));
            }
            (Due::End, Stage::Left(code)) => self.close(code, ""),
            (Due::End, _) => return Err(WebSocketEnd::Gone),
            (Due::Restart, _) => self.close(Some(code::RESTART), "the gateway ends; come again"),
            (Due::Look, _) => {
                let lives = self.incoming.was_heard() | self.outgoing.is_moving();
                if !lives && self.asked {
                    return Err(WebSocketEnd::Silent);
                }
                // One whose answer could not be heard is asked all the same: if it has gone, the system says so.
                self.asked = !lives && !self.incoming.is_held_up();
                if !lives && self.stage == Stage::Open {
                    self.outgoing.ping();
                }
            }
        }
        Ok(())
    }

    /// The buffer that it has read into.
    pub(super) fn finish(self) -> Vec<u8> {
        self.incoming.into_buffer()
    }
}
