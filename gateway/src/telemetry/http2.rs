//! What is counted of HTTP/2: connections, streams, and what has ended them before their time. The labels are closed lists: an error
//! code that RFC 9113 does not name is `other`.

use super::counter::Counter;

/// The error codes of RFC 9113, 7, in their order; and any other.
pub(super) const CODES: [&str; 15] = [
    "no_error",
    "protocol_error",
    "internal_error",
    "flow_control_error",
    "settings_timeout",
    "stream_closed",
    "frame_size_error",
    "refused_stream",
    "cancel",
    "compression_error",
    "connect_error",
    "enhance_your_calm",
    "inadequate_security",
    "http_1_1_required",
    "other",
];

/// What a client has sent too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Flood {
    Resets,
    Pings,
    Settings,
    Windows,
    Priorities,
    Data,
    Continuations,
    Headers,
    RefusedHeads,
    Malformed,
    Others,
}

/// Their labels, in their order.
pub(super) const FLOODS: [&str; 11] = [
    "rst_stream",
    "ping",
    "settings",
    "window_update",
    "priority",
    "data",
    "continuation",
    "headers",
    "refused_head",
    "malformed",
    "other",
];

impl Flood {
    /// Its label in the metrics and the log.
    pub fn name(self) -> &'static str {
        FLOODS[self as usize]
    }
}

/// The protocols of requests, as they are called.
pub(super) const PROTOCOLS: [&str; 3] = ["HTTP/1.0", "HTTP/1.1", "HTTP/2"];

/// By what a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ByProtocol {
    Http10,
    Http11,
    Http2,
}

/// Counters by error code.
#[derive(Debug, Default)]
pub struct ByCode(pub(super) [Counter; CODES.len()]);

impl ByCode {
    /// That of a code.
    pub fn of(&self, code: u32) -> &Counter {
        &self.0[(code as usize).min(CODES.len() - 1)]
    }
}

/// What one side has sent.
#[derive(Debug, Default)]
pub struct Endings {
    /// RST_STREAM.
    pub resets: ByCode,
    /// GOAWAY.
    pub goaways: ByCode,
}

/// One worker's share of what is counted of HTTP/2.
#[derive(Debug, Default)]
pub struct Http2Counters {
    /// Open connections.
    pub connections: Counter,
    /// Connections whose client has sent the preface.
    pub accepted: Counter,
    /// Open streams.
    pub streams: Counter,
    /// Streams that a request has begun.
    pub begun: Counter,
    /// Streams that were ended because their client took nothing of its answer.
    pub stalled: Counter,
    /// What clients have sent.
    pub by_client: Endings,
    /// What was sent to them.
    pub by_gateway: Endings,
    pub(super) floods: [Counter; FLOODS.len()],
}

impl Http2Counters {
    /// Connections that were ended for what came over them.
    pub fn of_flood(&self, flood: Flood) -> &Counter {
        &self.floods[flood as usize]
    }
}
