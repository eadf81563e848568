//! Whom to trust: the CAs that sign the certificates of peers, and the lists of certificates that they have revoked.

use crate::error::{TrustError, TrustProblem};
use crate::{provider, x509};
use aws_lc_rs::digest;
use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use std::fmt;
use std::sync::Arc;
use x509_parser::prelude::FromDer;
use x509_parser::revocation_list::CertificateRevocationList;

/// CAs, and what they have revoked. It is never empty: nothing that fails to be read becomes "everybody".
///
/// Where there are lists of revoked certificates, each certificate of a chain must be on the list of its issuer or be certain not to be:
/// without a list of its issuer, or with one whose next update is overdue, it is refused.
#[derive(Clone)]
pub struct Trust(Arc<Inner>);

struct Inner {
    clients: Arc<dyn ClientCertVerifier>,
    clients_if_any: Arc<dyn ClientCertVerifier>,
    servers: Arc<WebPkiServerVerifier>,
    fingerprint: [u8; 32],
    next_update: Option<UnixTime>,
}

type Crls = Vec<CertificateRevocationListDer<'static>>;

impl Trust {
    /// Reads CA certificates, and the lists of revoked certificates, of which one file may have several.
    pub fn read(ca_pem: &[u8], crls_pem: &[Vec<u8>]) -> Result<Trust, TrustError> {
        let certificates = CertificateDer::pem_slice_iter(ca_pem).collect::<Result<_, _>>();
        Trust::of(certificates.map_err(|error| bad_ca(format!("the PEM cannot be read: {error}")))?, crls_pem)
    }

    /// Reads the CA certificates that a system trusts. Those that are of no use here are left out: they are nobody's to mend.
    pub fn of_system(ca_pem: &[u8]) -> Result<Trust, TrustError> {
        let usable = |der: &CertificateDer<'_>| {
            x509::parse(der).is_ok() && RootCertStore::empty().add(der.clone().into_owned()).is_ok()
        };
        let authorities: Vec<CertificateDer<'static>> =
            CertificateDer::pem_slice_iter(ca_pem).filter_map(Result::ok).filter(usable).collect();
        Trust::of(authorities, &[])
    }

    fn of(authorities: Vec<CertificateDer<'static>>, crls_pem: &[Vec<u8>]) -> Result<Trust, TrustError> {
        let roots = Arc::new(roots(&authorities)?);
        let (mut crls, mut next_update) = (Crls::new(), None);
        for (index, pem) in crls_pem.iter().enumerate() {
            let problem = TrustProblem::Crl(index);
            let read = crls_of(pem).map_err(|text| of(problem, text, CRL_HELP))?;
            servers(&roots, read.clone()).map_err(|text| of(problem, text, CRL_HELP))?;
            next_update = read.iter().filter_map(next_update_of).chain(next_update).min();
            crls.extend(read);
        }
        let fingerprint = fingerprint(&authorities, &crls);
        let clients = |any: bool| clients(&roots, crls.clone(), any).map_err(bad_ca);
        Ok(Trust(Arc::new(Inner {
            clients: clients(false)?,
            clients_if_any: clients(true)?,
            servers: servers(&roots, crls.clone()).map_err(bad_ca)?,
            fingerprint,
            next_update,
        })))
    }

    /// When the first of the lists of revoked certificates is overdue. From then on nobody whom it is about is let in.
    pub fn next_update(&self) -> Option<UnixTime> {
        self.0.next_update
    }

    /// The SHA-256 over all that was read. Two that are equal trust the same peers.
    pub fn fingerprint(&self) -> &[u8; 32] {
        &self.0.fingerprint
    }

    /// Verifies clients that have to show a certificate.
    pub(crate) fn clients(&self) -> Arc<dyn ClientCertVerifier> {
        self.0.clients.clone()
    }

    /// Verifies clients that may show a certificate.
    pub(crate) fn clients_if_any(&self) -> Arc<dyn ClientCertVerifier> {
        self.0.clients_if_any.clone()
    }

    /// Verifies servers.
    pub(crate) fn servers(&self) -> Arc<WebPkiServerVerifier> {
        self.0.servers.clone()
    }
}

const CA_HELP: &str = "the file has the certificates of the CAs in PEM: `-----BEGIN CERTIFICATE-----`";
const CRL_HELP: &str = "the file has lists of revoked certificates in PEM: `-----BEGIN X509 CRL-----`; `openssl crl -inform DER -in FILE` makes it from DER";

fn of(problem: TrustProblem, text: String, help: &str) -> TrustError {
    TrustError { problem, text, help: Some(help.to_owned()) }
}

fn bad_ca(text: String) -> TrustError {
    of(TrustProblem::Ca, text, CA_HELP)
}

fn roots(certificates: &[CertificateDer<'static>]) -> Result<RootCertStore, TrustError> {
    if certificates.is_empty() {
        return Err(bad_ca("there is no CA certificate in it".to_owned()));
    }
    let mut roots = RootCertStore::empty();
    for (index, certificate) in certificates.iter().enumerate() {
        let number = index + 1;
        x509::parse(certificate)
            .map_err(|error| bad_ca(format!("certificate {number} cannot be read: {error}")))?;
        roots
            .add(certificate.clone())
            .map_err(|error| bad_ca(format!("certificate {number} cannot be a CA's: {error}")))?;
    }
    Ok(roots)
}

fn crls_of(pem: &[u8]) -> Result<Crls, String> {
    let crls: Crls = CertificateRevocationListDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("the PEM cannot be read: {error}"))?;
    if crls.is_empty() {
        return Err("there is no list of revoked certificates in it".to_owned());
    }
    Ok(crls)
}

fn next_update_of(crl: &CertificateRevocationListDer<'_>) -> Option<UnixTime> {
    let (_, crl) = CertificateRevocationList::from_der(crl).ok()?;
    crl.next_update().map(x509::unix_time)
}

fn servers(roots: &Arc<RootCertStore>, crls: Crls) -> Result<Arc<WebPkiServerVerifier>, String> {
    WebPkiServerVerifier::builder_with_provider(roots.clone(), provider())
        .with_crls(crls)
        .enforce_revocation_expiration()
        .build()
        .map_err(|error| error.to_string())
}

fn clients(roots: &Arc<RootCertStore>, crls: Crls, any: bool) -> Result<Arc<dyn ClientCertVerifier>, String> {
    let builder = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider())
        .with_crls(crls)
        .enforce_revocation_expiration();
    let builder = if any { builder.allow_unauthenticated() } else { builder };
    builder.build().map_err(|error| error.to_string())
}

fn fingerprint(authorities: &[CertificateDer<'_>], crls: &Crls) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    let ders =
        authorities.iter().map(|der| (0_u8, der.as_ref())).chain(crls.iter().map(|der| (1, der.as_ref())));
    for (kind, der) in ders {
        context.update(&[kind]);
        context.update(&(der.len() as u64).to_be_bytes());
        context.update(der);
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
