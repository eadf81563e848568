//! Streams: what may come of them by what both sides have said, and by the credit that each has.

use crate::frame::{Frame, name};
use crate::hello::Credit;
use crate::value::Reader;
use crate::verdict::{Step, breaks, rule, section};
use std::collections::{BTreeMap, BTreeSet};

/// The most credit that there may be.
const MOST: i64 = 0x7fff_ffff;

/// Credit of one direction of a call.
#[derive(Clone, Copy, Debug)]
struct Left {
    items: i64,
    bytes: i64,
}

impl Left {
    fn of(credit: Credit) -> Left {
        Left { items: i64::from(credit.items).min(MOST), bytes: i64::from(credit.bytes).min(MOST) }
    }

    fn add(&mut self, items: u32, bytes: u32) {
        self.items += i64::from(items);
        self.bytes += i64::from(bytes);
    }
}

/// The streams of a connection.
#[derive(Debug, Default)]
pub struct Streams {
    /// The initial credit that we have told, and the one that the tested side has.
    ours: Option<Credit>,
    theirs: Option<Credit>,
    /// What the tested side may still send, by calls.
    given: BTreeMap<u32, Left>,
    /// What we may still send.
    got: BTreeMap<u32, Left>,
    /// Calls of which the tested side has said its END.
    ended: BTreeSet<u32>,
    /// The CREDIT frames that have come, in all.
    pub credits: u32,
}

impl Streams {
    /// We have said that.
    pub fn said(&mut self, ours: Option<Credit>) {
        self.ours = ours;
    }

    /// The tested side has said that.
    pub fn told(&mut self, theirs: Option<Credit>) {
        self.theirs = theirs;
    }

    /// Whether both sides speak streams.
    pub fn are_spoken(&self) -> bool {
        self.ours.is_some() && self.theirs.is_some()
    }

    /// We send CREDIT.
    pub(super) fn give(&mut self, frame: &Frame) {
        if let (Ok((items, bytes)), Some(ours)) = (numbers(frame), self.ours) {
            self.given.entry(frame.number).or_insert(Left::of(ours)).add(items, bytes);
        }
    }

    /// We send an item, or its first frame; `size` is that of all of it.
    pub fn spend(&mut self, number: u32, size: usize) {
        if let Some(theirs) = self.theirs {
            let left = self.got.entry(number).or_insert(Left::of(theirs));
            left.items -= 1;
            left.bytes -= size as i64;
        }
    }

    /// Whether we may send an item of a call.
    pub fn may_send(&self, number: u32) -> bool {
        let left = self.got.get(&number).copied().or(self.theirs.map(Left::of));
        left.is_some_and(|left| left.items > 0 && left.bytes > 0)
    }

    /// The first frame of an item, or an END, has come.
    pub(super) fn begins(&mut self, frame: &Frame, is_item: bool) -> Step {
        let Some(ours) = self.ours.filter(|_| self.theirs.is_some()) else {
            return breaks(section::STREAMS, format!("{frame} came, but not both sides speak streams"));
        };
        rule(!self.ended.contains(&frame.number), section::STREAMS, || {
            format!("{frame} came, after the END of its direction")
        })?;
        if !is_item {
            self.ended.insert(frame.number);
            return Ok(());
        }
        let left = self.given.entry(frame.number).or_insert(Left::of(ours));
        rule(left.items > 0 && left.bytes > 0, section::CREDIT, || {
            format!("{frame} came, with a credit of {} items and {} bytes", left.items, left.bytes)
        })?;
        left.items -= 1;
        Ok(())
    }

    /// An item has come, whole.
    pub(super) fn item(&mut self, number: u32, size: usize) {
        if let Some(left) = self.given.get_mut(&number) {
            left.bytes -= size as i64;
        }
    }

    /// CREDIT has come.
    pub(super) fn credit(&mut self, frame: &Frame) -> Step {
        let Some(theirs) = self.theirs.filter(|_| self.ours.is_some()) else {
            return breaks(
                section::STREAMS,
                format!("{} came, but not both sides speak streams", name(frame.kind)),
            );
        };
        let (items, bytes) = match numbers(frame) {
            Ok(numbers) => numbers,
            Err(problem) => return breaks(section::CREDIT, format!("{frame} cannot be read: {problem}")),
        };
        let left = self.got.entry(frame.number).or_insert(Left::of(theirs));
        left.add(items, bytes);
        self.credits += 1;
        rule(left.items <= MOST && left.bytes <= MOST, section::CREDIT, || {
            format!(
                "{frame} came, and there is a credit of {} items and {} bytes now",
                left.items, left.bytes
            )
        })
    }
}

fn numbers(frame: &Frame) -> Result<(u32, u32), String> {
    let mut reader = Reader(&frame.body);
    Ok((reader.u32()?, reader.u32()?))
}
