//! What the tested side has sent so far on one connection, and the rules that hold for every frame of it, whatever a
//! case is about. A case asks for what was heard; a frame that breaks a rule ends it with the rule's section.

mod answers;
mod calls;
mod message;
mod streams;

pub use answers::{Answer, Failure};
pub use calls::Call;

use crate::frame::{Frame, flag, kind, name};
use crate::hello::{Limits, MAX_CONTROL};
use crate::service::{Fingerprint, fingerprint};
use crate::verdict::{Step, breaks, rule, section};
use answers::Answers;
use calls::Calls;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use streams::Streams;

/// The longest reason in GO_AWAY, in bytes.
const MAX_REASON: usize = 900;

/// Which side is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Acceptor,
    Connector,
}

/// GO_AWAY.
#[derive(Clone, Debug)]
pub struct GoAway {
    pub last_call: u32,
    pub reason: String,
}

/// What was heard.
#[derive(Debug)]
pub struct Heard {
    tested: Side,
    /// What we have told that we accept.
    limits: Limits,
    /// The PONGs that have come.
    pub pongs: BTreeSet<[u8; 8]>,
    /// How many PINGs with these bytes wait for their PONG.
    pings_sent: BTreeMap<[u8; 8], u32>,
    /// PINGs that wait for our answer.
    pub pings: Vec<[u8; 8]>,
    pub ready: VecDeque<bool>,
    pub schemas: VecDeque<(Fingerprint, Vec<u8>)>,
    pub schema_requests: VecDeque<Fingerprint>,
    pub away: Vec<GoAway>,
    /// What a tested acceptor sends about calls.
    pub answers: Answers,
    /// What a tested connector sends about calls.
    pub calls: Calls,
    pub streams: Streams,
}

impl Heard {
    /// Nothing yet.
    pub fn new(tested: Side, limits: Limits) -> Heard {
        Heard {
            tested,
            limits,
            pongs: BTreeSet::new(),
            pings_sent: BTreeMap::new(),
            pings: Vec::new(),
            ready: VecDeque::new(),
            schemas: VecDeque::new(),
            schema_requests: VecDeque::new(),
            away: Vec::new(),
            answers: Answers::new(limits),
            calls: Calls::new(limits),
            streams: Streams::default(),
        }
    }

    /// Notes what we send, because it decides what may come.
    pub fn sent(&mut self, frame: &Frame) {
        match frame.kind {
            kind::PING => {
                if let Some(token) = frame.body.first_chunk::<8>() {
                    *self.pings_sent.entry(*token).or_default() += 1;
                }
            }
            kind::CALL => self.answers.called(frame.number),
            kind::REPLY | kind::FAILURE => self.calls.answered(frame.number),
            kind::END if self.tested == Side::Connector => self.calls.answered(frame.number),
            kind::CREDIT => self.streams.give(frame),
            _ => {}
        }
    }

    /// Takes a frame of the tested side, by the rules.
    pub fn take(&mut self, frame: Frame) -> Step {
        self.admit(&frame)?;
        let body = &frame.body[..];
        match frame.kind {
            kind::PING => self.pings.push(token(&frame)?),
            kind::PONG => {
                let token = token(&frame)?;
                let Some(waiting) = self.pings_sent.get_mut(&token).filter(|waiting| **waiting > 0) else {
                    return breaks(
                        section::PING,
                        format!("a PONG came with {token:02x?}, for which no PING asked"),
                    );
                };
                *waiting -= 1;
                self.pongs.insert(token);
            }
            kind::READY => match body.first() {
                Some(ready @ (0 | 1)) => self.ready.push_back(*ready == 1),
                other => {
                    return breaks(section::READY, format!("READY came with {other:?}, not with 0 or 1"));
                }
            },
            kind::GO_AWAY => self.go_away(body)?,
            kind::SCHEMA_REQUEST => self.schema_requests.push_back(leading(body, "SCHEMA_REQUEST")?),
            kind::SCHEMA => {
                let asked = leading(body, "SCHEMA")?;
                let is_its = body.len() == 16 || fingerprint(&body[16..]) == asked;
                rule(is_its, section::SCHEMAS, || {
                    "the bytes of a SCHEMA do not have its fingerprint".into()
                })?;
                self.schemas.push_back((asked, body[16..].to_vec()));
            }
            kind::CREDIT => self.streams.credit(&frame)?,
            kind::REPLY | kind::FAILURE | kind::DATA | kind::ITEM | kind::END
                if self.tested == Side::Acceptor =>
            {
                self.answers.take(frame, &mut self.streams)?
            }
            kind::CALL | kind::CANCEL | kind::DATA | kind::ITEM | kind::END => {
                self.calls.take(frame, &mut self.streams)?
            }
            // A kind from 0x80 that this program does not know.
            _ => {}
        }
        Ok(())
    }

