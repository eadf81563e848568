//! What lies there for clients that do not read it: bytes of replies, counted from when a reply is made until the socket has taken them.

use super::Reply;
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The bytes that one connection has not taken.
#[derive(Clone, Default)]
pub(super) struct Unread(Arc<AtomicUsize>);

impl Unread {
    pub(super) fn bytes(&self) -> usize {
        self.0.load(Relaxed)
    }

    /// The same reply, whose bytes count until they are gone.
    pub(super) async fn counted(&self, reply: Reply) -> Reply {
        let (head, body) = reply.into_parts();
        // It is there as a whole.
        let Ok(body) = body.collect().await;
        let bytes = body.to_bytes();
        self.0.fetch_add(bytes.len(), Relaxed);
        Reply::from_parts(head, Full::new(Bytes::from_owner(Counted { bytes, unread: self.clone() })))
    }
}

struct Counted {
    bytes: Bytes,
    unread: Unread,
}

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.unread.0.fetch_sub(self.bytes.len(), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn bytes_count_until_the_last_of_them_is_gone() {
        let unread = Unread::default();
        let reply = unread.counted(Reply::new(Full::new(Bytes::from_static(b"a page")))).await;
        let mut bytes = reply.into_body().collect().await.expect("it is there").to_bytes();
        assert_eq!((&bytes[..], unread.bytes()), (&b"a page"[..], 6));
        let rest = bytes.split_off(4);
        drop(bytes);
        assert_eq!(unread.bytes(), 6, "some of it is still to be sent");
        drop(rest);
        assert_eq!(unread.bytes(), 0);
    }
}
