//! What the front counts of WebSockets.

use super::counter::Counter;
use super::labels::labels;
use callgate_http1::websocket::code;

labels! {
    /// How a WebSocket has ended: as its client wished, without a word, or with the code that the gateway has said first.
    WebSocketEnd {
        /// The client has said its last word first.
        Client = "client",
        /// The client has gone without a last word.
        Gone = "gone",
        /// The client has not answered a ping.
        Silent = "silent",
        /// The method has ended.
        Normal = "1000",
        /// The client has broken a rule of the protocol.
        Protocol = "1002",
        /// A message was of a kind that is not taken, or where none is.
        Unsupported = "1003",
        /// A text was not UTF-8.
        NotUtf8 = "1007",
        /// A message did not fit, or the method has refused what it was told.
        Policy = "1008",
        /// A message was too long.
        TooLong = "1009",
        /// The call has failed.
        Internal = "1011",
        /// The gateway has ended.
        Restart = "1012",
        /// There was too much to do.
        TryLater = "1013",
    }
}

impl WebSocketEnd {
    /// The one that the gateway has said first with that code.
    pub fn of(code: Option<u16>) -> WebSocketEnd {
        match code {
            None | Some(code::NORMAL) => WebSocketEnd::Normal,
            Some(code::PROTOCOL) => WebSocketEnd::Protocol,
            Some(code::UNSUPPORTED) => WebSocketEnd::Unsupported,
            Some(code::NOT_UTF8) => WebSocketEnd::NotUtf8,
            Some(code::POLICY) => WebSocketEnd::Policy,
            Some(code::TOO_LONG) => WebSocketEnd::TooLong,
            Some(code::RESTART) => WebSocketEnd::Restart,
            Some(code::TRY_LATER) => WebSocketEnd::TryLater,
            Some(_) => WebSocketEnd::Internal,
        }
    }
}

/// One worker's share.
#[derive(Debug, Default)]
pub struct WebSocketCounters {
    /// Those that are open.
    pub open: Counter,
    ends: [Counter; WebSocketEnd::ALL.len()],
}

impl WebSocketCounters {
    /// Counts one that has ended so.
    pub fn ended(&self, end: WebSocketEnd) {
        self.ends[end as usize].increment();
    }

    /// Those that have ended so.
    pub fn count(&self, end: WebSocketEnd) -> u64 {
        self.ends[end as usize].get()
    }
}
