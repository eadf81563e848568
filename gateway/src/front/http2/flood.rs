//! What a client may send that asks for nothing: frames that cost us work, and no request and no byte of a body comes with them.
//!
//! There are two token buckets. Frames take from one, and streams that the client gives up take from the other. Both fill with time, up to a
//! bound; and by what a client does that has need of such frames: a request, a reply to it, or a piece of that. Whoever finds
//! nothing in a bucket is told to calm down, and the connection ends. So nobody who asks for things comes near a bound, however fast; and
//! work for a client that asks for nothing is bounded for each connection, whatever it sends.
//!
//! The worker's sweeps are the clock: four a second.

use super::frames::{Frame, Kind};
use crate::telemetry::Flood;

/// Frames in the bucket at first, and at most.
const FRAMES: u32 = 2000;
/// Frames that come into it with a sweep.
const FRAMES_A_SWEEP: u32 = 250;
/// Frames that come with a request.
const FRAMES_A_REQUEST: u32 = 10;
/// Frames that come with a piece of a reply, for which a client opens its windows again.
const FRAMES_A_PIECE: u32 = 4;
/// SETTINGS may change the windows of all streams.
const SETTINGS_COST: u32 = 20;
/// PING that answers one of ours, of which there is one in a connection's life, and one for each reply that was cut.
const PONG_COST: u32 = 20;
/// A head that is refused, which has brought its [`FRAMES_A_REQUEST`].
const REFUSED_COST: u32 = 20;
/// DATA that brings less than that, in bytes, without being the last, costs more to keep than it brings.
const LITTLE: u32 = 64;

/// Streams that may be given up at first, and at most, in halves.
const RESETS: u32 = 2 * 200;
/// Those that come with a sweep, in halves.
const RESETS_A_SWEEP: u32 = 2 * 25;
/// DATA with nothing in it that a connection may send in its life before it has to leave: at twice as many the library ends it.
const EMPTY: u32 = 50;
/// Streams that may be reset for what comes on them before their connection has to leave; likewise.
const FAULTS: u32 = 512;
/// The codes with which that is done: PROTOCOL_ERROR, FLOW_CONTROL_ERROR, STREAM_CLOSED, FRAME_SIZE_ERROR, REFUSED_STREAM.
const FAULT_CODES: [u32; 5] = [1, 3, 5, 6, 7];

/// What a client may still send.
#[derive(Debug)]
pub(super) struct Buckets {
    frames: u32,
    resets: u32,
    /// The sweep at which they were last filled.
    filled: u64,
    /// DATA with nothing in it that has come.
    empty: u32,
    /// Streams that were reset for what came on them.
    faults: u32,
}

/// Of what the library, by itself, has found too much. It says so in words only: in the GOAWAY that is among these bytes.
pub(super) fn stopped_by_library(goaway: &[u8]) -> Flood {
    let reasons = [
        ("too_many_internal_resets", Flood::Malformed),
        ("too_many_resets", Flood::Resets),
        ("too_many_data_frames", Flood::Data),
        ("too_many_continuations", Flood::Continuations),
        ("header_list_way_too_large", Flood::Headers),
    ];
    let is_said = |word: &str| goaway.windows(word.len()).any(|bytes| bytes == word.as_bytes());
    reasons.iter().find_map(|(word, flood)| is_said(word).then_some(*flood)).unwrap_or(Flood::Others)
}

impl Buckets {
    /// Full ones.
    pub(super) fn new(now: u64) -> Buckets {
        Buckets { frames: FRAMES, resets: RESETS, filled: now, empty: 0, faults: 0 }
    }

    /// Time has passed.
    pub(super) fn fill(&mut self, now: u64) {
        let sweeps = u32::try_from(now.saturating_sub(self.filled)).unwrap_or(u32::MAX);
        if sweeps > 0 {
            self.filled = now;
            self.add_frames(sweeps.saturating_mul(FRAMES_A_SWEEP));
            self.resets = RESETS.min(self.resets.saturating_add(sweeps.saturating_mul(RESETS_A_SWEEP)));
        }
    }

