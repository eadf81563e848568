//! The rules of streams, one at a time, at both sides.

use super::{NotPut, Turn};
use crate::call::{CallHead, MetadataBuf};
use crate::connection::{Acceptor, Answer, Asked, Connector, NotSent, Said};
use crate::frame::{HEADER, ProtocolError, flag, kind};
use crate::hello::Streaming;
use crate::limits::{Limits, MAX_CREDIT, StreamCredit};
use crate::metadata::Metadata;
use crate::status::{Code, Status};
use crate::{CallId, Event, Header, Hello};
use std::convert::Infallible;

type Caller = Connector<&'static str, u32>;
type Called = Acceptor<&'static str, u32>;

const CREDIT: StreamCredit = StreamCredit { items: 4, bytes: 1000 };
const BOTH: Streaming = Streaming { caller: true, service: true };
const UP: Streaming = Streaming { caller: true, service: false };
const DOWN: Streaming = Streaming { caller: false, service: true };

fn hello(limits: Limits) -> Hello {
    Hello::new("", limits, Vec::new()).speaking_streams(CREDIT)
}

fn head() -> CallHead<'static> {
    CallHead { call_id: CallId::of("s", "m"), timeout_ms: None, metadata: Metadata::default() }
}

fn caller() -> Caller {
    caller_to(Limits::default(), CREDIT)
}

/// A caller whose peer has such limits and gives such credit, with the handshake done and written.
fn caller_to(limits: Limits, credit: StreamCredit) -> Caller {
    let mut machine = Caller::new(&hello(Limits::default()));
    let peer = Hello::new("", limits.clamped(), Vec::new()).speaking_streams(credit);
    assert!(matches!(machine.on_event(Event::Hello(peer)), Ok(Said::Hello(_))));
    frames(|buffer| machine.take_output(buffer));
    machine
}

fn streams(machine: &mut Caller, streaming: Streaming, size: usize) -> u32 {
    let sent = machine.stream(streaming, &head(), 9, "call", |out| {
        out.resize(out.len() + size, 7);
        Ok::<(), Infallible>(())
    });
    sent.expect("there is room")
}

fn item(machine: &mut Caller, number: u32, size: usize) -> Result<(), NotPut<Infallible>> {
    machine.item(number, |out| {
        out.resize(out.len() + size, 7);
        Ok(())
    })
}

/// The same at the other side.
fn called_by(credit: StreamCredit) -> Called {
    let mut machine = Called::new(&hello(Limits::default()));
    let peer = Hello::new("", Limits::default(), Vec::new()).speaking_streams(credit);
    assert!(matches!(machine.on_event(Event::Hello(peer)), Ok(Asked::Hello(_))));
    frames(|buffer| machine.take_output(buffer));
    machine
}

/// A call of that kind has come and is running.
fn runs(machine: &mut Called, number: u32, streaming: Streaming) {
    let event = Event::Call { number, head: head(), payload: b"" };
    assert!(matches!(machine.on_event(event), Ok(Asked::Call { .. })));
    assert_eq!(machine.stream(number, streaming, None, "method"), None);
}

fn put(machine: &mut Called, number: u32, size: usize) -> Result<(), NotPut<Infallible>> {
    machine.item(number, &mut vec![7; size], None)
}

/// Everything that leaves now, as kind, flags and number.
fn frames(mut take: impl FnMut(&mut Vec<u8>)) -> Vec<(u8, u8, u32)> {
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

fn says(machine: &mut Caller) -> Vec<(u8, u8, u32)> {
    frames(|buffer| machine.take_output(buffer))
}

fn answers(machine: &mut Called) -> Vec<(u8, u8, u32)> {
    frames(|buffer| machine.take_output(buffer))
}

fn comes(number: u32, payload: &[u8]) -> Event<'_> {
    Event::Item { number, payload }
}

fn ends(number: u32) -> Event<'static> {
    Event::End { number, metadata: Metadata::default() }
}

