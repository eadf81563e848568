//! Ports to listen on that stay free while their owner is away.
//!
//! An instance that is killed comes back on its port. A port from the range from which the system takes those of outgoing
//! connections could be gone by then, and a gateway that connects to it could even meet itself.

use crate::Failed;
use std::net::{Ipv4Addr, TcpListener};

/// Below every usual range of ports for outgoing connections.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// A port of loopback on which nobody listens.
pub(crate) fn free() -> Result<u16, Failed> {
    let tries = std::iter::repeat_with(|| fastrand::u16(RANGE)).take(1000);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    tries.into_iter().find(is_free).ok_or_else(|| "no port is free".into())
}
