//! What is said of certificates that are about to expire: once a day for each, from two weeks before on.

use super::InForce;
use callgate_tls::{Fingerprint, UnixTime};
use std::collections::HashMap;

const DAY: u64 = 24 * 3600;
/// How long before the end warnings begin.
const BEFORE: u64 = 14 * DAY;

/// Which certificates were warned of, and when; apart from that, of which it was told that they have expired.
#[derive(Debug, Default)]
pub struct Expiry(HashMap<(Fingerprint, bool), u64>);

/// A certificate that is about to expire, or has expired.
#[derive(Debug, PartialEq, Eq)]
struct Warning {
    certificate: String,
    file: String,
    /// Whole days that are left; none of one that has expired.
    days: Option<u64>,
}

impl Expiry {
    /// Warns of those in force that need it and were not warned of within the last day.
    pub fn warn(&mut self, in_force: &InForce, now: UnixTime) {
        for Warning { certificate, file, days } in self.due(in_force, now) {
            match days {
                Some(days) => tracing::warn!(certificate, file, days, "a certificate is about to expire"),
                None => tracing::error!(certificate, file, "a certificate has expired; clients refuse it"),
            }
        }
    }

    fn due(&mut self, in_force: &InForce, now: UnixTime) -> Vec<Warning> {
        let now = now.as_secs();
        let mut told = HashMap::new();
        let mut warnings = Vec::new();
        for entry in in_force.entries() {
            let expires = entry.certificate.expires().as_secs();
            if now + BEFORE < expires {
                continue;
            }
            let days = expires.checked_sub(now).map(|left| left / DAY);
            let what = (entry.certificate.fingerprint(), days.is_none());
            // What was told at a time that is yet to come was told by a clock that was wrong.
            let is_recent = |last: &u64| now.checked_sub(*last).is_some_and(|ago| ago < DAY);
            let last = self.0.get(&what).copied().filter(is_recent);
            told.insert(what, last.unwrap_or(now));
            if last.is_none() {
                let (certificate, file) = (entry.spec.name(), entry.spec.cert.display().to_string());
                warnings.push(Warning { certificate, file, days });
            }
        }
        self.0 = told;
        warnings
    }
}

#[cfg(test)]
mod tests;
