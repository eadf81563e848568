//! The key by which a backend spreads its calls, where it does so by keys: found in the request, and hashed.

use super::client::Client;
use crate::backends::hash;
use crate::config::{Balance, HashBy};
use crate::routes::{Backend, PathParams, Route};
use hyper::header::{COOKIE, HeaderMap};

/// The hash of a request's key for that backend; `None` for a backend that goes by no key, and for a request without one. An
/// empty value is none. Of several headers or cookies of one name the first counts.
#[inline]
pub(super) fn hash_key(
    backend: &Backend,
    route: &Route,
    path: &PathParams<'_>,
    headers: &HeaderMap,
    client: &Client,
) -> Option<u64> {
    match &backend.spec.balance {
        Balance::Hash(spec) => find(&spec.by, route, path, headers, client),
        _ => None,
    }
}

fn find(
    by: &HashBy,
    route: &Route,
    path: &PathParams<'_>,
    headers: &HeaderMap,
    client: &Client,
) -> Option<u64> {
    let of = |bytes: &[u8]| (!bytes.is_empty()).then(|| hash(0, bytes));
    match by {
        HashBy::Header(name) => of(headers.get(name)?.as_bytes()),
        HashBy::Path(name) => {
            let at = route.spec.path.params().iter().position(|param| param == name)?;
            of(path.get(at)?.as_bytes())
        }
        HashBy::Cookie(name) => of(cookie(headers, name)?),
        HashBy::Client => of(client.addr?.to_string().as_bytes()),
    }
}

/// A cookie's value (RFC 6265, 4.2.1).
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h [u8]> {
    let pairs =
        headers.get_all(COOKIE).into_iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs.map(<[u8]>::trim_ascii).find_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn a_cookie_is_found_by_its_whole_name_in_any_of_the_headers() {
        let mut headers = HeaderMap::new();
        for line in ["a=1; session=abc;b=2", "xsession=no;  c=x=y ; empty=; session=later"] {
            headers.append(COOKIE, HeaderValue::from_static(line));
        }
        for (name, expected) in [
            ("session", Some("abc")),
            ("a", Some("1")),
            ("b", Some("2")),
            ("c", Some("x=y")),
            ("empty", Some("")),
            ("sess", None),
            ("d", None),
        ] {
            assert_eq!(cookie(&headers, name), expected.map(str::as_bytes), "{name}");
        }
    }
}
