//! Heads: a request's as the rest of the front reads it, and a reply's as the library sends it.

use crate::front::connection::Connection;
use crate::front::date::DateLine;
use crate::front::exchange::Exchange;
use crate::front::reply::{Reply, each_field};
use callgate_http1::{Limits, Parts, Refusal, Request};
use h2::server::Builder;
use http::header::{CONTENT_LENGTH, DATE, HeaderMap, HeaderName, HeaderValue};
use http::{Response, StatusCode, request};

/// What most replies have: a date, an id, a type and a length; and room for some more.
const FIELDS: usize = 8;

/// Reads the head of a request, by the rules of HTTP/1.1.
pub(super) fn read(request: &mut Request, head: &request::Parts, limits: &Limits) -> Result<(), Refusal> {
    let uri = &head.uri;
    let parts = Parts {
        method: head.method.as_str(),
        scheme: uri.scheme_str(),
        authority: uri.authority().map(|authority| authority.as_str()),
        path: uri.path_and_query().map_or("", |path| path.as_str()),
    };
    let fields = || head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    request.read_parts(parts, fields, limits)
}

/// The bounds of heads, as the library keeps them. A field counts 32 bytes more there than its name and value have (RFC 9113, 6.5.2), so
/// what is a little too large is read, and refused as in HTTP/1.1.
pub(super) fn bound(builder: &mut Builder, limits: &Limits) {
    let bytes = limits.max_head + 64 * limits.max_fields;
    builder.max_header_list_size(u32::try_from(bytes).unwrap_or(u32::MAX));
}

/// The head of an exchange's reply.
pub(super) fn of_exchange(exchange: &Exchange, reply: &Reply) -> Response<()> {
    let connection = exchange.connection();
    let mut fields = begin(connection, exchange.context.id.as_str());
    for (name, value) in exchange.guards.passed.reply_fields() {
        put(&mut fields, name.as_bytes(), value.as_bytes());
    }
    of_reply(reply, fields, &connection.open.date)
}

/// The head of a reply to what was refused as a head.
pub(super) fn of_refusal(connection: &Connection, id: &str, reply: &Reply) -> Response<()> {
    of_reply(reply, begin(connection, id), &connection.open.date)
}

/// What each reply of a connection has, and its id.
fn begin(connection: &Connection, id: &str) -> HeaderMap {
    let mut fields = HeaderMap::with_capacity(FIELDS);
    each_field(connection.reply_lines(), |name, value| put(&mut fields, name, value));
    put(&mut fields, b"x-request-id", id.as_bytes());
    fields
}

fn of_reply(reply: &Reply, mut fields: HeaderMap, date: &DateLine) -> Response<()> {
    reply.each_field(|name, value| put(&mut fields, name, value));
    fields.insert(DATE, date.value());
    if let (false, Some(length)) = (matches!(reply.status, 204 | 304), reply.content.length()) {
        fields.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = fields;
    response
}

/// Adds a field. What is ours or was checked fits.
fn put(fields: &mut HeaderMap, name: &[u8], value: &[u8]) {
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
        fields.append(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::HalfClose;
    use crate::fields::NAMES;
    use crate::front::connection::testing;
    use crate::front::reply::Content;

    const LIMITS: Limits = Limits { max_head: 8192, max_target: 4096, max_fields: 3, max_trailers: 1024 };

    fn read_head(uri: &str, fields: &[(&str, &str)]) -> Result<Request, Refusal> {
        let mut builder = http::Request::builder().uri(uri);
        for (name, value) in fields {
            builder = builder.header(*name, *value);
        }
        let mut request = Request::new(&NAMES);
        let (parts, ()) = builder.body(()).expect("a request").into_parts();
        read(&mut request, &parts, &LIMITS).map(|()| request)
    }

    #[test]
    fn a_head_is_read_by_the_rules_of_http_1() {
        let request = read_head("https://a/b?c", &[("x-a", "1"), ("x-b", "2")]).expect("it is sound");
        assert_eq!((request.host(), request.path(), request.query()), (Some("a"), "/b", Some("c")));
        assert_eq!(read_head("/b", &[]).map(drop), Err(Refusal::NoHost));
        assert_eq!(read_head("https://a/b", &[("host", "c")]).map(drop), Err(Refusal::HostMismatch));
        let many = [("a", ""), ("b", ""), ("c", "")];
        assert_eq!(read_head("https://a/b", &many).map(drop), Err(Refusal::TooManyFields));
    }

    #[test]
    fn a_replys_head_has_its_lines_the_date_and_the_length() {
        let connection = testing::register(&testing::open(), HalfClose::Cancel);
        let mut reply = Reply { prepared: b"content-type: a/b\r\n", ..Reply::empty(503) };
        reply.field("retry-after", "1");
        reply.content = Content::Full(b"body".to_vec());
        let head = of_refusal(&connection, "id", &reply);
        let fields = head.headers();
        for (name, value) in
            [("content-type", "a/b"), ("retry-after", "1"), ("content-length", "4"), ("x-request-id", "id")]
        {
            assert_eq!(fields.get(name).map(HeaderValue::as_bytes), Some(value.as_bytes()), "{name}");
        }
        assert!(fields.get(DATE).is_some_and(|date| date.as_bytes().ends_with(b" GMT")));
        assert_eq!((head.status().as_u16(), fields.len()), (503, 5));
        let none = of_refusal(&connection, "id", &Reply::empty(204));
        assert_eq!(none.headers().get(CONTENT_LENGTH), None);
    }
}
