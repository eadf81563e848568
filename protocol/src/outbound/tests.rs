//! What leaves a connection, in which order, and what is kept meanwhile.

use super::*;
use crate::Header;
use crate::limits::MAX_SCHEMA;
use crate::{CallId, Event, Inbound, Limits, Role};

fn connection() -> (Outbound, Inbound) {
    let mut outbound = Outbound::new(&Hello::new("test", Limits::default(), Vec::new()));
    outbound.set_limits(&Limits::default());
    (outbound, Inbound::new(Role::Acceptor, Limits::default()))
}

fn call(outbound: &mut Outbound, number: u32, payload: &[u8]) {
    let head =
        CallHead { call_id: CallId::of("s", "m"), timeout_ms: Some(1000), metadata: Metadata::default() };
    let written = outbound.call(number, &head, |out| {
        out.extend_from_slice(payload);
        Ok::<_, Infallible>(None)
    });
    assert_eq!(written, Ok(payload.len()));
}

/// Sends everything chunk by chunk; the calls as they arrive, by number and size.
fn deliver(outbound: &mut Outbound, inbound: &mut Inbound) -> Vec<(u32, usize)> {
    let mut calls = Vec::new();
    while !outbound.is_empty() {
        let chunk = outbound.chunk().to_vec();
        let mut at = 0;
        while at < chunk.len() {
            let (taken, event) = inbound.next(&chunk[at..]).expect("well-formed");
            assert!(taken > 0, "a chunk ends at a frame's end");
            at += taken;
            if let Some(Event::Call { number, payload, .. }) = event {
                calls.push((number, payload.len()));
            }
        }
        outbound.advance(chunk.len());
    }
    calls
}

#[test]
fn a_plain_call_costs_eighteen_bytes() {
    let (mut outbound, _) = connection();
    let before = outbound.backlog();
    call(&mut outbound, 1, b"payload");
    assert_eq!(outbound.backlog() - before, 18 + 7);
}

#[test]
fn a_small_call_does_not_wait_for_a_large_one() {
    let (mut outbound, mut inbound) = connection();
    call(&mut outbound, 1, &vec![1; 1_000_000]);
    call(&mut outbound, 2, &vec![2; 300_000]);
    call(&mut outbound, 3, b"small");
    assert_eq!(deliver(&mut outbound, &mut inbound), [(3, 5), (2, 300_000), (1, 1_000_000)]);
}

#[test]
fn a_cancelled_message_is_not_sent_further_and_frees_its_place() {
    let (mut outbound, mut inbound) = connection();
    call(&mut outbound, 1, &vec![1; 1_000_000]);
    outbound.cancel(1);
    call(&mut outbound, 2, b"next");
    assert_eq!(deliver(&mut outbound, &mut inbound), [(2, 4)]);
    assert_eq!(outbound.backlog(), 0);
}

#[test]
fn a_payload_that_fails_leaves_nothing_behind() {
    let (mut outbound, _) = connection();
    let before = outbound.backlog();
    let head = CallHead { call_id: CallId::of("s", "m"), timeout_ms: None, metadata: Metadata::default() };
    let failed = outbound.call(1, &head, |out| {
        out.extend_from_slice(b"half");
        Err("no")
    });
    assert_eq!(failed, Err("no"));
    assert_eq!(outbound.backlog(), before);
}

/// Everything that is queued, as (kind, flags, call number) of each frame.
fn frames(outbound: &mut Outbound) -> Vec<(u8, u8, u32)> {
    let mut frames = Vec::new();
    while !outbound.is_empty() {
        let chunk = outbound.chunk().to_vec();
        let mut rest = chunk.strip_prefix(&MAGIC).unwrap_or(&chunk);
        while let Some(header) = Header::decode(rest) {
            frames.push((header.kind, header.flags, header.call));
            rest = &rest[HEADER + header.length as usize..];
        }
        outbound.advance(chunk.len());
    }
    frames
}

