//! A connection without a socket: it reads requests out of pieces of bytes as an owner of the crate does, and says what it read.
//!
//! What the crate promises of every input is asserted here, so that each test and each fuzz target checks it.

use callgate_http1::{
    BodyDecoder, BodyEvent, BodyLength, KnownNames, Limits, Lines, Refusal, Request, Version,
};

/// The bounds of all tests; cases/README.md names them.
pub(crate) const LIMITS: Limits =
    Limits { max_head: 8192, max_target: 2048, max_fields: 100, max_trailers: 1024 };

/// Names that are found while heads are parsed: some that frame messages, some that do not.
pub(crate) static NAMES: KnownNames =
    KnownNames::new(&["host", "x", "connection", "x-request-id", "content-type"]);
const KNOWN: [&str; 5] = ["host", "x", "connection", "x-request-id", "content-type"];

/// A request as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) version: Version,
    pub(crate) host: Option<String>,
    pub(crate) fields: Vec<(String, Vec<u8>)>,
    pub(crate) length: BodyLength,
    pub(crate) expects: bool,
    pub(crate) keeps_alive: bool,
    /// As far as it has come.
    pub(crate) body: Vec<u8>,
    pub(crate) ended: bool,
}

/// How things stand after all bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The next request may come.
    Idle,
    /// Half a head has come.
    Head,
    /// Half a body has come.
    Body,
    /// The last request closes the connection: what followed was not read.
    Closed,
    Refused(Refusal),
}

/// All that a connection read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conversation {
    pub(crate) messages: Vec<Message>,
    pub(crate) end: End,
}

/// Reads one piece after the other. The number is how many bytes had come when the connection ended, or all.
pub(crate) fn drive<'b>(pieces: impl IntoIterator<Item = &'b [u8]>) -> (Conversation, usize) {
    let mut connection = Connection::new();
    let mut come = 0;
    for piece in pieces {
        come += piece.len();
        if !connection.take(piece) {
            break;
        }
    }
    (connection.end(), come)
}

/// All at once.
pub(crate) fn whole(bytes: &[u8]) -> Conversation {
    drive([bytes]).0
}

/// Byte by byte.
pub(crate) fn bytewise(bytes: &[u8]) -> (Conversation, usize) {
    drive(bytes.chunks(1))
}

struct Connection {
    request: Request,
    /// While a body is read: its decoder, and how much of the rest it is done with.
    body: Option<(BodyDecoder, usize)>,
    messages: Vec<Message>,
    over: Option<End>,
}

impl Connection {
    fn new() -> Connection {
        Connection { request: Request::new(&NAMES), body: None, messages: Vec::new(), over: None }
    }

    /// Whether it goes on.
    fn take(&mut self, piece: &[u8]) -> bool {
        if self.over.is_some() {
            return false;
        }
        if self.body.is_none() && !self.request.has_begun() {
            // Whenever memory is given back, what was read stays.
            self.request.shrink(64);
        }
        self.request.buffer().extend_from_slice(piece);
        while self.over.is_none() {
            let went_on = match &self.body {
                None => self.head(),
                Some(_) => self.body(),
            };
            match went_on {
                Ok(true) => {}
                Ok(false) => break,
                Err(refusal) => self.refuse(refusal),
            }
        }
        self.over.is_none()
    }

    fn head(&mut self) -> Result<bool, Refusal> {
        if !self.request.parse(&LIMITS)? {
            let request = &self.request;
            let empty = request.path().is_empty() && request.fields().is_empty() && request.rest().is_empty();
            assert!(
                empty && request.query().is_none() && request.host().is_none(),
                "half a head says nothing"
            );
            return Ok(false);
        }
        let message = message(&self.request);
        let decoder = BodyDecoder::new(message.length, &LIMITS);
        if let BodyLength::Known(length) = message.length {
            assert!(length > 0 && length < 1 << 63);
            assert_eq!(decoder.at_least(), length);
        }
        self.messages.push(message);
        self.body = Some((decoder, 0));
        Ok(true)
    }

    fn body(&mut self) -> Result<bool, Refusal> {
        let (decoder, used) = self.body.as_mut().expect("a body is read");
        let message = self.messages.last_mut().expect("it is some request's");
        let bytes = &self.request.rest()[*used..];
        let decoded = decoder.next(bytes)?;
        assert!(decoded.used <= bytes.len());
        *used += decoded.used;
        match decoded.event {
            Some(BodyEvent::Piece(range)) => {
                assert!(!range.is_empty() && range.end <= decoded.used, "{range:?} of {}", decoded.used);
                message.body.extend_from_slice(&bytes[range]);
                if let BodyLength::Known(length) = message.length {
                    assert_eq!(message.body.len() as u64 + decoder.at_least(), length);
                }
                Ok(true)
            }
            Some(BodyEvent::End) => {
                assert!(decoder.has_ended() && decoder.at_least() == 0);
                message.ended = true;
                let closes = !message.keeps_alive;
                if closes {
                    self.over = Some(End::Closed);
                } else {
                    self.request.finish(*used);
                }
                self.body = None;
                Ok(true)
            }
            None => {
                assert!(
                    decoded.used == bytes.len() && !decoder.has_ended(),
                    "all is read, and more is needed"
                );
                Ok(false)
            }
        }
    }

