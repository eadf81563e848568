//! Constraints that do not suit their types, or nothing at all.
use callgate_sdk::{Message, Presence};
use serde::{Deserialize, Serialize};
use std::time::SystemTime;

#[derive(Serialize, Deserialize, Message)]
struct Types {
    #[message(min = 1)]
    text: String,
    #[message(length(min = 1))]
    number: u32,
    #[message(items(max = 3))]
    name: Option<String>,
    #[message(pattern = "^a$")]
    list: Presence<Vec<String>>,
    #[message(max = "10")]
    seconds: std::time::Duration,
    #[message(min = 1)]
    float: f64,
    #[message(example = "none")]
    maybe: Option<String>,
}

#[derive(Serialize, Deserialize, Message)]
struct Words {
    #[message(minimum = 1)]
    unknown: u32,
    #[message(min = 1, min = 2)]
    twice: u32,
    #[message(min = 5, max = -5)]
    nothing: i32,
    #[message(length(min = 5, max = 4))]
    no_length: String,
    #[message(length = 5)]
    length: String,
    #[message(length(equal = 5, min = 1))]
    both: String,
    #[message(secret = true)]
    secret: String,
    #[serde(skip)]
    #[message(min = 1)]
    skipped: u32,
}

#[derive(Serialize, Deserialize, Message)]
#[message(min = 1)]
struct Container {
    a: u8,
}

#[derive(Serialize, Deserialize, Message)]
struct Unnamed(#[message(min = 1)] u8);

#[derive(Serialize, Deserialize, Message)]
enum Variants {
    #[message(min = 1)]
    A(u8),
}

#[derive(Serialize, Deserialize, Message)]
struct NotAsItself {
    at: SystemTime,
}

#[derive(Serialize, Deserialize, Message)]
struct NoWire {
    #[serde(with = "callgate_sdk::wire")]
    at: std::time::Instant,
}

fn main() {}
