//! A certificate with its chain and its key, which exists only after all of it was checked and tried.

use crate::error::{CertificateError, CertificateProblem as Problem};
use crate::fingerprint::Fingerprint;
use crate::name::Name;
use crate::x509::{self, Usage};
use crate::{provider, trial};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, UnixTime};
use rustls::sign::CertifiedKey;
use std::fmt;
use std::sync::Arc;
use x509_parser::certificate::X509Certificate;

/// A chain and its key, checked as a whole and tried by a handshake in memory.
#[derive(Clone)]
pub struct Certificate {
    key: Arc<CertifiedKey>,
    names: Vec<Name>,
    expires: UnixTime,
    fingerprint: Fingerprint,
}

/// Longer chains are a mistake: clients follow about six.
const MAX_CHAIN: usize = 10;

impl Certificate {
    /// Reads a server's certificate: its chain, the server's own certificate first, and its key, both in PEM.
    pub fn read(chain_pem: &[u8], key_pem: &[u8], now: UnixTime) -> Result<Certificate, CertificateError> {
        let certificate = Certificate::read_even_if_expired(chain_pem, key_pem, now)?;
        certificate.not_expired(now)?;
        Ok(certificate)
    }

    /// As [`Certificate::read`], but takes a certificate that has expired too. Its clients will refuse it.
    pub fn read_even_if_expired(
        chain_pem: &[u8],
        key_pem: &[u8],
        now: UnixTime,
    ) -> Result<Certificate, CertificateError> {
        read(chain_pem, key_pem, now, Usage::Server)
    }

    /// Reads a certificate that a client shows to servers. It needs no names.
    pub fn read_for_client(
        chain_pem: &[u8],
        key_pem: &[u8],
        now: UnixTime,
    ) -> Result<Certificate, CertificateError> {
        let certificate = read(chain_pem, key_pem, now, Usage::Client)?;
        certificate.not_expired(now)?;
        Ok(certificate)
    }

    /// The names in it, sorted.
    pub fn names(&self) -> &[Name] {
        &self.names
    }

    /// Whether a host, as it stands in a URL without its port, is one of its names.
    pub fn covers(&self, host: &str) -> bool {
        self.names.iter().any(|name| name.covers(host))
    }

    /// Whether all hosts that a name stands for are among its names.
    pub fn covers_name(&self, name: &Name) -> bool {
        match name {
            Name::Dns(host) => self.covers(host),
            Name::Wildcard(_) | Name::Ip(_) => self.names.contains(name),
        }
    }

    /// Until when it is valid.
    pub fn expires(&self) -> UnixTime {
        self.expires
    }

    /// The SHA-256 of the certificate itself, the first of its chain.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprint
    }

    /// What rustls takes.
    pub fn certified_key(&self) -> &Arc<CertifiedKey> {
        &self.key
    }

    fn not_expired(&self, now: UnixTime) -> Result<(), CertificateError> {
        if now <= self.expires {
            return Ok(());
        }
        let ago = days(self.expires, now);
        Err(CertificateError::new(Problem::Expired, format!("the certificate expired {ago} ago"))
            .help("renew it, and put the new certificate in the file"))
    }
}