#[test]
fn an_answer_that_began_is_given_up_by_a_failure() {
    let (mut outbound, _) = connection();
    outbound.reply_with(7, Metadata::default(), vec![0; 1_000_000]);
    assert!(!outbound.abandon(7), "nothing of it was sent");
    let hello = outbound.chunk().len();
    outbound.advance(hello);
    outbound.reply_with(8, Metadata::default(), vec![0; 1_000_000]);
    assert!(!outbound.chunk().is_empty() && outbound.abandon(8) && !outbound.abandon(8));
    outbound.failure(8, &Status::cancelled("the caller gave up"));
    let data = (kind::DATA, flag::MORE, 8);
    assert_eq!(
        frames(&mut outbound),
        [(kind::REPLY, flag::MORE, 8), data, data, data, (kind::FAILURE, 0, 8)]
    );
    assert_eq!(outbound.backlog(), 0);
}

#[test]
fn a_payload_that_is_there_already_is_sent_as_one_that_is_written() {
    for size in [0, 65_536, 65_537, 200_000] {
        let ((mut written, _), (mut given, _)) = (connection(), connection());
        let reply = written.reply(1, Metadata::default(), |out| {
            out.extend(std::iter::repeat_n(7, size));
            Ok::<_, Infallible>(None)
        });
        assert_eq!(reply, Ok(()));
        given.reply_with(1, Metadata::default(), vec![7; size]);
        while !written.is_empty() {
            let chunk = written.chunk().to_vec();
            assert_eq!(given.chunk().to_vec(), chunk, "{size}");
            written.advance(chunk.len());
            given.advance(chunk.len());
        }
        assert!(given.is_empty());
    }
}

#[test]
fn what_is_taken_is_what_would_have_been_written() {
    let ((mut written, _), (mut taken, _)) = (connection(), connection());
    let mut buffer = b"written before".to_vec();
    for outbound in [&mut written, &mut taken] {
        call(outbound, 1, &vec![1; 200_000]);
        call(outbound, 2, b"small");
        assert_eq!(outbound.chunk().to_vec()[0], MAGIC[0]);
        outbound.advance(5);
    }
    while !taken.is_empty() {
        taken.take(&mut buffer);
        let n = buffer.len();
        assert!(written.chunk().to_vec()[..n] == buffer);
        written.advance(n);
    }
    assert!(written.is_empty());
    assert_eq!(taken.backlog(), 0);
}

#[test]
fn a_long_message_moves_on_though_the_buffer_never_runs_empty() {
    let (mut outbound, mut inbound) = connection();
    call(&mut outbound, 1, &vec![1; 1_000_000]);
    let mut arrived = Vec::new();
    for number in 2..1000 {
        call(&mut outbound, number, &[2; 10_000]);
        let bytes = outbound.chunk().to_vec();
        // The peer reads half of what there is, in whole frames.
        let (mut at, half) = (0, bytes.len() / 2);
        while at < half {
            let (taken, event) = inbound.next(&bytes[at..]).expect("well-formed");
            at += taken;
            if let Some(Event::Call { number, .. }) = event {
                arrived.push(number);
            }
        }
        outbound.advance(at);
    }
    assert!(arrived.contains(&1));
}

#[test]
fn what_was_written_is_not_kept_though_the_buffer_never_runs_empty() {
    let (mut outbound, _) = connection();
    for number in 1..5000 {
        call(&mut outbound, number, &[2; 10_000]);
        let all_but_one = outbound.chunk().len() - 1;
        outbound.advance(all_but_one);
    }
    assert_eq!(outbound.backlog(), 1);
    assert!(
        outbound.queue.ready.bytes.capacity() <= 4 * buffer::KEEP_CAPACITY,
        "{}",
        outbound.queue.ready.bytes.capacity()
    );
}

#[test]
fn no_time_left_is_not_no_deadline() {
    let (mut outbound, mut inbound) = connection();
    let head = CallHead { call_id: CallId::of("s", "m"), timeout_ms: Some(0), metadata: Metadata::default() };
    let queued = outbound.call(1, &head, |_| Ok::<_, Infallible>(None));
    assert_eq!(queued, Ok(0));
    let bytes = outbound.chunk().to_vec();
    let mut at = 0;
    let timeout = loop {
        let (taken, event) = inbound.next(&bytes[at..]).expect("well-formed");
        at += taken;
        if let Some(Event::Call { head, .. }) = event {
            break head.timeout_ms;
        }
    };
    assert_eq!(timeout, Some(1));
}

