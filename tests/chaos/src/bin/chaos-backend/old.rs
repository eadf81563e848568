//! The service as it is before its upgrade.

use crate::Probed;
use callgate_sdk::{Message, Status, service};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
pub(crate) struct Found {
    key: String,
    product: u64,
}

#[derive(Serialize, Deserialize, Message)]
pub(crate) struct Counted {
    id: u64,
}

#[service]
pub(crate) trait Probe {
    #[idempotent]
    async fn lookup(&self, key: String, factor: u32) -> Result<Found, Status>;

    async fn count(&self, id: u64) -> Result<Counted, Status>;
}

pub(crate) struct Old(pub(crate) Probed);

impl Probe for Old {
    async fn lookup(&self, key: String, factor: u32) -> Result<Found, Status> {
        Ok(Found { key, product: self.0.lookup(factor).await? })
    }

    async fn count(&self, id: u64) -> Result<Counted, Status> {
        self.0.count(id).await?;
        Ok(Counted { id })
    }
}
