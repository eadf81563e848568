//! The implementation: a counter at which orders are taken.

use crate::checkout::{Checkout, CheckoutError, Item, Receipt};
use crate::users::User;
use callgate_sdk::{Context, Status};
use chrono::{Datelike, Days, NaiveDate, Weekday};
use rust_decimal::Decimal;
use shop::orders::{self, Orders};
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What one of an article costs.
const PRICES: [(&str, f64); 4] = [("tea", 4.5), ("cup", 12.0), ("lamp", 39.9), ("apple", 0.25)];

/// Takes orders. `O` prices them: the service `orders` of another process, or in a test whatever implements its trait.
#[derive(Debug)]
pub struct Counter<O> {
    orders: O,
    prices: HashMap<&'static str, f64>,
    /// The receipts of all orders that were taken. Number 1 is the first one.
    receipts: Mutex<Vec<Receipt>>,
}

impl<O: Orders> Counter<O> {
    /// A counter at which no order was taken yet.
    pub fn new(orders: O) -> Counter<O> {
        Counter { orders, prices: HashMap::from(PRICES), receipts: Mutex::default() }
    }

    fn priced(&self, item: Item) -> Result<orders::Item, CheckoutError> {
        match self.prices.get(item.sku.as_str()) {
            Some(unit_price) => Ok(orders::Item { sku: item.sku, qty: item.qty, unit_price: *unit_price }),
            None => Err(CheckoutError::NoSuchArticle { sku: item.sku }),
        }
    }

    fn receipts(&self) -> std::sync::MutexGuard<'_, Vec<Receipt>> {
        // Receipts are only added, so that those are whole which a panic has left.
        self.receipts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<O: Orders> Checkout for Counter<O> {
    async fn place(
        &self,
        cx: &Context,
        items: Vec<Item>,
        deliver_on: NaiveDate,
        note: String,
    ) -> Result<Receipt, CheckoutError> {
        let user = cx.extension::<User>()?;
        if deliver_on.weekday() == Weekday::Sun {
            return Err(CheckoutError::NoDelivery { next: deliver_on + Days::new(1) });
        }
        let items = items.into_iter().map(|item| self.priced(item)).collect::<Result<Vec<_>, _>>()?;
        // With the context the deadline and the trace go along.
        let quote = self.orders.quote(cx, String::new(), user.name.clone(), false, items, None).await?;
        let total =
            Decimal::from_f64_retain(quote.total).ok_or_else(|| Status::internal("a price that is none"))?;
        let total = total.round_dp(2);
        if total > user.limit {
            return Err(CheckoutError::TooExpensive { total, limit: user.limit });
        }
        let mut receipts = self.receipts();
        let number = receipts.len() as u64 + 1;
        let receipt = Receipt { number, customer: user.name.clone(), total, deliver_on, note };
        receipts.push(receipt.clone());
        Ok(receipt)
    }

    async fn receipt(&self, cx: &Context, number: u64) -> Result<Receipt, Status> {
        let user = cx.extension::<User>()?;
        let receipts = self.receipts();
        let own = receipts.iter().find(|receipt| receipt.number == number && receipt.customer == user.name);
        own.cloned().ok_or_else(|| Status::not_found(format!("you have no order {number}")))
    }
}
