//! Calls that stream: how they begin, the items of a reply that come, and whose turn it is to send some.
//!
//! An item that comes lies in the call's queue as it is. When its reader takes it, it becomes JSON, and the instance may send another
//! one in its place. So the credit that the gateway gives bounds the queue, and a slow reader slows its instance down and nobody else.

use super::events::{EndedCall, MAX_AT_ONCE};
use super::{Connection, sender, timeout_ms};
use crate::buffers::{HEADROOM, with_room};
use crate::transport::body::Body;
use crate::transport::call::{Call, Times, Unsent};
use crate::transport::callgate::fit::STREAMS_TO_NOBODY;
use crate::transport::callgate::in_flight::{InFlight, Streamed};
use crate::transport::callgate::programs::Program;
use crate::transport::outcome::Outcome;
use crate::transport::reply::LongReply;
use crate::transport::slot::{Begun, Item, Raw, Sender, Sent, Slot, Streams};
use bytes::Bytes;
use callgate_protocol::limits::MAX_FRAME;
use callgate_protocol::{CallHead, Metadata, Room};
use callgate_transcode::{DecodeError, DecodeReason, RequestInput};
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;
use tokio::time::Instant;

/// What an instance has more for a stream than it may take: so the gateway ends it, which says nothing of the instance, and not the
/// instance, which would be a failure.
const MARGIN: Duration = Duration::from_secs(1);

/// Why a route whose bodies are streams does not fit a method.
const TAKEN_WHOLE: &str = "the method takes its request whole, not as a stream of items";

impl Connection {
    /// The body of a call is a stream, and its method takes it whole: no call of the route fits.
    #[cold]
    pub(super) fn takes_no_stream(&self, call: &Call<'_>) -> Unsent {
        if call.body.is_spent() {
            return Unsent::Spent;
        }
        self.programs.does_not_fit(&call.binding, TAKEN_WHOLE);
        Unsent::NotOffered
    }

    /// Encodes a call that streams into the send buffer.
    #[cold]
    pub(super) fn stream(
        self: &Rc<Self>,
        call: &Call<'_>,
        program: Rc<Program>,
        times: Times,
    ) -> Result<Sent, Unsent> {
        let streams = program.streams;
        if call.on_written.is_some() {
            self.programs.does_not_fit(&call.binding, STREAMS_TO_NOBODY);
            return Err(Unsent::NotOffered);
        }
        let (body, form): (&[u8], _) = match call.body {
            Body::Whole(_) | Body::Shared(_) => (call.body.whole(), &[][..]),
            Body::Form(form) => (b"", form),
            Body::Stream(body, form) if !streams.caller && body.is_optional() => (b"", form),
            Body::Stream(..) if !streams.caller => return Err(self.takes_no_stream(call)),
            Body::Stream(..) if call.body.is_spent() => return Err(Unsent::Spent),
            Body::Stream(body, form) => (body.arguments(), form),
        };
        let last = times.now + times.stream;
        let (first, left) = match (call.body.is_whole() || !streams.caller, streams.service) {
            (true, false) => (times.deadline, times.deadline.saturating_duration_since(times.now)),
            (true, true) => (times.deadline.min(last), times.stream + MARGIN),
            (false, _) => (last, times.stream + MARGIN),
        };
        let slot = Rc::new(Slot::default());
        let streamed = Streamed { deadline: last, has_items: Cell::new(false), sender: RefCell::default() };
        let streamed = Rc::new(streamed);
        let (transcoder, metadata) = (program.shared.clone(), call.metadata);
        let head = CallHead { call_id: transcoder.call_id, timeout_ms: timeout_ms(left), metadata };
        let input = RequestInput { path: call.path, query: call.query, bound: call.bound, body, form };
        let in_flight = InFlight {
            slot: slot.clone(),
            program: program.clone(),
            sent_at: times.now,
            streamed: Some(streamed.clone()),
        };
        let encode = |out: &mut Vec<u8>| transcoder.encode(&input, call.identity, out).map(|()| None);
        let number = self.machine.borrow_mut().stream(streams, &head, first, in_flight, encode)?;
        if !self.accepts() {
            // It was the last number.
            self.has_closed();
        }
        self.has_streamed.set(true);
        self.writer.has_one_more();
        let sender =
            streams.caller.then(|| self.send_items(call, number, &program, streamed, times)).flatten();
        let conn = self.clone();
        let take = Box::new(move |raw| conn.take(number, &program, raw));
        let streams = Some(Box::new(Streams { in_items: streams.service, take, sender }));
        Ok(Sent { number, slot, at: times.now, streams })
    }

