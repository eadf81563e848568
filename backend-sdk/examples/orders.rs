//! The code of docs/sdk.md, whole: a backend, and what calls it. `tests/docs.rs` holds the page to this file.
//!
//!     cargo run -p callgate-sdk --example orders

#![allow(missing_docs, reason = "the page says it")]

use callgate_sdk::{Context, Message, Status, service};
use serde::{Deserialize, Serialize};

use callgate_sdk::{Client, ClientError};
use std::collections::HashSet;
use std::error::Error;
use std::sync::Mutex;
use std::time::Duration;

/// What is ordered.
#[derive(Serialize, Deserialize, Message)]
pub struct Item {
    pub sku: String,
    pub qty: u32,
}

#[service] // or #[service(name = "orders", version = "1.2")]
pub trait Orders {
    /// Prices an order.
    #[idempotent]
    async fn quote(&self, order_id: String, items: Vec<Item>, note: Option<String>) -> Result<f64, Status>;

    async fn cancel(&self, cx: &Context, order_id: String) -> Result<(), Status>;
}

/// The orders that are cancelled.
#[derive(Default)]
pub struct OrderBook {
    cancelled: Mutex<HashSet<String>>,
}

impl Orders for OrderBook {
    async fn quote(&self, _order_id: String, items: Vec<Item>, _note: Option<String>) -> Result<f64, Status> {
        Ok(items.iter().map(|item| f64::from(item.qty) * 4.5).sum())
    }

    async fn cancel(&self, _cx: &Context, order_id: String) -> Result<(), Status> {
        let mut cancelled =
            self.cancelled.lock().map_err(|_| Status::internal("a panic while it was locked"))?;
        match cancelled.insert(order_id) {
            true => Ok(()),
            false => Err(Status::failed_precondition("the order is cancelled already")),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), callgate_sdk::ServerError> {
    callgate_sdk::Server::new()
        .service(OrdersServer::new(OrderBook::default()))
        .listen("127.0.0.1:7101")
        .listen("unix:/tmp/shop.sock")
        .run()
        .await
}

/// A call from another process.
pub async fn price(items: Vec<Item>) -> Result<f64, Box<dyn Error>> {
    let client = callgate_sdk::Client::builder().endpoint("127.0.0.1:7101").build()?;
    let orders = OrdersClient::new(client);
    let price = orders.quote("1001".into(), items, None).await?;
    Ok(price)
}

/// What a client can be told.
pub fn client() -> Result<Client, ClientError> {
    let client = Client::builder()
        .endpoint("orders.internal:7101") // a server at each address of the name
        .endpoint("10.0.0.6:7101")
        .caller("billing") // the metadata entry `caller`
        .timeout(Duration::from_secs(2)) // 10 s unless told
        .build()?; // connects in the background; needs a tokio runtime
    Ok(client)
}

/// A server that wants no calls before it has warmed up.
pub async fn serve_when_warm(
    server: callgate_sdk::Server,
    warm_up: impl AsyncFnOnce() + Send + 'static,
) -> Result<(), callgate_sdk::ServerError> {
    let bound = server.bind().await?;
    let handle = bound.handle();
    handle.set_ready(false);
    let warming_up = async {
        warm_up().await;
        handle.set_ready(true);
    };
    tokio::join!(bound.serve(), warming_up);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use callgate_sdk::{Code, Server, testing};

    #[tokio::test]
    async fn an_order_is_cancelled_once() -> Result<(), Status> {
        let server = Server::new().service(OrdersServer::new(OrderBook::default()));
        let orders = OrdersClient::new(testing::client(server));
        let cx = Context::background();

        orders.cancel(&cx, "1001".into()).await?;
        let again = orders.cancel(&cx, "1001".into()).await.unwrap_err();
        assert_eq!(again.code, Code::FailedPrecondition);
        Ok(())
    }

    #[tokio::test]
    async fn a_server_that_wants_no_calls_gets_them_when_it_does() -> Result<(), Status> {
        let server = Server::new().service(OrdersServer::new(OrderBook::default()));
        let (client, handle) = testing::connect(server, Client::builder().caller("billing"));
        handle.set_ready(false);
        let orders = OrdersClient::new(client);
        let (price, ()) =
            tokio::join!(orders.quote("1001".into(), Vec::new(), None), async { handle.set_ready(true) });
        assert_eq!(price?, 0.0);
        Ok(())
    }
}
