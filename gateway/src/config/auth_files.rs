//! What is in the files that authenticators name: keys, and lists. They are followed, like those of certificates.

use super::auth::{ApiKeySpec, AuthKind, AuthSpec, BasicSpec, HttpSpec, JwtSpec, KeySource, ListFile};
use super::backend_files::{HASHER, Loaded};
use super::diagnostics::{Diagnostic, Diagnostics, collect};
use super::files;
use super::secret_source::SecretSource;
use super::source::shown;
use super::tables::Tables;
use callgate_auth::jwt::{Keys, Revoked, Skipped};
use callgate_auth::{ApiKeys, Mistakes, Passwords};
use callgate_tls::rustls::ClientConfig;
use std::hash::BuildHasher;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

/// What the files of an authenticator say.
#[derive(Debug)]
pub(crate) enum AuthFiles {
    /// What verifies tokens, and which are revoked.
    Jwt {
        /// Nothing where they are fetched.
        keys: Option<Keys>,
        revoked: Revoked,
    },
    /// How TLS is spoken with the service that is asked; nothing where it is not.
    Http(Option<Arc<ClientConfig>>),
    /// Who has which API key.
    ApiKeys(ApiKeys),
    /// Who has which password.
    Passwords(Passwords),
}

impl Tables {
    /// Looks whether the files of authenticators can be used, of those that have none in force: what is in force stays so, whatever its
    /// files say.
    ///
    /// # Errors
    ///
    /// What is wrong with them.
    pub(crate) fn check_authenticators(
        &self,
        in_force: impl Fn(&AuthSpec) -> bool,
    ) -> Result<(), Diagnostics> {
        let wanted = self.authenticators.iter().filter(|spec| spec.has_files() && !in_force(spec));
        collect(wanted.map(|spec| spec.load(None).map(drop))).map(drop)
    }
}

impl AuthSpec {
    /// Whether what it goes by is kept somewhere else.
    pub(crate) fn has_files(&self) -> bool {
        matches!(self.kind, AuthKind::Jwt(_) | AuthKind::ApiKey(_) | AuthKind::Basic(_) | AuthKind::Http(_))
    }

