//! Tags and flattened fields that cannot be.
use callgate_sdk::Message;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize, Message)]
#[message(tag = "type")]
struct NoEnum {
    a: u8,
}

#[derive(Serialize, Deserialize, Message)]
#[message(content = "data")]
enum NoTag {
    A,
}

#[derive(Serialize, Deserialize, Message)]
#[message(tag = "type", content = "type")]
enum OneName {
    A(u8),
}

#[derive(Serialize, Deserialize, Message)]
#[message(tag = "type")]
enum Tuple {
    A(u8, u8),
    B { a: u8 },
}

#[derive(Serialize, Deserialize, Message)]
struct Flat {
    #[message(flatten = true)]
    a: Inner,
}

#[derive(Serialize, Deserialize, Message)]
struct FlatAndMore {
    #[message(flatten, secret)]
    a: Named,
    #[message(items(max = 3), flatten)]
    rest: BTreeMap<String, u8>,
}

#[derive(Serialize, Deserialize, Message)]
struct Named {
    b: u8,
}

#[derive(Serialize, Deserialize, Message)]
struct Inner(#[message(flatten)] u8);

fn main() {}
