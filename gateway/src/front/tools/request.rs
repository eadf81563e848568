//! The request of a tool's route, made of a tool's arguments and of the agent's own request: its path, its query and its body are those of the
//! arguments, and its headers those of the agent. So whoever may not call the route may not call the tool either, and what the route takes from
//! headers, the agent's client has to send.

use crate::config::Matcher;
use crate::failure::Failure;
use crate::fields;
use crate::routes::{Arguments, Route};
use callgate_http1::Request;

/// Fields that are about the agent's own message and its connection, beside those of the protocol.
const OWN: [&str; 29] = [
    "accept",
    "accept-charset",
    "accept-encoding",
    "connection",
    "content-digest",
    "content-encoding",
    "content-length",
    "content-type",
    "digest",
    "expect",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "keep-alive",
    "last-event-id",
    "proxy-connection",
    "range",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A request as it would have come.
#[derive(Debug)]
pub(super) struct Made {
    /// Its head, as by HTTP/1.1.
    pub(super) head: Vec<u8>,
    /// Its body.
    pub(super) body: Vec<u8>,
}

/// Makes the request.
///
/// # Errors
/// An argument does not fit into the path or the query.
pub(super) fn made(agent: &Request, route: &Route, mut arguments: Arguments<'_>) -> Result<Made, Failure> {
    let Some(action) = route.action.call() else { return Err(Failure::NoInstance) };
    let invalid = |violation| Failure::Invalid(vec![violation]);
    let Matcher { method, path, .. } = &route.matcher;
    let path = arguments.take_path(path).map_err(invalid)?;
    let taken = arguments.body_and_query(&action.spec).map_err(invalid)?;
    let (body, query) = taken.unwrap_or_default();
    let mut head = format!("{method} {path}").into_bytes();
    if !query.is_empty() {
        head.push(b'?');
        head.extend_from_slice(query.as_bytes());
    }
    head.extend_from_slice(b" HTTP/1.1\r\n");
    let mut put = |name: &str, value: &[u8]| {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            head.extend_from_slice(part);
        }
    };
    put("host", agent.host().unwrap_or_default().as_bytes());
    for (name, value) in fields::all(agent.fields()) {
        let is_of_protocol = name.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("mcp-"));
        if !is_of_protocol && !OWN.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            put(name, value);
        }
    }
    if !body.is_empty() {
        put("content-type", b"application/json");
        put("content-length", body.len().to_string().as_bytes());
    }
    head.extend_from_slice(b"\r\n");
    Ok(Made { head, body: body.into_bytes() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, Tables};
    use crate::fields::NAMES;
    use crate::routes::{Argument, Table};
    use callgate_http1::RequestBuilder;
    use serde_json::value::RawValue;

    #[test]
    fn a_request_is_made_of_the_arguments_and_the_headers_of_the_agent() {
        let text = "[backends.a]\nendpoints = ['x:1']\n[[routes]]\nmatch = 'POST /x/{id}'\ncall = 'a.b'\ntool = true\n\
                    bind = { page = { query = 'page' } }\n";
        let tables = Tables::parse(vec![Source::new("t.toml", text)]).expect("sound tables");
        let table = Table::next(&Table::empty(), tables, &Default::default(), 1);
        let mut agent = RequestBuilder::new(&NAMES, "POST", "/mcp?not=this");
        for (name, value) in [
            ("Host", "shop.example:8080"),
            ("Content-Length", "99"),
            ("Content-Type", "application/json"),
            ("Content-Encoding", "gzip"),
            ("Accept", "application/json, text/event-stream"),
            ("MCP-Protocol-Version", "2026-07-28"),
            ("mcp-param-region", "x"),
            ("Authorization", "Bearer abc"),
            ("If-None-Match", "*"),
            ("Range", "bytes=0-1"),
            ("X-Tenant", "one"),
            ("Cookie", "a=b"),
            ("Traceparent", "00-0-0-01"),
        ] {
            agent = agent.field(name, value.as_bytes());
        }
        let raw = |text: &str| RawValue::from_string(text.to_owned()).expect("JSON");
        let (id, page, note) = (raw("\"a b\""), raw("2"), raw("{ \"a\": [1.0] }"));
        let mut arguments = Arguments::default();
        for (name, value) in [("id", &id), ("page", &page), ("note", &note)] {
            arguments.put(name.to_owned(), Argument::Json(value));
        }
        let made = made(&agent.build(), &table.routes[0], arguments).expect("it fits");
        assert_eq!(
            String::from_utf8(made.head).expect("text"),
            "POST /x/a%20b?page=2 HTTP/1.1\r\nhost: shop.example:8080\r\nAuthorization: Bearer abc\r\nX-Tenant: one\r\n\
             Cookie: a=b\r\nTraceparent: 00-0-0-01\r\ncontent-type: application/json\r\ncontent-length: 23\r\n\r\n"
        );
        assert_eq!(made.body, b"{\"note\":{ \"a\": [1.0] }}".to_vec());
    }
}
