//! What a tested acceptor sends about calls: each call has one answer, and it is well formed.

use super::message::{Assembly, entries, metadata};
use crate::frame::{Frame, flag, kind};
use crate::hello::Limits;
use crate::value::Reader;
use crate::verdict::{Step, breaks, rule, section};
use std::collections::{BTreeMap, BTreeSet};

/// How a call was answered.
#[derive(Clone, Debug)]
pub enum Answer {
    Reply(Vec<u8>),
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
    pub parts: Assembly,
    last_call: Option<u32>,
}

impl Answers {
    pub fn new(limits: Limits) -> Answers {
        Answers {
            called: BTreeSet::new(),
            whole: BTreeMap::new(),
            taken: BTreeSet::new(),
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
        self.whole.contains_key(&number) || self.taken.contains(&number) || self.parts.holds(number)
    }

    pub(super) fn take(&mut self, frame: Frame) -> Step {
        let number = frame.number;
        if frame.kind == kind::DATA {
            let whole = self.parts.go_on(frame)?;
            return whole.map_or(Ok(()), |message| self.end(message));
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
        let whole = self.parts.begin(frame)?;
        whole.map_or(Ok(()), |message| self.end(message))
    }

    fn end(&mut self, message: Frame) -> Step {
        let answer = if message.kind == kind::REPLY {
            Answer::Reply(result(&message)?.to_vec())
        } else {
            Answer::Failure(failure(&message)?)
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
        return breaks(
            section::METADATA,
            format!("the metadata of REPLY {} cannot be read: {problem}", message.number),
        );
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