#[test]
fn a_schema_that_no_frame_can_carry_is_answered_as_absent() {
    for (size, carried) in [(MAX_SCHEMA, MAX_SCHEMA), (MAX_SCHEMA + 1, 0)] {
        let (mut outbound, _) = connection();
        let before = outbound.backlog();
        let encoded = vec![1; size];
        outbound.schema(Fingerprint::of(&encoded), &encoded);
        assert_eq!(outbound.backlog() - before, HEADER + 16 + carried);
    }
}

#[test]
fn a_reason_of_any_length_fits_the_smallest_frame() {
    let (mut outbound, _) = connection();
    let before = outbound.backlog();
    outbound.go_away(1, &"\u{1f600}".repeat(5000));
    assert!(outbound.backlog() - before <= HEADER + crate::limits::MIN_FRAME as usize);
}

#[test]
fn what_waits_is_counted_to_the_byte() {
    let (mut outbound, _) = connection();
    let hello = outbound.chunk().len();
    outbound.advance(hello);
    assert_eq!((outbound.queued(), outbound.backlog()), (0, 0));
    call(&mut outbound, 1, b"short");
    call(&mut outbound, 2, &vec![2; 200_000]);
    // The long one has put its empty beginning there; its head waits with the payload.
    let ready = 18 + 5 + HEADER;
    assert_eq!((outbound.queued(), outbound.backlog()), (ready, ready + 8 + 200_000));
    outbound.advance(20);
    assert_eq!((outbound.queued(), outbound.backlog()), (ready - 20, ready - 20 + 8 + 200_000));
    outbound.advance(ready - 20);
    assert_eq!(outbound.chunk().len(), 4 * HEADER + 8 + 200_000);
    outbound.advance(4 * HEADER + 8 + 200_000);
    call(&mut outbound, 2, &vec![2; 400_000]);
    outbound.advance(HEADER);
    let moved = 4 * (HEADER + 65_536);
    assert_eq!(outbound.chunk().len(), moved);
    assert_eq!(outbound.backlog(), 4 * HEADER + 8 + 400_000);
    assert_eq!(outbound.queued(), moved);
    // What is given up is what was not yet moved into the buffer.
    call(&mut outbound, 3, &vec![3; 100_000]);
    assert!(outbound.abandon(2));
    assert_eq!(outbound.backlog(), moved + HEADER + 8 + 100_000);
    assert!(outbound.abandon(3));
    assert_eq!(outbound.backlog(), outbound.queued());
}

#[test]
fn after_256_kibibytes_of_other_frames_a_fragment_goes() {
    let (mut outbound, _) = connection();
    let hello = outbound.chunk().len();
    outbound.advance(hello);
    // Where there is nothing to write, none of what was written before counts.
    assert!(outbound.chunk().is_empty());
    call(&mut outbound, 1, &vec![1; 200_000]);
    // Each takes its header too: 18 bytes. The beginning of the long one has taken ten.
    let pings = (256 * 1024 - HEADER - 1) / 18;
    (0..pings).for_each(|_| outbound.ping([0; 8]));
    assert_eq!(outbound.queued(), HEADER + 18 * pings);
    outbound.ping([0; 8]);
    let with_fragment = HEADER + 18 * (pings + 1) + HEADER + 65_536;
    assert_eq!(outbound.queued(), with_fragment);
    // The count begins anew.
    outbound.ping([0; 8]);
    assert_eq!(outbound.queued(), with_fragment + 18);
}

#[test]
fn a_buffer_of_up_to_256_kibibytes_is_kept_and_a_larger_one_given_back() {
    for (capacity, kept) in [(1000, true), (262_144, true), (262_145, false), (1_000_000, false)] {
        let (mut outbound, _) = connection();
        outbound.queue.ready.bytes = Vec::with_capacity(capacity);
        outbound.queue.ready.bytes.push(1);
        outbound.advance(1);
        assert_eq!(outbound.queue.ready.bytes.capacity(), if kept { capacity } else { 0 }, "{capacity}");
    }
}

