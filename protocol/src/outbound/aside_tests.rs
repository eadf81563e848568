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
        assert_eq!((chunk.pieces().count(), chunk.as_one().is_some()), (pieces, pieces == 1), "{size}");
    }
    // A fragment of a long message, too, whoever has written it.
    let mut outbound = connection();
    let hello = outbound.chunk().len();
    outbound.advance(hello);
    outbound.reply_with(1, Metadata::default(), vec![7; 100_000]);
    assert_eq!(pieces(&mut outbound), [HEADER, 65_536, HEADER, 34_464]);
}

/// How long the pieces of the next write are.
fn pieces(outbound: &mut Outbound) -> Vec<usize> {
    let mut room = [std::io::IoSlice::new(&[]); PIECES];
    outbound.chunk().io_slices(&mut room).iter().map(|piece| piece.len()).collect()
}

#[test]
fn one_write_has_up_to_256_kibibytes_of_fragments_and_of_frames_what_four_pieces_leave() {
    let mut outbound = connection();
    let hello = outbound.chunk().len();
    outbound.advance(hello);
    outbound.reply_with(1, Metadata::default(), vec![1; 400_000]);
    outbound.reply_with(2, Metadata::default(), vec![2; 70_000]);
    // In turn.
    assert_eq!(pieces(&mut outbound), [HEADER, 65_536, HEADER, 65_536, HEADER, 65_536, HEADER, 4464]);
    // Partly written, it is not filled up: what came meanwhile goes before further fragments.
    outbound.advance(HEADER + 65_536 + HEADER + 36);
    call(&mut outbound, 3, 9, false);
    let short = HEADER + 8 + 9;
    assert_eq!(pieces(&mut outbound), [65_500, HEADER, 65_536, HEADER, 4464, short]);
    // Of whole frames the fifth long piece is copied.
    let mut outbound = connection();
    let hello = outbound.chunk().len();
    outbound.advance(hello);
    (1..=5).for_each(|number| call(&mut outbound, number, 50_000, true));
    assert_eq!((outbound.chunk().pieces().count(), outbound.chunk().len()), (9, outbound.queued()));
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

#[test]
fn what_is_cut_is_whole_calls_however_many_pieces_lie_aside_and_have_left() {
    const SIZE: usize = 20_000;
    for kept in 0..=6 {
        for written in [0, 1, 30, SIZE, 2 * SIZE + 100, 5 * SIZE + 200] {
            let mut outbound = connection();
            let hello = outbound.chunk().len();
            outbound.advance(hello);
            let mut positions = Vec::new();
            for number in 1..=6 {
                positions.push(outbound.position());
                call(&mut outbound, number, SIZE, number != 3);
            }
            positions.push(outbound.position());
            let before = outbound.chunk().to_vec();
            outbound.advance(written);
            // Only whole calls that have not begun to leave are dropped.
            let at = positions[kept].max(outbound.departed());
            let end = positions.iter().copied().find(|position| *position >= at).expect("a position");
            outbound.cut(end);
            let left = (end - positions[0]) as usize;
            assert_eq!(outbound.chunk().to_vec(), before[written..left], "{kept} {written}");
            assert_eq!(outbound.position(), end);
        }
    }
}
