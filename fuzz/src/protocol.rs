//! What a peer of the protocol sends: an instance to the gateway or to a client of the SDK, a caller to a server.

use callgate_protocol::connection::streams::{NotPut, Turn};
use callgate_protocol::connection::{Answer, Asked, Said};
use callgate_protocol::frame::{HEADER, Header, MAGIC, kind};
use callgate_protocol::schema::MethodSchema;
use callgate_protocol::{Acceptor, CallHead, CallId, Connector, Event, Hello, Inbound, Limits, Metadata};
use callgate_protocol::{Outbound, Role, Status, StreamCredit, Streaming};
use callgate_transcode::{RequestBinding, RequestProgram, ResponseBinding, ResponseProgram};
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

/// Small, so that an input of a few KiB reaches each of them.
const LIMITS: Limits = Limits { max_frame: 1024, max_message: 3000, max_calls: 4, window: 3000 };

/// Likewise: of every stream.
const CREDIT: StreamCredit = StreamCredit { items: 2, bytes: 1500 };

/// How many calls the connector of [`connections`] makes: one of each kind.
const CALLS: u32 = 4;

/// How many items are put after each event at most. The third is longer than a frame.
const ITEMS: usize = 3;

/// A side's HELLO.
fn hello_of(streams: bool) -> Hello {
    let hello = Hello::new("fuzz", LIMITS, Vec::new());
    if streams { hello.speaking_streams(CREDIT) } else { hello }
}

/// The kind of call of a number: plain, or streaming one way or both.
fn streaming(number: u32) -> Streaming {
    Streaming { caller: number & 1 != 0, service: number & 2 != 0 }
}

/// Cut anywhere, a side of a connection reads the same: events in their order, and the same error behind them.
pub fn frames(input: &[u8]) {
    let sides = [Role::Connector, Role::Acceptor].map(|role| [(role, false), (role, true)]);
    for side in sides.into_iter().flatten() {
        let whole = read(side, std::iter::once(input));
        assert_eq!(read(side, input.chunks(1)), whole, "byte by byte");
        let step = 2 + input.iter().map(|byte| usize::from(*byte)).sum::<usize>() % 61;
        assert_eq!(read(side, input.chunks(step)), whole, "in pieces of {step}");
    }
}

/// What a side, which speaks streams or does not, says of the bytes, with the error that ended it.
fn read<'a>((role, streams): (Role, bool), pieces: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let mut inbound = Inbound::of(role, &hello_of(streams), None);
    let mut said = Vec::new();
    let end = feed(&mut inbound, pieces, |event| {
        said.push(format!("{event:?}"));
        Ok(())
    });
    said.extend(end.err());
    said
}

/// Hands pieces to a side as a socket would, and all events to `hear`.
fn feed<'a>(
    inbound: &mut Inbound,
    pieces: impl Iterator<Item = &'a [u8]>,
    mut hear: impl FnMut(Event<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let mut unread = Vec::new();
    for piece in pieces {
        unread.extend_from_slice(piece);
        let mut at = 0;
        loop {
            let (taken, event) = inbound.next(&unread[at..]).map_err(|error| error.to_string())?;
            at += taken;
            match event {
                Some(event) => hear(event)?,
                None if taken == 0 => break,
                None => {}
            }
        }
        unread.drain(..at);
        let frame = Inbound::frame_size(&unread).unwrap_or_default();
        let most = HEADER + callgate_protocol::limits::MAX_CONTROL as usize;
        assert!(frame <= most || unread.len() < HEADER, "a reader would wait for {frame} bytes");
    }
    Ok(())
}

/// Either side of a connection hears the bytes: each of its calls has one outcome at most, and all that it says is frames which the
/// other side takes.
pub fn connections(input: &[u8]) {
    caller(input);
    called(input);
}