    /// A refusal ends the connection for good: a request that follows is not read, whatever the owner asks.
    fn refuse(&mut self, refusal: Refusal) {
        self.over = Some(End::Refused(refusal));
        let good = b"GET /behind HTTP/1.1\r\nHost: a\r\n\r\n";
        for ahead in [&b""[..], b"\r\n", b"\r\n\r\n", b"0\r\n\r\n"] {
            self.request.buffer().extend_from_slice(ahead);
            self.request.buffer().extend_from_slice(good);
            match &mut self.body {
                None => assert_eq!(self.request.parse(&LIMITS), Err(refusal), "a refused head stays refused"),
                Some((decoder, used)) => {
                    let rest = &self.request.rest()[*used..];
                    assert_eq!(decoder.next(rest), Err(refusal), "a refused body stays refused");
                    assert_eq!(decoder.next(good), Err(refusal), "a refused body stays refused");
                    assert!(!decoder.has_ended());
                }
            }
        }
        // What it held may serve another connection, which finds nothing of this one.
        self.request.clear();
        assert!(!self.request.has_begun() && self.request.method().is_empty());
        self.request.buffer().extend_from_slice(good);
        assert_eq!(self.request.parse(&LIMITS), Ok(true));
        assert_eq!((self.request.path(), self.request.host()), ("/behind", Some("a")));
        assert_eq!((self.request.fields().len(), self.request.body_length()), (1, BodyLength::Empty));
        assert!(self.request.keeps_alive() && self.request.rest().is_empty());
    }

    fn end(self) -> Conversation {
        let end = match (self.over, &self.body) {
            (Some(end), _) => end,
            (None, Some(_)) => End::Body,
            (None, None) if self.request.has_begun() => End::Head,
            (None, None) => End::Idle,
        };
        Conversation { messages: self.messages, end }
    }
}

fn message(request: &Request) -> Message {
    let fields: Vec<_> =
        request.fields().iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
    assert_eq!(fields.len(), request.fields().len());
    check_lookups(request, &fields);
    assert!(request.path().starts_with('/') || request.path() == "*", "{}", request.path());
    let message = Message {
        method: request.method().to_owned(),
        path: request.path().to_owned(),
        query: request.query().map(str::to_owned),
        version: request.version(),
        host: request.host().map(str::to_owned),
        fields,
        length: request.body_length(),
        expects: request.expects_continue(),
        keeps_alive: request.keeps_alive(),
        body: Vec::new(),
        ended: false,
    };
    check_strictness(&message);
    message
}

/// A field is found by its name, known or not, as it stands in the list.
fn check_lookups(request: &Request, all: &[(String, Vec<u8>)]) {
    let named = |name: &str| -> Vec<&[u8]> {
        all.iter().filter(|(its, _)| its.eq_ignore_ascii_case(name)).map(|(_, value)| &value[..]).collect()
    };
    for (at, name) in KNOWN.iter().enumerate() {
        let known = callgate_http1::Known(at as u8);
        let expected = named(name);
        assert!(request.fields().each_known(known).eq(expected.iter().copied()), "{name}");
        assert_eq!(request.fields().known(known), lines(&expected), "{name}");
    }
    for (name, _) in all.iter().take(20) {
        let expected = named(name);
        assert!(request.fields().each(name).eq(expected.iter().copied()), "{name}");
        assert_eq!(request.fields().lines(&name.to_ascii_uppercase()), lines(&expected), "{name}");
    }
    assert_eq!(request.fields().lines("not-there-at-all"), lines(&named("not-there-at-all")));
}

fn lines<'h>(of: &[&'h [u8]]) -> Lines<'h> {
    match of {
        [] => Lines::None,
        [one] => Lines::One(one),
        _ => Lines::Several,
    }
}

/// What holds of every request that is accepted, read anew from what it says.
fn check_strictness(message: &Message) {
    let visible = |text: &str| text.bytes().all(|byte| (0x21..0x7f).contains(&byte));
    assert!(
        visible(&message.path)
            && !message.path.contains(['?', '#', '"', '<', '>', '\\', '^', '`', '{', '|', '}'])
    );
    assert!(
        message.query.as_deref().is_none_or(|query| visible(query) && !query.contains(['#', '"', '<', '>']))
    );
    assert!(
        message.host.as_deref().is_none_or(|host| visible(host) && !host.contains(['/', '?', '#', '@', ',']))
    );
    assert!(message.version == Version::Http10 || message.host.is_some());
    for (name, value) in &message.fields {
        assert!(!name.is_empty() && name.bytes().all(is_token), "{name:?}");
        assert!(value.iter().all(|byte| *byte == b'\t' || *byte >= 0x20 && *byte != 0x7f), "{value:?}");
        assert!(!matches!(value.first(), Some(b' ' | b'\t')) && !matches!(value.last(), Some(b' ' | b'\t')));
    }
    let count = |name: &str| message.fields.iter().filter(|(its, _)| its.eq_ignore_ascii_case(name)).count();
    let (lengths, codings) = (count("content-length"), count("transfer-encoding"));
    assert!(lengths + codings <= 1 && count("host") <= 1);
    assert_eq!(codings == 1, message.length == BodyLength::Chunked);
    assert!(lengths == 1 || !matches!(message.length, BodyLength::Known(_)));
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
