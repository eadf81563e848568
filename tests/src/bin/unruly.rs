//! A backend that misbehaves as each call asks it to, for the tests of retries: where the call names this instance (or
//! all of them, by `*`), it does what the call says; other instances answer it well. So a test decides what goes wrong
//! and where, and nothing is left to chance but the way a call takes.

use callgate_sdk::{Context, Server, Status, service};
use clap::Parser;
use std::future::pending;
use std::time::Duration;

#[service]
trait Unruly {
    /// May run twice.
    #[idempotent]
    async fn safe(&self, how: String, at: String) -> Result<String, Status>;

    /// May not.
    async fn once(&self, how: String, at: String) -> Result<String, Status>;

    /// The time that is left, in milliseconds.
    async fn remaining(&self, cx: &Context) -> Result<u64, Status>;
}

/// An instance, which knows its endpoint.
struct Instance(String);

impl Instance {
    /// Answers with the endpoint, or does what it is told.
    async fn obey(&self, how: &str, at: &str) -> Result<String, Status> {
        if at != "*" && at != self.0 {
            return Ok(self.0.clone());
        }
        let (word, ms) = how.split_once('-').unwrap_or((how, "0"));
        let ms: u32 = ms.parse().map_err(|_| Status::invalid_argument("no number"))?;
        match word {
            "fail" => Err(Status::unavailable("failed, as told")),
            "refuse" => Err(Status::unavailable("refused, as told").with_retry_after_ms(ms).not_executed()),
            "missing" => Err(Status::not_found("missing, as told")),
            "die" => std::process::exit(1),
            "hang" => pending().await,
            "wait" => {
                tokio::time::sleep(Duration::from_millis(ms.into())).await;
                Ok(self.0.clone())
            }
            _ => Ok(self.0.clone()),
        }
    }
}

impl Unruly for Instance {
    async fn safe(&self, how: String, at: String) -> Result<String, Status> {
        self.obey(&how, &at).await
    }

    async fn once(&self, how: String, at: String) -> Result<String, Status> {
        self.obey(&how, &at).await
    }

    async fn remaining(&self, cx: &Context) -> Result<u64, Status> {
        let remaining = cx.remaining().ok_or_else(|| Status::internal("no deadline"))?;
        Ok(u64::try_from(remaining.as_millis()).unwrap_or(u64::MAX))
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
    let instance = Instance(arguments.listen.clone());
    Server::new().service(UnrulyServer::new(instance)).listen(arguments.listen).run().await
}
