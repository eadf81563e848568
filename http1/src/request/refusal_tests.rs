//! Heads that are refused, each with its reason: whole and byte by byte.

use super::tests::{LIMITS, parse, read};
use super::*;

#[test]
fn request_lines_that_are_none_are_refused() {
    use Refusal::*;
    let (longest, too_long) = ("a".repeat(63), "a".repeat(64));
    read(&format!("GET /{longest} HTTP/1.1\r\nHost: h\r\n\r\n"));
    read(&format!("GET /?{} HTTP/1.1\r\nHost: h\r\n\r\n", &longest[1..]));
    for (line, refusal) in [
        ("\r\n\r\nGET / HTTP/1.1", RequestLine),
        ("\nGET / HTTP/1.1", BareLf),
        ("\rGET / HTTP/1.1", BareCr),
        ("\r\n\nGET / HTTP/1.1", BareLf),
        (" GET / HTTP/1.1", Method),
        ("GET", RequestLine),
        ("GET\n", BareLf),
        ("GET\t/ HTTP/1.1", ControlByte),
        ("G@T / HTTP/1.1", Method),
        ("G\u{e9}T / HTTP/1.1", Method),
        ("\x16\x03\x01\x02\0\x01", Tls),
        ("GET\0 / HTTP/1.1", ControlByte),
        ("get / HTTP/1.1", UnknownMethod),
        ("GETS / HTTP/1.1", UnknownMethod),
        ("PROPFIND / HTTP/1.1", UnknownMethod),
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", UnknownMethod),
        ("CONNECT h:80 HTTP/1.1", Connect),
        ("PRI * HTTP/2.0", HttpTwo),
        ("PRI / HTTP/1.1", UnknownMethod),
        ("PRI * HTTP/1.1", UnknownMethod),
        ("GET  / HTTP/1.1", RequestLine),
        ("GET /  HTTP/1.1", RequestLine),
        ("GET / HTTP/1.1 ", RequestLine),
        ("GET /", RequestLine),
        ("GET / \n", BareLf),
        ("GET / HTTP/1.1\n", BareLf),
        ("GET / HTTP/1.1\rX", BareCr),
        ("GET / a HTTP/1.1", Version),
        ("GET /\tHTTP/1.1", ControlByte),
        ("GET a HTTP/1.1", Target),
        ("GET * HTTP/1.1", Target),
        ("OPTIONS *a HTTP/1.1", Target),
        ("OPTIONS ** HTTP/1.1", Target),
        ("GET ?a HTTP/1.1", Target),
        ("GET h:80 HTTP/1.1", Target),
        ("GET http:/h/ HTTP/1.1", Target),
        ("GET http://u@h/ HTTP/1.1", Target),
        ("GET http://h/#a HTTP/1.1", Target),
        ("GET http://h/[ HTTP/1.1", Target),
        ("GET ftp://h/ HTTP/1.1", Target),
        ("GET /a#b HTTP/1.1", Target),
        ("GET /a?b#c HTTP/1.1", Target),
        ("GET /\u{e9} HTTP/1.1", Target),
        ("GET /?\u{e9} HTTP/1.1", Target),
        ("GET /[ HTTP/1.1", Target),
        ("GET /| HTTP/1.1", Target),
        ("GET /\\ HTTP/1.1", Target),
        ("GET /?a\"b HTTP/1.1", Target),
        ("GET /?<a> HTTP/1.1", Target),
        ("GET /\x01 HTTP/1.1", ControlByte),
        ("GET /?\x7f HTTP/1.1", ControlByte),
        (&format!("GET /{too_long} HTTP/1.1"), TargetTooLong),
        (&format!("GET /?{longest} HTTP/1.1"), TargetTooLong),
        (&format!("GET http://h/{longest} HTTP/1.1"), TargetTooLong),
        ("GET / HTTP/2.0", HttpTwo),
        ("GET / HTTP/3.0", UnknownVersion),
        ("GET / HTTP/0.9", UnknownVersion),
        ("GET / HTTP/1", Version),
        ("GET / HTTP/11.1", Version),
        ("GET / HTTP/1.10", Version),
        ("GET / HTTP/1,1", Version),
        ("GET / HTTP/.1", Version),
        ("GET / http/1.1", Version),
        ("GET / HTTQ/1.1", Version),
        ("GET / HTTP/1.1\0", ControlByte),
    ] {
        assert_eq!(parse(&format!("{line}\r\nHost: h\r\n\r\n")).1, Err(refusal), "{line:?}");
    }
}

#[test]
fn field_lines_that_are_none_are_refused() {
    use Refusal::*;
    for (lines, refusal) in [
        ("X: a\n", BareLf),
        ("X\n", BareLf),
        ("\n", BareLf),
        ("X: a\rb\r\n", BareCr),
        ("\rX: a\r\n", BareCr),
        ("X: a\0b\r\n", ControlByte),
        ("X: a\x7f\r\n", ControlByte),
        ("X: \x0b\r\n", ControlByte),
        ("X\0: a\r\n", ControlByte),
        ("X : a\r\n", SpaceBeforeColon),
        ("X\t: a\r\n", SpaceBeforeColon),
        ("X y: a\r\n", SpaceBeforeColon),
        (" X: a\r\n", ObsFold),
        ("X: a\r\n b\r\n", ObsFold),
        ("X: a\r\n\t\r\n", ObsFold),
        (": a\r\n", FieldName),
        ("X\r\n", FieldName),
        ("X@: a\r\n", FieldName),
        ("X\u{e9}: a\r\n", FieldName),
        ("(X): a\r\n", FieldName),
        ("A:\r\nB:\r\nC:\r\nD:\r\nE:\r\nF:\r\nG:\r\nI:\r\n", TooManyFields),
        (&format!("X: {}\r\n", "a".repeat(481)), HeadTooLarge),
        (&format!("{}: a\r\n", "a".repeat(490)), HeadTooLarge),
    ] {
        assert_eq!(parse(&format!("GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n")).1, Err(refusal), "{lines:?}");
    }
    for lines in ["X:\r\n", "X: \u{e9}\r\n", "X: a\tb\r\n", "!#$%&'*+-.^_`|~: \"\r\n", "X:  : \r\n"] {
        read(&format!("GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n"));
    }
    let largest = format!("GET / HTTP/1.1\r\nHost: h\r\nX: {}\r\n\r\n", "a".repeat(480));
    assert_eq!(largest.len(), LIMITS.max_head);
    read(&largest);
}

