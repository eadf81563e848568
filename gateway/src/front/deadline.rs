//! When a reply must be there: by the route's timeout, or by the caller's own, which it says in `X-Request-Timeout` or `Grpc-Timeout`.
//!
//! The caller's lowers the route's and never raises it. One that cannot be read is refused: whoever sends it counts on it.

use crate::config;
use crate::failure::Failure;
use crate::fields::{self, GRPC_TIMEOUT, X_REQUEST_TIMEOUT};
use callgate_http1::Fields;
use std::time::Duration;
use tokio::time::Instant;

/// What a call's time is counted from.
#[derive(Clone, Copy)]
pub(super) struct Clocks {
    /// The request's head was there: the time that its caller gives begins.
    pub(super) began: Instant,
    /// Its body was there: the route's timeout begins.
    pub(super) came: Instant,
    /// Now, or a moment ago.
    pub(super) now: Instant,
}

/// When the reply must be there: by the route, or by the caller where that is sooner.
pub(super) fn deadline(fields: Fields<'_>, clocks: Clocks, timeout: Duration) -> Result<Instant, Failure> {
    let mut deadline = clocks.came + timeout;
    let x_request = fields::single(fields, &X_REQUEST_TIMEOUT)?.map(x_request_timeout);
    let grpc = fields::single(fields, &GRPC_TIMEOUT)?.map(grpc_timeout);
    for time in x_request.into_iter().chain(grpc) {
        // One beyond the end of time is none.
        if let Some(earlier) = clocks.began.checked_add(time.map_err(Failure::InvalidTimeout)?) {
            deadline = deadline.min(earlier);
        }
    }
    Ok(deadline)
}

/// Reads `X-Request-Timeout`: a number and a unit as in the tables (`250ms`, `1.5s`, `1m`), or a bare number of seconds. The error is
/// for the client.
fn x_request_timeout(value: &[u8]) -> Result<Duration, &'static str> {
    fields::text(value)
        .and_then(|text| config::timeout(text.trim()))
        .ok_or("X-Request-Timeout must be a duration such as 250ms or 1.5s, or a number of seconds")
}

/// Reads `Grpc-Timeout` as gRPC writes it: one to eight digits and a unit, `H`, `M`, `S`, `m`, `u` or `n`. The error is for the client.
fn grpc_timeout(value: &[u8]) -> Result<Duration, &'static str> {
    parse_grpc(value).ok_or("Grpc-Timeout must be one to eight digits and one of H, M, S, m, u, n")
}

fn parse_grpc(text: &[u8]) -> Option<Duration> {
    let (unit, digits) = text.split_last()?;
    if !(1..=8).contains(&digits.len()) || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    Some(match unit {
        b'H' => Duration::from_secs(number * 3600),
        b'M' => Duration::from_secs(number * 60),
        b'S' => Duration::from_secs(number),
        b'm' => Duration::from_millis(number),
        b'u' => Duration::from_micros(number),
        b'n' => Duration::from_nanos(number),
        _ => return None,
    })
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
    fn a_grpc_timeout_is_digits_and_a_unit() {
        for (text, expected) in [
            ("1H", Duration::from_secs(3600)),
            ("2M", Duration::from_secs(120)),
            ("10S", Duration::from_secs(10)),
            ("250m", Duration::from_millis(250)),
            ("00000007u", Duration::from_micros(7)),
            ("99999999n", Duration::from_nanos(99_999_999)),
            ("99999999H", Duration::from_secs(99_999_999 * 3600)),
            ("0S", Duration::ZERO),
        ] {
            assert_eq!(grpc_timeout(text.as_bytes()), Ok(expected), "{text}");
        }
        for text in ["", "S", "10", "123456789S", "-1S", "1.5S", "1 S", "1s", "1h", "1ms", " 1S"] {
            assert!(grpc_timeout(text.as_bytes()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_request_timeout_is_a_duration_or_a_number_of_seconds() {
        for (text, ms) in [("250ms", 250), ("2", 2000), ("1.5s", 1500), ("0", 0)] {
            assert_eq!(x_request_timeout(text.as_bytes()), Ok(Duration::from_millis(ms)));
        }
        for text in ["", "soon", "-1", "2 seconds", "1e3"] {
            assert!(x_request_timeout(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(x_request_timeout(b"\xff").is_err());
    }
}
