//! The service before the changes.

use callgate_sdk::{Context, Message, Status, service};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub(crate) struct Grown {
    pub(crate) id: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub(crate) struct Shrunk {
    #[serde(default)]
    pub(crate) legacy: String,
    pub(crate) id: u64,
    pub(crate) hint: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub(crate) struct Reordered {
    pub(crate) id: u64,
    pub(crate) name: String,
    pub(crate) on: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub(crate) struct Swapped {
    pub(crate) from: String,
    pub(crate) to: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub(crate) enum Payment {
    Cash,
    Card(String),
    Transfer { iban: String, days: u8 },
}

#[service]
pub(crate) trait Ledger {
    /// Says what it is asked.
    async fn documented(&self, id: u64) -> Result<u64, Status>;
    async fn argument(&self, id: u64) -> Result<String, Status>;
    async fn grown(&self, grown: Grown, others: Vec<Grown>) -> Result<Vec<Grown>, Status>;
    async fn shrunk(&self, shrunk: Shrunk) -> Result<Shrunk, Status>;
    async fn reordered(&self, reordered: Reordered, by: u32) -> Result<Reordered, Status>;
    async fn swapped(&self, swapped: Swapped) -> Result<Swapped, Status>;
    async fn paid(&self, payments: Vec<Payment>) -> Result<Vec<Payment>, Status>;
    async fn version(&self, cx: &Context) -> Result<String, Status>;
}

pub(crate) struct Book;

impl Ledger for Book {
    async fn documented(&self, id: u64) -> Result<u64, Status> {
        Ok(id)
    }

    async fn argument(&self, id: u64) -> Result<String, Status> {
        Ok(id.to_string())
    }

    async fn grown(&self, grown: Grown, mut others: Vec<Grown>) -> Result<Vec<Grown>, Status> {
        others.insert(0, grown);
        Ok(others)
    }

    async fn shrunk(&self, shrunk: Shrunk) -> Result<Shrunk, Status> {
        Ok(shrunk)
    }

    async fn reordered(&self, mut reordered: Reordered, by: u32) -> Result<Reordered, Status> {
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
        Ok("earlier".to_owned())
    }
}
