//! Orders: messages with structure, errors that say what is missing, and a service with something to keep.

use callgate_sdk::{Context, Message, Status, Timestamp, service};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// Prices orders and finds them again.
#[service(version = "1.0")]
pub trait Orders {
    /// Prices an order. It is not kept.
    #[idempotent]
    async fn quote(
        &self,
        cx: &Context,
        /// The number that the order shall have.
        order_id: String,
        /// Who orders.
        customer: String,
        /// Whether it is in a hurry.
        express: bool,
        /// What is ordered.
        items: Vec<Item>,
        /// Anything else; may be left out.
        note: Option<String>,
    ) -> Result<Quote, Status>;

    /// An order; `not_found` if there is none of that number.
    #[idempotent]
    async fn get(&self, cx: &Context, order_id: String) -> Result<Order, Status>;
}

/// What is ordered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Item {
    /// The article's number.
    pub sku: String,
    /// How many.
    pub qty: u32,
    /// What one costs.
    pub unit_price: f64,
}

/// What an order costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Quote {
    /// The order's number.
    pub order_id: String,
    /// The sum of all lines.
    pub total: f64,
    /// One for each item.
    pub lines: Vec<Line>,
    /// Whether it is in a hurry.
    pub express: bool,
}

/// What an item costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Line {
    /// The article's number.
    pub sku: String,
    /// How many.
    pub qty: u32,
    /// What they cost together.
    pub amount: f64,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Message)]
pub struct Order {
    /// Its number.
    pub order_id: String,
    /// Who ordered.
    pub customer: String,
    /// How far it is.
    pub state: State,
    /// When it was placed.
    pub placed: Timestamp,
    /// What was ordered.
    pub items: Vec<Item>,
}

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Message)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It was placed.
    Placed,
    /// It is on its way.
    Shipped,
    /// It has arrived.
    Delivered,
}

/// The implementation: orders in memory.
#[derive(Debug, Default)]
pub struct OrderBook {
    orders: HashMap<String, Order>,
}

impl OrderBook {
    /// A book with the orders 1001, 1002 and 1003.
    pub fn with_demo_orders() -> OrderBook {
        let item = |sku: &str, qty, unit_price| Item { sku: sku.to_owned(), qty, unit_price };
        let mut book = OrderBook::default();
        book.insert("1001", "ada", State::Delivered, vec![item("tea", 2, 4.5), item("cup", 1, 12.0)]);
        book.insert("1002", "grace", State::Shipped, vec![item("lamp", 1, 39.9)]);
        book.insert("1003", "alan", State::Placed, vec![item("apple", 12, 0.25)]);
        book
    }

    fn insert(&mut self, order_id: &str, customer: &str, state: State, items: Vec<Item>) {
        let order = Order {
            order_id: order_id.to_owned(),
            customer: customer.to_owned(),
            state,
            // 2026-11-02T09:30:00Z.
            placed: Timestamp::new(1_793_611_800, 0).unwrap_or_default(),
            items,
        };
        self.orders.insert(order_id.to_owned(), order);
    }
}

impl Orders for OrderBook {
    async fn quote(
        &self,
        _cx: &Context,
        order_id: String,
        _customer: String,
        express: bool,
        items: Vec<Item>,
        _note: Option<String>,
    ) -> Result<Quote, Status> {
        let lines: Vec<Line> = items.into_iter().map(price).collect();
        Ok(Quote { order_id, total: lines.iter().map(|line| line.amount).sum(), lines, express })
    }

    async fn get(&self, _cx: &Context, order_id: String) -> Result<Order, Status> {
        let order = self.orders.get(&order_id).cloned();
        order.ok_or_else(|| Status::not_found(format!("there is no order {order_id}")))
    }
}

fn price(item: Item) -> Line {
    Line { amount: f64::from(item.qty) * item.unit_price, sku: item.sku, qty: item.qty }
}

#[cfg(test)]
mod tests {
    use super::*;
    use callgate_sdk::Code;

    #[tokio::test]
    async fn a_quote_is_the_sum_of_its_lines() {
        let book = OrderBook::with_demo_orders();
        let cx = Context::background();
        let order = book.get(&cx, "1001".into()).await.expect("a demo order");
        assert_eq!(order.placed.to_string(), "2026-11-02T09:30:00Z");
        let quote = book.quote(&cx, "7".into(), "ada".into(), true, order.items, None).await;
        let quote = quote.expect("a quote");
        let amounts: Vec<_> = quote.lines.iter().map(|line| line.amount).collect();
        assert_eq!((quote.total, amounts), (21.0, vec![9.0, 12.0]));
    }

    #[tokio::test]
    async fn an_order_that_is_not_there_is_not_found() {
        let missing = OrderBook::default().get(&Context::background(), "1".into()).await;
        assert_eq!(missing.map_err(|status| status.code), Err(Code::NotFound));
    }
}
