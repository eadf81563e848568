//! Request ids: taken from `X-Request-Id` where that is reasonable, made otherwise.

use super::fields::{self, Lines};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use std::cell::RefCell;

/// The header that carries the id, both ways.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a client, in bytes.
const MAX_LENGTH: usize = 128;

/// The two digits of every byte.
const HEX: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut all = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        all[byte] = [DIGITS[byte >> 4], DIGITS[byte & 15]];
        byte += 1;
    }
    all
};

/// Makes ids: 32 hexadecimal digits, random.
pub struct RequestIds(RefCell<fastrand::Rng>);

impl RequestIds {
    /// A generator of its own for a worker.
    #[expect(clippy::new_without_default, reason = "a default would hide that it is seeded at random")]
    pub fn new() -> RequestIds {
        RequestIds(RefCell::new(fastrand::Rng::new()))
    }

    /// The request's id: the client's if it is made of 1 to 128 visible ASCII characters, or a new one. Of several none is
    /// taken: whoever looks for one of them must not find a request that others know by the other.
    pub fn take_or_make(&self, headers: &HeaderMap) -> HeaderValue {
        match fields::lines(headers, HEADER) {
            Lines::One(id) if is_reasonable(id.as_bytes()) => id.clone(),
            _ => self.make(),
        }
    }

    pub(super) fn make(&self) -> HeaderValue {
        let number = self.0.borrow_mut().u128(..).to_le_bytes();
        let mut text = [0; 32];
        for (digits, byte) in text.chunks_exact_mut(2).zip(number) {
            digits.copy_from_slice(&HEX[usize::from(byte)]);
        }
        HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
    }
}

/// An id as text.
pub(super) fn text(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or_default()
}

fn is_reasonable(id: &[u8]) -> bool {
    (1..=MAX_LENGTH).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasonable_ids_are_taken_and_others_replaced() {
        let ids = RequestIds::new();
        let taken = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HEADER, HeaderValue::from_str(text).expect("a header value"));
            ids.take_or_make(&headers).as_bytes().to_vec()
        };
        assert_eq!(taken("abc-1"), b"abc-1");
        for replaced in ["", "with space", &"x".repeat(129)] {
            assert_eq!(taken(replaced).len(), 32, "{replaced}");
        }
        for two in [["a", "b"], ["a", "a"], ["", "a"]] {
            let headers = HeaderMap::from_iter(two.map(|id| (HEADER, HeaderValue::from_static(id))));
            assert_eq!(ids.take_or_make(&headers).len(), 32, "{two:?}");
        }
    }

    #[test]
    fn made_ids_differ() {
        let ids = RequestIds::new();
        assert_ne!(ids.make(), ids.make());
    }
}
