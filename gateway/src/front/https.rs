//! What TLS, or its absence, says of a request before its route is looked up: whether it has come to the right place.

use super::connection::Connection;
use super::reply::Reply;
use crate::failure::Failure;
use crate::host::without_port;
use callgate_http1::{Refusal, Request};

/// The port that an `https` URI need not name.
const PORT: u16 = 443;

/// Lets a request pass; or gives the reply that sends its client to HTTPS; or says why it has come to the wrong place.
#[inline]
pub(super) fn admit(connection: &Connection, head: &Request) -> Result<Option<Reply>, Failure> {
    let listener = &connection.listener;
    if listener.tls.is_none() && listener.https_redirect.is_none() {
        return Ok(None);
    }
    look_at(connection, head)
}

fn look_at(connection: &Connection, head: &Request) -> Result<Option<Reply>, Failure> {
    if let Some(port) = connection.listener.https_redirect {
        // The whole gateway is asked, and not for a resource.
        return if head.path() == "*" { Ok(None) } else { redirect(head, port).map(Some) };
    }
    let Some(peer) = connection.tls.get() else { return Err(Failure::PlainHttp) };
    match head.host() {
        Some(host) if !peer.may_ask(host) => Err(Failure::Misdirected(host.to_owned())),
        _ => Ok(None),
    }
}

/// Sends a client to the same host and target by HTTPS, with the same method (RFC 9110, 15.4.9).
fn redirect(head: &Request, port: u16) -> Result<Reply, Failure> {
    let host = without_port(head.host().ok_or(Failure::Refused(Refusal::NoHost))?);
    let mut location = format!("https://{host}");
    if port != PORT {
        location.push_str(&format!(":{port}"));
    }
    location.push_str(head.path());
    if let Some(query) = head.query() {
        location.push('?');
        location.push_str(query);
    }
    let mut reply = Reply::empty(308);
    // All of it was checked with the head: it is visible ASCII.
    reply.field("location", &location);
    Ok(reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::NAMES;
    use callgate_http1::Limits;

    #[test]
    fn a_client_is_sent_to_the_same_place_by_https() {
        let limits = Limits { max_head: 8192, max_target: 4096, max_fields: 100, max_trailers: 1024 };
        for (head, port, location) in [
            ("GET /a/b?c=%20d HTTP/1.1\r\nhost: x.example", 443, "https://x.example/a/b?c=%20d"),
            ("POST / HTTP/1.1\r\nhost: x.example:8080", 443, "https://x.example/"),
            ("GET /? HTTP/1.1\r\nhost: [::1]:80", 8443, "https://[::1]:8443/?"),
            ("GET http://y.example HTTP/1.1\r\nhost: y.example", 443, "https://y.example/"),
        ] {
            let mut request = Request::new(&NAMES);
            request.buffer().extend_from_slice(format!("{head}\r\n\r\n").as_bytes());
            assert_eq!(request.parse(&limits), Ok(true), "{head}");
            let reply = redirect(&request, port).expect("it has a host");
            let lines = String::from_utf8(reply.lines).expect("text");
            assert_eq!((reply.status, lines), (308, format!("location: {location}\r\n")));
        }
        let mut request = Request::new(&NAMES);
        request.buffer().extend_from_slice(b"GET / HTTP/1.0\r\n\r\n");
        assert_eq!(request.parse(&limits), Ok(true));
        assert!(matches!(redirect(&request, 443), Err(Failure::Refused(Refusal::NoHost))));
    }
}
