//! A service that tells who calls it, and writes each call down: for the tests of who may call.

use callgate_sdk::{Context, Message, Server, Status, service};
use clap::Parser;
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

/// Who calls, as the method sees it.
#[derive(Message, serde::Serialize, serde::Deserialize)]
struct Caller {
    name: String,
    authenticator: String,
    scopes: Vec<String>,
    tenant: Option<String>,
}

#[service]
trait Guarded {
    /// Who calls.
    async fn who(&self, cx: &Context) -> Result<Option<Caller>, Status>;

    /// That tenant.
    async fn list(&self, cx: &Context, tenant: String) -> Result<String, Status>;
}

#[derive(Parser)]
struct Options {
    /// Where to listen.
    #[arg(long)]
    listen: String,
    /// Where a line is added for each call: who calls, or `-`.
    #[arg(long)]
    notes: PathBuf,
}

struct Door(File);

impl Door {
    fn note(&self, cx: &Context) {
        let who = cx.identity().map_or("-", |caller| caller.name());
        // In one write. A note that cannot be written shows as missing.
        let _ = (&self.0).write_all(format!("{who}\n").as_bytes());
    }
}

impl Guarded for Door {
    async fn who(&self, cx: &Context) -> Result<Option<Caller>, Status> {
        self.note(cx);
        Ok(cx.identity().map(|caller| Caller {
            name: caller.name().to_owned(),
            authenticator: caller.authenticator().to_owned(),
            scopes: caller.scopes().map(str::to_owned).collect(),
            tenant: caller.claim("tenant"),
        }))
    }

    async fn list(&self, cx: &Context, tenant: String) -> Result<String, Status> {
        self.note(cx);
        Ok(tenant)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Options { listen, notes } = Options::parse();
    let notes = File::options().create(true).append(true).open(notes)?;
    Ok(Server::new().service(GuardedServer::new(Door(notes))).listen(listen).run().await?)
}
