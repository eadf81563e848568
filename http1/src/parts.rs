//! Requests that came as parts and not as HTTP/1.1, as those of HTTP/2 do (RFC 9113, 8.3.1).
//!
//! Their parts are written as a head of HTTP/1.1 and parsed: so every rule for a head is the parser's own, and whoever reads a request
//! need not know how it has come. Nothing that a part may hold can end a line or begin another one.

use crate::authority::Authority;
use crate::bytes::{is_blank, is_token, text_run};
use crate::refusal::Refusal;
use crate::request::{Limits, Request};

/// What says which request it is.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'a> {
    /// `:method`.
    pub method: &'a str,
    /// `:scheme`, if it is known.
    pub scheme: Option<&'a str>,
    /// `:authority`.
    pub authority: Option<&'a str>,
    /// `:path`: the path and the query; empty where there is none.
    pub path: &'a str,
}

impl Request {
    /// Reads a request that came as parts, with the fields that `fields` begins to give anew each time, in their order. It must be empty before. Nothing follows the head: where the
    /// body ends, its sender says otherwise.
    ///
    /// # Errors
    /// What the same head would be refused for in HTTP/1.1; beside that a scheme other than `http` and `https`, and a value with blanks
    /// around it (RFC 9113, 8.2.1). A Host that is not the authority is refused as one that is not the target's.
    pub fn read_parts<'f, F: Iterator<Item = (&'f str, &'f [u8])>>(
        &mut self,
        parts: Parts<'_>,
        fields: impl Fn() -> F,
        limits: &Limits,
    ) -> Result<(), Refusal> {
        let out = self.buffer();
        out.clear();
        write_request_line(out, parts, fields())?;
        for (name, value) in fields() {
            write_field(out, name.as_bytes(), value)?;
            // What comes would be refused anyway, and is not copied for that.
            if out.len() > limits.max_head {
                return Err(Refusal::HeadTooLarge);
            }
        }
        out.extend_from_slice(b"\r\n");
        // A head that is written whole is read whole.
        if self.parse(limits)? { Ok(()) } else { Err(Refusal::RequestLine) }
    }
}

