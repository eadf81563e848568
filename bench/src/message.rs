//! Where an HTTP/1.1 message ends, by its Content-Length or its chunks. Enough for a benchmark's own requests and answers, and as
//! little work as can be: the floor must not parse, and the load generator must not cost.

use memchr::{memchr, memmem};

/// One message after another on a connection, in whatever pieces it comes.
#[derive(Debug, Default)]
pub struct Message {
    /// A head that came in pieces; empty as a rule.
    head: Vec<u8>,
    /// What is still to come of the body, once the head is there.
    left: Option<Left>,
    /// Whether the head said that all is well.
    ok: bool,
}

/// What is still to come of a body.
#[derive(Debug)]
enum Left {
    /// So many bytes.
    Bytes(usize),
    Chunks(Chunks),
}

/// A body in chunks.
#[derive(Debug, Default)]
struct Chunks {
    /// Bytes of this chunk that are still to come, with the end of its line.
    data: usize,
    /// The line before a chunk, as far as it has come.
    line: Vec<u8>,
    /// The last chunk has come; what follows are trailers.
    last: bool,
}

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Bytes are missing.
    Partial,
    /// It is complete; the next bytes begin another. `ok`: it began with `HTTP/1.1 200`.
    Complete {
        /// Whether it is an answer with status 200.
        ok: bool,
    },
}

impl Message {
    /// Takes the next bytes. Messages are not pipelined: what stands behind the end of one is dropped.
    pub fn feed(&mut self, bytes: &[u8]) -> Progress {
        let arrived = match self.left {
            Some(_) => bytes.len(),
            None => match self.feed_head(bytes) {
                Some(body) => body,
                None => return Progress::Partial,
            },
        };
        if self.left.as_mut().is_some_and(|left| !left.feed(&bytes[bytes.len() - arrived..])) {
            return Progress::Partial;
        }
        self.left = None;
        Progress::Complete { ok: self.ok }
    }

    /// Returns how many of `bytes` belong to the body once the head is whole.
    fn feed_head(&mut self, bytes: &[u8]) -> Option<usize> {
        if self.head.is_empty()
            && let Some(end) = memmem::find(bytes, b"\r\n\r\n")
        {
            self.read_head(&bytes[..end + 2]);
            return Some(bytes.len() - end - 4);
        }
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        let end = memmem::find(&self.head, b"\r\n\r\n")?;
        let head = std::mem::take(&mut self.head);
        self.read_head(&head[..end + 2]);
        Some(before + bytes.len() - end - 4)
    }

    fn read_head(&mut self, head: &[u8]) {
        self.ok = head.starts_with(b"HTTP/1.1 200");
        self.left = Some(match field(head, b"transfer-encoding:") {
            Some(_) => Left::Chunks(Chunks::default()),
            None => {
                Left::Bytes(field(head, b"content-length:").and_then(|value| number(value, 10)).unwrap_or(0))
            }
        });
    }
}

impl Left {
    /// Takes the next bytes; says whether they are the last.
    fn feed(&mut self, bytes: &[u8]) -> bool {
        match self {
            Left::Bytes(left) => {
                *left = left.saturating_sub(bytes.len());
                *left == 0
            }
            Left::Chunks(chunks) => chunks.feed(bytes),
        }
    }
}

impl Chunks {
    fn feed(&mut self, mut bytes: &[u8]) -> bool {
        loop {
            let data = self.data.min(bytes.len());
            self.data -= data;
            bytes = &bytes[data..];
            let Some(end) = memchr(b'\n', bytes) else {
                self.line.extend_from_slice(bytes);
                return false;
            };
            self.line.extend_from_slice(&bytes[..=end]);
            bytes = &bytes[end + 1..];
            if self.last && self.line == b"\r\n" {
                return true;
            }
            if !self.last {
                let size = number(&self.line, 16).unwrap_or(0);
                self.last = size == 0;
                self.data = if self.last { 0 } else { size + 2 };
            }
            self.line.clear();
        }
    }
}

/// What stands behind a name, to the end of the head. The name is in lower case, with its colon.
fn field<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut lines = memmem::find_iter(head, b"\r\n").map(|at| &head[at + 2..]);
    lines
        .find(|line| line.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)))?
        .get(name.len()..)
}

/// The number that `text` begins with.
fn number(text: &[u8], radix: u32) -> Option<usize> {
    let mut digits =
        text.iter().skip_while(|byte| **byte == b' ').map_while(|byte| char::from(*byte).to_digit(radix));
    digits.try_fold(0_usize, |sum, digit| sum.checked_mul(radix as usize)?.checked_add(digit as usize))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWERS: [&[u8]; 2] = [
        b"HTTP/1.1 200 OK\r\nserver: x\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\n0\r\n\r\nc\r\nhello, you\n!\r\n0\r\nx: y\r\n\r\n",
    ];

    #[test]
    fn a_message_ends_where_it_says_however_it_is_cut() {
        for answer in ANSWERS {
            for first in 0..answer.len() {
                for second in first..answer.len() {
                    let mut message = Message::default();
                    for part in [&answer[..first], &answer[first..second]] {
                        assert_eq!(message.feed(part), Progress::Partial, "{first} {second}");
                    }
                    assert_eq!(message.feed(&answer[second..]), Progress::Complete { ok: true });
                    assert_eq!(message.feed(answer), Progress::Complete { ok: true }, "the next one");
                }
            }
        }
    }

    #[test]
    fn a_message_without_a_length_ends_with_its_head() {
        let request = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";
        assert_eq!(Message::default().feed(request), Progress::Complete { ok: false });
    }

    #[test]
    fn another_status_is_not_ok() {
        let answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\n\r\nno";
        assert_eq!(Message::default().feed(answer), Progress::Complete { ok: false });
    }
}