#[test]
fn nobody_streams_where_one_side_does_not_speak_it() {
    let silent = Hello::new("", Limits::default(), Vec::new());
    for (own, peer) in [(hello(Limits::default()), silent.clone()), (silent, hello(Limits::default()))] {
        let mut machine = Caller::new(&own);
        // Of a peer that speaks streams a side that does not learns nothing; its Inbound skips the field.
        machine.on_event(Event::Hello(peer.clone())).expect("sound");
        assert!(!machine.speaks_streams());
        let sent = machine.stream(BOTH, &head(), 9, "call", |_| Ok::<(), Infallible>(()));
        assert_eq!(sent, Err(NotSent::Closed));
        let mut machine = Called::new(&own);
        machine.on_event(Event::Hello(peer)).expect("sound");
        machine.on_event(Event::Call { number: 1, head: head(), payload: b"" }).expect("sound");
        assert_eq!(machine.stream(1, BOTH, None, "method"), Some("method"));
        assert!(machine.fail(1, &Status::unimplemented("streams")), "the call is still open");
    }
}

#[test]
fn items_wait_for_credit_and_the_last_one_may_be_longer_than_it() {
    let mut machine = caller();
    let number = streams(&mut machine, BOTH, 0);
    for size in [0, 999, 100_000] {
        assert_eq!(machine.turn(number), Turn::Now);
        assert_eq!(item(&mut machine, number, size), Ok(()));
        says(&mut machine);
        machine.next_turn();
    }
    assert_eq!(item(&mut machine, number, 0), Err(NotPut::Later), "99,999 bytes too many");
    let credit = |machine: &mut Caller, items, bytes| {
        machine.on_event(Event::Credit { number, items, bytes }).map(|_| ()).expect("sound");
        machine.next_turn()
    };
    assert_eq!(credit(&mut machine, 7, 99_999), None, "nothing is left yet");
    assert_eq!(credit(&mut machine, 0, 1), Some(number));
    assert_eq!(machine.next_turn(), None, "once");
    assert_eq!((item(&mut machine, number, 1), machine.turn(number)), (Ok(()), Turn::Later));
    assert_eq!(credit(&mut machine, 0, 1), Some(number));
    let mut few = caller_to(Limits::default(), StreamCredit { items: 1, bytes: 1000 });
    let number = streams(&mut few, UP, 0);
    assert_eq!((item(&mut few, number, 0), item(&mut few, number, 0)), (Ok(()), Err(NotPut::Later)));
}

#[test]
fn what_is_not_put_leaves_nothing_behind() {
    let mut machine = caller_to(Limits { max_message: 2000, ..Limits::default() }, CREDIT);
    let number = streams(&mut machine, BOTH, 0);
    says(&mut machine);
    assert_eq!(item(&mut machine, number, 2001), Err(NotPut::TooLong { size: 2001, most: 2000 }));
    assert_eq!(machine.item(number, |_| Err("no")), Err(NotPut::Payload("no")));
    assert!(machine.is_empty());
    assert_eq!(item(&mut machine, number, 2000), Ok(()));
    assert_eq!(item(&mut machine, 9, 0), Err(NotPut::Never));
    let down = streams(&mut machine, DOWN, 0);
    assert_eq!(item(&mut machine, down, 0), Err(NotPut::Never), "its caller does not stream");
    assert!(!machine.end(down, Metadata::default()));
    let mut machine = called_by(CREDIT);
    runs(&mut machine, 1, DOWN);
    let too_long = NotPut::TooLong { size: 16_777_217, most: 16_777_216 };
    assert_eq!(put(&mut machine, 1, 16_777_217), Err(too_long));
    assert!(machine.is_empty());
}

#[test]
fn a_peer_that_sends_beyond_its_credit_ends_the_connection() {
    let beyond = Some(ProtocolError::BeyondCredit(1));
    for event in [|| comes(1, b""), || Event::ItemBegins { number: 1 }] {
        let (mut machine, mut other) = (caller(), called_by(CREDIT));
        streams(&mut machine, DOWN, 0);
        runs(&mut other, 1, UP);
        for _ in 0..4 {
            assert!(matches!(machine.on_event(comes(1, b"")), Ok(Said::Item { number: 1, .. })));
            assert!(matches!(other.on_event(comes(1, b"")), Ok(Asked::Item { number: 1, .. })));
        }
        assert_eq!(
            (machine.on_event(event()).err(), other.on_event(event()).err()),
            (beyond.clone(), beyond.clone())
        );
        // Bytes count too, and the last item may take more than there are.
        let mut machine = caller();
        streams(&mut machine, DOWN, 0);
        machine.on_event(comes(1, &[7; 999])).expect("one byte is left");
        machine.on_event(comes(1, &[7; 50_000])).expect("it may be longer");
        assert_eq!(machine.on_event(event()).err(), beyond);
    }
}

