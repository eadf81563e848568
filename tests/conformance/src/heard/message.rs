//! Messages in parts: fragments are put together, and what they may hold in all is watched.

use crate::frame::{Frame, flag};
use crate::hello::Limits;
use crate::value::Reader;
use crate::verdict::{Step, breaks, rule, section};
use std::collections::BTreeMap;

/// The longest metadata block, in bytes.
const MAX_METADATA: u16 = 16 * 1024;

/// The names of metadata that are sent by number.
const NUMBERED: [&[u8]; 5] = [b"request-id", b"traceparent", b"tracestate", b"caller", b"client"];

/// The messages of a connection that have begun and are not complete.
#[derive(Debug)]
pub struct Assembly {
    limits: Limits,
    /// First frames, with all bodies that have come so far in theirs.
    open: BTreeMap<u32, Frame>,
}

impl Assembly {
    pub fn new(limits: Limits) -> Assembly {
        Assembly { limits, open: BTreeMap::new() }
    }

    /// Whether a message of that call is under way.
    pub fn holds(&self, number: u32) -> bool {
        self.open.contains_key(&number)
    }

    /// How much of that call's message has come, if it is under way.
    pub fn arrived(&self, number: u32) -> Option<usize> {
        self.open.get(&number).map(|first| first.body.len())
    }

    /// How many messages are under way of which bytes have come.
    pub fn begun(&self) -> usize {
        self.open.values().filter(|first| !first.body.is_empty()).count()
    }

    /// Drops what has come of a message.
    pub fn forget(&mut self, number: u32) {
        self.open.remove(&number);
    }

    /// Takes the first frame of a message; gives the message when that is all of it.
    pub fn begin(&mut self, frame: Frame) -> Step<Option<Frame>> {
        self.check(frame.number, frame.body.len())?;
        if frame.flags & flag::MORE == 0 {
            return Ok(Some(frame));
        }
        self.open.insert(frame.number, frame);
        self.check_window()?;
        Ok(None)
    }

    /// Takes a further fragment; gives the message when it was the last one.
    pub fn go_on(&mut self, frame: Frame) -> Step<Option<Frame>> {
        let Some(first) = self.open.get_mut(&frame.number) else {
            return breaks(section::LONG, format!("{frame} came, but no message of this call is under way"));
        };
        first.body.extend_from_slice(&frame.body);
        let length = first.body.len();
        self.check(frame.number, length)?;
        self.check_window()?;
        if frame.flags & flag::MORE != 0 {
            return Ok(None);
        }
        let whole = self.open.remove(&frame.number);
        Ok(whole.map(|first| Frame { flags: first.flags & !flag::MORE, ..first }))
    }

    fn check(&self, number: u32, length: usize) -> Step {
        let most = self.limits.max_message;
        rule(length <= most, section::LIMITS, || {
            format!("the message of call {number} has {length} bytes or more, {most} are the most")
        })
    }

    /// The full lengths must be within the window, so what has come of them must be.
    fn check_window(&self) -> Step {
        let arrived: usize = self.open.values().map(|first| first.body.len()).sum();
        let window = self.limits.window;
        rule(arrived <= window, section::LONG, || {
            format!("the messages in parts have {arrived} bytes together, the window is {window}")
        })
    }
}

/// Reads a metadata block, with its length, as a writer has to write it.
pub(super) fn metadata(reader: &mut Reader<'_>) -> Result<(), String> {
    let length = reader.u16()?;
    entries(reader.take(length.into())?)
}

/// Reads the entries of metadata, as a writer has to write them.
pub(super) fn entries(block: &[u8]) -> Result<(), String> {
    if block.len() > usize::from(MAX_METADATA) {
        return Err(format!("its metadata has {} bytes, {MAX_METADATA} are the most", block.len()));
    }
    let mut block = Reader(block);
    while !block.is_empty() {
        if block.byte()? == 0 {
            let length = block.byte()?;
            let name = block.take(length.into())?;
            let allowed =
                |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(byte);
            if name.is_empty() || !name.iter().all(allowed) || NUMBERED.contains(&name) {
                let name = String::from_utf8_lossy(name);
                return Err(format!("the metadata name `{name}` is none, or has a number"));
            }
        }
        block.blob()?;
    }
    Ok(())
}
