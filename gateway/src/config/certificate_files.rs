//! What is in the files of a certificate: read, checked as a whole, and compared with the names that the table gives it.

use super::certificate::CertificateSpec;
use super::diagnostics::{Diagnostic, Diagnostics};
use super::secret_source::SecretSource;
use super::{files, source::shown};
use callgate_tls::{Certificate, CertificateError, CertificateProblem, Name, UnixTime};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

/// What stands in the files of a certificate, not yet looked into.
#[derive(PartialEq, Eq)]
pub(crate) struct CertificateFiles {
    chain: Vec<u8>,
    key: Vec<u8>,
}

impl CertificateFiles {
    /// Tells these bytes from others.
    pub(crate) fn hash(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        (&self.chain, &self.key).hash(&mut hash);
        hash.finish()
    }
}

impl CertificateSpec {
    /// Reads the files.
    pub(crate) fn load(&self) -> Result<CertificateFiles, Diagnostics> {
        files::settled(|| self.look())
    }

    fn look(&self) -> Result<CertificateFiles, Diagnostics> {
        let written = &self.written;
        let chain = files::named(&self.cert, &written.source, &written.cert)?;
        let key = self.key.load("the certificate's key in PEM", &written.source, &written.key)?;
        Ok(CertificateFiles { chain, key })
    }

    /// Checks what stands in them. An expired certificate passes if it `may_have_expired`.
    pub(crate) fn check(
        &self,
        files: &CertificateFiles,
        now: UnixTime,
        may_have_expired: bool,
    ) -> Result<Certificate, Diagnostics> {
        let read = if may_have_expired { Certificate::read_even_if_expired } else { Certificate::read };
        let certificate = read(&files.chain, &files.key, now).map_err(|error| self.unusable(&error))?;
        for (name, span) in self.names.iter().zip(&self.written.names) {
            if !certificate.covers_name(name) {
                return Err(self.uncovered(name, span, &certificate).into());
            }
        }
        Ok(certificate)
    }

    fn unusable(&self, error: &CertificateError) -> Diagnostics {
        let in_key = error.in_key();
        let span = if in_key { &self.written.key } else { &self.written.cert };
        let file = if in_key { self.key.shown() } else { shown(&self.cert) };
        let unusable = Diagnostic::new(format!("the certificate of `{}` cannot be used", self.name()));
        let unusable = unusable.at(&self.written.source, span.clone(), format!("{file}: {error}"));
        let unusable = error.advice().map(str::to_owned).into_iter().fold(unusable, Diagnostic::help);
        match (error.problem(), &self.key) {
            (CertificateProblem::Mismatch, SecretSource::File(_)) => {
                unusable.note(format!("the certificate is {}", shown(&self.cert))).into()
            }
            _ => unusable.into(),
        }
    }

    fn uncovered(&self, name: &Name, span: &Range<usize>, certificate: &Certificate) -> Diagnostic {
        let names: Vec<String> =
            certificate.names().iter().take(MOST_NAMES).map(|name| format!("`{name}`")).collect();
        let more = certificate.names().len().saturating_sub(MOST_NAMES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let uncovered = Diagnostic::new(format!("the certificate does not cover `{name}`"));
        let uncovered =
            uncovered.at(&self.written.source, span.clone(), "clients that ask for it would refuse it");
        uncovered.note(format!("{} is for {}{more}", shown(&self.cert), names.join(", ")))
    }
}

/// So many names of a certificate are listed.
const MOST_NAMES: usize = 16;
