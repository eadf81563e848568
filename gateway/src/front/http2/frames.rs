//! The frames of one direction of a connection, as they pass (RFC 9113, 4.1): of each its head, and of two of them the code that they
//! carry. Whatever else is in them is passed over.
//!
//! The library reads and writes frames, and says nothing of most. This looks on: who sends frames that ask for nothing is found by
//! that, and what ends streams and connections is counted.

/// What a frame is (RFC 9113, 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Data,
    Headers,
    Priority,
    ResetStream,
    Settings,
    PushPromise,
    Ping,
    GoAway,
    WindowUpdate,
    Continuation,
    Unknown,
}

impl Kind {
    fn of(byte: u8) -> Kind {
        match byte {
            0 => Kind::Data,
            1 => Kind::Headers,
            2 => Kind::Priority,
            3 => Kind::ResetStream,
            4 => Kind::Settings,
            5 => Kind::PushPromise,
            6 => Kind::Ping,
            7 => Kind::GoAway,
            8 => Kind::WindowUpdate,
            9 => Kind::Continuation,
            _ => Kind::Unknown,
        }
    }
}

/// A frame: its head. That of RST_STREAM and GOAWAY is told when its code has passed, that of DATA with padding when the length of that has,
/// all others when their head has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) kind: Kind,
    pub(super) flags: u8,
    /// The bytes behind the head.
    pub(super) length: u32,
    /// The error code, if it carries one; of DATA the length of its padding.
    pub(super) code: u32,
}

/// DATA and HEADERS: nothing of the message follows.
const END_STREAM: u8 = 1;
/// DATA: it has padding, and before that a byte with its length.
pub(super) const PADDED: u8 = 8;
/// SETTINGS and PING: it answers one of ours.
const ACK: u8 = 1;
/// HEADERS and CONTINUATION: the head ends with it.
const END_HEADERS: u8 = 4;

impl Frame {
    /// Whether it ends its sender's side of the stream.
    pub(super) fn ends_stream(&self) -> bool {
        matches!(self.kind, Kind::Data | Kind::Headers) && self.flags & END_STREAM != 0
    }

    /// How many bytes behind its head mean something.
    pub(super) fn brings(&self) -> u32 {
        let padding = if self.is_padded() { 1 + self.code } else { 0 };
        self.length.saturating_sub(padding)
    }

    fn is_padded(&self) -> bool {
        self.kind == Kind::Data && self.flags & PADDED != 0
    }

    /// Whether it answers a frame of the other side.
    pub(super) fn is_ack(&self) -> bool {
        matches!(self.kind, Kind::Settings | Kind::Ping) && self.flags & ACK != 0
    }

    /// Whether more of a head follows.
    fn leaves_head_open(&self) -> bool {
        matches!(self.kind, Kind::Headers | Kind::Continuation) && self.flags & END_HEADERS == 0
    }
}

/// The length of a frame's head, in bytes.
const HEAD: usize = 9;

/// Where the frames of one direction stand.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// What has passed of the next head.
    head: [u8; HEAD],
    has: usize,
    /// So many bytes of the frame before are to pass.
    left: u32,
    /// The frame whose code is to pass, and the bytes until that has.
    coded: Option<(Frame, u32)>,
    /// The frame that passes is one of a head's.
    is_head: bool,
    /// More of a head is to come.
    open_head: bool,
}

impl Frames {
    /// Those of a direction that begins with so many other bytes.
    pub(super) fn behind(bytes: u32) -> Frames {
        Frames { left: bytes, ..Frames::default() }
    }

    /// Whether the head of a request has begun, and not all of it has passed.
    pub(super) fn is_in_head(&self) -> bool {
        self.open_head || (self.is_head && self.left > 0)
    }

    /// Bytes pass. Tells `seen` each frame.
    pub(super) fn pass(&mut self, mut bytes: &[u8], mut seen: impl FnMut(Frame)) {
        while !bytes.is_empty() {
            if self.left > 0 {
                bytes = self.pass_over(bytes, &mut seen);
                continue;
            }
            let take = bytes.len().min(HEAD - self.has);
            self.head[self.has..self.has + take].copy_from_slice(&bytes[..take]);
            self.has += take;
            bytes = &bytes[take..];
            if self.has == HEAD {
                self.begin(&mut seen);
            }
        }
    }

    /// A head has passed.
    fn begin(&mut self, seen: &mut impl FnMut(Frame)) {
        let [a, b, c, kind, flags, ..] = self.head;
        let length = u32::from_be_bytes([0, a, b, c]);
        let frame = Frame { kind: Kind::of(kind), flags, length, code: 0 };
        (self.has, self.left) = (0, length);
        self.is_head = matches!(frame.kind, Kind::Headers | Kind::Continuation);
        self.open_head = frame.leaves_head_open();
        // The code of GOAWAY stands behind a stream's number.
        let code_ends = match frame.kind {
            Kind::ResetStream => 4,
            Kind::GoAway => 8,
            _ if frame.is_padded() => 1,
            _ => 0,
        };
        if code_ends == 0 || length < code_ends {
            seen(frame);
        } else {
            self.coded = Some((frame, code_ends));
        }
    }

