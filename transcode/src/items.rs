//! The items of a body that is a stream of them, found as it comes: JSON texts on lines of their own, or the elements of an array.
//!
//! Only the end of an item is looked for here: whether it is JSON, and what the method takes, says whoever reads it. So no more is kept
//! than the item that has not come whole, which has a bound. Nothing is counted on the way that a longer body could make larger.

use crate::violation::{Violation, ViolationKind};
use callgate_protocol::limits::MAX_DEPTH;
use memchr::{memchr, memchr2};

/// In which form items stand in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemForm {
    /// One on each line, which ends with LF or CRLF; the last one may lack its end, and empty lines are none (NDJSON).
    Lines,
    /// The elements of one array.
    Array,
}

/// Why no further item is found in a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemError {
    /// An item is longer than it may be.
    TooLong,
    /// It is no body of its form. The pointer begins with the place of the item.
    Malformed(Violation),
}

/// Finds the items of one body.
#[derive(Debug)]
pub struct ItemSplitter {
    form: ItemForm,
    /// An item may have so many bytes.
    longest: usize,
    expects: Expects,
    /// What has come of the next item.
    partial: Vec<u8>,
    /// Items that were found.
    found: u64,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expects {
    /// More of a line.
    Line,
    /// The beginning of the array.
    Array,
    /// The first item, or the end of the array.
    First,
    /// An item.
    Item,
    /// More of an item.
    More(Inside),
    /// A comma, or the end of the array.
    Comma,
    /// Nothing.
    Nothing,
}

/// Where in an item of an array the bytes have ended so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Inside {
    /// So many containers are open.
    depth: usize,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Between the tokens of a container.
    Between,
    /// In a string.
    String,
    /// In a string, behind a backslash.
    Escape,
    /// In a number or a word that is the whole item.
    Word,
}

impl ItemSplitter {
    /// Of a body of that form, in which an item may have so many bytes.
    pub fn new(form: ItemForm, longest: usize) -> ItemSplitter {
        let expects = match form {
            ItemForm::Lines => Expects::Line,
            ItemForm::Array => Expects::Array,
        };
        ItemSplitter { form, longest, expects, partial: Vec::new(), found: 0 }
    }

    /// How many bytes are kept of an item that has not come whole.
    pub fn kept(&self) -> usize {
        self.partial.len()
    }

    /// The next item, and takes what it has looked at from `bytes`, which are the next ones of the body. Without an item all were
    /// looked at.
    ///
    /// # Errors
    /// Nothing that follows can be an item.
    pub fn next(&mut self, bytes: &mut &[u8]) -> Result<Option<Vec<u8>>, ItemError> {
        let item = match self.form {
            ItemForm::Lines => self.line(bytes),
            ItemForm::Array => self.element(bytes),
        }?;
        self.found += u64::from(item.is_some());
        Ok(item)
    }

    /// That was all of the body: the last item, if it has no other end. A body without a byte has no items.
    ///
    /// # Errors
    /// The body may not end so.
    pub fn end(&mut self) -> Result<Option<Vec<u8>>, ItemError> {
        match self.expects {
            Expects::Line => {
                let line = std::mem::take(&mut self.partial);
                self.expects = Expects::Nothing;
                Ok(Some(trimmed(line)).filter(|line| !line.is_empty()))
            }
            Expects::Array | Expects::Nothing => Ok(None),
            _ => self.malformed("the body ends before its array does"),
        }
    }

    fn line(&mut self, bytes: &mut &[u8]) -> Result<Option<Vec<u8>>, ItemError> {
        while !bytes.is_empty() {
            let end = memchr(b'\n', bytes);
            self.keep(bytes, end.unwrap_or(bytes.len()))?;
            if end.is_some() {
                *bytes = bytes.get(1..).unwrap_or_default();
                let line = trimmed(std::mem::take(&mut self.partial));
                if !line.is_empty() {
                    return Ok(Some(line));
                }
            }
        }
        Ok(None)
    }