#[test]
fn an_item_in_parts_is_counted_once_and_when_it_begins() {
    let mut machine = called_by(CREDIT);
    runs(&mut machine, 1, UP);
    for _ in 0..4 {
        machine.on_event(Event::ItemBegins { number: 1 }).expect("credit");
        assert!(matches!(machine.on_event(comes(1, b"7")), Ok(Asked::Item { .. })));
    }
    assert_eq!(machine.on_event(comes(1, b"")).err(), Some(ProtocolError::BeyondCredit(1)));
}

#[test]
fn credit_is_given_back_as_items_are_used_in_few_frames() {
    let mut machine = called_by(CREDIT);
    runs(&mut machine, 1, UP);
    for round in 0..20 {
        machine.on_event(comes(1, &[7; 10])).expect("there is credit");
        assert!(machine.is_empty());
        machine.used(1, 1, 10);
        let told = if round % 2 == 1 { vec![(kind::CREDIT, 0, 1)] } else { vec![] };
        assert_eq!(answers(&mut machine), told, "half of the items, round {round}");
    }
    machine.on_event(comes(1, &[7; 500])).expect("there is credit");
    machine.used(1, 1, 500);
    assert_eq!(answers(&mut machine), [(kind::CREDIT, 0, 1)], "half of the bytes");
    machine.used(1, 1000, 1_000_000);
    assert_eq!(answers(&mut machine), [(kind::CREDIT, 0, 1)], "more than has come");
    // Never more than may be given.
    machine.used(1, u32::MAX, usize::MAX);
    machine.used(1, u32::MAX, usize::MAX);
    assert_eq!(answers(&mut machine), [(kind::CREDIT, 0, 1)]);
    machine.used(7, 1, 1);
    assert!(machine.is_empty(), "no such call");
}

#[test]
fn credit_above_its_bound_and_credit_that_nobody_needs() {
    let event = |number, items, bytes| Event::Credit { number, items, bytes };
    let most = MAX_CREDIT - 4;
    for (items, bytes, refused) in
        [(most, 0, false), (most + 1, 0, true), (0, MAX_CREDIT - 1000, false), (0, MAX_CREDIT - 999, true)]
    {
        let mut machine = caller();
        let number = streams(&mut machine, BOTH, 0);
        let error = machine.on_event(event(number, items, bytes)).err();
        assert_eq!(error, refused.then_some(ProtocolError::TooMuchCredit(number)));
    }
    let mut machine = caller();
    let (up, down) = (streams(&mut machine, UP, 0), streams(&mut machine, DOWN, 0));
    assert!(machine.end(up, Metadata::default()));
    assert!(machine.on_event(event(up, u32::MAX, u32::MAX)).is_ok(), "after the end");
    machine.cancel(up);
    assert!(machine.on_event(event(up, u32::MAX, u32::MAX)).is_ok(), "the call is over");
    let not_streamed = |kind, number| Some(ProtocolError::NotStreamed { kind, number });
    assert_eq!(machine.on_event(event(down, 1, 1)).err(), not_streamed(kind::CREDIT, down));
    let plain = machine.call(&head(), 9, "call", |_| Ok::<(), Infallible>(())).expect("there is room");
    assert_eq!(machine.on_event(event(plain, 1, 1)).err(), not_streamed(kind::CREDIT, plain));
    assert_eq!(machine.on_event(event(99, 1, 1)).err(), Some(ProtocolError::BadCallNumber(99)));
}

#[test]
fn frames_that_do_not_belong_to_a_stream_end_the_connection() {
    let not_streamed = |kind, number| Some(ProtocolError::NotStreamed { kind, number });
    let mut machine = caller();
    let up = streams(&mut machine, UP, 0);
    assert_eq!(machine.on_event(comes(up, b"")).err(), not_streamed(kind::ITEM, up));
    assert_eq!(machine.on_event(ends(up)).err(), not_streamed(kind::END, up));
    let down = streams(&mut machine, DOWN, 0);
    let reply = Event::Reply { number: down, metadata: Metadata::default(), payload: b"" };
    assert_eq!(machine.on_event(reply).err(), not_streamed(kind::REPLY, down));
    let never = Some(ProtocolError::BadCallNumber(9));
    assert_eq!(
        (machine.on_event(comes(9, b"")).err(), machine.on_event(ends(9)).err()),
        (never.clone(), never)
    );
    assert_eq!(machine.lose().sent.len() + machine.in_flight(), 0, "nothing was sent");
    let mut machine = called_by(CREDIT);
    runs(&mut machine, 1, UP);
    assert!(matches!(machine.on_event(ends(1)), Ok(Asked::End { number: 1, .. })));
    assert_eq!(machine.on_event(comes(1, b"")).err(), not_streamed(kind::ITEM, 1), "after its end");
    assert_eq!(machine.on_event(ends(1)).err(), not_streamed(kind::END, 1), "a second one");
    runs(&mut machine, 2, DOWN);
    assert_eq!(machine.on_event(comes(2, b"")).err(), not_streamed(kind::ITEM, 2));
    machine.on_event(Event::Call { number: 3, head: head(), payload: b"" }).expect("sound");
    assert_eq!(machine.on_event(comes(3, b"")).err(), not_streamed(kind::ITEM, 3), "a plain one");
}

