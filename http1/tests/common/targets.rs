//! What the fuzz targets do with an input. `tests/corpus.rs` does the same with each file of the corpora.

use super::drive::{bytewise, drive, whole};
use super::random::Random;
use super::{peer, replies};

/// A fuzz target: what is done with an input. It panics where something is wrong.
pub(crate) type Target = fn(&[u8]);

/// All targets: name, folder of the corpus, and what is done.
pub(crate) const TARGETS: [(&str, &str, Target); 4] = [
    ("requests", "requests", requests),
    ("cuts", "requests", cuts),
    ("hyper", "requests", hyper),
    ("replies", "replies", replies::replies),
];

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
