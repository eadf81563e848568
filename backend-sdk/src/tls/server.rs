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
        // Connections are few and long, so that tickets would hardly be used. By TLS 1.2 callers that ask for one get it all the
        // same; `accept` looks at the dates of what such a session was begun with.
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
    /// Shakes hands, within its time. `None` if the peer has gone without a byte: it has only looked whether somebody listens, as
    /// balancers do. The error is for people.
    pub(crate) async fn accept(&self, stream: TcpStream) -> Result<Option<Secured>, String> {
        let accepted = timeout(HANDSHAKE_TIMEOUT, async {
            // Whoever says nothing takes no place.
            if !says_something(&stream).await {
                return Ok(None);
            }
            let _place = self.handshakes.acquire().await.map_err(io::Error::other)?;
            let config = self.config.get().await;
            Box::pin(TlsAcceptor::from(config).accept(stream)).await.map(Some)
        });
        let Ok(accepted) = accepted.await else {
            return Err(format!("no TLS handshake within {} s", HANDSHAKE_TIMEOUT.as_secs()));
        };
        let Some(stream) = accepted.map_err(|error| callgate_tls::explain(&error))? else {
            return Ok(None);
        };
        let (_, session) = stream.get_ref();
        check_protocol(session.alpn_protocol()).map_err(|error| error.to_string())?;
        let shown = session.peer_certificates().and_then(|chain| chain.first());
        let certificate = shown.map(Identity::of).transpose().map_err(|error| error.to_string())?;
        // By TLS 1.2 a session may be resumed, and then nobody has looked at the dates.
        if certificate.as_ref().is_some_and(|shown| shown.expires() < UnixTime::now()) {
            return Err("the peer's certificate has expired since its session began".to_owned());
        }
        Ok(Some(Secured { stream: Stream::Tls(Box::new(TlsStream::Server(stream))), certificate }))
    }
}

/// Waits for the first byte. Says whether there is one.
async fn says_something(stream: &TcpStream) -> bool {
    stream.peek(&mut [0]).await.is_ok_and(|n| n > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    fn accepting(name: &str) -> Accepting {
        let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        let folder = std::env::temp_dir().join(format!("callgate-tls-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for what is kept for a while");
        let (cert, key) = (folder.join("tls.crt"), folder.join("tls.key"));
        std::fs::write(&cert, signed.cert.pem()).expect("written");
        std::fs::write(&key, signed.signing_key.serialize_pem()).expect("written");
        let accepting = ServerTls::new(cert, key).open().expect("it fits");
        std::fs::remove_dir_all(&folder).expect("removed");
        accepting
    }

    /// The two ends of a connection.
    async fn connected() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        (client.expect("it listens"), accepted.expect("somebody connects").0)
    }

    #[tokio::test]
    async fn who_only_looks_at_the_port_is_no_caller_that_was_refused() {
        let accepting = accepting("look");
        let (client, server) = connected().await;
        drop(client);
        let accepted = accepting.accept(server).await;
        assert!(accepted.is_ok(), "{accepted:?}");
        // A reset is a look as well.
        let (client, server) = connected().await;
        client.set_zero_linger().expect("a socket can be reset");
        drop(client);
        let accepted = accepting.accept(server).await;
        assert!(accepted.is_ok(), "{accepted:?}");
    }

    #[tokio::test]
    async fn who_sends_nothing_takes_no_place_of_a_handshake() {
        let accepting = accepting("place");
        let (mut client, server) = connected().await;
        let waits = accepting.accept(server);
        tokio::pin!(waits);
        tokio::select! {
            biased;
            accepted = &mut waits => panic!("{accepted:?}"),
            () = tokio::time::sleep(Duration::from_millis(20)) => {}
        }
        assert_eq!(accepting.handshakes.available_permits(), MAX_HANDSHAKES);
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.expect("it is read");
        let error = waits.await.expect_err("that is no TLS");
        assert!(!error.is_empty());
    }
}
