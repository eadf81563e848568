//! Forms of several parts (`multipart/form-data`, RFC 7578): a whole body, taken apart where it lies.
//!
//! Whoever reads such a form otherwise than somebody before it can be deceived about what is in it. So what no program sends is refused:
//! text before the first part or behind the last, lines that end in LF alone, blanks behind a boundary, a part without a name or with
//! two, a part in base64. There may be so many parts, and their heads may have so many bytes.

mod last_file;

pub use last_file::{FileSearch, LastPart, Taken};

use crate::field_line::{FieldLines, Found};
use crate::parameters::Parameters;
use memchr::memmem;
use std::borrow::Cow;
use std::fmt;

/// The most parts of a form.
pub const MAX_PARTS: usize = 1000;
/// The longest head of a part, in bytes.
pub const MAX_PART_HEAD: usize = 4096;
/// The most lines of a part's head.
const MAX_LINES: usize = 16;
/// The longest boundary, in bytes (RFC 2046, 5.1.1).
const MAX_BOUNDARY: usize = 70;

/// Why a body is no form of several parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MultipartError {
    /// Its type has no boundary, or several, or one that cannot be one.
    Boundary,
    /// It does not begin with its boundary.
    Begin,
    /// It ends without the boundary that says so.
    Unended,
    /// Something follows a boundary on its line.
    BehindBoundary,
    /// Something follows its last boundary.
    BehindEnd,
    /// There are more than [`MAX_PARTS`].
    TooManyParts,
    /// A part's head is longer than [`MAX_PART_HEAD`], or has too many lines.
    HeadTooLarge,
    /// A part's head is malformed.
    Head,
    /// A part's `Content-Disposition` is missing, there twice, or not `form-data` with one name.
    Disposition,
    /// A name is not UTF-8.
    NotUtf8,
    /// A part is encoded: `Content-Transfer-Encoding`.
    TransferEncoding,
    /// It has no part of the name that is looked for.
    NoFile,
    /// Another part follows the one that is the last.
    BehindFile,
}

impl MultipartError {
    /// What is wrong, for people.
    pub fn detail(self) -> &'static str {
        match self {
            MultipartError::Boundary => "its Content-Type must have one boundary of 1 to 70 characters",
            MultipartError::Begin => "it does not begin with the boundary that its Content-Type has",
            MultipartError::Unended => "it ends without its last boundary",
            MultipartError::BehindBoundary => "something follows a boundary on its line",
            MultipartError::BehindEnd => "something follows its last boundary",
            MultipartError::TooManyParts => "it has more than 1000 parts",
            MultipartError::HeadTooLarge => "a part's headers have more than 4096 bytes or 16 lines",
            MultipartError::Head => "a part's headers are malformed",
            MultipartError::Disposition => {
                "each part needs one `Content-Disposition: form-data` with one name"
            }
            MultipartError::NotUtf8 => "the name of a part, or of its file, is not UTF-8",
            MultipartError::TransferEncoding => {
                "a part has a Content-Transfer-Encoding; send its bytes as they are"
            }
            MultipartError::NoFile => "the file that is expected is not there",
            MultipartError::BehindFile => "something follows the file, which has to be the last part",
        }
    }
}

impl fmt::Display for MultipartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl std::error::Error for MultipartError {}

/// What stands between the parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boundary(Box<str>);

impl Boundary {
    /// That of a form, by the parameters of its `Content-Type`.
    ///
    /// # Errors
    /// There is none, or several, or one that cannot be one.
    pub fn of(parameters: Parameters<'_>) -> Result<Boundary, MultipartError> {
        let mut found = None;
        for parameter in parameters {
            let (name, value) = parameter.map_err(|_| MultipartError::Boundary)?;
            if name.eq_ignore_ascii_case("boundary") && found.replace(value).is_some() {
                return Err(MultipartError::Boundary);
            }
        }
        let value = found.ok_or(MultipartError::Boundary)?;
        let is_good = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(byte);
        match std::str::from_utf8(&value) {
            Ok(text) if text.bytes().all(|byte| is_good(&byte)) && !text.ends_with(' ') => {
                let fits = (1..=MAX_BOUNDARY).contains(&text.len());
                fits.then(|| Boundary(text.into())).ok_or(MultipartError::Boundary)
            }
            _ => Err(MultipartError::Boundary),
        }
    }

    /// It with what stands before it between two parts.
    fn delimiter(&self) -> Vec<u8> {
        [b"\r\n--", self.0.as_bytes()].concat()
    }

    /// What ends a form behind its last part's content.
    pub fn end(&self) -> Vec<u8> {
        [&self.delimiter()[..], b"--"].concat()
    }
}

/// A part of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// The name of its field.
    pub name: Cow<'a, str>,
    /// The name of its file, as it was sent, if it is one. An empty one is that of a file that nobody has chosen.
    pub filename: Option<Cow<'a, str>>,
    /// Its media type.
    pub content_type: Option<&'a [u8]>,
    /// What it holds.
    pub content: &'a [u8],
}

