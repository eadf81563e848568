//! A backend's declaration: its endpoints, and how their connections are kept.

use super::backend_security::{self, SecuritySpec};
use super::balance::{self, Balance};
use super::diagnostics::Diagnostic;
use super::discovery_name::DiscoveryName;
use super::endpoint::{self, EndpointSpec, endpoints};
use super::health;
use super::overload::{self, OverloadSpec};
use super::reader::{Item, Reader};
use super::retry;
use super::shape::{Entry, Shape};
use callgate_health::HealthSpec;
use callgate_protocol::limits::MAX_CALLS;
use std::ops::RangeInclusive;
use std::time::Duration;
use toml::de::DeTable;

const KEYS: &[Entry] = &[
    Entry::needed("endpoints", endpoint::SHAPE, "where the instances listen"),
    Entry::new(
        "connect_timeout",
        Shape::Duration(WAIT),
        "how long connecting and the handshake may take together",
    ),
    Entry::new(
        "ping_interval",
        Shape::Duration(INTERVAL),
        "how long a connection without calls may be silent before it is pinged",
    ),
    Entry::new(
        "ping_timeout",
        Shape::Duration(WAIT),
        "how long a ping may go unanswered before the connection is given up",
    ),
    Entry::new("max_age", Shape::Duration(AGE), "after how long a connection is replaced by a new one"),
    Entry::new("max_calls", Shape::Integer(1..=65_536), "calls in flight on one connection"),
    Entry::new("health", health::SHAPE, "when an instance is left for failing or being slow"),
    Entry::new("retry_budget", retry::BUDGET_SHAPE, "how many calls may be sent again in vain"),
    Entry::new("hold", Shape::Duration(retry::HOLDS), "how long a call waits when no instance is there"),
    Entry::new("balance", balance::SHAPE, "how calls are spread over the instances"),
    overload::MAX_IN_FLIGHT,
    overload::MAX_PER_INSTANCE,
    overload::ADAPTIVE,
    overload::QUEUE,
    backend_security::TLS_ENTRY,
    backend_security::TOKEN_ENTRY,
];
/// What a backend may be.
pub(super) const SHAPE: Shape = Shape::Table(KEYS);
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
            ("connect_timeout", &mut spec.connect_timeout),
            ("ping_interval", &mut spec.ping_interval),
            ("ping_timeout", &mut spec.ping_timeout),
            ("max_age", &mut spec.max_age),
            ("hold", &mut spec.hold),
        ];
        for (key, time) in times {
            if let Some(value) = section.get(key).and_then(|item| reader.duration(&item)) {
                *time = value;
            }
        }
        if let Some(calls) = section.get("max_calls").and_then(|item| reader.integer(&item)) {
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