    /// A frame has come; and whether it is one too many.
    pub(super) fn take(&mut self, frame: &Frame) -> Option<Flood> {
        let (cost, flood) = match frame.kind {
            Kind::Headers => {
                self.add_frames(FRAMES_A_REQUEST);
                return None;
            }
            Kind::ResetStream => {
                let left = self.resets.checked_sub(2);
                self.resets = left.unwrap_or(0);
                return left.is_none().then_some(Flood::Resets);
            }
            Kind::Data if frame.brings() >= LITTLE || frame.ends_stream() => return None,
            Kind::Data => {
                self.empty += u32::from(frame.brings() == 0);
                (1, Flood::Data)
            }
            // One answers ours, of which there are few.
            Kind::Settings if frame.is_ack() => (1, Flood::Settings),
            Kind::Settings => (SETTINGS_COST, Flood::Settings),
            Kind::Ping if frame.is_ack() => (PONG_COST, Flood::Pings),
            Kind::Ping => (1, Flood::Pings),
            Kind::WindowUpdate => (1, Flood::Windows),
            Kind::Priority => (1, Flood::Priorities),
            Kind::Continuation => (1, Flood::Continuations),
            Kind::PushPromise | Kind::GoAway | Kind::Unknown => (1, Flood::Others),
        };
        self.pay(cost, flood)
    }

    /// A head was refused; and whether it is one too many.
    pub(super) fn refused(&mut self) -> Option<Flood> {
        self.pay(REFUSED_COST, Flood::RefusedHeads)
    }

    fn pay(&mut self, cost: u32, flood: Flood) -> Option<Flood> {
        let left = self.frames.checked_sub(cost);
        self.frames = left.unwrap_or(0);
        left.is_none().then_some(flood)
    }

    /// A frame was sent.
    pub(super) fn sent(&mut self, frame: &Frame) {
        match frame.kind {
            Kind::Data => self.add_frames(FRAMES_A_PIECE),
            // One request may be given up for each two that were replied to. Heads that come do not count: they may be those of trailers.
            Kind::Headers => self.resets = RESETS.min(self.resets + 1),
            Kind::ResetStream if FAULT_CODES.contains(&frame.code) => self.faults += 1,
            _ => {}
        }
    }

    /// Whether the library is on its way to end the connection for what it allows only so often in a life.
    pub(super) fn is_worn(&self) -> bool {
        self.empty >= EMPTY || self.faults >= FAULTS
    }

    fn add_frames(&mut self, frames: u32) {
        self.frames = FRAMES.min(self.frames.saturating_add(frames));
    }
}

#[cfg(test)]
mod tests {
    use super::super::frames::PADDED;
    use super::*;

    fn frame(kind: Kind, flags: u8, length: u32) -> Frame {
        Frame { kind, flags, length, code: 0 }
    }

    /// After how many of them it is too much.
    fn most(buckets: &mut Buckets, frames: &[Frame]) -> Option<(usize, Flood)> {
        let mut all = frames.iter().cycle().take(100_000).enumerate();
        all.find_map(|(at, frame)| buckets.take(frame).map(|flood| (at, flood)))
    }

    #[test]
    fn frames_that_ask_for_nothing_are_bounded() {
        for (kind, flags, length, at, flood) in [
            (Kind::Ping, 0, 8, 2000, Flood::Pings),
            (Kind::Ping, 1, 8, 100, Flood::Pings),
            (Kind::Settings, 0, 0, 100, Flood::Settings),
            (Kind::Settings, 1, 0, 2000, Flood::Settings),
            (Kind::WindowUpdate, 0, 4, 2000, Flood::Windows),
            (Kind::Priority, 0, 5, 2000, Flood::Priorities),
            (Kind::Data, 0, 0, 2000, Flood::Data),
            (Kind::Data, 0, 63, 2000, Flood::Data),
            // A byte says how much of it is padding: here nothing.
            (Kind::Data, PADDED, 64, 2000, Flood::Data),
            (Kind::Continuation, 0, 1000, 2000, Flood::Continuations),
            (Kind::Unknown, 0, 0, 2000, Flood::Others),
            (Kind::GoAway, 0, 8, 2000, Flood::Others),
            (Kind::ResetStream, 0, 4, 200, Flood::Resets),
        ] {
            let seen = most(&mut Buckets::new(0), &[frame(kind, flags, length)]);
            assert_eq!(seen, Some((at, flood)), "{kind:?}");
        }
    }

