//! `Forwarded` (RFC 7239) and `X-Forwarded-For`: lists to which each proxy on a request's way adds who has sent it the request.
//!
//! Anybody can write such a list. What counts is what proxies have added whose word counts, and these add at the end. So a list is
//! read from the right: as long as an address is that of such a proxy, what this proxy has added counts too. The first other address
//! is the client's. What stands left of it may be the client's invention, and is not looked at: nothing that it holds, quotes that do
//! not end among it, changes what is read.

use super::Networks;
use memchr::{memchr, memrchr};
use std::net::{IpAddr, Ipv6Addr};

/// Which of the two lists counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `Forwarded`
    Forwarded,
    /// `X-Forwarded-For`
    XForwardedFor,
}

impl ForwardedHeader {
    /// Both, with their names.
    pub const ALL: [(&'static str, ForwardedHeader); 2] =
        [("forwarded", ForwardedHeader::Forwarded), ("x-forwarded-for", ForwardedHeader::XForwardedFor)];

    /// Its name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            ForwardedHeader::Forwarded => "forwarded",
            ForwardedHeader::XForwardedFor => "x-forwarded-for",
        }
    }

    /// The client of a request that `nearest` has sent, whose word counts, by the lines of the list. If only such proxies are
    /// listed, it is the first of them. `None` where one of them does not say who its client is: nobody knows then.
    pub fn client<'h>(
        self,
        lines: impl DoubleEndedIterator<Item = &'h [u8]>,
        nearest: Option<IpAddr>,
        trusted: &Networks,
    ) -> Option<IpAddr> {
        let mut client = nearest;
        for mut line in lines.rev() {
            while let Some(element) = self.take_last(&mut line) {
                let address = self.address(element)?;
                client = Some(address);
                if !trusted.contains(address) {
                    return client;
                }
            }
        }
        client
    }

    /// Takes the last element off a line. Empty ones are none (RFC 9110, 5.6.1.2).
    fn take_last<'h>(self, line: &mut &'h [u8]) -> Option<&'h [u8]> {
        while !line.is_empty() {
            let comma = match self {
                ForwardedHeader::Forwarded => last_comma(line),
                ForwardedHeader::XForwardedFor => memrchr(b',', line),
            };
            let (before, element) = match comma {
                Some(at) => (&line[..at], &line[at + 1..]),
                None => (&[][..], *line),
            };
            *line = before;
            let element = element.trim_ascii();
            if !element.is_empty() {
                return Some(element);
            }
        }
        None
    }

    /// The address in an element.
    fn address(self, element: &[u8]) -> Option<IpAddr> {
        match self {
            ForwardedHeader::Forwarded => sender(element).and_then(node),
            ForwardedHeader::XForwardedFor => node(element),
        }
    }
}

/// The last comma outside quoted strings, as it is found from the right.
fn last_comma(list: &[u8]) -> Option<usize> {
    let mut at = list.len();
    while at > 0 {
        at -= 1;
        match list[at] {
            b',' => return Some(at),
            b'"' => at = opening_quote(&list[..at])?,
            _ => {}
        }
    }
    None
}

/// Where the quoted string begins whose last quote stands behind these bytes.
fn opening_quote(before: &[u8]) -> Option<usize> {
    let mut end = before.len();
    loop {
        let at = memrchr(b'"', &before[..end])?;
        let escapes = before[..at].iter().rev().take_while(|byte| **byte == b'\\').count();
        if escapes % 2 == 0 {
            return Some(at);
        }
        end = at;
    }
}

/// What `for` is in an element of `Forwarded`, without quotes; `None` where it is not there, is there twice, or the element is not
/// well formed.
fn sender(element: &[u8]) -> Option<&[u8]> {
    let (mut rest, mut found) = (element, None);
    loop {
        rest = rest.trim_ascii_start();
        match rest {
            [] => return found,
            [b';', more @ ..] => rest = more,
            _ => {
                let equals = memchr(b'=', rest)?;
                let (name, value) = (rest[..equals].trim_ascii(), &rest[equals + 1..]);
                let (value, behind) = value_at_start(value)?;
                let behind = behind.trim_ascii_start();
                let is_whole =
                    name.iter().all(u8::is_ascii_alphanumeric) && matches!(behind, [] | [b';', ..]);
                let is_again = name.eq_ignore_ascii_case(b"for") && found.replace(value).is_some();
                if !is_whole || is_again {
                    return None;
                }
                rest = behind;
            }
        }
    }
}

/// A value, without quotes, and what is behind it. Addresses are read without quotes, too, where RFC 7239 wants them.
fn value_at_start(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let Some(quoted) = text.strip_prefix(b"\"") else {
        let end = text.iter().position(|byte| matches!(byte, b';' | b'"' | b' ' | b'\t'));
        return Some(text.split_at(end.unwrap_or(text.len())));
    };
    let mut escaped = false;
    let end = quoted.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.map(|end| (&quoted[..end], &quoted[end + 1..]))
}

/// The address of a node, with or without its port (RFC 7239, 6); `None` for `unknown`, for an obfuscated name, and for what is no node.
fn node(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    if let Some(bracketed) = text.strip_prefix('[') {
        let (address, behind) = bracketed.split_once(']')?;
        let is_whole = behind.is_empty() || behind.strip_prefix(':').is_some_and(is_port);
        return address.parse().ok().filter(|_| is_whole).map(|address: Ipv6Addr| address.to_canonical());
    }
    // `X-Forwarded-For` has no brackets as a rule.
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return Some(address.to_canonical());
    }
    let (address, port) = text.split_once(':').unwrap_or((text, "0"));
    address.parse().ok().filter(|_| is_port(port)).map(IpAddr::V4)
}

/// A number, or an obfuscated name.
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(name) => {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        }
        None => (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

#[cfg(test)]
mod tests;