/// The parts of a body, in their order.
///
/// # Errors
/// The body is no such form, or has too many parts.
pub fn multipart<'a>(body: &'a [u8], boundary: &Boundary) -> Result<Vec<Part<'a>>, MultipartError> {
    let delimiter = boundary.delimiter();
    // One line end before the first boundary is what a preamble without text looks like.
    let first = body.strip_prefix(&delimiter[..]).or_else(|| body.strip_prefix(&delimiter[2..]));
    let mut rest = first.ok_or(MultipartError::Begin)?;
    let finder = memmem::Finder::new(&delimiter);
    let mut parts = Vec::new();
    while let Some(part) = behind_boundary(rest)? {
        if parts.len() == MAX_PARTS {
            return Err(MultipartError::TooManyParts);
        }
        let (head, length) = Head::read(part)?;
        let content = part.get(length..).unwrap_or_default();
        // By RFC 2046 the line end of the empty line may belong to a boundary. Nobody writes it so, and others read on.
        if content.starts_with(&delimiter[2..]) {
            return Err(MultipartError::Head);
        }
        let end = finder.find(content).ok_or(MultipartError::Unended)?;
        parts.push(head.part(content.get(..end).unwrap_or_default())?);
        rest = content.get(end + delimiter.len()..).unwrap_or_default();
    }
    Ok(parts)
}

/// The part that begins behind a boundary; none behind the last one.
fn behind_boundary(rest: &[u8]) -> Result<Option<&[u8]>, MultipartError> {
    match rest {
        [b'\r', b'\n', part @ ..] => Ok(Some(part)),
        [b'-', b'-'] | [b'-', b'-', b'\r', b'\n'] => Ok(None),
        [b'-', b'-', ..] => Err(MultipartError::BehindEnd),
        [] | [b'\r'] | [b'-'] => Err(MultipartError::Unended),
        _ => Err(MultipartError::BehindBoundary),
    }
}

/// What is read of a part's head.
#[derive(Default)]
struct Head<'a> {
    disposition: Option<&'a [u8]>,
    content_type: Option<&'a [u8]>,
}

impl<'a> Head<'a> {
    /// It, and how many bytes it takes with the empty line behind it.
    fn read(bytes: &'a [u8]) -> Result<(Head<'a>, usize), MultipartError> {
        let shown = &bytes[..bytes.len().min(MAX_PART_HEAD)];
        let (mut head, mut lines, mut at) = (Head::default(), FieldLines::default(), 0);
        loop {
            let found = lines.next(shown, &mut at, MAX_LINES).map_err(|refusal| match refusal {
                crate::Refusal::TooManyFields => MultipartError::HeadTooLarge,
                _ => MultipartError::Head,
            })?;
            let line = match found {
                Found::End => return Ok((head, at)),
                Found::Nothing if shown.len() < bytes.len() => return Err(MultipartError::HeadTooLarge),
                Found::Nothing => return Err(MultipartError::Unended),
                Found::Line(line) => line,
            };
            let name = &shown[line.name..line.colon];
            let value = shown[line.value..line.end].trim_ascii();
            if name.eq_ignore_ascii_case(b"content-disposition") {
                if head.disposition.replace(value).is_some() {
                    return Err(MultipartError::Disposition);
                }
            } else if name.eq_ignore_ascii_case(b"content-type") {
                if head.content_type.replace(value).is_some() {
                    return Err(MultipartError::Head);
                }
            } else if name.eq_ignore_ascii_case(b"content-transfer-encoding") {
                let is_plain =
                    [&b"7bit"[..], b"8bit", b"binary"].iter().any(|one| value.eq_ignore_ascii_case(one));
                if !is_plain {
                    return Err(MultipartError::TransferEncoding);
                }
            }
        }
    }

    /// The part with that head.
    fn part(self, content: &'a [u8]) -> Result<Part<'a>, MultipartError> {
        let (kind, parameters) = Parameters::split(self.disposition.ok_or(MultipartError::Disposition)?);
        if !kind.eq_ignore_ascii_case(b"form-data") {
            return Err(MultipartError::Disposition);
        }
        let (mut name, mut filename) = (None, None);
        for parameter in parameters {
            let (key, value) = parameter.map_err(|_| MultipartError::Disposition)?;
            let place = match key {
                _ if key.eq_ignore_ascii_case("name") => &mut name,
                // `filename*` must not be sent here (RFC 7578, 4.2), and counts for nothing.
                _ if key.eq_ignore_ascii_case("filename") => &mut filename,
                _ => continue,
            };
            if place.replace(text(value)?).is_some() {
                return Err(MultipartError::Disposition);
            }
        }
        let name = name.ok_or(MultipartError::Disposition)?;
        Ok(Part { name, filename, content_type: self.content_type, content })
    }
}

fn text(value: Cow<'_, [u8]>) -> Result<Cow<'_, str>, MultipartError> {
    match value {
        Cow::Borrowed(value) => {
            std::str::from_utf8(value).map(Cow::Borrowed).map_err(|_| MultipartError::NotUtf8)
        }
        Cow::Owned(value) => String::from_utf8(value).map(Cow::Owned).map_err(|_| MultipartError::NotUtf8),
    }
}

#[cfg(test)]
mod tests;
