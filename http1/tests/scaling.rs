//! What a client can make large, at one size and at twice that: heads, and how they are cut. And what costs no memory at all.
#![allow(clippy::unwrap_used)]

use callgate_http1::{
    BodyDecoder, BodyEvent, BodyLength, Known, KnownNames, Limits, Lines, ReplyBody, ReplyHead, Request,
    chunk,
};
use callgate_scaling::{Case, Cost, cost, grow_like_their_input};

static NAMES: KnownNames = KnownNames::new(&["x-a"]);

const LIMITS: Limits =
    Limits { max_head: 1 << 24, max_target: 1 << 24, max_fields: 1 << 20, max_trailers: 1 << 24 };

fn head(target: usize, fields: usize, value: usize) -> Vec<u8> {
    let line = format!("X-A: {}\r\n", "a".repeat(value));
    format!("POST /{} HTTP/1.1\r\nHost: h\r\n{}\r\n", "a".repeat(target), line.repeat(fields)).into_bytes()
}

/// What a head costs that comes in pieces of this size.
fn read(head: &[u8], piece: usize) -> Cost {
    cost(|| {
        let mut request = Request::new(&NAMES);
        let mut whole = false;
        for piece in head.chunks(piece) {
            assert!(!whole);
            request.buffer().extend_from_slice(piece);
            whole = request.parse(&LIMITS).unwrap();
        }
        assert!(whole);
        request
    })
}

#[test]
fn memory_grows_like_what_a_client_sends() {
    let cases: [Case; 5] = [
        ("the target", 10_000, |n| read(&head(n, 0, 0), 1_000)),
        ("the fields", 2_000, |n| read(&head(0, n, 1), 1_000)),
        ("a field's value", 10_000, |n| read(&head(0, 1, n), 1_000)),
        ("the pieces", 10_000, |n| read(&head(0, 1, n), 1)),
        ("requests in one piece", 500, |n| {
            let requests = head(0, 0, 0).repeat(n);
            cost(|| {
                let mut request = Request::new(&NAMES);
                request.buffer().extend_from_slice(&requests);
                for _ in 0..n {
                    assert_eq!(request.parse(&LIMITS), Ok(true));
                    request.finish(0);
                }
                request
            })
        }),
    ];
    grow_like_their_input(&cases);
}

#[test]
fn the_second_request_allocates_nothing_however_many_fields_it_has() {
    let mut bytes = head(100, 100, 20);
    bytes.truncate(bytes.len() - 2);
    bytes.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
    chunk(&mut bytes, &[b'a'; 1_000]);
    bytes.extend_from_slice(b"0;a=b\r\nX-A: b\r\n\r\n");
    let mut request = Request::new(&NAMES);
    let mut serve = || {
        request.buffer().extend_from_slice(&bytes);
        assert_eq!(request.parse(&LIMITS), Ok(true));
        assert_eq!((request.fields().len(), request.fields().known(Known(0))), (102, Lines::Several));
        let mut decoder = BodyDecoder::new(request.body_length(), &LIMITS);
        let (mut used, mut body) = (0, 0);
        while !decoder.has_ended() {
            let decoded = decoder.next(&request.rest()[used..]).unwrap();
            used += decoded.used;
            body += match decoded.event.unwrap() {
                BodyEvent::Piece(range) => range.len(),
                BodyEvent::End => 0,
            };
        }
        assert_eq!(body, 1_000);
        request.finish(used);
    };
    assert_ne!(cost(&mut serve).allocations, 0);
    assert_eq!(cost(&mut serve), Cost::default());
}

#[test]
fn a_body_costs_no_memory_by_what_it_claims() {
    let claims =
        [(BodyLength::Known(i64::MAX as u64), &b"a"[..]), (BodyLength::Chunked, b"7fffffffffffffff\r\na")];
    for (length, bytes) in claims {
        let cost = cost(|| BodyDecoder::new(length, &LIMITS).next(bytes).unwrap());
        assert_eq!(cost, Cost::default());
    }
}

#[test]
fn a_reply_head_allocates_nothing_where_there_is_room() {
    let mut out = Vec::with_capacity(1_000);
    let cost = cost(|| {
        let mut head = ReplyHead::begin(&mut out, 404);
        head.prepared(b"content-type: application/json\r\n");
        head.field("x-request-id", b"1");
        head.end(ReplyBody::Length(u64::MAX));
    });
    assert_eq!(cost, Cost::default());
}
