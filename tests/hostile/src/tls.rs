//! TLS for floods: the certificate that the gateway shows, and a client that trusts it.

use crate::client::Socket;
use callgate_tests::Setup;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

const NAME: &str = "localhost";

/// A client's settings, which offers HTTP/2.
#[derive(Clone, Debug)]
pub struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Makes a certificate, and the table that names it.
    pub fn make(setup: &Setup) -> Tls {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed([NAME.to_owned()]).expect("a certificate can be made");
        let (chain, key) = (setup.file("chain.pem"), setup.file("key.pem"));
        std::fs::write(&chain, cert.pem()).expect("it can be written");
        std::fs::write(&key, signing_key.serialize_pem()).expect("it can be written");
        setup.write_routes(
            "certificates.toml",
            &format!("[[certificates]]\nnames = [{NAME:?}]\ncert = {chain:?}\nkey = {key:?}\n"),
        );
        Tls(Arc::new(config(cert.der())))
    }

    /// Connects, shakes hands, and says nothing.
    pub async fn connect(&self, server: SocketAddr) -> io::Result<Box<dyn Socket>> {
        let socket = TcpStream::connect(server).await?;
        Ok(Box::new(TlsConnector::from(self.0.clone()).connect(name(), socket).await?))
    }

    /// The first half of a handshake's first message.
    pub fn half_hello(&self) -> Vec<u8> {
        let mut hello = Vec::new();
        let connection = ClientConnection::new(self.0.clone(), name());
        let written = connection.map(|mut connection| connection.write_tls(&mut hello));
        assert!(matches!(written, Ok(Ok(length)) if length > 100), "a client says something: {written:?}");
        hello.truncate(hello.len() / 2);
        hello
    }
}

fn name() -> ServerName<'static> {
    ServerName::try_from(NAME).expect("it is a name")
}

fn config(certificate: &CertificateDer<'static>) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone()).expect("it is a certificate");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.expect("it knows TLS").with_root_certificates(roots);
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}
