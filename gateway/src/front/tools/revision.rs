//! Which revision of the protocol a request is of, and whether its headers say what its body says: whoever decides by headers on the way, such as a
//! proxy, has to see what is done here (Streamable HTTP, "Server Validation").

use super::super::rpc::{self, LEGACY, MODERN};
use super::message::{Message, Named, Refused};
use crate::fields::{self, FieldName};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use callgate_http1::Request;
use serde_json::json;
use std::borrow::Cow;

const VERSION: &str = "MCP-Protocol-Version";
const METHOD: &str = "Mcp-Method";
const NAME: &str = "Mcp-Name";

/// Whether a request is of the revision in which each stands for itself.
pub(super) fn of(head: &Request, message: &Message<'_>) -> Result<bool, Refused> {
    let said = value(head, VERSION).map_err(|why| mismatch(message, &why))?;
    let Some(version) = message.version.as_deref() else {
        return match said.as_deref() {
            Some(MODERN) => {
                Err(message.wrong_params("`_meta` lacks io.modelcontextprotocol/protocolVersion"))
            }
            Some(said) if message.method != "initialize" && !LEGACY.contains(&said) => {
                Err(unsupported(message, said))
            }
            _ => Ok(false),
        };
    };
    says(VERSION, said.as_deref(), version).map_err(|why| mismatch(message, &why))?;
    if version != MODERN {
        return Err(unsupported(message, version));
    }
    if !message.has_capabilities {
        return Err(message.wrong_params("`_meta` lacks io.modelcontextprotocol/clientCapabilities"));
    }
    let mirrored = || {
        says(METHOD, value(head, METHOD)?.as_deref(), &message.method)?;
        match message.params::<Named>() {
            Ok(named) if message.method == "tools/call" => {
                says(NAME, decoded(value(head, NAME)?)?.as_deref(), &named.name)
            }
            // What is wrong with the parameters themselves is told later.
            _ => Ok(()),
        }
    };
    mirrored().map_err(|why| mismatch(message, &why))?;
    Ok(true)
}

/// Whether a notification can be taken: there is none that says anything here.
pub(super) fn of_notification(head: &Request, message: &Message<'_>) -> Result<(), Refused> {
    let said = value(head, VERSION).map_err(|why| mismatch(message, &why))?;
    match said.as_deref() {
        Some(said) if said != MODERN && !LEGACY.contains(&said) => Err(unsupported(message, said)),
        _ => Ok(()),
    }
}

/// The revision for a client that begins with `initialize`: its own, or the latest that begins so.
pub(super) fn agreed(asked: &str) -> &'static str {
    LEGACY.into_iter().find(|own| *own == asked).unwrap_or(LEGACY[0])
}

/// The value of a header.
fn value<'h>(head: &'h Request, name: &str) -> Result<Option<Cow<'h, str>>, String> {
    let value =
        fields::line(head.fields(), &FieldName::from(name)).map_err(|_| format!("{name} is there twice"))?;
    let text = value.map(|value| fields::text(value).ok_or_else(|| format!("{name} is no plain text")));
    Ok(text.transpose()?.map(Cow::Borrowed))
}

