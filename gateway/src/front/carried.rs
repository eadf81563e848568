//! The headers that go with the call: trace context, and how long the caller waits.

use super::deadline::{self, GRPC_TIMEOUT, X_REQUEST_TIMEOUT};
use crate::failure::Failure;
use crate::fields::{self, Lines};
use callgate_protocol::MetadataBuf;
use callgate_protocol::call::key;
use hyper::header::{HeaderMap, HeaderName};
use std::borrow::Cow;
use std::time::Duration;
use tokio::time::Instant;

/// W3C trace context, passed on as it came.
static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

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

/// The headers that go with the call.
pub(super) struct Carried<'a> {
    headers: &'a HeaderMap,
    traceparent: Lines<'a>,
    tracestate: Lines<'a>,
    x_request_timeout: Lines<'a>,
    grpc_timeout: Lines<'a>,
}

impl<'a> Carried<'a> {
    /// Those of a request.
    pub(super) fn by(headers: &'a HeaderMap) -> Carried<'a> {
        let names = [&TRACEPARENT, &TRACESTATE, &X_REQUEST_TIMEOUT, &GRPC_TIMEOUT];
        let [traceparent, tracestate, x_request_timeout, grpc_timeout] = fields::gather(headers, names);
        Carried { headers, traceparent, tracestate, x_request_timeout, grpc_timeout }
    }

    /// Puts the trace context among what goes along with the call.
    ///
    /// A request with several parents belongs to no trace that can be known, and its state is nobody's (W3C Trace Context,
    /// 4.3): nothing goes along then, so that the handler begins a new trace. It is never a reason to refuse a request.
    pub(super) fn go_along(&self, metadata: &mut MetadataBuf) {
        let Ok(parent) = self.traceparent.single("traceparent") else { return };
        // One that is too long for the call is left out, as trace context allows.
        if let Some(parent) = parent {
            let _ = metadata.push(key::TRACEPARENT, parent.as_bytes());
        }
        let state = match self.tracestate {
            Lines::None => None,
            Lines::One(state) => Some(Cow::Borrowed(state.as_bytes())),
            Lines::Several => fields::joined(self.headers, &TRACESTATE, b","),
        };
        if let Some(state) = state {
            let _ = metadata.push(key::TRACESTATE, &state);
        }
    }

    /// When the reply must be there: by the route, or by the caller where that is sooner.
    pub(super) fn deadline(&self, clocks: Clocks, timeout: Duration) -> Result<Instant, Failure> {
        let mut deadline = clocks.came + timeout;
        let x_request = self.x_request_timeout.single("X-Request-Timeout")?;
        let grpc = self.grpc_timeout.single("Grpc-Timeout")?;
        let x_request = x_request.map(deadline::x_request_timeout);
        for time in x_request.into_iter().chain(grpc.map(deadline::grpc_timeout)) {
            // One beyond the end of time is none.
            if let Some(earlier) = clocks.began.checked_add(time.map_err(Failure::InvalidTimeout)?) {
                deadline = deadline.min(earlier);
            }
        }
        Ok(deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    #[test]
    fn the_caller_lowers_the_deadline_and_never_raises_it() {
        let began = Instant::now();
        let second = Duration::from_secs(1);
        let clocks = Clocks { began, came: began + second, now: began + second };
        for (headers, expected) in [
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
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            let deadline = Carried::by(&map).deadline(clocks, 10 * second).ok();
            assert_eq!(deadline, expected.map(|seconds| began + seconds * second), "{headers:?}");
        }
    }

    #[test]
    fn a_trace_goes_along_whole_or_not_at_all() {
        for (headers, expected) in [
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
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            let mut metadata = MetadataBuf::with_capacity(64);
            Carried::by(&map).go_along(&mut metadata);
            let seen: Vec<(&str, &[u8])> = metadata.as_metadata().iter().collect();
            let expected: Vec<(&str, &[u8])> =
                expected.iter().map(|(name, value)| (*name, value.as_bytes())).collect();
            assert_eq!(seen, expected, "{headers:?}");
        }
    }
}
