//! TLS for the gateway and the SDK: certificates that are read and tried as a whole, whom to trust, and who the other end is.
//!
//! It knows no socket, no clock of its own, no runtime and no watched file: it is given bytes and gives what rustls takes.
//!
//! - [`Certificate`]: a chain and its key, checked as a whole, with the [`Name`]s that it covers.
//! - [`Trust`]: the CAs that sign the certificates of peers, and the lists of those that they have revoked.
//! - [`Identity`]: who a verified peer is.
//! - [`TicketKeys`]: the keys under which a server gives its clients tickets to resume their sessions with.
//! - [`server`] and [`client`]: configurations of rustls.
//! - [`explain`]: why a handshake has failed, in words.

mod certificate;
mod client;
mod error;
mod explain;
mod fingerprint;
mod identity;
mod name;
mod server;
mod ticket;
mod ticket_keys;
mod trial;
mod trust;
mod x509;

pub use certificate::Certificate;
pub use client::client;
pub use error::{CertificateError, CertificateProblem, TrustError, TrustProblem};
pub use explain::explain;
pub use fingerprint::Fingerprint;
pub use identity::{Identity, IdentityError};
pub use name::Name;
pub use rustls;
pub use rustls::pki_types::UnixTime;
pub use server::{ClientCertificates, Versions, server};
pub use ticket_keys::{TicketKeys, TicketKeysError};
pub use trust::Trust;

use rustls::crypto::CryptoProvider;
use std::sync::{Arc, LazyLock};

static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));

/// The cryptography that everything of ours uses: aws-lc's, its suites and its groups, a post-quantum one first.
pub fn provider() -> Arc<CryptoProvider> {
    PROVIDER.clone()
}

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_quantum_group_is_offered_first() {
        let first = provider().kx_groups.first().map(|group| group.name());
        assert_eq!(first, Some(rustls::NamedGroup::X25519MLKEM768));
    }
}
