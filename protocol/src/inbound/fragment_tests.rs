//! Messages in fragments: any interleaving is put together, every bound holds, and memory is given back.

use super::tests::{feed, frame, open};
use super::*;
use crate::Metadata;
use crate::limits::{MAX_ASSEMBLY, MAX_FRAME, MAX_MESSAGE};
use proptest::prelude::*;

const MORE: u8 = flag::MORE;

fn reply(call: u32, body: &[u8]) -> String {
    let payload = body;
    format!("{:?}", Event::Reply { number: call, metadata: Metadata::default(), payload })
}

fn too_large(number: u32) -> String {
    format!("{:?}", Event::TooLarge { number })
}

fn begin(inbound: &mut Inbound, call: u32) -> Vec<String> {
    feed(inbound, &frame(kind::REPLY, MORE, call, b"")).expect("a first fragment")
}

/// Sends `size` bytes of a message's middle; what came of it.
fn fill(inbound: &mut Inbound, call: u32, size: usize) -> Vec<String> {
    let mut events = Vec::new();
    for part in vec![0; size].chunks(MAX_FRAME as usize) {
        events.extend(feed(inbound, &frame(kind::DATA, MORE, call, part)).expect("a fragment"));
    }
    events
}

proptest! {
    #![proptest_config(crate::generate::runs(100))]

    #[test]
    fn messages_interleaved_arbitrarily_arrive_whole(
        sizes in proptest::collection::vec(0usize..400, 1..8),
        turns in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..90), 0..60),
    ) {
        let mut inbound = open(Role::Connector, Limits::default());
        let bodies: Vec<Vec<u8>> = sizes.iter().enumerate().map(|(n, &size)| vec![n as u8; size]).collect();
        let mut left: Vec<(u32, &[u8])> = (1..).zip(bodies.iter().map(Vec::as_slice)).collect();
        for &(call, _) in &left {
            prop_assert!(begin(&mut inbound, call).is_empty());
        }
        // Whatever the given turns leave over goes out in single fragments.
        let rest = std::iter::repeat((None, usize::MAX));
        let turns = turns.into_iter().map(|(index, size)| (Some(index), size));
        for (index, size) in turns.chain(rest) {
            if left.is_empty() {
                break;
            }
            let at = index.map_or(0, |index: prop::sample::Index| index.index(left.len()));
            let (call, body) = left[at];
            let (fragment, after) = body.split_at(size.min(body.len()));
            let more = !after.is_empty();
            let events = feed(&mut inbound, &frame(kind::DATA, more as u8, call, fragment)).expect("sound");
            if more {
                left[at].1 = after;
                prop_assert!(events.is_empty());
            } else {
                left.remove(at);
                prop_assert_eq!(events, [reply(call, &bodies[call as usize - 1])]);
            }
        }
        prop_assert_eq!(inbound.assembly.held(), (0, 0));
    }
}

#[test]
fn head_and_metadata_may_be_cut_anywhere() {
    let body = [1, 0, 0, 0, 9, 0, 0, 0, 4, 0, 1, 2, b'r', b'1', 42];
    for first in 0..body.len() {
        for second in first..body.len() {
            let mut inbound = open(Role::Acceptor, Limits::default());
            let bytes = [
                frame(kind::CALL, MORE | flag::METADATA, 1, &body[..first]),
                frame(kind::DATA, MORE, 1, &body[first..second]),
                frame(kind::DATA, 0, 1, &body[second..]),
            ];
            let events = feed(&mut inbound, &bytes.concat()).expect("sound");
            let whole = feed(
                &mut open(Role::Acceptor, Limits::default()),
                &frame(kind::CALL, flag::METADATA, 1, &body),
            );
            assert_eq!(Ok(events), whole, "{first} {second}");
        }
    }
}

#[test]
fn a_message_of_exactly_the_limit_arrives_and_a_byte_more_is_refused_once() {
    let limits = Limits { max_message: 2000, ..Limits::default() };
    for (size, fits) in [(2000, true), (2001, false)] {
        let body = vec![1; size];
        let expected = if fits { reply(1, &body) } else { too_large(1) };
        let single = frame(kind::REPLY, 0, 1, &body);
        let long_first = [frame(kind::REPLY, MORE, 1, &body), frame(kind::DATA, 0, 1, b"")].concat();
        let in_three = [
            frame(kind::REPLY, MORE, 1, &body[..1]),
            frame(kind::DATA, MORE, 1, &body[1..]),
            frame(kind::DATA, 0, 1, b""),
        ];
        for bytes in [single, long_first, in_three.concat()] {
            let mut inbound = open(Role::Connector, limits);
            assert_eq!(feed(&mut inbound, &bytes).as_deref(), Ok(&[expected.clone()][..]));
            assert_eq!(inbound.assembly.held(), (0, 0));
        }
    }
}

#[test]
fn all_messages_together_are_bounded() {
    let mut inbound = open(Role::Connector, Limits::default());
    let whole = MAX_ASSEMBLY / MAX_MESSAGE as usize;
    for call in 1..=whole as u32 {
        begin(&mut inbound, call);
        assert!(fill(&mut inbound, call, MAX_MESSAGE as usize).is_empty());
    }
    assert_eq!(inbound.assembly.held(), (whole, MAX_ASSEMBLY));
    // The first fragment counts like all others.
    let first = frame(kind::REPLY, MORE, 90, b"x");
    assert_eq!(feed(&mut inbound, &first), Ok(vec![too_large(90)]));
    begin(&mut inbound, 91);
    assert_eq!(fill(&mut inbound, 91, 1), [too_large(91)]);
    inbound.forget(1);
    begin(&mut inbound, 92);
    assert!(fill(&mut inbound, 92, 1).is_empty());
}

