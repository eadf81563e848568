//! The frames of HTTP/2, as the gateway looks on while the library reads them. Its file is taken as it stands: nobody else has to see it.

#[path = "../../gateway/src/front/http2/frames.rs"]
#[allow(dead_code, reason = "only the reading of frames is tried here")]
mod frames;

use frames::{Frame, Frames, Kind};

/// Cut anywhere, the same frames are seen: those that stand there, with their codes, and nothing else.
pub fn http2_frames(input: &[u8]) {
    let expected = walk(input);
    assert_eq!(seen(input.chunks(input.len().max(1))), expected, "in one piece");
    assert_eq!(seen(input.chunks(1)), expected, "byte by byte");
    for step in [2, 7, 9, 10] {
        assert_eq!(seen(input.chunks(step)), expected, "in pieces of {step}");
    }
    let cut = input.first().map_or(0, |byte| usize::from(*byte) % input.len());
    let (first, second) = input.split_at(cut);
    assert_eq!(seen([first, second].into_iter()), expected, "cut at {cut}");
}

/// What is told of each frame, and whether a head is open at the end.
type Seen = (Vec<(Kind, u8, u32, u32)>, bool);

fn seen<'i>(pieces: impl Iterator<Item = &'i [u8]>) -> Seen {
    let (mut frames, mut all) = (Frames::default(), Vec::new());
    for piece in pieces {
        frames.pass(piece, |Frame { kind, flags, length, code }| all.push((kind, flags, length, code)));
    }
    (all, frames.is_in_head())
}

/// The same by RFC 9113, 4.1, of bytes that are all there.
fn walk(mut input: &[u8]) -> Seen {
    let (mut all, mut open) = (Vec::new(), false);
    while let Some((head, rest)) = input.split_first_chunk::<9>() {
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let there = rest.len().min(length as usize);
        let (payload, behind) = rest.split_at(there);
        let code_at = match head[3] {
            3 => Some(0..4),
            7 => Some(4..8),
            // The length of its padding.
            0 if head[4] & 8 != 0 => Some(0..1),
            _ => None,
        };
        // One that is too short for a code has none, and is told at once.
        let code_at = code_at.filter(|at| length as usize >= at.end);
        let code = code_at.map(|at| payload.get(at));
        if code != Some(None) {
            let bytes = code.flatten().unwrap_or_default();
            let code = bytes.iter().fold(0, |code, byte| code << 8 | u32::from(*byte));
            all.push((kind(head[3]), head[4], length, code));
        }
        let is_head = matches!(head[3], 1 | 9);
        open = is_head && (head[4] & 4 == 0 || there < length as usize);
        input = behind;
    }
    (all, open)
}

fn kind(byte: u8) -> Kind {
    let known = [
        Kind::Data,
        Kind::Headers,
        Kind::Priority,
        Kind::ResetStream,
        Kind::Settings,
        Kind::PushPromise,
        Kind::Ping,
        Kind::GoAway,
        Kind::WindowUpdate,
        Kind::Continuation,
    ];
    known.get(usize::from(byte)).copied().unwrap_or(Kind::Unknown)
}
