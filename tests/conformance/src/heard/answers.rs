//! What a tested acceptor sends about calls: each call has one answer, and it is well formed.

use super::message::{Assembly, entries, metadata};
use super::streams::Streams;
use crate::frame::{Frame, flag, kind};
use crate::hello::Limits;
use crate::value::Reader;
use crate::verdict::{Step, breaks, rule, section};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// How a call was answered.
#[derive(Clone, Debug)]
pub enum Answer {
    Reply(Vec<u8>),
    /// Behind its items.
    End,
    Failure(Failure),
}

/// A FAILURE.
#[derive(Clone, Debug, Default)]
pub struct Failure {
    pub code: u8,
    pub not_executed: bool,
    pub message: String,
}

/// The answers so far.
#[derive(Debug)]
pub struct Answers {
    called: BTreeSet<u32>,
    whole: BTreeMap<u32, Answer>,
    /// The answers that a case has taken.
    taken: BTreeSet<u32>,
    /// The items that have come, by calls.
    pub items: BTreeMap<u32, VecDeque<Vec<u8>>>,
    pub parts: Assembly,
    last_call: Option<u32>,
}

impl Answers {
    pub fn new(limits: Limits) -> Answers {
        Answers {
            called: BTreeSet::new(),
            whole: BTreeMap::new(),
            taken: BTreeSet::new(),
            items: BTreeMap::new(),
            parts: Assembly::new(limits),
            last_call: None,
        }
    }

    /// We have sent a call.
    pub fn called(&mut self, number: u32) {
        self.called.insert(number);
    }

    /// The acceptor takes no more calls.
    pub fn went_away(&mut self, last_call: u32) {
        self.last_call = Some(self.last_call.map_or(last_call, |last| last.min(last_call)));
    }

    /// The whole answer to a call, once.
    pub fn whole(&mut self, number: u32) -> Option<Answer> {
        let answer = self.whole.remove(&number)?;
        self.taken.insert(number);
        Some(answer)
    }

    /// Whether anything of an answer to that call has come.
    pub fn any(&self, number: u32) -> bool {
        let answered = self.whole.contains_key(&number) || self.taken.contains(&number);
        answered || self.parts.holds(number) || self.items.contains_key(&number)
    }

    pub(super) fn take(&mut self, frame: Frame, streams: &mut Streams) -> Step {
        let number = frame.number;
        if frame.kind == kind::DATA {
            let whole = self.parts.go_on(frame)?;
            return whole.map_or(Ok(()), |message| self.end(message, streams));
        }
        rule(self.called.contains(&number), section::NUMBERS, || {
            format!("{frame} came, but no such call was made")
        })?;
        rule(!self.whole.contains_key(&number) && !self.taken.contains(&number), section::NUMBERS, || {
            format!("{frame} came, but the call is already answered")
        })?;
        rule(self.last_call.is_none_or(|last| number <= last), section::AWAY, || {
            format!("{frame} came, above the last call that GO_AWAY has told")
        })?;
        if self.parts.holds(number) {
            rule(frame.kind == kind::FAILURE, section::LONG, || {
                format!("{frame} came within another answer")
            })?;
            rule(frame.flags & flag::NOT_EXECUTED == 0, section::FAILURE, || {
                format!("{frame} says that the call has not run, after a part of its result")
            })?;
            self.parts.forget(number);
        }
        match frame.kind {
            kind::ITEM | kind::END => streams.begins(&frame, frame.kind == kind::ITEM)?,
            kind::FAILURE => rule(
                frame.flags & flag::NOT_EXECUTED == 0 || !self.items.contains_key(&number),
                section::STREAM_ENDS,
                || format!("{frame} says that the call has not run, after an item of it"),
            )?,
            _ => rule(!self.items.contains_key(&number), section::STREAMS, || {
                format!("{frame} came, after items: END is the answer then")
            })?,
        }
        let whole = self.parts.begin(frame)?;
        whole.map_or(Ok(()), |message| self.end(message, streams))
    }

    fn end(&mut self, message: Frame, streams: &mut Streams) -> Step {
        let answer = match message.kind {
            kind::ITEM => {
                streams.item(message.number, message.body.len());
                self.items.entry(message.number).or_default().push_back(message.body);
                return Ok(());
            }
            kind::END => {
                result(&message)?;
                Answer::End
            }
            kind::REPLY => Answer::Reply(result(&message)?.to_vec()),
            _ => Answer::Failure(failure(&message)?),
        };
        self.whole.insert(message.number, answer);
        Ok(())
    }
}

fn result(message: &Frame) -> Step<&[u8]> {
    let mut reader = Reader(&message.body);
    if message.flags & flag::METADATA != 0
        && let Err(problem) = metadata(&mut reader)
    {
        return breaks(section::METADATA, format!("the metadata of {message} cannot be read: {problem}"));
    }
    Ok(reader.0)
}

fn failure(message: &Frame) -> Step<Failure> {
    let mut failure = Failure { not_executed: message.flags & flag::NOT_EXECUTED != 0, ..Failure::default() };
    let mut reader = Reader(&message.body);
    let mut read = || {
        failure.code = reader.byte()?;
        while !reader.is_empty() {
            let (tag, value) = (reader.byte()?, reader.blob()?);
            match tag {
                1 => {
                    failure.message =
                        String::from_utf8(value.to_vec()).map_err(|_| "its message is not UTF-8")?
                }
                3 if value.len() != 4 => return Err("its retry after has not 4 bytes".to_owned()),
                5 => entries(value)?,
                _ => {}
            }
        }
        Ok(())
    };
    if let Err(problem) = read() {
        return breaks(section::FAILURE, format!("FAILURE {} cannot be read: {problem}", message.number));
    }
    rule((1..=16).contains(&failure.code), section::FAILURE, || {
        format!("FAILURE {} has the code {}, which does not exist", message.number, failure.code)
    })?;
    Ok(failure)
}
