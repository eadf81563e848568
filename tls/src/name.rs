//! A name that a certificate covers, and the rule by which hosts are matched with it (RFC 9525, section 6.3).

use std::fmt;
use std::net::IpAddr;

/// A name in a certificate: what may stand in a URL for it to be the right certificate.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Name {
    /// A host name in lower case.
    Dns(String),
    /// `*.` and what is kept here, in lower case. The star stands for exactly one label.
    Wildcard(String),
    /// An IP address.
    Ip(IpAddr),
}

impl Name {
    /// Reads a name as it stands in a certificate or a table file. `None` if it is neither a host name, nor a wildcard
    /// whose star is the whole first label, nor an IP address.
    pub fn parse(text: &str) -> Option<Name> {
        if let Ok(ip) = text.parse() {
            return Some(Name::Ip(ip));
        }
        match text.strip_prefix("*.") {
            Some(rest) => is_host(rest).then(|| Name::Wildcard(rest.to_ascii_lowercase())),
            None => is_host(text).then(|| Name::Dns(text.to_ascii_lowercase())),
        }
    }

    /// Whether a host, as it stands in a URL without its port, is covered. An IPv6 address may stand in brackets.
    pub fn covers(&self, host: &str) -> bool {
        match self {
            Name::Dns(name) => name.eq_ignore_ascii_case(without_root(host)),
            Name::Wildcard(rest) => match without_root(host).split_once('.') {
                Some((label, parent)) => !label.is_empty() && rest.eq_ignore_ascii_case(parent),
                None => false,
            },
            Name::Ip(ip) => {
                let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
                bare.unwrap_or(host).parse() == Ok(*ip)
            }
        }
    }
}

/// A host name without the dot of the root zone, which may be written at its end.
fn without_root(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

/// Labels of letters, digits, hyphens and underscores (which DNS bears and some certificates have), 253 bytes in all.
fn is_host(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=63).contains(&label.len())
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Name::Dns(name) => f.write_str(name),
            Name::Wildcard(rest) => write!(f, "*.{rest}"),
            Name::Ip(ip) => write!(f, "{ip}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_read_in_lower_case_and_only_whole_labels_are_stars() {
        for (text, expected) in [
            ("API.Example.com", Some("api.example.com")),
            ("*.Example.com", Some("*.example.com")),
            ("localhost", Some("localhost")),
            ("127.0.0.1", Some("127.0.0.1")),
            ("::1", Some("::1")),
            ("_dmarc.example.com", Some("_dmarc.example.com")),
            ("*", None),
            ("*.internal", Some("*.internal")),
            ("a*.example.com", None),
            ("*.*.example.com", None),
            ("a..b", None),
            ("", None),
            ("-a.example.com", None),
            ("a b", None),
            ("example.com:443", None),
        ] {
            let name = Name::parse(text).map(|name| name.to_string());
            assert_eq!(name.as_deref(), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_name_that_is_read_is_read_again_as_it_is_shown(text in "\\PC{0,20}|[a-z*.:-]{0,12}|\\*\\.[a-z.]{1,9}") {
            if let Some(name) = Name::parse(&text) {
                prop_assert_eq!(Name::parse(&name.to_string()), Some(name.clone()));
                prop_assert!(matches!(name, Name::Wildcard(_)) || name.covers(&text));
            }
        }

        #[test]
        fn no_host_is_a_panic(host in "\\PC{0,20}|\\[[0-9a-f:.]{0,9}\\]?|[a-z.]{0,9}") {
            for name in ["a.example", "*.a.example", "::1"] {
                Name::parse(name).unwrap().covers(&host);
            }
        }
    }

    #[test]
    fn a_wildcard_covers_exactly_one_label() {
        for (name, host, expected) in [
            ("api.example.com", "API.example.com", true),
            ("api.example.com", "api.example.com.", true),
            ("api.example.com", "b.example.com", false),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "A.EXAMPLE.com.", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "a.b.example.com", false),
            ("*.example.com", ".example.com", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("::1", "[::1]", true),
            ("::1", "[::2]", false),
            ("::1", "::1", true),
        ] {
            let name = Name::parse(name).unwrap();
            assert_eq!(name.covers(host), expected, "{name} and {host}");
        }
    }
}
