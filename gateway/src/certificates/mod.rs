//! The certificates in force, and the keys under which sessions are resumed.
//!
//! ```text
//! mod      what listeners ask: which certificate has which name
//! in_force the certificates and the names that lead to them; how files that have changed come into force
//! tickets  the ticket keys in force, and when they are rotated
//! expiry   what is said of those, and of other files of TLS, that are about to expire
//! ```
//!
//! Control reads files and puts what is sound into force. A handshake looks a name up and waits for nothing.

mod expiry;
mod in_force;
#[cfg(test)]
pub(crate) mod testing;
mod tickets;

pub use expiry::{Dated, Expiry, Kind};
pub use in_force::{Entry, InForce};
pub use tickets::{Made, Tickets};

use crate::telemetry::CertificateStats;
use arc_swap::ArcSwap;
use callgate_tls::rustls::server::{ClientHello, ResolvesServerCert};
use callgate_tls::rustls::sign::CertifiedKey;
use callgate_tls::{Certificate, UnixTime};
use std::sync::Arc;

/// What is in force now. Only the control plane changes it.
#[derive(Debug, Default)]
pub struct Certificates {
    in_force: ArcSwap<InForce>,
    /// The keys of tickets.
    pub tickets: Tickets,
    /// The counters of reloads.
    pub stats: CertificateStats,
}

impl Certificates {
    /// The certificate for clients that ask for this name, or for none: the one that has the name, or has it by a wildcard, or is the
    /// default.
    pub fn find(&self, name: Option<&str>) -> Option<Arc<Certificate>> {
        self.in_force.load().find(name).cloned()
    }

    /// What rustls asks.
    pub fn resolver(self: &Arc<Self>) -> Arc<dyn ResolvesServerCert> {
        Arc::new(ByName(self.clone()))
    }

    /// All of them.
    pub fn all(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }

    /// Puts certificates into force.
    pub fn put(&self, next: InForce) {
        // In force first and told then: whoever reads the log finds what it says.
        let next = Arc::new(next);
        let before = self.in_force.swap(next.clone());
        next.tell(&before, &self.stats);
    }

    /// Reads the files of those in force again.
    pub fn refresh(&self, now: UnixTime) {
        let in_force = self.in_force.load_full();
        if let Some(next) = in_force.again(now) {
            self.put(next);
        }
    }
}

/// Whether the gateway is about to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// It begins: one certificate that has expired does not keep all others from being served.
    Begins,
    /// It serves: who names a certificate now is told that it has expired.
    Serves,
}

#[derive(Debug)]
struct ByName(Arc<Certificates>);

impl ResolvesServerCert for ByName {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let in_force = self.0.in_force.load();
        in_force.find(hello.server_name()).map(|certificate| certificate.certified_key().clone())
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{certificate, entry, now, specs};
    use super::*;
    use crate::config::testing::Folder;
    use crate::telemetry::log::testing::seen_when_told;

    #[test]
    fn what_the_log_says_of_certificates_holds_by_then() {
        let (folder, certificates) = (Folder::new(), Arc::new(Certificates::default()));
        certificate(&folder, "a", &["a.example"]);
        let specs = specs(&folder, &entry("a", &["a.example"]));
        let [begun, torn] = [false, true].map(|is_torn| {
            if is_torn {
                folder.write("a.pem", "torn");
            }
            let (ours, theirs) = (certificates.clone(), certificates.clone());
            let act = || match is_torn {
                true => ours.refresh(now()),
                false => ours.put(ours.all().next(&specs, Start::Begins, now()).unwrap()),
            };
            seen_when_told(act, move || {
                theirs.all().entries().iter().map(|one| one.error.is_some()).collect::<Vec<_>>()
            })
        });
        assert_eq!((begun, torn), (vec![vec![false]], vec![vec![true]]));
    }
}
