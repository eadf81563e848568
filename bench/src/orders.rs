//! The service that stands behind every peer, as `examples/shop` has it: `orders.quote` and `calc.add`.

use serde::{Deserialize, Serialize};

/// An order to be priced; its number comes by the path.
#[derive(Debug, Deserialize)]
pub struct Order {
    /// Who orders.
    pub customer: String,
    /// Whether it is in a hurry.
    pub express: bool,
    /// What is ordered.
    pub items: Vec<Item>,
    /// Anything else.
    pub note: Option<String>,
}

/// What is ordered.
#[derive(Debug, Deserialize)]
pub struct Item {
    /// The article's number.
    pub sku: String,
    /// How many.
    pub qty: u32,
    /// What one costs.
    pub unit_price: f64,
}

/// What an order costs.
#[derive(Debug, Serialize)]
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
#[derive(Debug, Serialize)]
pub struct Line {
    /// The article's number.
    pub sku: String,
    /// How many.
    pub qty: u32,
    /// What they cost together.
    pub amount: f64,
}

/// A sum, as the routes' `response = { wrap = "result" }` shows it.
#[derive(Debug, Serialize)]
pub struct Sum {
    /// The sum.
    pub result: i64,
}

/// Prices an order.
pub fn quote(order_id: String, order: Order) -> Quote {
    let price =
        |item: Item| Line { amount: f64::from(item.qty) * item.unit_price, sku: item.sku, qty: item.qty };
    let lines: Vec<Line> = order.items.into_iter().map(price).collect();
    Quote { order_id, total: lines.iter().map(|line| line.amount).sum(), lines, express: order.express }
}

/// Adds two integers; none if the sum does not fit.
pub fn add(a: i64, b: i64) -> Option<Sum> {
    a.checked_add(b).map(|result| Sum { result })
}
