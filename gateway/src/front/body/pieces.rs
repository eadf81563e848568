//! What of a streamed body is the next item: a JSON text, or bytes as they have come. And how many bytes the body may still have.

use crate::config::BodyTypes;
use crate::failure::Failure;
use bytes::Bytes;
use callgate_http1::{Boundary, LastPart, MultipartError};
use callgate_protocol::limits::MAX_MESSAGE;
use callgate_transcode::{ItemError, ItemForm, ItemSplitter};
use std::cell::Cell;
use std::rc::Rc;

/// An item of raw bytes has no more than these, so that it goes in one frame.
const LONGEST: usize = 60 * 1024;

/// Finds the items of one body.
pub(super) enum Splitter {
    /// JSON texts.
    Json(Box<ItemSplitter>),
    /// Bytes, cut as they come.
    Raw,
    /// Those of a form's file.
    File(Box<FormFile>),
}

/// A form's file that comes.
pub(super) struct FormFile {
    name: Box<str>,
    part: LastPart,
    /// What has come of it and was not cut yet.
    ready: Bytes,
}

impl Splitter {
    /// Of JSON texts that stand in that form.
    pub(super) fn json(form: ItemForm) -> Splitter {
        Splitter::Json(Box::new(ItemSplitter::new(form, MAX_MESSAGE as usize)))
    }

    /// Of the file of that name, which is the last part of a form.
    pub(super) fn file(boundary: &Boundary, name: &str) -> Splitter {
        let part = LastPart::new(boundary);
        Splitter::File(Box::new(FormFile { name: name.into(), part, ready: Bytes::new() }))
    }

    /// Whether items are bytes as they have come.
    pub(super) fn is_raw(&self) -> bool {
        !matches!(self, Splitter::Json(_))
    }

    /// Whether it finds the items of bodies that are read so.
    pub(super) fn is_of(&self, takes: &BodyTypes) -> bool {
        match self {
            Splitter::Json(_) => *takes == BodyTypes::Items,
            Splitter::Raw => matches!(takes, BodyTypes::RawItems(_)),
            Splitter::File(file) => {
                matches!(takes, BodyTypes::FormItems(name) if *name == *file.name)
            }
        }
    }

    /// How many bytes are kept of an item that has not come whole.
    pub(super) fn kept(&self) -> usize {
        match self {
            Splitter::Json(splitter) => splitter.kept(),
            Splitter::Raw | Splitter::File(_) => 0,
        }
    }

    /// The next item, and takes what it has looked at from `piece`, which is next in the body. Without an item all was looked at.
    pub(super) fn next(&mut self, piece: &mut Bytes) -> Result<Option<Item>, Failure> {
        let splitter = match self {
            Splitter::Json(splitter) => splitter,
            Splitter::Raw => return Ok(cut(piece)),
            Splitter::File(file) => return file.next(piece),
        };
        let mut bytes = &piece[..];
        let item = splitter.next(&mut bytes).map_err(refused)?;
        let used = piece.len() - bytes.len();
        drop(piece.split_to(used));
        Ok(item.map(Item::Json))
    }

    /// The last item, if there is one behind the others.
    pub(super) fn end(&mut self) -> Result<Option<Item>, Failure> {
        match self {
            Splitter::Json(splitter) => Ok(splitter.end().map_err(refused)?.map(Item::Json)),
            Splitter::Raw => Ok(None),
            Splitter::File(file) => file.part.end().map(|()| None).map_err(malformed),
        }
    }
}

impl FormFile {
    fn next(&mut self, piece: &mut Bytes) -> Result<Option<Item>, Failure> {
        loop {
            if let Some(item) = cut(&mut self.ready) {
                return Ok(Some(item));
            }
            if piece.is_empty() {
                return Ok(None);
            }
            let come = std::mem::take(piece);
            let taken = self.part.take(&come).map_err(malformed)?;
            self.ready = match taken.held {
                [] => come.slice(taken.content),
                // What might have been the end of the file. That is seldom.
                held => [held, &come[taken.content]].concat().into(),
            };
        }
    }
}

/// Bytes for one item, if there are any.
fn cut(bytes: &mut Bytes) -> Option<Item> {
    (!bytes.is_empty()).then(|| Item::Raw(bytes.split_to(bytes.len().min(LONGEST))))
}

