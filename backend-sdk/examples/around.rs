//! The code of docs/sdk.md on what surrounds a call: contexts and layers. `tests/docs.rs` holds the page to this file.
//!
//!     cargo run -p callgate-sdk --example around

#![allow(missing_docs, reason = "the page says it")]

use callgate_sdk::layer::{Call, ConcurrencyLimit, Layer, Metrics, Next, Outcome, Tracing};
use callgate_sdk::{Client, ClientBuilder, Context, ReplyMetadata, Server, ServerError, Status, service};
use std::collections::HashMap;
use std::time::{Duration, Instant};

#[service]
pub trait Orders {
    /// The newest orders of the caller, at most so many.
    #[idempotent]
    async fn find(&self, cx: &Context, most: u32) -> Result<Vec<String>, Status>;

    async fn cancel(&self, cx: &Context, order_id: String) -> Result<(), Status>;
}

struct Book;

impl Orders for Book {
    async fn find(&self, cx: &Context, most: u32) -> Result<Vec<String>, Status> {
        let user = cx.extension::<User>()?;
        cx.reply().insert("x-total-count", "120")?;
        Ok((0..most).map(|number| format!("{}-{number}", user.name)).collect())
    }

    async fn cancel(&self, _cx: &Context, order_id: String) -> Result<(), Status> {
        Err(Status::not_found(format!("there is no order {order_id}")))
    }
}

/// Calls of another service, made by a method.
pub async fn tidy_up(cx: &Context, orders: &impl Orders, order_id: String) -> Result<(), Status> {
    let reply = ReplyMetadata::new();
    let found = orders.find(&cx.clone().with_reply(&reply), 20).await?;
    let total = reply.get("x-total-count");
    tracing::info!(found = found.len(), total, "looked for orders");
    let cx = cx.clone().with_metadata("x-tenant", "blue")?;
    orders.cancel(&cx, order_id).await?;
    Ok(())
}

/// Tells how long calls take.
async fn timing(call: Call, next: Next) -> Outcome {
    let (name, began) = (call.name(), Instant::now());
    let outcome = next.run(call).await;
    tracing::info!(%name, took = ?began.elapsed(), failed = outcome.is_err(), "a call has ended");
    outcome
}

/// Who calls, for the methods.
#[derive(Clone)]
pub struct User {
    pub name: String,
}

/// Lets those in who have a token.
pub struct Authenticate {
    users: HashMap<String, User>,
}

impl Layer for Authenticate {
    async fn call(&self, mut call: Call, next: Next) -> Outcome {
        let token = call.context().metadata("authorization").unwrap_or_default();
        let Some(user) = self.users.get(token).cloned() else {
            return Err(Status::unauthenticated("this token is not known"));
        };
        call.extensions_mut().insert(user);
        next.run(call).await
    }
}

/// A server and a client with the layers that come with the SDK.
pub fn with_layers(orders: OrdersServer<impl Orders>) -> (Server, ClientBuilder, Metrics) {
    let metrics = Metrics::new();
    let limit = ConcurrencyLimit::new(64) // calls of each method
        .method("orders.cancel", 8) // but of this one
        .queue(16, Duration::from_millis(200)); // so many more may wait, so long
    let server = Server::new().layer(Tracing::new()).layer(metrics.clone()).layer(limit).service(orders);
    let client = Client::builder().layer(Tracing::new()).layer(metrics.clone());
    (server, client, metrics)
}

#[tokio::main]
async fn main() -> Result<(), ServerError> {
    let users = HashMap::from([("token".to_owned(), User { name: "ann".to_owned() })]);
    let (server, _, _) = with_layers(OrdersServer::new(Book));
    server.layer(timing).layer(Authenticate { users }).listen("127.0.0.1:7101").run().await
}
