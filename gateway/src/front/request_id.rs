//! Request ids: taken from `X-Request-Id` where that is reasonable, made otherwise.

use crate::fields::{self, Lines, X_REQUEST_ID};
use crate::worker::RequestIds;
use callgate_http1::{Fields, ReplyHead};

/// The longest id that is taken from a client, in bytes.
const MAX_LENGTH: usize = 128;

/// The id of a request: 1 to 128 visible ASCII characters. It is kept in place, so that an exchange allocates nothing for it.
pub(super) struct RequestId {
    text: [u8; MAX_LENGTH],
    length: u8,
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

    fn of(id: &[u8]) -> RequestId {
        let mut text = [0; MAX_LENGTH];
        text[..id.len()].copy_from_slice(id);
        RequestId { text, length: id.len() as u8 }
    }

    /// Puts its line into the head of a reply.
    pub(super) fn put(&self, head: &mut ReplyHead<'_>) {
        // It was checked when it was taken.
        head.prepared(b"x-request-id: ");
        head.prepared(self.as_str().as_bytes());
        head.prepared(b"\r\n");
    }

    /// As text.
    pub(super) fn as_str(&self) -> &str {
        // It is ASCII.
        std::str::from_utf8(&self.text[..usize::from(self.length)]).unwrap_or_default()
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
        let longest = "x".repeat(128);
        for id in ["a", "abc-1", &longest] {
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
