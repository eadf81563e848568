//! One span as it grows. What it has is written where it is known, once.

use crate::protobuf::{bytes, fixed32, fixed64, message, number};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A text of an attribute is cut there, in bytes: what clients send must not make spans long.
const LONGEST: usize = 512;

/// Which side of what a span is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It answers a request.
    Server = 2,
    /// It sends one.
    Client = 3,
}

/// A span, until it has ended.
#[derive(Clone, Debug)]
pub struct Span(Vec<u8>);

impl Span {
    /// A span with these ids, which are not 0, and without a parent if that is 0.
    pub fn new(trace: u128, span: u64, parent: u64, kind: Kind, name: &str) -> Span {
        let mut out = Vec::with_capacity(512);
        bytes(&mut out, 1, &trace.to_be_bytes());
        bytes(&mut out, 2, &span.to_be_bytes());
        if parent != 0 {
            bytes(&mut out, 4, &parent.to_be_bytes());
        }
        bytes(&mut out, 5, cut(name).as_bytes());
        number(&mut out, 6, kind as u64);
        Span(out)
    }

    /// When it began.
    pub fn began(&mut self, at: SystemTime) -> &mut Span {
        fixed64(&mut self.0, 7, nanoseconds(at));
        self
    }

    /// The flags of its trace: that it is sampled, and whether its parent is another process's.
    pub fn flags(&mut self, parent_is_remote: bool) -> &mut Span {
        let remote = if parent_is_remote { 0x300 } else { 0x100 };
        fixed32(&mut self.0, 16, 1 | remote);
        self
    }

    /// What vendors have said of the trace. What is longer than it may be is left out (W3C Trace Context, 3.3.1.5).
    pub fn state(&mut self, state: &str) -> &mut Span {
        if (1..=LONGEST).contains(&state.len()) {
            bytes(&mut self.0, 3, state.as_bytes());
        }
        self
    }

    /// An attribute that is a text. One that is long is cut.
    pub fn text(&mut self, key: &str, text: &str) -> &mut Span {
        message(&mut self.0, 9, |out| text_attribute(out, key, text));
        self
    }

    /// The same, if there is one.
    pub fn maybe(&mut self, key: &str, text: Option<&str>) -> &mut Span {
        if let Some(text) = text {
            self.text(key, text);
        }
        self
    }

    /// An attribute that is a number.
    pub fn number(&mut self, key: &str, value: u64) -> &mut Span {
        message(&mut self.0, 9, |out| {
            bytes(out, 1, key.as_bytes());
            message(out, 2, |out| number(out, 3, value));
        });
        self
    }

    /// An attribute that is several texts.
    pub fn texts<'t>(&mut self, key: &str, texts: impl Iterator<Item = &'t str>) -> &mut Span {
        message(&mut self.0, 9, |out| {
            bytes(out, 1, key.as_bytes());
            message(out, 2, |out| {
                message(out, 5, |out| {
                    for text in texts {
                        message(out, 1, |out| bytes(out, 1, cut(text).as_bytes()));
                    }
                });
            });
        });
        self
    }

    /// It has failed, for people.
    pub fn failed(&mut self, why: &str) -> &mut Span {
        message(&mut self.0, 15, |out| {
            if !why.is_empty() {
                bytes(out, 2, cut(why).as_bytes());
            }
            number(out, 3, 2);
        });
        self
    }

    /// It has ended then. Puts it behind others of a request.
    pub fn end(mut self, at: SystemTime, others: &mut Vec<u8>) {
        fixed64(&mut self.0, 8, nanoseconds(at));
        bytes(others, SPANS, &self.0);
    }
}

/// The field of a request's scope that has spans.
pub(crate) const SPANS: u32 = 2;

/// An attribute that is a text.
pub(crate) fn text_attribute(out: &mut Vec<u8>, key: &str, text: &str) {
    bytes(out, 1, key.as_bytes());
    message(out, 2, |out| bytes(out, 1, cut(text).as_bytes()));
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

fn nanoseconds(at: SystemTime) -> u64 {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
