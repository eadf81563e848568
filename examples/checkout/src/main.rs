//! Serves `checkout`, and calls `orders` of the shop.
//!
//! ```text
//! cargo run --bin shop &
//! cargo run --bin checkout
//! ```

use callgate_sdk::layer::Tracing;
use callgate_sdk::{Client, Server};
use checkout::checkout::CheckoutServer;
use checkout::counter::Counter;
use checkout::users::{User, Users};
use clap::Parser;
use shop::orders::OrdersClient;
use std::error::Error;
use std::io::stderr;

/// A backend that takes orders.
#[derive(Parser)]
struct Options {
    /// Where to listen, host:port or unix:/path.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7201")]
    listen: String,
    /// Where the shop listens; may be given more than once.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7101")]
    shop: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().with_writer(stderr).init();
    let options = Options::parse();
    let client = options.shop.into_iter().fold(Client::builder(), |client, shop| client.endpoint(shop));
    let client = client.caller("checkout").layer(Tracing::new()).build()?;
    let users = Users::default()
        .with("ada-token", User { name: "ada".to_owned(), limit: 100.into() })
        .with("alan-token", User { name: "alan".to_owned(), limit: 10.into() });
    Server::new()
        .layer(Tracing::new())
        .layer(users)
        .service(CheckoutServer::new(Counter::new(OrdersClient::new(client))))
        .listen(options.listen)
        // Ends after SIGTERM or SIGINT, when the calls in flight are answered.
        .run()
        .await?;
    Ok(())
}
