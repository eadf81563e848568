//! What the gateway itself asks over HTTP: its URL, and whose word counts for who answers there.
//!
//! ```toml
//! jwks = "https://id.example.com/jwks.json"
//! jwks = { url = "https://id.internal/jwks.json", ca = "/etc/callgate/ca.pem" }
//! ```

use super::complaint::Complaint;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::files;
use super::http_url::{HttpUrl, URL};
use super::places::path;
use super::reader::{Item, Reader, Section};
use super::shape::{Entry, Shape};
use super::source::{Source, shown};
use callgate_tls::rustls::ClientConfig;
use callgate_tls::{Trust, TrustError};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where systems have the CAs that they trust. The first that is there counts.
const OF_SYSTEMS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// What is spoken inside TLS.
const ALPN: &[&[u8]] = &[b"http/1.1"];

/// The keys of a table that has a URL.
pub(super) const THE_URL: Entry = Entry::needed("url", Shape::Text, "what is asked");
pub(super) const CA: Entry =
    Entry::new("ca", Shape::Text, "the file of the CAs that sign the provider's certificate");
pub(super) const INSECURE: Entry =
    Entry::new("insecure", Shape::Boolean, "`true` allows `http` to other machines than this one");

/// A URL, and whose word counts there.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct HttpTarget {
    /// What is asked.
    pub url: HttpUrl,
    /// The file of the CAs that sign the certificate of who answers; without, those of the system. Absolute.
    pub ca: Option<PathBuf>,
}

impl HttpTarget {
    /// Reads a URL that says it all.
    pub(super) fn of_text(reader: &mut Reader<'_>, item: &Item<'_>) -> Option<HttpTarget> {
        let url = reader.text(item, URL, HttpUrl::read)?;
        in_the_clear(reader, item, &url, false)?;
        Some(HttpTarget { url, ca: None })
    }

    /// Reads the keys of a table that has a URL.
    pub(super) fn read(
        reader: &mut Reader<'_>,
        section: &Section<'_>,
        item: &Item<'_>,
    ) -> Option<HttpTarget> {
        let Some(said) = section.get("url") else {
            let missing = Complaint::new(format!("`{}` needs `url`", item.key), "what is asked?");
            return reader.complain(item, missing.help(format!("write {URL}")));
        };
        let insecure = section.get("insecure").map(|item| reader.boolean(&item));
        let file = reader.source.path().to_path_buf();
        let ca = section
            .get("ca")
            .map(|item| (reader.text(&item, "a path", |text| path(&file, text, "a file in PEM")), item));
        let url = reader.text(&said, URL, HttpUrl::read)?;
        in_the_clear(reader, &said, &url, insecure == Some(Some(true)))?;
        let ca = match ca {
            Some((_, item)) if !url.is_https() => {
                let unused = Complaint::new("`ca` without TLS", "nothing is signed where `http` is spoken");
                return reader.complain(&item, unused);
            }
            Some((path, _)) => Some(path?),
            None => None,
        };
        (insecure != Some(None)).then_some(HttpTarget { url, ca })
    }

    /// The file that it is read from.
    pub(super) fn file(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    /// What is in the file of its CAs; nothing without TLS. It is named there.
    pub(super) fn look(
        &self,
        source: &Arc<Source>,
        span: &Range<usize>,
    ) -> Result<Option<Vec<u8>>, Diagnostics> {
        if !self.url.is_https() {
            return Ok(None);
        }
        let path = match &self.ca {
            Some(path) => path,
            None => &of_system().map_err(|none| none.at(source, span.clone(), "asked inside TLS"))?,
        };
        files::named(path, source, span).map(Some)
    }

    /// What that makes of TLS.
    ///
    /// # Errors
    ///
    /// The CAs cannot be used.
    pub(super) fn trust(
        &self,
        ca: &[u8],
        source: &Arc<Source>,
        span: &Range<usize>,
    ) -> Result<Arc<ClientConfig>, Diagnostics> {
        let bad = |error: TrustError| -> Diagnostics {
            let (title, file) = match &self.ca {
                Some(ca) => ("the CAs of a URL cannot be used", shown(ca)),
                None => ("the CAs of the system cannot be used", "its file".to_owned()),
            };
            let bad = Diagnostic::new(title).at(source, span.clone(), format!("{file}: {error}"));
            error.advice().into_iter().fold(bad, Diagnostic::help).into()
        };
        self.client(ca).map_err(bad)
    }

    fn client(&self, ca: &[u8]) -> Result<Arc<ClientConfig>, TrustError> {
        let trust = if self.ca.is_some() { Trust::read(ca, &[]) } else { Trust::of_system(ca) };
        Ok(callgate_tls::client(&trust?, None, ALPN))
    }

    /// Reads the file of its CAs, if TLS is spoken. Errors are for people.
    pub(crate) fn tls(&self) -> Result<Option<Arc<ClientConfig>>, String> {
        if !self.url.is_https() {
            return Ok(None);
        }
        let path = match &self.ca {
            Some(path) => path,
            None => &of_system().map_err(|none| Diagnostics::from(none).summary())?,
        };
        let ca = files::read(path).map_err(|error| format!("cannot read {}: {error}", shown(path)))?;
        self.client(&ca).map(Some).map_err(|error| format!("{}: {error}", shown(path)))
    }
}

/// The file of the CAs that this system trusts.
fn of_system() -> Result<PathBuf, Diagnostic> {
    let found = OF_SYSTEMS.iter().map(Path::new).find(|path| path.exists());
    found.map(Path::to_path_buf).ok_or_else(|| {
        Diagnostic::new("this system has no file of CAs that it trusts")
            .help("name a file: ca = \"/etc/callgate/ca.pem\"")
    })
}

/// What is asked in the clear can be answered by anybody on the way.
fn in_the_clear(reader: &mut Reader<'_>, item: &Item<'_>, url: &HttpUrl, is_meant: bool) -> Option<()> {
    if url.is_https() || url.is_of_this_machine() || is_meant {
        return Some(());
    }
    let title = format!("`{url}` would be asked in the clear");
    let complaint = Complaint::new(title, "whoever carries the bytes could answer in its place");
    reader.complain(item, complaint.help(format!("write https, or {{ url = \"{url}\", insecure = true }}")))
}
