//! Request ids: taken from `X-Request-Id` where that is reasonable, made otherwise.

use crate::fields::{self, Lines, X_REQUEST_ID};
use crate::worker::RequestIds;
use callgate_http1::{Fields, ReplyHead};

/// The longest id that is taken from a client, in bytes.
const MAX_LENGTH: usize = 128;

/// The longest that is kept in place, in bytes: one that was made has 32, and a UUID 36.
const SHORT: usize = 38;

/// The id of a request: 1 to 128 visible ASCII characters. Nearly all are kept in place, so that an exchange allocates nothing for them.
pub(super) enum RequestId {
    Short([u8; SHORT], u8),
    Long(Box<[u8]>),
}

impl RequestId {
    /// The client's if it is reasonable, or a new one. Of several none is taken: whoever looks for one of them must not find a request
    /// that others know by the other.
    pub(super) fn take_or_make(ids: &RequestIds, fields: Fields<'_>) -> RequestId {
        match fields::lines(fields, &X_REQUEST_ID) {
            Lines::One(id) if is_reasonable(id) => RequestId::of(id),
            _ => RequestId::make(ids),
        }
    }

    /// A new one.
    pub(super) fn make(ids: &RequestIds) -> RequestId {
        RequestId::of(&ids.make())
    }

    #[inline]
    fn of(id: &[u8]) -> RequestId {
        let mut text = [0; SHORT];
        match text.get_mut(..id.len()) {
            Some(place) => {
                place.copy_from_slice(id);
                RequestId::Short(text, id.len() as u8)
            }
            None => RequestId::Long(id.into()),
        }
    }

    /// Puts its line into the head of a reply.
    pub(super) fn put(&self, head: &mut ReplyHead<'_>) {
        // It was checked when it was taken.
        head.prepared(b"x-request-id: ");
        head.prepared(self.as_bytes());
        head.prepared(b"\r\n");
    }

    /// As text.
    pub(super) fn as_str(&self) -> &str {
        // It is ASCII.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// As bytes, which are nearly always enough.
    pub(super) fn as_bytes(&self) -> &[u8] {
        match self {
            RequestId::Short(text, length) => &text[..usize::from(*length)],
            RequestId::Long(id) => id,
        }
    }
}

fn is_reasonable(id: &[u8]) -> bool {
    (1..=MAX_LENGTH).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::request;

    #[test]
    fn reasonable_ids_are_taken_and_others_replaced() {
        let ids = RequestIds::new();
        let taken = |sent: &[&str]| {
            let lines: Vec<_> = sent.iter().map(|id| ("X-Request-Id", *id)).collect();
            RequestId::take_or_make(&ids, request(&lines).fields()).as_str().to_owned()
        };
        let lengths = [37, 38, 39, 128].map(|length| "x".repeat(length));
        for id in ["a", "abc-1"].into_iter().chain(lengths.iter().map(String::as_str)) {
            assert_eq!(taken(&[id]), id);
        }
        for replaced in ["", "with space", "\u{e9}", &"x".repeat(129)] {
            assert_eq!(taken(&[replaced]).len(), 32, "{replaced}");
        }
        for several in [&["abc", "b"][..], &["abc", "abc"], &["", "abc"], &[]] {
            assert_eq!(taken(several).len(), 32, "{several:?}");
        }
    }
}
