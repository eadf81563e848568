//! Items as events, as a browser takes them.

use callgate::front::event;
use serde_json::Value;

/// What a browser has of a stream of events.
#[derive(Default, Debug, PartialEq, Eq)]
struct Heard {
    /// The type and the data of each event.
    events: Vec<(String, String)>,
    last_id: String,
    retry: Option<u64>,
}

/// Three lines with the type, the id and `retry` of an event, each of which may be missing, and an item behind them: it is one event with
/// that type, that id and that data, or none at all; another one behind it stays itself.
pub fn events(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut parts = text.splitn(4, '\t');
    let mut next = || parts.next().filter(|part| !part.is_empty());
    let (kind, id, retry) = (next(), next(), next());
    let Some(Ok(item)) = next().map(serde_json::from_str::<Value>) else { return };
    let item = item.to_string();
    let Ok(mut sent) = event(kind, id, retry, item.as_bytes()) else {
        let breaks = |text: Option<&str>| text.is_some_and(|text| text.contains(['\r', '\n', '\0']));
        let is_number = retry.is_none_or(|retry| retry.bytes().all(|byte| byte.is_ascii_digit()));
        let is_own = matches!(kind, Some("end" | "error" | "reconnect"));
        return assert!(breaks(kind) || breaks(id) || !is_number || is_own, "it could have been said");
    };
    sent.extend_from_slice(b"data: behind\n\n");
    let sent = String::from_utf8(sent).expect("it was text");
    let expected = Heard {
        events: vec![
            (kind.unwrap_or("message").to_owned(), item),
            ("message".to_owned(), "behind".to_owned()),
        ],
        last_id: id.unwrap_or_default().to_owned(),
        retry: retry.and_then(|retry| retry.parse().ok()),
    };
    assert_eq!(heard(&sent), expected);
}

/// What the HTML standard makes of a stream (9.2.6, "Interpreting an event stream").
fn heard(stream: &str) -> Heard {
    let mut heard = Heard::default();
    let (mut kind, mut data) = (String::new(), Vec::new());
    for line in stream.replace("\r\n", "\n").replace('\r', "\n").split('\n') {
        if line.is_empty() {
            let kind = std::mem::take(&mut kind);
            if !data.is_empty() {
                let kind = if kind.is_empty() { "message".to_owned() } else { kind };
                heard.events.push((kind, std::mem::take(&mut data).join("\n")));
            }
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => value.clone_into(&mut kind),
            "data" => data.push(value.to_owned()),
            "id" if !value.contains('\0') => value.clone_into(&mut heard.last_id),
            "retry" if value.bytes().all(|byte| byte.is_ascii_digit()) => heard.retry = value.parse().ok(),
            _ => {}
        }
    }
    heard
}
