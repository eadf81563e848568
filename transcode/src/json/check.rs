//! The check of a document in steps, for one that is too long to be checked at once. It refuses what
//! [`document`](super::document) refuses.

use super::{Cursor, Fault, Keys, Problem, RawString};
use callgate_protocol::limits::MAX_DEPTH;
use std::hash::RandomState;

/// A document that is being checked.
#[derive(Debug)]
pub(crate) struct Check<'a> {
    cursor: Cursor<'a>,
    /// How many containers it stands in.
    depth: usize,
    open: Vec<Open>,
    next: Next,
    hasher: RandomState,
    keys: usize,
}

#[derive(Debug)]
enum Open {
    Array,
    Object(Keys),
}

/// What comes next.
#[derive(Clone, Copy, Debug)]
enum Next {
    Value,
    Key,
    /// What follows a value.
    Rest,
}

impl<'a> Check<'a> {
    /// Begins with a text that stands inside of `depth` containers already.
    pub(crate) fn new(text: &'a str, depth: usize) -> Check<'a> {
        let mut cursor = Cursor::new(text);
        cursor.space();
        Check { cursor, depth, open: Vec::new(), next: Next::Value, hasher: RandomState::new(), keys: 0 }
    }

    /// How much of the text was passed, in bytes.
    pub(crate) fn passed(&self) -> usize {
        self.cursor.pos
    }

    /// How many keys are kept.
    pub(crate) fn keys(&self) -> usize {
        self.keys
    }

    /// Passes about `most` bytes, and whatever the last token among them is longer. Whether it was the end.
    pub(crate) fn advance(&mut self, most: usize) -> Result<bool, Fault> {
        let until = self.cursor.pos.saturating_add(most);
        while self.cursor.pos < until {
            self.next = match self.next {
                Next::Value => self.value()?,
                Next::Key => self.key()?,
                Next::Rest if self.open.is_empty() => return self.cursor.end().map(|()| true),
                Next::Rest => self.rest()?,
            };
        }
        Ok(false)
    }

    fn value(&mut self) -> Result<Next, Fault> {
        let cursor = &mut self.cursor;
        match cursor.peek() {
            Some(b'"') => cursor.string().map(drop)?,
            Some(b'-' | b'0'..=b'9') => cursor.number().map(drop)?,
            Some(b't') => cursor.literal("true")?,
            Some(b'f') => cursor.literal("false")?,
            Some(b'n') => cursor.literal("null")?,
            Some(b'[' | b'{') if self.depth + self.open.len() >= MAX_DEPTH => {
                return Err(Fault { at: cursor.pos, problem: Problem::TooDeep });
            }
            Some(b'[') => {
                if !cursor.open(b']') {
                    self.open.push(Open::Array);
                    return Ok(Next::Value);
                }
            }
            Some(b'{') => {
                if !cursor.open(b'}') {
                    self.open.push(Open::Object(Keys::default()));
                    return Ok(Next::Key);
                }
            }
            _ => return Err(Fault::expected(cursor.pos, "a value")),
        }
        Ok(Next::Rest)
    }

    fn key(&mut self) -> Result<Next, Fault> {
        let at = self.cursor.pos;
        let key = self.cursor.key()?;
        let text = key.decode();
        let is_same = |place| key_at(self.cursor.text(), place).is_some_and(|other| other.decode() == text);
        if let Some(Open::Object(keys)) = self.open.last_mut()
            && !keys.add(&self.hasher, text.as_bytes(), at, is_same)
        {
            return Err(Fault { at, problem: Problem::DuplicateKey(at) });
        }
        self.keys += 1;
        self.cursor.colon()?;
        Ok(Next::Value)
    }

    fn rest(&mut self) -> Result<Next, Fault> {
        let (more, next) = match self.open.last() {
            Some(Open::Object(_)) => (self.cursor.next_member()?, Next::Key),
            _ => (self.cursor.next_item()?, Next::Value),
        };
        if more {
            return Ok(next);
        }
        if let Some(Open::Object(keys)) = self.open.pop() {
            self.keys -= keys.count();
        }
        Ok(Next::Rest)
    }
}

/// The key whose opening quote is at `at`.
fn key_at(text: &str, at: usize) -> Option<RawString<'_>> {
    Cursor { text, pos: at }.key().ok()
}

#[cfg(test)]
mod tests {
    use super::super::document;
    use super::*;
    use proptest::prelude::*;

    fn in_steps(text: &str, depth: usize, most: usize) -> bool {
        let mut check = Check::new(text, depth);
        loop {
            match check.advance(most) {
                Ok(false) => {}
                Ok(true) => return true,
                Err(_) => return false,
            }
        }
    }

    #[test]
    fn what_is_refused_is_refused_in_steps_too() {
        let deep = "[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH);
        let many: String = (0..50).map(|n| format!("\"{n}\":[{n}],")).collect();
        let twice = format!("{{{many}\"3\":1}}");
        let all = format!("{{{many}\"x\":1}}");
        for text in [
            "",
            " ",
            "1",
            " 1 ",
            "1 2",
            "[]",
            "[ ]",
            "{}",
            "{ }",
            "[1,]",
            "[,1]",
            "{\"a\":1,}",
            "{\"a\"}",
            "{,}",
            "[}",
            "{]",
            "[[1,2],{\"a\":{\"a\":1}}]",
            "{\"a\":1,\"a\":1}",
            "{\"a\":1,\"\\u0061\":1}",
            "{\"a\":{\"b\":1},\"b\":1}",
            "nul",
            "[true,false,null]",
            "[tru,false]",
            "\"\\ud800\"",
            "[1,2",
            &deep,
            &twice,
            &all,
        ] {
            for (depth, most) in [(0, 1), (0, 7), (0, usize::MAX), (1, 3)] {
                assert_eq!(in_steps(text, depth, most), document(text, depth).is_ok(), "{text} at {depth}");
            }
        }
    }

    #[test]
    fn keys_are_counted_while_their_objects_are_open() {
        let mut check = Check::new("{\"a\":{\"b\":1,\"c\":[{\"d\":2}]},\"e\":3}", 0);
        let mut counts = vec![check.keys()];
        while !check.advance(1).expect("it is JSON") {
            if counts.last() != Some(&check.keys()) {
                counts.push(check.keys());
            }
        }
        assert_eq!(counts, [0, 1, 2, 3, 4, 3, 1, 2, 0]);
    }

    #[test]
    fn it_is_known_how_much_was_passed() {
        let mut check = Check::new(" [1,[true]] ", 0);
        let mut passed = vec![check.passed()];
        while !check.advance(1).expect("it is JSON") {
            passed.push(check.passed());
        }
        assert_eq!((passed.first(), check.passed()), (Some(&1), 12));
        assert!(passed.is_sorted_by(|before, after| before < after), "{passed:?}");
    }

    proptest! {
        #[test]
        fn any_text_is_refused_in_steps_as_in_one(
            text in "[\\[\\]{}:,1\"a tn]{0,24}", depth in 0..2_usize, most in 1..30_usize,
        ) {
            prop_assert_eq!(in_steps(&text, depth, most), document(&text, depth).is_ok(), "{}", text);
        }
    }
}