fn caller(input: &[u8]) {
    let hello = hello_of(true);
    let mut connector: Connector<u32, u32> = Connector::new(&hello);
    let mut open = BTreeMap::new();
    let mut spoken = Vec::new();
    let heard = feed(&mut Inbound::of(Role::Connector, &hello, None), std::iter::once(input), |event| {
        match connector.on_event(event).map_err(|error| error.to_string())? {
            Said::Hello(_) => call_all(&mut connector, &mut open),
            Said::Answered(ended, answer) => {
                assert_eq!(open.remove(&ended.number), Some(ended.value), "one outcome");
                match answer {
                    Answer::Reply { payload, .. } => {
                        assert!(payload.len() <= LIMITS.max_message as usize);
                        assert!(!streaming(ended.value).service || !connector.speaks_streams());
                    }
                    Answer::End { .. } => assert!(streaming(ended.value).service),
                    Answer::Failure(status) => assert!(!(status.not_executed && ended.streamed)),
                    Answer::TooLarge | Answer::NoRoom => {}
                }
            }
            Said::Item { number, payload } => {
                assert!(open.get(&number).is_some_and(|value| streaming(*value).service), "it streams");
                assert!(payload.len() <= LIMITS.max_message as usize);
                connector.used(number, 1, payload.len());
            }
            Said::GoAway { refused, .. } => {
                for ended in refused {
                    assert_eq!(open.remove(&ended.number), Some(ended.value), "one outcome");
                }
            }
            Said::Nothing | Said::Schema(..) | Said::Ready(_) => {}
        }
        for (number, value) in &open {
            for round in 0..ITEMS {
                let item = vec![7; 400 * (1 + round)];
                let turn = connector.turn(*number);
                let put = connector.item(*number, |out| {
                    out.extend_from_slice(&item);
                    Ok::<_, Infallible>(None)
                });
                let too_long = matches!(put, Err(NotPut::TooLong { .. }));
                assert!(put.is_ok() || turn != Turn::Now || too_long, "{put:?}");
                assert!(put.is_err() || streaming(*value).caller);
            }
        }
        take(&mut spoken, |buffer| connector.take_output(buffer));
        while let Some(number) = connector.next_turn() {
            assert!(connector.turn(number) == Turn::Now && open.contains_key(&number), "it may go on");
            connector.end(number, Metadata::default());
        }
        Ok(())
    });
    if let Err(why) = heard {
        connector.go_away_with(&why);
    }
    let lost = connector.lose();
    for ended in lost.unsent.into_iter().chain(lost.sent) {
        assert_eq!(open.remove(&ended.number), Some(ended.value), "one outcome");
    }
    assert_eq!(open, BTreeMap::new(), "each call has an outcome");
    take(&mut spoken, |buffer| connector.take_output(buffer));
    are_frames(Role::Acceptor, &spoken);
}

/// Makes a call of each kind. A peer that does not speak streams gets plain ones.
fn call_all(connector: &mut Connector<u32, u32>, open: &mut BTreeMap<u32, u32>) {
    for value in 0..CALLS {
        let head =
            CallHead { call_id: CallId::of("s", "m"), timeout_ms: None, metadata: Metadata::default() };
        let payload = |out: &mut Vec<u8>| {
            out.resize(out.len() + 700 * value as usize, 7);
            Ok::<_, Infallible>(None)
        };
        let sent = if connector.speaks_streams() && !streaming(value).is_plain() {
            connector.stream(streaming(value), &head, value, value, payload)
        } else {
            connector.call(&head, value, value, payload)
        };
        if let Ok(number) = sent {
            open.insert(number, value);
        }
    }
}

fn called(input: &[u8]) {
    let hello = hello_of(true);
    let mut acceptor: Acceptor<u32, u32> = Acceptor::new(&hello);
    let mut spoken = Vec::new();
    // A call in parts is asked with its last one: later calls may have come between.
    let (mut asked, mut running) = (BTreeSet::new(), BTreeSet::new());
    let heard = feed(&mut Inbound::of(Role::Acceptor, &hello, None), std::iter::once(input), |event| {
        match acceptor.on_event(event).map_err(|error| error.to_string())? {
            Asked::Call { number, payload, .. } => {
                assert!(asked.insert(number), "each call is asked once");
                assert!(payload.len() <= LIMITS.max_message as usize);
                match number % 3 {
                    0 if acceptor.speaks_streams() && !streaming(number).is_plain() => {
                        assert_eq!(acceptor.stream(number, streaming(number), Some(number), number), None);
                        running.insert(number);
                    }
                    0 => drop(acceptor.run(number, Some(number), number)),
                    1 => drop(acceptor.reply(number, Metadata::default(), &mut payload.to_vec(), None)),
                    _ => drop(acceptor.fail(number, &Status::cancelled("fuzz"))),
                }
            }
            Asked::Item { number, payload } => {
                assert!(running.contains(&number) && streaming(number).caller, "it streams");
                assert!(payload.len() <= LIMITS.max_message as usize);
                acceptor.used(number, 1, payload.len());
            }
            Asked::End { number, .. } => {
                assert!(running.contains(&number) && streaming(number).caller, "it streams");
                let answered = match number % 4 {
                    1 => acceptor.reply(number, Metadata::default(), &mut vec![7; 2000], None),
                    _ => acceptor.end(number, Metadata::default()),
                };
                assert!(answered && running.remove(&number));
            }
            Asked::Refuse { number, .. } => {
                let status = Status::cancelled("refused");
                acceptor.refuse(number, status).map_err(|error| error.to_string())?;
            }
            Asked::Stop(value) => {
                assert_eq!(value % 3, 0, "only those are kept");
                running.remove(&value);
            }
            Asked::Schema(fingerprint) => acceptor.schema(fingerprint, Vec::new()),
            Asked::Nothing | Asked::Hello(_) => {}
        }
        assert!(acceptor.open_calls() <= LIMITS.max_calls as usize);
        for number in &running {
            for round in 0..ITEMS {
                let turn = acceptor.turn(*number);
                let put = acceptor.item(*number, &mut vec![7; 400 * (1 + round)], None);
                let too_long = matches!(put, Err(NotPut::TooLong { .. }));
                assert!(put.is_ok() || turn != Turn::Now || too_long, "{put:?}");
                assert!(put.is_err() || streaming(*number).service);
            }
        }
        take(&mut spoken, |buffer| acceptor.take_output(buffer));
        while let Some(number) = acceptor.next_turn() {
            assert!(acceptor.turn(number) == Turn::Now && running.contains(&number), "it may go on");
            acceptor.fail(number, &Status::aborted("fuzz").not_executed());
            running.remove(&number);
        }
        Ok(())
    });
    match heard {
        Err(why) => acceptor.go_away_with(asked.last().copied().unwrap_or_default(), &why),
        Ok(()) => drop(acceptor.give_up(&Status::cancelled("the end"))),
    }
    while !acceptor.is_empty() {
        take(&mut spoken, |buffer| acceptor.take_output(buffer));
    }
    are_frames(Role::Connector, &spoken);
}

