//! What the tests of streams share: either side after its handshake, and what it writes.

use super::NotPut;
use crate::call::CallHead;
use crate::connection::{Acceptor, Asked, Connector, Said};
use crate::frame::HEADER;
use crate::hello::Streaming;
use crate::limits::{Limits, StreamCredit};
use crate::metadata::Metadata;
use crate::{CallId, Event, Header, Hello};
use std::convert::Infallible;

pub(super) type Caller = Connector<&'static str, u32>;
pub(super) type Called = Acceptor<&'static str, u32>;

pub(super) const CREDIT: StreamCredit = StreamCredit { items: 4, bytes: 1000 };
pub(super) const BOTH: Streaming = Streaming { caller: true, service: true };
pub(super) const UP: Streaming = Streaming { caller: true, service: false };
pub(super) const DOWN: Streaming = Streaming { caller: false, service: true };

pub(super) fn hello(limits: Limits) -> Hello {
    Hello::new("", limits, Vec::new()).speaking_streams(CREDIT)
}

pub(super) fn head() -> CallHead<'static> {
    CallHead { call_id: CallId::of("s", "m"), timeout_ms: None, metadata: Metadata::default() }
}

pub(super) fn caller() -> Caller {
    caller_to(Limits::default(), CREDIT)
}

/// A caller whose peer has such limits and gives such credit, with the handshake done and written.
pub(super) fn caller_to(limits: Limits, credit: StreamCredit) -> Caller {
    let mut machine = Caller::new(&hello(Limits::default()));
    let peer = Hello::new("", limits.clamped(), Vec::new()).speaking_streams(credit);
    assert!(matches!(machine.on_event(Event::Hello(peer)), Ok(Said::Hello(_))));
    frames(|buffer| machine.take_output(buffer));
    machine
}

pub(super) fn streams(machine: &mut Caller, streaming: Streaming, size: usize) -> u32 {
    let sent = machine.stream(streaming, &head(), 9, "call", |out| {
        out.resize(out.len() + size, 7);
        Ok::<_, Infallible>(None)
    });
    sent.expect("there is room")
}

pub(super) fn item(machine: &mut Caller, number: u32, size: usize) -> Result<(), NotPut<Infallible>> {
    machine.item(number, |out| {
        out.resize(out.len() + size, 7);
        Ok(None)
    })
}

/// The same at the other side.
pub(super) fn called_by(credit: StreamCredit) -> Called {
    let mut machine = Called::new(&hello(Limits::default()));
    let peer = Hello::new("", Limits::default(), Vec::new()).speaking_streams(credit);
    assert!(matches!(machine.on_event(Event::Hello(peer)), Ok(Asked::Hello(_))));
    frames(|buffer| machine.take_output(buffer));
    machine
}

/// A call of that kind has come and is running.
pub(super) fn runs(machine: &mut Called, number: u32, streaming: Streaming) {
    let event = Event::Call { number, head: head(), payload: b"" };
    assert!(matches!(machine.on_event(event), Ok(Asked::Call { .. })));
    assert_eq!(machine.stream(number, streaming, None, "method"), None);
}

pub(super) fn put(machine: &mut Called, number: u32, size: usize) -> Result<(), NotPut<Infallible>> {
    machine.item(number, &mut vec![7; size], None)
}

/// Everything that leaves now, as kind, flags and number.
pub(super) fn frames(mut take: impl FnMut(&mut Vec<u8>)) -> Vec<(u8, u8, u32)> {
    let (mut frames, mut buffer) = (Vec::new(), Vec::new());
    loop {
        take(&mut buffer);
        if buffer.is_empty() {
            return frames;
        }
        let mut rest = buffer.strip_prefix(b"CALLGATE").unwrap_or(&buffer);
        while let Some(header) = Header::decode(rest) {
            frames.push((header.kind, header.flags, header.call));
            rest = &rest[HEADER + header.length as usize..];
        }
    }
}

pub(super) fn says(machine: &mut Caller) -> Vec<(u8, u8, u32)> {
    frames(|buffer| machine.take_output(buffer))
}

pub(super) fn answers(machine: &mut Called) -> Vec<(u8, u8, u32)> {
    frames(|buffer| machine.take_output(buffer))
}

pub(super) fn comes(number: u32, payload: &[u8]) -> Event<'_> {
    Event::Item { number, payload }
}

pub(super) fn ends(number: u32) -> Event<'static> {
    Event::End { number, metadata: Metadata::default() }
}
