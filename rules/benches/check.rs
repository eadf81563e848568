//! What a request pays for its rules: `cargo bench -p callgate-rules`.

#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../tests/common/mod.rs"]
mod common;

use common::{encode, identity, layout, program, usual};
use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::json;
use std::hint::black_box;

fn rules(criterion: &mut Criterion) {
    let layout = layout();
    let message = encode(&layout, &usual());
    let claims = json!({"sub": "ada", "iss": "https://id.example", "aud": "shop", "exp": 1, "tenant": "acme", "scopes": ["a", "big"]});
    let identity = identity(&claims);
    for (name, rules) in [
        ("two comparisons", &["claims.tenant == args.tenant", "args.amount <= 1000"][..]),
        (
            "two comparisons, of which one has two sides",
            &["claims.tenant == args.tenant", "args.amount <= 999 || 'big' in claims.scopes"],
        ),
        ("the last of thirty-one fields", &["args.last == 9"]),
        ("a decimal number", &["args.price <= 100"]),
    ] {
        let program = program(&layout, rules).unwrap();
        assert_eq!(program.check(&message, Some(&identity)), Ok(()));
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| program.check(black_box(&message), Some(black_box(&identity))));
        });
    }
}

criterion_group!(benches, rules);
criterion_main!(benches);
