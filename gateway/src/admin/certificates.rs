//! What the admin port shows of TLS: the certificates in force, and the keys of tickets, but never a key itself.

use crate::certificates::{Dated, Entry, Kind};
use crate::config::SecretSource;
use crate::worker::Shared;
use callgate_tls::UnixTime;
use serde_json::{Value, json};

const DAY: i64 = 24 * 3600;

/// Names, and until when what they have is good: of certificates, of backends, and of listeners.
pub(super) fn scrape(shared: &Shared) -> [Vec<(String, u64)>; 3] {
    let mut found: [Vec<(String, u64)>; 3] = Default::default();
    for Dated { kind, name, until, .. } in shared.dated() {
        let [certificates, backends, listeners] = &mut found;
        let those = match kind {
            Kind::Certificate => certificates,
            Kind::OfBackend => backends,
            Kind::Revoked => listeners,
        };
        those.push((name, until));
    }
    found
}

/// The page.
pub(super) fn page(shared: &Shared) -> Value {
    let (in_force, now) = (shared.certificates.all(), UnixTime::now());
    let entry = |entry: &Entry| {
        let mut shown = certificate(entry, now);
        shown["default"] = in_force.is_default(entry).into();
        shown
    };
    let tickets = shared.certificates.tickets.all();
    let file = shared.settings.server.tls_ticket_keys.as_ref();
    json!({
        "certificates": in_force.entries().iter().map(entry).collect::<Vec<_>>(),
        "ticket_keys": {
            "file": file.map(|file| &file.path),
            "keys": tickets.keys.len(),
            "since": tickets.since,
            "last_error": tickets.error,
        },
    })
}

fn certificate(Entry { spec, certificate, since, error, .. }: &Entry, now: UnixTime) -> Value {
    let key = match &spec.key {
        SecretSource::File(path) => json!({ "file": path }),
        SecretSource::Env(name) => json!({ "env": name }),
    };
    let names = |names: &[callgate_tls::Name]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let left = certificate.expires().as_secs() as i64 - now.as_secs() as i64;
    json!({
        "names": names(&spec.names),
        "covers": names(certificate.names()),
        "expires_at": certificate.expires().as_secs(),
        "expires_in_days": left.div_euclid(DAY),
        "sha256": certificate.fingerprint().to_string(),
        "cert": spec.cert,
        "key": key,
        "defined": spec.defined(),
        "since": since,
        "last_error": error.as_ref().map(|error| &error.rendered),
    })
}
