//! What a tested connector sends about calls: numbers rise, heads are well formed, and bounds are kept.

use super::message::{Assembly, metadata};
use super::streams::Streams;
use crate::frame::{Frame, flag, kind};
use crate::hello::Limits;
use crate::value::Reader;
use crate::verdict::{Step, breaks, rule, section};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// A call that has arrived whole.
#[derive(Clone, Debug)]
pub struct Call {
    pub number: u32,
    pub call_id: u32,
    pub deadline_ms: u32,
    pub arguments: Vec<u8>,
}

/// The calls so far.
#[derive(Debug)]
pub struct Calls {
    limits: Limits,
    last: u32,
    /// Begun, neither answered nor cancelled.
    running: BTreeSet<u32>,
    cancelled: BTreeSet<u32>,
    pub whole: VecDeque<Call>,
    /// The items that have come, by calls, and the calls of which all have.
    pub items: BTreeMap<u32, VecDeque<Vec<u8>>>,
    pub ended: BTreeSet<u32>,
    pub parts: Assembly,
}

impl Calls {
    pub fn new(limits: Limits) -> Calls {
        Calls {
            limits,
            last: 0,
            running: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            whole: VecDeque::new(),
            items: BTreeMap::new(),
            ended: BTreeSet::new(),
            parts: Assembly::new(limits),
        }
    }

    /// We have begun to answer a call.
    pub fn answered(&mut self, number: u32) {
        self.running.remove(&number);
        self.parts.forget(number);
    }

    /// The highest number that has begun to arrive.
    pub fn last(&self) -> u32 {
        self.last
    }

    /// Whether that call was cancelled.
    pub fn is_cancelled(&self, number: u32) -> bool {
        self.cancelled.contains(&number)
    }

    pub(super) fn take(&mut self, frame: Frame, streams: &mut Streams) -> Step {
        let number = frame.number;
        let whole = match frame.kind {
            kind::CALL => self.begin(frame)?,
            kind::CANCEL => {
                rule(number <= self.last, section::CANCEL, || format!("{frame} came, but no such call"))?;
                self.running.remove(&number);
                self.cancelled.insert(number);
                self.parts.forget(number);
                self.whole.retain(|call| call.number != number);
                None
            }
            _ if self.cancelled.contains(&number) => {
                return breaks(section::CANCEL, format!("{frame} came after the call's CANCEL"));
            }
            // It was under way when our answer was.
            _ if number <= self.last && !self.running.contains(&number) => None,
            kind::ITEM | kind::END => {
                rule(self.running.contains(&number), section::STREAMS, || {
                    format!("{frame} came, but no such call")
                })?;
                rule(!self.parts.holds(number), section::STREAMS, || {
                    format!("{frame} came within another message of its call")
                })?;
                streams.begins(&frame, frame.kind == kind::ITEM)?;
                self.parts.begin(frame)?
            }
            _ => self.parts.go_on(frame)?,
        };
        let Some(message) = whole else { return Ok(()) };
        match message.kind {
            kind::ITEM => {
                streams.item(number, message.body.len());
                self.items.entry(number).or_default().push_back(message.body);
            }
            kind::END => drop(self.ended.insert(number)),
            _ => self.whole.push_back(read(&message)?),
        }
        Ok(())
    }

    fn begin(&mut self, frame: Frame) -> Step<Option<Frame>> {
        let number = frame.number;
        rule(number > self.last, section::NUMBERS, || format!("{frame} came after call {}", self.last))?;
        self.last = number;
        self.running.insert(number);
        let most = self.limits.max_calls;
        rule(self.running.len() <= most, section::LIMITS, || {
            format!("{} calls are in flight, {most} are the most", self.running.len())
        })?;
        self.parts.begin(frame)
    }
}

fn read(message: &Frame) -> Step<Call> {
    match head(message) {
        Ok(call) if call.call_id == 0 => {
            breaks(section::CALL, format!("CALL {} has the Call ID 0", call.number))
        }
        Ok(call) => Ok(call),
        Err(problem) => {
            breaks(section::CALL, format!("the head of CALL {} is wrong: {problem}", message.number))
        }
    }
}

fn head(message: &Frame) -> Result<Call, String> {
    let mut reader = Reader(&message.body);
    let (call_id, deadline_ms) = (reader.u32()?, reader.u32()?);
    if message.flags & flag::METADATA != 0 {
        metadata(&mut reader)?;
    }
    Ok(Call { number: message.number, call_id, deadline_ms, arguments: reader.0.to_vec() })
}
