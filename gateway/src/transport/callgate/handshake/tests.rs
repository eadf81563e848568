//! What is told of connections that come to nothing.

use super::*;
use crate::config::testing::Folder;
use crate::config::{Source, Tables};
use crate::telemetry::ConnectFailure;
use callgate_tls::rustls::pki_types::PrivateKeyDer;
use callgate_tls::rustls::{ServerConfig, server::WebPkiClientVerifier};
use rcgen::{CertificateParams, KeyPair};
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

const LIMITS: TimeLimits =
    TimeLimits { connect: Duration::from_secs(10), unacknowledged: Duration::from_secs(10) };

/// What a backend of these lines wants, in a folder.
fn security(folder: &Folder, lines: &str) -> Arc<Security> {
    let text = format!("[backends.shop]\nendpoints = ['localhost:1']\n{lines}\n");
    let tables = Tables::parse(vec![Source::new(folder.path("t.toml"), text)]).expect("a sound table");
    Security::new("shop", &tables.backends[0].security, None)
}

/// Why there is no connection to that port.
async fn told(port: u16, security: &Security) -> NotConnected {
    let addr = EndpointAddr::Tcp { host: "127.0.0.1".to_owned(), port };
    let instance = Instance { addr: &addr, name: Some("localhost"), security };
    match establish(instance, LIMITS, None, &Arc::default(), None).await {
        Ok(_) => panic!("it is connected"),
        Err(not) => not,
    }
}

/// An instance's side of TLS. Its certificate is its own CA, `ca.pem` of the folder.
fn acceptor(folder: &Folder) -> TlsAcceptor {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
    let certificate = params.self_signed(&key).expect("a certificate");
    folder.write("ca.pem", &certificate.pem());
    let mut config = ServerConfig::builder_with_provider(callgate_tls::provider())
        .with_safe_default_protocol_versions()
        .expect("suites")
        .with_client_cert_verifier(WebPkiClientVerifier::no_client_auth())
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).expect("PKCS #8"),
        )
        .expect("a pair");
    config.alpn_protocols = vec![callgate_protocol::ALPN.to_vec()];
    TlsAcceptor::from(Arc::new(config))
}

#[tokio::test]
async fn an_instance_that_goes_away_inside_tls_has_closed_the_connection() {
    let folder = Folder::new();
    let acceptor = acceptor(&folder);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("bound").port();
    let instance = async {
        let (stream, _) = listener.accept().await.expect("a connection");
        let mut stream = acceptor.accept(stream).await.expect("TLS");
        let hello = stream.read_u8().await;
        // Without the farewell of TLS, as one goes that is killed.
        drop(stream);
        hello.expect("HELLO")
    };
    let security = security(&folder, "tls = { ca = 'ca.pem' }");
    let (_, not) = tokio::join!(instance, told(port, &security));
    assert_eq!(not.text, "the peer closed the connection at once, without a word: is it a Callgate backend?");
    assert_eq!(not.why, ConnectFailure::Failed);
}

/// Nobody listens there, which nobody finds out.
#[tokio::test]
async fn where_files_cannot_be_read_nobody_is_connected_to() {
    let folder = Folder::new();
    drop(acceptor(&folder));
    for (lines, why) in [
        ("tls = { ca = 'missing.pem' }", ConnectFailure::Tls),
        ("tls = { ca = 'ca.pem' }\ntoken = { file = 'missing' }", ConnectFailure::Failed),
    ] {
        let not = told(1, &security(&folder, lines)).await;
        assert!(not.text.contains("missing") && not.text.contains("No such file"), "{}", not.text);
        assert_eq!(not.why, why, "{}", not.text);
    }
}