#[test]
fn what_was_written_is_dropped_when_it_is_256_kibibytes_and_half_of_all() {
    let keep = 262_144;
    for (all, written, dropped) in [
        (keep, keep / 2, false),
        (2 * keep, keep - 1, false),
        (2 * keep, keep, true),
        (2 * keep + 2, keep, false),
        (4 * keep, 2 * keep, true),
        (4 * keep, keep, false),
    ] {
        let (mut outbound, _) = connection();
        outbound.queue.ready.bytes = vec![7; all];
        outbound.advance(written);
        assert_eq!(outbound.queued(), all - written);
        assert_eq!(outbound.queue.ready.written == 0, dropped, "{written} of {all}");
    }
}

/// The frames of long replies that begin, and whether each ends its message.
fn fragments(outbound: &mut Outbound) -> Vec<(u32, bool)> {
    let frames = frames(outbound).into_iter().filter(|(kind, ..)| matches!(*kind, kind::REPLY | kind::DATA));
    frames.map(|(_, flags, call)| (call, flags & flag::MORE == 0)).collect()
}

#[test]
fn messages_begin_when_the_peers_window_has_room_for_all_of_them() {
    let (mut outbound, _) = connection();
    let limits = Limits { max_frame: 1024, max_message: 4096, window: 4096, ..Limits::default() };
    outbound.set_limits(&limits.clamped());
    for (number, size) in [(1, 2000), (2, 2000), (3, 2000), (4, 4096), (5, 1025)] {
        outbound.reply_with(number, Metadata::default(), vec![0; size]);
    }
    let frames = fragments(&mut outbound);
    let (mut open, mut most) = (Vec::new(), 0);
    for (call, last) in &frames {
        if !open.contains(call) {
            open.push(*call);
        }
        most = most.max(open.len());
        if *last {
            open.retain(|number| number != call);
        }
    }
    assert_eq!(most, 2, "two of 2000 bytes fit: {frames:?}");
    let ends: Vec<u32> = frames.iter().filter(|(_, last)| *last).map(|(call, _)| *call).collect();
    assert_eq!(ends, [1, 2, 3, 4, 5]);
    assert!(outbound.is_empty());
}

#[test]
fn no_more_replies_have_begun_than_the_peer_may_hold() {
    let (mut outbound, _) = connection();
    outbound.set_limits(&Limits { max_frame: 1024, max_calls: 1, ..Limits::default() });
    (1..=3).for_each(|number| outbound.reply_with(number, Metadata::default(), vec![0; 2000]));
    let each = [(1, false), (1, true), (2, false), (2, true), (3, false), (3, true)];
    assert_eq!(fragments(&mut outbound), each);
}

#[test]
fn what_is_given_up_makes_room_in_the_window() {
    let (mut outbound, _) = connection();
    outbound.set_limits(&Limits { max_frame: 1024, max_message: 4096, window: 4096, ..Limits::default() });
    let hello = outbound.chunk().len();
    outbound.advance(hello);
    outbound.reply_with(1, Metadata::default(), vec![0; 4096]);
    outbound.reply_with(2, Metadata::default(), vec![0; 4096]);
    let first = outbound.chunk().len();
    outbound.advance(first);
    assert!(outbound.abandon(1));
    assert_eq!(fragments(&mut outbound), [(2, false), (2, false), (2, false), (2, true)]);
}

#[test]
fn the_position_of_a_message_is_where_its_bytes_leave() {
    let (mut outbound, _) = connection();
    let hello = outbound.position();
    assert_eq!((hello, outbound.departed()), (outbound.backlog() as u64, 0));
    call(&mut outbound, 1, b"first");
    let second = outbound.position();
    call(&mut outbound, 2, b"second");
    outbound.chunk();
    outbound.advance(hello as usize + 3);
    assert_eq!(outbound.departed(), hello + 3);
    let mut taken = Vec::new();
    outbound.take(&mut taken);
    assert_eq!(outbound.departed(), outbound.position());
    assert!(outbound.departed() > second && second > hello);
    call(&mut outbound, 3, b"third");
    outbound.take(&mut taken);
    assert_eq!(outbound.departed(), outbound.position());
    assert_eq!(outbound.departed() - second, 2 * 18 + 6 + 5);
}