#[test]
fn a_message_that_finds_no_room_among_all_connections_says_so_and_one_that_is_taken_keeps_its_own() {
    let budget = Budget::new(1000);
    let mut inbound = Inbound::sharing(Role::Connector, Limits::default(), Some(budget.clone()));
    feed(&mut inbound, &super::tests::hello()).expect("a sound HELLO");
    let no_room = |number| [format!("{:?}", Event::NoRoom { number })];
    begin(&mut inbound, 1);
    assert!(fill(&mut inbound, 1, 600).is_empty());
    begin(&mut inbound, 2);
    assert_eq!(fill(&mut inbound, 2, 401), no_room(2));
    assert_eq!(feed(&mut inbound, &frame(kind::REPLY, MORE, 3, &[0; 401])), Ok(no_room(3).to_vec()));
    assert_eq!(budget.used(), 600);
    let last = frame(kind::DATA, 0, 1, &[7; 100]);
    let (_, event) = inbound.next(&last).expect("sound");
    assert!(matches!(event, Some(Event::Reply { number: 1, .. })));
    let (body, room) = inbound.take_payload().expect("it was put together");
    assert_eq!((body.len(), inbound.take_payload().is_none()), (700, true));
    feed(&mut inbound, &[]).expect("nothing more");
    assert_eq!(budget.used(), 700);
    drop(room);
    assert_eq!(budget.used(), 0);
}

#[test]
fn no_more_messages_are_under_way_than_calls_may_be() {
    let limits = Limits { max_calls: 3, ..Limits::default() };
    let mut inbound = open(Role::Connector, limits);
    for call in 1..=3 {
        assert!(begin(&mut inbound, call).is_empty());
    }
    assert_eq!(begin(&mut inbound, 4), [too_large(4)]);
    assert!(fill(&mut inbound, 4, 10).is_empty(), "its rest is skipped");
    let end = frame(kind::DATA, 0, 2, b"two");
    assert_eq!(feed(&mut inbound, &end), Ok(vec![reply(2, b"two")]));
    assert!(begin(&mut inbound, 5).is_empty(), "a place is free again");
}

#[test]
fn the_memory_of_a_message_goes_with_the_next_look() {
    let mut inbound = open(Role::Connector, Limits::default());
    begin(&mut inbound, 1);
    fill(&mut inbound, 1, 1_000_000);
    let (_, event) = inbound.next(&[0, 0, 0, 0, kind::DATA, 0, 1, 0, 0, 0]).expect("sound");
    assert!(matches!(event, Some(Event::Reply { payload, .. }) if payload.len() == 1_000_000));
    assert_eq!(inbound.next(&[]), Ok((0, None)));
    assert!(inbound.assembled.is_none());
}

#[test]
fn what_is_forgotten_cancelled_or_failed_is_gone_and_its_rest_is_skipped() {
    let forget: fn(&mut Inbound) = |inbound| inbound.forget(1);
    let cancel: fn(&mut Inbound) = |inbound| {
        let events = feed(inbound, &frame(kind::CANCEL, 0, 1, b""));
        assert_eq!(events, Ok(vec!["Cancel { number: 1 }".to_owned()]));
    };
    let fail: fn(&mut Inbound) = |inbound| {
        let events = feed(inbound, &frame(kind::FAILURE, 0, 1, &[1]));
        assert!(matches!(&events.as_deref(), Ok([one]) if one.starts_with("Failure")), "{events:?}");
    };
    let table = [
        ("forget", forget, Role::Acceptor, kind::CALL),
        ("cancel", cancel, Role::Acceptor, kind::CALL),
        ("forget", forget, Role::Connector, kind::REPLY),
        ("fail", fail, Role::Connector, kind::REPLY),
    ];
    for (what, end, role, first) in table {
        let mut inbound = open(role, Limits::default());
        assert_eq!(feed(&mut inbound, &frame(first, MORE, 1, b"")), Ok(Vec::new()));
        assert!(fill(&mut inbound, 1, 100_000).is_empty());
        assert!(inbound.is_assembling(1) && !inbound.is_assembling(0));
        end(&mut inbound);
        assert_eq!(inbound.assembly.held(), (0, 0), "{what}");
        assert!(!inbound.is_assembling(1));
        assert!(fill(&mut inbound, 1, 100_000).is_empty(), "{what}");
        assert_eq!(feed(&mut inbound, &frame(kind::DATA, 0, 1, b"")), Ok(Vec::new()), "{what}");
    }
}

#[test]
fn connections_share_a_budget_and_give_back_what_they_took() {
    let budget = Budget::new(1000);
    let no_room = |number| format!("{:?}", Event::NoRoom { number });
    let sharing = || {
        let mut inbound = Inbound::sharing(Role::Connector, Limits::default(), Some(budget.clone()));
        feed(&mut inbound, &super::tests::hello()).expect("a sound HELLO");
        inbound
    };
    let (mut one, mut other) = (sharing(), sharing());
    begin(&mut one, 1);
    assert!(fill(&mut one, 1, 600).is_empty());
    // The first fragment counts, and so do all others.
    assert_eq!(feed(&mut other, &frame(kind::REPLY, MORE, 1, &[0; 401])), Ok(vec![no_room(1)]));
    assert_eq!(feed(&mut other, &frame(kind::REPLY, MORE, 2, &[0; 400])), Ok(Vec::new()));
    assert_eq!(fill(&mut other, 2, 1), [no_room(2)]);
    assert!(fill(&mut one, 1, 400).is_empty(), "what was refused gave its room back");
    assert_eq!(fill(&mut one, 1, 1), [no_room(1)]);
    assert!(budget.take(1000).is_some());
}
