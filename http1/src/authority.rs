//! `host [":" port]` of RFC 3986, 3.2, as Host and the targets of absolute-form have it: no userinfo, no comma.

use crate::bytes::{host_run, is_host};
use std::net::Ipv6Addr;

/// A host and its port, as they were sent. A port without digits is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Authority<'a> {
    host: &'a [u8],
    port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// Reads one. `None` if it is something else, or has no host.
    pub(crate) fn read(text: &'a [u8]) -> Option<Authority<'a>> {
        let (host, rest) = match text {
            [b'[', literal @ ..] => {
                let end = literal.iter().position(|byte| *byte == b']')?;
                is_ip_literal(&literal[..end]).then_some(())?;
                text.split_at(end + 2)
            }
            _ => {
                let end = text.iter().position(|byte| *byte == b':').unwrap_or(text.len());
                is_reg_name(&text[..end]).then_some(())?;
                text.split_at(end)
            }
        };
        let port = match rest {
            [] | [b':'] => None,
            [b':', digits @ ..] => Some(port(digits)?),
            _ => return None,
        };
        Some(Authority { host, port })
    }

    /// Whether both are the same for a scheme with that port when none is said (RFC 9110, 4.2.3).
    pub(crate) fn is(self, other: Authority<'_>, default_port: u16) -> bool {
        self.host.eq_ignore_ascii_case(other.host)
            && self.port.unwrap_or(default_port) == other.port.unwrap_or(default_port)
    }
}

fn port(digits: &[u8]) -> Option<u16> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u16::from(byte - b'0'));
    digits.iter().try_fold(0_u16, |port, byte| port.checked_mul(10)?.checked_add(digit(byte)?))
}

/// `1*( unreserved / pct-encoded / sub-delims )`, but no comma. IPv4 addresses are of this form.
fn is_reg_name(name: &[u8]) -> bool {
    let mut rest = name;
    loop {
        rest = match &rest[host_run(rest)..] {
            [] => return !name.is_empty(),
            [b'%', high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => rest,
            _ => return false,
        }
    }
}

/// What stands in brackets: an IPv6 address without a zone, or an address of a later version.
fn is_ip_literal(literal: &[u8]) -> bool {
    match literal {
        [b'v' | b'V', future @ ..] => {
            let Some(dot) = future.iter().position(|byte| *byte == b'.') else {
                return false;
            };
            let (version, address) = (&future[..dot], &future[dot + 1..]);
            !version.is_empty()
                && version.iter().all(u8::is_ascii_hexdigit)
                && !address.is_empty()
                && address.iter().all(|byte| is_host(*byte) || *byte == b':')
        }
        _ => std::str::from_utf8(literal).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authority_is_a_host_with_an_optional_port() {
        for good in [
            "a",
            "a.b-c_d~e",
            "a:80",
            "a:",
            "a:0",
            "a:65535",
            "a:000080",
            "1.2.3.4",
            "999.1.1.1",
            "%41%7e",
            "a!$&'()*+;=",
            "[::1]",
            "[::1]:80",
            "[::1]:",
            "[1:2:3:4:5:6:7::]",
            "[::ffff:1.2.3.4]",
            "[v1.a:b]",
            "[VF.x]",
        ] {
            assert!(Authority::read(good.as_bytes()).is_some(), "{good}");
        }
        for bad in [
            "",
            ":",
            ":80",
            "a b",
            " a",
            "a ",
            "a/b",
            "a?b",
            "a#b",
            "u@a",
            "u:p@a",
            "a,b",
            "a:65536",
            "a:99999999999999999999",
            "a:8o",
            "a:-1",
            "a:+1",
            "a:80:80",
            "a: 80",
            "%4",
            "%zz",
            "a%",
            "\u{e9}",
            "a\\b",
            "a|b",
            "a\"",
            "a<b",
            "a^b",
            "a`",
            "{a}",
            "[",
            "]",
            "[]",
            "[::1",
            "::1",
            "::1]",
            "[::1]a",
            "[::1]80",
            "[::1]:65536",
            "a[::1]",
            "[1.2.3.4]",
            "[::1%eth0]",
            "[::1%25eth0]",
            "[1:2:3:4:5:6:7:8:9]",
            "[12345::]",
            "[::01.2.3.4]",
            "[v.a]",
            "[vg.a]",
            "[v1.]",
            "[v1]",
            "[v1.a,b]",
            "[v1.a/b]",
            "[::1]]",
            "[[::1]]",
        ] {
            assert_eq!(Authority::read(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn case_and_the_default_port_make_no_difference() {
        for (one, other, same) in [
            ("a", "A", true),
            ("a", "a:80", true),
            ("a:", "a:80", true),
            ("a:0080", "a", true),
            ("a", "a:443", false),
            ("a:81", "a:82", false),
            ("a", "b", false),
            ("a", "a.", false),
            ("[::A]", "[::a]:80", true),
        ] {
            let read = |text: &'static str| Authority::read(text.as_bytes()).expect("an authority");
            assert_eq!(read(one).is(read(other), 80), same, "{one} {other}");
        }
    }
}
