//! The host that a request asks for, as it is compared: without its port, without the dot of the root zone, in lower case.

/// The longest host that a table can name, in bytes, and a dot.
const MAX_HOST: usize = 254;

/// A host without the port that may stand behind it.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Room for a host as it is compared.
pub(crate) struct Compared([u8; MAX_HOST]);

impl Compared {
    /// Room.
    pub(crate) fn room() -> Compared {
        Compared([0; MAX_HOST])
    }

    /// Puts a host there as it was sent. `None` if it is longer than any that a table names.
    pub(crate) fn put(&mut self, host: &str) -> Option<&str> {
        let name = without_port(host);
        let name = name.strip_suffix('.').unwrap_or(name);
        let room = self.0.get_mut(..name.len())?;
        room.copy_from_slice(name.as_bytes());
        room.make_ascii_lowercase();
        std::str::from_utf8(room).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_may_have_a_port_and_an_address_colons() {
        for (host, name) in [
            ("a.example", "a.example"),
            ("a.example:8443", "a.example"),
            ("a.example:", "a.example"),
            ("127.0.0.1:1", "127.0.0.1"),
            ("[::1]:443", "[::1]"),
            ("[::1]", "[::1]"),
        ] {
            assert_eq!(without_port(host), name);
        }
    }

    #[test]
    fn a_host_is_compared_whatever_its_case_port_and_last_dot() {
        for host in ["a.example", "A.Example", "a.example:80", "a.EXAMPLE.:80", "a.example."] {
            assert_eq!(Compared::room().put(host), Some("a.example"), "{host}");
        }
        assert_eq!(Compared::room().put("[::1]:80"), Some("[::1]"));
        assert_eq!(Compared::room().put(&"a".repeat(300)), None);
        assert_eq!(Compared::room().put("."), Some(""));
    }
}