#[test]
fn what_fields_say_of_host_body_and_connection_is_checked() {
    use Refusal::*;
    for (head, refusal) in [
        ("GET / HTTP/1.1\r\n", NoHost),
        ("GET http://h/ HTTP/1.1\r\n", NoHost),
        ("GET / HTTP/1.1\r\nHost: h\r\nHost: h\r\n", SeveralHosts),
        ("GET / HTTP/1.1\r\nHost:\r\n", Host),
        ("GET / HTTP/1.0\r\nHost:\r\n", Host),
        ("GET / HTTP/1.1\r\nHost: a, b\r\n", Host),
        ("GET / HTTP/1.1\r\nHost: u@h\r\n", Host),
        ("GET / HTTP/1.1\r\nHost: h/\r\n", Host),
        ("GET / HTTP/1.1\r\nHost: [::1\r\n", Host),
        ("GET / HTTP/1.1\r\nHost: h:65536\r\n", Host),
        ("GET http://a/ HTTP/1.1\r\nHost: b\r\n", HostMismatch),
        ("GET http://a/ HTTP/1.1\r\nHost: a:81\r\n", HostMismatch),
        ("GET http://a:443/ HTTP/1.1\r\nHost: a\r\n", HostMismatch),
        ("GET http://a/ HTTP/1.0\r\nHost: b\r\n", HostMismatch),
        ("GET / HTTP/1.1\r\nContent-Length:\r\n", ContentLength),
        ("GET / HTTP/1.1\r\nContent-Length: +1\r\n", ContentLength),
        ("GET / HTTP/1.1\r\nContent-Length: -1\r\n", ContentLength),
        ("GET / HTTP/1.1\r\nContent-Length: 1 2\r\n", ContentLength),
        ("GET / HTTP/1.1\r\nContent-Length: 1, 1\r\n", ContentLength),
        ("GET / HTTP/1.1\r\nContent-Length: 0x1\r\n", ContentLength),
        ("GET / HTTP/1.1\r\nContent-Length: \u{661}\r\n", ContentLength),
        ("GET / HTTP/1.1\r\nContent-Length: 9223372036854775808\r\n", ContentLength),
        ("GET / HTTP/1.1\r\nContent-Length: 18446744073709551617\r\n", ContentLength),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n", SeveralContentLengths),
        ("GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n", BothLengths),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n", BothLengths),
        ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n", TransferCodingHttp10),
        ("GET / HTTP/1.0\r\nTransfer-Encoding: identity\r\n", TransferCodingHttp10),
        ("GET / HTTP/1.1\r\nTransfer-Encoding:\r\n", TransferCoding),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n", TransferCoding),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked, chunked\r\n", TransferCoding),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: ,chunked\r\n", TransferCoding),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked,\r\n", TransferCoding),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked;q=1\r\n", TransferCoding),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: identity\r\n", TransferCoding),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n", TransferCoding),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: \"chunked\"\r\n", TransferCoding),
        ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", TransferCoding),
        ("GET / HTTP/1.1\r\nExpect: 200-ok\r\n", Expect),
        ("GET / HTTP/1.1\r\nExpect:\r\n", Expect),
        ("GET / HTTP/1.1\r\nExpect: 100-continue, 100-continue\r\n", Expect),
        ("GET / HTTP/1.0\r\nExpect: later\r\n", Expect),
    ] {
        assert_eq!(parse(&format!("{head}\r\n")).1, Err(refusal), "{head:?}");
    }
}

#[test]
fn a_refusal_comes_with_the_byte_that_decides_it() {
    for (text, refusal) in [
        ("GET / HTTP/1.1\n", Refusal::BareLf),
        ("GET /a  ", Refusal::RequestLine),
        ("GET / HTTP/2.0", Refusal::HttpTwo),
        ("GET / HTTP/1.1\r\nHost: a,b\r\n", Refusal::Host),
        ("GET / HTTP/1.1\r\nHost: h\r\nX: a\x00", Refusal::ControlByte),
        ("GET / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n", Refusal::TransferCoding),
        ("GET / HTTP/1.1\r\nHost: h\r\n ", Refusal::ObsFold),
        ("CONNECT ", Refusal::Connect),
        ("PRI * HTTP/2", Refusal::HttpTwo),
        ("PRI /", Refusal::UnknownMethod),
    ] {
        let (before, _) = text.split_at(text.len() - 1);
        assert_eq!(parse(before).1, Ok(false), "{before:?}");
        assert_eq!(parse(text).1, Err(refusal), "{text:?}");
    }
}
