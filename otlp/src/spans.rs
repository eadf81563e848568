//! The queue between those who make spans and the task that sends them.
//!
//! Whoever makes spans never waits: they go into a queue without locks, or are dropped and counted when it holds too much.

use crossbeam_queue::ArrayQueue;
use std::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed};
use std::sync::atomic::{AtomicU64, AtomicUsize};
use tokio::sync::mpsc;

/// What spans that wait may take together, in bytes.
const MAX_HELD: usize = 8 << 20;
/// The spans of one call count for at least so many bytes, so that the queue has a place for all that may be held.
const MIN_COST: usize = 1024;
/// When so much is held, it is time to send.
pub(crate) const MANY: usize = 256 << 10;

/// Why spans were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The queue was full.
    Full,
    /// The collector could not be reached, or has not answered in time.
    Unreachable,
    /// It has said that it takes nothing at the moment.
    Busy,
    /// It has refused them.
    Refused,
    /// The process has ended.
    Ended,
}

impl Lost {
    /// All of them.
    pub const ALL: [Lost; 5] = [Lost::Full, Lost::Unreachable, Lost::Busy, Lost::Refused, Lost::Ended];

    /// Its name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Lost::Full => "full",
            Lost::Unreachable => "unreachable",
            Lost::Busy => "busy",
            Lost::Refused => "refused",
            Lost::Ended => "ended",
        }
    }
}

/// What has become of spans.
#[derive(Debug, Default)]
pub struct Stats {
    sent: AtomicU64,
    lost: [AtomicU64; Lost::ALL.len()],
}

impl Stats {
    /// Those that the collector has.
    pub fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// Those that were lost so.
    pub fn lost(&self, why: Lost) -> u64 {
        self.lost[why as usize].load(Relaxed)
    }

    pub(crate) fn sends(&self, spans: u64) {
        self.sent.fetch_add(spans, Relaxed);
    }

    pub(crate) fn loses(&self, why: Lost, spans: u64) {
        self.lost[why as usize].fetch_add(spans, Relaxed);
    }
}

/// Spans that wait to be sent.
#[derive(Debug)]
pub struct Spans {
    queue: ArrayQueue<Group>,
    held: AtomicUsize,
    bell: mpsc::Sender<()>,
    stats: Stats,
}

/// Spans that belong together.
#[derive(Debug)]
struct Group {
    written: Vec<u8>,
    count: u32,
}

impl Group {
    fn cost(&self) -> usize {
        self.written.len().max(MIN_COST)
    }
}

impl Spans {
    /// None yet. Beside, what rings when there are some; it is [`export`](crate::export)'s.
    pub fn new() -> (Spans, mpsc::Receiver<()>) {
        let (bell, rings) = mpsc::channel(1);
        let queue = ArrayQueue::new(MAX_HELD / MIN_COST);
        (Spans { queue, held: AtomicUsize::new(0), bell, stats: Stats::default() }, rings)
    }

    /// Puts so many spans, as [`Span::end`](crate::Span::end) has written them, into the queue; drops them and counts that when there is no room.
    /// Takes no lock and never waits.
    pub fn put(&self, written: Vec<u8>, count: u32) {
        let group = Group { written, count };
        let cost = group.cost();
        let held = self.held.fetch_add(cost, AcqRel);
        if held + cost > MAX_HELD || self.queue.push(group).is_err() {
            self.held.fetch_sub(cost, AcqRel);
            self.stats.loses(Lost::Full, count.into());
            return;
        }
        if held == 0 || (held < MANY && held + cost >= MANY) {
            // Who is late rings anyway.
            let _ = self.bell.try_send(());
        }
    }

    /// What has become of them.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// Whether nothing waits.
    pub(crate) fn are_none(&self) -> bool {
        self.held.load(Acquire) == 0
    }

    /// Whether it is time to send.
    pub(crate) fn are_many(&self) -> bool {
        self.held.load(Acquire) >= MANY
    }

    /// Takes out as many as a request has, and how many those are.
    pub(crate) fn take(&self) -> (Vec<u8>, u64) {
        let (mut written, mut cost, mut count) = (Vec::new(), 0, 0);
        while cost < MANY
            && let Some(group) = self.queue.pop()
        {
            self.held.fetch_sub(group.cost(), AcqRel);
            cost += group.cost();
            written.extend_from_slice(&group.written);
            count += u64::from(group.count);
        }
        (written, count)
    }
}
