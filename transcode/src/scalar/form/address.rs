//! URLs and e-mail addresses: what is certainly none is refused. Whether there is anybody at the address only trying it shows.

use std::net::Ipv6Addr;

/// A scheme, a colon, and at least one more character, all of them printable ASCII without spaces. Behind `//` there is a host,
/// which may be empty only where the scheme is none of the web's, and perhaps a port. What else RFC 3986 rules out is let
/// through, since what the URL Standard calls a URL, and its libraries write, may contain it.
pub(super) fn check_url(text: &str) -> Result<(), &'static str> {
    let (scheme, rest) = text.split_once(':').ok_or("expected a scheme and a colon at its beginning")?;
    let is_scheme = scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        && scheme.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if !is_scheme {
        return Err("expected a scheme and a colon at its beginning");
    }
    if !rest.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("spaces, control characters and what is not ASCII must be percent-encoded");
    }
    match rest.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let (authority, behind) = rest.split_at(end);
            match authority.is_empty() && !is_of_the_web(scheme) && !behind.is_empty() {
                true => Ok(()),
                false => check_authority(authority),
            }
        }
        None if is_of_the_web(scheme) => Err("expected `//` and a host behind the scheme"),
        None if rest.is_empty() => Err("expected something behind the scheme"),
        None => Ok(()),
    }
}

/// Whether a URL of that scheme always has a host.
fn is_of_the_web(scheme: &str) -> bool {
    ["http", "https", "ws", "wss", "ftp"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
}

/// What stands between `//` and the path: perhaps a user, a host, perhaps a port.
fn check_authority(authority: &str) -> Result<(), &'static str> {
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match host.strip_prefix('[') {
        Some(host) => {
            let (address, behind) = host.split_once(']').ok_or("the bracket of its host is not closed")?;
            address.parse::<Ipv6Addr>().map_err(|_| "its host is not an IPv6 address")?;
            match behind {
                "" => (address, ""),
                _ => (address, behind.strip_prefix(':').ok_or("expected a port behind its host")?),
            }
        }
        None => host.split_once(':').unwrap_or((host, "")),
    };
    if host.is_empty() {
        return Err("expected a host behind `//`");
    }
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    if !port.is_empty() && !is_port {
        return Err("its port is not a number from 0 to 65535");
    }
    Ok(())
}

/// What the HTML Standard accepts in a field for e-mail addresses, with the bounds of RFC 5321.
pub(super) fn check_email(text: &str) -> Result<(), &'static str> {
    const ATOM: &[u8] = b".!#$%&'*+/=?^_`{|}~-";
    if text.len() > 254 {
        return Err("longer than 254 bytes");
    }
    let (name, domain) = text.rsplit_once('@').ok_or("expected an `@`")?;
    if name.is_empty() || name.len() > 64 {
        return Err("expected 1 to 64 characters before the `@`");
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || ATOM.contains(&byte)) {
        return Err("a character before the `@` that cannot be there");
    }
    match domain.split('.').all(is_label) {
        true => Ok(()),
        false => Err("expected a domain behind the `@`"),
    }
}

/// A part of a domain's name.
fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_has_a_scheme_and_where_its_scheme_asks_for_one_a_host() {
        for text in [
            "https://example.com",
            "HTTP://example.com:8080/a/b?c=d&e#f",
            "https://user:pw@example.com/",
            "http://[::1]:80/",
            "http://[2001:db8::1]",
            "http://127.0.0.1/a|b?c={d}",
            "file:///etc/hosts",
            "mailto:ada@example.com",
            "urn:isbn:0451450523",
            "data:text/plain,hello%20world",
            "postgres://db.example/orders",
            "a+b-c.1:x",
        ] {
            assert_eq!(check_url(text), Ok(()), "{text}");
        }
        for text in [
            "",
            ":",
            "example.com",
            "/a/b",
            "//example.com",
            "https",
            "https:",
            "https:/example.com",
            "https://",
            "https:///a",
            "https://:80/",
            "https://user@/",
            "http://example.com:port/",
            "http://example.com:65536/",
            "http://example.com:+80/",
            "http://[::1/",
            "http://[::zz]/",
            "http://[::1]x/",
            "1a:b",
            "a b:c",
            "http://exa mple.com",
            "http://example.com/\u{e9}",
            "http://example.com/\n",
            "x:",
            "x://",
        ] {
            assert!(check_url(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_e_mail_address_has_a_name_an_at_and_a_domain() {
        let name = "n".repeat(64);
        let label = "d".repeat(63);
        for text in [
            "ada@example.com",
            "a.b+c@localhost",
            "!#$%&'*+/=?^_`{|}~-@a-b.c",
            &format!("{name}@{label}.{label}.com"),
        ] {
            assert_eq!(check_email(text), Ok(()), "{text}");
        }
        for text in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "ada@@example.com",
            "ada lovelace@example.com",
            "\"ada\"@example.com",
            "ada@example..com",
            "ada@.com",
            "ada@-a.com",
            "ada@a-.com",
            "ada@exam_ple.com",
            "ada@[127.0.0.1]",
            "ädä@example.com",
            "ada@example.com\n",
            &format!("{name}n@example.com"),
            &format!("a@{label}d.com"),
            &format!("{name}@{label}.{label}.{label}.com"),
        ] {
            assert!(check_email(text).is_err(), "{text}");
        }
    }
}
