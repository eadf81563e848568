//! Replies made of any bytes, which another parser must read as what was written: no field splits a head.

use callgate_http1::{LAST_CHUNK, ReplyBody, ReplyHead, chunk};

/// Takes parts off an input: each begins with its length in a byte.
struct Parts<'i>(&'i [u8]);

impl<'i> Parts<'i> {
    fn byte(&mut self) -> u8 {
        let (byte, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *byte
    }

    fn part(&mut self) -> &'i [u8] {
        let length = usize::from(self.byte()).min(self.0.len());
        let (part, rest) = self.0.split_at(length);
        self.0 = rest;
        part
    }
}

/// The fuzz target: two bytes of status, one that chooses the body, the number of fields, each with name and value, pieces of the body.
pub(crate) fn replies(input: &[u8]) {
    let mut input = Parts(input);
    let status = u16::from_be_bytes([input.byte(), input.byte()]);
    let kind = input.byte();
    let fields: Vec<(&str, &[u8])> = (0..input.byte() % 32)
        .map(|_| (std::str::from_utf8(input.part()).unwrap_or("x-\u{fffd}"), input.part()))
        .filter(|(name, _)| !frames(name))
        .collect();
    let mut pieces = Vec::new();
    while !input.0.is_empty() {
        pieces.push(input.part());
    }
    let length = pieces.iter().map(|piece| piece.len() as u64).sum();
    let body = [ReplyBody::None, ReplyBody::Length(length), ReplyBody::Chunked, ReplyBody::UntilClose]
        [usize::from(kind % 4)];

    let mut out = b"before".to_vec();
    let mut head = ReplyHead::begin(&mut out, status);
    for (name, value) in &fields {
        head.field(name, value);
    }
    head.end(body);
    let out = out.strip_prefix(b"before").expect("what was there stays");
    check_head(out, status, &fields, body);
    if body == ReplyBody::Chunked {
        check_chunks(&pieces);
    }
}

/// The owner says how a body is framed by `end` alone.
fn frames(name: &str) -> bool {
    ["content-length", "transfer-encoding"].iter().any(|its| name.eq_ignore_ascii_case(its))
}

fn check_head(out: &[u8], status: u16, fields: &[(&str, &[u8])], body: ReplyBody) {
    let mut lines = [httparse::EMPTY_HEADER; 40];
    let mut read = httparse::Response::new(&mut lines);
    let parsed = read.parse(out).unwrap_or_else(|error| panic!("{error}: {}", out.escape_ascii()));
    assert_eq!(parsed, httparse::Status::Complete(out.len()), "{}", out.escape_ascii());
    assert_eq!(read.code, Some(if (100..1000).contains(&status) { status } else { 500 }));
    assert_eq!(read.version, Some(1));
    let got: Vec<(&str, Vec<u8>)> =
        read.headers.iter().map(|line| (line.name, line.value.to_vec())).collect();
    let mut expected: Vec<(&str, Vec<u8>)> = fields
        .iter()
        .filter(|(name, value)| is_sent(name, value))
        .map(|(name, value)| (*name, trimmed(value)))
        .collect();
    match body {
        ReplyBody::Length(length) => expected.push(("content-length", length.to_string().into_bytes())),
        ReplyBody::Chunked => expected.push(("transfer-encoding", b"chunked".to_vec())),
        ReplyBody::None | ReplyBody::UntilClose => {}
    }
    assert_eq!(got, expected, "{}", out.escape_ascii());
}

/// A token, and no control byte but tabs.
fn is_sent(name: &str, value: &[u8]) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty()
        && name.bytes().all(token)
        && value.iter().all(|byte| *byte == b'\t' || !byte.is_ascii_control())
}

/// Blanks around a value are no part of it.
fn trimmed(value: &[u8]) -> Vec<u8> {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let end = value.iter().rposition(|byte| !blank(byte)).map_or(0, |last| last + 1);
    value[..end].iter().copied().skip_while(blank).collect()
}

fn check_chunks(pieces: &[&[u8]]) {
    let mut out = Vec::new();
    pieces.iter().for_each(|piece| chunk(&mut out, piece));
    out.extend_from_slice(LAST_CHUNK);
    let (mut rest, mut got) = (&out[..], Vec::new());
    loop {
        let Ok(httparse::Status::Complete((at, size))) = httparse::parse_chunk_size(rest) else {
            panic!("no chunk: {}", rest.escape_ascii());
        };
        let data = &rest[at..];
        if size == 0 {
            assert_eq!(data, b"\r\n");
            break;
        }
        got.extend_from_slice(&data[..size as usize]);
        rest = data[size as usize..].strip_prefix(b"\r\n").expect("CRLF behind data");
    }
    assert_eq!(got, pieces.concat());
}
