//! The code of docs/sdk.md on traces: a service that calls another one, whose spans are sent to a collector. `tests/docs.rs` holds the page
//! to this file.
//!
//!     cargo run -p callgate-sdk --features otlp --example traced

#![allow(missing_docs, reason = "the page says it")]

use callgate_sdk::layer::{Otlp, Tracing};
use callgate_sdk::{Client, Context, Server, Status, service};
use std::error::Error;

#[service]
pub trait Orders {
    #[idempotent]
    async fn items(&self, cx: &Context, order_id: String) -> Result<u32, Status>;
}

#[service]
pub trait Checkout {
    #[idempotent]
    async fn total(&self, cx: &Context, order_id: String) -> Result<u32, Status>;
}

struct Counter(OrdersClient);

impl Checkout for Counter {
    async fn total(&self, cx: &Context, order_id: String) -> Result<u32, Status> {
        // Its span is a child of the one of this call.
        Ok(3 * self.0.items(cx, order_id).await?)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let otlp = Otlp::to("http://127.0.0.1:4318/v1/traces").service("checkout").start()?;
    let client = Client::builder().endpoint("127.0.0.1:7101").layer(Tracing::new().otlp(&otlp)).build()?;
    let server = Server::new().layer(Tracing::new().otlp(&otlp));
    let checkout = CheckoutServer::new(Counter(OrdersClient::new(client)));
    server.service(checkout).listen("127.0.0.1:7201").run().await?;
    otlp.finish().await;
    Ok(())
}
