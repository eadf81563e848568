//! How streams begin and end, one rule at a time, at both sides.

use super::testing::*;
use super::{NotPut, Turn};
use crate::call::MetadataBuf;
use crate::connection::{Answer, Asked, NotSent, Said};
use crate::frame::{HEADER, ProtocolError, flag, kind};
use crate::limits::{Limits, StreamCredit};
use crate::metadata::Metadata;
use crate::status::{Code, Status};
use crate::{Event, Hello};
use std::convert::Infallible;

#[test]
fn nobody_streams_where_one_side_does_not_speak_it() {
    let silent = Hello::new("", Limits::default(), Vec::new());
    for (own, peer) in [(hello(Limits::default()), silent.clone()), (silent, hello(Limits::default()))] {
        let mut machine = Caller::new(&own);
        // Of a peer that speaks streams a side that does not learns nothing; its Inbound skips the field.
        machine.on_event(Event::Hello(peer.clone())).expect("sound");
        assert!(!machine.speaks_streams());
        let sent = machine.stream(BOTH, &head(), 9, "call", |_| Ok::<_, Infallible>(None));
        assert_eq!(sent, Err(NotSent::Closed));
        let mut machine = Called::new(&own);
        machine.on_event(Event::Hello(peer)).expect("sound");
        machine.on_event(Event::Call { number: 1, head: head(), payload: b"" }).expect("sound");
        assert_eq!(machine.stream(1, BOTH, None, "method"), Some("method"));
        assert!(machine.fail(1, &Status::unimplemented("streams")), "the call is still open");
    }
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
    assert_eq!(machine.lose().unsent.len(), 2, "each still has its outcome to come");
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