    /// Begins to send the items of a request. One that is whole has none.
    fn send_items(
        self: &Rc<Self>,
        call: &Call<'_>,
        number: u32,
        program: &Rc<Program>,
        streamed: Rc<Streamed>,
        times: Times,
    ) -> Option<Sender> {
        let Body::Stream(body, _) = call.body else {
            self.machine.borrow_mut().end(number, Metadata::default());
            return None;
        };
        let (pieces, on_item) = body.begin()?;
        let answer_within = times.deadline.saturating_duration_since(times.now);
        let (conn, program) = (self.clone(), program.clone());
        let sending = sender::Sending::new(conn, number, program, streamed, answer_within, on_item);
        Some(sending.begin(pieces))
    }

    /// An item of a call has come.
    pub(super) fn put(&self, number: u32, item: Raw) {
        let mut machine = self.machine.borrow_mut();
        let Some(InFlight { slot, sent_at, streamed: Some(streamed), .. }) = machine.value(number) else {
            return;
        };
        let (slot, sent_at, last) = (slot.clone(), *sent_at, streamed.deadline);
        if !streamed.has_items.replace(true) {
            machine.set_deadline(number, last);
        }
        drop(machine);
        if !slot.has_begun() {
            slot.begin(self.begun(sent_at));
        }
        slot.put(item);
    }

    /// The last item of a call has come before.
    pub(super) fn on_last_item(&self, call: EndedCall) {
        let InFlight { slot, sent_at, .. } = &call.value;
        if !slot.has_begun() {
            slot.begin(self.begun(*sent_at));
        }
        self.end(call, Outcome::Complete);
    }

    fn begun(&self, sent_at: Instant) -> Begun {
        let took = self.liveness.heard_at().saturating_duration_since(sent_at);
        Begun { took, disturbed: self.worker.presence.was_away_since(sent_at) }
    }

    /// The reader of a call takes an item, which is to become JSON.
    fn take(&self, number: u32, program: &Program, raw: Raw) -> Result<Item, String> {
        let mut machine = self.machine.borrow_mut();
        machine.used(number, 1, raw.bytes.len());
        let has_credit = !machine.is_empty();
        drop(machine);
        if has_credit {
            self.writer.wake();
        }
        let Raw { bytes, room } = raw;
        let response = &program.shared.response;
        if response.is_raw() {
            return take_raw(program, bytes, room);
        }
        if bytes.len() <= MAX_FRAME as usize {
            // JSON is about twice as long as what it is made of.
            let mut json = self.worker.buffers.for_reply(bytes.len() * 2 + 64);
            match json.append(|out| response.decode_within(&bytes, out, HEADROOM + MAX_AT_ONCE)) {
                Ok(()) => {
                    let picked = program.pick_of_item(&bytes).map_err(|error| error.to_string())?;
                    return Ok(Item::Data(Bytes::copy_from_slice(json.body()), picked));
                }
                Err(DecodeError { reason: DecodeReason::TooLong, .. }) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        let noted = program.picks_of_items().then(Box::default);
        Ok(Item::Long(Box::new(LongReply::new(bytes, room, response.clone()).with(noted))))
    }

    /// Gives a call up for that reason, which its caller hears, unless it has ended.
    pub(super) fn fail(&self, number: u32, outcome: Outcome) {
        let Some(call) = self.machine.borrow_mut().cancel(number) else { return };
        self.writer.wake();
        let ended = self.given_up(&call.value, outcome);
        call.value.slot.end(ended);
    }

    /// Wakes those who wait for their turn to send an item, and can go on.
    #[inline]
    pub(super) fn give_turns(&self) {
        if self.has_streamed.get() {
            self.wake_senders();
        }
    }

    #[cold]
    fn wake_senders(&self) {
        let mut machine = self.machine.borrow_mut();
        while let Some(number) = machine.next_turn() {
            let streamed = machine.value(number).and_then(|call| call.streamed.as_ref());
            if let Some(sender) = streamed.and_then(|streamed| streamed.sender.take()) {
                sender.wake();
            }
        }
    }
}

/// An item that is no JSON: its bytes, where they lie.
fn take_raw(program: &Program, bytes: Vec<u8>, room: Option<Room>) -> Result<Item, String> {
    let body = program.shared.response.raw_body(&bytes).map_err(|error| error.to_string())?;
    let picked = program.pick_of_item(&bytes).map_err(|error| error.to_string())?;
    let bytes = match room {
        Some(room) => with_room(bytes, 0, room),
        None => Bytes::from(bytes),
    };
    Ok(Item::Data(bytes.slice(body), picked))
}