    /// The files that it is read from.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        let (first, second) = match &self.kind {
            AuthKind::Mtls(_) | AuthKind::Unix(_) | AuthKind::Rpc(_) => (None, None),
            AuthKind::Jwt(spec) => (spec.keys.file(), spec.revoked.as_deref()),
            AuthKind::Http(spec) => (spec.target.file(), None),
            AuthKind::ApiKey(ApiKeySpec { file, .. }) | AuthKind::Basic(BasicSpec { file }) => {
                (Some(&*file.path), None)
            }
        };
        first.into_iter().chain(second)
    }

    /// Reads the files. Where they say what `known` is of: nothing.
    pub(crate) fn load(&self, known: Option<u64>) -> Result<Option<Loaded<AuthFiles>>, Diagnostics> {
        match &self.kind {
            AuthKind::Mtls(_) | AuthKind::Unix(_) | AuthKind::Rpc(_) => Ok(None),
            AuthKind::Jwt(spec) => self.load_jwt(spec, known),
            AuthKind::Http(spec) => self.load_http(spec, known),
            AuthKind::ApiKey(spec) => {
                self.load_list(&spec.file, known, |text| ApiKeys::read(text).map(AuthFiles::ApiKeys))
            }
            AuthKind::Basic(spec) => {
                self.load_list(&spec.file, known, |text| Passwords::read(text).map(AuthFiles::Passwords))
            }
        }
    }

    /// Reads a list of those who may call.
    fn load_list(
        &self,
        file: &ListFile,
        known: Option<u64>,
        read: impl FnOnce(&str) -> Result<AuthFiles, Mistakes>,
    ) -> Result<Option<Loaded<AuthFiles>>, Diagnostics> {
        let (source, shown) = (&self.written.source, shown(&file.path));
        let text = files::named(&file.path, source, &file.span)?;
        let hash = HASHER.hash_one(&text);
        if known == Some(hash) {
            return Ok(None);
        }
        let text = String::from_utf8(text).map_err(|_| -> Diagnostics {
            let title = format!("authenticator `{}` cannot be used", self.name);
            Diagnostic::new(title).at(source, file.span.clone(), format!("{shown} is not UTF-8")).into()
        })?;
        let value = read(&text).map_err(|mistakes| self.mistakes(&shown, &file.span, &mistakes))?;
        Ok(Some(Loaded { value: Arc::new(value), hash }))
    }

    fn load_http(
        &self,
        spec: &HttpSpec,
        known: Option<u64>,
    ) -> Result<Option<Loaded<AuthFiles>>, Diagnostics> {
        let (source, span) = (&self.written.source, &spec.written.0);
        let ca = spec.target.look(source, span)?;
        let hash = HASHER.hash_one(&ca);
        if known == Some(hash) {
            return Ok(None);
        }
        let tls = ca.map(|ca| spec.target.trust(&ca, source, span)).transpose()?;
        Ok(Some(Loaded { value: Arc::new(AuthFiles::Http(tls)), hash }))
    }

    fn load_jwt(&self, spec: &JwtSpec, known: Option<u64>) -> Result<Option<Loaded<AuthFiles>>, Diagnostics> {
        let (source, written) = (&self.written.source, &spec.written);
        let look = || -> Result<_, Diagnostics> {
            let keys = match &spec.keys {
                KeySource::Jwks(path) | KeySource::Pem(path) => files::named(path, source, &written.keys)?,
                // What vouches for them.
                KeySource::Url(url) => url.target.look(source, &written.keys)?.unwrap_or_default(),
                KeySource::Secret(secret) => {
                    secret.load("the secret that signs tokens", source, &written.keys)?
                }
            };
            let revoked = spec.revoked.as_ref().map(|path| files::named(path, source, &written.revoked));
            Ok((keys, revoked.transpose()?))
        };
        let texts = look()?;
        let hash = HASHER.hash_one(&texts);
        if known == Some(hash) {
            return Ok(None);
        }
        let (keys, revoked) = texts;
        let keys = self.load_keys(spec, &keys)?;
        let revoked = revoked.map(|text| Revoked::read(&text)).transpose();
        let list = spec.revoked.as_deref().map(shown).unwrap_or_default();
        let revoked = revoked.map_err(|mistakes| self.mistakes(&list, &written.revoked, &mistakes))?;
        let value = Arc::new(AuthFiles::Jwt { keys, revoked: revoked.unwrap_or_default() });
        Ok(Some(Loaded { value, hash }))
    }

    /// What stands in the file of keys, or nothing where they are fetched.
    fn load_keys(&self, spec: &JwtSpec, text: &[u8]) -> Result<Option<Keys>, Diagnostics> {
        let (source, written) = (&self.written.source, &spec.written);
        let read = match &spec.keys {
            KeySource::Jwks(_) => Keys::from_jwks(text).map(|jwks| {
                tell_skipped(&self.name, &jwks.skipped);
                jwks.keys
            }),
            KeySource::Url(url) => {
                if url.target.url.is_https() {
                    url.target.trust(text, source, &written.keys)?;
                }
                return Ok(None);
            }
            KeySource::Pem(_) => Keys::from_pem(text),
            KeySource::Secret(_) => Keys::from_secret(without_line_end(text)),
        };
        let keys = read.map_err(|mistakes| self.mistakes(&spec.keys.shown(), &written.keys, &mistakes))?;
        if let Some(algorithm) = spec.expected.unserved(&keys).next() {
            let title = format!("no key of authenticator `{}` is for {algorithm}", self.name);
            let unserved = Diagnostic::new(title).at(
                source,
                written.algorithms.clone(),
                "tokens signed so could never be taken",
            );
            return Err(unserved.note(format!("the keys are in {}", spec.keys.shown())).into());
        }
        Ok(Some(keys))
    }

    /// What is wrong with a file, told where the table names it. Its lines may be secrets, and are not shown.
    fn mistakes(&self, file: &str, span: &Range<usize>, mistakes: &Mistakes) -> Diagnostics {
        let all = mistakes.iter().map(|mistake| {
            let place = mistake.place().map(|(line, column)| format!(":{line}:{column}")).unwrap_or_default();
            let label = match mistake.label() {
                "" => format!("{file}{place}"),
                label => format!("{file}{place}: {label}"),
            };
            let title = format!("authenticator `{}` cannot be used: {}", self.name, mistake.title());
            let told = Diagnostic::new(title).at(&self.written.source, span.clone(), label);
            mistake.advice().map(str::to_owned).into_iter().fold(told, Diagnostic::help)
        });
        let all: Vec<Diagnostic> = all.collect();
        // There is at least one.
        Diagnostics::none_or(all).err().unwrap_or_else(|| Diagnostic::new("a file cannot be used").into())
    }
}

impl KeySource {
    fn file(&self) -> Option<&Path> {
        match self {
            KeySource::Jwks(path) | KeySource::Pem(path) => Some(path),
            KeySource::Url(url) => url.target.file(),
            KeySource::Secret(secret) => secret.file(),
        }
    }

    fn shown(&self) -> String {
        match self {
            KeySource::Jwks(path) | KeySource::Pem(path) => shown(path),
            KeySource::Url(url) => url.target.url.to_string(),
            KeySource::Secret(secret) => SecretSource::shown(secret),
        }
    }
}

/// Has the log say which keys are not used.
pub(crate) fn tell_skipped(from: &str, skipped: &[Skipped]) {
    for Skipped { index, kid, why } in skipped {
        tracing::warn!(from, key = index, kid, why, "a key is left out");
    }
}

/// A secret without the line's end that an editor has put behind it.
fn without_line_end(secret: &[u8]) -> &[u8] {
    let secret = secret.strip_suffix(b"\n").unwrap_or(secret);
    secret.strip_suffix(b"\r").unwrap_or(secret)
}
