//! The path that a request asks for: one reading of it, for all who look for a route, and for what the route's method hears.

use crate::failure::Failure;
use crate::paths::{has_dot_segment, normal};
use callgate_http1::Request;

/// The path of a request as routes are compared with it, in `room` if it was sent in another spelling.
///
/// # Errors
/// It has a segment `.` or `..`: clients resolve them before they send (RFC 3986, 5.2.4), and whoever does not would have them resolved by
/// somebody behind the gateway, to a path that no route was asked about.
#[inline]
pub(super) fn asked_path<'p>(head: &'p Request, room: &'p mut String) -> Result<&'p str, Failure> {
    let path = normal(head.path(), room);
    if has_dot_segment(path) { Err(Failure::DotSegment) } else { Ok(path) }
}
