//! Credit and turns, one rule at a time, at both sides.

use super::testing::*;
use super::{NotPut, Turn};
use crate::Event;
use crate::connection::{Asked, Said};
use crate::frame::{ProtocolError, kind};
use crate::limits::{Limits, MAX_CREDIT, StreamCredit};
use crate::metadata::Metadata;
use std::convert::Infallible;

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
    let plain = machine.call(&head(), 9, "call", |_| Ok::<_, Infallible>(None)).expect("there is room");
    assert_eq!(machine.on_event(event(plain, 1, 1)).err(), not_streamed(kind::CREDIT, plain));
    assert_eq!(machine.on_event(event(99, 1, 1)).err(), Some(ProtocolError::BadCallNumber(99)));
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
