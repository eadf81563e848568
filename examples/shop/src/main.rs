//! The demo's backend: offers three services to whoever connects, as a rule a gateway.

use callgate_sdk::{Server, ServerError};
use clap::Parser;
use shop::calc::{CalcServer, Calculator};
use shop::echo::{EchoServer, Mirror};
use shop::orders::{OrderBook, OrdersServer};
use std::io::{IsTerminal, stderr};

/// The demo's backend: the services calc, orders and echo.
#[derive(Parser)]
struct Options {
    /// Where to listen, host:port or unix:/path; may be given more than once.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7101")]
    listen: Vec<String>,
}

#[tokio::main]
async fn main() -> Result<(), ServerError> {
    // The SDK tells what it does through `tracing`; this writes it to standard error.
    tracing_subscriber::fmt().with_writer(stderr).with_ansi(stderr().is_terminal()).init();
    let mut server = Server::new()
        .service(CalcServer::new(Calculator))
        .service(OrdersServer::new(OrderBook::with_demo_orders()))
        .service(EchoServer::new(Mirror));
    for address in Options::parse().listen {
        server = server.listen(address);
    }
    // Ends after SIGTERM or SIGINT, when the calls in flight are answered.
    server.run().await
}
