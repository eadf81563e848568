//! The request that begins a WebSocket (RFC 6455, 4.2). Which pages may begin one `front/origin.rs` says.

use crate::failure::Failure;
use crate::fields::{self, FieldName};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use callgate_http1::{BodyLength, Request, Version};

/// What the hash of a key is made of, behind the key.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The value of `Sec-WebSocket-Accept` for a request that begins a WebSocket.
pub(super) fn read(head: &Request, is_http2: bool) -> Result<String, Failure> {
    let has = |name: &str, wanted: &str| {
        let name = FieldName::from(name);
        fields::members(head.fields(), &name).any(|member| member.eq_ignore_ascii_case(wanted.as_bytes()))
    };
    let is_asked = has("upgrade", "websocket") && has("connection", "upgrade");
    let may_be = !is_http2 && head.version() == Version::Http11 && head.method() == "GET";
    let version = FieldName::from("sec-websocket-version");
    if !may_be || !is_asked || fields::single(head.fields(), &version)? != Some(b"13") {
        return Err(Failure::UpgradeRequired);
    }
    if !matches!(head.body_length(), BodyLength::Empty | BodyLength::Known(0)) {
        return Err(Failure::MalformedHandshake("a request that begins a WebSocket has no body"));
    }
    let name = FieldName::from("sec-websocket-key");
    let key = fields::single(head.fields(), &name)?.unwrap_or_default();
    if STANDARD.decode(key).map_or(0, |key| key.len()) != 16 {
        return Err(Failure::MalformedHandshake("Sec-WebSocket-Key must be 16 bytes in base64"));
    }
    Ok(accept(key))
}

/// The hash of a key: it shows that whoever replies knows what a WebSocket is. It keeps no secret.
fn accept(key: &[u8]) -> String {
    STANDARD.encode(digest(&SHA1_FOR_LEGACY_USE_ONLY, &[key, GUID].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::NAMES;
    use callgate_http1::RequestBuilder;

    const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
    const GOOD: [(&str, &str); 4] = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", KEY),
    ];

    fn request(method: &str, lines: &[(&str, &str)]) -> Request {
        let builder = RequestBuilder::new(&NAMES, method, "/");
        let add =
            |builder: RequestBuilder, (name, value): &(&str, &str)| builder.field(name, value.as_bytes());
        lines.iter().fold(builder, add).build()
    }

    /// The good lines, with that one instead of the one of its name, or without it where it is empty.
    fn changed(name: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
        let others = GOOD.into_iter().filter(|(own, _)| !own.eq_ignore_ascii_case(name));
        others.chain([(name, value)].into_iter().filter(|(_, value)| !value.is_empty())).collect()
    }

    #[test]
    fn the_example_of_the_rfc_is_answered_as_it_says() {
        let request = request("GET", &GOOD);
        let accept = read(&request, false).map_err(|failure| failure.detail().into_owned());
        assert_eq!(accept.as_deref(), Ok("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    }

    #[test]
    fn what_is_a_handshake_depends_on_all_of_its_lines() {
        for (name, value, expected) in [
            ("upgrade", "WebSocket", 101),
            ("upgrade", "h2c, websocket", 101),
            ("connection", "keep-alive, Upgrade", 101),
            ("upgrade", "", 426),
            ("upgrade", "h2c", 426),
            ("connection", "", 426),
            ("connection", "keep-alive", 426),
            ("sec-websocket-version", "", 426),
            ("sec-websocket-version", "8", 426),
            ("sec-websocket-version", "013", 426),
            ("sec-websocket-key", "", 400),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ", 400),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZR==", 400),
            ("sec-websocket-key", "c2hvcnQ=", 400),
            ("sec-websocket-key", "no base64, of that length", 400),
        ] {
            let request = request("GET", &changed(name, value));
            let status = read(&request, false).map_or_else(|failure| failure.status(), |_| 101);
            assert_eq!(status, expected, "{name}: {value}");
        }
        let twice: Vec<_> = GOOD.into_iter().chain([GOOD[3]]).collect();
        for (request, is_http2, expected) in [
            (request("HEAD", &GOOD), false, 426),
            (request("GET", &GOOD), true, 426),
            (request("GET", &twice), false, 400),
        ] {
            let status = read(&request, is_http2).map_or_else(|failure| failure.status(), |_| 101);
            assert_eq!(status, expected);
        }
    }
}
