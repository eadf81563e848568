//! An instance before its upgrade.

use crate::Probed;
use crate::probe::{Counted, Found, Probe};
use callgate_sdk::Status;

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
