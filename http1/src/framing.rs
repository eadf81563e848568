//! What a head says about the message and the connection: Host, the body's length (RFC 9112, 6), Expect, and whether the connection
//! goes on (RFC 9112, 9.3). Each line is judged when it is whole, and the head when it is.

use crate::authority::Authority;
use crate::bytes::trim;
use crate::known::Role;
use crate::refusal::Refusal;
use crate::request_line::Version;

/// How long a request's body is (RFC 9112, 6.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BodyLength {
    /// There is none.
    #[default]
    Empty,
    /// So many bytes, at least one, at most 2⁶³ - 1. Bounds are the owner's affair, who knows the route.
    Known(u64),
    /// Chunks say it as they come.
    Chunked,
}

/// What was said so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Framing {
    host: bool,
    content_length: Option<u64>,
    chunked: bool,
    expects_continue: bool,
    close: bool,
    keep_alive: bool,
}

impl Framing {
    /// Takes a line whose field has a role.
    pub(crate) fn line(&mut self, role: Role, value: &[u8], version: Version) -> Result<(), Refusal> {
        match role {
            Role::Host if self.host => Err(Refusal::SeveralHosts),
            Role::Host => {
                self.host = true;
                Authority::read(value).map(drop).ok_or(Refusal::Host)
            }
            Role::ContentLength if self.chunked => Err(Refusal::BothLengths),
            Role::ContentLength if self.content_length.is_some() => Err(Refusal::SeveralContentLengths),
            Role::ContentLength => {
                self.content_length = Some(content_length(value).ok_or(Refusal::ContentLength)?);
                Ok(())
            }
            Role::TransferEncoding => self.transfer_encoding(value, version),
            Role::Expect if !value.eq_ignore_ascii_case(b"100-continue") => Err(Refusal::Expect),
            Role::Expect => {
                self.expects_continue = version == Version::Http11;
                Ok(())
            }
            Role::Connection => {
                for option in value.split(|byte| *byte == b',').map(trim) {
                    self.close |= option.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                }
                Ok(())
            }
        }
    }

    fn transfer_encoding(&mut self, value: &[u8], version: Version) -> Result<(), Refusal> {
        if version == Version::Http10 {
            return Err(Refusal::TransferCodingHttp10);
        }
        if self.chunked || !value.eq_ignore_ascii_case(b"chunked") {
            return Err(Refusal::TransferCoding);
        }
        if self.content_length.is_some() {
            return Err(Refusal::BothLengths);
        }
        self.chunked = true;
        Ok(())
    }

    pub(crate) fn body_length(&self) -> BodyLength {
        match self.content_length {
            _ if self.chunked => BodyLength::Chunked,
            None | Some(0) => BodyLength::Empty,
            Some(length) => BodyLength::Known(length),
        }
    }

    pub(crate) fn expects_continue(&self) -> bool {
        self.expects_continue && self.body_length() != BodyLength::Empty
    }

    /// The same where a body may come though no field says so.
    pub(crate) fn says_expect(&self) -> bool {
        self.expects_continue
    }

    pub(crate) fn keeps_alive(&self, version: Version) -> bool {
        !self.close && (version == Version::Http11 || self.keep_alive)
    }
}

/// Digits alone, for a number below 2⁶³.
fn content_length(value: &[u8]) -> Option<u64> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let add = |number: u64, digit: &u8| number.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
    let length = value.iter().try_fold(0, add)?;
    (length <= i64::MAX as u64).then_some(length)
}
