//! A backend whose answers are as long as each call asks for.

use callgate_sdk::{Message, Server, Status, service};
use clap::Parser;
use serde::{Deserialize, Serialize};

/// One byte in a message, and 31 in JSON, and a comma.
#[derive(Clone, Serialize, Deserialize, Message)]
struct Wide {
    a_name_of_some_length: bool,
}

#[service]
trait Lavish {
    /// A text of so many bytes.
    #[idempotent]
    async fn text(&self, bytes: u32) -> Result<String, Status>;

    /// So many items.
    #[idempotent]
    async fn items(&self, count: u32) -> Result<Vec<Wide>, Status>;
}

struct Instance;

impl Lavish for Instance {
    async fn text(&self, bytes: u32) -> Result<String, Status> {
        Ok("x".repeat(bytes as usize))
    }

    async fn items(&self, count: u32) -> Result<Vec<Wide>, Status> {
        Ok(vec![Wide { a_name_of_some_length: false }; count as usize])
    }
}

#[derive(Parser)]
struct Arguments {
    #[arg(long)]
    listen: String,
}

#[tokio::main]
async fn main() -> Result<(), callgate_sdk::ServerError> {
    Server::new().service(LavishServer::new(Instance)).listen(Arguments::parse().listen).run().await
}
