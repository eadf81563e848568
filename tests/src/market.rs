//! A market's contract as somebody would write it with the macros: constraints, decimals, dates and times of common crates, fields
//! that tell absent from null, an enum with a tag, a flattened field. `bin/market.rs` serves it, and tests call it by HTTP and by its client.

use callgate_sdk::{Message, Presence, Status, service};
use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::num::NonZero;

/// What is ordered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Order {
    /// What it is called.
    #[message(length(min = 1, max = 20), pattern = "^[a-z-]+$", example = "tea")]
    pub sku: String,
    /// How many.
    #[message(min = 1, max = 100)]
    pub qty: u32,
    /// Of one.
    #[message(min = "0.01", unit = "EUR")]
    pub price: Decimal,
    /// The day on which it leaves.
    #[message(min = "2026-01-01")]
    pub ships_on: NaiveDate,
    /// In how many parcels it leaves.
    pub parcels: NonZero<u8>,
    /// What it is about.
    #[serde(default)]
    #[message(items(max = 3))]
    pub tags: Vec<String>,
    /// For whoever packs it.
    #[message(length(max = 10))]
    pub note: Option<String>,
    /// When it was ordered, if not now.
    #[serde(with = "callgate_sdk::wire")]
    #[message(min = "2026-01-01T00:00:00Z")]
    pub at: Option<DateTime<Utc>>,
}

/// What becomes of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Receipt {
    /// What it costs.
    pub total: Decimal,
    /// When what happens. In JSON these are members of the receipt.
    #[message(flatten)]
    pub dates: Dates,
    /// How it is paid.
    pub payment: Payment,
}

/// The days of an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Dates {
    /// The day on which it leaves.
    pub ships_on: NaiveDate,
    /// When it was ordered.
    #[serde(with = "callgate_sdk::wire")]
    pub at: Option<DateTime<Utc>>,
}

/// How something is paid. In JSON: `{"type": "card", "last": "1234"}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
#[serde(rename_all = "snake_case")]
#[message(tag = "type")]
pub enum Payment {
    /// In coins.
    Cash,
    /// By card.
    Card {
        /// Its last digits.
        #[message(length(equal = 4))]
        last: String,
    },
}

/// What is to be changed of a good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Change {
    /// Its name, which it may lack.
    #[message(length(min = 1))]
    pub name: Presence<String>,
    /// Its price.
    #[message(min = "0")]
    pub price: Presence<Decimal>,
}

/// A market.
#[service]
pub trait Market {
    /// Orders something.
    async fn order(&self, order: Order, payment: Payment) -> Result<Receipt, Status>;

    /// Changes a good; the change comes back.
    #[idempotent]
    async fn change(&self, id: u32, change: Change) -> Result<Change, Status>;
}
