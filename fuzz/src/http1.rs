//! HTTP/1.1, as strangers send it. What is asserted stands with the tests of the crate, which use it too.

#[path = "../../http1/tests/common/mod.rs"]
mod common;

use callgate_http1::Ranged;

/// Requests as they come from a socket: an accepted one breaks no rule of its form, lengths agree, a refusal is final.
pub fn requests(input: &[u8]) {
    common::targets::requests(input);
}

/// Cut anywhere, requests are the same.
pub fn cuts(input: &[u8]) {
    common::targets::cuts(input);
}

/// What we accept, hyper accepts with the same boundaries.
pub fn hyper(input: &[u8]) {
    common::targets::hyper(input);
}

/// What we write of a status, fields and a body, another parser reads.
pub fn replies(input: &[u8]) {
    common::replies::replies(input);
}

/// Frames of WebSocket, as clients send them.
pub fn websocket(input: &[u8]) {
    common::websocket::websocket(input);
}

/// A body's length, in a line of its own, and the value of `Range`: what is read is what the grammar of RFC 9110, 14.1.2, says by another
/// reading of it.
pub fn ranges(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let Some(length) = std::str::from_utf8(&input[..end]).ok().and_then(|text| text.parse().ok()) else {
        return;
    };
    let value = input.get(end + 1..).unwrap_or_default();
    assert_eq!(callgate_http1::range(value, length), expected(value, length));
}

/// The same in the words of the grammar: `ranges-specifier = range-unit "=" range-set`, of which one `range-spec` is taken.
fn expected(value: &[u8], length: u64) -> Ranged {
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    // What is larger than any length counts as the largest.
    let number = |text: &str| text.parse().unwrap_or(u128::MAX).min(u128::from(u64::MAX));
    let Some((unit, set)) = std::str::from_utf8(value).ok().and_then(|text| text.split_once('=')) else {
        return Ranged::Whole;
    };
    let spec = set.trim_matches(|c: char| c.is_ascii_whitespace());
    let (Some((first, last)), true) = (spec.split_once('-'), unit.eq_ignore_ascii_case("bytes")) else {
        return Ranged::Whole;
    };
    let whole = u128::from(length);
    let (first, last) = match (digits(first), digits(last)) {
        (true, true) => (number(first), number(last)),
        (true, false) if last.is_empty() => (number(first), u128::MAX),
        (false, true) if first.is_empty() => match number(last) {
            0 => return Ranged::Unsatisfiable,
            _ if length == 0 => return Ranged::Whole,
            suffix => (whole.saturating_sub(suffix), whole - 1),
        },
        _ => return Ranged::Whole,
    };
    match (first, last.min(whole.saturating_sub(1))) {
        (first, _) if last < first => Ranged::Whole,
        (first, _) if first >= whole => Ranged::Unsatisfiable,
        (first, last) => Ranged::Part { first: first as u64, last: last as u64 },
    }
}
