//! What is known of a listener by those that accept its connections and serve them.

use super::{ClientPlace, ListenerTls, PerClient};
use crate::config::{HalfClose, Http2, ListenAddress, ListenerClients, ListenerSettings, Protocol};
use crate::telemetry::{ConnectionRefusal, Counter, ListenerScrape, RefusedConnections};
use std::net::IpAddr;
use std::sync::Arc;
use tokio::time::Instant;

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
    /// Who its clients are, and who may come.
    pub clients: ListenerClients,
    /// How much each of them may take.
    pub per_client: Option<Arc<PerClient>>,
    /// How it speaks TLS, if it does.
    pub tls: Option<ListenerTls>,
    /// The port of HTTPS to which its requests are sent, if they are.
    pub https_redirect: Option<u16>,
    /// The lines that each of its replies has, with their ends.
    pub lines: Vec<u8>,
    /// Connections that were accepted and had room. Its acceptor counts.
    pub accepted: Counter,
    /// Connections that were turned away.
    pub refused: RefusedConnections,
}

impl Listener {
    /// Lets a connection in whose other end has that address, before anything is read of it; and gives its place among those of its
    /// client, if these are bounded. Behind a PROXY header that is not known yet.
    ///
    /// # Errors
    /// It is not let in, which is counted.
    pub fn let_in(
        &self,
        peer: impl FnOnce() -> Option<IpAddr>,
    ) -> Result<Option<ClientPlace>, ConnectionRefusal> {
        match &self.clients.proxy_protocol {
            Some(proxy) => {
                let peer = peer();
                let trusted = proxy.from.trusts(peer);
                if trusted { Ok(None) } else { Err(self.refuse(ConnectionRefusal::ProxyUntrusted, peer)) }
            }
            None if self.per_client.is_none() => Ok(None),
            None => self.count(peer()),
        }
    }

    /// Counts a connection of that client. Proxies are not counted: they have connections for all their clients.
    ///
    /// # Errors
    /// The client has as many as it may have.
    pub fn count(&self, client: Option<IpAddr>) -> Result<Option<ClientPlace>, ConnectionRefusal> {
        let (Some(bounds), Some(address)) = (&self.per_client, client) else { return Ok(None) };
        if self.clients.is_proxy(client) {
            return Ok(None);
        }
        bounds.take(address, Instant::now()).map(Some).map_err(|why| self.refuse(why, client))
    }

    /// Counts a connection that is turned away, and tells the log.
    pub fn refuse(&self, why: ConnectionRefusal, client: Option<IpAddr>) -> ConnectionRefusal {
        self.refused.count(why);
        tracing::info!(?client, listener = self.id, reason = why.name(), "a connection was turned away");
        why
    }

    /// What a scrape shows of it.
    pub fn scrape(&self) -> ListenerScrape<'_> {
        ListenerScrape { id: &self.id, accepted: self.accepted.get(), refused: &self.refused }
    }
}

impl Listener {
    /// One of those settings.
    pub fn new(settings: &ListenerSettings, tls: Option<ListenerTls>) -> Listener {
        let ListenerSettings { id, address, protocol, http2, half_close, clients, https_redirect, .. } =
            settings.clone();
        let hsts = settings.hsts.map(|hsts| format!("strict-transport-security: {}\r\n", hsts.value()));
        let lines = hsts.unwrap_or_default().into_bytes();
        Listener {
            id,
            address,
            protocol,
            http2,
            half_close,
            per_client: PerClient::of(&clients),
            clients,
            tls,
            https_redirect,
            lines,
            accepted: Counter::default(),
            refused: RefusedConnections::default(),
        }
    }
}
