//! A form that comes in pieces is the form that it is as a whole, however it is cut.

use super::*;
use crate::Parameters;
use crate::multipart::{Part, multipart};
use proptest::prelude::*;

const HEAD: &str = "Content-Disposition: form-data; name=";

fn boundary() -> Boundary {
    Boundary::of(Parameters::split(b"multipart/form-data; boundary=bo").1).expect("a boundary")
}

/// The parts before the file, and the file's content; all of it cut so.
fn streamed(body: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, Vec<u8>), MultipartError> {
    let mut pieces = Vec::new();
    let mut rest = body;
    for cut in cuts {
        let (piece, behind) = rest.split_at((*cut).min(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces.push(rest);
    let mut pieces = pieces.into_iter();
    let (mut search, mut form) = (FileSearch::new(&boundary(), "file"), Vec::new());
    let begins = loop {
        let Some(piece) = pieces.next() else { return Err(MultipartError::Unended) };
        form.extend_from_slice(piece);
        if let Some(begins) = search.find(&form)? {
            break begins;
        }
    };
    let behind = form.split_off(begins);
    let (mut last, mut content) = (LastPart::new(&boundary()), Vec::new());
    for piece in std::iter::once(behind.as_slice()).chain(pieces) {
        let taken = last.take(piece)?;
        content.extend_from_slice(taken.held);
        content.extend_from_slice(&piece[taken.content]);
    }
    last.end()?;
    form.extend_from_slice(b"\r\n--bo--");
    Ok((form, content))
}

/// The same of a form that is read as a whole, where its last part alone is the file.
fn whole(body: &[u8]) -> Option<(Vec<Part<'_>>, &[u8])> {
    let mut parts = multipart(body, &boundary()).ok()?;
    let last = parts.pop().filter(|last| last.name == "file")?;
    parts.iter().all(|part| part.name != "file").then_some((parts, last.content))
}

fn same(body: &[u8], cuts: &[usize]) {
    let streamed = streamed(body, cuts);
    match whole(body) {
        None => assert!(streamed.is_err(), "{:?} at {cuts:?}", String::from_utf8_lossy(body)),
        Some((parts, content)) => {
            let (form, come) = streamed.expect("it is a form");
            assert_eq!(come, content, "{:?} at {cuts:?}", String::from_utf8_lossy(body));
            let mut before = multipart(&form, &boundary()).expect("its beginning is one");
            assert_eq!(before.pop().map(|file| file.name.into_owned()).as_deref(), Some("file"));
            assert_eq!(before, parts);
        }
    }
}

fn form(parts: &[(&str, &[u8])], end: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, content) in parts {
        body.extend(format!("--bo\r\n{HEAD}{name}\r\n\r\n").bytes());
        body.extend_from_slice(content);
        body.extend(b"\r\n");
    }
    body.extend(end.bytes());
    body
}

#[test]
fn it_may_be_cut_anywhere() {
    for content in
        [&b""[..], b"x", b"\r\n", b"\r\n--b", b"\r\r\n--\r\n--boo is not it\r", b"--bo", b"-\r\n--bo"]
    {
        for end in ["--bo--", "--bo--\r\n", "--bo--\r", "--bo--x", "--bo-", "--bo", "--box", "", "--bo\r\n"] {
            let body = form(&[("a", b"1"), ("file", content)], end);
            for at in 0..=body.len() {
                same(&body, &[at]);
                same(&body, &[at, 1, 1, 1]);
            }
            same(&body, &vec![1; body.len()]);
        }
    }
}

#[test]
fn what_has_no_such_part_or_others_behind_it_says_so() {
    let told = |body: &[u8]| streamed(body, &[]).expect_err("it is none");
    assert_eq!(told(&form(&[("a", b"1")], "--bo--")), MultipartError::NoFile);
    assert_eq!(told(&form(&[("file", b"1"), ("a", b"1")], "--bo--")), MultipartError::BehindFile);
    assert_eq!(told(&form(&vec![("a", &b""[..]); MAX_PARTS + 1], "--bo--")), MultipartError::TooManyParts);
    assert_eq!(told(b"text"), MultipartError::Begin);
    let long = format!("--bo\r\nX: {}", "x".repeat(super::super::MAX_PART_HEAD));
    assert_eq!(told(long.as_bytes()), MultipartError::HeadTooLarge);
}

/// A part that is long is looked at once, however small the pieces are in which it comes.
#[test]
fn what_was_looked_at_is_not_looked_at_again() {
    let body = form(&[("a", &vec![b'x'; 100_000]), ("file", b"1")], "--bo--");
    let mut search = FileSearch::new(&boundary(), "file");
    for end in (0..body.len()).step_by(10) {
        if search.find(&body[..end]).expect("a form").is_some() {
            break;
        }
        if let Place::Content(from) = search.place {
            assert!(end - from < 60, "{from} of {end}");
        }
    }
}

proptest! {
    #[test]
    fn a_form_in_pieces_is_the_form_as_a_whole(
        parts in prop::collection::vec(
            (prop::sample::select(vec!["a", "b", "file"]), prop::collection::vec(prop::sample::select(b"\r\n-box".to_vec()), 0..20)),
            0..4,
        ),
        end in prop::sample::select(vec!["--bo--", "--bo--\r\n", "--bo"]),
        cuts in prop::collection::vec(0..30_usize, 0..20),
    ) {
        let parts: Vec<(&str, &[u8])> = parts.iter().map(|(name, content)| (*name, content.as_slice())).collect();
        same(&form(&parts, end), &cuts);
    }
}
