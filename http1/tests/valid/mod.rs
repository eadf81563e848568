//! Requests that are valid, with all that the RFCs allow in them, and what must be read of them.
#![allow(dead_code, reason = "each test uses a part of it")]

use crate::common::drive::Message;
use callgate_http1::{BodyLength, Version};
use proptest::prelude::*;

/// A request before it is written.
#[derive(Clone, Debug)]
pub(crate) struct Valid {
    method: &'static str,
    absolute: Option<&'static str>,
    path: String,
    query: Option<String>,
    minor: u8,
    host: String,
    /// Name, blanks, value, blanks.
    fields: Vec<(String, String, Vec<u8>, String)>,
    connection: Option<&'static str>,
    expects: bool,
    body: Body,
    empty_line: bool,
}

#[derive(Clone, Debug)]
enum Body {
    None,
    Known(Vec<u8>),
    /// Size as it is written (without its data's length for the last), extension, data.
    Chunked(Vec<Chunk>, Vec<String>),
}

#[derive(Clone, Debug)]
struct Chunk {
    zeros: usize,
    upper: bool,
    extension: String,
    data: Vec<u8>,
}

impl Valid {
    /// Whether the connection goes on behind it.
    fn keeps_alive(&self) -> bool {
        match self.connection {
            None => self.minor > 0,
            Some(options) => {
                let has =
                    |wanted| options.split(',').any(|option| option.trim().eq_ignore_ascii_case(wanted));
                !has("close") && (self.minor > 0 || has("keep-alive"))
            }
        }
    }

    fn target(&self) -> String {
        let query = self.query.as_ref().map(|query| format!("?{query}")).unwrap_or_default();
        match self.absolute {
            Some(scheme) => format!("{scheme}://{}{}{query}", self.host, self.path),
            None => format!("{}{query}", self.path),
        }
    }

    /// All field lines, in the order in which they are sent.
    fn lines(&self) -> Vec<(String, String, Vec<u8>, String)> {
        let line = |name: &str, value: &str| {
            (name.to_owned(), " ".to_owned(), value.as_bytes().to_vec(), String::new())
        };
        let mut lines = self.fields.clone();
        lines.insert(lines.len() / 2, line("Host", &self.host));
        lines.extend(self.connection.map(|options| line("connection", options)));
        if self.expects {
            lines.push(line("Expect", "100-Continue"));
        }
        match &self.body {
            Body::None => {}
            Body::Known(body) => lines.insert(0, line("content-Length", &body.len().to_string())),
            Body::Chunked(..) => lines.push(line("Transfer-encoding", "Chunked")),
        }
        lines
    }

    /// As it is sent.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        if self.empty_line {
            bytes.extend(b"\r\n");
        }
        bytes.extend(format!("{} {} HTTP/1.{}\r\n", self.method, self.target(), self.minor).bytes());
        for (name, before, value, after) in self.lines() {
            bytes.extend(format!("{name}:{before}").bytes());
            bytes.extend(value);
            bytes.extend(format!("{after}\r\n").bytes());
        }
        bytes.extend(b"\r\n");
        match &self.body {
            Body::None => {}
            Body::Known(body) => bytes.extend(body),
            Body::Chunked(chunks, trailers) => {
                chunks.iter().for_each(|chunk| chunk.write(&mut bytes));
                Chunk { zeros: 2, upper: false, extension: String::new(), data: Vec::new() }
                    .write(&mut bytes);
                bytes.truncate(bytes.len() - 2);
                trailers.iter().for_each(|trailer| bytes.extend(format!("{trailer}\r\n").bytes()));
                bytes.extend(b"\r\n");
            }
        }
        bytes
    }

    /// What must be read.
    pub(crate) fn message(&self) -> Message {
        let (length, body) = match &self.body {
            Body::None => (BodyLength::Empty, Vec::new()),
            Body::Known(body) if body.is_empty() => (BodyLength::Empty, Vec::new()),
            Body::Known(body) => (BodyLength::Known(body.len() as u64), body.clone()),
            Body::Chunked(chunks, _) => {
                (BodyLength::Chunked, chunks.iter().flat_map(|chunk| chunk.data.clone()).collect())
            }
        };
        Message {
            method: self.method.to_owned(),
            path: self.path.clone(),
            query: self.query.clone(),
            version: if self.minor == 0 { Version::Http10 } else { Version::Http11 },
            host: Some(self.host.clone()),
            fields: self.lines().into_iter().map(|(name, _, value, _)| (name, value)).collect(),
            length,
            expects: self.expects && self.minor > 0 && length != BodyLength::Empty,
            keeps_alive: self.keeps_alive(),
            body,
            ended: true,
        }
    }
}

