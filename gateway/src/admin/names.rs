//! What the admin port shows of names that are looked up.

use crate::backends::{Backend, Member};
use crate::config::{DiscoveryName, DnsSettings};
use crate::discovery::{List, Listed, Names};
use serde_json::{Value, json};
use std::net::SocketAddr;

/// The names among a backend's endpoints, and what is known of each.
pub(super) fn of(names: &Names, backend: &Backend) -> Value {
    let endpoints = backend.spec.endpoints.iter().map(|endpoint| &endpoint.addr);
    let named = endpoints.filter_map(|addr| Some((addr.to_string(), addr.name()?)));
    named.map(|(text, name)| one(names, &text, name)).collect()
}

fn one(names: &Names, text: &str, name: &DiscoveryName) -> Value {
    let known = names.get(name).map(|known| known.shown()).unwrap_or_default();
    let List { listed, unconfirmed } = &*known.list;
    let address = |one: &Listed| match one.port {
        Some(port) => SocketAddr::new(one.ip, port).to_string(),
        None => one.ip.to_string(),
    };
    let addresses = |all: &[Listed]| all.iter().map(address).collect::<Value>();
    json!({
        "name": text,
        "addresses": addresses(listed),
        "addresses_unconfirmed": addresses(unconfirmed),
        "addresses_left_out": known.left_out,
        "ttl_ms": known.ttl.map(|ttl| ttl.as_millis() as u64),
        "answered_at": known.answered_at,
        "error": known.error,
    })
}

/// The name by which a member was found; none where its address is written down.
pub(super) fn found_by(backend: &Backend, member: &Member) -> Option<String> {
    let addr = &backend.spec.endpoints[member.declared].addr;
    addr.name().map(|_| addr.to_string())
}

/// `[dns]` as gateway.toml has it.
pub(super) fn settings(dns: &DnsSettings) -> Value {
    let servers = if dns.servers.is_empty() { json!("system") } else { json!(dns.servers) };
    json!({
        "servers": servers,
        "timeout": format!("{:?}", dns.timeout),
        "min_ttl": format!("{:?}", dns.min_ttl),
        "max_ttl": format!("{:?}", dns.max_ttl),
    })
}
