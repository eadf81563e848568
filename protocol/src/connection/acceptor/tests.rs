//! What becomes of calls at the side that is called, one rule at a time.

use super::*;
use crate::call::CallHead;
use crate::frame::{HEADER, flag, kind};
use crate::{CallId, Header};

type Machine = Acceptor<&'static str, u32>;

/// A connection whose handshake is done, and everything written.
fn open(limits: Limits) -> Machine {
    let mut machine = Machine::new(&Hello::new("", limits, Vec::new()));
    shake_hands(&mut machine);
    frames(&mut machine);
    machine
}

fn shake_hands(machine: &mut Machine) {
    let hello = Event::Hello(Hello::new("peer", Limits::default(), Vec::new()));
    assert!(matches!(machine.on_event(hello), Ok(Asked::Hello(_))));
}

/// What the machine asks for such a call.
fn asked(machine: &mut Machine, number: u32) -> Asked<'static, &'static str> {
    let head = CallHead { call_id: CallId::of("s", "m"), timeout_ms: None, metadata: Metadata::default() };
    machine.on_event(Event::Call { number, head, payload: b"" }).expect("a sound call")
}

fn called(machine: &mut Machine, number: u32) {
    assert!(matches!(asked(machine, number), Asked::Call { number: at, .. } if at == number));
}

fn reply(machine: &mut Machine, number: u32, size: usize) -> bool {
    machine.reply(number, Metadata::default(), &mut vec![7; size], None)
}

