//! What the admin port shows of names that are looked up.

use crate::backends::Backend;
use crate::config::{Address, DnsName, DnsSettings, EndpointSpec};
use crate::control::dns::Names;
use serde_json::{Value, json};

/// The names among a backend's endpoints, and what is known of each.
pub(super) fn of(names: &Names, backend: &Backend) -> Value {
    let listed = backend.spec.endpoints.iter().filter_map(|endpoint| match &endpoint.addr {
        Address::Named(name) => Some(name),
        Address::At(_) => None,
    });
    listed.map(|name| one(names, name)).collect()
}

fn one(names: &Names, name: &DnsName) -> Value {
    let known = names.get(&name.host).map(|known| known.shown()).unwrap_or_default();
    json!({
        "name": name.to_string(),
        "addresses": known.addresses,
        "addresses_left_out": known.left_out,
        "ttl_ms": known.ttl.map(|ttl| ttl.as_millis() as u64),
        "answered_at": known.answered_at,
        "error": known.error,
    })
}

/// The name by which an endpoint was found; none where its address is written down.
pub(super) fn leads_to(spec: &EndpointSpec) -> Option<String> {
    match &spec.addr {
        Address::Named(name) => Some(name.to_string()),
        Address::At(_) => None,
    }
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
