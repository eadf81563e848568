//! Requests that are made of parts: they were read otherwise, as from HTTP/2, or are a test's.

use crate::bytes::Span;
use crate::fields::FieldSpan;
use crate::head::Head;
use crate::known::KnownNames;
use crate::request::Request;
use crate::request_line::{Version, known_method};

/// Makes a request of parts that were read otherwise, as from HTTP/2, and in tests. It is the same that parsing would make of them.
/// Checks nothing that it is given; nothing follows its head.
#[derive(Debug)]
pub struct RequestBuilder {
    names: &'static KnownNames,
    bytes: Vec<u8>,
    head: Head,
}

impl RequestBuilder {
    /// A target is a path with an optional query. A method that parsing would not take is none.
    pub fn new(names: &'static KnownNames, method: &str, target: &str) -> RequestBuilder {
        let mut builder = RequestBuilder { names, bytes: Vec::new(), head: Head::default() };
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        builder.head.line.method = known_method(method.as_bytes()).unwrap_or_default();
        builder.head.line.path = builder.append(path.as_bytes());
        builder.head.line.query = query.map(|query| builder.append(query.as_bytes()));
        builder
    }

    /// A version other than 1.1. It comes before fields.
    #[must_use]
    pub fn version(mut self, version: Version) -> RequestBuilder {
        self.head.line.version = version;
        self
    }

    /// One more field line, without blanks around its value. What it says of host, body and connection holds if parsing would take it.
    #[must_use]
    pub fn field(mut self, name: &str, value: &[u8]) -> RequestBuilder {
        let field = FieldSpan { name: self.append(name.as_bytes()), value: self.append(value) };
        // What would be refused says nothing.
        let _ = self.head.take(self.names, &self.bytes, field);
        self
    }

    /// The request.
    pub fn build(mut self) -> Request {
        self.head.at = self.bytes.len();
        Request::of_parts(self.names, self.bytes, self.head)
    }

    fn append(&mut self, bytes: &[u8]) -> Span {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        Span::new(start, self.bytes.len())
    }
}
