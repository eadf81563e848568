//! The service after its upgrade: other Call IDs, other orders of methods, arguments and fields, and optional fields that
//! the old one has not. A call that goes from one to the other has to be encoded anew.

use crate::Probed;
use callgate_sdk::{Message, Status, service};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
pub(crate) struct Counted {
    by: Option<String>,
    id: u64,
}

#[derive(Serialize, Deserialize, Message)]
pub(crate) struct Found {
    next: bool,
    product: u64,
    remark: Option<String>,
    key: String,
}

#[service(version = "2.0")]
pub(crate) trait Probe {
    #[call(id = 0x0002_0001)]
    async fn count(&self, by: Option<String>, id: u64) -> Result<Counted, Status>;

    #[idempotent]
    #[call(id = 0x0002_0002)]
    async fn lookup(&self, remark: Option<String>, factor: u32, key: String) -> Result<Found, Status>;
}

pub(crate) struct Next(pub(crate) Probed);

impl Probe for Next {
    async fn count(&self, by: Option<String>, id: u64) -> Result<Counted, Status> {
        self.0.count(id).await?;
        Ok(Counted { by, id })
    }

    async fn lookup(&self, remark: Option<String>, factor: u32, key: String) -> Result<Found, Status> {
        Ok(Found { next: true, product: self.0.lookup(factor).await?, remark, key })
    }
}
