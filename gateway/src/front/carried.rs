//! The headers that go with the call: trace context, and how long the caller waits.

use super::deadline;
use crate::failure::Failure;
use crate::fields::{self, GRPC_TIMEOUT, TRACEPARENT, TRACESTATE, X_REQUEST_TIMEOUT};
use callgate_http1::Fields;
use callgate_protocol::MetadataBuf;
use callgate_protocol::call::key;
use std::time::Duration;
use tokio::time::Instant;

/// What a call's time is counted from.
#[derive(Clone, Copy)]
pub(super) struct Clocks {
    /// The request's head was there: the caller's patience begins.
    pub(super) began: Instant,
    /// Its body was there: the route's timeout begins.
    pub(super) came: Instant,
    /// Now, or a moment ago.
    pub(super) now: Instant,
}

/// Puts the W3C trace context of a request among what goes along with its call, as it came.
///
/// A request with several parents belongs to no trace that can be known, and its state is nobody's (W3C Trace Context,
/// 4.3): nothing goes along then, so that the handler begins a new trace. It is never a reason to refuse a request.
pub(super) fn trace(fields: Fields<'_>, metadata: &mut MetadataBuf) {
    let Ok(parent) = fields::single(fields, &TRACEPARENT) else { return };
    // One that is too long for the call is left out, as trace context allows.
    if let Some(parent) = parent {
        let _ = metadata.push(key::TRACEPARENT, parent);
    }
    if let Some(state) = fields::joined(fields, &TRACESTATE, b",") {
        let _ = metadata.push(key::TRACESTATE, &state);
    }
}

/// When the reply must be there: by the route, or by the caller where that is sooner.
pub(super) fn deadline(fields: Fields<'_>, clocks: Clocks, timeout: Duration) -> Result<Instant, Failure> {
    let mut deadline = clocks.came + timeout;
    let x_request = fields::single(fields, &X_REQUEST_TIMEOUT)?.map(deadline::x_request_timeout);
    let grpc = fields::single(fields, &GRPC_TIMEOUT)?.map(deadline::grpc_timeout);
    for time in x_request.into_iter().chain(grpc) {
        // One beyond the end of time is none.
        if let Some(earlier) = clocks.began.checked_add(time.map_err(Failure::InvalidTimeout)?) {
            deadline = deadline.min(earlier);
        }
    }
    Ok(deadline)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::request;

    #[test]
    fn the_caller_lowers_the_deadline_and_never_raises_it() {
        let began = Instant::now();
        let second = Duration::from_secs(1);
        let clocks = Clocks { began, came: began + second, now: began + second };
        for (lines, expected) in [
            (&[][..], Some(11)),
            (&[("x-request-timeout", "2")], Some(2)),
            (&[("grpc-timeout", "3S")], Some(3)),
            (&[("x-request-timeout", "60s")], Some(11)),
            (&[("x-request-timeout", "5s"), ("grpc-timeout", "4S")], Some(4)),
            (&[("x-request-timeout", "99999999999999999999h")], Some(11)),
            (&[("x-request-timeout", "5s"), ("grpc-timeout", "soon")], None),
            (&[("x-request-timeout", "")], None),
            (&[("x-request-timeout", "5s"), ("x-request-timeout", "100ms")], None),
            (&[("x-request-timeout", "5s"), ("x-request-timeout", "5s")], None),
            (&[("grpc-timeout", "5S"), ("grpc-timeout", "4S")], None),
        ] {
            let deadline = deadline(request(lines).fields(), clocks, 10 * second).ok();
            assert_eq!(deadline, expected.map(|seconds| began + seconds * second), "{lines:?}");
        }
    }

    #[test]
    fn a_trace_goes_along_whole_or_not_at_all() {
        for (lines, expected) in [
            (
                &[("traceparent", "p"), ("tracestate", "a=1")][..],
                &[("traceparent", "p"), ("tracestate", "a=1")][..],
            ),
            (
                &[("tracestate", "a=1"), ("traceparent", "p"), ("tracestate", ""), ("tracestate", "b=2")],
                &[("traceparent", "p"), ("tracestate", "a=1,,b=2")],
            ),
            (&[("traceparent", "p"), ("traceparent", "q"), ("tracestate", "a=1")], &[]),
            (&[("traceparent", "p"), ("traceparent", "p"), ("tracestate", "a=1")], &[]),
            (&[("traceparent", "p,q"), ("tracestate", "a=1")], &[]),
            (&[], &[]),
        ] {
            let mut metadata = MetadataBuf::with_capacity(64);
            trace(request(lines).fields(), &mut metadata);
            let seen: Vec<(&str, &[u8])> = metadata.as_metadata().iter().collect();
            let expected: Vec<(&str, &[u8])> =
                expected.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            assert_eq!(seen, expected, "{lines:?}");
        }
    }
}
