//! Who a peer is whose certificate was verified.

use crate::fingerprint::Fingerprint;
use crate::x509;
use rustls::pki_types::{CertificateDer, UnixTime};
use std::fmt;
use x509_parser::extensions::GeneralName;

/// Who a peer is, by the certificate that it has shown. It says nothing by itself: whoever makes one has verified the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    subject: String,
    common_name: Option<String>,
    dns_names: Vec<String>,
    uris: Vec<String>,
    fingerprint: Fingerprint,
    expires: UnixTime,
}

/// A certificate that cannot be read. A handshake that has verified it does not let it happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityError(String);

impl Identity {
    /// Reads a peer's own certificate, the first of its chain.
    pub fn of(certificate: &CertificateDer<'_>) -> Result<Identity, IdentityError> {
        let parsed = x509::parse(certificate).map_err(IdentityError)?;
        let (mut dns_names, mut uris) = (Vec::new(), Vec::new());
        for name in x509::alternative_names(&parsed) {
            match name {
                GeneralName::DNSName(name) => dns_names.push(name.to_ascii_lowercase()),
                GeneralName::URI(uri) => uris.push((*uri).to_owned()),
                _ => {}
            }
        }
        let common_name = parsed.subject().iter_common_name().find_map(|name| name.as_str().ok());
        Ok(Identity {
            subject: parsed.subject().to_string(),
            common_name: common_name.map(str::to_owned),
            dns_names,
            uris,
            fingerprint: Fingerprint::of(certificate),
            expires: x509::unix_time(parsed.validity().not_after),
        })
    }

    /// The subject's distinguished name, such as `CN=billing, O=Example`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The subject's common name.
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }

    /// The DNS names of the certificate, in lower case.
    pub fn dns_names(&self) -> &[String] {
        &self.dns_names
    }

    /// The URIs of the certificate, such as a SPIFFE ID.
    pub fn uris(&self) -> &[String] {
        &self.uris
    }

    /// The SHA-256 of the certificate.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// When the certificate ends. A connection, or a session that is resumed, can outlive it.
    pub fn expires(&self) -> UnixTime {
        self.expires
    }
}

impl fmt::Display for IdentityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the peer's certificate cannot be read: {}", self.0)
    }
}

impl std::error::Error for IdentityError {}
