//! What becomes of calls, one rule at a time.

use super::*;
use crate::frame::{HEADER, flag, kind};
use crate::limits::MIN_FRAME;
use crate::metadata::Metadata;
use crate::status::Status;
use crate::{CallId, Header, Inbound, Role};
use std::convert::Infallible;

type Machine = Connector<&'static str, u32>;

fn head() -> CallHead<'static> {
    CallHead { call_id: CallId::of("s", "m"), timeout_ms: None, metadata: Metadata::default() }
}

fn hello(limits: Limits) -> Event<'static> {
    Event::Hello(Hello::new("peer", limits, Vec::new()))
}

/// A connection whose handshake is done, and everything written.
fn open(limits: Limits) -> Machine {
    let mut machine = Machine::new(&Hello::new("", Limits::default(), Vec::new()));
    assert!(matches!(machine.on_event(hello(limits)), Ok(Said::Hello(_))));
    frames(&mut machine);
    machine
}

fn call(machine: &mut Machine, deadline: u32, size: usize) -> Result<u32, NotSent<Infallible>> {
    machine.call(&head(), deadline, "value", |out| {
        out.resize(out.len() + size, 7);
        Ok(None)
    })
}

/// Everything that leaves now, as kind, flags and number.
fn frames(machine: &mut Machine) -> Vec<(u8, u8, u32)> {
    let mut frames = Vec::new();
    while !machine.is_empty() {
        let chunk = machine.chunk().to_vec();
        let mut rest = chunk.strip_prefix(b"CALLGATE").unwrap_or(&chunk);
        while let Some(header) = Header::decode(rest) {
            frames.push((header.kind, header.flags, header.call));
            rest = &rest[HEADER + header.length as usize..];
        }
        machine.advance(chunk.len());
    }
    frames
}

fn reply(number: u32) -> Event<'static> {
    Event::Reply { number, metadata: Metadata::default(), payload: b"result" }
}

