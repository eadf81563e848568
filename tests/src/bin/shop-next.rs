//! The shop's orders after an upgrade, for the test of two versions behind one route: other orders of arguments and
//! fields, and fields that the old one has not.

use callgate_sdk::{Message, Server, Status, service};
use clap::Parser;
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Message)]
struct Item {
    unit_price: f64,
    #[serde(default)]
    gift: bool,
    sku: String,
    qty: u32,
}

#[derive(Serialize, Deserialize, Message)]
struct Line {
    amount: f64,
    sku: String,
    gift: bool,
    qty: u32,
}

#[derive(Serialize, Deserialize, Message)]
struct Quote {
    currency: String,
    express: bool,
    lines: Vec<Line>,
    total: f64,
    order_id: String,
}

#[service(version = "2.0")]
trait Orders {
    async fn quote(
        &self,
        items: Vec<Item>,
        note: Option<String>,
        express: bool,
        order_id: String,
        customer: String,
    ) -> Result<Quote, Status>;
}

struct Next;

impl Orders for Next {
    async fn quote(
        &self,
        items: Vec<Item>,
        _note: Option<String>,
        express: bool,
        order_id: String,
        _customer: String,
    ) -> Result<Quote, Status> {
        let line = |item: Item| Line {
            amount: item.unit_price * f64::from(item.qty),
            sku: item.sku,
            gift: item.gift,
            qty: item.qty,
        };
        let lines: Vec<Line> = items.into_iter().map(line).collect();
        let total = lines.iter().map(|line| line.amount).sum();
        Ok(Quote { currency: "EUR".to_owned(), express, lines, total, order_id })
    }
}

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: String,
}

#[tokio::main]
async fn main() -> Result<(), callgate_sdk::ServerError> {
    let arguments = Arguments::parse();
    Server::new().service(OrdersServer::new(Next)).listen(arguments.listen).run().await
}