    /// Passes over the rest of a frame, as far as it has come.
    fn pass_over<'b>(&mut self, bytes: &'b [u8], seen: &mut impl FnMut(Frame)) -> &'b [u8] {
        let most = match &self.coded {
            Some((_, left)) => *left,
            None => self.left,
        };
        let take = bytes.len().min(most as usize);
        let (these, rest) = bytes.split_at(take);
        self.left -= take as u32;
        if let Some((frame, left)) = &mut self.coded {
            *left -= take as u32;
            for byte in these {
                // Of the bytes before it nothing stays.
                frame.code = frame.code << 8 | u32::from(*byte);
            }
            if *left == 0 {
                seen(*frame);
                self.coded = None;
            }
        }
        rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A frame's bytes.
    fn frame(kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
        let length = (payload.len() as u32).to_be_bytes();
        [&length[1..], &[kind, flags], &7u32.to_be_bytes(), payload].concat()
    }

    fn seen(frames: &mut Frames, bytes: &[u8]) -> Vec<Frame> {
        let mut all = Vec::new();
        frames.pass(bytes, |frame| all.push(frame));
        all
    }

    #[test]
    fn frames_are_told_with_their_codes() {
        let bytes = [
            b"preface".to_vec(),
            frame(1, END_HEADERS | END_STREAM, &[1, 2, 3]),
            frame(3, 0, &8u32.to_be_bytes()),
            frame(7, 0, &[&[0, 0, 0, 9][..], &11u32.to_be_bytes(), b"debug"].concat()),
            frame(3, 0, b"xx"),
            frame(0, 0, b""),
            frame(99, 1, &[0; 300]),
            frame(6, ACK, &[0; 8]),
            frame(0, PADDED, &[3, b'x', 0, 0, 0]),
            frame(0, PADDED, b""),
        ];
        let told = |kind, flags, length, code| Frame { kind, flags, length, code };
        let expected = [
            told(Kind::Headers, END_HEADERS | END_STREAM, 3, 0),
            told(Kind::ResetStream, 0, 4, 8),
            told(Kind::GoAway, 0, 13, 11),
            told(Kind::ResetStream, 0, 2, 0),
            told(Kind::Data, 0, 0, 0),
            told(Kind::Unknown, 1, 300, 0),
            told(Kind::Ping, ACK, 8, 0),
            told(Kind::Data, PADDED, 5, 3),
            told(Kind::Data, PADDED, 0, 0),
        ];
        assert_eq!(seen(&mut Frames::behind(7), &bytes.concat()), expected);
        assert!(expected[0].ends_stream() && !expected[0].is_ack());
        assert!(expected[6].is_ack() && !expected[5].ends_stream());
        assert_eq!(expected.map(|frame| frame.brings()), [3, 4, 13, 2, 0, 300, 8, 1, 0]);
    }

    #[test]
    fn a_head_is_open_until_its_last_byte_has_passed() {
        let mut frames = Frames::default();
        let bytes =
            [frame(1, 0, b"ab"), frame(9, 0, b"c"), frame(9, END_HEADERS, b"d"), frame(0, 0, b"e")].concat();
        let open: Vec<bool> = bytes
            .iter()
            .map(|byte| {
                frames.pass(&[*byte], drop);
                frames.is_in_head()
            })
            .collect();
        // From the end of the head of the first frame to the last byte before the end of the third one.
        let expected: Vec<bool> = (1..=bytes.len()).map(|at| (9..11 + 10 + 10).contains(&at)).collect();
        assert_eq!(open, expected);
    }

    proptest! {
        #[test]
        fn frames_are_the_same_however_the_bytes_are_cut(
            parts in prop::collection::vec((0u8..12, any::<u8>(), prop::collection::vec(any::<u8>(), 0..20)), 0..8),
            cuts in prop::collection::vec(1usize..15, 1..20),
        ) {
            let bytes: Vec<u8> = parts.iter().flat_map(|(kind, flags, payload)| frame(*kind, *flags, payload)).collect();
            let whole = seen(&mut Frames::default(), &bytes);
            prop_assert_eq!(whole.len(), parts.len());
            let (mut frames, mut all, mut rest, mut cuts) = (Frames::default(), Vec::new(), &bytes[..], cuts.iter().cycle());
            while !rest.is_empty() {
                let cut = rest.len().min(*cuts.next().expect("it never ends"));
                all.extend(seen(&mut frames, &rest[..cut]));
                rest = &rest[cut..];
            }
            prop_assert_eq!(all, whole);
        }

        #[test]
        fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            seen(&mut Frames::default(), &bytes);
        }
    }
}
