//! Pages of browsers that ask: one of the host that is asked, or one that is listed. What is no browser says of no page.

use crate::config::Origins;
use crate::failure::Failure;
use crate::fields::{self, ORIGIN};
use crate::host::without_port;
use callgate_http1::Request;
use std::net::IpAddr;

/// Lets the page that asks come, if it is one of the host that it asks, or one that is listed.
pub(super) fn admit(head: &Request, listed: Option<&Origins>) -> Result<(), Failure> {
    let Some(origin) = fields::line(head.fields(), &ORIGIN)? else { return Ok(()) };
    match is_of(origin, head.host()) || listed.is_some_and(|origins| origins.admit(origin)) {
        true => Ok(()),
        false => Err(refused(origin)),
    }
}

/// The same where a page could have its own host's name lead here (DNS rebinding): it then asks a host of its own choice. So that host has to
/// be `known` to be ours, or to be none that a name server gives.
pub(super) fn admit_strictly(head: &Request, listed: Option<&Origins>, known: bool) -> Result<(), Failure> {
    let Some(origin) = fields::line(head.fields(), &ORIGIN)? else { return Ok(()) };
    let is_own = is_of(origin, head.host()) && (known || is_no_name(head.host()));
    match is_own || listed.is_some_and(|origins| origins.admit(origin)) {
        true => Ok(()),
        false => Err(refused(origin)),
    }
}

fn refused(origin: &[u8]) -> Failure {
    Failure::OriginNotAllowed(String::from_utf8_lossy(origin).into_owned())
}

/// Whether a host is one that no name server gives: an address, or this machine itself (RFC 6761, 6.3).
fn is_no_name(host: Option<&str>) -> bool {
    let host = without_port(host.unwrap_or_default());
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

/// Whether an origin is that of a host. Its scheme may be another here than it is for the page, where a proxy speaks TLS.
fn is_of(origin: &[u8], host: Option<&str>) -> bool {
    let Some((scheme, own)) = std::str::from_utf8(origin).ok().and_then(|origin| origin.split_once("://"))
    else {
        return false;
    };
    let port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return false,
    };
    let host = host.unwrap_or_default();
    let without = |text: &str| text.strip_suffix(port).unwrap_or(text).to_ascii_lowercase();
    !host.is_empty() && without(host) == without(own)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::NAMES;
    use callgate_http1::RequestBuilder;

    #[test]
    fn a_page_of_the_same_host_is_let_in_whatever_tls_is_between() {
        for (origin, host, expected) in [
            ("http://shop.example", "shop.example", true),
            ("https://shop.example", "shop.example", true),
            ("https://shop.example", "Shop.Example:443", true),
            ("http://shop.example", "shop.example:80", true),
            ("http://localhost:8080", "localhost:8080", true),
            ("http://[::1]:8080", "[::1]:8080", true),
            ("http://shop.example:8080", "shop.example", false),
            ("http://shop.example", "shop.example:443", false),
            ("http://shop.example", "shop.example:8080", false),
            ("http://evil.example", "shop.example", false),
            ("http://shop.example.evil", "shop.example", false),
            ("null", "shop.example", false),
            ("", "shop.example", false),
            ("file://", "", false),
            ("http://", "", false),
            ("ftp://shop.example", "shop.example", false),
        ] {
            assert_eq!(is_of(origin.as_bytes(), Some(host)), expected, "{origin} {host}");
        }
        assert!(!is_of(b"http://", None));
    }

    #[test]
    fn a_page_that_has_chosen_the_host_itself_is_only_let_in_where_that_is_ours() {
        for (origin, host, known, expected) in [
            ("http://rebound.example", "rebound.example", false, false),
            ("http://rebound.example:8080", "rebound.example:8080", false, false),
            ("https://shop.example", "shop.example", true, true),
            ("http://localhost:8080", "localhost:8080", false, true),
            ("http://127.0.0.1:8080", "127.0.0.1:8080", false, true),
            ("http://[::1]:8080", "[::1]:8080", false, true),
            ("http://evil.example", "localhost:8080", true, false),
            ("null", "localhost", true, false),
        ] {
            let builder = RequestBuilder::new(&NAMES, "POST", "/").field("host", host.as_bytes());
            let request = builder.field("origin", origin.as_bytes()).build();
            assert_eq!(admit_strictly(&request, None, known).is_ok(), expected, "{origin} {host} {known}");
            let listed = Origins::Any;
            assert!(admit_strictly(&request, Some(&listed), false).is_ok());
        }
        let builder = RequestBuilder::new(&NAMES, "POST", "/").field("host", b"a.example");
        assert!(admit_strictly(&builder.build(), None, false).is_ok(), "it is no browser");
    }
}