fn numbers(ended: &[Ended<&'static str, u32>]) -> Vec<u32> {
    let mut numbers: Vec<u32> = ended.iter().map(|call| call.number).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn no_call_goes_before_the_peers_hello() {
    let mut machine = Machine::new(&Hello::new("", Limits::default(), Vec::new()));
    assert!(!machine.accepts() && !machine.has_room());
    assert_eq!(call(&mut machine, 1, 0), Err(NotSent::Closed));
    machine.on_event(hello(Limits::default())).expect("a sound HELLO");
    assert_eq!(call(&mut machine, 1, 0), Ok(1));
}

#[test]
fn the_peers_limits_are_kept_and_what_was_not_sent_leaves_nothing_behind() {
    let mut machine = open(Limits { max_calls: 2, max_message: 2000, ..Limits::default() }.clamped());
    // The head of a call counts too.
    assert_eq!(call(&mut machine, 9, 1993), Err(NotSent::TooLong { size: 2001, most: 2000 }));
    let failed = machine.call(&head(), 9, "value", |_| Err("no"));
    assert_eq!(failed, Err(NotSent::Payload("no")));
    assert!(machine.is_empty() && machine.in_flight() == 0 && machine.first_deadline().is_none());
    assert_eq!(call(&mut machine, 9, 1992), Ok(1));
    assert_eq!(call(&mut machine, 9, 0), Ok(2));
    assert_eq!(call(&mut machine, 9, 0), Err(NotSent::Full));
    assert!(machine.cancel(1).is_some());
    assert_eq!(call(&mut machine, 9, 0), Ok(3));
    let mut fewer = open(Limits::default());
    fewer.limit_calls(1);
    assert_eq!((call(&mut fewer, 9, 0), call(&mut fewer, 9, 0)), (Ok(1), Err(NotSent::Full)));
}

#[test]
fn nothing_is_added_to_a_backlog_that_is_too_long() {
    let mut machine = open(Limits::default());
    let long = 16_000_000;
    let sent = (0..100).take_while(|_| call(&mut machine, 9, long).is_ok()).count();
    assert_eq!(sent, MAX_BACKLOG.div_ceil(long));
    assert_eq!(call(&mut machine, 9, 0), Err(NotSent::Full));
    let _ = machine.chunk();
    machine.advance(usize::MAX);
    while machine.backlog() >= MAX_BACKLOG {
        let n = machine.chunk().len();
        machine.advance(n);
    }
    assert!(call(&mut machine, 9, 0).is_ok());
}

#[test]
fn each_call_ends_once_by_its_answer() {
    let mut machine = open(Limits::default());
    assert_eq!((call(&mut machine, 5, 0), call(&mut machine, 7, 0)), (Ok(1), Ok(2)));
    let Ok(Said::Answered(ended, Answer::Reply { payload, .. })) = machine.on_event(reply(2)) else {
        panic!("it is answered")
    };
    assert_eq!((ended.number, ended.value, ended.deadline, payload), (2, "value", 7, &b"result"[..]));
    assert!(matches!(machine.on_event(reply(2)), Ok(Said::Nothing)), "nobody waits for it");
    let status = Status::not_found("");
    let failure = machine.on_event(Event::Failure { number: 1, status: status.clone() });
    assert!(matches!(failure, Ok(Said::Answered(_, Answer::Failure(said))) if said == status));
    assert_eq!(machine.in_flight(), 0);
    assert_eq!(machine.on_event(reply(3)).err(), Some(ProtocolError::BadCallNumber(3)), "never made");
}

#[test]
fn answered_calls_are_not_sent_further_and_their_end_is_told() {
    let mut machine = open(Limits::default());
    call(&mut machine, 5, 200_000).expect("there is room");
    let beginning = machine.chunk().len();
    machine.advance(beginning);
    machine.on_event(Event::Failure { number: 1, status: Status::unavailable("full") }).expect("sound");
    assert_eq!(frames(&mut machine), [(kind::CANCEL, 0, 1)]);
}

#[test]
fn an_answer_that_finds_no_room_ends_its_call_and_is_told_off() {
    for (event, expected) in
        [(Event::TooLarge { number: 1 }, Answer::TooLarge), (Event::NoRoom { number: 1 }, Answer::NoRoom)]
    {
        let mut machine = open(Limits::default());
        call(&mut machine, 5, 0).expect("there is room");
        frames(&mut machine);
        let Ok(Said::Answered(_, answer)) = machine.on_event(event) else { panic!("it has ended") };
        assert_eq!(format!("{answer:?}"), format!("{expected:?}"));
        assert_eq!(frames(&mut machine), [(kind::CANCEL, 0, 1)]);
        assert!(matches!(machine.on_event(Event::TooLarge { number: 1 }), Ok(Said::Nothing)));
        assert!(frames(&mut machine).is_empty(), "once");
    }
}

#[test]
fn who_cancels_first_wins_and_the_answer_finds_nobody() {
    let mut machine = open(Limits::default());
    call(&mut machine, 5, 0).expect("there is room");
    frames(&mut machine);
    assert_eq!(machine.cancel(1).map(|ended| ended.value), Some("value"));
    assert!(machine.cancel(1).is_none());
    assert_eq!(frames(&mut machine), [(kind::CANCEL, 0, 1)]);
    assert!(matches!(machine.on_event(reply(1)), Ok(Said::Nothing)));
}

#[test]
fn calls_end_at_their_deadlines_and_the_next_one_is_known() {
    let mut machine = open(Limits::default());
    assert_eq!(machine.first_deadline(), None);
    for deadline in [30, 10, 20] {
        call(&mut machine, deadline, 0).expect("there is room");
    }
    frames(&mut machine);
    assert_eq!(machine.first_deadline(), Some(10));
    assert!(machine.expire(9).is_empty());
    assert_eq!(numbers(&machine.expire(20)), [2, 3]);
    assert_eq!(machine.first_deadline(), Some(30));
    assert_eq!(frames(&mut machine).len(), 2, "a CANCEL each");
    machine.on_event(reply(1)).expect("sound");
    machine.expire(40);
    assert_eq!(machine.first_deadline(), None);
}

#[test]
fn go_away_ends_what_is_above_the_last_call_and_the_lowest_counts() {
    let mut machine = open(Limits::default());
    (0..4).for_each(|_| drop(call(&mut machine, 5, 0)));
    call(&mut machine, 5, 200_000).expect("there is room");
    let mut go_away = |last_call| match machine.on_event(Event::GoAway { last_call, reason: "" }) {
        Ok(Said::GoAway { refused, .. }) => numbers(&refused),
        other => panic!("{other:?}"),
    };
    assert_eq!(go_away(3), [4, 5]);
    assert_eq!(go_away(9), [0; 0]);
    assert_eq!(go_away(2), [3]);
    assert_eq!(call(&mut machine, 5, 0), Err(NotSent::Closed));
    let left = frames(&mut machine);
    assert_eq!(left[4..], [(kind::CALL, flag::MORE, 5), (kind::CANCEL, 0, 5)]);
    assert!(!machine.is_done());
    machine.on_event(reply(1)).expect("sound");
    machine.on_event(reply(2)).expect("sound");
    assert!(machine.is_done());
}

#[test]
fn what_never_left_has_not_run_when_the_connection_is_lost() {
    let mut machine = open(Limits::default());
    (0..3).for_each(|_| drop(call(&mut machine, 5, 10)));
    // One byte of the second call.
    let one = HEADER + 8 + 10;
    machine.chunk();
    machine.advance(one + 1);
    let Lost { unsent, sent } = machine.lose();
    assert_eq!((numbers(&unsent), numbers(&sent)), (vec![3], vec![1, 2]));
    assert!(!machine.accepts());
    let mut machine = open(Limits::default());
    (0..2).for_each(|_| drop(call(&mut machine, 5, 10)));
    let mut taken = Vec::new();
    machine.take_output(&mut taken);
    call(&mut machine, 5, 10).expect("there is room");
    let Lost { unsent, sent } = machine.lose();
    assert_eq!((numbers(&unsent), numbers(&sent)), (vec![3], vec![1, 2]));
}

#[test]
fn what_has_not_run_is_not_sent_with_the_last_words() {
    const ONE: usize = HEADER + 8 + 10;
    // What has begun of a frame is ended, so that the peer can read what follows.
    for (written, rest) in [(0, 0), (ONE, 0), (ONE + 1, ONE - 1), (2 * ONE, 0)] {
        let mut machine = open(Limits::default());
        (0..3).for_each(|_| drop(call(&mut machine, 5, 10)));
        call(&mut machine, 5, 1 << 20).expect("there is room");
        machine.chunk();
        machine.advance(written);
        let Lost { unsent, sent } = machine.lose();
        assert_eq!(unsent.len() + sent.len(), 4);
        machine.go_away_with("it broke the protocol");
        machine.advance(rest);
        assert_eq!(frames(&mut machine), [(kind::GO_AWAY, 0, 0)], "{written} bytes were written");
    }
    // A long call of which a part was sent.
    let mut machine = open(Limits::default());
    call(&mut machine, 5, 1 << 20).expect("there is room");
    (0..2).for_each(|_| {
        let chunk = machine.chunk().len();
        machine.advance(chunk);
    });
    assert_eq!(numbers(&machine.lose().sent), [1]);
    machine.go_away_with("it broke the protocol");
    assert_eq!(frames(&mut machine), [(kind::GO_AWAY, 0, 0)]);
    assert!(machine.is_done());
}

#[test]
fn a_connection_whose_numbers_are_used_up_takes_no_more_calls() {
    let mut machine = open(Limits::default());
    machine.next = LAST_NUMBER;
    assert_eq!(call(&mut machine, 5, 0), Ok(LAST_NUMBER));
    assert_eq!(call(&mut machine, 5, 0), Err(NotSent::Closed));
    assert!(matches!(machine.on_event(reply(LAST_NUMBER)), Ok(Said::Answered(..))));
}

#[test]
fn pings_without_end_end_the_connection_and_those_whose_answers_are_read_do_not() {
    let mut machine = open(Limits::default());
    let ping = |machine: &mut Machine| machine.on_event(Event::Ping([0; 8])).map(|_| ());
    let mut answered = 0;
    let error = loop {
        match ping(&mut machine) {
            Ok(()) => answered += 1,
            Err(error) => break error,
        }
    };
    assert_eq!((answered, error), (MAX_UNREAD / 18, ProtocolError::Unread));
    let mut machine = open(Limits::default());
    for _ in 0..3 {
        (0..MAX_UNREAD / 18).for_each(|_| ping(&mut machine).expect("its answers are read"));
        frames(&mut machine);
    }
}

#[test]
fn what_the_peer_says_beside_calls_is_told() {
    let mut machine = open(Limits::default());
    assert!(matches!(machine.on_event(Event::Ready(false)), Ok(Said::Ready(false))));
    assert!(matches!(machine.on_event(Event::Pong([0; 8])), Ok(Said::Nothing)));
    let fingerprint = Fingerprint::of(b"x");
    let schema = machine.on_event(Event::Schema(fingerprint, b"x"));
    assert!(matches!(schema, Ok(Said::Schema(of, b"x")) if of == fingerprint));
    machine.ping();
    machine.request_schema(fingerprint);
    machine.go_away_with("enough");
    let said = [(kind::PING, 0, 0), (kind::SCHEMA_REQUEST, 0, 0), (kind::GO_AWAY, 0, 0)];
    assert_eq!(frames(&mut machine), said);
    assert!(machine.is_done());
}

#[test]
fn what_a_connector_writes_an_acceptor_reads() {
    let mut machine = Machine::new(&Hello::new("", Limits::default(), Vec::new()));
    machine.on_event(hello(Limits::default())).expect("sound");
    call(&mut machine, 5, 200_000).expect("there is room");
    assert_eq!(machine.values().count(), 1);
    let (mut inbound, mut arrived) = (Inbound::new(Role::Acceptor, Limits::default()), 0);
    while !machine.is_empty() {
        let chunk = machine.chunk().to_vec();
        let mut at = 0;
        while at < chunk.len() {
            let (taken, event) = inbound.next(&chunk[at..]).expect("well-formed");
            at += taken;
            if let Some(Event::Call { payload, .. }) = event {
                arrived = payload.len();
            }
        }
        machine.advance(chunk.len());
    }
    assert_eq!(arrived, 200_000);
}

#[test]
fn a_call_has_left_when_its_last_byte_has() {
    let mut machine = open(Limits { max_frame: MIN_FRAME, ..Limits::default() });
    let short = call(&mut machine, 9, 10).unwrap();
    let end = machine.end_of(short).unwrap();
    assert_eq!(end - machine.departed(), machine.backlog() as u64);
    let long = call(&mut machine, 9, 3 * MIN_FRAME as usize).unwrap();
    assert_eq!(machine.end_of(long), None, "its fragments have no place yet");
    let mut known = None;
    while !machine.is_empty() {
        assert!(known.is_none_or(|known| machine.departed() < known), "it is not over before its end");
        let chunk = machine.chunk().len();
        known = known.or(machine.end_of(long));
        machine.advance(chunk);
    }
    assert_eq!(known, Some(machine.departed()));
    assert!(end < machine.departed());
}
