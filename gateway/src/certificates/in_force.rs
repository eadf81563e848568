//! The certificates of one table with what their files say, and how the next ones follow from them.
//!
//! A certificate that is in force stays so when its files go bad, for its names alone: the file is mended or it is not, and meanwhile
//! everybody is served. Only a certificate that is new to the table has to be sound.

use super::Start;
use crate::config::{CertificateFiles, CertificateSpec, Diagnostics, collect};
use crate::telemetry::CertificateStats;
use callgate_tls::{Certificate, Name, UnixTime};
use std::collections::HashMap;
use std::sync::Arc;

/// Certificates, and the names that lead to them. It does not change.
#[derive(Debug, Default)]
pub struct InForce {
    entries: Vec<Entry>,
    exact: HashMap<String, Arc<Certificate>>,
    /// By what stands behind the `*.`.
    wildcards: HashMap<String, Arc<Certificate>>,
    default: Option<Arc<Certificate>>,
}

/// A certificate in force.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What its table says of it.
    pub spec: CertificateSpec,
    /// What its files said when they were last sound.
    pub certificate: Arc<Certificate>,
    /// Since when it is in force, in seconds since 1970.
    pub since: u64,
    /// What is wrong with the files as they are now.
    pub error: Option<Arc<Mistake>>,
    /// Tells the files that the certificate was read from from others.
    hash: u64,
}

/// What is wrong with files.
#[derive(Debug, PartialEq, Eq)]
pub struct Mistake {
    /// In one line.
    pub summary: String,
    /// In full.
    pub rendered: String,
}

impl InForce {
    /// All of them, in the order of the tables.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn find(&self, name: Option<&str>) -> Option<&Arc<Certificate>> {
        let Some(name) = name else { return self.default.as_ref() };
        let lower;
        let name = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            lower = name.to_ascii_lowercase();
            lower.as_str()
        } else {
            name
        };
        let wildcard = || name.split_once('.').and_then(|(_, rest)| self.wildcards.get(rest));
        self.exact.get(name).or_else(wildcard).or(self.default.as_ref())
    }

    /// Whether it is the default.
    pub fn is_default(&self, entry: &Entry) -> bool {
        self.default.as_ref().is_some_and(|default| Arc::ptr_eq(default, &entry.certificate))
    }

    /// Reads the files of a new table's certificates, and those that are in force again. To be put into force with the table.
    ///
    /// # Errors
    ///
    /// What is wrong with those that are new. One that is in force stays so, whatever its files say.
    pub fn next(
        &self,
        specs: &[CertificateSpec],
        start: Start,
        now: UnixTime,
    ) -> Result<InForce, Diagnostics> {
        let known = self.by_name();
        let entry = |spec: &CertificateSpec| match known.of(spec) {
            Some(entry) => Ok(Entry { spec: spec.clone(), ..entry.clone() }.again(now)),
            None => Entry::new(spec, start, now),
        };
        collect(specs.iter().map(entry)).map(InForce::of)
    }

    /// The same with what the files say now; `None` where they say what they said.
    pub(super) fn again(&self, now: UnixTime) -> Option<InForce> {
        let entries: Vec<Entry> = self.entries.iter().map(|entry| entry.again(now)).collect();
        let same = entries.iter().zip(&self.entries).all(|(next, entry)| next.is_as(entry));
        (!same).then(|| InForce::of(entries))
    }

    fn of(entries: Vec<Entry>) -> InForce {
        let mut in_force = InForce::default();
        for Entry { spec, certificate, .. } in &entries {
            for name in &spec.names {
                match name {
                    Name::Dns(name) => in_force.exact.insert(name.clone(), certificate.clone()),
                    Name::Wildcard(rest) => in_force.wildcards.insert(rest.clone(), certificate.clone()),
                    // Clients do not ask for addresses (RFC 6066, 3).
                    Name::Ip(_) => None,
                };
            }
        }
        let default = match entries.as_slice() {
            [only] => Some(only).filter(|only| only.spec.default != Some(false)),
            entries => entries.iter().find(|entry| entry.spec.default == Some(true)),
        };
        in_force.default = default.map(|entry| entry.certificate.clone());
        in_force.entries = entries;
        in_force
    }

    /// Counts and logs what is other than before.
    pub(super) fn tell(&self, before: &InForce, stats: &CertificateStats) {
        let known = before.by_name();
        self.entries.iter().for_each(|entry| entry.tell(known.of(&entry.spec), stats));
    }

    fn by_name(&self) -> ByName<'_> {
        ByName(self.entries.iter().filter_map(|entry| Some((entry.spec.names.first()?, entry))).collect())
    }
}

/// Certificates by their first name, which no other has.
struct ByName<'a>(HashMap<&'a Name, &'a Entry>);

impl<'a> ByName<'a> {
    /// The one that a table says the same of.
    fn of(&self, spec: &CertificateSpec) -> Option<&'a Entry> {
        self.0.get(spec.names.first()?).copied().filter(|entry| entry.spec.is(spec))
    }
}

impl Entry {
    fn new(spec: &CertificateSpec, start: Start, now: UnixTime) -> Result<Entry, Diagnostics> {
        let files = spec.load()?;
        let certificate = Arc::new(spec.check(&files, now, start == Start::Begins)?);
        let hash = files.hash();
        Ok(Entry { spec: spec.clone(), certificate, since: now.as_secs(), error: None, hash })
    }

    /// The same with what the files say now.
    fn again(&self, now: UnixTime) -> Entry {
        let files = match self.spec.load() {
            Ok(files) => files,
            Err(error) => return self.with(&error),
        };
        if self.hash == files.hash() {
            return Entry { error: None, ..self.clone() };
        }
        match self.spec.check(&files, now, false) {
            Ok(certificate) => self.followed_by(&files, certificate, now),
            Err(error) => self.with(&error),
        }
    }

    fn followed_by(&self, files: &CertificateFiles, certificate: Certificate, now: UnixTime) -> Entry {
        let (certificate, hash) = (Arc::new(certificate), files.hash());
        Entry { spec: self.spec.clone(), certificate, since: now.as_secs(), error: None, hash }
    }

    fn with(&self, error: &Diagnostics) -> Entry {
        let mistake = Mistake { summary: error.summary(), rendered: error.render(false) };
        Entry { error: Some(Arc::new(mistake)), ..self.clone() }
    }

    fn is_as(&self, other: &Entry) -> bool {
        Arc::ptr_eq(&self.certificate, &other.certificate) && self.error == other.error
    }

    fn tell(&self, known: Option<&Entry>, stats: &CertificateStats) {
        let certificate = self.spec.name();
        let is_new = known.is_none_or(|known| !Arc::ptr_eq(&known.certificate, &self.certificate));
        if is_new {
            stats.succeeded.increment();
            let (fingerprint, expires) =
                (self.certificate.fingerprint(), self.certificate.expires().as_secs());
            tracing::info!(certificate, %fingerprint, expires, "certificate taken");
        }
        let before = known.and_then(|known| known.error.as_ref());
        match &self.error {
            Some(error) if before != Some(error) => {
                stats.failed.increment();
                let error = &error.summary;
                tracing::error!(
                    certificate,
                    error,
                    "a certificate's files are refused, and the one in force stays"
                );
            }
            None if before.is_some() && !is_new => {
                tracing::info!(certificate, "a certificate's files are sound again, and as they were");
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests;
