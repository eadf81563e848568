//! The code on docs/sdk.md is code that compiles: each of its Rust blocks is a part of an example.

/// Without white space, which pages and rustfmt set differently.
fn dense(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn the_pages_code_is_a_part_of_the_example() {
    let page = include_str!("../../docs/sdk.md");
    let examples = [
        include_str!("../examples/orders.rs"),
        include_str!("../examples/messages.rs"),
        include_str!("../examples/around.rs"),
        include_str!("../examples/sealed.rs"),
        include_str!("../examples/streams.rs"),
        include_str!("../examples/traced.rs"),
    ]
    .map(dense);
    let blocks: Vec<&str> =
        page.split("```rust\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(!blocks.is_empty(), "the page has no Rust");
    for block in blocks {
        // A block may leave something out where it has an empty line.
        for part in block.split("\n\n") {
            let part = dense(part);
            assert!(examples.iter().any(|example| example.contains(&part)), "in no example:\n{part}");
        }
    }
}
