//! Types of the standard library. serde writes a `SystemTime` as a duration, which only times after 1970 have, and a `SocketAddr`
//! as an enum of tuples, which nobody wants to see in JSON.

use super::{Wire, WireError};
use crate::Timestamp;
use std::net::SocketAddr;
use std::time::SystemTime;

impl Wire for SystemTime {
    type As = Timestamp;

    fn to_wire(&self) -> Result<Timestamp, WireError> {
        Ok(Timestamp::from(*self))
    }

    fn from_wire(wire: Timestamp) -> Result<SystemTime, WireError> {
        Ok(SystemTime::try_from(wire)?)
    }
}

/// `10.0.0.1:80`, `[::1]:80`.
impl Wire for SocketAddr {
    type As = String;

    fn to_wire(&self) -> Result<String, WireError> {
        Ok(self.to_string())
    }

    fn from_wire(wire: String) -> Result<SocketAddr, WireError> {
        Ok(wire.parse()?)
    }
}