/// What a value is that may be written as `=?base64?…?=`.
fn decoded(value: Option<Cow<'_, str>>) -> Result<Option<Cow<'_, str>>, String> {
    let Some(inner) = value.as_ref().and_then(|text| text.strip_prefix("=?base64?")?.strip_suffix("?="))
    else {
        return Ok(value);
    };
    let bytes = STANDARD.decode(inner).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.map(|text| Some(Cow::Owned(text))).ok_or_else(|| format!("{NAME} is no base64 of a text"))
}

fn says(name: &str, said: Option<&str>, expected: &str) -> Result<(), String> {
    match said {
        Some(said) if said == expected => Ok(()),
        Some(_) => Err(format!("{name} does not say what the body says")),
        None => Err(format!("{name} is missing")),
    }
}

fn mismatch(message: &Message<'_>, why: &str) -> Refused {
    message.refuse(rpc::HEADER_MISMATCH, &format!("Header mismatch: {why}"))
}

fn unsupported(message: &Message<'_>, requested: &str) -> Refused {
    let all: Vec<&str> = [MODERN].into_iter().chain(LEGACY).collect();
    let requested: String = requested.chars().take(64).collect();
    let refused = message.refuse(rpc::UNSUPPORTED_VERSION, "Unsupported protocol version");
    refused.with(json!({ "supported": all, "requested": requested }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::request;

    const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"VERSION","io.modelcontextprotocol/clientCapabilities":{}}"#;

    /// The era of a request with those headers, or the code and the words with which it is refused.
    fn era(
        lines: &[(&str, &str)],
        method: &str,
        params: &str,
        meta: Option<&str>,
    ) -> Result<bool, (i32, String)> {
        let meta = meta.map(|version| META.replace("VERSION", version));
        let params =
            [params, meta.as_deref().unwrap_or_default()].into_iter().filter(|part| !part.is_empty());
        let params = params.collect::<Vec<_>>().join(",");
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}}}}}"#);
        let message = Message::read(text.as_bytes()).expect("a message");
        of(&request(lines), &message).map_err(|refused| (refused.code, refused.message))
    }

    #[test]
    fn a_request_says_its_revision_in_its_body_and_its_headers() {
        let call = |name: &'static str| {
            [("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/call"), ("Mcp-Name", name)]
        };
        let named = r#""name":"pr\u00e4ge""#;
        for (lines, method, params, meta, expected) in [
            (&[][..], "initialize", "", None, Ok(false)),
            (&[("mcp-protocol-version", "2099-01-01")], "initialize", "", None, Ok(false)),
            (&[("mcp-protocol-version", "2025-06-18")], "tools/list", "", None, Ok(false)),
            (&[("mcp-protocol-version", "2024-01-01")], "tools/list", "", None, Err(-32022)),
            (&[("mcp-protocol-version", MODERN)], "tools/list", "", None, Err(-32602)),
            (
                &[("mcp-protocol-version", MODERN), ("mcp-method", "tools/list")],
                "tools/list",
                "",
                Some(MODERN),
                Ok(true),
            ),
            (&[("mcp-method", "tools/list")], "tools/list", "", Some(MODERN), Err(-32020)),
            (&[("mcp-protocol-version", "2025-11-25")], "tools/list", "", Some(MODERN), Err(-32020)),
            (&[("mcp-protocol-version", "1900-01-01")], "tools/list", "", Some("1900-01-01"), Err(-32022)),
            (&[("mcp-protocol-version", MODERN)], "tools/list", "", Some(MODERN), Err(-32020)),
            (
                &[("mcp-protocol-version", MODERN), ("mcp-method", "ping")],
                "tools/list",
                "",
                Some(MODERN),
                Err(-32020),
            ),
            (&call("=?base64?cHLDpGdl?="), "tools/call", named, Some(MODERN), Ok(true)),
            (&call("=?base64?cHLDpGdl"), "tools/call", named, Some(MODERN), Err(-32020)),
            (&call("=?base64?!?="), "tools/call", named, Some(MODERN), Err(-32020)),
            (&call("other"), "tools/call", named, Some(MODERN), Err(-32020)),
            (&call("x")[..2], "tools/call", named, Some(MODERN), Err(-32020)),
            (&call("x")[..2], "tools/call", "", Some(MODERN), Ok(true)),
        ] {
            let seen = era(lines, method, params, meta).map_err(|(code, _)| code);
            assert_eq!(seen, expected, "{lines:?} {method} {meta:?}");
        }
        let twice = [("mcp-protocol-version", MODERN), ("mcp-protocol-version", MODERN)];
        let refused = era(&twice, "tools/list", "", Some(MODERN)).expect_err("it is there twice");
        assert_eq!(refused, (-32020, "Header mismatch: MCP-Protocol-Version is there twice".to_owned()));
    }

    #[test]
    fn who_begins_gets_a_revision_that_both_know() {
        for (asked, expected) in [
            ("2025-06-18", "2025-06-18"),
            ("2024-11-05", "2024-11-05"),
            ("2099-01-01", "2025-11-25"),
            (MODERN, "2025-11-25"),
        ] {
            assert_eq!(agreed(asked), expected);
        }
    }
}
