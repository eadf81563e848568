//! A message of an agent: one JSON-RPC request or notification, read strictly. Several at once are none.

use super::super::rpc;
use crate::routes::{Argument, Arguments};
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;
use std::str::from_utf8;

/// The most bytes of an id, and of a progress token: they come back in each message.
const MAX_ID: usize = 256;

/// A message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    /// The id of a request, as JSON; none of a notification.
    pub(super) id: Option<&'a str>,
    /// What is asked.
    pub(super) method: String,
    params: Option<&'a RawValue>,
    /// The revision that it says it is of.
    pub(super) version: Option<String>,
    /// It says what its client can.
    pub(super) has_capabilities: bool,
    /// By what its client wants to be told how it goes on, as JSON.
    pub(super) progress: Option<&'a str>,
}

/// Why a message is refused.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) code: i32,
    pub(super) message: String,
    data: Option<Value>,
    id: Option<String>,
    is_modern: bool,
}

impl Refused {
    fn new(code: i32, message: impl Into<String>) -> Refused {
        Refused { code, message: message.into(), data: None, id: None, is_modern: false }
    }

    /// It says that beside, for programs.
    pub(super) fn with(self, data: Value) -> Refused {
        Refused { data: Some(data), ..self }
    }

    /// The status of the reply. Before the current revision it said only whether the message could be read.
    pub(super) fn status(&self) -> u16 {
        match self.code {
            rpc::INTERNAL => 200,
            rpc::NO_METHOD | rpc::INVALID_PARAMS if !self.is_modern => 200,
            rpc::NO_METHOD => 404,
            _ => 400,
        }
    }

    /// What its sender is told.
    pub(super) fn body(self) -> Vec<u8> {
        rpc::error(self.id.as_deref(), self.code, &self.message, self.data)
    }
}

#[derive(Deserialize)]
struct Envelope<'a> {
    jsonrpc: String,
    method: String,
    #[serde(borrow, default, deserialize_with = "some")]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct WithMeta<'a> {
    #[serde(borrow, rename = "_meta")]
    meta: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Meta<'a> {
    #[serde(rename = "io.modelcontextprotocol/protocolVersion")]
    version: Option<String>,
    #[serde(borrow, rename = "io.modelcontextprotocol/clientCapabilities")]
    capabilities: Option<&'a RawValue>,
    #[serde(borrow, rename = "progressToken")]
    progress: Option<&'a RawValue>,
}

/// What `initialize` says.
#[derive(Deserialize)]
pub(super) struct Initialize {
    #[serde(rename = "protocolVersion")]
    pub(super) version: String,
}

/// What `tools/list` says.
#[derive(Deserialize)]
pub(super) struct List {
    pub(super) cursor: Option<String>,
}

/// A name among what is said.
#[derive(Deserialize)]
pub(super) struct Named {
    pub(super) name: String,
}

/// What `tools/call` says.
#[derive(Deserialize)]
pub(super) struct Call<'a> {
    pub(super) name: String,
    #[serde(borrow)]
    pub(super) arguments: Option<&'a RawValue>,
}

impl<'a> Message<'a> {
    /// Reads one.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Message<'a>, Refused> {
        let text = from_utf8(bytes).map_err(|_| Refused::new(rpc::PARSE, "Parse error: this is no UTF-8"))?;
        if let Err(error) = serde_json::from_str::<&RawValue>(text) {
            return Err(Refused::new(rpc::PARSE, format!("Parse error: {error}")));
        }
        let invalid = |why: String| Refused::new(rpc::INVALID_REQUEST, format!("Invalid request: {why}"));
        let envelope: Envelope<'a> = object(text).map_err(invalid)?;
        if envelope.jsonrpc != "2.0" {
            return Err(invalid("`jsonrpc` is \"2.0\"".to_owned()));
        }
        let id = match envelope.id.map(RawValue::get) {
            Some(id) if !is_id(id) => {
                return Err(invalid(format!("an id is a text or an integer, of {MAX_ID} bytes at most")));
            }
            id => id,
        };
        let mut message = Message {
            id,
            method: envelope.method,
            params: envelope.params,
            version: None,
            has_capabilities: false,
            progress: None,
        };
        let meta = message.params::<WithMeta<'a>>()?.meta;
        let meta: Meta<'a> = match meta {
            Some(meta) => {
                object(meta.get()).map_err(|why| message.wrong_params(&format!("`_meta`: {why}")))?
            }
            None => Meta::default(),
        };
        let progress = meta.progress.map(RawValue::get);
        if progress.is_some_and(|token| !is_id(token)) {
            return Err(message.wrong_params("a progress token is a text or an integer"));
        }
        message.version = meta.version;
        message.has_capabilities = meta.capabilities.is_some();
        message.progress = progress;
        Ok(message)
    }

    /// Its parameters.
    pub(super) fn params<T: Deserialize<'a>>(&self) -> Result<T, Refused> {
        let text = self.params.map_or("{}", RawValue::get);
        object(text).map_err(|why| self.wrong_params(&why))
    }

    /// The arguments of a tool.
    pub(super) fn arguments(&self, arguments: Option<&'a RawValue>) -> Result<Arguments<'a>, Refused> {
        let text = arguments.map_or("{}", RawValue::get);
        let Members(all) = object(text).map_err(|why| self.wrong_params(&format!("`arguments`: {why}")))?;
        Ok(all)
    }

    pub(super) fn wrong_params(&self, why: &str) -> Refused {
        self.refuse(rpc::INVALID_PARAMS, &format!("Invalid params: {why}"))
    }

    /// It is refused, and its sender is told why.
    pub(super) fn refuse(&self, code: i32, message: &str) -> Refused {
        let is_modern = self.version.is_some();
        Refused { id: self.id.map(str::to_owned), is_modern, ..Refused::new(code, message) }
    }
}

