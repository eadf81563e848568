//! Where an HTTP/1.1 message ends, by its Content-Length alone. Enough for a benchmark's own requests and answers, and as
//! little work as can be: the floor must not parse, and the load generator must not cost.

use memchr::memmem;

/// One message after another on a connection, in whatever pieces it comes.
#[derive(Debug, Default)]
pub struct Message {
    /// A head that came in pieces; empty as a rule.
    head: Vec<u8>,
    /// Bytes of the body that are still to come, once the head is there.
    left: Option<usize>,
    /// Whether the head said that all is well.
    ok: bool,
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
        let left = self.left.unwrap_or(0).saturating_sub(arrived);
        if left > 0 {
            self.left = Some(left);
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
        self.left = Some(content_length(head).unwrap_or(0));
    }
}

fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    let mut lines = memmem::find_iter(head, b"\r\n").map(|at| &head[at + 2..]);
    let line = lines
        .find(|line| line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME)))?
        .get(NAME.len()..)?;
    let digits = line.iter().skip_while(|byte| **byte == b' ').take_while(|byte| byte.is_ascii_digit());
    digits.copied().try_fold(0_usize, |sum, digit| sum.checked_mul(10)?.checked_add((digit - b'0').into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nserver: x\r\nContent-Length: 5\r\n\r\nhello";

    #[test]
    fn a_message_ends_where_its_length_says_however_it_is_cut() {
        for first in 0..ANSWER.len() {
            for second in first..ANSWER.len() {
                let mut message = Message::default();
                for part in [&ANSWER[..first], &ANSWER[first..second]] {
                    assert_eq!(message.feed(part), Progress::Partial, "{first} {second}");
                }
                assert_eq!(message.feed(&ANSWER[second..]), Progress::Complete { ok: true });
                assert_eq!(message.feed(ANSWER), Progress::Complete { ok: true }, "the next one");
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
