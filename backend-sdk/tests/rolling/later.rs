//! The service after the changes.

use callgate_sdk::{Context, Message, Status, service};
use serde::{Deserialize, Serialize};

pub(crate) fn tag() -> String {
    "none given".to_owned()
}

/// Has fields that the earlier one has not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub(crate) struct Grown {
    #[serde(default = "tag")]
    pub(crate) tag: String,
    pub(crate) id: u64,
    pub(crate) memo: Option<String>,
    #[serde(default)]
    pub(crate) marks: Vec<u8>,
}

/// Has lost fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub(crate) struct Shrunk {
    pub(crate) id: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub(crate) struct Reordered {
    pub(crate) on: bool,
    pub(crate) id: u64,
    pub(crate) name: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub(crate) struct Swapped {
    pub(crate) to: String,
    pub(crate) from: String,
}

/// Has one variant more, and others in another order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub(crate) enum Payment {
    Voucher(u32),
    Card(String),
    Transfer { days: u8, iban: String },
    Cash,
}

/// Keeps the books.
#[service]
pub(crate) trait Ledger {
    /// Says what it is asked, as it did before.
    async fn documented(&self, id: u64) -> Result<u64, Status>;
    async fn argument(&self, note: Option<String>, id: u64) -> Result<String, Status>;
    async fn grown(&self, others: Vec<Grown>, grown: Grown) -> Result<Vec<Grown>, Status>;
    async fn shrunk(&self, shrunk: Shrunk) -> Result<Shrunk, Status>;
    async fn reordered(&self, by: u32, reordered: Reordered) -> Result<Reordered, Status>;
    async fn swapped(&self, swapped: Swapped) -> Result<Swapped, Status>;
    async fn paid(&self, payments: Vec<Payment>) -> Result<Vec<Payment>, Status>;
    async fn version(&self, cx: &Context) -> Result<String, Status>;
}

pub(crate) struct Book;

impl Ledger for Book {
    async fn documented(&self, id: u64) -> Result<u64, Status> {
        Ok(id)
    }

    async fn argument(&self, note: Option<String>, id: u64) -> Result<String, Status> {
        Ok(note.map_or(id.to_string(), |note| format!("{id} {note}")))
    }

    async fn grown(&self, mut others: Vec<Grown>, grown: Grown) -> Result<Vec<Grown>, Status> {
        others.insert(0, grown);
        Ok(others)
    }

    async fn shrunk(&self, shrunk: Shrunk) -> Result<Shrunk, Status> {
        Ok(shrunk)
    }

    async fn reordered(&self, by: u32, mut reordered: Reordered) -> Result<Reordered, Status> {
        reordered.id += u64::from(by);
        Ok(reordered)
    }

    async fn swapped(&self, swapped: Swapped) -> Result<Swapped, Status> {
        Ok(Swapped { from: format!("from {}", swapped.from), to: format!("to {}", swapped.to) })
    }

    async fn paid(&self, payments: Vec<Payment>) -> Result<Vec<Payment>, Status> {
        Ok(payments)
    }

    async fn version(&self, _cx: &Context) -> Result<String, Status> {
        Ok("later".to_owned())
    }
}
