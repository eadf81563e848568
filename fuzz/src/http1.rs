//! HTTP/1.1, as strangers send it. What is asserted stands with the tests of the crate, which use it too.

#[path = "../../http1/tests/common/mod.rs"]
mod common;

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