#[test]
fn what_comes_of_a_call_that_is_over_is_skipped() {
    let mut machine = caller();
    let number = streams(&mut machine, BOTH, 0);
    assert!(matches!(machine.on_event(ends(number)), Ok(Said::Answered(_, Answer::End { .. }))));
    let mut other = called_by(CREDIT);
    runs(&mut other, 1, BOTH);
    assert!(other.end(1, Metadata::default()) && !other.end(1, Metadata::default()));
    for event in [
        || comes(1, b"late"),
        || Event::ItemBegins { number: 1 },
        || ends(1),
        || Event::ItemTooLarge { number: 1 },
    ] {
        assert!(matches!(machine.on_event(event()), Ok(Said::Nothing)));
        assert!(matches!(other.on_event(event()), Ok(Asked::Nothing)));
    }
    assert_eq!((machine.turn(number), other.turn(1)), (Turn::Never, Turn::Never));
}

#[test]
fn a_call_has_one_outcome_in_whichever_way_it_ends() {
    let mut machine = called_by(CREDIT);
    for number in 1..=4 {
        runs(&mut machine, number, BOTH);
        assert_eq!(put(&mut machine, number, 5), Ok(()));
    }
    assert!(machine.end(1, Metadata::default()) && machine.fail(2, &Status::not_found("")));
    assert!(matches!(machine.on_event(Event::Cancel { number: 3 }), Ok(Asked::Stop("method"))));
    assert!(matches!(machine.on_event(Event::ItemTooLarge { number: 4 }), Ok(Asked::Stop("method"))));
    assert_eq!(machine.open_calls(), 0);
    let items = (1..=4).map(|number| (kind::ITEM, 0, number));
    let ends = [(kind::END, 0, 1), (kind::FAILURE, 0, 2), (kind::FAILURE, 0, 4)];
    assert_eq!(answers(&mut machine), items.chain(ends).collect::<Vec<_>>());
}

#[test]
fn what_went_over_the_wire_is_never_said_not_to_have_run() {
    let status = || Status::unavailable("").not_executed();
    for streamed in [false, true] {
        let mut machine = called_by(CREDIT);
        (1..=2).for_each(|number| runs(&mut machine, number, BOTH));
        if streamed {
            machine.on_event(comes(1, b"")).expect("credit");
            assert_eq!(put(&mut machine, 2, 0), Ok(()));
        }
        answers(&mut machine);
        assert!(machine.fail(1, &status()) && machine.refuse(2, status()).is_ok());
        let flags = if streamed { 0 } else { flag::NOT_EXECUTED };
        assert_eq!(answers(&mut machine), [(kind::FAILURE, flags, 1), (kind::FAILURE, flags, 2)]);

        let mut machine = caller();
        let number = streams(&mut machine, BOTH, 0);
        if streamed {
            assert_eq!(item(&mut machine, number, 0), Ok(()));
        }
        let failure = machine.on_event(Event::Failure { number, status: status() }).expect("sound");
        let Said::Answered(ended, Answer::Failure(status)) = failure else { panic!("{failure:?}") };
        assert_eq!((ended.streamed, status.not_executed), (streamed, !streamed));
        // Nor of a call that the peer has not accepted.
        let number = streams(&mut machine, DOWN, 0);
        if streamed {
            machine.on_event(comes(number, b"")).expect("credit");
        }
        let away = machine.on_event(Event::GoAway { last_call: 0, reason: "" }).expect("sound");
        let Said::GoAway { refused, .. } = away else { panic!("{away:?}") };
        assert_eq!(refused[0].streamed, streamed);
    }
}

