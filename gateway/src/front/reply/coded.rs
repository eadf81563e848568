//! Bodies in a coding: whether one is wanted, and how it is made.
//!
//! A reply is in a coding if its route says so, its client takes that, and it pays: the body is text of a KiB or more, and becomes shorter.
//! What must not be read by others is left alone where an attacker could compare lengths with what he has written himself: a reply that sets
//! a cookie. A body that is long is made in steps, between which others work. Its encoder and what comes of it take room among all long
//! replies; where there is none, it is sent as it is.

use super::{Content, Reply};
use crate::buffers::with_room;
use crate::coding::{Coding, Encoder, MEMORY, Preference};
use crate::fields::{self, ACCEPT_ENCODING};
use bytes::Bytes;
use callgate_http1::Fields;
use callgate_protocol::{Budget, Room};
use std::sync::Arc;
use tokio::task::yield_now;

/// A shorter body is sent as it is, in bytes: it fits into a packet or two anyway.
const SHORT: u64 = 1024;

/// A longer body is made in steps, in bytes.
const LONG: u64 = 64 * 1024;

/// What is read in a step, in bytes. It takes a millisecond, or three with Brotli.
const STEP: usize = 32 * 1024;

/// A piece of what comes of a long body, in bytes.
const PIECE: usize = 64 * 1024;

/// Types beside those of text that become shorter.
const TYPES: [&str; 9] = [
    "application/graphql",
    "application/javascript",
    "application/json",
    "application/sql",
    "application/toml",
    "application/wasm",
    "application/x-ndjson",
    "application/xml",
    "application/yaml",
];
/// What others end with that are made of these.
const SUFFIXES: [&str; 4] = ["+json", "+xml", "+text", "+yaml"];

/// The coding that a reply is to be sent in, if its route compresses; `None` as it is.
pub(super) fn wanted(fields: Fields<'_>, reply: &Reply) -> Option<Coding> {
    let Preference { coding, refuses_identity } = Preference::of(fields::members(fields, &ACCEPT_ENCODING));
    let coding = coding?;
    let least = if refuses_identity { 1 } else { SHORT };
    if reply.content.length().is_none_or(|length| length < least) {
        return None;
    }
    let (mut pays, mut may) = (false, true);
    reply.each_field(|name, value| {
        let is = |own: &str| name.eq_ignore_ascii_case(own.as_bytes());
        if is("content-type") {
            pays = is_text(value);
        } else if is("content-encoding") || is("set-cookie") || (is("cache-control") && is_fixed(value)) {
            may = false;
        }
    });
    (pays && may).then_some(coding)
}

/// Whether a body of that type becomes shorter. Events are sent as they come.
fn is_text(value: &[u8]) -> bool {
    let essence = value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let Some(essence) = fields::text(essence).map(str::to_ascii_lowercase) else { return false };
    let is_one = essence.starts_with("text/") || TYPES.contains(&essence.as_str());
    (is_one || SUFFIXES.iter().any(|suffix| essence.ends_with(suffix))) && essence != "text/event-stream"
}

/// Whether `Cache-Control` says that nobody may change the body (RFC 9111, 5.2.2.6).
fn is_fixed(value: &[u8]) -> bool {
    value.split(|byte| *byte == b',').any(|one| one.trim_ascii().eq_ignore_ascii_case(b"no-transform"))
}

/// The body in that coding; `None` where it becomes no shorter, or there is no room for it.
pub(super) async fn encode(content: &Content, coding: Coding, budget: &Arc<Budget>) -> Option<Content> {
    let length = content.length()?;
    if length <= LONG {
        let mut encoder = Encoder::new(coding, length).ok()?;
        for part in parts(content) {
            encoder.put(part).ok()?;
        }
        let coded = encoder.finish().ok()?;
        return ((coded.len() as u64) < length).then_some(Content::Full(coded));
    }
    let _room = budget.take(MEMORY)?;
    let mut encoder = Encoder::new(coding, length).ok()?;
    let mut made = Made { pieces: Vec::new(), length: 0, budget };
    for step in parts(content).flat_map(|part| part.chunks(STEP)) {
        encoder.put(step).ok()?;
        if encoder.ready() >= PIECE {
            made.put(encoder.take())?;
        }
        if made.length >= length {
            return None;
        }
        yield_now().await;
    }
    made.put(encoder.finish().ok()?)?;
    (made.length < length).then_some(Content::Pieces(made.pieces))
}

/// What has come of a long body.
struct Made<'b> {
    pieces: Vec<Bytes>,
    length: u64,
    budget: &'b Arc<Budget>,
}

impl Made<'_> {
    /// Takes a piece; `None` where there is no room for it.
    fn put(&mut self, piece: Vec<u8>) -> Option<()> {
        let room: Room = self.budget.take(piece.capacity())?;
        self.length += piece.len() as u64;
        self.pieces.push(with_room(piece, 0, room));
        Some(())
    }
}

