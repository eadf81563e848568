//! A service that calls another one of its kind, and writes down what happens to its calls: for the tests of drains, of
//! deadlines and of cancellation.
//!
//! Each note is a line, appended in one write, so that processes may share the file and a SIGKILL takes none away.

use callgate_sdk::layer::{Otlp, Tracing};
use callgate_sdk::{Client, Context, Server, Status, service};
use clap::Parser;
use std::error::Error;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

#[service]
trait Chain {
    /// Notes that it ran, and takes a moment before and after. Not idempotent.
    async fn once(&self, id: u64) -> Result<u64, Status>;

    /// Takes `ms`, and then calls `hold` of the next service.
    async fn pass(&self, cx: &Context, ms: u64, until: String) -> Result<u64, Status>;

    /// What the metadata has under that name, after so many calls further: each handler adds `passed`, and nothing else.
    #[idempotent]
    async fn metadata(&self, cx: &Context, name: String, hops: u32) -> Result<Option<String>, Status>;

    /// Waits until the file is there; the milliseconds that were left when it began.
    async fn hold(&self, cx: &Context, until: String) -> Result<u64, Status>;
}

#[derive(Parser)]
struct Options {
    /// Where to listen.
    #[arg(long)]
    listen: String,
    /// Where the file `notes` is, and the files that are waited for.
    #[arg(long)]
    folder: PathBuf,
    /// Where the next service is.
    #[arg(long)]
    next: Option<String>,
    /// How long calls to it may take, in milliseconds: as a rule longer than any deadline that is passed on.
    #[arg(long, default_value_t = 86_400_000)]
    next_timeout: u64,
    /// Where spans are sent, and as whose.
    #[arg(long, num_args = 2)]
    otlp: Option<Vec<String>>,
}

struct Link {
    folder: PathBuf,
    notes: Arc<Notes>,
    next: Option<ChainClient>,
}

struct Notes(File);

impl Notes {
    fn add(&self, line: &str) {
        // A note that cannot be written shows as missing.
        let _ = (&self.0).write_all(format!("{line}\n").as_bytes());
    }
}

/// Notes that a handler's future is dropped before it has ended.
struct Unfinished(Arc<Notes>, Option<String>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(id) = &self.1 {
            self.0.add(&format!("dropped {id}"));
        }
    }
}

impl Chain for Link {
    async fn once(&self, id: u64) -> Result<u64, Status> {
        sleep(Duration::from_millis(fastrand::u64(0..8))).await;
        self.notes.add(&format!("once {id}"));
        sleep(Duration::from_millis(fastrand::u64(0..8))).await;
        Ok(id)
    }

    async fn pass(&self, cx: &Context, ms: u64, until: String) -> Result<u64, Status> {
        self.notes.add(&format!("pass {}", id(cx)));
        sleep(Duration::from_millis(ms)).await;
        let next = self.next.as_ref().ok_or_else(|| Status::failed_precondition("there is no next"))?;
        next.hold(cx, until).await
    }

    async fn metadata(&self, cx: &Context, name: String, hops: u32) -> Result<Option<String>, Status> {
        if hops == 0 {
            return Ok(cx.metadata(&name).map(str::to_owned));
        }
        let next = self.next.as_ref().ok_or_else(|| Status::failed_precondition("there is no next"))?;
        let passed = cx.metadata("x-passed").unwrap_or_default();
        next.metadata(&cx.clone().with_metadata("passed", passed)?, name, hops - 1).await
    }

    async fn hold(&self, cx: &Context, until: String) -> Result<u64, Status> {
        let left = cx.remaining().map_or(0, |left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        let id = id(cx);
        let mut unfinished = Unfinished(self.notes.clone(), Some(id.clone()));
        tokio::spawn({
            let (cx, notes, id) = (cx.clone(), self.notes.clone(), id.clone());
            async move {
                cx.cancelled().await;
                notes.add(&format!("cancelled {id}"));
            }
        });
        self.notes.add(&format!("hold {id} {left} {}", cx.metadata("traceparent").unwrap_or("-")));
        while !self.folder.join(&until).exists() {
            sleep(Duration::from_millis(5)).await;
        }
        unfinished.1 = None;
        Ok(left)
    }
}

fn id(cx: &Context) -> String {
    cx.metadata("request-id").unwrap_or("-").to_owned()
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let Options { listen, folder, next, next_timeout, otlp } = Options::parse();
    let otlp = otlp.as_deref().map(|told| match told {
        [url, service] => Otlp::to(url).service(service).start(),
        _ => unreachable!("two values are taken"),
    });
    let otlp = otlp.transpose()?;
    let tracing = || otlp.as_ref().map(|otlp| Tracing::new().otlp(otlp));
    let client = |next| {
        let client = Client::builder().endpoint(next).timeout(Duration::from_millis(next_timeout));
        tracing().into_iter().fold(client, |client, tracing| client.layer(tracing)).build()
    };
    let next = next.map(client).transpose()?.map(ChainClient::from);
    let notes = File::options().create(true).append(true).open(folder.join("notes"))?;
    let link = Link { folder, notes: Arc::new(Notes(notes)), next };
    let server = tracing().into_iter().fold(Server::new(), |server, tracing| server.layer(tracing));
    Ok(server.service(ChainServer::new(link)).listen(listen).run().await?)
}
