//! An attempt to connect that failed: what is counted, and what people are told.

use crate::telemetry::ConnectFailure;

/// Why there is no connection.
#[derive(Debug)]
pub struct NotConnected {
    /// For the counters.
    pub why: ConnectFailure,
    /// For people.
    pub text: String,
}

impl NotConnected {
    /// There is no TLS connection.
    pub(super) fn tls(text: String) -> NotConnected {
        NotConnected { why: ConnectFailure::Tls, text }
    }
}

impl From<String> for NotConnected {
    fn from(text: String) -> NotConnected {
        NotConnected { why: ConnectFailure::Failed, text }
    }
}
