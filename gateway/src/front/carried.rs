//! The headers that go with the call: trace context, and how long the caller waits.

use super::deadline::{self, GRPC_TIMEOUT, X_REQUEST_TIMEOUT};
use crate::call::Failure;
use callgate_protocol::MetadataBuf;
use callgate_protocol::call::key;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
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

/// The headers that go with the call. They are found in one pass: a look for each would cost a hash.
#[derive(Default)]
pub(super) struct Carried<'a> {
    traceparent: Option<&'a HeaderValue>,
    tracestate: Option<&'a HeaderValue>,
    x_request_timeout: Option<&'a HeaderValue>,
    grpc_timeout: Option<&'a HeaderValue>,
}

impl<'a> Carried<'a> {
    /// Where a header comes twice, the first counts.
    pub(super) fn by(headers: &'a HeaderMap) -> Carried<'a> {
        let mut carried = Carried::default();
        for (name, value) in headers {
            let place = if *name == TRACEPARENT {
                &mut carried.traceparent
            } else if *name == TRACESTATE {
                &mut carried.tracestate
            } else if *name == X_REQUEST_TIMEOUT {
                &mut carried.x_request_timeout
            } else if *name == GRPC_TIMEOUT {
                &mut carried.grpc_timeout
            } else {
                continue;
            };
            place.get_or_insert(value);
        }
        carried
    }

    /// Puts the trace context among what goes along with the call.
    pub(super) fn go_along(&self, metadata: &mut MetadataBuf) {
        for (key, value) in [(key::TRACEPARENT, self.traceparent), (key::TRACESTATE, self.tracestate)] {
            if let Some(value) = value {
                // One that is too long for the call is left out, as trace context allows.
                let _ = metadata.push(key, value.as_bytes());
            }
        }
    }

    /// When the answer must be there: by the route, or by the caller where that is sooner.
    pub(super) fn deadline(&self, clocks: Clocks, timeout: Duration) -> Result<Instant, Failure> {
        let mut deadline = clocks.came + timeout;
        let x_request = self.x_request_timeout.map(deadline::x_request_timeout);
        let grpc = self.grpc_timeout.map(deadline::grpc_timeout);
        for time in x_request.into_iter().chain(grpc) {
            // One beyond the end of time is none.
            if let Some(earlier) = clocks.began.checked_add(time.map_err(Failure::invalid)?) {
                deadline = deadline.min(earlier);
            }
        }
        Ok(deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        ] {
            let map: HeaderMap = headers
                .iter()
                .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
                .collect();
            let deadline = Carried::by(&map).deadline(clocks, 10 * second).ok();
            assert_eq!(deadline, expected.map(|seconds| began + seconds * second), "{headers:?}");
        }
    }
}
