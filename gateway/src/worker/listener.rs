//! What is known of a listener by those that serve its connections.

use super::ListenerTls;
use crate::config::{HalfClose, ListenAddress, ListenerSettings, Protocol};
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
    /// What is done with a request whose client sends nothing more.
    pub half_close: HalfClose,
    /// How it speaks TLS, if it does.
    pub tls: Option<ListenerTls>,
    /// The port of HTTPS to which its requests are sent, if they are.
    pub https_redirect: Option<u16>,
    /// The lines that each of its replies has, with their ends.
    pub lines: Vec<u8>,
    /// Connections that were accepted and had room. Its acceptor counts.
    pub accepted: Counter,
}

impl Listener {
    /// One of those settings.
    pub fn new(settings: &ListenerSettings, tls: Option<ListenerTls>) -> Listener {
        let ListenerSettings { id, address, protocol, half_close, https_redirect, .. } = settings.clone();
        let hsts = settings.hsts.map(|hsts| format!("strict-transport-security: {}\r\n", hsts.value()));
        let lines = hsts.unwrap_or_default().into_bytes();
        Listener {
            id,
            address,
            protocol,
            half_close,
            tls,
            https_redirect,
            lines,
            accepted: Counter::default(),
        }
    }
}
