//! What is counted of TLS on a listener: how its handshakes end, and what is agreed in them. Labels are closed lists: nothing that a
//! client sends becomes one.

use super::counter::{Counter, PerWorker};
use super::families::{COUNTER, GAUGE, counter, family, gauge};
use super::labels::labels;
use prometheus::proto::MetricFamily;

labels! {
    /// How a handshake ended.
    HandshakeResult {
        /// Both sides agree.
        Ok = "ok",
        /// It took longer than `handshake_timeout`.
        Timeout = "timeout",
        /// There were more than `max_handshakes`, and it was the oldest.
        Crowded = "too_many",
        /// The gateway ends.
        Stopping = "stopping",
        /// The client has gone.
        Gone = "gone",
        /// No certificate covers the name that the client asks for.
        UnknownName = "unknown_name",
        /// The client says no: it does not trust the certificate, or its names or dates are wrong.
        RefusedByClient = "refused_by_client",
        /// The client shows no certificate, and has to.
        ClientCertificateMissing = "client_certificate_missing",
        /// The client's certificate has expired, or is not valid yet.
        ClientCertificateExpired = "client_certificate_expired",
        /// No CA that is trusted has signed the client's certificate.
        ClientCertificateUnknown = "client_certificate_unknown",
        /// The client's certificate was revoked, or nobody can say that it was not.
        ClientCertificateRevoked = "client_certificate_revoked",
        /// The client's certificate is wrong in another way.
        ClientCertificateInvalid = "client_certificate_invalid",
        /// The two have no version, suite, group or protocol in common.
        Incompatible = "incompatible",
        /// The client speaks HTTP without TLS.
        PlainHttp = "plain_http",
        /// The client breaks the rules of TLS, or speaks something else.
        ProtocolError = "protocol_error",
    }
}

labels! {
    /// A version of TLS.
    TlsVersion {
        /// TLS 1.2.
        Tls12 = "1.2",
        /// TLS 1.3.
        Tls13 = "1.3",
    }
}

labels! {
    /// The group in which keys were exchanged.
    TlsGroup {
        /// A post-quantum one beside a classical one.
        X25519MlKem768 = "X25519MLKEM768",
        /// Likewise.
        Secp256r1MlKem768 = "secp256r1MLKEM768",
        /// A post-quantum one.
        MlKem768 = "MLKEM768",
        /// Elliptic curves.
        X25519 = "x25519",
        /// Likewise.
        Secp256r1 = "secp256r1",
        /// Likewise.
        Secp384r1 = "secp384r1",
        /// Another one.
        Other = "other",
        /// None: a session of TLS 1.2 goes on.
        None = "none",
    }
}

/// What was agreed with a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The version.
    pub version: TlsVersion,
    /// The group.
    pub group: TlsGroup,
    /// A session of before goes on.
    pub resumed: bool,
}

/// What a listener counts.
#[derive(Debug)]
pub struct TlsStats(pub PerWorker<TlsCounters>);

const RESULTS: usize = HandshakeResult::ALL.len();
const KINDS: usize = TlsVersion::ALL.len() * TlsGroup::ALL.len() * 2;

/// One worker's share of it.
#[derive(Debug)]
pub struct TlsCounters {
    /// Handshakes in progress.
    pub in_progress: Counter,
    results: [Counter; RESULTS],
    agreed: [Counter; KINDS],
}

impl Default for TlsCounters {
    fn default() -> TlsCounters {
        TlsCounters {
            in_progress: Counter::default(),
            results: std::array::from_fn(|_| Counter::default()),
            agreed: std::array::from_fn(|_| Counter::default()),
        }
    }
}

impl Agreed {
    fn index(self) -> usize {
        let Agreed { version, group, resumed } = self;
        (version as usize * TlsGroup::ALL.len() + group as usize) * 2 + usize::from(resumed)
    }

    /// All that can be.
    fn all() -> impl Iterator<Item = Agreed> {
        let groups = |version| TlsGroup::ALL.iter().map(move |group| (version, *group));
        TlsVersion::ALL
            .iter()
            .flat_map(move |version| groups(*version))
            .flat_map(|(version, group)| [false, true].map(|resumed| Agreed { version, group, resumed }))
    }
}

impl TlsStats {
    /// Handshakes that have ended so.
    pub fn ended(&self, result: HandshakeResult) -> u64 {
        self.0.sum(|one| &one.results[result as usize])
    }
}

impl TlsCounters {
    /// Counts the end of a handshake.
    pub fn ended(&self, result: HandshakeResult) {
        self.results[result as usize].increment();
    }

    /// Counts what was agreed.
    pub fn agreed(&self, agreed: Agreed) {
        self.agreed[agreed.index()].increment();
    }
}

impl TlsStats {
    /// All zero.
    pub fn new(workers: usize) -> TlsStats {
        TlsStats(PerWorker::new(workers))
    }
}

/// What a scrape shows of a listener with TLS.
pub struct TlsScrape<'a> {
    /// The listener's id.
    pub listener: &'a str,
    /// Its counters.
    pub stats: &'a TlsStats,
}

pub(super) fn tls(listeners: &[TlsScrape<'_>], families: &mut Vec<MetricFamily>) {
    if listeners.is_empty() {
        return;
    }
    let mut handshakes = family(
        "callgate_tls_handshakes_total",
        "TLS handshakes of clients, by the listener and by how they ended.",
        COUNTER,
    );
    let mut connections = family(
        "callgate_tls_connections_total",
        "Client connections with TLS, by the listener and by what was agreed: version, group, whether a session of before went on.",
        COUNTER,
    );
    let mut in_progress = family("callgate_tls_handshakes_in_progress", "TLS handshakes in progress.", GAUGE);
    for TlsScrape { listener, stats } in listeners {
        for result in HandshakeResult::ALL {
            let n = stats.ended(*result);
            if n > 0 || *result == HandshakeResult::Ok {
                counter(&mut handshakes, &[("listener", listener), ("result", result.name())], n as f64);
            }
        }
        for agreed in Agreed::all() {
            let n = stats.0.sum(|one| &one.agreed[agreed.index()]);
            let (version, group) = (agreed.version.name(), agreed.group.name());
            let resumed = if agreed.resumed { "true" } else { "false" };
            let labels =
                [("listener", *listener), ("version", version), ("group", group), ("resumed", resumed)];
            if n > 0 {
                counter(&mut connections, &labels, n as f64);
            }
        }
    }
    let now: u64 = listeners.iter().map(|one| one.stats.0.sum(|one| &one.in_progress)).sum();
    gauge(&mut in_progress, &[], now as f64);
    families.extend([handshakes, connections, in_progress]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn all_that_can_be_agreed_has_a_counter_of_its_own() {
        let all: BTreeSet<usize> = Agreed::all().map(Agreed::index).collect();
        assert_eq!(all, (0..KINDS).collect());
    }
}
