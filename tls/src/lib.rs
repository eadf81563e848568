//! TLS for the gateway and the SDK: certificates that are read and tried as a whole, whom to trust, and who the other end is.
//!
//! It knows no socket, no clock of its own, no runtime and no watched file: it is given bytes and gives what rustls takes.

use rustls::crypto::CryptoProvider;
use std::sync::{Arc, LazyLock};

static PROVIDER: LazyLock<Arc<CryptoProvider>> =
    LazyLock::new(|| Arc::new(rustls::crypto::aws_lc_rs::default_provider()));

/// The cryptography that everything of ours uses: aws-lc's, its suites and its groups, a post-quantum one first.
pub fn provider() -> Arc<CryptoProvider> {
    PROVIDER.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_post_quantum_group_is_offered_first() {
        let first = provider().kx_groups.first().map(|group| group.name());
        assert_eq!(first, Some(rustls::NamedGroup::X25519MLKEM768));
    }
}
