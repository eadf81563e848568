//! `type = "mtls"`: the caller is a name in the certificate that it has shown to the listener, which has verified it.

use super::pattern::NamePattern;
use super::{AuthKind, required};
use crate::config::complaint::Complaint;
use crate::config::reader::{Item, Reader, Section};
use crate::config::shape::{Entry, Shape, words};

const NAMES: [(&str, CertificateName); 3] = [
    ("uri", CertificateName::Uri),
    ("dns", CertificateName::Dns),
    ("common_name", CertificateName::CommonName),
];
pub(super) const KEYS: &[Entry] = &[
    super::kind(&["mtls"]),
    Entry::needed("name", Shape::Words(&words(&NAMES)), "which name is the caller's"),
    Entry::new("allow", Shape::SOME_TEXTS, "what the name looks like: one of these patterns"),
];
const HELP: &str =
    "write which name of its certificate a caller has: name = \"uri\", \"dns\" or \"common_name\"";

/// Callers by their certificates.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MtlsSpec {
    /// Which name is the caller's.
    pub name: CertificateName,
    /// What that looks like: like one of these. All are taken where there are none.
    pub allow: Option<Vec<NamePattern>>,
}

/// A kind of name in a certificate.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CertificateName {
    /// A URI among the alternative names, such as a SPIFFE ID.
    Uri,
    /// A DNS name among them.
    Dns,
    /// The common name of the subject.
    CommonName,
}

impl MtlsSpec {
    /// Whether a caller may have that name.
    pub fn admits(&self, name: &str) -> bool {
        self.allow.as_ref().is_none_or(|allow| allow.iter().any(|pattern| pattern.fits(name)))
    }
}

pub(super) fn read(reader: &mut Reader<'_>, section: &Section<'_>, item: &Item<'_>) -> Option<AuthKind> {
    let name = required(reader, section, item, "name", HELP).and_then(|item| reader.choice(&item, &NAMES));
    let allow = section.get("allow").map(|item| {
        let before = reader.found.len();
        let patterns = reader.texts(&item, "[\"spiffe://corp/*\"]", NamePattern::parse).unwrap_or_default();
        if patterns.is_empty() && reader.found.len() == before {
            reader.complain::<()>(&item, Complaint::new("`allow` is empty", "nobody could call"));
        }
        patterns.into_iter().map(|(pattern, _)| pattern).collect()
    });
    Some(AuthKind::Mtls(MtlsSpec { name: name?, allow }))
}