/// The members of an object. None is there twice: whoever took the other one would see another call.
struct Members<'a>(Arguments<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Members<'a>, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut all = Arguments::default();
                while let Some((name, value)) = map.next_entry::<String, &'de RawValue>()? {
                    if all.has(&name) {
                        return Err(serde::de::Error::custom(format!("`{name}` is there twice")));
                    }
                    all.put(name, Argument::Json(value));
                }
                Ok(Members(all))
            }
        }
        deserializer.deserialize_map(Reader)
    }
}

/// Reads an object; nothing else is one, not even a list of what its members are.
fn object<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, String> {
    if !text.trim_ascii_start().starts_with('{') {
        return Err("expected an object".to_owned());
    }
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn some<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Option<&'a RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

/// Whether JSON is an id: a text or an integer.
fn is_id(json: &str) -> bool {
    let is_integer = || json.parse::<i64>().is_ok() || json.parse::<u64>().is_ok();
    json.len() <= MAX_ID && (json.starts_with('"') || is_integer())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Message<'_>, (i32, Option<String>)> {
        Message::read(text.as_bytes()).map_err(|refused| (refused.code, refused.id))
    }

    #[test]
    fn a_message_is_one_request_or_notification_and_nothing_else() {
        for (text, expected) in [
            (r#"{"jsonrpc":"2.0","id":1,"method":"a"}"#, Ok(Some("1"))),
            (
                r#" {"jsonrpc":"2.0","id":"\u0061","method":"a","params":{"_meta":{"progressToken":7}}} "#,
                Ok(Some("\"\\u0061\"")),
            ),
            (r#"{"jsonrpc":"2.0","method":"a"}"#, Ok(None)),
            (r#"{"jsonrpc":"2.0","id":null,"method":"a"}"#, Err(-32600)),
            (r#"{"jsonrpc":"2.0","id":1.5,"method":"a"}"#, Err(-32600)),
            (r#"{"jsonrpc":"2.0","id":[1],"method":"a"}"#, Err(-32600)),
            (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"a"}"#, Err(-32600)),
            (r#"{"jsonrpc":"1.0","id":1,"method":"a"}"#, Err(-32600)),
            (r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, Err(-32600)),
            (r#"[{"jsonrpc":"2.0","id":1,"method":"a"}]"#, Err(-32600)),
            (r#"["2.0","a",1,{}]"#, Err(-32600)),
            (r#"{"jsonrpc":"2.0","id":1,"method":"a","params":[]}"#, Err(-32602)),
            (r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"_meta":1}}"#, Err(-32602)),
            (r#"{"jsonrpc":"2.0","id":1,"method":"a","params":{"_meta":{"progressToken":{}}}}"#, Err(-32602)),
            ("{", Err(-32700)),
            ("", Err(-32700)),
            ("{} {}", Err(-32700)),
        ] {
            let seen = read(text).map(|message| message.id.map(str::to_owned)).map_err(|(code, _)| code);
            assert_eq!(seen, expected.map(|id: Option<&str>| id.map(str::to_owned)), "{text}");
        }
        assert!(Message::read(b"\xff").is_err());
        let long = format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"a"}}"#, "a".repeat(MAX_ID));
        assert_eq!(read(&long).map(|_| ()), Err((-32600, None)));
        let deep = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"a","params":{{"x":{}"#, "[".repeat(1 << 20));
        assert_eq!(read(&deep).map(|_| ()), Err((-32700, None)));
    }

    #[test]
    fn arguments_are_an_object_in_which_nothing_is_there_twice() {
        let message = read(r#"{"jsonrpc":"2.0","id":1,"method":"tools/call"}"#).expect("a message");
        let refused = |text: &str| {
            let raw: Box<RawValue> = serde_json::from_str(text).expect("JSON");
            message.arguments(Some(&raw)).err().map(|refused| refused.message)
        };
        assert_eq!(refused("{}"), None);
        assert_eq!(refused("{\"a\":{\"b\":1},\"b\":null}"), None);
        assert!(message.arguments(None).is_ok());
        let twice = refused("{\"a\":1,\"\\u0061\":2}").expect("it is refused");
        assert!(twice.starts_with("Invalid params: `arguments`: `a` is there twice"), "{twice}");
        for text in ["[]", "1", "[[\"a\",1]]", "\"a\"", "null"] {
            assert!(refused(text).is_some(), "{text}");
        }
    }

    #[test]
    fn a_refusal_has_the_status_of_its_era() {
        let refused = |code, is_modern| Refused { is_modern, ..Refused::new(code, "") }.status();
        for (code, legacy, modern) in [
            (rpc::PARSE, 400, 400),
            (rpc::INVALID_REQUEST, 400, 400),
            (rpc::NO_METHOD, 200, 404),
            (rpc::INVALID_PARAMS, 200, 400),
            (rpc::HEADER_MISMATCH, 400, 400),
            (rpc::UNSUPPORTED_VERSION, 400, 400),
            (rpc::INTERNAL, 200, 200),
        ] {
            assert_eq!((refused(code, false), refused(code, true)), (legacy, modern), "{code}");
        }
    }
}
