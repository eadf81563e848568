//! Certificates that a test makes, and a client that speaks TLS.

use crate::{PATIENCE, Raw};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, ExtendedKeyUsagePurpose,
    IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SerialNumber, date_time_ymd,
};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A CA of a test's own.
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate with its key.
pub struct Issued {
    /// The certificate in PEM.
    pub chain: String,
    /// Its key in PEM.
    pub key: String,
    serial: u64,
}

impl Ca {
    /// A new one of that name.
    pub fn new(name: &str) -> Ca {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Ca { issuer: Issuer::new(params, key), pem }
    }

    /// Its own certificate in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A server's certificate for those names.
    pub fn server(&self, names: &[&str]) -> Issued {
        self.issue(names, ExtendedKeyUsagePurpose::ServerAuth, 4096)
    }

    /// A server's certificate for those names, which has expired long ago.
    pub fn expired_server(&self, names: &[&str]) -> Issued {
        self.issue(names, ExtendedKeyUsagePurpose::ServerAuth, 2001)
    }

    /// A client's certificate of that name.
    pub fn client(&self, name: &str) -> Issued {
        self.issue(&[name], ExtendedKeyUsagePurpose::ClientAuth, 4096)
    }

    /// A client's certificate of that name, which has expired long ago.
    pub fn expired_client(&self, name: &str) -> Issued {
        self.issue(&[name], ExtendedKeyUsagePurpose::ClientAuth, 2001)
    }

    /// The list of the certificates that are revoked, in PEM.
    pub fn revoked(&self, revoked: &[&Issued]) -> String {
        let one = |issued: &&Issued| RevokedCertParams {
            serial_number: SerialNumber::from(issued.serial),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(4000, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(one).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).and_then(|list| list.pem()).expect("a list")
    }

    fn issue(&self, names: &[&str], usage: ExtendedKeyUsagePurpose, until: i32) -> Issued {
        static SERIAL: AtomicU64 = AtomicU64::new(1);
        let serial = SERIAL.fetch_add(1, Relaxed);
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names.clone()).expect("names");
        params.distinguished_name.push(DnType::CommonName, names[0].clone());
        params.serial_number = Some(SerialNumber::from(serial));
        params.not_before = date_time_ymd(2000, 1, 1);
        params.not_after = date_time_ymd(until, 1, 1);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![usage];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().expect("a key");
        let chain = params.signed_by(&key, &self.issuer).expect("a certificate").pem();
        Issued { chain, key: key.serialize_pem(), serial }
    }
}

impl Issued {
    /// Writes it into two files of that name, each as a whole; gives their paths.
    pub fn write(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let write = |end: &str, text: &str| {
            let path = folder.join(format!("{name}.{end}"));
            let new = folder.join(format!(".{name}.{end}.new"));
            std::fs::write(&new, text).expect("a certificate can be written");
            std::fs::rename(&new, &path).expect("it can be renamed");
            path
        };
        (write("pem", &self.chain), write("key", &self.key))
    }

    /// The certificate as it goes over the wire.
    pub fn der(&self) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(self.chain.as_bytes()).expect("PEM")
    }

    fn own(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        let chain = CertificateDer::pem_slice_iter(self.chain.as_bytes()).collect::<Result<_, _>>();
        let key = PrivateKeyDer::from_pem_slice(self.key.as_bytes());
        (chain.expect("PEM"), key.expect("a key"))
    }
}

/// A client that speaks TLS. Its sessions go on where a server has given it a ticket.
#[derive(Clone)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
}

impl TlsClient {
    /// One that trusts that CA.
    pub fn new(ca: &Ca) -> TlsClient {
        TlsClient::with(ca, None, rustls::ALL_VERSIONS)
    }

    /// One that trusts that CA, shows that certificate if it is asked for one, and speaks those versions.
    pub fn with(ca: &Ca, own: Option<&Issued>, versions: &[&'static SupportedProtocolVersion]) -> TlsClient {
        let mut roots = RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(ca.pem().as_bytes()).expect("PEM");
        roots.add(root).expect("it can be a CA");
        let provider: Arc<CryptoProvider> = Arc::new(aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .expect("versions")
            .with_root_certificates(roots);
        let mut config = match own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let (chain, key) = own.own();
                builder.with_client_auth_cert(chain, key).expect("a key")
            }
        };
        config.resumption = Resumption::in_memory_sessions(64);
        TlsClient { config: Arc::new(config) }
    }

    /// The same, which offers those protocols.
    pub fn offering(&self, protocols: &[&str]) -> TlsClient {
        let mut config = ClientConfig::clone(&self.config);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        TlsClient { config: Arc::new(config) }
    }

    /// The same, which forgets its sessions.
    pub fn forgetful(&self) -> TlsClient {
        let mut config = ClientConfig::clone(&self.config);
        config.resumption = Resumption::disabled();
        TlsClient { config: Arc::new(config) }
    }

    /// Connects and shakes hands, asking for that name. With TLS 1.3 the server may refuse the client afterwards.
    pub async fn connect(&self, addr: SocketAddr, name: &str) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(name.to_owned()).expect("a name");
        let shaken = async {
            let stream = TcpStream::connect(addr).await?;
            stream.set_nodelay(true)?;
            TlsConnector::from(self.config.clone()).connect(name, stream).await
        };
        timeout(PATIENCE, shaken).await.expect("the handshake ends")
    }

    /// The same for a server that is expected to agree.
    pub async fn raw(&self, addr: SocketAddr, name: &str) -> Raw {
        Raw::over(self.connect(addr, name).await.unwrap_or_else(|error| panic!("{name}: {error}")))
    }
}
