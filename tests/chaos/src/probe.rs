//! The service as it is before its upgrade: what callers by the SDK were built with, and what half of the instances offer.

use callgate_sdk::{Message, Status, service};
use serde::{Deserialize, Serialize};

/// What `lookup` finds.
#[derive(Serialize, Deserialize, Message)]
pub(crate) struct Found {
    pub(crate) key: String,
    pub(crate) product: u64,
}

/// Which call `count` has counted.
#[derive(Serialize, Deserialize, Message)]
pub(crate) struct Counted {
    pub(crate) id: u64,
}

/// The service.
#[service]
pub(crate) trait Probe {
    #[idempotent]
    async fn lookup(&self, key: String, factor: u32) -> Result<Found, Status>;

    async fn count(&self, id: u64) -> Result<Counted, Status>;
}
