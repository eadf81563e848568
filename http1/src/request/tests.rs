//! Heads as their owner sees them.

use super::*;
use crate::{Known, Lines, RequestBuilder};

static NAMES: KnownNames = KnownNames::new(&["x-request-id", "content-type"]);

const LIMITS: Limits = Limits { max_head: 8_192, max_target: 1_024, max_fields: 8, max_trailers: 256 };

/// A head that is shown whole.
fn read(text: &str) -> Result<Request, Refusal> {
    let mut request = Request::new(&NAMES);
    request.buffer().extend_from_slice(text.as_bytes());
    assert!(request.parse(&LIMITS)?, "{text:?} is whole");
    Ok(request)
}

#[test]
fn a_head_is_kept_as_it_was_sent() {
    let text = "POST /a/b?c=d&e HTTP/1.1\r\nHost: example.com:8080\r\nContent-Type:text/plain\r\nX-Request-ID: \t1 2 \t\r\nX-A: \r\n\
                x-a: 2\r\nContent-Length: 5\r\n\r\nhelloGET";
    let mut request = read(text).unwrap();
    assert_eq!(request.method(), "POST");
    assert_eq!(request.path(), "/a/b");
    assert_eq!(request.query(), Some("c=d&e"));
    assert_eq!(request.version(), Version::Http11);
    assert_eq!(request.host(), Some("example.com:8080"));
    assert_eq!(request.body_length(), BodyLength::Known(5));
    assert!(request.keeps_alive() && !request.expects_continue());
    let fields = request.fields();
    assert_eq!(fields.known(Known(0)), Lines::One(b"1 2"));
    assert_eq!(fields.known(Known(1)), Lines::One(b"text/plain"));
    assert_eq!(fields.lines("X-a"), Lines::Several);
    assert_eq!(fields.each("x-A").collect::<Vec<_>>(), [&b""[..], b"2"]);
    assert_eq!(fields.lines("x-b"), Lines::None);
    assert_eq!(fields.iter().next(), Some(("Host", &b"example.com:8080"[..])));
    assert_eq!(fields.len(), 6);
    assert_eq!(request.rest(), b"helloGET");
    request.finish(5);
    assert!(!request.has_begun() && request.path().is_empty());
    assert_eq!(request.buffer(), b"GET");
    assert_eq!(request.parse(&LIMITS), Ok(false));
    assert!(request.has_begun());
}

#[test]
fn a_builder_makes_what_parsing_makes() {
    let read =
        read("GET /a?b HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\nX-Request-Id: 7\r\n\r\n").unwrap();
    let made = RequestBuilder::new(&NAMES, "GET", "/a?b").version(Version::Http10).field("Host", b"h");
    let made = made.field("Connection", b"keep-alive").field("X-Request-Id", b"7").build();
    for request in [&read, &made] {
        assert_eq!((request.method(), request.path(), request.query()), ("GET", "/a", Some("b")));
        assert_eq!((request.version(), request.host()), (Version::Http10, Some("h")));
        assert_eq!(request.fields().known(Known(0)), Lines::One(b"7"));
        assert!(request.keeps_alive() && request.rest().is_empty());
        assert_eq!(request.body_length(), BodyLength::Empty);
    }
    assert!(read.fields().iter().eq(made.fields().iter()));
}
