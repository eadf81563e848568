//! Why a connection cannot go on.

use super::watch::{HANDSHAKE_TIMEOUT, WRITE_TIMEOUT};
use callgate_protocol::ProtocolError;
use std::time::Duration;
use std::{fmt, io};

/// Why a connection cannot go on.
#[derive(Debug)]
pub(crate) enum Lost {
    /// The peer closed it.
    Closed,
    /// The system reports an error.
    Io(io::Error),
    /// The peer broke the protocol.
    Protocol(ProtocolError),
    /// The peer does not let this side in: what it says of that.
    Refused(String),
    /// No HELLO in time.
    NoHandshake,
    /// The peer did not answer a PING for that long.
    Silent(Duration),
    /// The peer does not read.
    Stalled,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lost::Closed => write!(f, "the peer closed the connection"),
            Lost::Io(error) => write!(f, "{error}"),
            Lost::Protocol(error) => write!(f, "{error}"),
            Lost::Refused(why) => write!(f, "the peer does not let this side in: {why}"),
            Lost::NoHandshake => write!(f, "no HELLO within {} s", HANDSHAKE_TIMEOUT.as_secs()),
            Lost::Silent(time) => write!(f, "no sign of life {} s after a PING", time.as_secs()),
            Lost::Stalled => write!(f, "the peer has not read for {} s", WRITE_TIMEOUT.as_secs()),
        }
    }
}

impl From<io::Error> for Lost {
    fn from(error: io::Error) -> Lost {
        Lost::Io(error)
    }
}
