//! Bytes that a message leaves out are sent where they belong, and counted as those that it has written.

use super::*;
use crate::{CallId, Event, Inbound, Limits, Role};
use bytes::Bytes;

fn connection() -> Outbound {
    let mut outbound = Outbound::new(&Hello::new("test", Limits::default(), Vec::new()));
    outbound.set_limits(&Limits::default());
    outbound
}

/// A call whose payload has so many bytes, of which those in the middle are left out or not.
fn call(outbound: &mut Outbound, number: u32, size: usize, leave: bool) {
    let head = CallHead { call_id: CallId::of("s", "m"), timeout_ms: None, metadata: Metadata::default() };
    let payload: Vec<u8> = (0..size).map(|at| (at * 7 + number as usize) as u8).collect();
    let (begin, end) = (size.min(3), size - size.min(5) / 2);
    let written = outbound.call(number, &head, |out| {
        out.extend_from_slice(&payload[..begin]);
        let at = out.len();
        if !leave {
            out.extend_from_slice(&payload[begin..end]);
        }
        out.extend_from_slice(&payload[end..]);
        let bytes = Bytes::copy_from_slice(&payload[begin..end]);
        Ok::<_, Infallible>(leave.then_some(Aside { at, bytes }))
    });
    assert_eq!(written, Ok(size));
}

fn state(outbound: &Outbound) -> [u64; 4] {
    let (queued, backlog) = (outbound.queued() as u64, outbound.backlog() as u64);
    [queued, backlog, outbound.position(), outbound.departed()]
}

/// What a peer hears of those calls: each with the size of its payload, which is sound.
fn heard(bytes: &[u8]) -> Vec<(u32, usize)> {
    let mut inbound = Inbound::new(Role::Acceptor, Limits::default());
    let (mut at, mut calls) = (0, Vec::new());
    while at < bytes.len() {
        let (taken, event) = inbound.next(&bytes[at..]).expect("well-formed");
        assert!(taken > 0, "all is there");
        at += taken;
        if let Some(Event::Call { number, payload, .. }) = event {
            let sound =
                payload.iter().enumerate().all(|(at, byte)| *byte == (at * 7 + number as usize) as u8);
            assert!(sound, "{number}");
            calls.push((number, payload.len()));
        }
    }
    calls
}

#[test]
fn what_is_left_out_is_sent_where_it_belongs_however_it_is_written() {
    const SIZES: [usize; 8] = [0, 9, 4100, 20_000, 65_528, 65_529, 70_000, 300_000];
    for step in [999, 4099, 30_000, 65_546, 1_000_000] {
        let (mut written, mut left) = (connection(), connection());
        let (mut bytes, mut sizes) = (Vec::new(), SIZES.iter().enumerate());
        let mut turn = 0;
        while sizes.len() > 0 || !left.is_empty() {
            if turn % 2 == 0
                && let Some((number, size)) = sizes.next()
            {
                call(&mut written, number as u32 + 1, *size, false);
                call(&mut left, number as u32 + 1, *size, true);
            }
            let chunk = left.chunk().to_vec();
            assert_eq!(written.chunk().to_vec(), chunk);
            let n = chunk.len().min(step);
            bytes.extend_from_slice(&chunk[..n]);
            written.advance(n);
            left.advance(n);
            assert_eq!(state(&written), state(&left));
            turn += 1;
        }
        let mut calls = heard(&bytes);
        calls.sort_unstable();
        let expected: Vec<_> = SIZES.iter().enumerate().map(|(at, size)| (at as u32 + 1, *size)).collect();
        assert_eq!(calls, expected, "{step}");
    }
}

#[test]
fn what_is_long_is_written_from_where_it_is_and_what_is_short_is_copied() {
    for (size, pieces) in [(4000, 1), (5000, 3), (65_000, 3)] {
        let mut outbound = connection();
        call(&mut outbound, 1, size, true);
        let chunk = outbound.chunk();
        let used = chunk.io_slices().iter().filter(|piece| !piece.is_empty()).count();
        assert_eq!((used, chunk.as_one().is_some()), (pieces, pieces == 1), "{size}");
    }
    // A fragment of a long message, too, whoever has written it.
    let mut outbound = connection();
    let hello = outbound.chunk().len();
    outbound.advance(hello);
    outbound.reply_with(1, Metadata::default(), vec![7; 100_000]);
    let [header, fragment, behind] = outbound.chunk().io_slices();
    assert_eq!((header.len(), fragment.len(), behind.len()), (HEADER, 65_536, 0));
}

#[test]
fn what_is_taken_has_what_was_left_out() {
    let mut outbound = connection();
    call(&mut outbound, 1, 50_000, true);
    call(&mut outbound, 2, 100_000, true);
    let (mut bytes, mut buffer) = (Vec::new(), b"from before".to_vec());
    while !outbound.is_empty() {
        outbound.take(&mut buffer);
        bytes.extend_from_slice(&buffer);
        assert_eq!(outbound.departed(), outbound.position());
    }
    assert_eq!(heard(&bytes), [(1, 50_000), (2, 100_000)]);
}

#[test]
fn a_connection_that_ends_says_no_call_that_was_not_begun_and_ends_none_in_the_middle() {
    for written in [0, 10, 40, 5000] {
        let mut outbound = connection();
        let hello = outbound.chunk().len();
        outbound.advance(hello);
        let first = outbound.position();
        call(&mut outbound, 1, 20_000, true);
        let second = outbound.position();
        call(&mut outbound, 2, 9, false);
        outbound.advance(written);
        outbound.cut(if written == 0 { first } else { second });
        let left = if written == 0 { 0 } else { (second - first) as usize - written };
        assert_eq!((outbound.queued(), outbound.chunk().len()), (left, left), "{written}");
        outbound.go_away(0, "");
        assert_eq!(outbound.queued() - left, HEADER + 4);
    }
}
