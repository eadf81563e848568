//! Request targets of absolute-form (RFC 9112, 3.2.2): `http://host/path?query`. They are rare, so they are taken apart when they are
//! whole.

use crate::authority::Authority;
use crate::bytes::path_run;
use crate::refusal::Refusal;

/// The parts of a target of absolute-form, as lengths: they follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Absolute {
    pub(crate) default_port: u16,
    /// `http://`.
    pub(crate) scheme: usize,
    pub(crate) authority: usize,
    /// May be empty.
    pub(crate) path: usize,
    /// With its `?`.
    pub(crate) query: usize,
}

/// Takes a target apart, which begins with a letter and has no byte that a query cannot have.
pub(crate) fn absolute(target: &[u8]) -> Result<Absolute, Refusal> {
    let (scheme, default_port) = if has_prefix(target, b"http://") {
        (7, 80)
    } else if has_prefix(target, b"https://") {
        (8, 443)
    } else {
        return Err(Refusal::Target);
    };
    let rest = &target[scheme..];
    let authority = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    let (host, rest) = rest.split_at(authority);
    if Authority::read(host).is_none() {
        return Err(Refusal::Target);
    }
    let path = path_run(rest);
    let query = &rest[path..];
    if query.first().is_some_and(|first| *first != b'?') {
        return Err(Refusal::Target);
    }
    Ok(Absolute { default_port, scheme, authority, path, query: query.len() })
}

fn has_prefix(target: &[u8], prefix: &[u8]) -> bool {
    target.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_of_absolute_form_has_a_host() {
        let parts = |default_port, scheme, authority, path, query| {
            Ok(Absolute { default_port, scheme, authority, path, query })
        };
        for (target, expected) in [
            ("http://a", parts(80, 7, 1, 0, 0)),
            ("HTTPS://a:1/", parts(443, 8, 3, 1, 0)),
            ("http://a/b?c", parts(80, 7, 1, 2, 2)),
            ("http://a?c=/?", parts(80, 7, 1, 0, 5)),
            ("http://[::1]/b", parts(80, 7, 5, 2, 0)),
            ("http://", Err(Refusal::Target)),
            ("http:///a", Err(Refusal::Target)),
            ("http:/a", Err(Refusal::Target)),
            ("http:a", Err(Refusal::Target)),
            ("http://u@a/", Err(Refusal::Target)),
            ("http://a,b/", Err(Refusal::Target)),
            ("http://a:65536/", Err(Refusal::Target)),
            ("http://a/b[", Err(Refusal::Target)),
            ("http://a/|?b", Err(Refusal::Target)),
            ("ftp://a/", Err(Refusal::Target)),
            ("httpx://a/", Err(Refusal::Target)),
            ("host:80", Err(Refusal::Target)),
        ] {
            assert_eq!(absolute(target.as_bytes()), expected, "{target}");
        }
    }
}
