//! The demo's backend: offers five services to whoever connects, as a rule a gateway.

use callgate_sdk::{Server, ServerError};
use clap::Parser;
use shop::calc::{CalcServer, Calculator};
use shop::echo::{EchoServer, Mirror};
use shop::files::{Drawer, FilesServer};
use shop::library::{LibraryServer, Shelf};
use shop::orders::{OrderBook, OrdersServer};
use std::error::Error;
use std::io::{IsTerminal, stderr};
use std::num::NonZeroUsize;
use tokio::runtime::Builder;

/// The demo's backend: the services calc, orders, echo, library and files.
#[derive(Parser)]
struct Options {
    /// Where to listen, host:port or unix:/path; may be given more than once.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:7101")]
    listen: Vec<String>,
    /// How many threads serve; one per core if not said.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
}

fn main() -> Result<(), Box<dyn Error>> {
    // The SDK tells what it does through `tracing`; this writes it to standard error.
    tracing_subscriber::fmt().with_writer(stderr).with_ansi(stderr().is_terminal()).init();
    let options = Options::parse();
    let runtime = runtime(options.threads).enable_all().build()?;
    Ok(runtime.block_on(serve(options.listen))?)
}

/// The server runs on any of tokio's runtimes; one thread alone needs none that shares work between threads.
fn runtime(threads: Option<NonZeroUsize>) -> Builder {
    match threads.map(NonZeroUsize::get) {
        Some(1) => Builder::new_current_thread(),
        Some(threads) => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(threads);
            builder
        }
        None => Builder::new_multi_thread(),
    }
}

async fn serve(addresses: Vec<String>) -> Result<(), ServerError> {
    let mut server = Server::new()
        .service(CalcServer::new(Calculator))
        .service(OrdersServer::new(OrderBook::with_demo_orders()))
        .service(EchoServer::new(Mirror))
        .service(LibraryServer::new(Shelf::with_demo_books()))
        .service(FilesServer::new(Drawer::default()));
    for address in addresses {
        server = server.listen(address);
    }
    // Ends after SIGTERM or SIGINT, when the calls in flight are answered.
    server.run().await
}
