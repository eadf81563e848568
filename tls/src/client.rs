//! The client's side: a configuration of rustls for connections to servers of one trust.

use crate::certificate::Certificate;
use crate::provider;
use crate::trust::Trust;
use rustls::ClientConfig;
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::sign::SingleCertAndKey;
use std::sync::Arc;

/// A client that connects to servers whose certificates `trust` vouches for. It shows `own` when a server asks for a certificate.
///
/// TLS 1.2 and 1.3. Names are verified by the name that is given for each connection. No session is resumed: one that is shows nobody's
/// certificate anew, and Callgate's connections are few and long.
pub fn client(trust: &Trust, own: Option<&Certificate>, alpn: &[&[u8]]) -> Arc<ClientConfig> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("aws-lc has suites for TLS 1.2 and 1.3")
        .with_webpki_verifier(trust.servers());
    let mut config = match own {
        Some(certificate) => {
            let resolver: Arc<dyn ResolvesClientCert> =
                Arc::new(SingleCertAndKey::from(certificate.certified_key().clone()));
            builder.with_client_cert_resolver(resolver)
        }
        None => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::disabled();
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    Arc::new(config)
}