#[test]
fn a_long_item_lets_others_pass_and_its_stream_goes_on_behind_it() {
    let mut machine = called_by(StreamCredit { items: 9, bytes: 1_000_000 });
    (1..=2).for_each(|number| runs(&mut machine, number, DOWN));
    assert_eq!(put(&mut machine, 1, 150_000), Ok(()));
    assert_eq!(put(&mut machine, 1, 5), Err(NotPut::Later), "one message at a time");
    assert_eq!(put(&mut machine, 2, 5), Ok(()));
    machine.on_event(Event::Call { number: 3, head: head(), payload: b"" }).expect("sound");
    assert!(machine.reply(3, Metadata::default(), &mut vec![7; 5], None));
    let more = flag::MORE;
    let long = [(kind::ITEM, more, 1), (kind::DATA, more, 1), (kind::DATA, 0, 1)];
    assert_eq!(answers(&mut machine), [&[(kind::ITEM, 0, 2), (kind::REPLY, 0, 3)], &long[..]].concat());
    assert_eq!((machine.next_turn(), machine.next_turn()), (Some(1), None));
    // What ends a call does not overtake its items.
    for (good, ends) in [(true, kind::END), (false, kind::FAILURE)] {
        let number = if good { 1 } else { 2 };
        assert_eq!(put(&mut machine, number, 150_000), Ok(()));
        assert!(if good {
            machine.end(1, Metadata::default())
        } else {
            machine.fail(2, &Status::not_found(""))
        });
        let long = long.map(|(kind, flags, _)| (kind, flags, number));
        assert_eq!(answers(&mut machine), [&long[..], &[(ends, 0, number)]].concat());
    }
}

#[test]
fn items_of_a_caller_come_behind_its_long_arguments() {
    let mut machine = caller();
    let number = streams(&mut machine, UP, 100_000);
    assert_eq!(item(&mut machine, number, 5), Err(NotPut::Later));
    assert!(says(&mut machine).iter().all(|(kind, ..)| matches!(*kind, kind::CALL | kind::DATA)));
    assert_eq!(machine.next_turn(), Some(number));
    assert_eq!(item(&mut machine, number, 5), Ok(()));
    // Where nothing is put the end waits all the same.
    let number = streams(&mut machine, UP, 100_000);
    assert!(machine.end(number, Metadata::default()));
    assert_eq!(says(&mut machine).last(), Some(&(kind::END, 0, number)));
}

#[test]
fn an_item_that_is_cut_short_is_ended() {
    for cancelled in [true, false] {
        let mut machine = called_by(StreamCredit { items: 9, bytes: 1_000_000 });
        runs(&mut machine, 1, DOWN);
        assert_eq!(put(&mut machine, 1, 150_000), Ok(()));
        let mut buffer = Vec::new();
        machine.take_output(&mut buffer);
        assert_eq!(buffer.len(), HEADER + 65_536, "a part has left");
        if cancelled {
            assert!(matches!(machine.on_event(Event::Cancel { number: 1 }), Ok(Asked::Stop("method"))));
        } else {
            assert_eq!(machine.give_up(&Status::unavailable("")), ["method"]);
        }
        assert_eq!(answers(&mut machine), [(kind::FAILURE, 0, 1)]);
        assert_eq!(machine.backlog(), 0);
    }
    let mut machine = caller_to(Limits::default(), CREDIT);
    let number = streams(&mut machine, UP, 0);
    assert_eq!(item(&mut machine, number, 150_000), Ok(()));
    let mut buffer = Vec::new();
    machine.take_output(&mut buffer);
    machine.take_output(&mut buffer);
    machine.on_event(Event::Reply { number, metadata: Metadata::default(), payload: b"" }).expect("early");
    assert_eq!(says(&mut machine), [(kind::CANCEL, 0, number)]);
}

