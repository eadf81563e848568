//! Which frames come to which side, and with which flags.

use super::Role;
use crate::frame::{flag, kind};

/// Whether such a frame comes to that side. Those of streams come where both sides speak them.
pub(super) fn receives(role: Role, streams: bool, kind: u8) -> bool {
    match kind {
        kind::HELLO | kind::PING | kind::PONG | kind::GO_AWAY | kind::DATA => true,
        kind::CALL | kind::CANCEL | kind::SCHEMA_REQUEST => role == Role::Acceptor,
        kind::REPLY | kind::FAILURE | kind::SCHEMA => role == Role::Connector,
        kind::ITEM | kind::END | kind::CREDIT => streams,
        _ => false,
    }
}

/// The flags of a kind that must be understood and are.
pub(super) fn known_flags(kind: u8) -> u8 {
    match kind {
        kind::CALL | kind::REPLY | kind::END => flag::MORE | flag::METADATA,
        kind::DATA | kind::ITEM => flag::MORE,
        kind::FAILURE => flag::MORE | flag::NOT_EXECUTED,
        _ => 0,
    }
}
