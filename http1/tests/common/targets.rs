//! What the fuzz targets of requests do with an input; the crate `fuzz` has them and their corpus.

use super::drive::{bytewise, drive, whole};
use super::peer;
use super::random::Random;

/// Requests, as they come from a socket: no panic, and all that `drive` asserts.
pub(crate) fn requests(input: &[u8]) {
    whole(input);
}

/// Cut anywhere, requests are the same. Where they are cut comes from what they are.
pub(crate) fn cuts(bytes: &[u8]) {
    let seed =
        bytes.iter().fold(0, |seed: u64, byte| (seed ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
    let expected = whole(bytes);
    let mut random = Random::new(seed);
    for _ in 0..3 {
        let (got, _) = drive(random.cut(bytes));
        assert_eq!(got, expected);
    }
    assert_eq!(bytewise(bytes).0, expected);
}

/// What we accept, hyper accepts with the same boundaries.
pub(crate) fn hyper(input: &[u8]) {
    if let Some(difference) = peer::difference(input) {
        panic!("{difference}");
    }
}
