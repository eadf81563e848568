//! A handshake in memory, so that what a client would refuse is refused before it counts.
//!
//! The client trusts the last certificate of the chain, and so verifies all that stand before it: signatures, names, purposes,
//! dates. A certificate that comes alone has nobody to be verified by; of it, only the use of its key is tried.

use crate::error::{CertificateError, CertificateProblem as Problem};
use crate::name::Name;
use crate::provider;
use crate::x509::Usage;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::time_provider::TimeProvider;
use rustls::{
    ClientConfig, ClientConnection, ConnectionCommon, DigitallySignedStruct, Error, RootCertStore,
    ServerConfig, ServerConnection, SignatureScheme,
};
use std::sync::Arc;

/// Both sides need fewer turns than this, whatever the chain.
const TURNS: usize = 8;

/// Lets a server and a client shake hands with this certificate: on the server's side, where its key is tried whatever it is for, and on
/// the client's if it is one's and has somebody to be verified by.
pub(crate) fn run(
    key: &Arc<CertifiedKey>,
    names: &[Name],
    usage: Usage,
    now: UnixTime,
) -> Result<(), CertificateError> {
    let name = match usage {
        Usage::Server => names.iter().find_map(server_name).ok_or_else(|| {
            CertificateError::new(
                Problem::Names,
                "none of the certificate's names is one that TLS can ask for",
            )
        })?,
        Usage::Client => ServerName::try_from("callgate.invalid").expect("a host name"),
    };
    try_it(key, name, usage, now).map_err(|error| explain(&error))
}

fn try_it(
    key: &Arc<CertifiedKey>,
    name: ServerName<'static>,
    usage: Usage,
    now: UnixTime,
) -> Result<(), Error> {
    let clock: Arc<dyn TimeProvider> = Arc::new(Fixed(now));
    let own = Arc::new(SingleCertAndKey::from(key.clone()));
    let verifiers = Verifiers::new(key, usage)?;
    let server = ServerConfig::builder_with_details(provider(), clock.clone())
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifiers.of_client)
        .with_cert_resolver(own.clone());
    let client = ClientConfig::builder_with_details(provider(), clock)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(verifiers.of_server);
    let client = match usage {
        Usage::Server => client.with_no_client_auth(),
        Usage::Client => client.with_client_cert_resolver(own),
    };
    shake_hands(ClientConnection::new(Arc::new(client), name)?, ServerConnection::new(Arc::new(server))?)
}

fn shake_hands(mut client: ClientConnection, mut server: ServerConnection) -> Result<(), Error> {
    for _ in 0..TURNS {
        carry(&mut client, &mut server)?;
        carry(&mut server, &mut client)?;
        if !client.is_handshaking() && !server.is_handshaking() {
            return Ok(());
        }
    }
    Err(Error::General("the handshake does not end".to_owned()))
}

/// Carries what one side has to say to the other, which takes it.
pub(crate) fn carry<F, T>(from: &mut ConnectionCommon<F>, to: &mut ConnectionCommon<T>) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::General(error.to_string());
    let mut said = Vec::new();
    while from.wants_write() {
        from.write_tls(&mut said).map_err(failed)?;
    }
    let mut unheard = said.as_slice();
    while !unheard.is_empty() {
        to.read_tls(&mut unheard).map_err(failed)?;
    }
    to.process_new_packets().map(drop)
}

/// A name that a client could ask for to get this one.
fn server_name(name: &Name) -> Option<ServerName<'static>> {
    match name {
        Name::Dns(name) => ServerName::try_from(name.clone()).ok(),
        Name::Wildcard(rest) => ServerName::try_from(format!("callgate.{rest}")).ok(),
        Name::Ip(ip) => Some(ServerName::IpAddress((*ip).into())),
    }
}

struct Verifiers {
    of_server: Arc<dyn ServerCertVerifier>,
    of_client: Arc<dyn ClientCertVerifier>,
}

impl Verifiers {
    fn new(key: &CertifiedKey, usage: Usage) -> Result<Verifiers, Error> {
        let mut verifiers =
            Verifiers { of_server: Arc::new(KeyOnly), of_client: WebPkiClientVerifier::no_client_auth() };
        let [_, .., last] = key.cert.as_slice() else { return Ok(verifiers) };
        let mut roots = RootCertStore::empty();
        roots.add(last.clone())?;
        let roots = Arc::new(roots);
        let failed = |error: rustls::server::VerifierBuilderError| Error::General(error.to_string());
        match usage {
            Usage::Server => {
                let builder = WebPkiServerVerifier::builder_with_provider(roots, provider());
                verifiers.of_server = builder.build().map_err(failed)?;
            }
            Usage::Client => {
                let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
                verifiers.of_client = builder.build().map_err(failed)?;
            }
        }
        Ok(verifiers)
    }
}

fn explain(error: &Error) -> CertificateError {
    use rustls::CertificateError as Bad;
    let text = match error {
        Error::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => {
            "a certificate of its chain has expired".to_owned()
        }
        Error::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => {
            "a certificate of its chain is not valid yet".to_owned()
        }
        Error::InvalidCertificate(Bad::UnknownIssuer | Bad::BadSignature) => {
            "a certificate of its chain was not signed by the next one".to_owned()
        }
        error => error.to_string(),
    };
    CertificateError::new(Problem::Trial, format!("a handshake with this certificate fails: {text}")).help(
        "each certificate of the file must have been signed by the one that follows it, and be valid today",
    )
}

#[derive(Debug)]
struct Fixed(UnixTime);

impl TimeProvider for Fixed {
    fn current_time(&self) -> Option<UnixTime> {
        Some(self.0)
    }
}

/// Verifies that the peer has the key, and nothing else.
#[derive(Debug)]
struct KeyOnly;

impl ServerCertVerifier for KeyOnly {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
