//! Messages and items: what a message of the client is as an item of its call, and an item of the method as a message.

use crate::config::Messages;
use crate::failure::Failure;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use callgate_http1::websocket::Event;
use std::borrow::Cow;

/// How many bytes a message has.
pub(super) fn length(event: &Event) -> usize {
    match event {
        Event::Text(data) | Event::Binary(data) => data.len(),
        Event::Ping(_) | Event::Pong(_) | Event::Close(_) => 0,
    }
}

/// The item that a message is, or why it is none.
pub(super) fn item(messages: Messages, event: Event) -> Result<Vec<u8>, &'static str> {
    let quoted = |text: &str| format!("\"{text}\"").into_bytes();
    match (messages, event) {
        (Messages::Json, Event::Text(text)) => Ok(text),
        // The reader has seen that it is UTF-8, and a string can always be written.
        (Messages::Text, Event::Text(text)) => {
            Ok(serde_json::to_vec(&String::from_utf8_lossy(&text)).unwrap_or_default())
        }
        (Messages::Binary, Event::Binary(data)) => Ok(quoted(&STANDARD.encode(data))),
        (Messages::Json, _) => Err("messages are JSON in text; this one is binary"),
        (Messages::Text, _) => Err("messages are texts; this one is binary"),
        (Messages::Binary, _) => Err("messages are binary; this one is a text"),
    }
}

/// A message for the client.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message {
    Text(Bytes),
    Binary(Bytes),
}

/// The message that an item is.
pub(super) fn message(messages: Messages, item: Bytes) -> Result<Message, Failure> {
    let text = match messages {
        Messages::Json => return Ok(Message::Text(item)),
        Messages::Text | Messages::Binary => serde_json::from_slice::<Cow<'_, str>>(&item),
    };
    let text = text.map_err(|_| misfit("an item is no string"))?.into_owned();
    if messages == Messages::Text {
        return Ok(Message::Text(text.into()));
    }
    let data = STANDARD.decode(text).map_err(|_| misfit("an item is not bytes"))?;
    Ok(Message::Binary(data.into()))
}

fn misfit(what: &str) -> Failure {
    Failure::Misfit(format!("{what}, as the messages of the route's WebSocket are"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_items_and_items_messages() {
        let text = "a \"quote\", \u{fc}\n\0";
        let texts = || Event::Text(text.as_bytes().to_owned());
        let data = || Event::Binary(vec![0, 0xff, 7]);
        assert_eq!(item(Messages::Json, texts()), Ok(text.as_bytes().to_owned()));
        for (messages, event, expected) in [
            (Messages::Text, texts(), Message::Text(text.to_owned().into())),
            (Messages::Text, Event::Text(Vec::new()), Message::Text(Bytes::new())),
            (Messages::Binary, data(), Message::Binary(vec![0, 0xff, 7].into())),
            (Messages::Binary, Event::Binary(Vec::new()), Message::Binary(Bytes::new())),
        ] {
            let item = item(messages, event).expect("it is one");
            assert!(serde_json::from_slice::<String>(&item).is_ok());
            assert_eq!(message(messages, item.into()).map_err(|failure| failure.reason()), Ok(expected));
        }
        for (messages, event) in
            [(Messages::Json, data()), (Messages::Text, data()), (Messages::Binary, texts())]
        {
            assert!(item(messages, event).is_err());
        }
        for (messages, json) in [(Messages::Text, "1"), (Messages::Binary, "{}"), (Messages::Binary, "\"?\"")]
        {
            assert!(message(messages, Bytes::from_static(json.as_bytes())).is_err(), "{json}");
        }
    }
}