/// The request line; and Host, where only the authority says it. Where both are there, the target is of absolute-form, which must agree
/// with Host.
fn write_request_line<'f>(
    out: &mut Vec<u8>,
    parts: Parts<'_>,
    mut fields: impl Iterator<Item = (&'f str, &'f [u8])>,
) -> Result<(), Refusal> {
    let Parts { method, scheme, authority, path } = parts;
    if method == "CONNECT" {
        return Err(Refusal::Connect);
    }
    if !matches!(scheme, None | Some("http" | "https")) || !is_target(path) {
        return Err(Refusal::Target);
    }
    if method.is_empty() || !method.bytes().all(is_token) {
        return Err(Refusal::Method);
    }
    if authority.is_some_and(|authority| Authority::read(authority.as_bytes()).is_none()) {
        return Err(Refusal::Host);
    }
    let host = fields.find(|(name, _)| name.eq_ignore_ascii_case("host")).map(|(_, value)| value);
    out.extend_from_slice(method.as_bytes());
    out.push(b' ');
    match (authority, host) {
        // One for the whole server has no absolute form.
        (Some(authority), Some(host)) if path == "*" && !host.eq_ignore_ascii_case(authority.as_bytes()) => {
            return Err(Refusal::HostMismatch);
        }
        (Some(authority), Some(_)) if path != "*" => {
            for part in [scheme.unwrap_or("http"), "://", authority] {
                out.extend_from_slice(part.as_bytes());
            }
        }
        _ => {}
    }
    out.extend_from_slice(path.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    match (authority, host) {
        (Some(authority), None) => write_field(out, b"host", authority.as_bytes()),
        _ => Ok(()),
    }
}

/// Whether it is a path, or `*`, and cannot end the request line: the parser says the rest.
fn is_target(path: &str) -> bool {
    (path.starts_with('/') || path == "*") && path.bytes().all(|byte| byte.is_ascii_graphic())
}

fn write_field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) -> Result<(), Refusal> {
    if name.is_empty() || !name.iter().all(|byte| is_token(*byte)) {
        return Err(Refusal::FieldName);
    }
    if text_run(value) < value.len() {
        return Err(Refusal::ControlByte);
    }
    if [value.first(), value.last()].into_iter().flatten().any(|byte| is_blank(*byte)) {
        return Err(Refusal::FieldValue);
    }
    out.reserve(name.len() + value.len() + 4);
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framing::BodyLength;
    use crate::known::KnownNames;
    use proptest::prelude::*;

    static NAMES: KnownNames = KnownNames::new(&["cookie"]);
    const LIMITS: Limits = Limits { max_head: 400, max_target: 100, max_fields: 4, max_trailers: 100 };
    const GET: Parts<'_> =
        Parts { method: "GET", scheme: Some("https"), authority: Some("a.example"), path: "/b?c=d" };

    fn read(parts: Parts<'_>, fields: &[(&str, &[u8])]) -> Result<Request, Refusal> {
        let mut request = Request::new(&NAMES);
        request.read_parts(parts, || fields.iter().copied(), &LIMITS)?;
        Ok(request)
    }

    #[test]
    fn a_request_of_parts_is_what_parsing_would_make_of_it() {
        let fields: [(&str, &[u8]); 3] = [("cookie", b"a=1"), ("cookie", b"b=2"), ("content-length", b"3")];
        let mut request = read(GET, &fields).expect("it is sound");
        assert_eq!((request.method(), request.path(), request.query()), ("GET", "/b", Some("c=d")));
        assert_eq!((request.host(), request.body_length()), (Some("a.example"), BodyLength::Known(3)));
        let seen: Vec<_> = request.fields().iter().collect();
        assert_eq!(seen[0], ("host", &b"a.example"[..]));
        assert_eq!(seen[1..], fields);
        assert_eq!(request.rest(), b"");
        request.finish(0);
        assert!(request.buffer().is_empty());
    }

    #[test]
    fn host_and_authority_name_one_host_or_the_request_is_refused() {
        let none = None::<&str>;
        for (authority, host, path, expected) in [
            (Some("a"), none, "/", Ok("a")),
            (none, Some("b"), "/", Ok("b")),
            (Some("a"), Some("A"), "/", Ok("a")),
            (Some("a"), Some("a:443"), "/", Ok("a")),
            (Some("a"), Some("a:80"), "/", Err(Refusal::HostMismatch)),
            (Some("a"), Some("b"), "/", Err(Refusal::HostMismatch)),
            (Some("a"), Some("b"), "*", Err(Refusal::HostMismatch)),
            (Some("a"), Some("A"), "*", Ok("A")),
            (Some("a"), none, "*", Ok("a")),
            (none, none, "/", Err(Refusal::NoHost)),
            (Some(""), none, "/", Err(Refusal::Host)),
            (Some("u@a"), none, "/", Err(Refusal::Host)),
            (Some("u@a"), Some("a"), "/", Err(Refusal::Host)),
            (Some("a/b"), Some("a"), "/", Err(Refusal::Host)),
            (Some("a"), Some("u@a"), "/", Err(Refusal::Host)),
        ] {
            let parts = Parts { method: "OPTIONS", authority, path, ..GET };
            let host: Vec<(&str, &[u8])> = host.iter().map(|host| ("host", host.as_bytes())).collect();
            let request = read(parts, &host);
            let seen = request.as_ref().map(|request| request.host().expect("a host")).map_err(|it| *it);
            assert_eq!(seen, expected, "{authority:?} {host:?} {path}");
        }
        let two: [(&str, &[u8]); 2] = [("host", b"a"), ("host", b"a")];
        let parts = Parts { authority: Some("a"), ..GET };
        assert_eq!(read(parts, &two).map(drop), Err(Refusal::SeveralHosts));
    }

    #[test]
    fn what_http_1_would_refuse_is_refused() {
        let long = "/".repeat(200);
        for (parts, expected) in [
            (Parts { method: "CONNECT", path: "", ..GET }, Refusal::Connect),
            (Parts { method: "", ..GET }, Refusal::Method),
            (Parts { method: "GET /x HTTP/1.1\r\na:", ..GET }, Refusal::Method),
            (Parts { method: "PRI", path: "*", ..GET }, Refusal::UnknownMethod),
            (Parts { method: "get", ..GET }, Refusal::UnknownMethod),
            (Parts { scheme: Some("ftp"), ..GET }, Refusal::Target),
            (Parts { path: "", ..GET }, Refusal::Target),
            (Parts { path: "b", ..GET }, Refusal::Target),
            (Parts { path: "*", ..GET }, Refusal::Target),
            (Parts { path: "/a b", ..GET }, Refusal::Target),
            (Parts { path: "/a#b", ..GET }, Refusal::Target),
            (Parts { path: "/\"", ..GET }, Refusal::Target),
            (Parts { path: "/ HTTP/1.1\r\nx: y\r\n", ..GET }, Refusal::Target),
            (Parts { path: &long, ..GET }, Refusal::TargetTooLong),
            (Parts { authority: Some("a\r\nx: y"), ..GET }, Refusal::Host),
        ] {
            assert_eq!(read(parts, &[]).map(drop), Err(expected), "{parts:?}");
        }
        for (name, value, expected) in [
            ("", &b"a"[..], Refusal::FieldName),
            ("a b", b"a", Refusal::FieldName),
            ("a:", b"a", Refusal::FieldName),
            ("a", b"b\r\nc: d", Refusal::ControlByte),
            ("a", b"b\nc", Refusal::ControlByte),
            ("a", b"\0", Refusal::ControlByte),
            ("a", b" b", Refusal::FieldValue),
            ("a", b"b\t", Refusal::FieldValue),
            ("content-length", b"+1", Refusal::ContentLength),
            ("expect", b"x", Refusal::Expect),
            ("a", &[b'x'; 500], Refusal::HeadTooLarge),
        ] {
            assert_eq!(read(GET, &[(name, value)]).map(drop), Err(expected), "{name} {value:?}");
        }
        assert_eq!(read(GET, &[("a", &b""[..]); 4]).map(drop), Err(Refusal::TooManyFields));
    }

    proptest! {
        #[test]
        fn no_part_becomes_another_one(
            path in "/[ -~\r\n]{0,12}", authority in "[ -~\r\n]{0,8}", name in "[ -~\r\n]{0,5}", value in "[ -~\r\n]{0,12}",
        ) {
            let parts = Parts { path: &path, authority: Some(&authority), ..GET };
            let fields: [(&str, &[u8]); 1] = [(&name, value.as_bytes())];
            if let Ok(request) = read(parts, &fields) {
                let target = match request.query() {
                    Some(query) => format!("{}?{query}", request.path()),
                    None => request.path().to_owned(),
                };
                let seen: Vec<_> = request.fields().iter().collect();
                if name.eq_ignore_ascii_case("host") {
                    prop_assert_eq!(seen.len(), 1);
                } else {
                    prop_assert_eq!(target, path);
                    prop_assert_eq!(seen, [("host", authority.as_bytes()), (&name, value.as_bytes())]);
                }
            }
        }
    }
}
