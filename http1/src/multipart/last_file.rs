//! A form whose last part may be longer than memory: its beginning is read as a whole, and that part's content as it comes.
//!
//! Both read what [`multipart`](super::multipart()) reads, and refuse what it refuses. In a boundary there is no CR but its first byte. So
//! what has matched a part of it, and then does not, cannot hold the begin of another one.

use super::{Boundary, Head, MAX_PARTS, MultipartError, behind_boundary};
use memchr::{memmem, memrchr};
use std::ops::Range;

/// Looks in the beginning of a form for the place where the content of the first part of a name begins.
#[derive(Debug)]
pub struct FileSearch {
    delimiter: Vec<u8>,
    name: Box<str>,
    /// So many parts have come before.
    parts: usize,
    place: Place,
}

/// How far it has come.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Before the first boundary.
    Begin,
    /// Behind a boundary that ends there.
    Boundary(usize),
    /// In a part's content, which has no boundary before there.
    Content(usize),
}

impl FileSearch {
    /// For the part of that name.
    pub fn new(boundary: &Boundary, name: &str) -> FileSearch {
        FileSearch { delimiter: boundary.delimiter(), name: name.into(), parts: 0, place: Place::Begin }
    }

    /// Where in the form that content begins, if so much of it has come. `form` is all that has come, and grows from call to call; what was
    /// looked at is not looked at again.
    ///
    /// # Errors
    /// It is no form, or ends without that part.
    pub fn find(&mut self, form: &[u8]) -> Result<Option<usize>, MultipartError> {
        loop {
            self.place = match self.place {
                Place::Begin => {
                    let full = self.delimiter.as_slice();
                    let begins = [full, &full[2..]].into_iter().find(|one| form.starts_with(one));
                    match begins {
                        Some(begin) => Place::Boundary(begin.len()),
                        None if full.starts_with(form) || full[2..].starts_with(form) => return Ok(None),
                        None => return Err(MultipartError::Begin),
                    }
                }
                Place::Boundary(at) => {
                    let part = match behind_boundary(form.get(at..).unwrap_or_default()) {
                        Ok(Some(part)) => part,
                        Ok(None) => return Err(MultipartError::NoFile),
                        Err(MultipartError::Unended) => return Ok(None),
                        Err(error) => return Err(error),
                    };
                    if self.parts == MAX_PARTS {
                        return Err(MultipartError::TooManyParts);
                    }
                    let (head, length) = match Head::read(part) {
                        Ok(head) => head,
                        Err(MultipartError::Unended) => return Ok(None),
                        Err(error) => return Err(error),
                    };
                    let content = form.len() - part.len() + length;
                    if head.part(b"")?.name == *self.name {
                        return Ok(Some(content));
                    }
                    self.parts += 1;
                    Place::Content(content)
                }
                Place::Content(from) => {
                    match memmem::find(form.get(from..).unwrap_or_default(), &self.delimiter) {
                        Some(found) => Place::Boundary(from + found + self.delimiter.len()),
                        None => {
                            let seen = (form.len() + 1).saturating_sub(self.delimiter.len());
                            self.place = Place::Content(seen.max(from));
                            return Ok(None);
                        }
                    }
                }
            };
        }
    }
}

/// The content of a form's last part, which comes in pieces, and the end of the form behind it.
#[derive(Debug)]
pub struct LastPart {
    delimiter: Vec<u8>,
    finder: memmem::Finder<'static>,
    /// So many bytes of what has come last are the begin of a boundary, or are not: they are held back.
    held: usize,
    /// So many of these are the end of the part's head, and no content.
    of_head: usize,
    /// What has come behind the content, once its end was found; no more than matters.
    behind: Option<Vec<u8>>,
}

/// What of a piece is content.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken<'l> {
    /// Bytes that were held back before, and come first.
    pub held: &'l [u8],
    /// Where in the piece the others lie.
    pub content: Range<usize>,
}

/// What may stand behind the last boundary.
const END: &[u8] = b"--\r\n";

impl LastPart {
    /// That of a part whose content follows.
    pub fn new(boundary: &Boundary) -> LastPart {
        let delimiter = boundary.delimiter();
        let finder = memmem::Finder::new(&delimiter).into_owned();
        LastPart { delimiter, finder, held: 2, of_head: 2, behind: None }
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// It is no end of a form, or another part follows.
    pub fn take(&mut self, piece: &[u8]) -> Result<Taken<'_>, MultipartError> {
        if self.behind.is_some() {
            self.look_behind(piece)?;
            return Ok(Taken { held: &[], content: 0..0 });
        }
        let held = self.of_head..self.held;
        if self.held > 0 {
            let rest = &self.delimiter[self.held..];
            let same = rest.iter().zip(piece).take_while(|(one, other)| one == other).count();
            if same == rest.len() {
                // By RFC 2046 the line end of the empty line may belong to a boundary. Nobody writes it so.
                if self.of_head > 0 {
                    return Err(MultipartError::Head);
                }
                return self.ends(0..0, 0..0, &piece[same..]);
            }
            if same == piece.len() {
                self.held += same;
                return Ok(Taken { held: &[], content: 0..0 });
            }
            (self.held, self.of_head) = (0, 0);
        }
        if let Some(end) = self.finder.find(piece) {
            return self.ends(held, 0..end, &piece[end + self.delimiter.len()..]);
        }
        let tail = piece.len().saturating_sub(self.delimiter.len() - 1);
        let begins = memrchr(b'\r', &piece[tail..]).map(|at| tail + at);
        let end = begins.filter(|at| self.delimiter.starts_with(&piece[*at..])).unwrap_or(piece.len());
        self.held = piece.len() - end;
        Ok(Taken { held: &self.delimiter[held], content: 0..end })
    }

    fn ends(
        &mut self,
        held: Range<usize>,
        content: Range<usize>,
        behind: &[u8],
    ) -> Result<Taken<'_>, MultipartError> {
        self.behind = Some(Vec::new());
        self.look_behind(behind)?;
        Ok(Taken { held: &self.delimiter[held], content })
    }

    fn look_behind(&mut self, piece: &[u8]) -> Result<(), MultipartError> {
        let behind = self.behind.get_or_insert_default();
        // One byte too many is too many.
        let room = END.len() + 1 - behind.len();
        behind.extend_from_slice(&piece[..piece.len().min(room)]);
        match behind.as_slice() {
            [b'\r', ..] => Err(MultipartError::BehindFile),
            [] | [b'-'] => Ok(()),
            all if END.starts_with(all) => Ok(()),
            [b'-', b'-', ..] => Err(MultipartError::BehindEnd),
            _ => Err(MultipartError::BehindBoundary),
        }
    }

    /// Nothing more comes.
    ///
    /// # Errors
    /// The form has not ended.
    pub fn end(&self) -> Result<(), MultipartError> {
        match self.behind.as_deref() {
            Some(b"--" | b"--\r\n") => Ok(()),
            Some(b"--\r") => Err(MultipartError::BehindEnd),
            _ => Err(MultipartError::Unended),
        }
    }
}

#[cfg(test)]
mod tests;
