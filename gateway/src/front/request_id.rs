//! Request ids: taken from `X-Request-Id` where that is reasonable, made otherwise.

use crate::fields::{self, Lines};
use crate::worker::RequestIds;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};

/// The header that carries the id, both ways.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a client, in bytes.
const MAX_LENGTH: usize = 128;

/// The request's id: the client's if it is made of 1 to 128 visible ASCII characters, or a new one. Of several none is taken:
/// whoever looks for one of them must not find a request that others know by the other.
pub(super) fn take_or_make(ids: &RequestIds, headers: &HeaderMap) -> HeaderValue {
    match fields::lines(headers, HEADER) {
        Lines::One(id) if is_reasonable(id.as_bytes()) => id.clone(),
        _ => make(ids),
    }
}

/// A new id.
pub(super) fn make(ids: &RequestIds) -> HeaderValue {
    HeaderValue::from_bytes(&ids.make()).unwrap_or_else(|_| HeaderValue::from_static("unknown"))
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
            take_or_make(&ids, &headers).as_bytes().to_vec()
        };
        assert_eq!(taken("abc-1"), b"abc-1");
        for replaced in ["", "with space", &"x".repeat(129)] {
            assert_eq!(taken(replaced).len(), 32, "{replaced}");
        }
        for two in [["a", "b"], ["a", "a"], ["", "a"]] {
            let headers = HeaderMap::from_iter(two.map(|id| (HEADER, HeaderValue::from_static(id))));
            assert_eq!(take_or_make(&ids, &headers).len(), 32, "{two:?}");
        }
    }
}
