//! PROXY headers, versions 1 and 2: what a proxy says of a connection's client before it passes the client's bytes on.
//!
//! The header is found in the first bytes of a connection, which are looked at and not taken: so nothing behind it is read with it, be
//! that TLS or HTTP. A version 1 header is a line of at most [`MAX_LINE`] bytes. A version 2 header says in its first [`FIXED`] bytes
//! how long it is. <https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest header of version 1, in bytes, with the end of its line.
pub const MAX_LINE: usize = 107;

/// The fixed part of a header of version 2, in bytes.
pub const FIXED: usize = 16;

/// What may follow the fixed part, in bytes: the addresses, and what else a proxy has to say, which is skipped.
pub const MAX_REST: usize = 4096 - FIXED;

/// The longest addresses of a header of version 2, in bytes: those of IPv6 with their ports.
pub const MAX_ADDRESSES: usize = 36;

/// How a header of version 1 begins.
const TEXT: &[u8] = b"PROXY ";

/// How a header of version 2 begins.
const BINARY: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// What a connection begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// A header of version 1, which is all there: its length.
    Text(usize),
    /// A header of version 2, whose fixed part is there.
    Binary,
    /// A header of version 1 that has no end where it must have one.
    TooLong,
    /// No header.
    Other,
}

/// What a connection begins with, by its first bytes; `None` when these are too few to tell. Of [`MAX_LINE`] bytes they never are.
pub fn begin(first: &[u8]) -> Option<Begin> {
    let may_be = |header: &[u8]| first.iter().zip(header).all(|(one, other)| one == other);
    if may_be(BINARY) {
        return (first.len() >= FIXED).then_some(Begin::Binary);
    }
    if !may_be(TEXT) {
        return Some(Begin::Other);
    }
    let line = &first[..first.len().min(MAX_LINE)];
    match line.windows(2).position(|two| two == b"\r\n") {
        Some(at) => Some(Begin::Text(at + 2)),
        None => (line.len() == MAX_LINE).then_some(Begin::TooLong),
    }
}

/// What a header says of the connection's client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Its address.
    Client(IpAddr),
    /// Nothing: the connection is the proxy's own, or its client has no address that the header could say.
    Nothing,
}

/// It is no PROXY header, or one that nobody knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// What a header of version 1 says.
///
/// # Errors
/// It is not written as it must be: each part once, with one blank between two.
pub fn text(line: &[u8]) -> Result<Said, Malformed> {
    let line = line.strip_prefix(TEXT).and_then(|line| line.strip_suffix(b"\r\n")).ok_or(Malformed)?;
    let line = std::str::from_utf8(line).map_err(|_| Malformed)?;
    // Whatever follows it is to be ignored.
    if line == "UNKNOWN" || line.starts_with("UNKNOWN ") {
        return Ok(Said::Nothing);
    }
    let mut parts = line.split(' ');
    let mut next = || parts.next().ok_or(Malformed);
    let (family, source, destination, ports) = (next()?, next()?, next()?, [next()?, next()?]);
    let address = |text: &str| match family {
        "TCP4" => text.parse().ok().map(IpAddr::V4),
        "TCP6" => text.parse().ok().map(IpAddr::V6),
        _ => None,
    };
    let is_whole = parts.next().is_none() && ports.into_iter().all(is_port);
    match (address(source), address(destination)) {
        (Some(source), Some(_)) if is_whole => Ok(Said::Client(source.to_canonical())),
        _ => Err(Malformed),
    }
}

/// A number up to 65535, without zeros before it.
fn is_port(text: &str) -> bool {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits && (text == "0" || !text.starts_with('0')) && text.parse::<u16>().is_ok()
}

/// The fixed part of a header of version 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binary {
    addresses: Addresses,
    /// How many bytes follow, at most [`MAX_REST`].
    pub rest: usize,
}

/// What follows the fixed part first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Addresses {
    None,
    V4,
    V6,
}

impl Binary {
    /// Reads the fixed part.
    ///
    /// # Errors
    /// Nobody knows its version, its command or its kind of address; or what follows is too long, or too short for its addresses.
    pub fn read(fixed: &[u8; FIXED]) -> Result<Binary, Malformed> {
        let [.., command, family, high, low] = *fixed;
        let rest = usize::from(u16::from_be_bytes([high, low]));
        let (addresses, least) = match (command, family) {
            // LOCAL, whatever it says besides; then PROXY: UNSPEC, and the two of AF_UNIX.
            (0x20, _) | (0x21, 0x00 | 0x31 | 0x32) => (Addresses::None, 0),
            (0x21, 0x11) => (Addresses::V4, 12),
            (0x21, 0x21) => (Addresses::V6, MAX_ADDRESSES),
            _ => return Err(Malformed),
        };
        let fits = fixed.starts_with(BINARY) && (least..=MAX_REST).contains(&rest);
        if fits { Ok(Binary { addresses, rest }) } else { Err(Malformed) }
    }

    /// How many bytes of the rest say what is wanted to know.
    pub fn wanted(self) -> usize {
        match self.addresses {
            Addresses::None => 0,
            Addresses::V4 => 4,
            Addresses::V6 => 16,
        }
    }

    /// What the header says whose rest begins so.
    pub fn said(self, rest: &[u8]) -> Said {
        let v4 = || rest.first_chunk::<4>().map(|bytes| IpAddr::from(Ipv4Addr::from(*bytes)));
        let v6 = || rest.first_chunk::<16>().map(|bytes| IpAddr::from(Ipv6Addr::from(*bytes)));
        let client = match self.addresses {
            Addresses::None => None,
            Addresses::V4 => v4(),
            Addresses::V6 => v6(),
        };
        client.map_or(Said::Nothing, |client| Said::Client(client.to_canonical()))
    }
}

#[cfg(test)]
mod tests;