    /// What a header alone may say.
    fn admit(&self, frame: &Frame) -> Step {
        let Frame { kind, flags, number, .. } = *frame;
        let acceptor = self.tested == Side::Acceptor;
        let known = match kind {
            kind::HELLO => return breaks(section::HANDSHAKE, "a second HELLO came"),
            kind::PING | kind::PONG | kind::GO_AWAY => 0,
            kind::SCHEMA if acceptor => 0,
            kind::REPLY if acceptor => flag::MORE | flag::METADATA,
            kind::FAILURE if acceptor => flag::MORE | flag::NOT_EXECUTED,
            kind::DATA => flag::MORE,
            kind::CALL if !acceptor => flag::MORE | flag::METADATA,
            kind::CANCEL | kind::SCHEMA_REQUEST if !acceptor => 0,
            kind::READY if !acceptor => return breaks(section::READY, "READY came from a connector"),
            kind::ITEM if self.streams.are_spoken() => flag::MORE,
            kind::END if self.streams.are_spoken() => flag::MORE | flag::METADATA,
            kind::CREDIT if self.streams.are_spoken() => 0,
            kind::ITEM | kind::END | kind::CREDIT => {
                return breaks(
                    section::STREAMS,
                    format!("{} came, but not both sides have announced streams", name(kind)),
                );
            }
            0x80.. => 0xff,
            _ => return breaks(section::FRAME, format!("{frame} came, which this side does not send")),
        };
        rule(flags & 0x0f & !known == 0, section::FRAME, || {
            format!("{frame} came, with a flag that it has not")
        })?;
        let of_a_call = (kind::CALL..kind::READY).contains(&kind);
        rule(!of_a_call || number != 0, section::NUMBERS, || format!("{frame} came, with call number 0"))?;
        rule(of_a_call || kind > 0x80 || number == 0, section::FRAME, || {
            format!("{frame} came; its call number is written as 0")
        })?;
        let most = if kind == kind::SCHEMA { MAX_CONTROL } else { self.limits.max_frame };
        rule(frame.body.len() <= most, section::LIMITS, || {
            format!("{frame} came, where {most} bytes are the most")
        })
    }

    fn go_away(&mut self, body: &[u8]) -> Step {
        let Some((last, reason)) = body.split_first_chunk::<4>() else {
            return breaks(section::AWAY, "a GO_AWAY is too short for a last call");
        };
        let Ok(reason) = std::str::from_utf8(reason) else {
            return breaks(section::AWAY, "the reason in GO_AWAY is not UTF-8");
        };
        rule(reason.len() <= MAX_REASON, section::AWAY, || {
            format!("the reason in GO_AWAY has {} bytes, {MAX_REASON} are the most", reason.len())
        })?;
        let last_call = u32::from_le_bytes(*last);
        self.answers.went_away(last_call);
        self.away.push(GoAway { last_call, reason: reason.to_owned() });
        Ok(())
    }
}

fn token(frame: &Frame) -> Step<[u8; 8]> {
    match frame.body.first_chunk::<8>() {
        Some(token) => Ok(*token),
        None => breaks(section::PING, format!("{frame} came, where 8 bytes are the least")),
    }
}

fn leading(body: &[u8], what: &str) -> Step<Fingerprint> {
    match body.first_chunk::<16>() {
        Some(fingerprint) => Ok(*fingerprint),
        None => breaks(section::SCHEMAS, format!("{what} came without a whole fingerprint")),
    }
}
