//! The caller's own deadline: how long it waits for the reply, as it says in `X-Request-Timeout` or `Grpc-Timeout`.
//!
//! It lowers the route's timeout and never raises it. One that cannot be read is refused: whoever sends it counts on it.

use crate::config;
use crate::fields;
use std::time::Duration;

/// Reads `X-Request-Timeout`: a number and a unit as in the tables (`250ms`, `1.5s`, `1m`), or a bare number of seconds. The error is
/// for the client.
pub(super) fn x_request_timeout(value: &[u8]) -> Result<Duration, &'static str> {
    fields::text(value)
        .and_then(|text| config::timeout(text.trim()))
        .ok_or("X-Request-Timeout must be a duration such as 250ms or 1.5s, or a number of seconds")
}

/// Reads `Grpc-Timeout` as gRPC writes it: one to eight digits and a unit, `H`, `M`, `S`, `m`, `u` or `n`. The error is for the client.
pub(super) fn grpc_timeout(value: &[u8]) -> Result<Duration, &'static str> {
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
