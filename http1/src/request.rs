//! A request: what was read of a connection, and the head at its beginning.

use crate::bytes::ascii;
use crate::fields::Fields;
use crate::framing::BodyLength;
use crate::head::Head;
use crate::known::KnownNames;
use crate::refusal::Refusal;
use crate::request_line::Version;

/// Bounds of what is read, in bytes and lines.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The longest head, from the request line's first byte to the empty line's last: 431 beyond.
    pub max_head: usize,
    /// The longest request target: 414 beyond.
    pub max_target: usize,
    /// The most field lines: 431 beyond. Trailers have the same bound.
    pub max_fields: usize,
    /// The longest trailer section, with the empty line that ends it: 431 beyond.
    pub max_trailers: usize,
}

/// What was read of a connection, and the head at its beginning. Made once and used for one request after the other: it allocates
/// when its buffer or its list of fields grows beyond what it was before, and not otherwise.
#[derive(Debug)]
pub struct Request {
    names: &'static KnownNames,
    bytes: Vec<u8>,
    /// Where the head begins. What stands before it belongs to earlier requests.
    start: usize,
    state: State,
    head: Head,
}

/// How far the head has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing of it is there.
    Begin,
    /// A CR came before it, which must be of an empty line.
    EmptyLine,
    /// An empty line came before it. No other may.
    AfterEmptyLine,
    Head,
    Whole,
    Refused(Refusal),
}

impl Request {
    /// One that has read nothing. `names` are found while heads are parsed.
    pub fn new(names: &'static KnownNames) -> Request {
        Request { names, bytes: Vec::new(), start: 0, state: State::Begin, head: Head::default() }
    }

    /// One whose head was made and not read.
    pub(crate) fn of_parts(names: &'static KnownNames, bytes: Vec<u8>, head: Head) -> Request {
        Request { names, bytes, start: 0, state: State::Whole, head }
    }

