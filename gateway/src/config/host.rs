//! Hosts and ports, as endpoints and names write them.

use super::complaint::Complaint;
use std::net::{Ipv4Addr, Ipv6Addr};

/// A host in its one spelling: names in lower case, IPv6 addresses shortened and without brackets.
pub(super) fn name(host: &str) -> Option<String> {
    if let Some(inner) = host.strip_prefix('[') {
        let address: Ipv6Addr = inner.strip_suffix(']')?.parse().ok()?;
        return Some(address.to_string());
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Some(address.to_string());
    }
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let name = host.strip_suffix('.').unwrap_or(host);
    // A last label of digits only is an address that went wrong, as in `10.0.0.256`.
    let last_is_number =
        name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
    let good = name.len() <= 253 && name.split('.').all(label) && !last_is_number;
    good.then(|| host.to_ascii_lowercase())
}

/// Reads a port, which is never 0.
pub(super) fn port(text: &str) -> Result<u16, Complaint> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match if digits { text.parse().unwrap_or(0) } else { 0 } {
        0 => {
            Err(Complaint::new(format!("`{text}` is not a port"), "expected 1 to 65535")
                .within(0..text.len()))
        }
        port => Ok(port),
    }
}
