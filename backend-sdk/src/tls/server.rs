//! The called side: which certificate it shows, and whom it lets in.

use super::{Pair, check_protocol, problem};
use crate::connection::Stream;
use crate::fresh::Fresh;
use callgate_protocol::ALPN;
use callgate_tls::rustls::ServerConfig;
use callgate_tls::rustls::sign::SingleCertAndKey;
use callgate_tls::{Certificate, ClientCertificates, Identity, TicketKeys, Trust, UnixTime, Versions};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_rustls::{TlsAcceptor, TlsStream};

/// So long a TLS handshake may take, with the time in which it waits for others.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// So many are under way at once.
const MAX_HANDSHAKES: usize = 256;

/// How a server speaks TLS, see [the module](crate::tls).
#[derive(Clone, Debug)]
pub struct ServerTls {
    own: Pair,
    clients: Clients,
}

/// Who may call.
#[derive(Clone, Debug)]
enum Clients {
    Anybody,
    Optional(PathBuf),
    Required(PathBuf),
}

impl ServerTls {
    /// A server with that certificate, its chain behind it, and that key. Whoever trusts it may call.
    pub fn new(cert: impl Into<PathBuf>, key: impl Into<PathBuf>) -> ServerTls {
        let own = Pair { cert: cert.into(), key: key.into() };
        ServerTls { own, clients: Clients::Anybody }
    }

    /// Callers have to show a certificate that one of these CAs has signed (mutual TLS). Handlers see it as
    /// [`Peer::certificate`](crate::Peer::certificate).
    #[must_use]
    pub fn client_ca(mut self, file: impl Into<PathBuf>) -> ServerTls {
        self.clients = Clients::Required(file.into());
        self
    }

    /// Callers may show such a certificate. One that is not good is refused all the same.
    #[must_use]
    pub fn optional_client_ca(mut self, file: impl Into<PathBuf>) -> ServerTls {
        self.clients = Clients::Optional(file.into());
        self
    }

    /// Reads the files.
    pub(crate) fn open(self) -> Result<Accepting, String> {
        let mut files = vec![self.own.cert.clone(), self.own.key.clone()];
        if let Clients::Optional(file) | Clients::Required(file) = &self.clients {
            files.push(file.clone());
        }
        let tickets = TicketKeys::random();
        let config = Fresh::new("the certificate", files, move |files| self.config(files, &tickets))?;
        Ok(Accepting { config, handshakes: Semaphore::new(MAX_HANDSHAKES) })
    }

    fn config(&self, files: &[Vec<u8>], tickets: &TicketKeys) -> Result<Arc<ServerConfig>, String> {
        let certificate = Certificate::read(&files[0], &files[1], UnixTime::now())
            .map_err(|error| self.own.problem(&error))?;
        let trust = |file: &PathBuf| {
            Trust::read(&files[2], &[]).map_err(|error| problem(file, &error, error.advice()))
        };
        let clients = match &self.clients {
            Clients::Anybody => ClientCertificates::None,
            Clients::Optional(file) => ClientCertificates::Optional(trust(file)?),
            Clients::Required(file) => ClientCertificates::Required(trust(file)?),
        };
        let resolver = Arc::new(SingleCertAndKey::from(certificate.certified_key().clone()));
        let config = callgate_tls::server(resolver, &clients, Versions::From12, tickets, &[ALPN]);
        let mut config = Arc::unwrap_or_clone(config);
        // Connections are few and long, and each caller is verified anew.
        config.send_tls13_tickets = 0;
        Ok(Arc::new(config))
    }
}

/// A server's TLS, for all of its connections.
#[derive(Debug)]
pub(crate) struct Accepting {
    config: Arc<Fresh<ServerConfig>>,
    handshakes: Semaphore,
}

/// A connection inside TLS, and who is at its other end if that was shown.
#[derive(Debug)]
pub(crate) struct Secured {
    pub(crate) stream: Stream,
    pub(crate) certificate: Option<Identity>,
}

impl Accepting {
    /// Shakes hands, within its time. The error is for people.
    pub(crate) async fn accept(&self, stream: TcpStream) -> Result<Secured, String> {
        let accepted = timeout(HANDSHAKE_TIMEOUT, async {
            let _place = self.handshakes.acquire().await.map_err(io::Error::other)?;
            let config = self.config.get().await;
            Box::pin(TlsAcceptor::from(config).accept(stream)).await
        });
        let Ok(accepted) = accepted.await else {
            return Err(format!("no TLS handshake within {} s", HANDSHAKE_TIMEOUT.as_secs()));
        };
        let stream = accepted.map_err(|error| callgate_tls::explain(&error))?;
        let (_, session) = stream.get_ref();
        check_protocol(session.alpn_protocol()).map_err(|error| error.to_string())?;
        let shown = session.peer_certificates().and_then(|chain| chain.first());
        let certificate = shown.map(Identity::of).transpose().map_err(|error| error.to_string())?;
        // By TLS 1.2 a session may be resumed, and then nobody has looked at the dates.
        if certificate.as_ref().is_some_and(|shown| shown.expires() < UnixTime::now()) {
            return Err("the peer's certificate has expired since its session began".to_owned());
        }
        Ok(Secured { stream: Stream::Tls(Box::new(TlsStream::Server(stream))), certificate })
    }
}
