//! Heads as their owner sees them: whole, byte by byte, and one after the other.

use super::*;
use crate::{Known, Lines, RequestBuilder};

static NAMES: KnownNames = KnownNames::new(&["x-request-id", "content-type"]);

pub(super) const LIMITS: Limits = Limits { max_head: 512, max_target: 64, max_fields: 8, max_trailers: 256 };

/// Shows pieces one after the other, until one decides it.
fn show<'p>(pieces: impl Iterator<Item = &'p [u8]>) -> (Request, Result<bool, Refusal>) {
    let mut request = Request::new(&NAMES);
    let mut parsed = Ok(false);
    for piece in pieces {
        request.buffer().extend_from_slice(piece);
        parsed = request.parse(&LIMITS);
        if parsed != Ok(false) {
            break;
        }
    }
    (request, parsed)
}

/// What becomes of a text. It is the same whole and byte by byte.
pub(super) fn parse(text: &str) -> (Request, Result<bool, Refusal>) {
    let (_, by_byte) = show(text.as_bytes().chunks(1));
    let (request, whole) = show(std::iter::once(text.as_bytes()));
    assert_eq!(whole, by_byte, "{text:?}");
    (request, whole)
}

pub(super) fn read(text: &str) -> Request {
    let (request, parsed) = parse(text);
    assert_eq!(parsed, Ok(true), "{text:?}");
    request
}

#[test]
fn a_head_is_kept_as_it_was_sent() {
    let request = read(
        "POST /a/b?c=d&e HTTP/1.1\r\nHost: example.com:8080\r\nContent-Type:text/plain\r\nX-Request-ID: \t1 2 \t\r\n\
         X-A: \r\nx-a: 2\r\nContent-Length: 5\r\n\r\nhelloGET",
    );
    assert_eq!(request.method(), "POST");
    assert_eq!((request.path(), request.query()), ("/a/b", Some("c=d&e")));
    assert_eq!(request.version(), Version::Http11);
    assert_eq!(request.host(), Some("example.com:8080"));
    assert_eq!(request.body_length(), BodyLength::Known(5));
    assert!(request.keeps_alive() && !request.expects_continue());
    assert_eq!(request.rest(), b"helloGET");
    let fields = request.fields();
    assert_eq!(fields.known(Known(0)), Lines::One(b"1 2"));
    assert_eq!(fields.known(Known(1)), Lines::One(b"text/plain"));
    assert_eq!(fields.each_known(Known(1)).collect::<Vec<_>>(), [b"text/plain"]);
    assert_eq!(fields.lines("X-a"), Lines::Several);
    assert_eq!(fields.each("x-A").collect::<Vec<_>>(), [&b""[..], b"2"]);
    assert_eq!(fields.lines("x-b"), Lines::None);
    assert_eq!(fields.iter().next(), Some(("Host", &b"example.com:8080"[..])));
    assert_eq!(fields.len(), 6);
}

#[test]
fn several_lines_of_a_known_name_are_noted() {
    let request =
        read("GET / HTTP/1.1\r\nX-Request-Id: 1\r\nHost: h\r\nX-REQUEST-ID:\r\nx-request-id: 3\r\n\r\n");
    let fields = request.fields();
    assert_eq!(fields.known(Known(0)), Lines::Several);
    assert_eq!(fields.each_known(Known(0)).collect::<Vec<_>>(), [&b"1"[..], b"", b"3"]);
    for absent in [Known(1), Known(2), Known(31), Known(32), Known(255)] {
        assert_eq!(fields.known(absent), Lines::None);
        assert_eq!(fields.each_known(absent).count(), 0);
    }
}

#[test]
fn requests_follow_each_other_in_one_buffer() {
    let mut request = Request::new(&NAMES);
    let one = "GET /1 HTTP/1.1\r\nHost: h\r\nX-Request-Id: 1\r\n\r\n";
    let other = "\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab";
    request.buffer().extend_from_slice([one, other, "\r\n", one].concat().as_bytes());
    assert_eq!(request.parse(&LIMITS), Ok(true));
    request.finish(0);
    assert_eq!((request.path(), request.query(), request.fields().len()), ("", None, 0));
    assert_eq!(request.parse(&LIMITS), Ok(true));
    assert_eq!((request.path(), request.body_length()), ("/2", BodyLength::Known(2)));
    assert_eq!(request.fields().known(Known(0)), Lines::None);
    request.finish(2);
    assert_eq!(request.parse(&LIMITS), Ok(true));
    assert_eq!((request.path(), request.body_length()), ("/1", BodyLength::Empty));
    assert_eq!(request.fields().known(Known(0)), Lines::One(b"1"));
    request.finish(0);
    assert_eq!(request.parse(&LIMITS), Ok(false));
    assert!(request.buffer().is_empty());
}

#[test]
fn half_a_head_says_its_method_and_nothing_else() {
    let (request, parsed) = parse("HEAD /a?b HTTP/1.1\r\nHost: h\r\nX-Request-Id: 1\r\n");
    assert_eq!(parsed, Ok(false));
    assert_eq!((request.method(), request.path(), request.query(), request.host()), ("HEAD", "", None, None));
    assert!(request.fields().is_empty() && request.rest().is_empty() && request.has_begun());
}

