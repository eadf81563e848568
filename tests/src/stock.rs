//! A service whose methods fail with errors of its own, written as a user writes it.

use callgate_sdk::{Message, Status, service};
use serde::{Deserialize, Serialize};

/// Why something is not reserved.
#[derive(Clone, Debug, PartialEq, callgate_sdk::Error)]
#[serde(rename_all = "snake_case")]
pub enum StockError {
    /// Fewer are there than are wanted.
    #[error("only {left} of {sku} are left", code = "aborted")]
    SoldOut {
        /// What is wanted.
        sku: String,
        /// How many are there.
        left: u32,
        /// Where others are, nearest first.
        elsewhere: Vec<Place>,
    },
    /// There is no such thing at all.
    #[error("there is no {0}", code = "not_found")]
    Unknown(String),
    /// It cannot be known now.
    #[error("the books are being closed", code = "unavailable")]
    Closing,
    /// What only the log is told.
    #[error("shelf {shelf} is on fire", code = "internal")]
    OnFire {
        /// Which one.
        shelf: u64,
    },
    /// Whatever else fails.
    #[error(status)]
    Other(Status),
}

/// A place where things are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// How far away, in km.
    pub distance: f64,
}

/// The service.
#[service]
pub trait Stock {
    /// Reserves some of a thing; one, if it is not said how many. Gives what is left then.
    async fn reserve(
        &self,
        #[message(length(min = 1))] sku: String,
        #[default(1)]
        #[message(min = 1, max = 100)]
        count: u32,
    ) -> Result<u32, StockError>;

    /// How much there is of some things; of all, if none is named.
    #[idempotent]
    async fn count(
        &self,
        #[default] skus: Vec<String>,
        #[message(rename = "atLeast")]
        #[default]
        at_least: u32,
    ) -> Result<Vec<String>, Status>;
}
