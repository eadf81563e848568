//! Connections that a listener turns away, by why. That is rare: all threads share the counters.

use super::labels::labels;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

labels! {
    /// Why a connection is turned away before its first request, without an answer.
    ConnectionRefusal {
        /// It comes from none of the networks whose PROXY headers count.
        ProxyUntrusted = "proxy_untrusted",
        /// It begins with no PROXY header.
        ProxyMissing = "proxy_missing",
        /// Its PROXY header is none that anybody knows, or too long.
        ProxyMalformed = "proxy_malformed",
        /// It has ended within its PROXY header.
        ProxyIncomplete = "proxy_incomplete",
        /// Its PROXY header did not come within `handshake_timeout`.
        ProxyLate = "proxy_late",
        /// Its client has as many as it may have.
        Connections = "max_connections_per_client",
        /// Its client has made as many as it may make in the time.
        NewConnections = "new_connections_per_client",
    }
}

/// What a listener counts of them.
#[derive(Debug, Default)]
pub struct RefusedConnections([AtomicU64; ConnectionRefusal::ALL.len()]);

impl RefusedConnections {
    /// Counts one.
    pub fn count(&self, why: ConnectionRefusal) {
        self.0[why as usize].fetch_add(1, Relaxed);
    }

    /// How many there were.
    pub fn of(&self, why: ConnectionRefusal) -> u64 {
        self.0[why as usize].load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_counted_for_itself() {
        let refused = RefusedConnections::default();
        for (at, why) in ConnectionRefusal::ALL.iter().enumerate() {
            (0..at).for_each(|_| refused.count(*why));
        }
        for (at, why) in ConnectionRefusal::ALL.iter().enumerate() {
            assert_eq!(refused.of(*why), at as u64, "{}", why.name());
        }
    }
}