#[test]
fn a_refused_request_is_never_another_one() {
    let mut request = read("GET / HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\nHost: h\r\n\r\n");
    request.finish(0);
    assert_eq!(request.parse(&LIMITS), Err(Refusal::BareLf));
    request.finish(0);
    request.buffer().extend_from_slice(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(request.parse(&LIMITS), Err(Refusal::BareLf));
    assert!(request.rest().is_empty() && request.path().is_empty());
    request.clear();
    assert_eq!(request.parse(&LIMITS), Ok(false));
    request.buffer().extend_from_slice(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(request.parse(&LIMITS), Ok(true));
}

#[test]
fn an_empty_line_before_a_request_is_no_begin() {
    for (text, begun) in [("", false), ("\r", false), ("\r\n", false), ("\r\nG", true), ("G", true)] {
        let (request, parsed) = parse(text);
        assert_eq!((parsed, request.has_begun()), (Ok(false), begun), "{text:?}");
    }
}

#[test]
fn memory_is_given_back_and_what_was_read_stays() {
    let mut request = Request::new(&NAMES);
    request.buffer().reserve(100_000);
    request
        .buffer()
        .extend_from_slice(b"GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_eq!(request.parse(&LIMITS), Ok(true));
    request.finish(0);
    assert_eq!(request.parse(&LIMITS), Ok(true));
    request.shrink(1_000);
    assert!(request.buffer().capacity() <= 1_000);
    assert_eq!((request.path(), request.host()), ("/2", Some("h")));
}

#[test]
fn a_builder_makes_what_parsing_makes() {
    let read = read(
        "POST /a?b HTTP/1.0\r\nHost: h\r\nConnection: keep-alive\r\nX-Request-Id: 7\r\nContent-Length: 3\r\n\r\n",
    );
    let made = RequestBuilder::new(&NAMES, "POST", "/a?b").version(Version::Http10).field("Host", b"h");
    let made = made.field("Connection", b"keep-alive").field("X-Request-Id", b"7");
    let made = made.field("Content-Length", b"3").build();
    for request in [&read, &made] {
        assert_eq!((request.method(), request.path(), request.query()), ("POST", "/a", Some("b")));
        assert_eq!((request.version(), request.host()), (Version::Http10, Some("h")));
        assert_eq!(request.fields().known(Known(0)), Lines::One(b"7"));
        assert!(request.keeps_alive() && request.rest().is_empty());
        assert_eq!(request.body_length(), BodyLength::Known(3));
    }
    assert!(read.fields().iter().eq(made.fields().iter()));
}

#[test]
fn targets_name_a_path_and_perhaps_a_host() {
    for (target, method, path, query, host) in [
        ("/", "GET", "/", None, "h"),
        ("/?", "GET", "/", Some(""), "h"),
        ("/a?b?c", "GET", "/a", Some("b?c"), "h"),
        ("//a//", "GET", "//a//", None, "h"),
        ("/%zz%", "GET", "/%zz%", None, "h"),
        ("/-._~!$&'()*+,;=:@", "GET", "/-._~!$&'()*+,;=:@", None, "h"),
        ("/?[]{}|\\^`%/?:@", "GET", "/", Some("[]{}|\\^`%/?:@"), "h"),
        ("*", "OPTIONS", "*", None, "h"),
        ("http://h", "GET", "/", None, "h"),
        ("http://h?q", "GET", "/", Some("q"), "h"),
        ("HTTP://H:80/a?q", "GET", "/a", Some("q"), "H:80"),
        ("https://h:443/", "GET", "/", None, "h:443"),
    ] {
        let request = read(&format!("{method} {target} HTTP/1.1\r\nHost: h\r\n\r\n"));
        assert_eq!((request.path(), request.query(), request.host()), (path, query, Some(host)), "{target}");
    }
    let request = read("GET http://h:81/ HTTP/1.0\r\n\r\n");
    assert_eq!(request.host(), Some("h:81"));
    assert_eq!(read("GET / HTTP/1.0\r\n\r\n").host(), None);
}

#[test]
fn the_connection_goes_on_as_the_client_says() {
    for (head, goes_on) in [
        ("GET / HTTP/1.1\r\nHost: h\r\n", true),
        ("GET / HTTP/1.7\r\nHost: h\r\n", true),
        ("GET / HTTP/1.0\r\n", false),
        ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n", true),
        ("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n", false),
        ("GET / HTTP/1.1\r\nHost: h\r\nConnection: CLOSE\r\n", false),
        ("GET / HTTP/1.1\r\nHost: h\r\nConnection: a, ,\tclose ,b\r\n", false),
        (
            "GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\nConnection: x\r\nConnection: close\r\n",
            false,
        ),
        ("GET / HTTP/1.1\r\nHost: h\r\nConnection: closed, clos, xclose\r\n", true),
        ("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n", true),
    ] {
        assert_eq!(read(&format!("{head}\r\n")).keeps_alive(), goes_on, "{head}");
    }
}

#[test]
fn a_client_waits_for_continue_only_if_it_has_a_body_for_http_1_1() {
    for (head, waits) in [
        ("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n", true),
        ("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\nExpect: 100-continue\r\n", true),
        ("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 0\r\n", false),
        ("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n", false),
        ("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n", false),
    ] {
        assert_eq!(read(&format!("{head}\r\n")).expects_continue(), waits, "{head}");
    }
}

#[test]
fn bodies_have_the_length_that_is_said() {
    for (line, length) in [
        ("Content-Length: 0", BodyLength::Empty),
        ("Content-Length: 000000000000000000000000000000000012", BodyLength::Known(12)),
        ("Content-Length: 9223372036854775807", BodyLength::Known(i64::MAX as u64)),
        ("transfer-encoding:\t chunked \t", BodyLength::Chunked),
        ("TRANSFER-ENCODING: CHUNKED", BodyLength::Chunked),
    ] {
        assert_eq!(
            read(&format!("GET / HTTP/1.1\r\nHost: h\r\n{line}\r\n\r\n")).body_length(),
            length,
            "{line}"
        );
    }
}
