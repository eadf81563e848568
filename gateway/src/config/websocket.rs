//! `websocket` of a route: its requests begin a WebSocket, and which pages of browsers may.
//!
//! ```toml
//! websocket = true                                          # pages of the same host, and all that are no browsers
//! websocket = { origins = ["https://shop.example.com"] }    # those pages as well
//! websocket = { messages = "text" }                         # each message is an item of type string, as it is
//! ```
//!
//! Browsers let every page begin a WebSocket to every host, with the cookies that belong there. So a page of another origin is refused
//! unless it is listed, as with `cors`, whose patterns these are.

use super::complaint::Complaint;
use super::cors::{ORIGINS, Origins, read_origins};
use super::keys;
use super::matcher::Matcher;
use super::reader::{Item, Reader, Section};
use super::shape::{Entry, Shape, words};
use crate::method::Method;
use serde_json::{Value, json};
use std::sync::Arc;
use toml::de::DeValue;

const KEYS: &[Entry] = &[
    Entry::new(
        "origins",
        ORIGINS,
        "pages of these origins may begin one, beside those of the host that is asked",
    ),
    Entry::new("messages", Shape::Words(&words(&Messages::ALL)), "what a message is"),
];
/// What `websocket` may be.
pub(super) const SHAPE: Shape = Shape::OneOf(&[Shape::Boolean, Shape::Table(KEYS)]);
const EXAMPLE: &str = "true, or a table such as { origins = [\"https://app.example.com\"] }";

/// Keys that say what a WebSocket has none of.
const OTHERS: &[(&str, &str)] = &[
    ("split", "a WebSocket stays with the instance that it began with"),
    ("version", "a WebSocket goes to any instance"),
    ("shadow", "what comes by a WebSocket is kept nowhere, so that it cannot be copied"),
    ("fallback", "who begins a WebSocket can be told to come again"),
    ("etag", "messages have no entity tag"),
    ("body", "what its client sends are messages, and each of them is an item"),
    ("compress", "messages are not compressed"),
];

/// Keys of `response` that say what an item is.
const OF_ITEMS: &[&str] = &["wrap", "field"];

/// What a route says of its WebSockets.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct WebSocketSpec {
    /// Pages of these origins may begin one, beside those of the host that is asked.
    pub origins: Option<Origins>,
    /// What messages are.
    pub messages: Messages,
}

/// What a message of a WebSocket is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Messages {
    /// A text: an item as JSON.
    #[default]
    Json,
    /// A text: an item that is a string, as it is.
    Text,
    /// Bytes: an item that is bytes, as they are.
    Binary,
}

impl Messages {
    const ALL: [(&str, Messages); 3] =
        [("json", Messages::Json), ("text", Messages::Text), ("binary", Messages::Binary)];
}

impl WebSocketSpec {
    /// Reads it, of a route for requests of that method.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        section: &Section<'_>,
        matcher: Option<&Matcher>,
    ) -> Option<Arc<WebSocketSpec>> {
        let item = section.get(keys::WEBSOCKET.name)?;
        let spec = match item.value.get_ref() {
            DeValue::Boolean(false) => return None,
            DeValue::Boolean(true) => WebSocketSpec::default(),
            _ => {
                let table = reader.table(&item, EXAMPLE)?;
                let section = reader.section("`websocket`", table, KEYS);
                let origins = section.get("origins").and_then(|item| read_origins(reader, &item));
                let messages = section.get("messages").and_then(|item| reader.choice(&item, &Messages::ALL));
                WebSocketSpec { origins, messages: messages.unwrap_or_default() }
            }
        };
        check(reader, section, &item, matcher);
        Some(Arc::new(spec))
    }

    /// What `/routes` shows of it.
    pub fn page(&self) -> Value {
        let messages = Messages::ALL.iter().find(|(_, own)| *own == self.messages).map(|(name, _)| name);
        json!({ "origins": self.origins.as_ref().map(Origins::texts), "messages": messages })
    }
}

/// Whether the rest of the route goes with it.
fn check(reader: &mut Reader<'_>, section: &Section<'_>, item: &Item<'_>, matcher: Option<&Matcher>) {
    if let Some(matcher) = matcher.filter(|matcher| matcher.method != Method::Get) {
        let label = format!("this is a route for {}", matcher.method);
        let complaint = Complaint::new("a WebSocket begins with GET", label);
        reader.complain::<()>(item, complaint.help("write match = \"GET /…\""));
    }
    for (key, why) in OTHERS {
        if let Some(other) = section.get(key) {
            let title = format!("`{key}` does not go with `websocket`");
            reader.complain::<()>(&other, Complaint::new(title, *why).help("remove it"));
        }
    }
    let Some(item) = section.get(keys::RESPONSE.name) else { return };
    let DeValue::Table(response) = item.value.get_ref() else { return };
    for (key, value) in response.iter().filter(|(key, _)| !OF_ITEMS.contains(&&**key.get_ref())) {
        let title = format!("`response.{}` does not go with `websocket`", key.get_ref());
        let complaint = Complaint::new(title, "the reply is a WebSocket, whose messages are the items");
        reader.complain::<()>(&item.named(key, value), complaint.help("remove it"));
    }
}