/// Everything that leaves now, as kind, flags and number.
fn frames(machine: &mut Machine) -> Vec<(u8, u8, u32)> {
    let (mut frames, mut buffer) = (Vec::new(), Vec::new());
    loop {
        machine.take_output(&mut buffer);
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

#[test]
fn who_is_not_let_in_hears_nothing_but_why() {
    let mut machine = Machine::guarded(&crate::hello::tests::example());
    machine.set_ready(false);
    assert!(machine.is_empty() && frames(&mut machine).is_empty());
    shake_hands(&mut machine);
    machine.ping();
    assert!(machine.is_empty() && frames(&mut machine).is_empty());
    machine.go_away_with(0, "a token is required here");
    assert_eq!(frames(&mut machine), [(kind::GO_AWAY, 0, 0)]);
}

#[test]
fn who_is_let_in_hears_what_others_hear() {
    let mut machine = Machine::guarded(&Hello::new("", Limits::default(), Vec::new()));
    machine.set_ready(false);
    shake_hands(&mut machine);
    machine.let_in();
    assert_eq!(frames(&mut machine), [(kind::HELLO, 0, 0), (kind::READY, 0, 0)]);
    called(&mut machine, 1);
    assert!(reply(&mut machine, 1, 5));
    assert_eq!(frames(&mut machine), [(kind::REPLY, 0, 1)]);
}

#[test]
fn each_call_is_answered_once_at_most() {
    let mut machine = open(Limits::default());
    (1..=3).for_each(|number| called(&mut machine, number));
    assert!(reply(&mut machine, 2, 5) && !reply(&mut machine, 2, 5));
    assert!(!machine.fail(2, &Status::internal("")) && machine.fail(1, &Status::not_found("")));
    assert_eq!(machine.run(3, None, "running"), None);
    assert_eq!(machine.run(1, None, "answered already"), Some("answered already"));
    assert_eq!(machine.open_calls(), 1);
    assert_eq!(frames(&mut machine), [(kind::REPLY, 0, 2), (kind::FAILURE, 0, 1)]);
    assert_eq!(machine.lose(), ["running"]);
    assert!(!reply(&mut machine, 3, 5));
}

#[test]
fn calls_are_told_apart_in_whatever_order_they_are_answered() {
    // The last one that has come, one before it, one that runs, and one of which nobody has said anything.
    for order in [[4, 3, 2, 1], [1, 2, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3]] {
        let mut machine = open(Limits::default());
        (1..=2).for_each(|number| called(&mut machine, number));
        assert_eq!(machine.run(2, Some(5), "running"), None);
        (3..=4).for_each(|number| called(&mut machine, number));
        for (answered, number) in order.into_iter().enumerate() {
            assert_eq!(machine.open_calls(), 4 - answered);
            assert!(reply(&mut machine, number, 5) && !reply(&mut machine, number, 5));
        }
        let sent: Vec<u32> = frames(&mut machine).into_iter().map(|(_, _, number)| number).collect();
        assert_eq!(sent, order);
        assert!(machine.lose().is_empty());
    }
}

#[test]
fn a_cancelled_call_is_stopped_and_needs_no_answer() {
    let mut machine = open(Limits::default());
    (1..=2).for_each(|number| called(&mut machine, number));
    assert_eq!(machine.run(1, None, "running"), None);
    let cancel = |machine: &mut Machine, number| machine.on_event(Event::Cancel { number });
    assert!(matches!(cancel(&mut machine, 1), Ok(Asked::Stop("running"))));
    assert!(matches!(cancel(&mut machine, 2), Ok(Asked::Nothing)));
    assert!(!reply(&mut machine, 1, 5) && machine.is_empty());
    assert!(matches!(cancel(&mut machine, 9), Ok(Asked::Nothing)), "never seen");
}

#[test]
fn an_answer_of_which_the_beginning_has_left_is_ended_when_its_call_is_cancelled() {
    for (begun, sent) in [(false, vec![]), (true, vec![(kind::FAILURE, 0, 1)])] {
        let mut machine = open(Limits::default());
        called(&mut machine, 1);
        reply(&mut machine, 1, 300_000);
        if begun {
            machine.take_output(&mut Vec::new());
        }
        machine.on_event(Event::Cancel { number: 1 }).expect("sound");
        assert_eq!(frames(&mut machine), sent);
    }
}

#[test]
fn calls_end_at_their_deadlines_and_their_callers_are_told() {
    let mut machine = open(Limits::default());
    for (number, deadline) in [(1, Some(30)), (2, Some(10)), (3, None), (4, Some(20))] {
        called(&mut machine, number);
        assert_eq!(machine.run(number, deadline, "running"), None);
    }
    assert_eq!(machine.first_deadline(), Some(10));
    assert!(machine.expire(9).is_empty());
    assert_eq!(machine.expire(20).len(), 2);
    assert_eq!(machine.first_deadline(), Some(30));
    assert_eq!(frames(&mut machine).len(), 2);
    assert!(!reply(&mut machine, 2, 5) && reply(&mut machine, 3, 5));
}

#[test]
fn no_more_calls_are_open_than_this_side_accepts() {
    let mut machine = open(Limits { max_calls: 2, ..Limits::default() });
    (1..=2).for_each(|number| called(&mut machine, number));
    assert!(matches!(asked(&mut machine, 3), Asked::Refuse { number: 3, why: Refusal::TooManyCalls }));
    machine.refuse(3, Status::unavailable("full")).expect("the first");
    assert_eq!(frames(&mut machine), [(kind::FAILURE, flag::NOT_EXECUTED, 3)]);
    assert!(machine.fail(1, &Status::not_found("")));
    called(&mut machine, 4);
}

#[test]
fn answers_that_wait_to_be_written_count_with_the_open_calls() {
    let mut machine = open(Limits { max_calls: 2, ..Limits::default() });
    for number in 1..=4 {
        called(&mut machine, number);
        assert!(reply(&mut machine, number, if number % 2 == 0 { 300_000 } else { 5 }));
    }
    assert!(matches!(asked(&mut machine, 5), Asked::Refuse { why: Refusal::TooManyCalls, .. }));
    machine.refuse(5, Status::unavailable("full")).expect("the first");
    let mut taken = Vec::new();
    machine.take_output(&mut taken);
    assert!(matches!(asked(&mut machine, 6), Asked::Refuse { .. }), "they are not written yet");
    machine.refuse(6, Status::unavailable("full")).expect("the second");
    frames(&mut machine);
    called(&mut machine, 7);
}

#[test]
fn no_call_is_taken_while_too_many_bytes_of_answers_wait() {
    let mut machine = open(Limits::default());
    let long = 16_000_000;
    let mut number = 0;
    let why = loop {
        number += 1;
        match asked(&mut machine, number) {
            Asked::Call { .. } => assert!(reply(&mut machine, number, long)),
            Asked::Refuse { why, .. } => break why,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!((number as usize, why), (MAX_BACKLOG.div_ceil(long) + 1, Refusal::TooManyAnswers));
}

#[test]
fn a_result_that_is_too_long_for_the_caller_is_a_failure() {
    let mut machine = open(Limits::default());
    called(&mut machine, 1);
    assert!(reply(&mut machine, 1, Limits::default().max_message as usize + 1));
    assert_eq!(frames(&mut machine), [(kind::FAILURE, 0, 1)]);
}

#[test]
fn a_call_that_cannot_be_put_together_is_refused() {
    for (event, why) in
        [(Event::TooLarge { number: 1 }, Refusal::TooLarge), (Event::NoRoom { number: 1 }, Refusal::NoRoom)]
    {
        let mut machine = open(Limits::default());
        assert!(matches!(machine.on_event(event), Ok(Asked::Refuse { number: 1, why: said }) if said == why));
        machine.refuse(1, Status::resource_exhausted("")).expect("the first");
        assert_eq!(frames(&mut machine), [(kind::FAILURE, flag::NOT_EXECUTED, 1)]);
        assert_eq!(machine.open_calls(), 0);
    }
}

#[test]
fn what_can_be_asked_without_end_ends_the_connection_if_nobody_reads_the_answers() {
    type Ask = fn(&mut Machine, u32) -> Result<(), ProtocolError>;
    let asks: [Ask; 4] = [
        |machine, _| machine.on_event(Event::Ping([0; 8])).map(drop),
        |machine, _| {
            let Asked::Schema(fingerprint) = machine.on_event(Event::SchemaRequest(Fingerprint([7; 16])))?
            else {
                panic!("it is asked for")
            };
            machine.schema(fingerprint, &[7; 1000][..]);
            Ok(())
        },
        |machine, number| {
            asked(machine, number);
            machine.refuse(number, Status::unimplemented("no such method"))
        },
        |machine, number| {
            // A long answer begins and is cancelled.
            asked(machine, number);
            reply(machine, number, 100_000);
            while machine.outbound.queued() == 0 {
                let _ = machine.outbound.chunk();
            }
            machine.on_event(Event::Cancel { number }).map(drop)
        },
    ];
    for (at, ask) in asks.into_iter().enumerate() {
        let mut machine = open(Limits::default());
        let failed = (1..=200_000).find_map(|number| ask(&mut machine, number).err());
        assert_eq!(failed, if at == 3 { None } else { Some(ProtocolError::Unread) }, "{at}");
        let mut machine = open(Limits::default());
        for number in 1..=20_000 {
            ask(&mut machine, number).expect("its answers are read");
            if number % 100 == 0 {
                frames(&mut machine);
            }
        }
    }
}

#[test]
fn schemas_leave_one_after_another() {
    let mut machine = open(Limits::default());
    for _ in 0..20 {
        machine.schema(Fingerprint([7; 16]), vec![7; 500_000]);
    }
    let mut buffer = Vec::new();
    for _ in 0..20 {
        machine.take_output(&mut buffer);
        assert_eq!(buffer.len(), HEADER + 16 + 500_000);
    }
    assert!(machine.is_empty());
}

#[test]
fn nothing_but_hello_is_said_before_the_peers_hello() {
    let mut machine = Machine::new(&Hello::new("", Limits::default(), Vec::new()));
    machine.set_ready(false);
    machine.ping();
    machine.drain(0, "going down");
    assert_eq!(frames(&mut machine), [(kind::HELLO, 0, 0)]);
    shake_hands(&mut machine);
    assert_eq!(frames(&mut machine), [(kind::READY, 0, 0), (kind::GO_AWAY, 0, 0)]);
    machine.set_ready(false);
    assert!(machine.is_empty(), "it was told");
    machine.ping();
    assert_eq!(frames(&mut machine), [(kind::PING, 0, 0)]);
}

#[test]
fn after_go_away_later_calls_are_not_run_and_earlier_ones_are_answered() {
    let mut machine = open(Limits::default());
    (1..=2).for_each(|number| called(&mut machine, number));
    // Number 3 is still arriving.
    machine.drain(3, "going down");
    machine.drain(9, "again");
    assert_eq!(machine.last_call(), Some(3));
    called(&mut machine, 3);
    assert!(matches!(asked(&mut machine, 4), Asked::Nothing));
    assert!(matches!(machine.on_event(Event::TooLarge { number: 5 }), Ok(Asked::Nothing)));
    assert_eq!(machine.run(1, None, "running"), None);
    assert_eq!(machine.give_up(&Status::unavailable("down")), ["running"]);
    assert_eq!(machine.open_calls(), 0);
    let said = frames(&mut machine);
    assert_eq!((said[0], said.len()), ((kind::GO_AWAY, 0, 0), 4), "{said:?}");
    machine.go_away_with(5, "an error");
    assert_eq!((machine.backlog() > 0, frames(&mut machine)), (true, vec![(kind::GO_AWAY, 0, 0)]));
}
