//! What is said of files of TLS whose time is nearly over: once a day for each, from two weeks before on.

use super::InForce;
use callgate_tls::UnixTime;
use std::collections::HashMap;

const DAY: u64 = 24 * 3600;
/// How long before the end warnings begin.
const BEFORE: u64 = 14 * DAY;

/// What is good for a time only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One of `[[certificates]]`, by its first name.
    Certificate,
    /// The one that instances are shown, by their backend.
    OfBackend,
    /// The lists of what clients' CAs have revoked, by the listener.
    Revoked,
}

/// One such, and until when.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dated {
    /// What it is.
    pub kind: Kind,
    /// Whose.
    pub name: String,
    /// Where it is.
    pub file: String,
    /// Until when it is good, in seconds since 1970.
    pub until: u64,
}

/// Of what was warned, and when; apart from that, of what it was told that its time is over.
#[derive(Debug, Default)]
pub struct Expiry(HashMap<(Dated, bool), u64>);

/// Something whose time is nearly over, or over.
#[derive(Debug, PartialEq, Eq)]
struct Warning {
    dated: Dated,
    /// Whole days that are left; none where it is over.
    days: Option<u64>,
}

impl Expiry {
    /// Warns of what needs it and was not warned of within the last day.
    pub fn warn(&mut self, dated: Vec<Dated>, now: UnixTime) {
        self.due(dated, now).into_iter().for_each(Warning::tell);
    }

    fn due(&mut self, dated: Vec<Dated>, now: UnixTime) -> Vec<Warning> {
        let now = now.as_secs();
        // What was told at a time that is yet to come was told by a clock that was wrong.
        let is_recent = |last: &u64| now.checked_sub(*last).is_some_and(|ago| ago < DAY);
        let mut told = HashMap::new();
        let mut warnings = Vec::new();
        for one in dated.into_iter().filter(|one| now + BEFORE >= one.until) {
            let days = one.until.checked_sub(now).map(|left| left / DAY);
            let what = (one, days.is_none());
            let last = self.0.get(&what).copied().filter(is_recent);
            if last.is_none() {
                warnings.push(Warning { dated: what.0.clone(), days });
            }
            told.insert(what, last.unwrap_or(now));
        }
        self.0 = told;
        warnings
    }
}

impl Dated {
    /// Those of certificates.
    pub fn of(in_force: &InForce) -> impl Iterator<Item = Dated> {
        in_force.entries().iter().map(|entry| Dated {
            kind: Kind::Certificate,
            name: entry.spec.name(),
            file: entry.spec.cert.display().to_string(),
            until: entry.certificate.expires().as_secs(),
        })
    }
}

impl Warning {
    fn tell(self) {
        let Warning { dated: Dated { kind, name, file, .. }, days } = self;
        match (kind, days) {
            (Kind::Certificate, Some(days)) => {
                tracing::warn!(certificate = name, file, days, "a certificate is about to expire");
            }
            (Kind::Certificate, None) => {
                tracing::error!(certificate = name, file, "a certificate has expired; clients refuse it");
            }
            (Kind::OfBackend, Some(days)) => {
                tracing::warn!(
                    backend = name,
                    file,
                    days,
                    "the certificate for a backend is about to expire"
                );
            }
            (Kind::OfBackend, None) => {
                let what = "the certificate for a backend has expired; its instances refuse it";
                tracing::error!(backend = name, file, "{what}");
            }
            (Kind::Revoked, Some(days)) => {
                let what = "a list of revoked certificates is about to be out of date";
                tracing::warn!(listener = name, file, days, "{what}");
            }
            (Kind::Revoked, None) => {
                let what =
                    "a list of revoked certificates is out of date; clients that it is about are refused";
                tracing::error!(listener = name, file, "{what}");
            }
        }
    }
}

#[cfg(test)]
mod tests;