fn parts(content: &Content) -> impl Iterator<Item = &[u8]> {
    let pieces = match content {
        Content::Pieces(pieces) => pieces.as_slice(),
        _ => &[],
    };
    std::iter::once(content.whole()).chain(pieces.iter().map(AsRef::as_ref))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn reply(lines: &[(&str, &str)], length: usize) -> Reply {
        let mut reply = Reply { content: Content::Full(vec![b'a'; length]), ..Reply::empty(200) };
        lines.iter().for_each(|(name, value)| reply.field(name, value));
        reply
    }

    fn is_wanted(accept: &str, lines: &[(&str, &str)], length: usize) -> bool {
        let request = fields::request(&[("Accept-Encoding", accept)]);
        wanted(request.fields(), &reply(lines, length)).is_some()
    }

    #[test]
    fn only_what_becomes_shorter_and_is_nobodys_secret_is_wanted_in_a_coding() {
        for (media_type, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/problem+json", true),
            ("text/csv", true),
            ("image/svg+xml", true),
            ("text/event-stream", false),
            ("image/png", false),
            ("application/zip", false),
            ("application/octet-stream", false),
        ] {
            assert_eq!(is_wanted("gzip", &[("content-type", media_type)], 2000), expected, "{media_type}");
        }
        let text = ("content-type", "text/plain");
        for (accept, more, length, expected) in [
            ("gzip", ("x-a", "b"), 1024, true),
            ("gzip", ("x-a", "b"), 1023, false),
            ("gzip, identity;q=0", ("x-a", "b"), 1023, true),
            ("gzip, identity;q=0", ("x-a", "b"), 0, false),
            ("deflate", ("x-a", "b"), 2000, false),
            ("gzip", ("set-cookie", "a=b"), 2000, false),
            ("gzip", ("Content-Encoding", "br"), 2000, false),
            ("gzip", ("cache-control", "public, No-Transform"), 2000, false),
            ("gzip", ("cache-control", "public, max-age=1"), 2000, true),
        ] {
            assert_eq!(is_wanted(accept, &[text, more], length), expected, "{accept} {more:?} {length}");
        }
        assert!(!is_wanted("gzip", &[], 2000), "nobody knows what it is");
    }

    fn text(length: usize) -> Vec<u8> {
        (0..).flat_map(|n: u32| format!("{{\"id\":{n}}},").into_bytes()).take(length).collect()
    }

    /// Pieces of a long body, of uneven lengths.
    fn pieces(body: &[u8]) -> Content {
        Content::Pieces(body.chunks(50_001).map(Bytes::copy_from_slice).collect())
    }

    fn whole(content: &Content) -> Vec<u8> {
        parts(content).collect::<Vec<_>>().concat()
    }

    fn gunzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        flate2::read::GzDecoder::new(bytes).read_to_end(&mut out).expect("gzip");
        out
    }

    #[tokio::test]
    async fn a_long_body_is_made_in_steps_within_its_room() {
        let (body, budget) = (text(3 << 20), Budget::new(64 << 20));
        let content = pieces(&body);
        let mut making = std::pin::pin!(encode(&content, Coding::Gzip, &budget));
        let (mut stops, mut peak) = (0, 0);
        let made = std::future::poll_fn(|cx| {
            let polled = making.as_mut().poll(cx);
            stops += usize::from(polled.is_pending());
            peak = peak.max(budget.used());
            polled
        })
        .await
        .expect("it is shorter");
        assert!(stops >= body.len() / STEP, "{stops}");
        assert!(peak > MEMORY && peak < MEMORY + body.len(), "{peak}");
        assert_eq!(gunzip(&whole(&made)), body);
        assert!((1..body.len()).contains(&budget.used()), "what was made holds its room");
        drop(made);
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn what_becomes_no_shorter_or_has_no_room_stays_as_it_is() {
        let noise: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..)).take(300_000).collect();
        let budget = Budget::new(64 << 20);
        for coding in Coding::ALL {
            assert!(encode(&pieces(&noise), coding, &budget).await.is_none(), "{coding:?}");
            let short = Content::Full(noise[..2000].to_vec());
            assert!(encode(&short, coding, &budget).await.is_none(), "{coding:?}");
            for room in [MEMORY - 1, MEMORY + 1] {
                let little = Budget::new(room);
                assert!(encode(&pieces(&text(300_000)), coding, &little).await.is_none(), "{room}");
                assert_eq!(little.used(), 0);
            }
            let made = encode(&Content::Full(text(40_000)), coding, &Budget::new(0)).await;
            assert!(made.is_some_and(|made| made.whole().len() < 10_000), "a short one needs none");
        }
        assert_eq!(budget.used(), 0);
    }
}
