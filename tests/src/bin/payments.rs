//! Payments, each of which is written down: for the tests of rules. With `--before` it is the version that knows no amounts.

use callgate_sdk::{Message, Server, Status, Streaming, service};
use clap::Parser;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

/// By what is paid.
#[derive(Serialize, Deserialize, Message, Debug)]
enum Kind {
    Card,
    Cash,
    Other(String),
}

/// Who is paid.
#[derive(Serialize, Deserialize, Message)]
struct Payee {
    name: String,
    iban: Option<String>,
}

#[service]
trait Payments {
    /// Pays.
    async fn pay(
        &self,
        tenant: String,
        amount: u64,
        kind: Option<Kind>,
        tags: Option<Vec<String>>,
        payee: Option<Payee>,
    ) -> Result<u64, Status>;

    /// Adds up what is paid one after the other.
    async fn sum(&self, tenant: String, amounts: Streaming<u64>) -> Result<u64, Status>;
}

/// The same before there were amounts.
#[service(name = "payments")]
trait Before {
    /// Pays.
    async fn pay(&self, tenant: String) -> Result<u64, Status>;
}

#[derive(Parser)]
struct Options {
    /// Where to listen.
    #[arg(long)]
    listen: String,
    /// Where a line is added for each call: the tenant.
    #[arg(long)]
    notes: PathBuf,
    /// Be the version that knows no amounts.
    #[arg(long)]
    before: bool,
}

struct Till(File);

impl Till {
    fn note(&self, tenant: &str) {
        // In one write. A note that cannot be written shows as missing.
        let _ = (&self.0).write_all(format!("{tenant}\n").as_bytes());
    }
}

impl Payments for Till {
    async fn pay(
        &self,
        tenant: String,
        amount: u64,
        _: Option<Kind>,
        _: Option<Vec<String>>,
        _: Option<Payee>,
    ) -> Result<u64, Status> {
        self.note(&tenant);
        Ok(amount)
    }

    async fn sum(&self, tenant: String, mut amounts: Streaming<u64>) -> Result<u64, Status> {
        self.note(&tenant);
        let mut sum = 0;
        while let Some(amount) = amounts.next().await {
            sum += amount?;
        }
        Ok(sum)
    }
}

impl Before for Till {
    async fn pay(&self, tenant: String) -> Result<u64, Status> {
        self.note(&tenant);
        Ok(0)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Options { listen, notes, before } = Options::parse();
    let till = Till(File::options().create(true).append(true).open(notes)?);
    let server = match before {
        false => Server::new().service(PaymentsServer::new(till)),
        true => Server::new().service(BeforeServer::new(till)),
    };
    Ok(server.listen(listen).run().await?)
}
