//! `Message` stands beside serde's derives, not instead of them.
use callgate_sdk::Message;

#[derive(Message)]
struct Alone {
    a: u8,
}

fn main() {}
