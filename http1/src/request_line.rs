//! The request line (RFC 9112, 3): method, target and version, with one space between them. It is read from the first byte of a head on
//! and stops wherever the bytes end.

use crate::bytes::{Span, misplaced, path_run, query_run, token_run};
use crate::refusal::Refusal;
use crate::target::absolute;

/// The methods that RFC 9110 and RFC 5789 name, but CONNECT, which asks for a tunnel.
const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"];
/// What stands in the place of a method in an HTTP/2 preface (RFC 9113, 3.4).
const PREFACE_METHOD: &str = "PRI";
/// A token of more bytes is no method that anybody knows (RFC 9110, 16.1.1).
const LONGEST_METHOD: usize = 32;
/// What an HTTP/2 preface has behind its method (RFC 9113, 3.4), as far as it matters.
const PREFACE: &[u8] = b"* HTTP/2";
/// The first byte of a TLS connection: a record of the handshake (RFC 8446, 5.1).
const HANDSHAKE: u8 = 0x16;
/// `HTTP/1.1` and CRLF.
const VERSION_LINE: usize = 10;

/// The version that a reply must reckon with (RFC 9112, 2.3): 1.2 and later minor versions are 1.1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Version {
    Http10,
    #[default]
    Http11,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Method,
    Preface,
    Target,
    Path,
    Query,
    Absolute,
    Version,
    Whole,
}

/// A target of absolute-form names the host that is asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TargetHost {
    pub(crate) authority: Span,
    pub(crate) default_port: u16,
}

/// The parts of a request line, as they are found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct RequestLine {
    place: Place,
    /// The next byte, counted from the first of the method.
    pub(crate) at: usize,
    target: usize,
    version_at: usize,
    pub(crate) method: &'static str,
    pub(crate) path: Span,
    pub(crate) query: Option<Span>,
    pub(crate) host: Option<TargetHost>,
    pub(crate) version: Version,
}

/// The method that these bytes name, or what stands in its place in a preface; nothing if no method has that name.
pub(crate) fn known_method(bytes: &[u8]) -> Option<&'static str> {
    let known = METHODS.iter().chain([&PREFACE_METHOD]);
    known.copied().find(|method| method.as_bytes() == bytes)
}

impl RequestLine {
    pub(crate) fn is_whole(&self) -> bool {
        self.place == Place::Whole
    }

    /// Whether the bytes end within the target.
    pub(crate) fn is_in_target(&self) -> bool {
        matches!(self.place, Place::Target | Place::Path | Place::Query | Place::Absolute)
    }

    /// Reads on in a head's bytes. `true` when the line is whole: `at` is behind it then.
    pub(crate) fn read(&mut self, head: &[u8], max_target: usize) -> Result<bool, Refusal> {
        loop {
            let goes_on = match self.place {
                Place::Method => self.read_method(head)?,
                Place::Preface => self.read_preface(head)?,
                Place::Target => self.read_target(head)?,
                Place::Path => self.read_path(head, max_target)?,
                Place::Query => self.read_query(head, max_target)?,
                Place::Absolute => self.read_absolute(head, max_target)?,
                Place::Version => self.read_version(head)?,
                Place::Whole => return Ok(true),
            };
            if !goes_on {
                return Ok(false);
            }
        }
    }

    fn read_method(&mut self, head: &[u8]) -> Result<bool, Refusal> {
        self.at += token_run(&head[self.at..]);
        if self.at > LONGEST_METHOD {
            return Err(Refusal::UnknownMethod);
        }
        let Some(&byte) = head.get(self.at) else {
            return Ok(false);
        };
        let method = &head[..self.at];
        match (byte, known_method(method)) {
            (b' ', Some(known)) => self.method = known,
            (b' ', None) if method == b"CONNECT" => return Err(Refusal::Connect),
            (b' ', None) if !method.is_empty() => return Err(Refusal::UnknownMethod),
            (b'\r', _) => return Err(Refusal::RequestLine),
            (HANDSHAKE, _) if method.is_empty() => return Err(Refusal::Tls),
            _ => return Err(misplaced(byte, Refusal::Method)),
        }
        self.place = if self.method == PREFACE_METHOD { Place::Preface } else { Place::Target };
        self.at += 1;
        self.target = self.at;
        Ok(true)
    }

    fn read_preface(&mut self, head: &[u8]) -> Result<bool, Refusal> {
        let come = &head[self.target..];
        match come.get(..PREFACE.len()) {
            Some(PREFACE) => Err(Refusal::HttpTwo),
            None if PREFACE.starts_with(come) => Ok(false),
            _ => Err(Refusal::UnknownMethod),
        }
    }

