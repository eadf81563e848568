//! Bodies that are compressed, as strangers send them.

use callgate::coding::{Coding, Encoder};
use callgate::failure::Failure;
use callgate::front::decoded;

/// What a body may come to here, in bytes: more than an input has, and less than some come to.
const MOST: usize = 64 * 1024;

/// A byte that chooses the coding, and a body in it: it comes to something within its bound, or to nothing; and what the gateway itself
/// compresses, it reads as it was.
pub fn codings(input: &[u8]) {
    let Some((choice, body)) = input.split_first() else { return };
    let coding = Coding::ALL[usize::from(*choice) % Coding::ALL.len()];
    match decoded(coding, body, MOST) {
        Ok(bytes) => {
            assert!(bytes.len() <= MOST, "more than its bound");
            // A byte less than it comes to is too little.
            if let Some(less) = bytes.len().checked_sub(1) {
                assert!(matches!(decoded(coding, body, less), Err(Failure::BodyTooLarge(_))));
            }
            assert_eq!(decoded(coding, &encoded(coding, &bytes), MOST).ok(), Some(bytes));
        }
        Err(Failure::BodyTooLarge(_) | Failure::MalformedEncoding(_)) => {}
        Err(other) => panic!("another reason: {other:?}"),
    }
    assert_eq!(decoded(coding, &encoded(coding, body), MOST).ok().as_deref(), Some(body));
}

fn encoded(coding: Coding, body: &[u8]) -> Vec<u8> {
    let mut encoder = Encoder::new(coding, body.len() as u64).expect("there is memory");
    encoder.put(body).expect("there is memory");
    encoder.finish().expect("there is memory")
}
