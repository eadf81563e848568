//! What it costs to verify a token, and to refuse one.

use crate::signers::{split, with_signature};
use crate::{NOW, asked, claims, header, keys, token};
use callgate_auth::jwt::{self, Algorithm, Asked, Expected, Revoked};
use std::hint::black_box;
use std::time::Instant;

/// Shows figures. Run it alone, in release: `cargo test --release -p callgate-auth --test tokens -- --ignored --nocapture`.
#[test]
#[ignore = "shows figures, and judges no time"]
fn what_a_verification_costs() {
    let keys = keys();
    let expected = Expected::new(Asked { algorithms: Algorithm::ALL.into(), ..asked() }).unwrap();
    let cost = |token: &str| {
        let verify = || {
            drop(black_box(jwt::verify(
                &keys,
                &expected,
                &Revoked::default(),
                black_box(token.as_bytes()),
                NOW,
            )));
        };
        let round = || {
            let start = Instant::now();
            (0..50).for_each(|_| verify());
            start.elapsed().as_nanos() / 50
        };
        (0..40).map(|_| round()).min().unwrap()
    };
    for name in Algorithm::ALL.map(Algorithm::name) {
        let token = token(&header(name), &claims());
        println!("{name}, {} bytes: {} ns", token.len(), cost(&token));
    }
    let token = token(&header("RS256"), &claims());
    let (signed, signature) = split(&token);
    println!("a wrong signature of RS256: {} ns", cost(&with_signature(signed, &vec![1; signature.len()])));
    println!(
        "an unknown key: {} ns",
        cost(&crate::token(&crate::with(header("RS256"), "kid", "z"), &claims()))
    );
    println!("no token: {} ns", cost("nothing like a token"));
}
