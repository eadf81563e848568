//! The code of docs/sdk.md, whole: a backend, and what calls it. `tests/docs.rs` holds the page to this file.
//!
//!     cargo run -p callgate-sdk --example orders

#![allow(missing_docs, reason = "the page says it")]

use callgate_sdk::{Context, Message, Status, service};
use serde::{Deserialize, Serialize};

use callgate_sdk::{Client, ClientError};
use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex};
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
        let mut cancelled = self.cancelled.lock()?;
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

#[service]
pub trait Search {
    #[idempotent]
    async fn search(
        &self,
        #[default] words: Vec<String>,
        #[default(20)] limit: u32,
        #[message(rename = "orderBy")] order_by: Option<String>,
    ) -> Result<Vec<Item>, Status>;
}

/// Where orders are kept: in this process, or in another.
pub fn orders_at(endpoint: Option<&str>) -> Result<Arc<dyn DynOrders>, ClientError> {
    Ok(match endpoint {
        Some(endpoint) => Arc::new(OrdersClient::new(Client::builder().endpoint(endpoint).build()?)),
        None => Arc::new(OrderBook::default()),
    })
}

/// What is kept of an order.
#[derive(Clone)]
pub struct Order;

/// Finds an order.
pub fn find(orders: &HashMap<String, Order>, id: &str) -> Result<Order, Status> {
    orders.get(id).cloned().ok_or_else(|| Status::not_found(format!("there is no order {id}")))
}

/// What is left of an item, for programs.
#[derive(Serialize, Deserialize)]
pub struct Left {
    pub sku: String,
    pub left: u32,
}

fn sold_out(sku: &str, left: u32) -> Status {
    let details = Left { sku: sku.to_owned(), left };
    Status::failed_precondition(format!("only {left} of {sku} are left")).with_details(&details)
}

/// How many a caller could still have, by what it was told.
pub fn could_have(status: &Status) -> Option<u32> {
    status.details_as::<Left>().map(|left| left.left)
}

fn stored(path: &Path) -> Result<u32, Status> {
    let text = std::fs::read_to_string(path)?;
    Ok(text.trim().parse()?)
}

/// Takes some of what is stored.
pub fn take(path: &Path, item: &Item) -> Result<u32, Status> {
    let left = stored(path)?;
    left.checked_sub(item.qty).ok_or_else(|| sold_out(&item.sku, left))
}

/// Why an order is not taken.
#[derive(Debug, callgate_sdk::Error)]
pub enum PlaceError {
    /// Fewer are left than were ordered.
    #[error("only {left} of {sku} are left", code = "failed_precondition")]
    OutOfStock { sku: String, left: u32 },

    #[error("there is no item {0}", code = "not_found")]
    NoSuchItem(String),

    #[error(status)]
    Other(Status),
}

#[service]
pub trait Desk {
    async fn place(&self, cx: &Context, item: Item, #[default] note: String) -> Result<u64, PlaceError>;
}

/// Takes what there is.
pub async fn place_what_is_left(desk: &impl Desk, cx: &Context, item: Item) -> Result<u64, PlaceError> {
    let sku = item.sku.clone();
    match desk.place(cx, item, String::new()).await {
        Err(PlaceError::OutOfStock { left, .. }) if left > 0 => {
            desk.place(cx, Item { sku, qty: left }, "the rest".to_owned()).await
        }
        placed => placed,
    }
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