fn malformed(error: MultipartError) -> Failure {
    Failure::MalformedForm(error.detail())
}

/// An item that was found.
#[derive(Debug)]
pub(super) enum Item {
    /// A text that was put together.
    Json(Vec<u8>),
    /// Bytes where they have come.
    Raw(Bytes),
}

/// What a client is told of a body that is no stream of items.
fn refused(error: ItemError) -> Failure {
    match error {
        ItemError::TooLong => Failure::MessageTooLarge(u64::from(MAX_MESSAGE)),
        ItemError::Malformed(violation) => Failure::Invalid(vec![violation]),
    }
}

/// How many bytes a body may have, and how many have come.
pub(super) struct Left {
    longest: u64,
    /// For whoever tells of them when the body has ended.
    come: Rc<Cell<u64>>,
}

impl Left {
    /// Of a body that may have so many bytes, or any number, and has these at least.
    ///
    /// # Errors
    /// That is more.
    pub(super) fn new(longest: Option<u64>, at_least: u64) -> Result<Left, Failure> {
        let longest = longest.unwrap_or(u64::MAX);
        if at_least > longest {
            Err(Failure::BodyTooLarge(longest))
        } else {
            Ok(Left { longest, come: Rc::default() })
        }
    }

    /// So many have come.
    ///
    /// # Errors
    /// They are too many.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Failure> {
        let come = self.come.get().saturating_add(bytes as u64);
        self.come.set(come);
        if come > self.longest { Err(Failure::BodyTooLarge(self.longest)) } else { Ok(()) }
    }

    /// Where those are counted that come.
    pub(super) fn counted(&self) -> Rc<Cell<u64>> {
        self.come.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_bytes_are_cut_as_they_come_and_at_their_bound() {
        let mut piece = Bytes::from(vec![7; 2 * LONGEST + 1]);
        let mut lengths = Vec::new();
        while let Some(Item::Raw(item)) = Splitter::Raw.next(&mut piece).expect("nothing is refused") {
            lengths.push(item.len());
        }
        assert_eq!(
            (lengths, Splitter::Raw.end().expect("it ends").is_none()),
            (vec![LONGEST, LONGEST, 1], true)
        );
    }

    #[test]
    fn a_forms_file_ends_at_its_boundary_however_it_is_cut() {
        let kind = callgate_http1::Parameters::split(b"multipart/form-data; boundary=b").1;
        let boundary = Boundary::of(kind).expect("a boundary");
        let content = [&b"\r\n--\r"[..], &[7; LONGEST], b"\r\n-"].concat();
        let body = [&content[..], b"\r\n--b--"].concat();
        for size in [1, 2, 3, 5, 1000, body.len()] {
            let (mut splitter, mut come) = (Splitter::file(&boundary, "f"), Vec::new());
            for piece in body.chunks(size) {
                let mut piece = Bytes::copy_from_slice(piece);
                while let Some(Item::Raw(item)) = splitter.next(&mut piece).expect("it is a form") {
                    assert!((1..=LONGEST).contains(&item.len()));
                    come.extend_from_slice(&item);
                }
            }
            assert!(splitter.end().expect("it ends").is_none() && come == content, "{size}");
        }
        let mut splitter = Splitter::file(&boundary, "f");
        assert!(splitter.next(&mut Bytes::from_static(b"x\r\n--b\r\n")).is_err(), "another part");
        let splitter = Splitter::file(&boundary, "f");
        assert!(splitter.is_of(&BodyTypes::FormItems("f".into())) && splitter.is_raw());
        assert!(!splitter.is_of(&BodyTypes::FormItems("g".into())));
    }

    #[test]
    fn a_body_has_as_many_bytes_as_it_may_and_no_more() {
        assert!(matches!(Left::new(Some(9), 10), Err(Failure::BodyTooLarge(9))));
        let mut left = Left::new(Some(10), 10).expect("it may have these");
        left.take(4).expect("it may have these");
        left.take(6).expect("and these");
        assert_eq!(left.counted().get(), 10);
        assert!(matches!(left.take(1), Err(Failure::BodyTooLarge(10))));
        let mut any = Left::new(None, u64::MAX).expect("any number");
        any.take(usize::MAX).expect("any number");
    }
}