fn read(
    chain_pem: &[u8],
    key_pem: &[u8],
    now: UnixTime,
    usage: Usage,
) -> Result<Certificate, CertificateError> {
    let chain = chain(chain_pem)?;
    let parsed = chain
        .iter()
        .enumerate()
        .map(|(index, der)| {
            x509::parse(der).map_err(|error| {
                CertificateError::new(
                    Problem::Chain,
                    format!("certificate {} of the file cannot be read: {error}", index + 1),
                )
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    let leaf = &parsed[0];
    let key = provider().key_provider.load_private_key(private_key(key_pem)?).map_err(|error| {
        CertificateError::new(Problem::Key, format!("the key cannot be used: {error}"))
            .help("take a key of ECDSA (P-256, P-384), Ed25519, or RSA of 2048 bits and more")
    })?;
    let key = CertifiedKey::new(chain.clone(), key);
    fits(&key, &parsed)?;
    in_order(&parsed)?;
    let names = x509::names(leaf);
    if usage == Usage::Server && names.is_empty() {
        return Err(CertificateError::new(
            Problem::Names,
            "the certificate has no name that a client could ask for",
        )
        .help(
            "put its host names into the extension `subjectAltName`; clients do not read the common name",
        ));
    }
    let (starts, expires) =
        (x509::unix_time(leaf.validity().not_before), x509::unix_time(leaf.validity().not_after));
    if now < starts {
        let until = days(now, starts);
        return Err(CertificateError::new(
            Problem::NotYetValid,
            format!("the certificate becomes valid in {until}"),
        )
        .help("check the clock of this machine, or wait"));
    }
    if !x509::may_be_used(leaf, usage) {
        return Err(not_for(usage));
    }
    let key = Arc::new(key);
    trial::run(&key, &names, usage, now.min(expires))?;
    Ok(Certificate { names, expires, fingerprint: Fingerprint::of(&chain[0]), key })
}

fn chain(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let failed = |text: String| CertificateError::new(Problem::Chain, text);
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(pem)
            .collect::<Result<_, _>>()
            .map_err(|error| failed(format!("the PEM cannot be read: {error}")))?;
    match chain.len() {
        0 => Err(failed("there is no certificate in it".to_owned()).help(
            "the file has the server's certificate in PEM, and after it those of its issuers: `-----BEGIN CERTIFICATE-----`; `openssl x509 -inform DER -in FILE` makes it from DER",
        )),
        1..=MAX_CHAIN => Ok(chain),
        length => Err(failed(format!("there are {length} certificates in it, and at most {MAX_CHAIN} may be"))
            .help("a chain has the server's certificate and its issuers, not all CAs of the system")),
    }
}

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, CertificateError> {
    let encrypted = |pem: &[u8]| pem.windows(9).any(|window| window == b"ENCRYPTED");
    let failed = |text: String| CertificateError::new(Problem::Key, text);
    match PrivateKeyDer::from_pem_slice(pem) {
        _ if encrypted(pem) => Err(failed("the key is encrypted with a passphrase".to_owned())
            .help("`openssl pkey -in FILE -out NEW` decrypts it; let only the gateway's user read it")),
        Ok(key) => Ok(key),
        Err(rustls::pki_types::pem::Error::NoItemsFound) => {
            Err(failed("there is no private key in it".to_owned())
                .help("the file has the key in PEM: `-----BEGIN PRIVATE KEY-----`"))
        }
        Err(error) => Err(failed(format!("the PEM cannot be read: {error}"))),
    }
}

/// The key belongs to the first certificate.
fn fits(key: &CertifiedKey, chain: &[X509Certificate<'_>]) -> Result<(), CertificateError> {
    // A key that does not tell its public half is found out by the trial.
    let Some(public) = key.key.public_key() else { return Ok(()) };
    match chain.iter().position(|certificate| certificate.public_key().raw == public.as_ref()) {
        Some(0) => Ok(()),
        Some(index) => Err(CertificateError::new(
            Problem::Order,
            format!("the key belongs to certificate {} of the file, and not to the first", index + 1),
        )
        .help("put the server's own certificate first, then the one that signed it, and so on")),
        None => Err(CertificateError::new(
            Problem::Mismatch,
            format!("the key does not belong to the certificate ({})", chain[0].subject()),
        )
        .help("name the key that this certificate was made for; both files may have to be renewed together")),
    }
}

/// Each certificate was issued by the next.
fn in_order(chain: &[X509Certificate<'_>]) -> Result<(), CertificateError> {
    for (index, pair) in chain.windows(2).enumerate() {
        let (issued, issuer) = (&pair[0], &pair[1]);
        if issued.issuer().as_raw() != issuer.subject().as_raw() {
            return Err(CertificateError::new(
                Problem::Order,
                format!(
                    "certificate {} of the file ({}) was issued by {}, and not by the next one ({})",
                    index + 1,
                    issued.subject(),
                    issued.issuer(),
                    issuer.subject()
                ),
            )
            .help("put the server's own certificate first, then the one that signed it, and so on"));
        }
    }
    Ok(())
}

fn not_for(usage: Usage) -> CertificateError {
    let (side, purpose) = match usage {
        Usage::Server => ("servers", "serverAuth"),
        Usage::Client => ("clients", "clientAuth"),
    };
    CertificateError::new(Problem::Usage, format!("the certificate is not for {side} of TLS"))
        .help(format!("its key usage must allow digital signatures, and its extended key usage `{purpose}`"))
}

/// A span in words: whole days, or hours below two days.
fn days(from: UnixTime, to: UnixTime) -> String {
    let secs = to.as_secs().saturating_sub(from.as_secs());
    match secs / 86_400 {
        0 | 1 => format!("{} hours", secs / 3600),
        days => format!("{days} days"),
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("names", &self.names)
            .field("fingerprint", &self.fingerprint)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