#[test]
fn streams_wait_while_much_waits_and_go_on_in_turn() {
    let plenty = StreamCredit { items: 1000, bytes: 100_000_000 };
    let mut machine = caller_to(Limits { max_calls: 10, ..Limits::default() }, plenty);
    let calls: Vec<u32> = (0..3).map(|_| streams(&mut machine, UP, 0)).collect();
    let mut named = Vec::new();
    for round in 0..6 {
        // The first takes all the room that there is, whoever comes first in this round.
        let greedy = named.first().copied().unwrap_or(calls[0]);
        while item(&mut machine, greedy, 60_000) == Ok(()) {}
        assert!(machine.backlog() < 400_000, "{}", machine.backlog());
        calls.iter().for_each(|number| assert_eq!(machine.turn(*number), Turn::Later));
        assert!(machine.has_room(), "calls do not wait for streams");
        assert_eq!(machine.next_turn(), None, "there is no room");
        let mut buffer = Vec::new();
        machine.take_output(&mut buffer);
        named = std::iter::from_fn(|| machine.next_turn()).collect();
        assert_eq!(named.len(), 3, "all that wait");
        assert_ne!(named[0], greedy, "round {round}: who has had its turn is behind the others");
    }
}

#[test]
fn long_items_leave_room_for_calls() {
    let plenty = StreamCredit { items: 1000, bytes: MAX_CREDIT };
    let mut machine = caller_to(Limits::default(), plenty);
    let put = (0..100).filter(|_| {
        let number = streams(&mut machine, UP, 0);
        item(&mut machine, number, 3_000_000).is_ok()
    });
    assert_eq!(put.count(), 6, "up to 16 MiB, and what was begun");
    assert!(machine.has_room());
}

#[test]
fn metadata_of_an_end_that_is_longer_than_a_frame_goes_in_fragments() {
    let mut metadata = MetadataBuf::default();
    assert!(metadata.push_named("rows", &[b'7'; 3000]));
    let mut machine = Called::new(&hello(Limits::default()));
    let limits = Limits { max_frame: 1024, max_message: 3500, ..Limits::default() }.clamped();
    let peer = Hello::new("", limits, Vec::new()).speaking_streams(CREDIT);
    machine.on_event(Event::Hello(peer)).expect("sound");
    answers(&mut machine);
    runs(&mut machine, 1, DOWN);
    assert!(machine.end(1, metadata.as_metadata()));
    let more = flag::MORE;
    assert_eq!(
        answers(&mut machine),
        [(kind::END, more | flag::METADATA, 1), (kind::DATA, more, 1), (kind::DATA, 0, 1)]
    );
    runs(&mut machine, 2, DOWN);
    assert!(metadata.push_named("more", &[b'7'; 500]) && machine.end(2, metadata.as_metadata()));
    assert_eq!(answers(&mut machine), [(kind::FAILURE, 0, 2)], "longer than the caller's messages");
}

#[test]
fn a_peer_that_sends_items_and_never_reads_its_credit_ends_the_connection() {
    let mut machine = called_by(CREDIT);
    runs(&mut machine, 1, UP);
    let end = (0..1_000_000).find_map(|_| {
        let end = machine.on_event(comes(1, b"")).err();
        machine.used(1, 1, 0);
        end
    });
    assert_eq!(end, Some(ProtocolError::Unread));
}

#[test]
fn a_deadline_can_be_moved_at_the_side_that_calls() {
    let mut machine = caller();
    let number = streams(&mut machine, DOWN, 0);
    assert!(machine.set_deadline(number, 50) && !machine.set_deadline(99, 50));
    assert!(machine.expire(49).is_empty());
    assert_eq!(machine.first_deadline(), Some(50));
    assert!(machine.set_deadline(number, 20));
    assert_eq!(machine.first_deadline(), Some(20));
    assert_eq!(machine.expire(20).len(), 1);
}

#[test]
fn an_item_for_which_nothing_is_left_ends_its_call_at_the_side_that_reads() {
    for event in [Event::ItemTooLarge { number: 1 }, Event::ItemNoRoom { number: 1 }] {
        let mut machine = caller();
        streams(&mut machine, BOTH, 0);
        says(&mut machine);
        let said = machine.on_event(event).expect("sound");
        assert!(matches!(said, Said::Answered(_, Answer::TooLarge | Answer::NoRoom)), "{said:?}");
        assert_eq!(says(&mut machine), [(kind::CANCEL, 0, 1)]);
    }
    let mut machine = called_by(CREDIT);
    runs(&mut machine, 1, UP);
    assert!(matches!(machine.on_event(Event::ItemNoRoom { number: 1 }), Ok(Asked::Stop("method"))));
    let mut buffer = Vec::new();
    machine.take_output(&mut buffer);
    assert_eq!(buffer[HEADER], Code::ResourceExhausted as u8);
}
