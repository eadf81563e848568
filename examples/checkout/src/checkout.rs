//! The service, as its callers see it.

use callgate_sdk::{Context, Message, Status, service};
use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Takes orders.
#[service(version = "1.0")]
pub trait Checkout {
    /// Takes an order.
    async fn place(
        &self,
        cx: &Context,
        /// What is ordered.
        #[message(items(min = 1, max = 20))]
        items: Vec<Item>,
        /// The day on which it shall arrive.
        deliver_on: NaiveDate,
        /// What is to be said beside; may be left out.
        #[default]
        #[message(length(max = 200))]
        note: String,
    ) -> Result<Receipt, CheckoutError>;

    /// The receipt of an order that the user has placed; `not_found` if there is none.
    #[idempotent]
    async fn receipt(&self, cx: &Context, number: u64) -> Result<Receipt, Status>;
}

/// What is ordered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Item {
    /// The article's number.
    #[message(pattern = "^[a-z]+$", length(min = 1, max = 20), example = "tea")]
    pub sku: String,
    /// How many.
    #[message(min = 1, max = 100)]
    pub qty: u32,
}

/// An order that was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Receipt {
    /// The order's number.
    pub number: u64,
    /// Who has placed it.
    pub customer: String,
    /// What it costs.
    #[message(unit = "EUR")]
    pub total: Decimal,
    /// The day on which it arrives.
    pub deliver_on: NaiveDate,
    /// What was said beside.
    pub note: String,
}

/// Why an order is not taken.
#[derive(Debug, callgate_sdk::Error)]
pub enum CheckoutError {
    /// The shop has no such article.
    #[error("there is no article {sku}", code = "not_found")]
    NoSuchArticle {
        /// Its number, as it was ordered.
        sku: String,
    },
    /// Nobody delivers on that day.
    #[error("nothing is delivered on a Sunday; the next day is {next}", code = "failed_precondition")]
    NoDelivery {
        /// The first day after it on which somebody does.
        next: NaiveDate,
    },
    /// The order costs more than the user may spend at once.
    #[error("the order costs {total}; you may spend {limit}", code = "failed_precondition")]
    TooExpensive {
        /// What it costs.
        total: Decimal,
        /// What the user may spend.
        limit: Decimal,
    },
    /// Anything else, as that the service `orders` cannot be reached.
    #[error(status)]
    Other(Status),
}
