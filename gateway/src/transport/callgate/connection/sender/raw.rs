//! Items that are the bytes of a body. They may be cut anywhere: so each is as long as the instance accepts, and a text ends with a whole
//! character.

use super::{Sending, Unput};
use bytes::{Buf, Bytes};
use callgate_transcode::{Violation, ViolationKind};

/// A character has four bytes at most.
const CHARACTER: usize = 4;

/// What is kept from one piece of the body for the next.
#[derive(Default)]
pub(super) struct RawItems {
    /// The beginning of a character, of which the rest has not come.
    begun: Vec<u8>,
    /// No item has more bytes, once an instance has not taken one that had.
    most: Option<usize>,
    /// So many bytes were sent.
    sent: u64,
}

impl RawItems {
    /// What is wrong with the bytes that are next: where in the body that is.
    pub(super) fn placed(&self, violations: Vec<Violation>) -> Vec<Violation> {
        let place = |violation: Violation| match violation.kind {
            ViolationKind::NotUtf8 => {
                let detail = format!("what the body has behind its byte {} is not UTF-8", self.sent);
                Violation { detail, line: None, column: None, ..violation }
            }
            _ => violation,
        };
        violations.into_iter().map(place).collect()
    }
}

impl Sending {
    pub(super) fn has_raw_items(&self) -> bool {
        self.program.shared.request.has_raw_items()
    }

    /// Sends bytes that have come, in as many items as it takes, but for a character that has not come whole.
    pub(super) async fn put_bytes(&mut self, bytes: Bytes) -> Result<(), Unput> {
        let begun = std::mem::take(&mut self.raw.begun);
        let mut rest = if begun.is_empty() { bytes } else { [&begun, &bytes[..]].concat().into() };
        loop {
            let next = &rest[..rest.len().min(self.raw.most.unwrap_or(usize::MAX))];
            let whole = self.program.shared.request.whole_characters(next);
            if whole == 0 {
                self.raw.begun = rest.to_vec();
                return Ok(());
            }
            match self.put(&rest.slice(..whole)).await {
                Ok(()) => {
                    self.raw.sent += whole as u64;
                    rest.advance(whole);
                }
                Err(Unput::TooLong { size, most })
                    if self.raw.most.is_none() && most >= size - whole + CHARACTER =>
                {
                    self.raw.most = Some(most - (size - whole));
                }
                Err(unput) => return Err(unput),
            }
        }
    }

    /// The body has ended: what was kept of it cannot be a character.
    pub(super) async fn put_rest(&mut self) -> Result<(), Unput> {
        let rest = std::mem::take(&mut self.raw.begun);
        if rest.is_empty() { Ok(()) } else { self.put(&rest.into()).await }
    }
}

#[cfg(test)]
mod tests {
    use crate::transport::callgate::connection::testing;
    use crate::transport::{Body, BodyStream, MAX_STREAM, Piece, Times};
    use bytes::Bytes;
    use callgate_protocol::limits::MIN_FRAME;
    use callgate_protocol::schema::{MethodSchema, Type};
    use callgate_protocol::{Event, Inbound, Limits, Role, Streaming};
    use callgate_transcode::{Body as Bound, RequestBinding};
    use std::time::Duration;
    use tokio::sync::mpsc;
    use tokio::task::{LocalSet, yield_now};
    use tokio::time::Instant;

    /// The items that an instance which takes messages of a KiB gets of those pieces, without their lengths; and whether that was all.
    async fn items(ty: Type, pieces: &[&[u8]]) -> (Vec<Vec<u8>>, bool) {
        let streams = Streaming { caller: true, service: false };
        let schema = MethodSchema { request_items: Some(ty), ..testing::schema(Type::U64) };
        let limits = Limits { max_message: MIN_FRAME, max_frame: MIN_FRAME, ..Limits::default() };
        let conn = testing::streaming_within(limits, streams, schema);
        let (bring, body) = mpsc::channel(100);
        let body = BodyStream::new(body);
        let now = Instant::now();
        let times = Times { now, deadline: now + Duration::from_secs(1), stream: MAX_STREAM };
        let binding = RequestBinding { body: Bound::RawItems, ..RequestBinding::default() };
        let _call = testing::call_as(&binding, &conn, Body::Stream(&body, &[]), times).expect("it fits");
        for piece in pieces {
            bring.send(Piece::Item(Bytes::copy_from_slice(piece))).await.expect("it is read");
        }
        bring.send(Piece::End).await.expect("it is read");
        let mut inbound = Inbound::of(Role::Acceptor, &testing::speaking("peer", Vec::new()), None);
        let (mut items, mut has_ended) = (Vec::new(), false);
        for _ in 0..50 {
            yield_now().await;
            let mut bytes = conn.machine.borrow_mut().chunk().to_vec();
            conn.machine.borrow_mut().advance(bytes.len());
            while let (taken @ 1.., event) = inbound.next(&bytes).expect("well-formed") {
                match event {
                    Some(Event::Item { payload, .. }) => {
                        let head = if payload[0] == 251 { 3 } else { 1 };
                        items.push(payload[head..].to_vec());
                    }
                    Some(Event::End { .. }) => has_ended = true,
                    _ => {}
                }
                bytes.drain(..taken);
            }
            conn.give_turns();
        }
        (items, has_ended)
    }

    #[tokio::test(start_paused = true)]
    async fn items_are_as_long_as_the_instance_takes_and_texts_end_with_characters() {
        let local = LocalSet::new();
        local
            .run_until(async {
                let text = "\u{20ac}".repeat(1500) + "z";
                let (first, second) = text.as_bytes().split_at(700);
                for ty in [Type::String, Type::Bytes] {
                    let (items, has_ended) = items(ty.clone(), &[first, second, b""]).await;
                    assert!(has_ended && items.concat() == text.as_bytes(), "{ty:?}");
                    assert!(items.iter().all(|item| item.len() < MIN_FRAME as usize));
                    let whole = items.iter().all(|item| std::str::from_utf8(item).is_ok());
                    assert!(whole || ty == Type::Bytes);
                }
                let (_, has_ended) = items(Type::String, &[b"a", b"\xe2", b"\x82"]).await;
                assert!(!has_ended, "a character is missing");
            })
            .await;
    }
}
