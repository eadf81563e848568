//! One address of a backend, as all workers share it: what it counts, what it offers, and what operators say of it.

use super::signals::Signals;
use crate::config::EndpointAddr;
use crate::ids::next_id;
use crate::overload::Count;
use crate::telemetry::{EndpointCounters, EndpointStats, Standing};
use crate::transport::callgate::{Offer, TlsInstance};
use arc_swap::ArcSwapOption;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// One address of a backend. It stays the same as long as address and connection settings do, whatever else changes.
pub struct Endpoint {
    /// Which endpoint this is.
    pub id: u64,
    /// Where it is.
    pub addr: EndpointAddr,
    /// The same as text, which lines of the access log have.
    pub(super) text: Box<str>,
    /// The same, if it has an IP address.
    pub(super) socket: Option<SocketAddr>,
    /// What it counts.
    pub stats: EndpointStats,
    /// The name that it was found by, if a source lists it.
    pub(super) name: Option<Arc<str>>,
    /// Who it was when it was last connected to, if TLS is spoken with it.
    pub tls: ArcSwapOption<TlsInstance>,
    /// What it offered when it was last connected to.
    pub offer: ArcSwapOption<Offer>,
    /// Why the last attempt to connect failed; none while it is connected.
    pub error: ArcSwapOption<String>,
    /// An operator has asked for its drain. It stays so as long as the backend lists the address, even where other
    /// connection settings make another endpoint of it.
    pub drained_by_admin: Arc<AtomicBool>,
    /// Its calls in flight, where they are bounded; kept as the operator's drain is.
    pub in_flight: Arc<Count>,
    /// What one worker's connections to it tell the others.
    pub signals: Signals,
}

impl Endpoint {
    /// An endpoint that nobody has connected to yet.
    pub(super) fn new(addr: EndpointAddr, workers: usize) -> Endpoint {
        let socket = match &addr {
            EndpointAddr::Tcp { host, port } => host.parse().ok().map(|ip| SocketAddr::new(ip, *port)),
            EndpointAddr::Unix(_) => None,
        };
        Endpoint {
            id: next_id(),
            socket,
            text: addr.to_string().into(),
            addr,
            stats: EndpointStats::new(workers),
            name: None,
            tls: ArcSwapOption::empty(),
            offer: ArcSwapOption::empty(),
            error: ArcSwapOption::empty(),
            drained_by_admin: Arc::default(),
            in_flight: Arc::default(),
            signals: Signals::default(),
        }
    }

    /// Its address as text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Has the version of a service of its looked at, as it was last connected to, if that offers it.
    pub fn look_at_version<R>(&self, service: &str, look: impl FnOnce(&str) -> R) -> Option<R> {
        let offer = self.offer.load();
        let found = offer.as_ref()?.services.iter().find(|(name, _)| name == service);
        found.map(|(_, version)| look(version))
    }

    /// Whether some worker has a connection to it that answers.
    pub(super) fn answers(&self) -> bool {
        let answers =
            |one: &EndpointCounters| one.connections.get() > 0 && one.health.standing() != Standing::Silent;
        self.stats.0.iter().any(answers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_answers_where_some_worker_has_a_connection_that_is_not_silent() {
        let addr = EndpointAddr::Tcp { host: "shop".to_owned(), port: 1 };
        for (connections, standing, answers) in [
            (0, Standing::Well, false),
            (1, Standing::Well, true),
            (2, Standing::Ejected, true),
            (1, Standing::Silent, false),
        ] {
            let endpoint = Endpoint::new(addr.clone(), 2);
            let counters = endpoint.stats.0.of(1);
            (0..connections).for_each(|_| counters.connections.increment());
            counters.health.stands(standing);
            assert_eq!(endpoint.answers(), answers, "{connections}, {standing:?}");
        }
    }

    #[test]
    fn only_an_ip_address_is_a_socket_address() {
        let tcp = |host: &str| EndpointAddr::Tcp { host: host.to_owned(), port: 7 };
        for (addr, expected) in [
            (tcp("10.0.0.1"), Some("10.0.0.1:7")),
            (tcp("::1"), Some("[::1]:7")),
            (tcp("shop"), None),
            (EndpointAddr::Unix("/run/shop.sock".into()), None),
        ] {
            let socket = Endpoint::new(addr, 1).socket.map(|socket| socket.to_string());
            assert_eq!(socket.as_deref(), expected);
        }
    }
}