    #[test]
    fn requests_and_bodies_are_not() {
        let get = frame(Kind::Headers, 5, 30);
        for frames in [
            &[get][..],
            &[frame(Kind::Data, 0, 16384)],
            &[frame(Kind::Data, 1, 0)],
            &[frame(Kind::Data, PADDED, 65)],
            // As careful a client as there can be.
            &[get, frame(Kind::Data, 1, 1), frame(Kind::WindowUpdate, 0, 4), frame(Kind::Ping, 0, 8)],
        ] {
            assert_eq!(most(&mut Buckets::new(0), frames), None, "{frames:?}");
        }
    }

    #[test]
    fn of_each_two_requests_that_were_replied_to_one_may_have_been_given_up() {
        let (head, reset) = (frame(Kind::Headers, 5, 30), frame(Kind::ResetStream, 0, 4));
        let mut buckets = Buckets::new(0);
        for _ in 0..10_000 {
            assert_eq!([head, head, reset].map(|frame| buckets.take(&frame)), [None; 3]);
            buckets.sent(&head);
            buckets.sent(&head);
        }
        // A head that comes is no reply: neither that of a request nor that of trailers.
        for rapid in [&[head, reset][..], &[head, head, reset]] {
            let seen = most(&mut Buckets::new(0), rapid);
            assert_eq!(seen, Some((201 * rapid.len() - 1, Flood::Resets)), "{rapid:?}");
        }
    }

    #[test]
    fn heads_that_are_refused_cost_more_than_they_bring() {
        let head = frame(Kind::Headers, 5, 30);
        let mut buckets = Buckets::new(0);
        let refused = (0..1000).find_map(|at| {
            assert_eq!(buckets.take(&head), None);
            buckets.refused().map(|flood| (at, flood))
        });
        assert_eq!(refused, Some((199, Flood::RefusedHeads)));
    }

    #[test]
    fn a_connection_is_worn_by_faults_and_by_empty_frames() {
        let mut buckets = Buckets::new(0);
        for code in [0, 8, 11] {
            (0..600).for_each(|_| buckets.sent(&Frame { code, ..frame(Kind::ResetStream, 0, 4) }));
        }
        (0..512).for_each(|_| {
            assert!(!buckets.is_worn());
            buckets.sent(&Frame { code: 5, ..frame(Kind::ResetStream, 0, 4) });
        });
        assert!(buckets.is_worn());
        let mut buckets = Buckets::new(0);
        buckets.take(&frame(Kind::Data, 1, 0));
        (0..50).for_each(|_| {
            assert!(!buckets.is_worn());
            buckets.take(&frame(Kind::Data, 0, 0));
        });
        assert!(buckets.is_worn());
    }

    #[test]
    fn what_the_library_stops_is_told_by_its_words() {
        assert_eq!(stopped_by_library(b"..\x0btoo_many_internal_resets"), Flood::Malformed);
        assert_eq!(stopped_by_library(b"too_many_resets.."), Flood::Resets);
        assert_eq!(stopped_by_library(b"too_many"), Flood::Others);
    }

    #[test]
    fn buckets_fill_with_time_and_with_what_is_taken_of_replies() {
        let (window, data) = (frame(Kind::WindowUpdate, 0, 4), frame(Kind::Data, 0, 16384));
        let mut buckets = Buckets::new(7);
        most(&mut buckets, &[window]);
        buckets.fill(7);
        assert_eq!(most(&mut buckets, &[window]), Some((0, Flood::Windows)));
        buckets.fill(8);
        assert_eq!(most(&mut buckets, &[window]), Some((250, Flood::Windows)));
        buckets.sent(&data);
        assert_eq!(most(&mut buckets, &[window]), Some((4, Flood::Windows)));
        buckets.fill(u64::MAX);
        assert_eq!(most(&mut buckets, &[window]), Some((2000, Flood::Windows)));
        let reset = frame(Kind::ResetStream, 0, 4);
        most(&mut buckets, &[reset]);
        buckets.filled = 8;
        buckets.fill(9);
        assert_eq!(most(&mut buckets, &[reset]), Some((25, Flood::Resets)));
    }
}
