//! The server's side: a configuration of rustls for the connections that one listener accepts.

use crate::provider;
use crate::ticket::Ticketer;
use crate::ticket_keys::TicketKeys;
use crate::trust::Trust;
use rustls::ServerConfig;
use rustls::server::{NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier};
use rustls::version::{TLS12, TLS13};
use std::sync::Arc;

/// Whether a server asks its clients for certificates.
#[derive(Clone, Debug)]
pub enum ClientCertificates {
    /// It does not ask.
    None,
    /// It asks. A client may show none, but one that it shows has to be good.
    Optional(Trust),
    /// It asks, and a client without a good one has no connection.
    Required(Trust),
}

/// The versions of TLS that a server speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Versions {
    /// TLS 1.2 and 1.3.
    #[default]
    From12,
    /// TLS 1.3 only.
    Only13,
}

/// A server that takes its certificates from `resolver`.
///
/// Sessions are resumed by tickets alone, so that the server keeps nothing of them. A ticket counts only for the trust
/// that its client was verified by: after a change of CAs or of lists of revoked certificates each client is verified anew.
/// Early data is never taken, and nothing is renegotiated.
///
/// A configuration does not change. When ticket keys or trust change, make the next one for the connections to come.
pub fn server(
    resolver: Arc<dyn ResolvesServerCert>,
    clients: &ClientCertificates,
    versions: Versions,
    tickets: &TicketKeys,
    alpn: &[&[u8]],
) -> Arc<ServerConfig> {
    let versions: &[_] = match versions {
        Versions::From12 => &[&TLS13, &TLS12],
        Versions::Only13 => &[&TLS13],
    };
    let verifier = match clients {
        ClientCertificates::None => WebPkiClientVerifier::no_client_auth(),
        ClientCertificates::Optional(trust) => trust.clients_if_any(),
        ClientCertificates::Required(trust) => trust.clients(),
    };
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .expect("aws-lc has suites for TLS 1.2 and 1.3")
        .with_client_cert_verifier(verifier)
        .with_cert_resolver(resolver);
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = Arc::new(Ticketer::new(tickets, &scope(clients)));
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config)
}

/// What a ticket is bound to beside its key.
fn scope(clients: &ClientCertificates) -> Vec<u8> {
    let (kind, trust) = match clients {
        ClientCertificates::None => return vec![0],
        ClientCertificates::Optional(trust) => (1, trust),
        ClientCertificates::Required(trust) => (2, trust),
    };
    let mut scope = vec![kind];
    scope.extend_from_slice(trust.fingerprint());
    scope
}

#[cfg(test)]
mod tests;