    fn read_target(&mut self, head: &[u8]) -> Result<bool, Refusal> {
        let Some(&byte) = head.get(self.at) else {
            return Ok(false);
        };
        match byte {
            b'/' => self.place = Place::Path,
            b'h' | b'H' => self.place = Place::Absolute,
            b'*' if self.method == "OPTIONS" => match head.get(self.at + 1) {
                None => return Ok(false),
                Some(b' ') => {
                    self.path = Span::new(self.at, self.at + 1);
                    self.end_target(self.at + 1);
                }
                Some(byte) => return Err(misplaced(*byte, Refusal::Target)),
            },
            b' ' | b'\r' => return Err(Refusal::RequestLine),
            _ => return Err(misplaced(byte, Refusal::Target)),
        }
        Ok(true)
    }

    fn read_path(&mut self, head: &[u8], max_target: usize) -> Result<bool, Refusal> {
        let Some(byte) = self.run(head, max_target, path_run)? else {
            return Ok(false);
        };
        self.path = Span::new(self.target, self.at);
        match byte {
            b' ' => self.end_target(self.at),
            b'?' => {
                self.at += 1;
                self.query = Some(Span::new(self.at, self.at));
                self.place = Place::Query;
            }
            b'\r' => return Err(Refusal::RequestLine),
            _ => return Err(misplaced(byte, Refusal::Target)),
        }
        Ok(true)
    }

    fn read_query(&mut self, head: &[u8], max_target: usize) -> Result<bool, Refusal> {
        let Some(byte) = self.run(head, max_target, query_run)? else {
            return Ok(false);
        };
        self.query = Some(Span::new(self.path.end as usize + 1, self.at));
        match byte {
            b' ' => self.end_target(self.at),
            b'\r' => return Err(Refusal::RequestLine),
            _ => return Err(misplaced(byte, Refusal::Target)),
        }
        Ok(true)
    }

    /// The widest class of bytes first. The parts of the target have their own when all of it is there.
    fn read_absolute(&mut self, head: &[u8], max_target: usize) -> Result<bool, Refusal> {
        let Some(byte) = self.run(head, max_target, query_run)? else {
            return Ok(false);
        };
        match byte {
            b' ' => {}
            b'\r' => return Err(Refusal::RequestLine),
            _ => return Err(misplaced(byte, Refusal::Target)),
        }
        let parts = absolute(&head[self.target..self.at])?;
        let authority = self.target + parts.scheme;
        let path = authority + parts.authority;
        let query = path + parts.path;
        self.host =
            Some(TargetHost { authority: Span::new(authority, path), default_port: parts.default_port });
        self.path = Span::new(path, query);
        self.query = (parts.query > 0).then(|| Span::new(query + 1, query + parts.query));
        self.end_target(self.at);
        Ok(true)
    }

    /// Goes on over a run of a class within the target's bound, up to a byte that is none of it.
    fn run(
        &mut self,
        head: &[u8],
        max_target: usize,
        class: fn(&[u8]) -> usize,
    ) -> Result<Option<u8>, Refusal> {
        let bound = self.target.saturating_add(max_target);
        self.at += class(&head[self.at..head.len().min(bound).max(self.at)]);
        match head.get(self.at) {
            // A byte at the bound ends the target, or is the first too many.
            Some(byte) if self.at >= bound && *byte != b' ' => Err(Refusal::TargetTooLong),
            byte => Ok(byte.copied()),
        }
    }

    fn end_target(&mut self, space: usize) {
        self.at = space + 1;
        self.version_at = self.at;
        self.place = Place::Version;
    }

    fn read_version(&mut self, head: &[u8]) -> Result<bool, Refusal> {
        if head.get(self.version_at..self.version_at + VERSION_LINE) == Some(b"HTTP/1.1\r\n") {
            (self.version, self.at) = (Version::Http11, self.version_at + VERSION_LINE);
            self.place = Place::Whole;
            return Ok(true);
        }
        while let Some(&byte) = head.get(self.at) {
            let place = self.at - self.version_at;
            self.at += 1;
            match (place, byte) {
                (0, b' ') => return Err(Refusal::RequestLine),
                (0..5, _) if byte == b"HTTP/"[place] => {}
                (5 | 7, b'0'..=b'9') | (6, b'.') => {
                    if place == 7 {
                        self.version = version(head[self.at - 3], byte)?;
                    }
                }
                (8, b'\r') => {}
                (8, b' ') => return Err(Refusal::RequestLine),
                (9, b'\n') => {
                    self.place = Place::Whole;
                    return Ok(true);
                }
                (9, _) => return Err(Refusal::BareCr),
                _ => return Err(misplaced(byte, Refusal::Version)),
            }
        }
        Ok(false)
    }
}

fn version(major: u8, minor: u8) -> Result<Version, Refusal> {
    match (major, minor) {
        (b'1', b'0') => Ok(Version::Http10),
        (b'1', _) => Ok(Version::Http11),
        (b'2', b'0') => Err(Refusal::HttpTwo),
        _ => Err(Refusal::UnknownVersion),
    }
}
