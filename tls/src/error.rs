//! What is wrong with a certificate's or a CA's files: in which of them, what, and what to do about it.

use std::fmt;

/// Why a certificate is not used. [`CertificateError::in_key`] says which of its two files is to be mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateError {
    pub(crate) problem: CertificateProblem,
    pub(crate) text: String,
    pub(crate) help: Option<String>,
}

/// The kinds of problems that a certificate can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CertificateProblem {
    /// The file with the chain has no certificates, or what is in it cannot be read.
    Chain,
    /// The chain is in the wrong order, or one of its certificates has not signed the one before it.
    Order,
    /// The file with the key has none, or it cannot be read or used.
    Key,
    /// The key belongs to another certificate.
    Mismatch,
    /// The certificate has no name that a client could ask for.
    Names,
    /// The certificate may not be used for this side of TLS.
    Usage,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The certificate has expired.
    Expired,
    /// A handshake with the certificate failed.
    Trial,
}

impl CertificateError {
    pub(crate) fn new(problem: CertificateProblem, text: impl Into<String>) -> CertificateError {
        CertificateError { problem, text: text.into(), help: None }
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> CertificateError {
        self.help = Some(help.into());
        self
    }

    /// What kind of problem it is.
    pub fn problem(&self) -> CertificateProblem {
        self.problem
    }

    /// Whether the key's file is wrong, and not the chain's.
    pub fn in_key(&self) -> bool {
        matches!(self.problem, CertificateProblem::Key | CertificateProblem::Mismatch)
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl fmt::Display for CertificateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for CertificateError {}

/// Why CAs or lists of revoked certificates are not used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustError {
    pub(crate) problem: TrustProblem,
    pub(crate) text: String,
    pub(crate) help: Option<String>,
}

/// Which of the files it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustProblem {
    /// The file with the CA certificates.
    Ca,
    /// The file of this index among those with lists of revoked certificates.
    Crl(usize),
}

impl TrustError {
    /// Which file is to be mended.
    pub fn problem(&self) -> TrustProblem {
        self.problem
    }

    /// What to do about it.
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl fmt::Display for TrustError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for TrustError {}
