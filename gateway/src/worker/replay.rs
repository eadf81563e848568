//! The last requests, as far as it may be known: `[replay] keep` of gateway.toml. Of each the method, the path, the host by which routes are
//! chosen, and the names of its headers and of its query's parameters are kept. No values: who sends a request keeps what it says.
//!
//! A worker keeps its own, in buffers that are used again and again, and gives them to whoever asks what another table would do.

use crate::fields::NAMES;
use callgate_http1::{Request, RequestBuilder};
use memchr::memchr;
use std::cell::RefCell;

/// What is longer is not kept, in bytes.
const LONGEST: usize = 1024;

/// The last requests of a worker.
pub struct Replay {
    most: usize,
    ring: RefCell<Ring>,
}

#[derive(Default)]
struct Ring {
    kept: Vec<Vec<u8>>,
    /// The place of the next one.
    next: usize,
}

/// A request that was kept.
pub struct Kept<'k> {
    method: &'k str,
    target: &'k str,
    host: &'k str,
    headers: &'k str,
}

impl Replay {
    /// That of one of so many workers, which keep so many together.
    pub fn new(keep: u64, workers: usize) -> Option<Replay> {
        let most = usize::try_from(keep).unwrap_or(usize::MAX).div_ceil(workers.max(1));
        (most > 0).then(|| Replay { most, ring: RefCell::default() })
    }

    /// Keeps a request.
    #[inline]
    pub fn keep(&self, head: &Request) {
        let mut ring = self.ring.borrow_mut();
        let Ring { kept, next } = &mut *ring;
        if *next == kept.len() {
            kept.push(Vec::with_capacity(128));
        }
        write(head, &mut kept[*next]);
        *next = (*next + 1) % self.most;
    }

    /// All of them.
    pub fn all(&self) -> Vec<Vec<u8>> {
        self.ring.borrow().kept.iter().filter(|one| !one.is_empty()).cloned().collect()
    }
}

/// Method, target, host and header names, one on a line. Nothing of what is too long.
fn write(head: &Request, out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(head.method().as_bytes());
    out.push(b'\n');
    let path = head.path_bytes();
    if path.len() > LONGEST {
        return out.clear();
    }
    out.extend_from_slice(path);
    let pairs = head.query_bytes().into_iter().flat_map(|query| query.split(|byte| *byte == b'&'));
    for (n, pair) in pairs.enumerate() {
        out.push(if n == 0 { b'?' } else { b'&' });
        out.extend_from_slice(memchr(b'=', pair).map_or(pair, |end| &pair[..end]));
        if out.len() > LONGEST {
            return out.clear();
        }
    }
    out.push(b'\n');
    out.extend_from_slice(head.host_bytes().unwrap_or_default());
    out.push(b'\n');
    for name in head.fields().names() {
        out.extend_from_slice(name);
        out.push(b' ');
    }
    if out.len() > 2 * LONGEST {
        out.clear();
    }
}

impl<'k> Kept<'k> {
    /// Reads one.
    pub fn read(kept: &'k [u8]) -> Option<Kept<'k>> {
        let mut lines = std::str::from_utf8(kept).ok()?.split('\n');
        let (method, target, host) = (lines.next()?, lines.next()?, lines.next()?);
        Some(Kept { method, target, host, headers: lines.next()? })
    }

    /// The same as a request, whose headers have no values.
    pub fn request(&self) -> Request {
        RequestBuilder::new(&NAMES, self.method, self.target).field("host", self.host.as_bytes()).build()
    }

    /// Whether it had a header of that name, in small letters.
    pub fn has_header(&self, name: &str) -> bool {
        self.headers.split(' ').any(|own| own.eq_ignore_ascii_case(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str) -> Request {
        let builder = RequestBuilder::new(&NAMES, "POST", target);
        builder.field("host", b"shop.example").field("Authorization", b"Bearer s3cret").build()
    }

    #[test]
    fn what_matchers_read_is_kept_and_no_value() {
        let replay = Replay::new(2, 1).expect("it keeps some");
        replay.keep(&request("/a/b?token=s3cret&x"));
        let all = replay.all();
        assert!(!String::from_utf8_lossy(&all[0]).contains("s3cret"), "{all:?}");
        let kept = Kept::read(&all[0]).expect("it can be read");
        assert!(kept.has_header("authorization") && !kept.has_header("x-api-key"));
        let again = kept.request();
        assert_eq!((again.method(), again.path(), again.query()), ("POST", "/a/b", Some("token&x")));
        assert_eq!(again.host(), Some("shop.example"));
    }

    #[test]
    fn the_oldest_make_room_and_long_ones_are_not_kept() {
        let replay = Replay::new(2, 1).expect("it keeps some");
        for target in ["/1", "/2", "/3"] {
            replay.keep(&request(target));
        }
        let paths: Vec<String> =
            replay.all().iter().filter_map(|one| Some(Kept::read(one)?.target.to_owned())).collect();
        assert_eq!(paths, ["/3", "/2"]);
        replay.keep(&request(&format!("/{}", "x".repeat(LONGEST))));
        assert_eq!(replay.all().len(), 1);
        assert!(Replay::new(0, 4).is_none());
        assert_eq!(Replay::new(10, 4).map(|replay| replay.most), Some(3));
    }
}
