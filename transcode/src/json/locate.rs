//! From an offset in a JSON text to what people can find: the JSON Pointer (RFC 6901), line and column.
//!
//! Nothing of this is tracked while a document is read. When something is wrong, the text is scanned once more up to
//! the place; all before it is known to be sound.

use super::{Cursor, Fault, Problem, RawString};
use crate::violation::Violation;

enum Level<'a> {
    Array(usize),
    Object(Option<RawString<'a>>),
}

/// Scans forward through a text; offsets must be asked for in ascending order.
pub(crate) struct Locator<'a> {
    cursor: Cursor<'a>,
    levels: Vec<Level<'a>>,
    line: u32,
    line_start: usize,
}

impl<'a> Locator<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Locator { cursor: Cursor::new(text), levels: Vec::new(), line: 1, line_start: 0 }
    }

    /// Goes on to `offset`.
    pub(crate) fn advance(&mut self, offset: usize) {
        while self.cursor.pos < offset {
            let Some(byte) = self.cursor.peek() else { return };
            if byte == b'"' {
                match self.cursor.string() {
                    Ok(string) if self.cursor.pos <= offset => self.passed_string(string),
                    // The place is inside this string.
                    _ => self.cursor.pos = offset,
                }
                continue;
            }
            self.cursor.pos += 1;
            match byte {
                b'\n' => {
                    self.line = self.line.saturating_add(1);
                    self.line_start = self.cursor.pos;
                }
                b'{' => self.levels.push(Level::Object(None)),
                b'[' => self.levels.push(Level::Array(0)),
                b'}' | b']' => drop(self.levels.pop()),
                b',' => match self.levels.last_mut() {
                    Some(Level::Array(index)) => *index += 1,
                    Some(Level::Object(key)) => *key = None,
                    None => {}
                },
                _ => {}
            }
        }
    }

    fn passed_string(&mut self, string: RawString<'a>) {
        if let Some(Level::Object(key @ None)) = self.levels.last_mut() {
            *key = Some(string);
        }
    }

    /// The pointer to the innermost value that the place belongs to.
    pub(crate) fn pointer(&self) -> String {
        let mut pointer = String::new();
        for level in &self.levels {
            match level {
                Level::Array(index) => push_segment(&mut pointer, &index.to_string()),
                Level::Object(Some(key)) => push_segment(&mut pointer, &key.decode()),
                Level::Object(None) => {}
            }
        }
        pointer
    }

    /// The pointer to the member whose key begins at the place.
    pub(crate) fn member_pointer(&self) -> String {
        let mut pointer = self.pointer();
        if let Ok(key) = self.cursor.clone().key() {
            push_segment(&mut pointer, &key.decode());
        }
        pointer
    }

    /// Line and column, both from 1; a column is a character.
    pub(crate) fn line_and_column(&self) -> (u32, u32) {
        let before = self.cursor.since(self.line_start);
        let column = before.chars().count() + 1;
        (self.line, u32::try_from(column).unwrap_or(u32::MAX))
    }
}

/// Line and column of one place.
pub(super) fn line_and_column(text: &str, offset: usize) -> (u32, u32) {
    let mut locator = Locator::new(text);
    locator.advance(offset);
    locator.line_and_column()
}

/// Appends one reference token to a pointer, escaped as RFC 6901 §3 asks. A key of more than 128 characters is cut: 64
/// violations inside of one that is megabytes long would else make an answer of gigabytes.
pub(crate) fn push_segment(pointer: &mut String, segment: &str) {
    const LONGEST: usize = 128;
    pointer.push('/');
    for (count, c) in segment.chars().enumerate() {
        match c {
            _ if count == LONGEST => {
                pointer.push('…');
                return;
            }
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c => pointer.push(c),
        }
    }
}

/// The violation that a fault in `text` is.
pub(super) fn violation(text: &str, fault: &Fault) -> Violation {
    let mut locator = Locator::new(text);
    locator.advance(fault.at);
    let (line, column) = locator.line_and_column();
    Violation {
        pointer: match fault.problem {
            Problem::DuplicateKey(_) => locator.member_pointer(),
            _ => locator.pointer(),
        },
        kind: fault.problem.kind(),
        detail: fault.detail(text),
        line: Some(line),
        column: Some(column),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_escaped_and_cut_behind_128_characters() {
        for (segment, expected) in [
            ("", "/".to_owned()),
            ("a~b/c", "/a~0b~1c".to_owned()),
            (&*"é".repeat(128), format!("/{}", "é".repeat(128))),
            (&*"é".repeat(129), format!("/{}…", "é".repeat(128))),
        ] {
            let mut pointer = String::new();
            push_segment(&mut pointer, segment);
            assert_eq!(pointer, expected);
        }
    }

    #[test]
    fn a_place_is_told_by_its_pointer_line_and_column() {
        let text = "{\n \"é/\": [1,\n {\"b\": \"x\", \"c\": [[], 2]}]}";
        for (at, pointer, place) in [
            ("{\n", "", (1, 1)),
            ("\"é/\"", "", (2, 2)),
            ("[1", "/é~1", (2, 8)),
            ("1,", "/é~1/0", (2, 9)),
            ("{\"b", "/é~1/1", (3, 2)),
            ("\"x\"", "/é~1/1/b", (3, 8)),
            ("[[", "/é~1/1/c", (3, 18)),
            ("[]", "/é~1/1/c/0", (3, 19)),
            ("2]", "/é~1/1/c/1", (3, 23)),
        ] {
            let offset = text.find(at).unwrap_or_default();
            let mut locator = Locator::new(text);
            locator.advance(offset);
            assert_eq!((&*locator.pointer(), locator.line_and_column()), (pointer, place), "{at}");
            assert_eq!(line_and_column(text, offset), place);
        }
        let mut locator = Locator::new(text);
        locator.advance(text.find("\"c\"").unwrap_or_default());
        assert_eq!(locator.member_pointer(), "/é~1/1/c");
    }
}
