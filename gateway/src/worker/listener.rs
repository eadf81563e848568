//! What is known of a listener by those that serve its connections.

use crate::config::{HalfClose, Http2, ListenAddress, ListenerSettings, Protocol};
use crate::telemetry::Counter;

/// A listener, as its connections know it.
#[derive(Debug)]
pub struct Listener {
    /// Its name in the log and the metrics.
    pub id: String,
    /// Where it listens.
    pub address: ListenAddress,
    /// What is spoken over its connections.
    pub protocol: Protocol,
    /// Whether HTTP/2 is spoken there, and how it is chosen.
    pub http2: Http2,
    /// What is done with a request whose client sends nothing more.
    pub half_close: HalfClose,
    /// Connections that were accepted and had room. Its acceptor counts.
    pub accepted: Counter,
}

impl From<&ListenerSettings> for Listener {
    fn from(settings: &ListenerSettings) -> Listener {
        let ListenerSettings { id, address, protocol, http2, half_close, .. } = settings.clone();
        Listener { id, address, protocol, http2, half_close, accepted: Counter::default() }
    }
}
