//! How a connection to an instance becomes one to which both sides agree: TLS, by what the files of the backend say now, and
//! the token that is brought along.
//!
//! Control reads the files again when they may have changed, and puts what is sound in the place of what was there. Connections that
//! are open stay as they are until their age is over. What is not sound leaves the last that was in force. Where there never was any,
//! no connection is made: nothing that fails to be read becomes a connection without TLS, or to anybody.

use crate::config::{BackendTls, BackendToken, Diagnostics, EndpointAddr, Loaded, SecuritySpec, TlsClient};
use crate::followed::{Followed, News};
use crate::stream::AsyncStream;
use arc_swap::ArcSwap;
use callgate_protocol::{ALPN, Token, Tokens};
use callgate_tls::rustls::pki_types::ServerName;
use callgate_tls::rustls::{ClientConfig, ProtocolVersion};
use callgate_tls::{Identity, UnixTime, explain};
use std::sync::Arc;
use tokio_rustls::{TlsConnector, TlsStream};

/// What is in force for the connections to a backend's instances.
#[derive(Debug, Default)]
pub struct Security {
    tls: Option<(BackendTls, ArcSwap<Followed<TlsClient>>)>,
    token: Option<(BackendToken, ArcSwap<Followed<Tokens>>)>,
}

/// Who is at the other end of a connection inside TLS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsInstance {
    /// The version that is spoken, such as `TLSv1.3`.
    pub version: &'static str,
    /// Who it is, by its certificate.
    pub identity: Identity,
}

impl Security {
    /// What the backend of that name wants, with what its files say; they are not read where those before wanted the same.
    pub fn new(backend: &str, spec: &SecuritySpec, before: Option<&Arc<Security>>) -> Arc<Security> {
        if let Some(before) = before.filter(|before| before.wants(spec)) {
            return before.clone();
        }
        let security = Security {
            tls: spec.tls.clone().map(|tls| (tls, ArcSwap::default())),
            token: spec.token.clone().map(|token| (token, ArcSwap::default())),
        };
        security.refresh(backend, UnixTime::now());
        Arc::new(security)
    }

    fn wants(&self, spec: &SecuritySpec) -> bool {
        let own = (self.tls.as_ref().map(|(tls, _)| tls), self.token.as_ref().map(|(token, _)| token));
        own == (spec.tls.as_ref(), spec.token.as_ref())
    }

    /// Reads the files again.
    pub fn refresh(&self, backend: &str, now: UnixTime) {
        if let Some((tls, in_force)) = &self.tls {
            follow(in_force, backend, "the certificates for a backend", |known| tls.load(known, now));
        }
        if let Some((token, in_force)) = &self.token {
            follow(in_force, backend, "the token for a backend", |known| token.load(known));
        }
    }

    /// What is wrong with the files as they are now.
    pub fn problems(&self) -> Vec<Arc<str>> {
        let tls = self.tls.as_ref().and_then(|(_, in_force)| in_force.load().problem().cloned());
        let token = self.token.as_ref().and_then(|(_, in_force)| in_force.load().problem().cloned());
        tls.into_iter().chain(token).collect()
    }

    /// Until when the certificate in force is valid that instances are shown.
    pub fn expires(&self) -> Option<UnixTime> {
        self.tls.as_ref()?.1.load().value().ok()?.expires
    }

    /// The token that is brought along; none where none is wanted. Errors are for people.
    pub(super) fn token(&self) -> Result<Option<Token>, String> {
        let Some((_, in_force)) = &self.token else { return Ok(None) };
        Ok(in_force.load().value()?.first().cloned())
    }

    /// How TLS is spoken with the instance at that address, which was found by that name; none where none is wanted. Errors are for
    /// people.
    pub(super) fn tls(&self, addr: &EndpointAddr, name: Option<&str>) -> Result<Option<TlsTo>, String> {
        let Some((tls, in_force)) = &self.tls else { return Ok(None) };
        let config = in_force.load().value()?.config.clone();
        let name = tls.server_name.as_deref().or(name).or_else(|| host(addr));
        let name = name.ok_or("no TLS is spoken through a Unix socket")?;
        let bare = name.strip_suffix('.').unwrap_or(name).to_owned();
        let name = ServerName::try_from(bare).map_err(|_| format!("no certificate can be for `{name}`"))?;
        Ok(Some(TlsTo { config, name }))
    }
}

/// TLS with one instance.
pub(super) struct TlsTo {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

impl TlsTo {
    /// Shakes hands. Errors are for people.
    pub(super) async fn shake_hands(self, stream: AsyncStream) -> Result<(AsyncStream, TlsInstance), String> {
        // Boxed: where TLS is not spoken, the tasks that connect are not larger for it.
        let connected = Box::pin(TlsConnector::from(self.config).connect(self.name, stream)).await;
        let stream = connected.map_err(|error| format!("no TLS connection: {}", explain(&error)))?;
        let session = stream.get_ref().1;
        if session.alpn_protocol() != Some(ALPN) {
            return Err(
                "no TLS connection: the peer does not speak Callgate's protocol (ALPN callgate/1)".to_owned()
            );
        }
        let shown = session.peer_certificates().and_then(|chain| chain.first());
        let identity = Identity::of(shown.ok_or("no TLS connection: the peer has shown no certificate")?);
        let identity = identity.map_err(|error| format!("no TLS connection: {error}"))?;
        let version = match session.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "TLSv1.3",
        };
        Ok((AsyncStream::Tls(Box::new(TlsStream::Client(stream))), TlsInstance { version, identity }))
    }
}

fn host(addr: &EndpointAddr) -> Option<&str> {
    match addr {
        EndpointAddr::Tcp { host, .. } => Some(host),
        EndpointAddr::Unix(_) => None,
    }
}

/// Puts into force what files say now, if that is sound and new, and tells people.
fn follow<T>(
    in_force: &ArcSwap<Followed<T>>,
    backend: &str,
    what: &str,
    load: impl FnOnce(Option<u64>) -> Result<Option<Loaded<T>>, Diagnostics>,
) {
    let before = in_force.load_full();
    let Some((next, news)) = before.again(load) else { return };
    // In force first and told then.
    in_force.store(Arc::new(next));
    match news {
        News::First => {}
        News::Changed => tracing::info!(backend, "{what} changed; new connections use the new ones"),
        News::SoundAgain => tracing::info!(backend, "{what} can be read again, and are as they were"),
        News::Problem(problem) => {
            let then = match before.in_force() {
                Some(_) => "what was in force stays so",
                None => "its instances are out of reach",
            };
            tracing::error!(backend, error = &*problem, "{what} cannot be used; {then}");
        }
    }
}
