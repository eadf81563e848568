//! A backend's declaration: its endpoints, and how their connections are kept.

use super::backend_security::{self, SecuritySpec};
use super::balance::Balance;
use super::diagnostics::Diagnostic;
use super::discovery_name::DiscoveryName;
use super::endpoint::{EndpointSpec, endpoints};
use super::health;
use super::overload::OverloadSpec;
use super::reader::{Item, Reader};
use super::retry;
use callgate_health::HealthSpec;
use callgate_protocol::limits::MAX_CALLS;
use std::ops::RangeInclusive;
use std::time::Duration;
use toml::de::DeTable;

const KEYS: &[&str] = &[
    "endpoints",
    "connect_timeout",
    "ping_interval",
    "ping_timeout",
    "max_age",
    "max_calls",
    "health",
    "retry_budget",
    "hold",
    "balance",
    "max_in_flight",
    "max_in_flight_per_instance",
    "adaptive",
    "queue",
    backend_security::KEYS[0],
    backend_security::KEYS[1],
];
const WAIT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60);
const INTERVAL: RangeInclusive<Duration> = Duration::from_millis(10)..=Duration::from_secs(3600);
const AGE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(168 * 3600);

/// A named group of endpoints that offer the same methods.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackendSpec {
    /// The name by which routes and metrics know it.
    pub name: String,
    /// Its instances, at least one, each once, in the order of the file.
    pub endpoints: Vec<EndpointSpec>,
    /// How long connecting and the handshake may take together; 1 ms to 60 s, by default 1 s.
    pub connect_timeout: Duration,
    /// How long a connection without calls may be silent before it is pinged; 10 ms to 1 h, by default 5 s. One whose
    /// calls wait is pinged after 0.2 s.
    pub ping_interval: Duration,
    /// How long a ping may go unanswered before the connection is given up; 1 ms to 60 s, by default 2 s.
    pub ping_timeout: Duration,
    /// After how long a connection is replaced by a new one, about; 1 s to 168 h, by default 30 min.
    pub max_age: Duration,
    /// Calls in flight on one connection; 1 to 65536, by default 1024. The instance may ask for fewer.
    pub max_calls: u32,
    /// How its calls are spread over its instances.
    pub balance: Balance,
    /// How its instances are judged.
    pub health: HealthSpec,
    /// How many calls may be sent again in vain, in percent of the recent ones; 0 to 100, by default 20.
    pub retry_budget: u32,
    /// How long a call may wait when no instance is there; 0 to 1 min, by default 1 s.
    pub hold: Duration,
    /// How many calls it gets at once.
    pub overload: OverloadSpec,
    /// How the gateway and its instances know each other.
    pub security: SecuritySpec,
}

impl BackendSpec {
    /// What discovery sources are asked for to know its members.
    pub fn discovery_names(&self) -> impl Iterator<Item = &DiscoveryName> {
        self.endpoints.iter().filter_map(|endpoint| endpoint.addr.name())
    }

    /// A backend with the defaults of everything but its endpoints.
    pub fn new(name: impl Into<String>, endpoints: Vec<EndpointSpec>) -> BackendSpec {
        BackendSpec {
            name: name.into(),
            endpoints,
            connect_timeout: Duration::from_secs(1),
            ping_interval: Duration::from_secs(5),
            ping_timeout: Duration::from_secs(2),
            max_age: Duration::from_secs(1800),
            max_calls: MAX_CALLS,
            balance: Balance::default(),
            health: HealthSpec::default(),
            retry_budget: retry::BUDGET,
            hold: retry::HOLD,
            overload: OverloadSpec::default(),
            security: SecuritySpec::default(),
        }
    }

    /// Whether connections made by `self` are as those made by `other` would be.
    pub fn connects_like(&self, other: &BackendSpec) -> bool {
        let how = |spec: &BackendSpec| {
            let BackendSpec {
                name,
                connect_timeout,
                ping_interval,
                ping_timeout,
                max_age,
                max_calls,
                overload,
                ..
            } = spec;
            let most = (*max_calls, overload.max_per_instance);
            (name.clone(), *connect_timeout, *ping_interval, *ping_timeout, *max_age, most)
        };
        how(self) == how(other) && self.security == other.security && self.names() == other.names()
    }

    /// The names by which its instances are known where TLS is spoken with them.
    fn names(&self) -> Vec<Option<&str>> {
        match &self.security.tls {
            Some(tls) if tls.server_name.is_none() => {
                self.endpoints.iter().map(|endpoint| endpoint.addr.host_name()).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(super) fn read(
        reader: &mut Reader<'_>,
        name: &str,
        table: &DeTable<'_>,
        key: &Item<'_>,
    ) -> Option<BackendSpec> {
        let section = reader.section("a backend", table, KEYS);
        let mut spec = BackendSpec::new(name, Vec::new());
        match section.get("endpoints") {
            Some(item) => spec.endpoints = endpoints(reader, name, &item)?,
            None => {
                reader.report(
                    Diagnostic::new(format!("backend `{name}` has no `endpoints`"))
                        .at(reader.source, key.key_span.clone(), "declared here")
                        .help("write where its instances listen: endpoints = [\"127.0.0.1:7101\"]"),
                );
            }
        }
        let times = [
            ("connect_timeout", WAIT, &mut spec.connect_timeout),
            ("ping_interval", INTERVAL, &mut spec.ping_interval),
            ("ping_timeout", WAIT, &mut spec.ping_timeout),
            ("max_age", AGE, &mut spec.max_age),
            ("hold", retry::HOLDS, &mut spec.hold),
        ];
        for (key, bounds, time) in times {
            if let Some(value) = section.get(key).and_then(|item| reader.duration(&item, bounds)) {
                *time = value;
            }
        }
        if let Some(calls) = section.get("max_calls").and_then(|item| reader.integer(&item, 1..=65_536)) {
            spec.max_calls = u32::try_from(calls).unwrap_or(MAX_CALLS);
        }
        if let Some(item) = section.get("balance") {
            spec.balance = Balance::read(reader, &item).unwrap_or_default();
        }
        if let Some(item) = section.get("health") {
            spec.health = health::read(reader, &item);
        }
        if let Some(item) = section.get("retry_budget") {
            spec.retry_budget = retry::read_budget(reader, &item).unwrap_or(spec.retry_budget);
        }
        spec.overload = OverloadSpec::read(reader, &section);
        spec.security = SecuritySpec::read(reader, name, &section, &spec.endpoints);
        Some(spec)
    }
}