impl Chunk {
    fn write(&self, bytes: &mut Vec<u8>) {
        let size = format!("{}{:x}", "0".repeat(self.zeros), self.data.len());
        let size = if self.upper { size.to_ascii_uppercase() } else { size };
        bytes.extend(format!("{size}{}\r\n", self.extension).bytes());
        bytes.extend(&self.data);
        bytes.extend(b"\r\n");
    }
}

/// Valid requests, small ones.
pub(crate) fn request() -> impl Strategy<Value = Valid> {
    let method =
        prop::sample::select(vec!["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"]);
    let absolute = prop::option::weighted(0.2, prop::sample::select(vec!["http", "https", "HTTP"]));
    let path = "(/([A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2}){0,6}){1,4}";
    let query = prop::option::of("[A-Za-z0-9._~!$&'()*+,;=:@/?\\[\\]{}|%^`\\\\-]{0,12}");
    let head = (method, absolute, path, query, 0..4u8, host(), fields());
    let connection = prop::option::of(prop::sample::select(vec![
        "close",
        "keep-alive",
        "Keep-Alive",
        "x",
        "x, close",
        "upgrade, keep-alive",
        ", x,, Close ,",
    ]));
    (head, connection, prop::bool::weighted(0.1), body(), prop::bool::weighted(0.1)).prop_map(
        |((method, absolute, path, query, minor, host, fields), connection, expects, body, empty_line)| {
            // HTTP/1.0 has no chunks.
            let body = if minor == 0 && matches!(body, Body::Chunked(..)) { Body::None } else { body };
            let connection = connection.map(str::trim);
            Valid {
                method,
                absolute,
                path,
                query,
                minor,
                host,
                fields,
                connection,
                expects,
                body,
                empty_line,
            }
        },
    )
}

fn host() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        "[A-Za-z0-9._~!$&'()*+;=-]{1,12}".boxed(),
        "([a-z0-9]|%[0-9A-F]{2}){1,6}".boxed(),
        "[0-9]{1,3}(\\.[0-9]{1,3}){3}".boxed(),
        "\\[[1-9a-f][0-9a-f]{0,3}(:[0-9a-f]{1,4}){7}\\]".boxed(),
        "\\[([0-9a-f]{1,4}:){0,4}:[0-9a-f]{1,4}\\]".prop_map(|address| address.replace("[:", "[::")).boxed(),
    ]
    .prop_map(|name| name.replace(":::", "::"));
    (name, prop::option::of(0..=u16::MAX))
        .prop_map(|(name, port)| port.map_or(name.clone(), |port| format!("{name}:{port}")))
}

fn fields() -> impl Strategy<Value = Vec<(String, String, Vec<u8>, String)>> {
    let name = prop_oneof![
        "[A-Za-z0-9!#$%&'*+.^_`|~-]{1,16}".boxed(),
        "[xX]|[xX]-[rR]equest-[iI]d|Content-type".boxed()
    ]
    .prop_filter("names that frame a message are written elsewhere", |name| {
        !["host", "connection", "expect", "content-length", "transfer-encoding"]
            .contains(&name.to_ascii_lowercase().as_str())
    });
    let byte = prop_oneof![8 => 0x21..0x7fu8, 1 => Just(b' '), 1 => Just(b'\t'), 1 => 0x80..=0xffu8];
    let value = prop::collection::vec(byte, 0..20).prop_map(|value| {
        let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
        let end = value.iter().rposition(|byte| !blank(byte)).map_or(0, |last| last + 1);
        value[..end].iter().copied().skip_while(blank).collect()
    });
    prop::collection::vec((name, "[ \t]{0,3}", value, "[ \t]{0,2}"), 0..10)
}

fn body() -> impl Strategy<Value = Body> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    let extension = prop_oneof![
        4 => Just(String::new()),
        1 => "(;[a-z]{1,4}(=[a-z0-9]{1,4})?){1,3}",
        1 => ";[a-z]{1,4}=\"([ -!#-\\[\\]-~\t]|\\\\[ -~]){0,8}\"",
    ];
    let chunk = (0..4usize, any::<bool>(), extension, prop::collection::vec(any::<u8>(), 1..30))
        .prop_map(|(zeros, upper, extension, data)| Chunk { zeros, upper, extension, data });
    let trailers = prop::collection::vec("[A-Za-z-]{1,8}:[ -~]{0,10}", 0..3);
    prop_oneof![
        Just(Body::None),
        bytes().prop_map(Body::Known),
        (prop::collection::vec(chunk, 0..5), trailers)
            .prop_map(|(chunks, trailers)| Body::Chunked(chunks, trailers)),
    ]
}