    /// What was read and belongs to no earlier request: the owner appends what comes, and changes nothing else.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        if self.start > 0 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        &mut self.bytes
    }

    /// Looks at what has come since it was last asked: each byte once, however the head is cut. `true` when the head is whole.
    ///
    /// # Errors
    /// A refusal comes as soon as the bytes that are there decide it, and again whenever it is asked after that.
    pub fn parse(&mut self, limits: &Limits) -> Result<bool, Refusal> {
        let parsed = match self.state {
            State::Whole => Ok(true),
            State::Refused(refusal) => Err(refusal),
            _ => self.read_on(limits),
        };
        match parsed {
            Ok(true) => self.state = State::Whole,
            Ok(false) => {}
            Err(refusal) => self.state = State::Refused(refusal),
        }
        parsed
    }

    fn read_on(&mut self, limits: &Limits) -> Result<bool, Refusal> {
        if self.state != State::Head && !self.pass_empty_line()? {
            return Ok(false);
        }
        self.head.read(self.names, &self.bytes[self.start..], limits)
    }

    /// Lets one empty line before a head pass (RFC 9112, 2.2). `true` when the head has begun.
    fn pass_empty_line(&mut self) -> Result<bool, Refusal> {
        while let Some(&byte) = self.bytes.get(self.start) {
            self.state = match (self.state, byte) {
                (State::Begin, b'\r') => State::EmptyLine,
                (State::EmptyLine, b'\n') => State::AfterEmptyLine,
                (State::EmptyLine, _) => return Err(Refusal::BareCr),
                _ => {
                    self.state = State::Head;
                    return Ok(true);
                }
            };
            self.start += 1;
        }
        Ok(false)
    }

    /// Whether a part of a head has come (an empty line before a request is none).
    pub fn has_begun(&self) -> bool {
        !matches!(self.state, State::Begin | State::EmptyLine | State::AfterEmptyLine)
    }

    /// The method as it was sent, as soon as it is there: a token that is one of those that RFC 9110 and RFC 5789 name, but CONNECT.
    pub fn method(&self) -> &'static str {
        self.head.line.method
    }

    /// The path: percent-encoded, begins with `/`; or `*`. That of absolute-form is `/` where it has none. Empty until the head is
    /// whole.
    pub fn path(&self) -> &str {
        ascii(self.path_bytes())
    }

    /// The same as bytes, for whoever only copies it: it is not looked through again.
    pub fn path_bytes(&self) -> &[u8] {
        let path = self.head.line.path.of(self.whole());
        if path.is_empty() && self.is_whole() { b"/" } else { path }
    }

    /// What follows the first `?`, without it.
    pub fn query(&self) -> Option<&str> {
        self.query_bytes().map(ascii)
    }

    /// The same as bytes.
    pub fn query_bytes(&self) -> Option<&[u8]> {
        self.head.line.query.filter(|_| self.is_whole()).map(|query| query.of(self.whole()))
    }

    /// The version, of a whole head.
    pub fn version(&self) -> Version {
        self.head.line.version
    }

    /// The host that is asked, with its port, as it was sent; none in HTTP/1.0 without Host.
    pub fn host(&self) -> Option<&str> {
        self.host_bytes().map(ascii)
    }

    /// The same as bytes.
    pub fn host_bytes(&self) -> Option<&[u8]> {
        self.head.host.filter(|_| self.is_whole()).map(|host| host.of(self.whole()))
    }

    /// The field lines. None until the head is whole.
    pub fn fields(&self) -> Fields<'_> {
        if self.is_whole() { Fields::new(self.whole(), &self.head.table) } else { Fields::none() }
    }

    /// How long the body is, of a whole head.
    pub fn body_length(&self) -> BodyLength {
        self.head.framing.body_length()
    }

    /// Whether the client waits for `100 Continue` (RFC 9110, 10.1.1). Not in HTTP/1.0, and not without a body.
    pub fn expects_continue(&self) -> bool {
        self.head.framing.expects_continue()
    }

    /// The same of a request whose body may come though no field of its head says so, as by HTTP/2.
    pub fn says_expect(&self) -> bool {
        self.head.framing.says_expect()
    }

    /// Whether the connection goes on after the reply, as far as the client says (RFC 9112, 9.3).
    pub fn keeps_alive(&self) -> bool {
        self.head.framing.keeps_alive(self.head.line.version)
    }

    /// What has come behind the head. Empty until the head is whole.
    pub fn rest(&self) -> &[u8] {
        self.whole().get(self.head.at..).unwrap_or_default()
    }

    fn is_whole(&self) -> bool {
        self.state == State::Whole
    }

    /// The bytes from the head's first on, of a whole head.
    fn whole(&self) -> &[u8] {
        if self.is_whole() { &self.bytes[self.start..] } else { &[] }
    }

    /// The request has ended: `used` bytes of the rest were its body. What follows is the beginning of the next, and the head is empty.
    /// A head that is not whole, or was refused, stays what it is.
    pub fn finish(&mut self, used: usize) {
        if self.state != State::Whole {
            return;
        }
        self.start = self.bytes.len().min((self.start + self.head.at).saturating_add(used));
        self.forget();
    }

    /// Forgets all that was read: what comes next is of another connection.
    pub fn clear(&mut self) {
        self.start = self.bytes.len();
        self.forget();
    }

    fn forget(&mut self) {
        if self.start == self.bytes.len() {
            self.bytes.clear();
            self.start = 0;
        }
        self.state = State::Begin;
        self.head.clear();
    }

    /// Gives the memory of a buffer back that has become larger than that, and of a list of fields. What was read stays.
    pub fn shrink(&mut self, most: usize) {
        if self.bytes.capacity() > most {
            self.buffer().shrink_to(most);
        }
        self.head.table.shrink(most);
    }
}

#[cfg(test)]
mod refusal_tests;
#[cfg(test)]
mod tests;
