//! What is in the files that `tls` and `token` of a backend name: read, and made into what a connection takes.

use super::backend::BackendSpec;
use super::backend_security::{BackendTls, BackendToken, OwnCertificate, SecuritySpec};
use super::diagnostics::{Diagnostic, Diagnostics, collect};
use super::tables::Tables;
use super::{files, source::shown};
use callgate_protocol::{ALPN, Tokens};
use callgate_tls::rustls::ClientConfig;
use callgate_tls::{Certificate, CertificateError, CertificateProblem, Trust, TrustError, UnixTime};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

/// Secrets are told apart by a hash that nobody else can make.
pub(super) static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// What was read from files, and what tells it from what they say at another time.
pub(crate) struct Loaded<T> {
    pub(crate) value: Arc<T>,
    pub(crate) hash: u64,
}

/// TLS with the instances of a backend.
#[derive(Debug)]
pub(crate) struct TlsClient {
    pub(crate) config: Arc<ClientConfig>,
    /// Until when the certificate is valid that is shown to them.
    pub(crate) expires: Option<UnixTime>,
}

impl Tables {
    /// Looks whether the files of `tls` and `token` can be used, of those backends that have none in force: what is in force stays so,
    /// whatever its files say. When the gateway `begins`, a certificate of its own that has expired keeps no other backend from being
    /// served.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub(crate) fn check_security(
        &self,
        begins: bool,
        in_force: impl Fn(&BackendSpec) -> bool,
    ) -> Result<(), Diagnostics> {
        let wanted = |spec: &&BackendSpec| spec.security != SecuritySpec::default() && !in_force(spec);
        let check = |spec: &BackendSpec| spec.security.check(begins, UnixTime::now());
        collect(self.backends.iter().filter(wanted).map(check)).map(drop)
    }
}

impl SecuritySpec {
    fn check(&self, begins: bool, now: UnixTime) -> Result<(), Diagnostics> {
        let tls = self.tls.as_ref().map(|tls| tls.check(begins, now));
        let token = self.token.as_ref().map(|token| token.load(None).map(drop));
        collect(tls.into_iter().chain(token)).map(drop)
    }
}

/// What stands in the files of a backend's TLS, not yet looked into.
#[derive(PartialEq, Eq, Hash)]
struct TlsFiles {
    ca: Vec<u8>,
    own: Option<Pair>,
}

/// A chain and its key.
#[derive(PartialEq, Eq, Hash)]
struct Pair {
    chain: Vec<u8>,
    key: Vec<u8>,
}

impl BackendTls {
    /// Reads the files, and makes of them how the instances are connected to. Without, or where they say what `known` is of: nothing.
    pub(crate) fn load(
        &self,
        known: Option<u64>,
        now: UnixTime,
    ) -> Result<Option<Loaded<TlsClient>>, Diagnostics> {
        let files = files::settled(|| self.look())?;
        let hash = HASHER.hash_one(&files);
        if known == Some(hash) {
            return Ok(None);
        }
        let (trust, own) = (self.trust(&files)?, files.certificate(now));
        let own = own.map_err(|error| self.bad_certificate(&error))?;
        let config = callgate_tls::client(&trust, own.as_ref(), &[ALPN]);
        let value = Arc::new(TlsClient { config, expires: own.map(|own| own.expires()) });
        Ok(Some(Loaded { value, hash }))
    }

    /// Checks what stands in the files. When the gateway `begins`, its own certificate may have expired, and nothing else be wrong.
    fn check(&self, begins: bool, now: UnixTime) -> Result<(), Diagnostics> {
        let files = files::settled(|| self.look())?;
        self.trust(&files)?;
        match files.certificate(now) {
            Err(error) if begins && error.problem() == CertificateProblem::Expired => Ok(()),
            Err(error) => Err(self.bad_certificate(&error)),
            Ok(_) => Ok(()),
        }
    }

    fn look(&self) -> Result<TlsFiles, Diagnostics> {
        let written = &self.written;
        let ca = files::named(&self.ca, &written.source, &written.first)?;
        let pair = |own: &OwnCertificate| -> Result<Pair, Diagnostics> {
            let chain = files::named(&own.cert, &written.source, &written.cert)?;
            let key = own.key.load("the certificate's key in PEM", &written.source, &written.key)?;
            Ok(Pair { chain, key })
        };
        Ok(TlsFiles { ca, own: self.own.as_ref().map(pair).transpose()? })
    }

    fn trust(&self, files: &TlsFiles) -> Result<Trust, Diagnostics> {
        Trust::read(&files.ca, &[]).map_err(|error| self.bad_ca(&error))
    }

    fn bad_ca(&self, error: &TrustError) -> Diagnostics {
        let title = format!("the CAs of backend `{}` cannot be used", self.written.backend);
        let label = format!("{}: {error}", shown(&self.ca));
        let bad = Diagnostic::new(title).at(&self.written.source, self.written.first.clone(), label);
        error.advice().into_iter().fold(bad, Diagnostic::help).into()
    }

    fn bad_certificate(&self, error: &CertificateError) -> Diagnostics {
        let written = &self.written;
        let span = if error.in_key() { &written.key } else { &written.cert };
        let file = match &self.own {
            Some(own) if error.in_key() => own.key.shown(),
            Some(own) => shown(&own.cert),
            None => String::new(),
        };
        let title = format!("the certificate for backend `{}` cannot be used", written.backend);
        let bad = Diagnostic::new(title).at(&written.source, span.clone(), format!("{file}: {error}"));
        error.advice().into_iter().fold(bad, Diagnostic::help).into()
    }
}

impl TlsFiles {
    /// The certificate that is shown to the instances.
    fn certificate(&self, now: UnixTime) -> Result<Option<Certificate>, CertificateError> {
        let read = |pair: &Pair| Certificate::read_for_client(&pair.chain, &pair.key, now);
        self.own.as_ref().map(read).transpose()
    }
}

impl BackendToken {
    /// Reads the token, or several of which the first one is brought along.
    pub(crate) fn load(&self, known: Option<u64>) -> Result<Option<Loaded<Tokens>>, Diagnostics> {
        let written = &self.written;
        let bytes = self.source.load("the token", &written.source, &written.first)?;
        let hash = HASHER.hash_one(&bytes);
        if known == Some(hash) {
            return Ok(None);
        }
        let text = str::from_utf8(&bytes).map_err(|_| "it is not text");
        let tokens = text.and_then(Tokens::parse).map_err(|why| -> Diagnostics {
            let title = format!("the token for backend `{}` cannot be used", written.backend);
            let label = format!("{}: {why}", self.source.shown());
            Diagnostic::new(title).at(&written.source, written.first.clone(), label).into()
        })?;
        Ok(Some(Loaded { value: Arc::new(tokens), hash }))
    }
}
