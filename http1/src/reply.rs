//! Replies: heads and chunks, written into a buffer.

use crate::bytes::{is_token, text_run};

/// What follows a head, as the head has to say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyBody {
    /// No body and no length: 1xx, 204, 304.
    None,
    /// So many bytes: `content-length`. HEAD has that of GET, and sends nothing.
    Length(u64),
    /// Chunks (RFC 9112, 7.1). Never to HTTP/1.0: there the body ends with the connection, and the head has no length
    /// ([`UntilClose`](ReplyBody::UntilClose)).
    Chunked,
    /// The connection's end is the body's.
    UntilClose,
}

/// A head that is being written: the status line, fields, and what the body needs.
#[derive(Debug)]
#[must_use = "a head has to be ended"]
pub struct ReplyHead<'o> {
    out: &'o mut Vec<u8>,
}

impl<'o> ReplyHead<'o> {
    /// `HTTP/1.1 200 OK` behind what is in `out`. A status without a known phrase has an empty one. Statuses have three digits; another
    /// number is written as 500.
    pub fn begin(out: &'o mut Vec<u8>, status: u16) -> ReplyHead<'o> {
        match status {
            200 => out.extend_from_slice(b"HTTP/1.1 200 OK\r\n"),
            _ => status_line(out, status),
        }
        ReplyHead { out }
    }

    /// A field. Name and value are ours or were checked: a name that is no token or a value with a control byte is left out, so that no
    /// head is ever split by what it carries.
    pub fn field(&mut self, name: &str, value: &[u8]) {
        let name = name.as_bytes();
        if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) || text_run(value) < value.len() {
            return;
        }
        self.out.reserve(name.len() + value.len() + 4);
        self.out.extend_from_slice(name);
        self.out.extend_from_slice(b": ");
        self.out.extend_from_slice(value);
        self.out.extend_from_slice(b"\r\n");
    }

    /// Whole lines that were made and checked before, each with its CRLF, as routes prepare them.
    pub fn prepared(&mut self, lines: &[u8]) {
        self.out.extend_from_slice(lines);
    }

    /// The length and the empty line.
    pub fn end(self, body: ReplyBody) {
        match body {
            ReplyBody::None | ReplyBody::UntilClose => self.out.extend_from_slice(b"\r\n"),
            ReplyBody::Chunked => self.out.extend_from_slice(b"transfer-encoding: chunked\r\n\r\n"),
            ReplyBody::Length(length) => {
                self.out.extend_from_slice(b"content-length: ");
                number(self.out, length, 10);
                self.out.extend_from_slice(b"\r\n\r\n");
            }
        }
    }
}

/// `HTTP/1.1 100 Continue` and its empty line.
pub const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

/// The last chunk, without trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// A piece as a chunk: its size, itself, CRLF. An empty one is none: it would be the last.
pub fn chunk(out: &mut Vec<u8>, piece: &[u8]) {
    if piece.is_empty() {
        return;
    }
    out.reserve(piece.len() + 20);
    number(out, piece.len() as u64, 16);
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(piece);
    out.extend_from_slice(b"\r\n");
}

fn status_line(out: &mut Vec<u8>, status: u16) {
    let status = if (100..1_000).contains(&status) { status } else { 500 };
    out.extend_from_slice(b"HTTP/1.1 ");
    number(out, status.into(), 10);
    out.push(b' ');
    out.extend_from_slice(phrase(status).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// A number's digits.
#[inline]
fn number(out: &mut Vec<u8>, mut number: u64, base: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b"0123456789abcdef"[(number % base) as usize];
        number /= base;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// The phrases that RFC 9110, RFC 6585, RFC 8470, RFC 7725 and nginx (499) give.
const fn phrase(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        203 => "Non-Authoritative Information",
        204 => "No Content",
        205 => "Reset Content",
        206 => "Partial Content",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        411 => "Length Required",
        412 => "Precondition Failed",
        413 => "Content Too Large",
        414 => "URI Too Long",
        415 => "Unsupported Media Type",
        416 => "Range Not Satisfiable",
        417 => "Expectation Failed",
        421 => "Misdirected Request",
        422 => "Unprocessable Content",
        423 => "Locked",
        424 => "Failed Dependency",
        425 => "Too Early",
        426 => "Upgrade Required",
        428 => "Precondition Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        451 => "Unavailable For Legal Reasons",
        499 => "Client Closed Request",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        507 => "Insufficient Storage",
        511 => "Network Authentication Required",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_written_as_they_are_asked_for() {
        for (status, body, text) in [
            (200, ReplyBody::Length(0), "HTTP/1.1 200 OK\r\na: b\r\ncontent-length: 0\r\n\r\n"),
            (
                404,
                ReplyBody::Length(u64::MAX),
                "HTTP/1.1 404 Not Found\r\na: b\r\ncontent-length: 18446744073709551615\r\n\r\n",
            ),
            (204, ReplyBody::None, "HTTP/1.1 204 No Content\r\na: b\r\n\r\n"),
            (200, ReplyBody::Chunked, "HTTP/1.1 200 OK\r\na: b\r\ntransfer-encoding: chunked\r\n\r\n"),
            (200, ReplyBody::UntilClose, "HTTP/1.1 200 OK\r\na: b\r\n\r\n"),
            (299, ReplyBody::None, "HTTP/1.1 299 \r\na: b\r\n\r\n"),
            (99, ReplyBody::None, "HTTP/1.1 500 Internal Server Error\r\na: b\r\n\r\n"),
            (1000, ReplyBody::None, "HTTP/1.1 500 Internal Server Error\r\na: b\r\n\r\n"),
        ] {
            let mut out = Vec::new();
            let mut head = ReplyHead::begin(&mut out, status);
            head.field("a", b"b");
            head.end(body);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn the_statuses_of_the_rfcs_have_a_phrase() {
        let named: Vec<u16> = (0..=u16::MAX).filter(|status| !phrase(*status).is_empty()).collect();
        let ranges = [100..=101, 200..=206, 300..=304, 307..=308, 400..=417, 421..=426, 428..=429, 431..=431];
        let others = [451, 499, 500, 501, 502, 503, 504, 505, 507, 511];
        assert_eq!(named, ranges.into_iter().flatten().chain(others).collect::<Vec<u16>>());
    }

    #[test]
    fn a_field_that_would_split_a_head_is_left_out() {
        for (name, value) in [
            ("a", &b"b\r\nc: d"[..]),
            ("a", b"b\nc"),
            ("a", b"b\rc"),
            ("a", b"\0"),
            ("a", b"\x7f"),
            ("", b"b"),
            ("a:", b"b"),
            ("a b", b"b"),
            ("a\r\nb", b"c"),
        ] {
            let mut out = Vec::new();
            let mut head = ReplyHead::begin(&mut out, 200);
            head.field(name, value);
            head.end(ReplyBody::None);
            assert_eq!(out, b"HTTP/1.1 200 OK\r\n\r\n", "{name:?}");
        }
    }

    #[test]
    fn chunks_have_their_size_before_them() {
        let mut out = Vec::new();
        for piece in [&b"hello"[..], b"", &[b'a'; 26]] {
            chunk(&mut out, piece);
        }
        out.extend_from_slice(LAST_CHUNK);
        assert_eq!(out, b"5\r\nhello\r\n1a\r\naaaaaaaaaaaaaaaaaaaaaaaaaa\r\n0\r\n\r\n");
    }
}
