//! A place in a JSON text, the tokens that do not need a file of their own, and what can be wrong at a place.

use crate::violation::{Refusal, ViolationKind};
use callgate_protocol::limits::MAX_DEPTH;

/// What is wrong with a JSON text, and at which byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The offset of the byte at which it was noticed.
    pub(crate) at: usize,
    /// What it is.
    pub(crate) problem: Problem,
}

/// What is wrong with a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The grammar wants something else here.
    Expected(&'static str),
    /// Against the grammar in a way that has its own words.
    Other(&'static str),
    /// The bytes are not UTF-8 from here on.
    NotUtf8,
    /// More containers than the bound.
    TooDeep,
    /// A key that the object has already; the other one is at this offset.
    DuplicateKey(usize),
    /// An item that the set has already; the other one is at this offset.
    DuplicateItem(usize),
}

impl Fault {
    #[cold]
    pub(crate) fn expected(at: usize, what: &'static str) -> Fault {
        Fault { at, problem: Problem::Expected(what) }
    }

    #[cold]
    pub(crate) fn other(at: usize, what: &'static str) -> Fault {
        Fault { at, problem: Problem::Other(what) }
    }

    /// Whether the text is not JSON at all, so that nothing behind the place means anything.
    pub(crate) fn is_syntax(&self) -> bool {
        matches!(self.problem, Problem::Expected(_) | Problem::Other(_) | Problem::NotUtf8)
    }

    /// The words for people, given the text.
    pub(crate) fn detail(&self, text: &str) -> String {
        self.problem.detail(text, self.at)
    }

    /// The same, with its kind.
    #[cold]
    pub(crate) fn refusal(&self, text: &str) -> Refusal {
        Refusal::new(self.problem.kind(), self.detail(text))
    }
}

impl Problem {
    /// Its kind, for programs.
    pub(crate) fn kind(self) -> ViolationKind {
        match self {
            Problem::Expected(_) | Problem::Other(_) => ViolationKind::MalformedJson,
            Problem::NotUtf8 => ViolationKind::NotUtf8,
            Problem::TooDeep => ViolationKind::TooDeep,
            Problem::DuplicateKey(_) => ViolationKind::DuplicateField,
            Problem::DuplicateItem(_) => ViolationKind::Constraint,
        }
    }

    /// The words for people, given the text and the place in it.
    pub(crate) fn detail(&self, text: &str, at: usize) -> String {
        match *self {
            Problem::Expected(what) => match text.get(at..).and_then(|rest| rest.chars().next()) {
                Some(got) if got.is_control() => format!("expected {what}, got `{}`", got.escape_default()),
                Some(got) => format!("expected {what}, got `{got}`"),
                None => format!("expected {what}, got the end of the document"),
            },
            Problem::Other(what) => what.to_owned(),
            Problem::NotUtf8 => "not UTF-8 from here on".to_owned(),
            Problem::TooDeep => format!("nested deeper than {MAX_DEPTH}"),
            Problem::DuplicateKey(first) => twice("key", text, first),
            Problem::DuplicateItem(first) => twice("item", text, first),
        }
    }
}

fn twice(what: &str, text: &str, first: usize) -> String {
    let (line, column) = super::locate::line_and_column(text, first);
    format!("the same {what} twice: first at line {line}, column {column}")
}

/// A place in a JSON text.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    pub(super) text: &'a str,
    /// The offset of the next byte.
    pub(crate) pos: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Cursor { text, pos: 0 }
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    /// What was passed since `start`, which was a place between two tokens.
    #[inline]
    pub(crate) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.pos).unwrap_or_default()
    }

    /// The next byte.
    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.pos).copied()
    }

    /// Passes white space.
    #[inline]
    pub(crate) fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.pos += 1;
        }
    }

    /// What comes next.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.pos..).unwrap_or_default()
    }

    /// Passes `bytes` if they come next.
    #[inline]
    pub(crate) fn eat(&mut self, bytes: &[u8]) -> bool {
        let rest = self.rest();
        let found = rest.starts_with(bytes);
        if found {
            self.pos += bytes.len();
        }
        found
    }

    /// Passes the literal `word` (`true`, `false` or `null`), of which the first letter was seen.
    #[inline]
    pub(crate) fn literal(&mut self, word: &'static str) -> Result<(), Fault> {
        match self.eat(word.as_bytes()) {
            true => Ok(()),
            false => Err(self.not_literal(word)),
        }
    }

    #[cold]
    fn not_literal(&self, word: &'static str) -> Fault {
        let same = self.rest().iter().zip(word.bytes()).take_while(|(a, b)| **a == *b);
        Fault::expected(self.pos + same.count(), "`true`, `false` or `null`")
    }

    /// Passes the colon behind a key, and the white space around it.
    #[inline]
    pub(crate) fn colon(&mut self) -> Result<(), Fault> {
        self.space();
        if self.peek() != Some(b':') {
            return Err(Fault::expected(self.pos, "`:`"));
        }
        self.pos += 1;
        self.space();
        Ok(())
    }

    /// Passes the opening bracket and white space; `true` when the container is empty and passed too.
    #[inline]
    pub(crate) fn open(&mut self, close: u8) -> bool {
        self.pos += 1;
        self.space();
        let empty = self.peek() == Some(close);
        self.pos += usize::from(empty);
        empty
    }

    /// Behind a member of an object: passes a comma (`true`, and the next key begins here) or the end (`false`).
    #[inline]
    pub(crate) fn next_member(&mut self) -> Result<bool, Fault> {
        self.next_or(b'}', "`,` or `}`")
    }

    /// Behind an item of an array: passes a comma (`true`, and the next item begins here) or the end (`false`).
    #[inline]
    pub(crate) fn next_item(&mut self) -> Result<bool, Fault> {
        self.next_or(b']', "`,` or `]`")
    }

    #[inline]
    fn next_or(&mut self, close: u8, expected: &'static str) -> Result<bool, Fault> {
        self.space();
        match self.peek() {
            Some(b',') => {
                self.pos += 1;
                self.space();
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.pos += 1;
                Ok(false)
            }
            _ => Err(Fault::expected(self.pos, expected)),
        }
    }

    /// Behind the document: only white space may follow.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        self.space();
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(Fault::expected(self.pos, "the end of the document")),
        }
    }
}