/// Adds what a side wants to write.
fn take(spoken: &mut Vec<u8>, output: impl FnOnce(&mut Vec<u8>)) {
    let mut buffer = Vec::new();
    output(&mut buffer);
    spoken.append(&mut buffer);
}

/// The other side takes all of it, but for a frame that is not whole.
fn are_frames(role: Role, spoken: &[u8]) {
    let other = Hello::new("other", Limits::default(), Vec::new()).speaking_streams(CREDIT);
    let mut inbound = Inbound::of(role, &other, None);
    let heard = feed(&mut inbound, std::iter::once(spoken), |_| Ok(()));
    assert_eq!(heard, Ok(()), "what we say is refused");
}

/// A HELLO of these bytes, if it is one, is the same when it is written and read again.
pub fn handshake(input: &[u8]) {
    let header = Header { length: input.len() as u32, kind: kind::HELLO, flags: 0, call: 0 };
    let bytes = [&MAGIC, &header.encode()[..], input].concat();
    let Some(hello) = hello(&bytes) else { return };
    assert_eq!(hello.limits, hello.limits.clamped(), "what is offered lies within the bounds");
    assert_eq!(hello.streams, hello.streams.map(StreamCredit::clamped));
    let mut outbound = Outbound::new(&hello);
    let mut written = Vec::new();
    take(&mut written, |buffer| outbound.take(buffer));
    assert_eq!(self::hello(&written).as_ref(), Some(&hello));
}

fn hello(bytes: &[u8]) -> Option<Hello> {
    let mut found = None;
    let _ = feed(&mut Inbound::of(Role::Connector, &hello_of(true), None), std::iter::once(bytes), |event| {
        if let Event::Hello(hello) = event {
            found = Some(hello);
        }
        Ok(())
    });
    found
}

/// A schema of these bytes, if it is one, is the same when it is written and read again; there is one way to write it; and it can be
/// compiled, or is refused.
pub fn schemas(input: &[u8]) {
    let Ok(schema) = MethodSchema::decode(input) else { return };
    assert_eq!(MethodSchema::decode(&schema.encode()).as_ref(), Ok(&schema));
    let canonical = schema.canonical();
    assert_eq!(MethodSchema::decode(&canonical.encode()).as_ref(), Ok(&canonical));
    assert_eq!(canonical.canonical(), canonical, "there is one way to write it");
    assert_eq!(canonical.wire_fingerprint(), schema.wire_fingerprint(), "the messages are the same");
    let request = RequestProgram::compile(&schema, &RequestBinding::default());
    let response = ResponseProgram::compile(&schema, &ResponseBinding::default());
    let again = RequestProgram::compile(&canonical, &RequestBinding::default());
    // A definition that nothing uses may be wrong; the canonical form leaves it out.
    assert!(again.is_ok() || request.is_err(), "written otherwise, it is compiled as well");
    drop(response);
}
