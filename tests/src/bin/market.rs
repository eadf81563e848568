//! Serves `market`.

use callgate_sdk::{Server, Status};
use callgate_tests::market::{Change, Dates, Market, MarketServer, Order, Payment, Receipt};
use clap::Parser;
use rust_decimal::Decimal;

struct Stalls;

impl Market for Stalls {
    async fn order(&self, order: Order, payment: Payment) -> Result<Receipt, Status> {
        let total = order.price * Decimal::from(order.qty);
        let dates = Dates { ships_on: order.ships_on, at: order.at };
        Ok(Receipt { total, dates, payment })
    }

    async fn change(&self, _id: u32, change: Change) -> Result<Change, Status> {
        Ok(change)
    }
}

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: String,
}

#[tokio::main]
async fn main() -> Result<(), callgate_sdk::ServerError> {
    Server::new().service(MarketServer::new(Stalls)).listen(Arguments::parse().listen).run().await
}
