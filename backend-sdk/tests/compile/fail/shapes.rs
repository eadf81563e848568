//! Types that cannot be messages by their shape.
use callgate_sdk::Message;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
struct Borrows<'a> {
    #[serde(borrow)]
    name: &'a str,
}

#[derive(Message)]
union Either {
    a: u32,
    b: f32,
}

#[derive(Serialize, Deserialize, Message)]
struct Twice {
    a: u8,
    #[serde(rename = "a")]
    b: u8,
    #[serde(alias = "d")]
    c: u8,
    d: u8,
}

#[derive(Serialize, Deserialize, Message)]
enum VariantTwice {
    A,
    #[serde(rename = "A")]
    B,
}

#[derive(Serialize, Deserialize, Message)]
struct Unnamed(u8, #[serde(default)] u8);

#[derive(Serialize, Deserialize, Message)]
struct Skipped(u8, #[serde(skip)] u8);

fn main() {}
