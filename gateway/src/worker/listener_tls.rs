//! How a listener speaks TLS: the configuration that its next connection takes, and what it counts.
//!
//! A configuration does not change; the next one takes its place. Connections that are there keep theirs.

use crate::config::{ClientSettings, Http2, TlsSettings};
use crate::telemetry::TlsStats;
use arc_swap::ArcSwap;
use callgate_tls::rustls::ServerConfig;
use callgate_tls::rustls::server::ResolvesServerCert;
use callgate_tls::{ClientCertificates, TicketKeys, UnixTime};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What is spoken within TLS, by the names that ALPN has for it; the first is preferred.
const ALPN: &[&[u8]] = &[b"h2", b"http/1.1", b"http/1.0"];

/// What a listener has for TLS.
#[derive(Debug)]
pub struct ListenerTls {
    settings: TlsSettings,
    /// Whether clients may choose HTTP/2.
    http2: bool,
    /// Only whoever makes the next configuration changes it. Nobody reads files while it is locked.
    clients: Mutex<Clients>,
    config: ArcSwap<ServerConfig>,
    /// Its counters.
    pub stats: TlsStats,
}

/// Whom a listener asks its clients to be.
#[derive(Debug)]
struct Clients {
    /// As the files said when they were last sound.
    settings: Option<ClientSettings>,
    /// What is wrong with them now.
    error: Option<String>,
}

impl ListenerTls {
    /// One of those settings.
    pub fn new(
        settings: &TlsSettings,
        http2: Http2,
        resolver: Arc<dyn ResolvesServerCert>,
        tickets: &TicketKeys,
        workers: usize,
    ) -> ListenerTls {
        let http2 = http2 == Http2::Alpn;
        let config = config((settings, http2), settings.clients.as_ref(), resolver, tickets);
        ListenerTls {
            settings: settings.clone(),
            http2,
            clients: Mutex::new(Clients { settings: settings.clients.clone(), error: None }),
            config: ArcSwap::new(config),
            stats: TlsStats::new(workers),
        }
    }

    /// The configuration for a connection that begins.
    pub fn config(&self) -> Arc<ServerConfig> {
        self.config.load_full()
    }

    /// Whether it asks its clients for certificates.
    pub fn asks(&self) -> bool {
        self.settings.clients.is_some()
    }

    /// Whether a client without a certificate has no connection.
    pub fn requires(&self) -> bool {
        self.settings.clients.as_ref().is_some_and(|clients| clients.required)
    }

    /// The files that say which clients are let in. Absolute.
    pub fn files(&self) -> Vec<PathBuf> {
        let clients = self.settings.clients.iter();
        clients.flat_map(|clients| clients.crl.iter().chain([&clients.ca]).cloned()).collect()
    }

    /// When the first of the lists of revoked certificates is out of date, and where they are.
    pub fn revoked(&self) -> Option<(UnixTime, String)> {
        let clients = self.clients();
        let settings = clients.settings.as_ref()?;
        let files: Vec<String> = settings.crl.iter().map(|file| file.display().to_string()).collect();
        Some((settings.trust.next_update()?, files.join(", ")))
    }

    fn clients(&self) -> MutexGuard<'_, Clients> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the next configuration, with the CAs and the lists of revoked certificates that the files have now.
    ///
    /// # Errors
    ///
    /// A file cannot be read or used any more: which, and why; said once. The clients that were let in before are let in still, and no
    /// others.
    pub fn renew(&self, resolver: Arc<dyn ResolvesServerCert>, tickets: &TicketKeys) -> Result<(), String> {
        let before = self.clients().settings.clone();
        let again = before.as_ref().map(ClientSettings::again).transpose();
        let mut clients = self.clients();
        let error = again.map(|again| clients.settings = again).err();
        self.config.store(config((&self.settings, self.http2), clients.settings.as_ref(), resolver, tickets));
        let is_new = error != clients.error;
        clients.error.clone_from(&error);
        error.filter(|_| is_new).map_or(Ok(()), Err)
    }
}

fn config(
    (settings, http2): (&TlsSettings, bool),
    clients: Option<&ClientSettings>,
    resolver: Arc<dyn ResolvesServerCert>,
    tickets: &TicketKeys,
) -> Arc<ServerConfig> {
    let clients = clients.map_or(ClientCertificates::None, ClientSettings::certificates);
    callgate_tls::server(
        resolver,
        &clients,
        settings.versions,
        tickets,
        if http2 { ALPN } else { &ALPN[1..] },
    )
}