    fn element(&mut self, bytes: &mut &[u8]) -> Result<Option<Vec<u8>>, ItemError> {
        loop {
            if let Expects::More(mut inside) = self.expects {
                let (used, has_ended) = self.advance(&mut inside, bytes)?;
                self.keep(bytes, used)?;
                if !has_ended {
                    self.expects = Expects::More(inside);
                    return Ok(None);
                }
                self.expects = Expects::Comma;
                return Ok(Some(std::mem::take(&mut self.partial)));
            }
            *bytes = trim_start(bytes);
            let Some(next) = bytes.first() else { return Ok(None) };
            self.expects = match (self.expects, next) {
                (Expects::Array, b'[') => Expects::First,
                (Expects::First | Expects::Comma, b']') => Expects::Nothing,
                (Expects::Comma, b',') => Expects::Item,
                (Expects::First | Expects::Item, byte) if !matches!(byte, b',' | b']') => {
                    Expects::More(Inside { depth: 0, place: Place::Between })
                }
                (expected, _) => return self.malformed(expected.complaint()),
            };
            if !matches!(self.expects, Expects::More(_)) {
                *bytes = bytes.get(1..).unwrap_or_default();
            }
        }
    }

    /// How many of the bytes belong to the item, and whether it ends there.
    fn advance(&self, inside: &mut Inside, bytes: &[u8]) -> Result<(usize, bool), ItemError> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match (inside.place, byte) {
                (Place::Word, b' ' | b'\t' | b'\n' | b'\r' | b',' | b']') => return Ok((at, true)),
                (Place::Word, _) => at += 1,
                (Place::Escape, _) => {
                    inside.place = Place::String;
                    at += 1;
                }
                (Place::String, _) => match memchr2(b'"', b'\\', &bytes[at..]) {
                    None => at = bytes.len(),
                    Some(past) => {
                        at += past + 1;
                        let is_escape = bytes[at - 1] == b'\\';
                        inside.place = if is_escape { Place::Escape } else { Place::Between };
                        if !is_escape && inside.depth == 0 {
                            return Ok((at, true));
                        }
                    }
                },
                (Place::Between, b'"') => {
                    inside.place = Place::String;
                    at += 1;
                }
                (Place::Between, b'[' | b'{') => {
                    inside.depth += 1;
                    // The array itself is none of the item's.
                    if inside.depth > MAX_DEPTH {
                        // Whatever comes first, however the body is cut.
                        if self.partial.len() + at > self.longest {
                            return Err(ItemError::TooLong);
                        }
                        let detail = format!("nested deeper than {MAX_DEPTH}");
                        return self.refused(ViolationKind::TooDeep, detail);
                    }
                    at += 1;
                }
                (Place::Between, b']' | b'}') if inside.depth > 0 => {
                    inside.depth -= 1;
                    at += 1;
                    if inside.depth == 0 {
                        return Ok((at, true));
                    }
                }
                (Place::Between, _) if inside.depth == 0 => inside.place = Place::Word,
                (Place::Between, _) => at += 1,
            }
        }
        Ok((at, false))
    }

    /// Adds the first bytes to the item.
    fn keep(&mut self, bytes: &mut &[u8], count: usize) -> Result<(), ItemError> {
        let (own, rest) = bytes.split_at(count);
        if self.partial.len() + own.len() > self.longest {
            return Err(ItemError::TooLong);
        }
        self.partial.extend_from_slice(own);
        *bytes = rest;
        Ok(())
    }

    #[cold]
    fn malformed<T>(&self, detail: &str) -> Result<T, ItemError> {
        self.refused(ViolationKind::MalformedJson, detail.to_owned())
    }

    #[cold]
    fn refused<T>(&self, kind: ViolationKind, detail: String) -> Result<T, ItemError> {
        let pointer = match self.expects {
            Expects::Array | Expects::Nothing => String::new(),
            _ => format!("/{}", self.found),
        };
        Err(ItemError::Malformed(Violation { pointer, kind, detail, line: None, column: None }))
    }
}

impl Expects {
    /// What is said where something else has come.
    fn complaint(self) -> &'static str {
        match self {
            Expects::Array => "the body is not an array of items",
            Expects::First => "expected an item or `]`",
            Expects::Item => "expected an item",
            Expects::Comma => "expected `,` or `]`",
            Expects::Nothing => "something follows the array",
            Expects::Line | Expects::More(_) => "expected more of an item",
        }
    }
}

/// The bytes behind the white space at their beginning.
fn trim_start(bytes: &[u8]) -> &[u8] {
    let past = bytes.iter().position(|byte| !is_space(*byte));
    bytes.get(past.unwrap_or(bytes.len())..).unwrap_or_default()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// A line without the white space around it.
fn trimmed(mut line: Vec<u8>) -> Vec<u8> {
    let end = line.iter().rposition(|byte| !is_space(*byte)).map_or(0, |last| last + 1);
    line.truncate(end);
    line
}

#[cfg(test)]
mod tests;
