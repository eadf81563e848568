//! Fields that are no messages, and keys that are no keys: the complaint says which types there are.
use callgate_sdk::{Context, Message, Status, service};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Serialize, Deserialize)]
struct NoMessage {
    a: u8,
}

#[derive(Serialize, Deserialize, Message)]
struct Field {
    no_message: NoMessage,
    deep: Vec<Option<NoMessage>>,
    long: [u8; 32],
}

#[derive(Serialize, Deserialize, Message)]
enum Variant {
    A(NoMessage),
}

#[derive(Serialize, Deserialize, Message, PartialEq, Eq, PartialOrd, Ord)]
struct Newtype((u8, u8));

#[derive(Serialize, Deserialize, Message)]
struct Keys {
    lists: BTreeMap<Vec<u8>, u8>,
    newtypes: BTreeMap<Newtype, u8>,
}

#[service]
trait Service {
    async fn takes(&self, cx: &Context, no_message: NoMessage) -> Result<(), Status>;
    async fn gives(&self) -> Result<NoMessage, Status>;
}

fn main() {}
